//! What follows when findings are open again, or a scan suppresses them: blockers in every release that shows them, and audit entries.

use crate::audit::{Event, Place};
use crate::domain::text::prose::{counted, listed};
use crate::domain::{Release, ReopenCause, Severity};
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Error, audit_entries};
use crate::store::{EndedDecision, Entry, ReadTx, WriteTx};
use crate::views::Label;
use serde_json::json;
use std::collections::BTreeMap;

/// The most findings that one entry names; more are named by further entries.
const NAMED: usize = 100;

/// A finding, by ID and key.
pub(crate) type Named = (String, String);

/// Where and by what findings were reopened or suppressed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Occasion {
    /// The release of the scan or the acceptance.
    pub(crate) release: Option<Place>,
    /// The key of the evidence that shows the findings.
    pub(crate) evidence: Option<String>,
}

/// Records that findings are open again.
pub(crate) fn record_reopened(tx: &mut WriteTx, cause: ReopenCause, findings: &[Named], occasion: &Occasion) {
    let why = cause.label();
    record(
        tx,
        Event::FindingsReopened,
        findings,
        occasion,
        cause.as_str(),
        |names| format!("{names} reopened: {why}"),
    );
}

/// Records that a scan suppresses findings.
pub(crate) fn record_suppressed(tx: &mut WriteTx, findings: &[Named], occasion: &Occasion) {
    record(
        tx,
        Event::FindingsSuppressed,
        findings,
        occasion,
        "suppressed_by_scan",
        |names| format!("{names} suppressed by a newer scan"),
    );
}

fn record(
    tx: &mut WriteTx,
    event: Event,
    findings: &[Named],
    occasion: &Occasion,
    cause: &str,
    headline: impl Fn(String) -> String,
) {
    for some in findings.chunks(NAMED) {
        let (records, keys): (Vec<String>, Vec<String>) = some.iter().cloned().unzip();
        let names = match keys.len() {
            0..=3 => listed(&keys),
            more => counted(more, "finding"),
        };
        let mut content = audit_entries::content(tx.ctx());
        content.release = occasion.release.clone();
        content.headline = Some(headline(names));
        content.records = records;
        content.record_keys = keys;
        content.details = json!({ "cause": cause, "evidence": occasion.evidence });
        tx.record(Entry {
            event,
            action_id: None,
            content,
        });
    }
}

/// Opens the blockers that open findings need in the releases that show them, except in one release. Returns how many it opened.
pub(crate) async fn raise_blockers_elsewhere(
    tx: &mut WriteTx,
    policies: &PolicyCache,
    findings: &[&str],
    except: &str,
) -> Result<i64, Error> {
    if findings.is_empty() {
        return Ok(0);
    }
    let mut by_release: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (release, finding) in tx.other_releases_of(findings, except).await? {
        by_release.entry(release).or_default().push(finding);
    }
    raise_blockers(tx, policies, by_release).await
}

/// Opens the blockers that these findings and controls need, by release. Returns how many it opened.
pub(crate) async fn raise_blockers(
    tx: &mut WriteTx,
    policies: &PolicyCache,
    by_release: BTreeMap<String, Vec<String>>,
) -> Result<i64, Error> {
    let ids: Vec<&str> = by_release.keys().map(String::as_str).collect();
    let releases = tx.releases(&ids).await?;
    let mut opened = 0;
    for release in releases {
        let threshold = blocker_threshold(tx, policies, &release).await?;
        let subjects = by_release.get(release.id.as_str()).map_or(&[][..], Vec::as_slice);
        opened += tx.raise_blockers(release.id.as_str(), threshold, subjects).await?;
    }
    Ok(opened)
}

/// The lowest severity whose open findings block a release: the lower of its own threshold and today's policy.
pub(crate) async fn blocker_threshold(
    tx: &mut ReadTx,
    policies: &PolicyCache,
    release: &Release,
) -> Result<Severity, Error> {
    let everywhere = policies.today(tx).await?.rules.severity.blocker_from;
    Ok(release.severity_threshold.min(everywhere))
}

/// Ends decisions whose date has passed: their findings are open again, and so are the blockers of findings and controls that need one.
pub(crate) async fn end_decisions(
    tx: &mut WriteTx,
    policies: &PolicyCache,
    ended: &[EndedDecision],
) -> Result<(), Error> {
    let reopened = tx.end_decisions(ended).await?;
    let (mut by_release, mut keys) = (BTreeMap::<String, Vec<String>>::new(), BTreeMap::new());
    for (id, key) in &reopened {
        keys.insert(id.as_str(), key.as_str());
    }
    for one in ended {
        if let Some(release) = &one.release {
            by_release.entry(release.clone()).or_default().push(one.subject.clone());
        }
    }
    let all: Vec<&str> = keys.keys().copied().collect();
    for (release, finding) in tx.other_releases_of(&all, "").await? {
        by_release.entry(release).or_default().push(finding);
    }
    for subjects in by_release.values_mut() {
        subjects.sort_unstable();
        subjects.dedup();
    }
    let places = tx
        .releases(&by_release.keys().map(String::as_str).collect::<Vec<_>>())
        .await?;
    raise_blockers(tx, policies, by_release).await?;
    let statuses: Vec<Named> = reopened
        .iter()
        .filter(|(id, _)| ended.iter().all(|one| one.subject != *id || one.release.is_none()))
        .cloned()
        .collect();
    record_reopened(tx, ReopenCause::StatusEnded, &statuses, &Occasion::default());
    for release in places {
        let of_release = ended
            .iter()
            .filter(|one| one.release.as_deref() == Some(release.id.as_str()));
        let subjects: Vec<&str> = of_release.map(|one| one.subject.as_str()).collect();
        let named = tx.keys_of_subjects(&subjects).await?;
        let occasion = Occasion {
            release: Some(Place {
                id: release.id.to_string(),
                key: release.key,
            }),
            evidence: None,
        };
        record_reopened(tx, ReopenCause::AcceptanceEnded, &named, &occasion);
    }
    Ok(())
}
