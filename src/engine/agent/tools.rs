//! The tools that a client can call, and the call itself: everything that the MCP endpoint shows and calls.

use crate::context::Ctx;
use crate::domain::{ActionId, CheckCode, CheckId, FieldError, Permission, RecordKind, allows, text};
use crate::engine::actions::questions::AnswerQuestion;
use crate::engine::agent::read_tools;
use crate::engine::agent::read_tools::ReadTool;
use crate::engine::agent::responses::{ANSWER_TOOL, POLL_TOOL};
use crate::engine::{Engine, Error};
use crate::tools;
use crate::tools::schema::Problem;
use crate::tools::{AnyTool, dialect, schema};
use jsonschema::Validator;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

/// A tool as clients see it.
#[derive(Debug, Clone)]
pub struct ToolSpec {
    /// The name in calls.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// What the tool is for.
    pub description: &'static str,
    /// The JSON Schema of the arguments, without the limits that a refusal explains.
    pub input_schema: Value,
    /// JSON Schema of the response.
    pub output_schema: Value,
    /// Whether the tool changes nothing.
    pub read_only: bool,
    /// Whether the tool proposes an action.
    pub proposes: bool,
}

/// The response of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResponse {
    /// The response for programs.
    pub structured: Value,
    /// One line for a model.
    pub text: String,
    /// Whether the call has changed nothing, because an earlier call with the same key did.
    pub repeated: bool,
    /// The action, if the call or an earlier one with the same key has proposed one.
    pub proposed: Option<ActionId>,
}

/// Withdraws an action of one's own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Withdrawal {
    // The action.
    action_id: ActionId,
    /// Why, for the reviewer.
    #[schemars(length(min = 1, max = 500))]
    reason: String,
}

/// What a call of a tool does.
#[derive(Clone, Copy)]
enum Handler {
    Propose(&'static dyn AnyTool),
    Read(&'static ReadTool),
    Withdraw,
    Answer,
}

/// A tool that clients can call.
struct Entry {
    /// What clients get; its input schema is the published one.
    spec: ToolSpec,
    handler: Handler,
    /// The full schema of the arguments, with every limit.
    arguments: Value,
    /// The compiled schema of the arguments; `None` would refuse every call. A test compiles every schema.
    validator: Option<Validator>,
}

/// Every tool; generated once.
fn entries() -> &'static [Entry] {
    static ALL: OnceLock<Vec<Entry>> = OnceLock::new();
    ALL.get_or_init(|| {
        let read = read_tools::TOOLS
            .iter()
            .map(|tool| (Handler::Read(tool), read_spec(tool)));
        let governed = tools::TOOLS
            .iter()
            .map(|tool| (Handler::Propose(*tool), governed_spec(*tool)));
        let own = [(Handler::Withdraw, withdraw_spec()), (Handler::Answer, answer_spec())];
        let entry = |(handler, mut spec): (Handler, ToolSpec)| {
            let arguments = dialect::plain(&spec.input_schema);
            spec.input_schema = dialect::published(&arguments);
            spec.output_schema = dialect::plain(&spec.output_schema);
            Entry {
                validator: jsonschema::validator_for(&arguments).ok(),
                arguments,
                spec,
                handler,
            }
        };
        read.chain(governed).chain(own).map(entry).collect()
    })
}

fn read_spec(tool: &ReadTool) -> ToolSpec {
    ToolSpec {
        name: tool.name,
        title: tool.title,
        description: tool.description,
        input_schema: (tool.schema)(),
        output_schema: if tool.is_list {
            list_schema()
        } else if tool.name == POLL_TOOL {
            json!({
                "type": "object",
                "properties": { "checks": { "type": "array", "items": check_schema() } },
                "required": ["checks"],
            })
        } else {
            json!({ "type": "object" })
        },
        read_only: true,
        proposes: false,
    }
}

fn governed_spec(tool: &dyn AnyTool) -> ToolSpec {
    ToolSpec {
        name: tool.name(),
        title: tool.title(),
        description: tool.description(),
        input_schema: tool.schema(),
        output_schema: proposal_schema(),
        read_only: false,
        proposes: true,
    }
}

fn withdraw_spec() -> ToolSpec {
    ToolSpec {
        name: "loopiq_withdraw_action",
        title: "Withdraw action",
        description: "Takes back an action of your caller that has not been executed.",
        input_schema: schema_for!(Withdrawal).to_value(),
        output_schema: json!({
            "type": "object",
            "properties": fields(&["actionId", "status"]),
            "required": ["actionId", "status"],
        }),
        read_only: false,
        proposes: false,
    }
}

fn answer_spec() -> ToolSpec {
    ToolSpec {
        name: ANSWER_TOOL,
        title: "Answer question",
        description: "Answers a reviewer's question about an action of your caller, as loopiq_get_action lists it.",
        input_schema: schema_for!(AnswerQuestion).to_value(),
        output_schema: json!({
            "type": "object",
            "properties": fields(&["actionId", "questionId", "status"]),
            "required": ["actionId", "questionId", "status"],
        }),
        read_only: false,
        proposes: false,
    }
}

/// Fields of any type. Clients compile the schemas of results in every session, and only to check results with them, so that these name the fields and
/// leave their types to the documentation.
fn fields(names: &[&str]) -> Map<String, Value> {
    names.iter().map(|name| ((*name).to_owned(), json!({}))).collect()
}

fn list_schema() -> Value {
    let mut properties = fields(&["nextCursor"]);
    properties.insert("items".to_owned(), json!({ "type": "array", "items": {} }));
    json!({ "type": "object", "properties": properties, "required": ["items"] })
}

fn proposal_schema() -> Value {
    let names = [
        "status",
        "actionId",
        "approvalId",
        "digest",
        "payloadDigest",
        "reviewUrl",
        "expiresAt",
        "idempotencyKey",
        "preview",
        "checks",
        "pollTool",
    ];
    json!({ "type": "object", "properties": fields(&names), "required": ["status", "payloadDigest", "preview", "checks"] })
}

/// A result of a check.
fn check_schema() -> Value {
    let codes: Vec<&str> = CheckCode::ALL.iter().map(|code| code.as_str()).collect();
    let mut properties = fields(&["message", "facts", "pointers", "unlisted", "basis"]);
    properties.insert("id".to_owned(), json!({ "enum": CheckId::ALL.map(CheckId::as_str) }));
    // Stable: programs compare codes, never messages.
    properties.insert("code".to_owned(), json!({ "enum": codes }));
    properties.insert(
        "verdict".to_owned(),
        json!({ "enum": ["pass", "unknown", "warn", "block"] }),
    );
    json!({
        "type": "object",
        "properties": properties,
        "required": ["id", "code", "verdict", "message", "facts", "pointers"],
    })
}

impl Engine {
    /// The tools that this caller may use.
    pub async fn catalogue(&self, ctx: &Ctx) -> Result<Vec<ToolSpec>, Error> {
        let may = |command| allows(&ctx.principal, command);
        let (read, propose) = (may(Permission::ReadRecords), may(Permission::Propose));
        Ok(entries()
            .iter()
            .map(|entry| &entry.spec)
            .filter(|spec| if spec.read_only { read } else { propose })
            .cloned()
            .collect())
    }

