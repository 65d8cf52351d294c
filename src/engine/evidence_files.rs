//! Keeps the results of hashing stored evidence. A result that differs from the last one gets an audit entry and a line in the log.

use crate::audit::Event;
use crate::domain::FileState;
use crate::domain::text::prose::listed;
use crate::engine::{Error, audit_entries};
use crate::store::{Entry, Verified, WriteTx};
use serde_json::json;

/// Who hashed the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FoundBy {
    /// The scrub.
    Scrub,
}

impl FoundBy {
    fn as_str(self) -> &'static str {
        match self {
            FoundBy::Scrub => "scrub",
        }
    }
}

/// Stores results.
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
