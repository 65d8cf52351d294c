//! Arguments of tools: JSON Schema generated from Rust types, and validation, which comes before every other step.

use crate::domain::{ActionId, FieldError, RecordKind, canonical, pointer, text, walk};
use crate::views::Label;
use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// The arguments that every governed tool takes besides its own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallOptions {
    /// The client's own key. The same key with the same arguments returns the same action, for ever.
    #[schemars(length(min = 1, max = 200))]
    pub idempotency_key: String,
    /// Why, for the reviewer; cite record IDs.
    #[schemars(length(min = 1, max = 500))]
    pub reason: String,
    /// Whether to return only preview and checks, and store nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// The name of the workflow that the client runs.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub workflow: Option<String>,
    /// The earlier action that this one replaces.
    #[serde(default)]
    pub supersedes_action_id: Option<ActionId>,
}

/// The largest payload in bytes of canonical JSON; a larger one is refused.
pub const MAX_PAYLOAD: usize = 256 * 1024;

/// Fields about the call, which are not part of the payload.
const CALL_ONLY: [&str; 2] = ["idempotencyKey", "dryRun"];

/// The schema of a tool with these arguments and [`CallOptions`].
pub fn for_arguments<T: JsonSchema>() -> Value {
    let mut own = schema_for!(T).to_value();
    let call = schema_for!(CallOptions).to_value();
    let merged = (own.as_object_mut(), call.as_object());
    if let (Some(own), Some(call)) = merged {
        merge(own, call, "properties");
        let mut required: Vec<Value> = list(own.get("required"));
        required.extend(list(call.get("required")));
        own.insert("required".into(), Value::Array(required));
        own.insert("additionalProperties".into(), Value::Bool(false));
        own.insert("type".into(), json!("object"));
    }
    own
}

fn list(value: Option<&Value>) -> Vec<Value> {
    value.and_then(Value::as_array).cloned().unwrap_or_default()
}

fn merge(own: &mut Map<String, Value>, call: &Map<String, Value>, name: &str) {
    let added = call.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    let entry = own.entry(name).or_insert_with(|| json!({}));
    if let Some(fields) = entry.as_object_mut() {
        fields.extend(added);
    }
}

/// The payload of a call: the arguments without the fields about the call.
pub fn payload_of(arguments: &Value) -> Value {
    let mut payload = arguments.clone();
    if let Some(fields) = payload.as_object_mut() {
        for name in CALL_ONLY {
            fields.remove(name);
        }
    }
    payload
}

/// The canonical text of a payload, with an error for a payload that is too large.
pub fn canonical_text(payload: &Value) -> Result<String, FieldError> {
    let text = canonical::to_string(payload).map_err(|error| FieldError::new("", error.to_string()))?;
    if text.len() > MAX_PAYLOAD {
        return Err(FieldError::new(
            "",
            format!("have {} bytes; at most {MAX_PAYLOAD} fit", text.len()),
        ));
    }
    Ok(text)
}

/// The typed arguments of a validated payload.
pub fn arguments<T: DeserializeOwned>(payload: &Value) -> Result<T, Vec<FieldError>> {
    T::deserialize(payload).map_err(|error| vec![FieldError::new("", error.to_string())])
}

/// The most errors that are reported at once; a client that sends more gets the rest with its next attempt.
const MAX_PROBLEMS: usize = 20;

/// A mistake in arguments.
pub struct Problem {
    /// Where, and what is wrong.
    pub field: FieldError,
    /// The kind of record, if an ID was wanted.
    pub wants: Option<RecordKind>,
}

/// The errors in arguments: violations of the schema, or else forbidden characters and blank texts. Texts are examined only if the
/// schema fits, so that field names and pointers are those of the schema, which are short.
pub fn problems(validator: &Validator, arguments: &Value) -> Vec<Problem> {
    let mut problems: Vec<Problem> = validator
        .iter_errors(arguments)
        .take(MAX_PROBLEMS)
        .flat_map(|error| explain(&error))
        .collect();
    if problems.is_empty() {
        let mut fields = text::forbidden_in(arguments);
        fields.extend(blank_texts(arguments));
        fields.extend(untrimmed_key(arguments));
        problems = fields.into_iter().map(|field| Problem { field, wants: None }).collect();
    }
    problems.truncate(MAX_PROBLEMS);
    for Problem { field, .. } in &mut problems {
        // The name of an unknown field is quoted as it was sent.
        field.pointer = text::visible(&field.pointer);
        field.message = text::visible(&field.message);
        shorten(&mut field.pointer, 200);
        shorten(&mut field.message, 300);
    }
    problems
}

/// Cuts a text from a client to a number of characters.
fn shorten(text: &mut String, most: usize) {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
}

/// Fields that people read: a text of spaces alone is refused.
const READ_BY_PEOPLE: [&str; 5] = ["title", "reason", "justification", "statement", "text"];

/// An error for each text that consists of spaces alone.
fn blank_texts(arguments: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    walk(arguments, &mut |pointer, name, value| {
        if let (Some(name), Value::String(text)) = (name, value)
            && READ_BY_PEOPLE.contains(&name)
            && !text.is_empty()
            && text.trim().is_empty()
        {
            errors.push(FieldError::new(pointer, "must say something"));
        }
        true
    });
    errors
}