    /// Calls a tool.
    pub async fn call_tool(&self, ctx: &Ctx, name: &str, arguments: Value) -> Result<ToolResponse, Error> {
        let Some(entry) = entries().iter().find(|entry| entry.spec.name == name) else {
            return Err(Error::UnknownTool {
                name: name.chars().take(100).collect(),
            });
        };
        let arguments = dialect::without_absent(&entry.arguments, arguments);
        match entry.handler {
            Handler::Propose(tool) => self.propose(ctx, tool, arguments).await,
            Handler::Read(tool) => {
                self.authorize(ctx, Permission::ReadRecords).await?;
                self.check(ctx, entry, &arguments).await?;
                let structured = self.read_records(ctx, tool, arguments).await?;
                let text = structured.to_string();
                Ok(ToolResponse {
                    structured,
                    text,
                    repeated: false,
                    proposed: None,
                })
            }
            Handler::Answer => {
                self.authorize(ctx, Permission::Answer).await?;
                self.check(ctx, entry, &arguments).await?;
                let given: AnswerQuestion = schema::arguments(&arguments).map_err(invalid)?;
                self.answer_question(ctx, given).await
            }
            Handler::Withdraw => {
                self.authorize(ctx, Permission::Withdraw).await?;
                self.check(ctx, entry, &arguments).await?;
                let call: Withdrawal = schema::arguments(&arguments).map_err(invalid)?;
                let state = self.withdraw(ctx, call.action_id.as_str(), &call.reason).await?;
                Ok(ToolResponse {
                    structured: json!({ "actionId": call.action_id, "status": state, "reasonCodes": ["withdrawn"] }),
                    text: format!("{} is withdrawn. Nothing was written.", call.action_id),
                    repeated: false,
                    proposed: None,
                })
            }
        }
    }

    /// Calls a tool that proposes an action, and no other.
    pub async fn propose_with(&self, ctx: &Ctx, name: &str, arguments: Value) -> Result<ToolResponse, Error> {
        self.authorize(ctx, Permission::Propose).await?;
        match entries().iter().find(|entry| entry.spec.name == name) {
            Some(Entry {
                arguments: schema,
                handler: Handler::Propose(tool),
                ..
            }) => {
                let arguments = dialect::without_absent(schema, arguments);
                self.propose(ctx, *tool, arguments).await
            }
            _ => Err(Error::UnknownTool {
                name: name.chars().take(100).collect(),
            }),
        }
    }

