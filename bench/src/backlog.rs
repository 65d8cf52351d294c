//! A large backlog of work items and findings, against which the checks judge a proposal.

use crate::fill::runtime;
use anyhow::{Context, Result};
use loopiq::context::Ctx;
use loopiq::domain::{Change, ChangeSet, Create, RecordKind, TenantId, WorkItemId};
use loopiq::engine::{Engine, Error};
use loopiq::store::{ListFilter, Store};
use serde_json::{Value, json};

/// Findings in one scan.
const SCAN: usize = 250;
/// Work items in one transaction.
const BATCH: usize = 500;

/// Words of titles with realistic frequencies: some occur in nearly every title, others in few.
const VERBS: [&str; 8] = [
    "Parameterize",
    "Validate",
    "Rotate",
    "Escape",
    "Limit",
    "Document",
    "Encrypt",
    "Remove",
];
const NOUNS: [&str; 12] = [
    "query", "cookie", "session", "redirect", "password", "header", "token", "upload", "template", "export",
    "callback", "cache",
];

/// A title that differs from most others.
pub(crate) fn title(n: usize) -> String {
    let (verb, noun, other) = (VERBS[n % 8], NOUNS[n / 8 % 12], NOUNS[n / 96 % 12]);
    format!(
        "{verb} the {noun} of the {other} in services/s{}/f{n}.rs",
        n / 1_152 % 100
    )
}

/// A finding and its evidence.
pub(crate) type Finding = (String, String);

/// Fills a release with `items` work items, and findings for a tenth as many. Work items exist for one finding in ten.
/// Returns the other findings.
pub(crate) async fn fill(store: &Store, release: &str, team: &str, items: usize) -> Result<Vec<Finding>> {
    let count = (items / 10).next_multiple_of(SCAN);
    let ctx = Ctx::system(TenantId::parse("acme")?, &runtime());
    let id = release.to_owned();
    let known = store
        .read_long::<_, Error, _>(&ctx, move |tx| {
            Box::pin(async move { Ok(tx.releases(&[id.as_str()]).await?) })
        })
        .await?;
    let key = known.first().context("the release")?.key.clone();
    // Many scans of some tens of kilobytes each, because the bytes of cited evidence are hashed for each proposal.
    let (engine, now) = (Engine::new(store.clone(), runtime(), ""), ctx.now().rfc3339());
    for first in (0..count).step_by(SCAN) {
        let name = format!("bulk-{first}.sarif");
        engine.import(&ctx, &key, &name, scan(first, &now), None, None).await?;
    }
    let filter = ListFilter {
        release: Some(release.to_owned()),
        text: Some("bulk".to_owned()),
        limit: count as i64,
        ..ListFilter::default()
    };
    let findings = store
        .read_long::<_, Error, _>(&ctx, move |tx| {
            Box::pin(async move { Ok(tx.list_findings(&filter).await?) })
        })
        .await?;
    let worked: Vec<String> = findings
        .iter()
        .take(count / 10)
        .map(|finding| finding.id.to_string())
        .collect();
    for first in (0..items).step_by(BATCH) {
        let (release, team, worked) = (release.to_owned(), team.to_owned(), worked.clone());
        store
            .write::<_, Error, _>(&ctx, move |tx| {
                Box::pin(async move {
                    let runtime = tx.ctx().runtime.clone();
                    let numbers = first..(first + BATCH).min(items);
                    let items = numbers.map(|n| item(runtime.id(), n, &release, &team, worked.get(n)));
                    let items = ChangeSet(items.collect());
                    Ok(tx.apply(&items).await.map(drop)?)
                })
            })
            .await?;
    }
    findings
        .iter()
        .skip(count / 10)
        .map(|finding| {
            let evidence = finding.evidence_ids.first().context("its evidence")?;
            Ok((finding.id.to_string(), evidence.to_string()))
        })
        .collect()
}

fn scan(first: usize, now: &str) -> Vec<u8> {
    let results: Vec<Value> = (first..first + SCAN)
        .map(|n| {
            json!({ "ruleId": format!("rule-{}", n % 40), "message": { "text": format!("finding {n}") },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": format!("src/f{n}.rs") }, "region": { "startLine": 1 } } }] })
        })
        .collect();
    let run = json!({ "tool": { "driver": { "name": "bulk" } }, "results": results,
        "invocations": [{ "executionSuccessful": true, "endTimeUtc": now }] });
    json!({ "version": "2.1.0", "runs": [run] }).to_string().into_bytes()
}

fn item(id: WorkItemId, n: usize, release: &str, team: &str, finding: Option<&String>) -> Change {
    let status = if n.is_multiple_of(3) { "open" } else { "done" };
    let fields = [
        ("kind", json!("story")),
        ("releaseId", json!(release)),
        ("teamId", json!(team)),
        ("title", json!(title(n))),
        ("description", json!("d")),
        ("status", json!(status)),
        ("priority", json!("low")),
        ("acceptanceCriteria", json!([])),
        ("findingIds", json!(finding.into_iter().collect::<Vec<_>>())),
    ];
    Change::Create(Create {
        kind: RecordKind::WorkItem,
        id: id.to_string(),
        client_ref: None,
        fields: fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    })
}

/// The package with the next three findings and without its blocker, because no agent proposes the same work all day.
pub(crate) fn about(package: &Value, findings: &[Finding], n: usize) -> Value {
    let mut package = package.clone();
    package["blockerIds"] = json!([]);
    for (child, task) in package["children"].as_array_mut().into_iter().flatten().enumerate() {
        let (finding, evidence) = &findings[(n * 3 + child) % findings.len()];
        task["findingIds"] = json!([finding]);
        task["evidenceIds"] = json!([evidence]);
    }
    package
}

/// The package with a child for each of these findings.
pub(crate) fn package(package: &Value, findings: &[Finding]) -> Value {
    let mut package = package.clone();
    let child = |(n, (finding, evidence)): (usize, &Finding)| {
        json!({
            "clientRef": format!("c{n}"), "title": format!("Validate the callback of the cache in src/new{n}.rs"),
            "description": "What comes in is used as it is.", "controlIds": [], "findingIds": [finding], "evidenceIds": [evidence],
        })
    };
    package["children"] = findings.iter().enumerate().map(child).collect();
    package
}
