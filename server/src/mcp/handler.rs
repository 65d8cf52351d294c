//! The handler of MCP messages: each calls the engine once.

use super::scope_challenge::ScopeChallenge;
use crate::http::problem::error_fields;
use crate::http::{request_context, trace_id};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use loopiq::context::{Ctx, Runtime};
use loopiq::domain::{Principal, SenderClaims};
use loopiq::engine::{Engine, Error, ToolResponse, ToolSpec};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, Implementation, JsonObject,
    ListToolsResult, PaginatedRequestParams, RequestMetaObject, ServerCapabilities, ServerConfig, Tool,
    ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::{Value, json};
use std::sync::Arc;

/// The server's instructions for the model.
const INSTRUCTIONS: &str = "Read tools have no effect. Write tools only propose an action, and a person decides on it in a browser. While the \
                            status is pending_approval, do not call the tool again: call loopiq_get_action to see the \
                            decision.";

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

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
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
        if page.is_some_and(|page| page.cursor.is_some()) {
            let why = "All tools are on the first page, so there is no cursor. Leave it out.";
            return Err(ErrorData::invalid_params(why, None));
        }
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
        let result = match self.engine.call_tool(&ctx, &request.name, arguments).await {
            Ok(response) => success(response),
            Err(error) => {
                let parts = context.extensions.get::<Parts>();
                if let Some(challenge) = parts.and_then(|parts| parts.extensions.get::<ScopeChallenge>()) {
                    challenge.note(&error);
                }
                refusal(&error)
            }
        };
        Ok(result.into())
    }
}

/// The trace ID in the message's `_meta` (SEP-414). It has precedence over the header, which a proxy may have set.
fn message_trace(meta: &RequestMetaObject) -> Option<String> {
    let value = HeaderValue::from_str(meta.get_traceparent()?).ok()?;
    trace_id(&HeaderMap::from_iter([(HeaderName::from_static("traceparent"), value)]))
}

fn tool(spec: ToolSpec) -> Tool {
    Tool::new(spec.name, spec.description, object(spec.input_schema))
        .with_title(spec.title)
        .with_raw_output_schema(Arc::new(output_schema(spec.output_schema)))
        .with_annotations(
            // Not destructive: a proposal changes no record before a person approves it. Idempotent: repeating a call returns the
            // same action.
            ToolAnnotations::with_title(spec.title)
                .read_only(spec.read_only)
                .destructive(false)
                .idempotent(true)
                .open_world(false),
        )
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
    let fields = schema.entry("properties").or_insert_with(|| json!({}));
    if let Some(fields) = fields.as_object_mut() {
        let text = json!({ "type": "string" });
        fields.insert(
            "error".to_owned(),
            json!({ "type": "string", "description": "With isError: a stable code." }),
        );
        fields.entry("message").or_insert(text);
        fields.insert(
            "fields".to_owned(),
            json!({ "type": "array", "items": { "type": "object", "properties": {} } }),
        );
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
    let fields = error_fields(error);
    let message = error.to_string();
    let mut result = CallToolResult::error(vec![ContentBlock::text(message.clone())]);
    let mut content = json!({ "error": error.code(), "message": message, "fields": fields });
    match error {
        Error::IdempotencyConflict { action, .. } => content["actionId"] = json!(action),
        Error::RejectedBefore { action, codes, .. } => {
            content["actionId"] = json!(action);
            content["reasonCodes"] = json!(codes);
        }
        _ => {}
    }
    result.structured_content = Some(content);
    result
}