    pub(crate) fn validator(&self, tool: &dyn AnyTool) -> &'static Validator {
        let entry = entries().iter().find(|entry| entry.spec.name == tool.name());
        entry
            .and_then(|entry| entry.validator.as_ref())
            .unwrap_or_else(refuse_everything)
    }

    /// Refuses arguments that do not fit the schema of a tool that stores no proposal.
    async fn check(&self, ctx: &Ctx, entry: &'static Entry, arguments: &Value) -> Result<(), Error> {
        schema::canonical_text(arguments).map_err(|field| invalid(vec![field]))?;
        let validator = entry.validator.as_ref().unwrap_or_else(refuse_everything);
        let fields = self
            .name_keys(ctx, arguments, schema::problems(validator, arguments))
            .await?;
        match fields.is_empty() {
            true => Ok(()),
            false => Err(invalid(fields)),
        }
    }

    /// The mistakes, and for each that names a record by its key, the ID that the key belongs to, if the client may read records.
    pub(crate) async fn name_keys(
        &self,
        ctx: &Ctx,
        arguments: &Value,
        mut problems: Vec<Problem>,
    ) -> Result<Vec<FieldError>, Error> {
        let sent = |Problem { field, wants }: &Problem| {
            let text = arguments.pointer(&field.pointer)?.as_str()?.trim();
            let wanted = (*wants)?;
            (!text.is_empty() && text.len() <= 100).then(|| (text.to_owned(), wanted))
        };
        let keys: Vec<String> = problems.iter().filter_map(sent).map(|(key, _)| key).collect();
        if !keys.is_empty() && allows(&ctx.principal, Permission::ReadRecords) {
            let known = {
                let tx = &mut self.store.read(ctx).await?;
                tx.records_of_keys(&keys).await?
            };
            for problem in &mut problems {
                let Some((text, wanted)) = sent(problem) else { continue };
                // Records of several kinds can have one key.
                let fits = |(key, id): &&(String, String)| {
                    key.eq_ignore_ascii_case(&text) && RecordKind::of(id) == Some(wanted)
                };
                if let Some((key, id)) = known.iter().find(fits) {
                    let key = text::visible(key);
                    problem.field.message.push_str(&format!("; {key} is the key of {id}"));
                }
            }
        }
        Ok(problems.into_iter().map(|problem| problem.field).collect())
    }

    async fn read_records(&self, ctx: &Ctx, tool: &'static ReadTool, arguments: Value) -> Result<Value, Error> {
        let structured = (tool.run)(self, ctx, &arguments).await?;
        if tool.journaled {
            self.note_read(ctx, tool.name, &arguments, &structured).await?;
        }
        Ok(structured)
    }
}

/// The validator of a tool without a valid schema.
fn refuse_everything() -> &'static Validator {
    static NOTHING: OnceLock<Validator> = OnceLock::new();
    NOTHING.get_or_init(|| {
        #[expect(clippy::unwrap_used, reason = "the schema `false` always compiles")]
        jsonschema::validator_for(&json!(false)).unwrap()
    })
}

fn invalid(fields: Vec<FieldError>) -> Error {
    Error::Invalid { fields }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of a schema, with the fields inside of them and what is required.
    fn names(schema: &Value) -> Value {
        let each = schema["properties"].as_object().into_iter().flatten();
        let fields: Map<String, Value> = each.map(|(name, inner)| (name.clone(), names(inner))).collect();
        json!({
            "fields": fields,
            "items": if schema["items"].is_object() { names(&schema["items"]) } else { Value::Null },
            "required": schema["required"],
            "enum": schema["enum"],
            "type": schema["type"],
        })
    }

    #[test]
    fn every_schema_compiles_and_names_what_it_takes() {
        for Entry {
            spec,
            arguments,
            validator,
            ..
        } in entries()
        {
            assert!(validator.is_some(), "{}", spec.name);
            assert_eq!(
                names(&spec.input_schema),
                names(arguments),
                "{}: no field is lost",
                spec.name
            );
            let input = &spec.input_schema;
            assert_eq!(input["type"], "object", "{}", spec.name);
            assert_eq!(
                input["additionalProperties"], false,
                "{}: unknown fields are refused",
                spec.name
            );
        }
        let names: Vec<&str> = entries().iter().map(|entry| entry.spec.name).collect();
        assert!(
            !names
                .iter()
                .any(|name| ["approve", "reject", "execute"].iter().any(|verb| name.contains(verb)))
        );
    }
}
