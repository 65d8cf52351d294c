//! The MCP extension `io.modelcontextprotocol/tasks`: a proposal as a task that a client polls, answers and cancels. The engine has the task.

use super::handler::summary_of;
use loopiq::engine::{ActionTask, Error, TaskProgress};
use rmcp::RoleServer;
use rmcp::model::{
    CallToolResult, ClientCapabilities, ContentBlock, DetailedTask, ElicitRequest, ElicitRequestParams,
    ElicitationSchema, ErrorCode, ErrorData, InputRequest, InputRequests, InputResponses, PrimitiveSchemaDefinition,
    ProtocolVersion, StringSchema, Task, TaskPayload, TaskStatus,
};
use rmcp::service::RequestContext;
use serde_json::Value;

/// How long a client should wait before it asks again, in milliseconds. A person decides, so that more often is of no use.
const POLL_INTERVAL_MS: u64 = 5_000;

/// The name of the field with an answer.
const ANSWER: &str = "answer";

/// Whether the sender of this request declares the extension. It does not exist in protocols before 2026-07-28.
pub(super) fn are_declared(context: &RequestContext<RoleServer>) -> bool {
    let capabilities = context.client_capabilities();
    let version = context.meta.protocol_version();
    capabilities.is_some_and(|all| all.supports_tasks())
        && version.is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
}

/// Refuses a method of the extension to a client that does not declare it.
pub(super) fn demand(context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
    match are_declared(context) {
        true => Ok(()),
        false => Err(ErrorData::missing_required_client_capability(
            ClientCapabilities::builder().enable_tasks().build(),
        )),
    }
}

/// Whether the sender of this request can put a form before a person. The protocol forbids to send a question to another one.
pub(super) fn can_be_asked(context: &RequestContext<RoleServer>) -> bool {
    let elicitation = context.client_capabilities().and_then(|all| all.elicitation);
    // Without a mode it is forms.
    elicitation.is_some_and(|modes| modes.form.is_some() || modes.url.is_none())
}

/// The task, without what depends on its status.
pub(super) fn handle(task: &ActionTask) -> Task {
    let status = match task.progress {
        TaskProgress::Working => TaskStatus::Working,
        TaskProgress::InputRequired(_) => TaskStatus::InputRequired,
        TaskProgress::Completed { .. } => TaskStatus::Completed,
    };
    // Actions are kept for ever, so that there is no time to live.
    Task::new(
        task.id.as_str(),
        status,
        task.created_at.rfc3339(),
        task.updated_at.rfc3339(),
    )
    .with_status_message(task.message.clone())
    .with_poll_interval_ms(POLL_INTERVAL_MS)
}

/// The task with its questions or its result. Questions are sent only to a client that can be asked; another one finds them in the message.
pub(super) fn detailed(task: ActionTask, can_be_asked: bool) -> Result<DetailedTask, ErrorData> {
    let handle = handle(&task);
    let payload = match task.progress {
        TaskProgress::Working => TaskPayload::Working,
        TaskProgress::InputRequired(questions) => {
            let mut requests = InputRequests::new();
            if can_be_asked {
                for question in questions {
                    requests.insert(question.id.to_string(), form(question.text)?);
                }
            }
            TaskPayload::InputRequired {
                input_requests: requests,
            }
        }
        TaskProgress::Completed { structured, is_error } => TaskPayload::Completed {
            result: result(&task.message, structured, is_error)?,
        },
    };
    Ok(DetailedTask::new(handle, payload))
}

/// A form with one text.
fn form(question: String) -> Result<InputRequest, ErrorData> {
    let answer = StringSchema::new().title("Answer").length(1, 2_000);
    let schema = ElicitationSchema::builder()
        .required_property(ANSWER, PrimitiveSchemaDefinition::String(answer))
        .build()
        .map_err(|why| ErrorData::internal_error(why.to_string(), None))?;
    Ok(InputRequest::Elicitation(ElicitRequest::new(
        ElicitRequestParams::FormElicitationParams {
            meta: None,
            message: format!("A reviewer asks about the proposed action: {question}"),
            requested_schema: schema,
        },
    )))
}

/// The result of the call that proposed the action.
fn result(message: &str, structured: Value, is_error: bool) -> Result<rmcp::model::JsonObject, ErrorData> {
    let mut content = vec![ContentBlock::text(message)];
    if !is_error {
        content.push(ContentBlock::text(structured["result"].to_string()));
    }
    let mut result = match is_error {
        true => CallToolResult::error(content),
        false => CallToolResult::success(content),
    };
    result.structured_content = Some(structured);
    match serde_json::to_value(result) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(ErrorData::internal_error("The result cannot be serialized.", None)),
    }
}

/// The answers in the responses of a client. A person who declines or cancels a form leaves the question open.
pub(super) fn answers(responses: InputResponses) -> Vec<(String, String)> {
    let each = responses
        .into_iter()
        .filter(|(_, response)| response["action"] == "accept");
    each.filter_map(|(question, response)| Some((question, response["content"][ANSWER].as_str()?.to_owned())))
        .collect()
}

/// A refusal of the engine as a JSON-RPC error: the methods of the extension have no results with `isError`.
pub(super) fn refusal(error: &Error) -> ErrorData {
    let code = match error {
        Error::NotFound { .. } | Error::Invalid { .. } => ErrorCode::INVALID_PARAMS,
        Error::Internal { .. } | Error::Unavailable { .. } => ErrorCode::INTERNAL_ERROR,
        _ => ErrorCode::INVALID_REQUEST,
    };
    ErrorData::new(code, error.to_string(), Some(summary_of(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_answers_that_a_person_gave_are_answers() {
        let responses: InputResponses = serde_json::from_value(json!({
            "qst_1": { "action": "accept", "content": { "answer": "All of them." } },
            "qst_2": { "action": "decline" },
            "qst_3": { "action": "cancel", "content": { "answer": "No." } },
            "qst_4": { "action": "accept", "content": { "other": "x" } },
            "qst_5": "accept",
        }))
        .unwrap();
        assert_eq!(answers(responses), [("qst_1".to_owned(), "All of them.".to_owned())]);
    }
}
