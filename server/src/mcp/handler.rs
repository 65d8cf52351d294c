//! The handler of MCP messages: each calls the engine once.

use super::scope_challenge::ScopeChallenge;
use super::{app, tasks};
use crate::http::problem::error_fields;
use crate::http::{request_context, trace_id};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use loopiq::context::{Ctx, Runtime};
use loopiq::domain::{Principal, SenderClaims};
use loopiq::engine::{Engine, Error, ToolResponse, ToolSpec};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams, ContentBlock, CreateTaskResult,
    ErrorData, ExtensionCapabilities, GetTaskParams, GetTaskResult, Implementation, JsonObject, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult,
    RequestMetaObject, ServerCapabilities, ServerConfig, TASKS_EXTENSION_ID, Tool, ToolAnnotations, UpdateTaskParams,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::{Value, json};
use std::sync::Arc;

/// The server's instructions for the model.
const INSTRUCTIONS: &str = "Read tools have no effect. Write tools only propose an action: nothing is written until a person approves it in a \
                            browser. While the status is pending_approval, do not call the tool again: call loopiq_get_action to \
                            see the decision. All write tools take idempotencyKey (your own; sent again, it returns the same \
                            action), reason (for the reviewer), dryRun (true: only preview and checks, nothing is stored), workflow \
                            (its name) and supersedesActionId (your action that this one replaces). Lists take limit (50 by \
                            default) and cursor (the nextCursor of the previous page). A refusal has isError, and its fields say \
                            which arguments are wrong and how to send them.";

/// Handles MCP messages. rmcp clones it for each request.
#[derive(Clone)]
pub(super) struct Handler {
    engine: Engine,
    runtime: Runtime,
}

impl Handler {
    pub(super) fn new(engine: Engine, runtime: Runtime) -> Self {
        Self { engine, runtime }
    }

    /// The context of a call. The workflow is an argument of the tools, so the engine reads it.
    fn context(&self, context: &RequestContext<RoleServer>) -> Result<Ctx, ErrorData> {
        let parts = context.extensions.get::<Parts>();
        // `auth::bearer` always sets the principal.
        let principal = parts.and_then(|parts| parts.extensions.get::<Principal>());
        let (Some(parts), Some(principal)) = (parts, principal) else {
            return Err(ErrorData::internal_error(
                "The request has no principal. Nothing was changed.",
                None,
            ));
        };
        let mut ctx = request_context(&self.runtime, principal.clone(), &parts.extensions, &parts.headers);
        if let Some(trace) = message_trace(&context.meta) {
            ctx.join_trace(&trace);
        }
        if let Some(program) = context.meta.client_info() {
            ctx.claims.agent = SenderClaims::bounded_program(&format!("{} {}", program.name, program.version));
            ctx.claims.version = SenderClaims::bounded_program(&program.version);
        }
        Ok(ctx)
    }
}

/// Leaves the scopes that the call lacks for the response 403.
fn note(error: &Error, context: &RequestContext<RoleServer>) {
    let parts = context.extensions.get::<Parts>();
    if let Some(challenge) = parts.and_then(|parts| parts.extensions.get::<ScopeChallenge>()) {
        challenge.note(error);
    }
}

/// A refusal of a method that has no results with `isError`.
fn refused(error: &Error, context: &RequestContext<RoleServer>) -> ErrorData {
    note(error, context);
    tasks::refusal(error)
}

