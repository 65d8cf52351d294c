//! Arguments of governed tools: they are refused within bounds or planned, and the sealed envelope gives the same plan
//! again.

use crate::records;
use jsonschema::Validator;
use loopiq::context::Runtime;
use loopiq::domain::text::{forbidden_in, visible};
use loopiq::domain::{ActionId, Envelope, Facts, FieldError, TenantId, Timestamp, canonical, each_text};
use loopiq::tools::schema::{self, CallOptions, MAX_PAYLOAD};
use loopiq::tools::{AnyTool, NewIds, Plan, TOOLS};
use loopiq::views::summary;
use serde_json::Value;
use std::sync::LazyLock;

static VALIDATORS: LazyLock<Vec<Validator>> = LazyLock::new(|| {
    let validator = |tool: &&dyn AnyTool| jsonschema::validator_for(&tool.schema()).expect("a schema");
    TOOLS.iter().map(validator).collect()
});

pub(crate) fn hold(choice: u8, arguments: &[u8]) {
    let at = usize::from(choice) % TOOLS.len();
    let (tool, validator) = (TOOLS[at], &VALIDATORS[at]);
    // The interfaces parse JSON strictly before anything else.
    let Ok(arguments) = canonical::parse_strict(arguments) else {
        return;
    };
    let problems = schema::problems(validator, &arguments);
    let fields: Vec<FieldError> = problems.into_iter().map(|problem| problem.field).collect();
    bounded(&fields);
    bounded(&forbidden_in(&arguments));
    if !fields.is_empty() {
        return;
    }
    each_text(&arguments, &mut |at, text| {
        assert_eq!(visible(text), text, "{at} hides something");
        assert_eq!(arguments.pointer(at).and_then(Value::as_str), Some(text));
    });
    let _: CallOptions = schema::arguments(&arguments).expect("a call that fits its schema");
    let payload = schema::payload_of(&arguments);
    let Ok(text) = schema::canonical_text(&payload) else {
        return;
    };
    assert!(text.len() <= MAX_PAYLOAD);
    planned(tool, &payload);
}

/// Plans without any of the named records, and then with all of them.
fn planned(tool: &dyn AnyTool, payload: &Value) {
    let query = match tool.needs(payload) {
        Ok(query) => query,
        // Errors that a schema cannot express.
        Err(fields) => return refused(&fields),
    };
    let runtime = runtime();
    if let Err(fields) = tool.plan(payload, &Facts::default(), &mut NewIds::Fresh(&runtime)) {
        refused(&fields);
    }
    let facts = records::named_by(&query);
    match tool.plan(payload, &facts, &mut NewIds::Fresh(&runtime)) {
        Ok(plan) => sealed(tool, payload, &facts, plan),
        Err(fields) => refused(&fields),
    }
}

/// An approval is bound to the envelope's bytes, which have to give the same plan when they are read again.
fn sealed(tool: &dyn AnyTool, payload: &Value, facts: &Facts, plan: Plan) {
    assert!(!plan.change_set.0.is_empty(), "it would write nothing");
    assert!(!summary(&plan.change_set, &plan.scope.label(facts)).is_empty());
    for (id, at) in &plan.references {
        let named = payload.pointer(at);
        assert!(named.is_some(), "{id} is said to stand at {at}");
    }
    assert_eq!(plan.items, tool.items(payload));
    for item in &plan.items {
        assert!(
            payload.pointer(&item.pointer).is_some(),
            "an item is said to be at {}",
            item.pointer
        );
        assert!(item.change(&plan.change_set).is_some(), "an item without a change");
    }
    let envelope = Envelope {
        envelope_version: Envelope::VERSION,
        tenant: TenantId::parse("acme").expect("a tenant"),
        action_id: ActionId::from_bits(1),
        tool: tool.name().to_owned(),
        tool_version: tool.version(),
        payload: payload.clone(),
        change_set: plan.change_set.clone(),
        evidence: Vec::new(),
        risk: plan.risk,
        expires_at: Timestamp(0),
        supersedes_action_id: None,
    };
    let (bytes, digest) = envelope.seal().expect("an envelope");
    assert_eq!(canonical::digest(bytes.as_bytes()), digest);
    let opened: Envelope = serde_json::from_str(&bytes).expect("the envelope");
    assert_eq!(opened.seal().expect("an envelope"), (bytes, digest));
    let again = tool.plan(&opened.payload, facts, &mut NewIds::from_change_set(&opened.change_set));
    assert_eq!(again, Ok(plan), "planned again, it would do something else");
}

fn refused(fields: &[FieldError]) {
    assert!(!fields.is_empty(), "refused for nothing");
    for field in fields {
        assert!(!field.message.is_empty());
    }
}

fn bounded(problems: &[FieldError]) {
    assert!(problems.len() <= 50);
    for problem in problems {
        assert!(!problem.message.is_empty() && problem.message.chars().count() <= 301);
    }
}

/// A constant clock and ordered IDs.
fn runtime() -> Runtime {
    Runtime::new(|| Timestamp(1_800_000_000_000_000), |bytes| bytes.fill(7))
}
