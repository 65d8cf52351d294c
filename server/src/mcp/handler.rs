//! One MCP message, one engine call.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use loopiq::context::{Ctx, Runtime};
use loopiq::domain::Principal;
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

/// What a model is told about the whole server.
const INSTRUCTIONS: &str = "Read freely; every write is only proposed, and a person decides it in a browser. While the \
                            answer says pending_approval, do not call the tool again: ask loopiq_get_action what became \
                            of it.";

/// Answers MCP messages. rmcp takes a new clone for each request.
#[derive(Clone)]
pub(super) struct Handler {
    engine: Engine,
    runtime: Runtime,
}

impl Handler {
    pub(super) fn new(engine: Engine, runtime: Runtime) -> Self {
        Self { engine, runtime }
    }

    /// Who asks, in which trace. The workflow is an argument of the tools, so the engine reads it.
    fn context(&self, context: &RequestContext<RoleServer>) -> Result<Ctx, ErrorData> {
        let parts = context.extensions.get::<Parts>();
        // Always there: nothing reaches the handler but through `auth::bearer`.
        let principal = parts.and_then(|parts| parts.extensions.get::<Principal>());
        let (Some(parts), Some(principal)) = (parts, principal) else {
            return Err(ErrorData::internal_error(
                "The request has no principal. Nothing was done.",
                None,
            ));
        };
        let mut ctx = Ctx::new(principal.clone(), &self.runtime);
        if let Some(id) = parts.extensions.get::<crate::http::RequestId>() {
            ctx.request_id = id.0.to_string();
        }
        if let Some(trace) = trace(&context.meta, &parts.headers) {
            ctx.trace_id = trace;
            ctx.trace_given = true;
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
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let ctx = self.context(&context)?;
        let specs = self.engine.catalogue(&ctx).await;
        let specs = specs.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        // Two dozen tools: one page. rmcp marks it as private to the caller, which it is.
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
            Ok(answer) => success(answer),
            Err(error) => refusal(&error),
        };
        Ok(result.into())
    }
}

/// `_meta` first: it is the message's own (SEP-414), while a proxy may have set the header.
fn trace(meta: &RequestMetaObject, headers: &HeaderMap) -> Option<String> {
    let own = meta
        .get_traceparent()
        .and_then(|value| HeaderValue::from_str(value).ok());
    let own = own.map(|value| HeaderMap::from_iter([(axum::http::HeaderName::from_static("traceparent"), value)]));
    own.as_ref()
        .and_then(crate::http::trace_id)
        .or_else(|| crate::http::trace_id(headers))
}

fn tool(spec: ToolSpec) -> Tool {
    Tool::new(spec.name, spec.description, object(spec.input_schema))
        .with_title(spec.title)
        .with_raw_output_schema(Arc::new(output_schema(spec.output_schema)))
        .with_annotations(
            // A proposal changes no record: the person who approves it does. The same one twice is the same action.
            ToolAnnotations::with_title(spec.title)
                .read_only(spec.read_only)
                .destructive(false)
                .idempotent(true)
                .open_world(false),
        )
}

/// What a tool answers, or what it refuses with. Refusals have to be part of it: the client of TypeScript's SDK 1.x holds the
/// structured content of results with `isError` to the schema too, and the model would be shown a complaint about schemas
/// instead of what was wrong with its call. (SDK 2.x and Python's leave such results alone.)
fn output_schema(answer: Value) -> JsonObject {
    let text = json!({ "type": "string" });
    let field = json!({ "type": "object", "properties": { "pointer": text, "message": text }, "required": ["pointer", "message"] });
    let refusal = json!({
        "type": "object",
        "description": "With isError: a stable code, a sentence, and each thing that is wrong with the arguments.",
        "properties": { "error": text, "message": text, "fields": { "type": "array", "items": field } },
        "required": ["error", "message", "fields"],
    });
    let mut schema = JsonObject::new();
    let mut answer = answer;
    // References in it are written from the root.
    for name in ["$schema", "$defs"] {
        if let Some(part) = answer.as_object_mut().and_then(|fields| fields.remove(name)) {
            schema.insert(name.to_owned(), part);
        }
    }
    // The protocol of 2025 wants an object at the root.
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("anyOf".to_owned(), json!([answer, refusal]));
    schema
}

/// Schemas are objects; a test of the engine holds them to it.
fn object(schema: Value) -> Arc<JsonObject> {
    match schema {
        Value::Object(fields) => Arc::new(fields),
        _ => Arc::default(),
    }
}

/// The text of a read is its JSON, for clients that know no structured content; that of a proposal is one line for the model,
/// since the preview would bury "do not call again".
fn success(answer: ToolResponse) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(answer.text)]);
    result.structured_content = Some(answer.structured);
    result
}

/// Every refusal of the engine is a result with `isError`, and none a protocol error, an unknown tool included: clients
/// show protocol errors to nobody, and the model that made the mistake is the one who can mend it. The contract says so.
fn refusal(error: &Error) -> CallToolResult {
    let place = |pointer: &str, message: &str| json!({ "pointer": pointer, "message": message });
    let fields: Vec<Value> = match error {
        Error::Invalid { fields } => fields
            .iter()
            .map(|field| place(&field.pointer, &field.message))
            .collect(),
        Error::RejectedBefore { reasons, .. } => reasons
            .iter()
            .flat_map(|check| {
                check
                    .pointers
                    .iter()
                    .map(|pointer| place(pointer, check.message.as_str()))
            })
            .collect(),
        _ => Vec::new(),
    };
    let message = error.to_string();
    let mut result = CallToolResult::error(vec![ContentBlock::text(message.clone())]);
    let mut said = json!({ "error": error.code(), "message": message, "fields": fields });
    match error {
        Error::IdempotencyConflict { action, .. } => said["actionId"] = json!(action),
        Error::RejectedBefore { action, codes, .. } => {
            said["actionId"] = json!(action);
            said["reasonCodes"] = json!(codes);
        }
        _ => {}
    }
    result.structured_content = Some(said);
    result
}
