//! Work packages to propose.

use crate::agent::Agent;
use anyhow::Result;
use serde_json::{Value, json};

/// A work package of one story and `children` tasks for the demo's release SHOP-2026.12, which cites existing records.
/// The caller sets the idempotency key.
///
/// # Errors
/// The service gives no response.
pub async fn package(agent: &mut Agent, children: usize) -> Result<Value> {
    let first = |value: Value| value["items"][0].clone();
    let release = agent
        .call("loopiq_list_releases", &json!({ "text": "SHOP" }))
        .await
        .map(first)?;
    let here = json!({ "releaseId": release["id"], "limit": 1 });
    let blocker = agent.call("loopiq_list_blockers", &here).await.map(first)?;
    let evidence = agent.call("loopiq_search_evidence", &here).await.map(first)?;
    let whole = agent
        .call("loopiq_get_release", &json!({ "releaseId": release["id"] }))
        .await?;
    let tasks: Vec<Value> = (0..children)
        .map(|n| {
            json!({
                "clientRef": format!("t{n}"), "title": format!("Parameterize the query in routes/login.ts:{}", 30 + n),
                "description": "The query is built from what a visitor typed.", "controlIds": [],
                "findingIds": blocker["findingId"].as_str().into_iter().collect::<Vec<_>>(), "evidenceIds": [evidence["id"]],
            })
        })
        .collect();
    Ok(json!({
        "reason": format!("Blocker {} keeps the release from its certification.", blocker["id"].as_str().unwrap_or_default()),
        "releaseId": release["id"], "teamId": whole["teams"][0]["id"], "blockerIds": [blocker["id"]],
        "parent": { "title": "Remove the injection findings in login", "description": "Found by the scanner.",
                    "priority": "high", "acceptanceCriteria": ["No finding is left."] },
        "children": tasks,
    }))
}

/// The same package with other titles and without findings, so that it is no duplicate and can be executed next to
/// others. `n` distinguishes such packages.
pub fn fresh(package: &Value, n: usize) -> Value {
    let mut package = package.clone();
    package["parent"]["title"] = unlike(n * 100).into();
    for (child, task) in package["children"].as_array_mut().into_iter().flatten().enumerate() {
        task["title"] = unlike(n * 100 + child + 1).into();
        task["findingIds"] = json!([]);
    }
    package
}

/// Four random words, different for each `n`.
pub fn unlike(n: usize) -> String {
    let mut state = n as u64 + 1;
    let mut word = || {
        // SplitMix64, so that neighbouring numbers give unrelated words.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (0..8)
            .map(|_| {
                bits = bits.rotate_left(7);
                char::from(b'a' + (bits % 26) as u8)
            })
            .collect::<String>()
    };
    [word(), word(), word(), word()].join(" ")
}
