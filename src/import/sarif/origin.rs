//! When and where a run was made.

use super::super::assemble::{named, utc};
use super::model::{Invocation, Run};

/// The end of the latest invocation, else the latest start. The properties are in UTC.
pub(super) fn collected_at(invocations: &[Invocation]) -> Option<i64> {
    let latest = |field: fn(&Invocation) -> Option<&str>| invocations.iter().filter_map(field).filter_map(utc).max();
    latest(|one| one.end_time_utc.as_deref()).or_else(|| latest(|one| one.start_time_utc.as_deref()))
}

/// A repository's address as the name of a component: without the credentials that CI systems put into it, since it
/// is stored and shown, and in one spelling.
pub(super) fn repository(uri: &str) -> String {
    let uri = uri.split(['?', '#']).next().unwrap_or(uri).trim().trim_end_matches('/');
    let uri = uri.strip_suffix(".git").unwrap_or(uri);
    let Some((scheme, rest)) = uri.split_once("://") else {
        // `git@host:path` is an address, `name:secret@host/path` is a secret.
        let secret = uri.split_once('@').filter(|(user, _)| user.contains(':'));
        return secret.map_or(uri, |(_, rest)| rest).to_owned();
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{path}")
}

/// The category of a run: its ID up to the last `/`, since what follows names the single run (3.17.3, and what GitHub
/// does).
pub(super) fn category(id: &str) -> Option<String> {
    named(id.rsplit_once('/').map(|(category, _)| category.trim_matches('/')))
}

/// Roots on the machine that ran the scan, longest first. They differ from machine to machine and are taken off the
/// files' names.
pub(super) fn bases(run: &Run) -> Vec<&str> {
    let ids = run.original_uri_base_ids.iter().flat_map(|ids| ids.values());
    let mut bases: Vec<&str> = ids
        .filter_map(|base| base.uri.as_deref())
        .filter(|uri| uri.starts_with("file:") && uri.ends_with('/') && uri.trim_matches('/').len() > "file:".len())
        .collect();
    bases.sort_by_key(|base| std::cmp::Reverse(base.len()));
    // Each is tried on each file; real files have one or two.
    bases.truncate(20);
    bases
}
