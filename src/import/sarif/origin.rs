//! When a run was made, and of what.

use super::super::Scan;
use super::super::assemble::{named, utc};
use super::model::{Invocation, Run};
use std::collections::BTreeMap;

/// The end of the latest invocation, or else the latest start. SARIF gives both in UTC.
pub(super) fn collected_at(invocations: &[Invocation]) -> Option<i64> {
    let latest = |field: fn(&Invocation) -> Option<&str>| invocations.iter().filter_map(field).filter_map(utc).max();
    latest(|one| one.end_time_utc.as_deref()).or_else(|| latest(|one| one.start_time_utc.as_deref()))
}

/// A repository's address as the name of a component, in one spelling. The credentials that CI systems put into the
/// address are removed, because the name is stored and shown.
fn repository(uri: &str) -> String {
    let uri = uri.split(['?', '#']).next().unwrap_or(uri).trim().trim_end_matches('/');
    let uri = uri.strip_suffix(".git").unwrap_or(uri);
    let Some((scheme, rest)) = uri.split_once("://") else {
        // `git@host:path` is an address; `name:secret@host/path` contains a secret.
        let secret = uri.split_once('@').filter(|(user, _)| user.contains(':'));
        return secret.map_or(uri, |(_, rest)| rest).to_owned();
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{path}")
}

/// The category of a run: its ID up to the last `/`, because the rest names the single run (3.17.3; GitHub does the
/// same).
fn category(id: &str) -> Option<String> {
    named(id.rsplit_once('/').map(|(category, _)| category.trim_matches('/')))
}

fn id(run: &Run) -> Option<&str> {
    run.automation_details.as_ref()?.id.as_deref()
}

/// The repository that a run scanned, or else the category of the run.
pub(super) fn component(run: &Run) -> Option<String> {
    let provenance = run.version_control_provenance.iter().flatten();
    let mut repositories =
        provenance.filter_map(|source| named(source.repository_uri.as_deref().map(repository).as_deref()));
    repositories.next().or_else(|| category(id(run)?))
}

/// Runs of one tool that share a category would be taken for parts of one scan. Their whole IDs are their components:
/// some tools name there what they scanned (`Snyk/Open Source/shop-web`, `Snyk/Open Source/shop-api`).
pub(super) fn separate(runs: &[Run], scans: &mut [Scan]) {
    let mut sharing: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (index, (run, scan)) in runs.iter().zip(&*scans).enumerate() {
        if let Some(component) = &scan.component
            && id(run).and_then(category).as_ref() == Some(component)
        {
            let group = (scan.provider.clone(), component.clone());
            sharing.entry(group).or_default().push(index);
        }
    }
    for indexes in sharing.into_values().filter(|indexes| indexes.len() > 1) {
        for index in indexes {
            if let (Some(run), Some(scan)) = (runs.get(index), scans.get_mut(index)) {
                scan.component = named(id(run)).or(scan.component.take());
            }
        }
    }
}
