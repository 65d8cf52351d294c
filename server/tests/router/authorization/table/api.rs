//! The operations of the API.

use super::tools::story;
use crate::authorization::endpoint::Access::{Anyone, Needs};
use crate::authorization::endpoint::{Body, Endpoint, Surface};
use loopiq::domain::Permission::*;
use serde_json::json;

pub(super) fn api() -> Vec<Endpoint> {
    let api = |name, needs| Endpoint::new(name, Needs(Surface::Api, vec![needs]));
    let decision = json!({ "digest": "x", "view": "x" });
    let catalog = "teams: [{ key: payments, name: Payments }]".to_owned();
    let story = json!({ "tool": "loopiq_create_work_item", "arguments": story() });
    vec![
        api("GET /api/v1/actions", ViewActions),
        api("GET /api/v1/actions", ViewActions).at("/api/v1/actions?cursor=actions:<action>"),
        api("POST /api/v1/actions", Propose).json(story).on_records(),
        api("GET /api/v1/actions/{id}", ViewActions).at("/api/v1/actions/<action>"),
        api("POST /api/v1/actions/{id}/approve", Approve)
            .at("/api/v1/actions/<action>/approve")
            .json(decision),
        api("POST /api/v1/actions/{id}/reject", Reject)
            .at("/api/v1/actions/<action>/reject")
            .json(json!({ "digest": "x", "view": "x", "reasonCodes": ["declined"], "reason": "No." })),
        api("POST /api/v1/actions/{id}/execute", Execute)
            .at("/api/v1/actions/<action>/execute")
            .json(json!({ "view": "x" })),
        api("POST /api/v1/evidence", Import)
            .at("/api/v1/evidence?release=<release_key>")
            .with(Body::Text(
                "application/octet-stream",
                "<testsuites></testsuites>".to_owned(),
            )),
        api("GET /api/v1/catalog", ReadCatalog),
        api("PUT /api/v1/catalog", ApplyCatalog)
            .at("/api/v1/catalog?dryRun=true")
            .with(Body::Text("application/yaml", catalog)),
        api("GET /api/v1/pauses", ViewActions),
        api("PUT /api/v1/pauses/{target}", Pause)
            .at("/api/v1/pauses/client:cli_00000000000000000000000000")
            .json(json!({ "reason": "Why" })),
        api("DELETE /api/v1/pauses/{target}", Configure).at("/api/v1/pauses/agents"),
        api("GET /api/v1/audit", SearchAudit),
        api("GET /api/v1/audit", SearchAudit).at("/api/v1/audit?q=action:<action>"),
        api("GET /api/v1/audit/{seq}/proof", SearchAudit).at("/api/v1/audit/1/proof"),
        api("GET /api/v1/audit/checkpoint", SearchAudit),
        api("GET /api/v1/audit/consistency", SearchAudit).at("/api/v1/audit/consistency?from=1&to=2"),
        api("GET /api/v1/audit/key-rotations", SearchAudit),
        Endpoint::new("GET /api/v1/audit/keys", Anyone),
        Endpoint::new("GET /api/openapi.json", Anyone),
    ]
}