/// Refuses a cursor: every list of this server is one page.
fn only_page(page: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    if page.is_some_and(|page| page.cursor.is_some()) {
        let why = "Everything is on the first page, so there is no cursor. Leave it out.";
        return Err(ErrorData::invalid_params(why, None));
    }
    Ok(())
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let extensions = [TASKS_EXTENSION_ID, app::EXTENSION].map(|name| (name.to_owned(), JsonObject::new()));
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources();
        let capabilities = capabilities.enable_extensions_with(ExtensionCapabilities::from(extensions));
        ServerConfig::new(capabilities.build())
            .with_server_info(
                Implementation::new("loopiq", env!("CARGO_PKG_VERSION")).with_title("LoopIQ Governed Actions"),
            )
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        only_page(page)?;
        let ctx = self.context(&context)?;
        let specs = self.engine.catalogue(&ctx).await;
        let specs = specs.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        // About two dozen tools fit into one page. rmcp marks it as private to the caller, which is right: the list depends on the caller.
        Ok(ListToolsResult::with_all_items(specs.into_iter().map(tool).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let ctx = self.context(&context)?;
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        match self.engine.call_tool(&ctx, &request.name, arguments).await {
            Ok(response) => {
                let task = match tasks::are_declared(&context) {
                    true => self.engine.task_of(&ctx, &response).await,
                    false => None,
                };
                Ok(match task {
                    Some(task) => CreateTaskResult::new(tasks::handle(&task)).into(),
                    None => success(response).into(),
                })
            }
            Err(error) => {
                note(&error, &context);
                Ok(refusal(&error).into())
            }
        }
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        tasks::demand(&context)?;
        let ctx = self.context(&context)?;
        let task = self.engine.action_task(&ctx, &request.task_id).await;
        let task = task.map_err(|error| refused(&error, &context))?;
        Ok(GetTaskResult::new(tasks::detailed(
            task,
            tasks::can_be_asked(&context),
        )?))
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        tasks::demand(&context)?;
        let ctx = self.context(&context)?;
        let answers = tasks::answers(request.input_responses);
        let answered = self.engine.answer_task(&ctx, &request.task_id, answers).await;
        answered.map_err(|error| refused(&error, &context))
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        tasks::demand(&context)?;
        let ctx = self.context(&context)?;
        let cancelled = self.engine.cancel_task(&ctx, &request.task_id).await;
        cancelled.map_err(|error| refused(&error, &context))
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        only_page(page)?;
        self.context(&context)?;
        Ok(ListResourcesResult::with_all_items(vec![app::resource()]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.context(&context)?;
        Ok(ReadResourceResult::new(vec![app::read(&request.uri)?]).into())
    }
}

/// The trace ID in the message's `_meta` (SEP-414). It has precedence over the header, which a proxy may have set.
fn message_trace(meta: &RequestMetaObject) -> Option<String> {
    let value = HeaderValue::from_str(meta.get_traceparent()?).ok()?;
    trace_id(&HeaderMap::from_iter([(HeaderName::from_static("traceparent"), value)]))
}

fn tool(spec: ToolSpec) -> Tool {
    let tool = Tool::new(spec.name, spec.description, object(spec.input_schema))
        .with_title(spec.title)
        .with_raw_output_schema(Arc::new(output_schema(spec.output_schema)))
        .with_annotations(annotations(spec.read_only));
    match spec.proposes {
        true => tool.with_meta(app::tool_meta()),
        false => tool,
    }
}

/// The hints for clients. A hint that equals its default is left out (the title is a field of the tool), and those about changes mean nothing for a
/// tool that changes nothing.
fn annotations(read_only: bool) -> ToolAnnotations {
    let hints = ToolAnnotations::new().open_world(false);
    match read_only {
        true => hints.read_only(true),
        // Not destructive: a proposal changes no record before a person approves it. Idempotent: repeating a call returns the same action.
        false => hints.destructive(false).idempotent(true),
    }
}

/// The schema of a tool's results and of its refusals. Refusals must fit it: the client of the TypeScript SDK 1.x also validates the structured
/// content of results with `isError`, and would show the model a validation error instead of the refusal. (SDK 2.x and the Python SDK do not
/// validate such results.) So no field is required: a result has its own fields, and a refusal `error`, `message` and `fields`.
fn output_schema(result: Value) -> JsonObject {
    let mut schema = match result {
        Value::Object(fields) => fields,
        _ => JsonObject::new(),
    };
    schema.remove("required");
    // The protocol versions of 2025 require an object at the root.
    schema.insert("type".to_owned(), json!("object"));
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        for name in ["error", "message", "fields"] {
            properties.entry(name).or_insert_with(|| json!({}));
        }
    }
    schema
}

/// The schema as an object. A test of the engine checks that every schema is one.
fn object(schema: Value) -> Arc<JsonObject> {
    match schema {
        Value::Object(fields) => Arc::new(fields),
        _ => Arc::default(),
    }
}

/// A result. The text of a read is its JSON, for clients without support for structured content. The text of a proposal is one
/// line, because a model would overlook "do not call again" behind the preview.
fn success(response: ToolResponse) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(response.text)]);
    result.structured_content = Some(response.structured);
    result
}

/// A refusal of the engine, also of an unknown tool, as a result with `isError`. Not as a protocol error: clients do not show these
/// to the model, which could correct its call.
fn refusal(error: &Error) -> CallToolResult {
    let mut result = CallToolResult::error(vec![ContentBlock::text(error.to_string())]);
    result.structured_content = Some(summary_of(error));
    result
}

/// A refusal for programs.
pub(super) fn summary_of(error: &Error) -> Value {
    let mut content = json!({ "error": error.code(), "message": error.to_string(), "fields": error_fields(error) });
    match error {
        Error::IdempotencyConflict { action, .. } => content["actionId"] = json!(action),
        Error::RejectedBefore { action, codes, .. } => {
            content["actionId"] = json!(action);
            content["reasonCodes"] = json!(codes);
        }
        _ => {}
    }
    content
}
