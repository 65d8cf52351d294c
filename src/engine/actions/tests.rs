//! A tool that no other file knows goes through planning, checks, preview, execution and pruning.

use crate::checks::{CheckInput, context_query};
use crate::context::Runtime;
use crate::domain::*;
use crate::engine::actions::{execute, prune};
use crate::policy::Policy;
use crate::tools::{AnyTool, NewIds, Plan, PlannedItem, Scope, Tool};
use crate::views::summary;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

struct AddSteps;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Arguments {
    release_id: ReleaseId,
    steps: Vec<Step>,
}

#[derive(Deserialize, JsonSchema)]
struct Step {
    name: String,
    title: String,
}

impl Tool for AddSteps {
    type Arguments = Arguments;
    const NAME: &'static str = "loopiq_add_steps";
    const TITLE: &'static str = "Add steps";
    const DESCRIPTION: &'static str = "Proposes a story for each step.";
    const VERSION: u32 = 1;

    fn needs(arguments: &Arguments) -> FactsQuery {
        FactsQuery::default().with([&arguments.release_id])
    }

    fn items(arguments: &Arguments) -> Vec<PlannedItem> {
        let steps = arguments.steps.iter().enumerate();
        steps
            .map(|(n, step)| PlannedItem {
                pointer: format!("/steps/{n}"),
                change: n,
                client_ref: Some(step.name.clone()),
                title: step.title.clone(),
                can_be_left_out: true,
            })
            .collect()
    }

    fn plan(arguments: &Arguments, _: &Facts, ids: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>> {
        let create = |step: &Step| {
            let fields = json!({ "kind": "story", "releaseId": arguments.release_id, "title": step.title });
            Change::Create(Create {
                kind: RecordKind::WorkItem,
                id: ids.next_id::<WorkItemId>().to_string(),
                client_ref: Some(step.name.clone()),
                fields: fields.as_object().cloned().unwrap_or_default(),
            })
        };
        Ok(Plan {
            change_set: ChangeSet(arguments.steps.iter().map(create).collect()),
            headline: "Add steps".to_owned(),
            risk: Risk::Low,
            scope: Scope {
                release: Some(arguments.release_id.clone()),
                ..Scope::default()
            },
            evidence: Vec::new(),
            references: Vec::new(),
            items: <Self as Tool>::items(arguments),
            result_references: &["releaseId"],
        })
    }
}

fn payload() -> Value {
    json!({ "reason": "WI-1 asks for both.", "releaseId": ReleaseId::from_bits(1), "steps": [
        { "name": "a", "title": "Limit failed attempts per account" },
        { "name": "b", "title": "Fix it" },
    ] })
}

fn plan(payload: &Value) -> Plan {
    let runtime = Runtime::new(|| Timestamp(1_800_000_000_000_000), |bytes| bytes.fill(7));
    let tool: &dyn AnyTool = &AddSteps;
    tool.plan(payload, &Facts::default(), &mut NewIds::Fresh(&runtime))
        .expect("a plan")
}

#[test]
fn a_new_tool_is_checked_by_its_items() {
    let (payload, facts, caller) = (payload(), Facts::default(), PersonId::from_bits(1));
    let plan = plan(&payload);
    let query = context_query(&plan, &facts, &caller);
    assert_eq!(query.titles.len(), 2);
    let checks = crate::checks::run(&CheckInput {
        payload: &payload,
        plan: &plan,
        facts: &facts,
        context: &CheckContext::default(),
        caller: &caller,
        unread: &[],
        policy: &Policy::default(),
        now: Timestamp(1_800_000_000_000_000),
    });
    let titles: Vec<_> = checks.iter().filter(|check| check.id == CheckId::Titles).collect();
    assert_eq!(titles.len(), 1, "{titles:?}");
    assert_eq!(titles[0].verdict, Verdict::Block, "\"Fix it\" says nothing");
    assert_eq!(titles[0].pointers, ["/steps/1/title"]);
    assert_eq!(summary(&plan.change_set, ""), "Creates 2 stories.");
}

#[test]
fn a_new_tool_says_what_the_client_gets_back() {
    let payload = payload();
    let plan = plan(&payload);
    let envelope = Envelope {
        envelope_version: Envelope::VERSION,
        tenant: TenantId::parse("acme").expect("a tenant"),
        action_id: ActionId::from_bits(1),
        tool: AddSteps.name().to_owned(),
        tool_version: AddSteps.version(),
        payload,
        change_set: plan.change_set.clone(),
        evidence: Vec::new(),
        risk: plan.risk,
        expires_at: Timestamp(0),
        supersedes_action_id: None,
    };
    let ids = plan.change_set.created_ids();
    assert_eq!(
        execute::result(&envelope, &plan),
        json!({
            "parentId": null,
            "children": [{ "clientRef": "a", "id": ids[0] }, { "clientRef": "b", "id": ids[1] }],
            "createdIds": ids,
            "updatedIds": [],
            "references": { "releaseId": ReleaseId::from_bits(1), "evidenceIds": [] },
        })
    );
}

#[test]
fn a_new_tool_says_what_can_be_left_out() {
    let action = ActionId::from_bits(1);
    let left = |keep: &[&str]| {
        let keep: Vec<String> = keep.iter().map(|name| (*name).to_owned()).collect();
        prune::pruned_payload(&AddSteps, &payload(), &keep, &action)
    };
    let revision = left(&["a"]).expect("a payload");
    assert_eq!(
        revision["steps"],
        json!([{ "name": "a", "title": "Limit failed attempts per account" }])
    );
    assert_eq!(revision["supersedesActionId"], json!(action));
    assert_eq!(plan(&revision).items.len(), 1);
    assert!(left(&[]).is_err(), "one must stay");
    assert!(left(&["a", "b"]).is_err(), "one must go");
}
