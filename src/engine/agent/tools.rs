//! The tools that a client can call, and calling them: what the MCP door shows, and all it calls.

use crate::context::Ctx;
use crate::domain::{ActionId, FieldError, Permission, allows};
use crate::engine::actions::questions::AnswerQuestion;
use crate::engine::agent::read_tools;
use crate::engine::agent::read_tools::ReadTool;
use crate::engine::{Engine, Error};
use crate::tools;
use crate::tools::{AnyTool, schema};
use jsonschema::Validator;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A tool as a client sees it.
#[derive(Debug, Clone)]
pub struct ToolSpec {
    /// The name to call.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// JSON Schema of its arguments.
    pub input_schema: Value,
    /// JSON Schema of its answer.
    pub output_schema: Value,
    /// Whether it changes nothing at all.
    pub read_only: bool,
}

/// What a tool answers.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResponse {
    /// The answer, for programs.
    pub structured: Value,
    /// One line, for a model.
    pub text: String,
}

/// Withdraws an action of one's own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Withdrawal {
    /// The action.
    action_id: ActionId,
    /// Why, for the reviewer.
    #[schemars(length(min = 1, max = 500))]
    reason: String,
}

const WITHDRAW: &str = "loopiq_withdraw_action";
const ANSWER: &str = "loopiq_answer_question";

/// One compiled schema per tool.
fn validators() -> &'static BTreeMap<&'static str, Validator> {
    static ALL: OnceLock<BTreeMap<&'static str, Validator>> = OnceLock::new();
    ALL.get_or_init(|| {
        specs()
            .iter()
            .filter_map(|spec| Some((spec.name, jsonschema::validator_for(&spec.input_schema).ok()?)))
            .collect()
    })
}

/// Every tool there is; made once.
fn specs() -> &'static [ToolSpec] {
    static ALL: OnceLock<Vec<ToolSpec>> = OnceLock::new();
    ALL.get_or_init(make_specs)
}

fn make_specs() -> Vec<ToolSpec> {
    let read = read_tools::TOOLS.iter().map(|tool| ToolSpec {
        name: tool.name,
        title: tool.title,
        description: tool.description,
        input_schema: (tool.schema)(),
        output_schema: if tool.is_list {
            list_schema()
        } else {
            json!({ "type": "object" })
        },
        read_only: true,
    });
    let governed = tools::TOOLS.iter().map(|tool| ToolSpec {
        name: tool.name(),
        title: tool.title(),
        description: tool.description(),
        input_schema: tool.schema(),
        output_schema: proposal_schema(),
        read_only: false,
    });
    let withdraw = ToolSpec {
        name: WITHDRAW,
        title: "Withdraw action",
        description: "Takes back an action that was proposed for the same person, while it has not been executed.",
        input_schema: schema_for!(Withdrawal).to_value(),
        output_schema: json!({
            "type": "object",
            "properties": { "actionId": { "type": "string" }, "status": { "type": "string" } },
            "required": ["actionId", "status"],
        }),
        read_only: false,
    };
    let answer = ToolSpec {
        name: ANSWER,
        title: "Answer question",
        description: "Answers a question that a reviewer asked about an action that was proposed for the same person. \
                      loopiq_get_action lists the questions.",
        input_schema: schema_for!(AnswerQuestion).to_value(),
        output_schema: json!({
            "type": "object",
            "properties": {
                "actionId": { "type": "string" }, "questionId": { "type": "string" }, "status": { "type": "string" },
            },
            "required": ["actionId", "questionId", "status"],
        }),
        read_only: false,
    };
    read.chain(governed).chain([withdraw, answer]).collect()
}

fn list_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "items": { "type": "array", "items": { "type": "object" } },
            "nextCursor": { "type": "string" },
        },
        "required": ["items"],
    })
}

fn proposal_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "status": { "type": "string", "enum": ["pending_approval", "approved", "rejected", "executed", "failed", "dry_run"] },
            "actionId": { "type": "string" },
            "approvalId": { "type": "string" },
            "digest": { "type": "string" },
            "payloadDigest": { "type": "string" },
            "reviewUrl": { "type": "string" },
            "expiresAt": { "type": "string" },
            "idempotencyKey": { "type": "string" },
            "preview": { "type": "object" },
            "checks": { "type": "array", "items": { "type": "object" } },
            "pollTool": { "type": "string" },
        },
        "required": ["status", "payloadDigest", "preview", "checks"],
    })
}

