//! The methods and tools of the MCP endpoint.

use crate::authorization::endpoint::Access::{Needs, Token};
use crate::authorization::endpoint::{Body, Endpoint, Surface};
use loopiq::domain::Permission::{self, *};
use serde_json::{Value, json};

/// The arguments of a story, without its key.
pub(super) fn story() -> Value {
    json!({
        "dryRun": true, "reason": "A scanner reported it.", "releaseId": "<release>", "teamId": "<team>",
        "kind": "task", "parentId": "<work_item>", "priority": "high", "owner": "<person>",
        "title": "Bind the parameters of the ledger's query", "description": "The scanner found it.",
        "findingIds": ["<finding>"], "controlIds": ["<control>"], "evidenceIds": ["<evidence>"],
    })
}

pub(super) fn tools() -> Vec<Endpoint> {
    let tool = |name, arguments: Value, needs: &[Permission]| {
        Endpoint::new(name, Needs(Surface::Mcp, needs.to_vec())).with(Body::Mcp("tools/call", arguments))
    };
    let read = |name, arguments| tool(name, arguments, &[ReadRecords]).on_records();
    let propose = |name, mut arguments: Value| {
        arguments["idempotencyKey"] = json!("matrix");
        arguments["reason"] = json!("A scanner reported it.");
        arguments["dryRun"] = json!(true);
        tool(name, arguments, &[Propose]).on_records()
    };
    let method = |method, parameters: Value, needs: &[Permission]| {
        Endpoint::new("POST /mcp", Needs(Surface::Mcp, needs.to_vec())).with(Body::Mcp(method, parameters))
    };
    let of_release = json!({ "releaseId": "<release>" });
    let mut superseding = story();
    superseding["idempotencyKey"] = json!("matrix");
    superseding["supersedesActionId"] = json!("<action>");
    // A dry run does not look for the action.
    superseding["dryRun"] = json!(false);
    vec![
        Endpoint::new("POST /mcp", Token).with(Body::Mcp("tools/list", json!({}))),
        Endpoint::new("POST /mcp/", Token).with(Body::Mcp("tools/list", json!({}))),
        Endpoint::new("POST /mcp", Token).with(Body::Mcp("resources/list", json!({}))),
        Endpoint::new("POST /mcp", Token)
            .with(Body::Mcp("resources/read", json!({ "uri": "ui://loopiq/action.html" }))),
        method(
            "tasks/get",
            json!({ "taskId": "<action>" }),
            &[ReadRecords, ViewActions],
        ),
        method(
            "tasks/update",
            json!({ "taskId": "<action>", "inputResponses": { "<question>": { "action": "accept", "content": { "answer": "All of them." } } } }),
            &[Answer],
        ),
        method("tasks/cancel", json!({ "taskId": "<action>" }), &[Withdraw]),
        read("loopiq_get_context", json!({})),
        read("loopiq_list_releases", json!({})),
        read("loopiq_get_release", of_release.clone()),
        read("loopiq_get_release_certification", of_release.clone()),
        read("loopiq_get_release_certification_evidence_graph", of_release.clone()),
        read(
            "loopiq_list_blockers",
            json!({ "releaseId": "<release>", "cursor": "blockers:<blocker>" }),
        ),
        read(
            "loopiq_list_findings",
            json!({ "releaseId": "<release>", "cursor": "findings:<finding>" }),
        ),
        read(
            "loopiq_search_evidence",
            json!({ "releaseId": "<release>", "cursor": "evidence:<evidence>" }),
        ),
        read(
            "loopiq_list_controls",
            json!({ "releaseId": "<release>", "cursor": "controls:<control>" }),
        ),
        read("loopiq_list_work_items", of_release),
        read("loopiq_get_work_item", json!({ "workItemId": "<work_item>" })),
        read("loopiq_find_similar_work_items", json!({ "title": "Move the queries" })),
        tool(
            "loopiq_get_action",
            json!({ "actionId": "<action>" }),
            &[ReadRecords, ViewActions],
        ),
        read("loopiq_list_actions", json!({ "cursor": "actions:<action>" })),
        propose("loopiq_create_work_item", story()),
        tool("loopiq_create_work_item", superseding, &[Propose]),
        propose(
            "loopiq_create_remediation_work_package",
            json!({
                "releaseId": "<release>", "certificationId": "<certification>", "teamId": "<team>", "blockerIds": ["<blocker>"],
                "parent": { "title": "No query is built from input", "description": "The scanner found one.", "owner": "<person>" },
                "children": [{
                    "clientRef": "one", "title": "Bind the parameters of the ledger's query", "description": "src/ledger.rs",
                    "owner": "<other_person>", "findingIds": ["<finding>"], "controlIds": ["<control>"], "evidenceIds": ["<evidence>"],
                }],
            }),
        ),
        propose(
            "loopiq_update_work_item",
            json!({ "workItemId": "<work_item>", "expectedVersion": 1, "changes": { "priority": "low", "owner": "<person>" } }),
        ),
        propose(
            "loopiq_link_evidence",
            json!({ "evidenceId": "<evidence>", "controlId": "<control>" }),
        ),
        propose(
            "loopiq_link_evidence",
            json!({ "evidenceId": "<evidence>", "certificationId": "<certification>" }),
        ),
        propose(
            "loopiq_accept_risk",
            json!({
                "releaseId": "<release>", "findingIds": ["<finding>"], "controlIds": ["<control>"], "owner": "<person>",
                "justification": "The ledger is read only.", "expiresAt": "2026-12-20",
            }),
        ),
        propose(
            "loopiq_add_audit_note",
            json!({ "actionId": "<action>", "text": "Checked." }),
        ),
        propose(
            "loopiq_refresh_release_evidence",
            json!({ "releaseId": "<release>", "provider": "probe", "kind": "sarif" }),
        ),
        propose(
            "loopiq_request_certification",
            json!({ "certificationId": "<certification>", "statement": "All is done." }),
        ),
        propose(
            "loopiq_update_finding_status",
            json!({ "findingId": "<finding>", "expectedVersion": 1, "status": "fixed", "justification": "It is bound now." }),
        ),
        tool(
            "loopiq_withdraw_action",
            json!({ "actionId": "<action>", "reason": "Not needed." }),
            &[Withdraw],
        ),
        tool(
            "loopiq_answer_question",
            json!({ "actionId": "<action>", "questionId": "<question>", "answer": "All of them." }),
            &[Answer],
        ),
    ]
}
