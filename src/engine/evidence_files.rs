//! Keeps the results of hashing stored evidence. A result that differs from the last one gets an audit entry and a line in the log.

use crate::audit::Event;
use crate::domain::FileState;
use crate::domain::text::prose::listed;
use crate::engine::actions::plan::Planned;
use crate::engine::{Error, audit_entries};
use crate::store::{Entry, Verified, WriteTx};
use serde_json::json;
use std::collections::BTreeMap;

/// Who hashed the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FoundBy {
    /// The scrub.
    Scrub,
    /// The execution of an action that cites the evidence.
    Execution,
    /// An import that stored the bytes of a damaged file again.
    Import,
}

impl FoundBy {
    fn as_str(self) -> &'static str {
        match self {
            FoundBy::Scrub => "scrub",
            FoundBy::Execution => "execution",
            FoundBy::Import => "import",
        }
    }
}

/// Stores results. From then on, the checks of proposals, pages and approvals use them.
pub(crate) async fn keep(tx: &mut WriteTx, results: &[Verified], found_by: FoundBy) -> Result<(), Error> {
    if results.is_empty() {
        return Ok(());
    }
    let kept = tx.keep_results(results).await?;
    for result in results {
        if result.found != result.before.state && kept.contains(&result.before.sha256) {
            record(tx, result, found_by).await?;
        }
    }
    Ok(())
}

/// Stores what the execution of an action has found about the evidence that the action cites, if it differs from the stored results.
pub(crate) async fn keep_of_execution(tx: &mut WriteTx, planned: &Planned) -> Result<(), Error> {
    let cited = planned.plan.evidence.iter().filter_map(|id| planned.facts.evidence(id));
    let states = &planned.context.file_states;
    let found: BTreeMap<&str, FileState> = cited
        .filter_map(|evidence| Some((evidence.sha256.as_str(), *states.get(evidence.id.as_str())?)))
        .collect();
    let mut differing = Vec::new();
    for before in tx.stored_results(found.keys().copied()).await? {
        match found.get(before.sha256.as_str()) {
            Some(&found) if found != before.state => differing.push(Verified { before, found }),
            _ => {}
        }
    }
    keep(tx, &differing, FoundBy::Execution).await
}

async fn record(tx: &mut WriteTx, result: &Verified, found_by: FoundBy) -> Result<(), Error> {
    let sha256 = result.before.sha256.as_str();
    let (records, keys): (Vec<String>, Vec<String>) = tx.evidence_of_file(sha256).await?.into_iter().unzip();
    let names = match keys.as_slice() {
        [] => format!("the file {sha256}"),
        keys => listed(keys),
    };
    let (event, headline) = match result.found {
        FileState::Intact => (
            Event::EvidenceIntact,
            format!("The bytes of {names} are those of the import again"),
        ),
        FileState::Changed => (
            Event::EvidenceChanged,
            format!("The bytes of {names} have changed since the import"),
        ),
        FileState::Missing => (
            Event::EvidenceChanged,
            format!("The bytes of {names} are not stored any more"),
        ),
    };
    let (tenant, found_by) = (tx.ctx().tenant().as_str(), found_by.as_str());
    match result.found {
        FileState::Intact => tracing::warn!(tenant, sha256, found_by, "{headline}"),
        FileState::Changed | FileState::Missing => tracing::error!(tenant, sha256, found_by, "{headline}"),
    }
    let mut content = audit_entries::content(tx.ctx());
    content.headline = Some(headline);
    content.records = records;
    content.record_keys = keys;
    content.details = json!({
        "sha256": sha256,
        "before": result.before.state,
        "found": result.found,
        "foundBy": found_by,
        "lastVerifiedAt": result.before.verified_at,
    });
    tx.record(Entry {
        event,
        action_id: None,
        content,
    });
    Ok(())
}