impl Engine {
    /// The tools that this caller may use.
    pub async fn catalogue(&self, ctx: &Ctx) -> Result<Vec<ToolSpec>, Error> {
        let may = |command| allows(&ctx.principal, command);
        let (read, propose) = (may(Permission::ReadRecords), may(Permission::Propose));
        Ok(specs()
            .iter()
            .filter(|spec| if spec.read_only { read } else { propose })
            .cloned()
            .collect())
    }

    /// Calls a tool.
    pub async fn call_tool(&self, ctx: &Ctx, name: &str, arguments: Value) -> Result<ToolResponse, Error> {
        if let Some(tool) = tools::find(name) {
            return self.propose(ctx, tool, arguments).await;
        }
        if let Some(tool) = read_tools::TOOLS.iter().find(|tool| tool.name == name) {
            self.authorize(ctx, Permission::ReadRecords).await?;
            check(name, &arguments)?;
            let structured = self.read_records(ctx, tool, arguments).await?;
            let text = structured.to_string();
            return Ok(ToolResponse { structured, text });
        }
        if name == ANSWER {
            self.authorize(ctx, Permission::Answer).await?;
            check(name, &arguments)?;
            let given: AnswerQuestion = schema::arguments(&arguments).map_err(invalid)?;
            return self.answer_question(ctx, given).await;
        }
        if name != WITHDRAW {
            return Err(Error::UnknownTool {
                name: name.chars().take(100).collect(),
            });
        }
        self.authorize(ctx, Permission::Withdraw).await?;
        check(name, &arguments)?;
        let call: Withdrawal = schema::arguments(&arguments).map_err(invalid)?;
        let state = self.withdraw(ctx, call.action_id.as_str(), &call.reason).await?;
        Ok(ToolResponse {
            structured: json!({ "actionId": call.action_id, "status": state, "reasonCodes": ["withdrawn"] }),
            text: format!("{} is withdrawn. Nothing was written.", call.action_id),
        })
    }

    pub(crate) fn validator(&self, tool: &dyn AnyTool) -> &'static Validator {
        static NOTHING: OnceLock<Validator> = OnceLock::new();
        validators().get(tool.name()).unwrap_or_else(|| {
            // Never so: a test compiles every schema. If one were missing, nothing at all would be let in.
            NOTHING.get_or_init(|| {
                #[expect(clippy::unwrap_used, reason = "the schema `false` always compiles")]
                jsonschema::validator_for(&json!(false)).unwrap()
            })
        })
    }

    async fn read_records(&self, ctx: &Ctx, tool: &'static ReadTool, arguments: Value) -> Result<Value, Error> {
        let structured = read_tools::run(self, ctx, tool, &arguments).await?;
        if tool.journaled {
            self.note_read(ctx, tool.name, &arguments, &structured).await?;
        }
        Ok(structured)
    }
}

fn invalid(fields: Vec<FieldError>) -> Error {
    Error::Invalid { fields }
}

fn check(name: &str, arguments: &Value) -> Result<(), Error> {
    schema::canonical_text(arguments).map_err(|field| invalid(vec![field]))?;
    let fields = validators()
        .get(name)
        .map_or_else(Vec::new, |validator| schema::problems(validator, arguments));
    if fields.is_empty() {
        Ok(())
    } else {
        Err(invalid(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_compiles_and_names_what_it_takes() {
        let specs = specs();
        assert_eq!(validators().len(), specs.len());
        for spec in specs {
            let input = &spec.input_schema;
            assert_eq!(input["type"], "object", "{}", spec.name);
            assert_eq!(
                input["additionalProperties"], false,
                "{}: unknown fields are refused",
                spec.name
            );
        }
        let names: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
        assert!(
            !names
                .iter()
                .any(|name| ["approve", "reject", "execute"].iter().any(|verb| name.contains(verb)))
        );
    }
}
