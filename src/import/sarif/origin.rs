//! When and where a run was made.

use super::super::assemble::{named, utc};
use super::model::{Invocation, Run};

/// The end of the latest invocation, or else the latest start. SARIF gives both in UTC.
pub(super) fn collected_at(invocations: &[Invocation]) -> Option<i64> {
    let latest = |field: fn(&Invocation) -> Option<&str>| invocations.iter().filter_map(field).filter_map(utc).max();
    latest(|one| one.end_time_utc.as_deref()).or_else(|| latest(|one| one.start_time_utc.as_deref()))
}

/// A repository's address as the name of a component, in one spelling. The credentials that CI systems put into the
/// address are removed, because the name is stored and shown.
pub(super) fn repository(uri: &str) -> String {
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
pub(super) fn category(id: &str) -> Option<String> {
    named(id.rsplit_once('/').map(|(category, _)| category.trim_matches('/')))
}

/// Roots on the machine that ran the scan, longest first. File names are made relative to them, because roots differ
/// between machines.
pub(super) fn bases(run: &Run) -> Vec<&str> {
    let ids = run.original_uri_base_ids.iter().flat_map(|ids| ids.values());
    let mut bases: Vec<&str> = ids
        .filter_map(|base| base.uri.as_deref())
        .filter(|uri| uri.starts_with("file:") && uri.ends_with('/') && uri.trim_matches('/').len() > "file:".len())
        .collect();
    bases.sort_by_key(|base| std::cmp::Reverse(base.len()));
    // Each root is tried on each file. Real files have one or two.
    bases.truncate(20);
    bases
}
