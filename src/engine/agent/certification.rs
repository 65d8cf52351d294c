//! The certification of a release: its controls, evidence and blockers, as a list and as a graph.

use crate::domain::*;
use crate::engine::Error;
use crate::engine::agent::read_tools::missing;
use crate::store::{ListFilter, ReadTx};
use serde_json::{Value, json};

/// The records of one release that a certification rests on, at most 1,000 of each kind.
struct Rests {
    certifications: Vec<Certification>,
    controls: Vec<Control>,
    evidence: Vec<Evidence>,
    blockers: Vec<Blocker>,
}

async fn rests(tx: &mut ReadTx, id: &ReleaseId) -> Result<Rests, Error> {
    if tx.releases(&[id.as_str()]).await?.is_empty() {
        return Err(missing(RecordKind::Release, id.as_str()));
    }
    let all = ListFilter {
        release: Some(id.as_str().to_owned()),
        limit: 1_000,
        ..ListFilter::default()
    };
    Ok(Rests {
        certifications: tx.certifications_of(&[id.as_str()]).await?,
        controls: tx.list_controls(&all).await?,
        evidence: tx.list_evidence(&all).await?,
        blockers: tx.list_blockers(&all).await?,
    })
}

pub(crate) async fn get(tx: &mut ReadTx, id: ReleaseId) -> Result<Value, Error> {
    let rests = rests(tx, &id).await?;
    let open: Vec<&Blocker> = rests
        .blockers
        .iter()
        .filter(|blocker| blocker.status == BlockerStatus::Open)
        .collect();
    Ok(json!({
        "releaseId": id,
        "certifications": rests.certifications,
        "controls": rests.controls,
        "evidence": rests.evidence,
        "openBlockers": open.len(),
        "blockers": open.iter().take(200).collect::<Vec<_>>(),
    }))
}

pub(crate) async fn graph(tx: &mut ReadTx, id: ReleaseId) -> Result<Value, Error> {
    let rests = rests(tx, &id).await?;
    let all = ListFilter {
        release: Some(id.as_str().to_owned()),
        limit: 1_000,
        ..ListFilter::default()
    };
    let findings = tx.list_findings(&all).await?;
    let items = tx.list_work_items(&all).await?;
    let mut nodes = vec![json!({ "id": id, "kind": "release" })];
    let mut edges = Vec::new();
    let mut edge = |from: &str, to: &str, kind: &str| edges.push(json!({ "from": from, "to": to, "kind": kind }));
    let mut targets: Vec<String> = Vec::new();
    for certification in &rests.certifications {
        nodes.push(json!({ "id": certification.id, "kind": "certification", "key": certification.key, "status": certification.status }));
        edge(certification.id.as_str(), id.as_str(), "certifies");
        targets.push(certification.id.to_string());
    }
    for control in &rests.controls {
        nodes.push(json!({ "id": control.id, "kind": "control", "key": control.key, "status": control.status }));
        for certification in &rests.certifications {
            edge(certification.id.as_str(), control.id.as_str(), "rests_on");
        }
        targets.push(control.id.to_string());
    }
    for evidence in &rests.evidence {
        nodes.push(
            json!({ "id": evidence.id, "kind": "evidence", "key": evidence.key, "collectedAt": evidence.collected_at }),
        );
    }
    for finding in &findings {
        nodes.push(json!({ "id": finding.id, "kind": "finding", "key": finding.key, "status": finding.status, "severity": finding.severity }));
        for evidence in &finding.evidence_ids {
            edge(evidence.as_str(), finding.id.as_str(), "shows");
        }
    }
    for blocker in &rests.blockers {
        nodes.push(json!({ "id": blocker.id, "kind": "blocker", "key": blocker.key, "status": blocker.status }));
        if let Some(finding) = &blocker.finding_id {
            edge(blocker.id.as_str(), finding.as_str(), "is_about");
        }
        if let Some(control) = &blocker.control_id {
            edge(blocker.id.as_str(), control.as_str(), "is_about");
        }
    }
    for item in &items {
        nodes.push(json!({ "id": item.id, "kind": "workItem", "key": item.key, "status": item.status }));
        for reference in [
            &item.finding_ids,
            &item.control_ids,
            &item.evidence_ids,
            &item.blocker_ids,
        ]
        .into_iter()
        .flatten()
        {
            edge(item.id.as_str(), reference, "rests_on");
        }
    }
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    for (evidence, target) in tx.evidence_links(&targets).await? {
        edge(&target, &evidence, "evidenced_by");
    }
    Ok(json!({ "releaseId": id, "nodes": nodes, "edges": edges }))
}