/// An error for an idempotency key with white space at its ends: programs that cut it off would send another key.
fn untrimmed_key(arguments: &Value) -> Option<FieldError> {
    let key = arguments["idempotencyKey"].as_str()?;
    (key.trim() != key || key.is_empty()).then(|| {
        FieldError::new(
            "/idempotencyKey",
            "must not begin or end with white space, and must have a visible character",
        )
    })
}

fn explain(error: &jsonschema::ValidationError<'_>) -> Vec<Problem> {
    // The patterns of the schemas are those of IDs.
    let wants = match error.kind() {
        ValidationErrorKind::Pattern { pattern } => RecordKind::ALL
            .iter()
            .copied()
            .find(|kind| pattern.starts_with(&format!("^{}_", kind.prefix()))),
        _ => None,
    };
    let fields = match wants {
        Some(kind) => vec![FieldError::new(error.instance_path().to_string(), explain_id(kind))],
        None => explain_fields(error),
    };
    fields.into_iter().map(|field| Problem { field, wants }).collect()
}

fn explain_fields(error: &jsonschema::ValidationError<'_>) -> Vec<FieldError> {
    let at = error.instance_path().to_string();
    let one = |message: String| vec![FieldError::new(at.clone(), message)];
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![FieldError::new(format!("{at}{}", pointer(&[name])), "is required")]
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| FieldError::new(format!("{at}{}", pointer(&[name])), "is not a field of this tool"))
            .collect(),
        ValidationErrorKind::MaxItems { limit } => one(format!("holds more than {limit} items")),
        ValidationErrorKind::MinItems { limit } => one(format!("needs at least {limit}")),
        ValidationErrorKind::MaxLength { limit } => one(format!("is longer than {limit} characters")),
        ValidationErrorKind::MinLength { limit } => one(format!("needs at least {limit} character")),
        ValidationErrorKind::Enum { options } => one(explain_enum(options, error.instance())),
        ValidationErrorKind::AnyOf { .. } => one("is of another type than the schema allows".to_owned()),
        ValidationErrorKind::Pattern { pattern } => one(format!("must fit the pattern {pattern}")),
        ValidationErrorKind::Type {
            kind: TypeKind::Single(kind),
        } => one(explain_type(&kind.to_string(), error.instance())),
        _ => one(error.masked_with("this").to_string()),
    }
}

/// The allowed words, and the one that differs only in case from what was sent.
fn explain_enum(options: &Value, sent: &Value) -> String {
    let words: Vec<&str> = options
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let meant = sent.as_str().and_then(|sent| {
        let is_meant = |word: &&&str| word.eq_ignore_ascii_case(sent.trim());
        words.iter().find(is_meant)
    });
    let list = words.join(", ");
    match meant {
        Some(word) => format!("must be written {word}; allowed: {list}"),
        None => format!("must be one of {list}"),
    }
}

/// The type that is wanted, and how to send it if a text contains it.
fn explain_type(kind: &str, sent: &Value) -> String {
    let text = sent.as_str().map(str::trim).unwrap_or_default();
    match kind {
        "array" if text.starts_with('[') => {
            "must be a JSON list, not text that contains one: send [...] without quotes".to_owned()
        }
        "array" if !text.is_empty() => format!(
            "must be a JSON list: send [\"{}\"]",
            text.chars().take(60).collect::<String>()
        ),
        "object" if text.starts_with('{') => {
            "must be a JSON object, not text that contains one: send {...} without quotes".to_owned()
        }
        "integer" | "number" if text.parse::<f64>().is_ok() => {
            format!("must be a number, not text: send {text} without quotes")
        }
        "boolean" if ["true", "false"].contains(&text.to_ascii_lowercase().as_str()) => {
            format!(
                "must be true or false, not text: send {} without quotes",
                text.to_ascii_lowercase()
            )
        }
        _ => format!("must be of type {kind}"),
    }
}

/// The kind of ID, its form, and the tool that gives it.
fn explain_id(kind: RecordKind) -> String {
    let label = kind.label();
    let article = if label.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    let source = match kind {
        RecordKind::Release => "loopiq_list_releases",
        RecordKind::Finding => "loopiq_list_findings",
        RecordKind::Blocker => "loopiq_list_blockers",
        RecordKind::Evidence => "loopiq_search_evidence",
        RecordKind::Control => "loopiq_list_controls",
        RecordKind::WorkItem => "loopiq_list_work_items",
        RecordKind::Action => "loopiq_list_actions",
        RecordKind::Question => "loopiq_get_action",
        RecordKind::Team => "loopiq_get_release or loopiq_get_context",
        RecordKind::Certification | RecordKind::Component => "loopiq_get_release",
        _ => {
            return format!(
                "must be the ID of {article} {label}: {}_ and 26 characters",
                kind.prefix()
            );
        }
    };
    format!(
        "must be the ID of {article} {label}: {}_ and 26 characters, as {source} gives it",
        kind.prefix()
    )
}
