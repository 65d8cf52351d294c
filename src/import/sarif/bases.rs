//! Base directories of a run (`originalUriBaseIds`, 3.14.14). A file is named relative to its absolute base, because that
//! differs between machines; relative bases are part of its name.

use super::super::file_name::{LONGEST, file_name, is_absolute, normal};
use super::model::{ArtifactLocation, Run};
use std::collections::BTreeMap;

/// The most bases that a name is resolved against. Real files have at most three.
const MAX_DEPTH: usize = 20;

/// The most bytes of a name with its bases; further bases are left out.
const MAX_RESOLVED: usize = 4 << 10;

/// The most absolute bases. Each is tried on each absolute name; real files have one or two.
const MAX_ROOTS: usize = 20;

pub(super) struct Bases<'a> {
    run: &'a Run,
    ids: Option<&'a BTreeMap<String, ArtifactLocation>>,
    /// The absolute bases in one spelling, longest first.
    roots: Vec<String>,
}

impl<'a> Bases<'a> {
    pub(super) fn new(run: &'a Run) -> Self {
        let ids = run.original_uri_base_ids.as_ref();
        let uris = ids
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter_map(|base| base.uri.as_deref());
        let mut roots: Vec<String> = uris
            .filter(|uri| is_absolute(uri) && uri.len() <= LONGEST)
            .map(|uri| normal(uri).into_owned())
            // A base ends with a slash (3.14.14), which some tools leave out.
            .map(|root| if root.ends_with('/') { root } else { root + "/" })
            .collect();
        roots.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        roots.truncate(MAX_ROOTS);
        Self { run, ids, roots }
    }

    /// The file's name without the absolute base.
    pub(super) fn file(&self, artifact: &ArtifactLocation) -> Option<String> {
        let listed = || self.run.artifacts.as_ref()?.get(artifact.index?)?.location.as_ref();
        let artifact = match artifact.uri {
            Some(_) => artifact,
            None => listed()?,
        };
        let uri = artifact.uri.as_deref()?;
        if is_absolute(uri) {
            let whole = normal(uri);
            let relative = self.roots.iter().find_map(|root| whole.strip_prefix(root.as_str()));
            return file_name(relative.unwrap_or(&whole));
        }
        // The common case, and a name that is too long for its bases to remain visible.
        if artifact.uri_base_id.is_none() || uri.len() > MAX_RESOLVED {
            return file_name(uri);
        }
        file_name(&self.resolved(uri, artifact.uri_base_id.as_deref()))
    }

    /// A relative URI after its relative bases.
    fn resolved(&self, uri: &str, base: Option<&str>) -> String {
        let mut whole = uri.trim_start().to_owned();
        let mut base = base;
        for _ in 0..MAX_DEPTH {
            let Some(next) = base.and_then(|id| self.ids?.get(id)) else {
                break;
            };
            let prefix = next.uri.as_deref().unwrap_or_default().trim();
            if is_absolute(prefix) || prefix.len() + whole.len() > MAX_RESOLVED {
                break;
            }
            let slash = if prefix.is_empty() || prefix.ends_with(['/', '\\']) {
                ""
            } else {
                "/"
            };
            whole = format!("{prefix}{slash}{whole}");
            base = next.uri_base_id.as_deref();
        }
        whole
    }
}
