//! `manifest.json`: which log a bundle contains.

use crate::canonical;
use serde::{Deserialize, Serialize};

const FORMAT: &str = "loopiq-audit-bundle";
const VERSION: u32 = 1;

/// What a bundle is about. All of it is checked against the signed checkpoint or the entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// Whether the entries come with their contents.
    pub(super) contents: bool,
    format: String,
    /// The name of the log in its checkpoints.
    pub(super) origin: String,
    /// The number of entries.
    pub(super) size: u64,
    /// The ID of the tenant.
    pub(super) tenant: String,
    version: u32,
}

impl Manifest {
    /// `None` if a name has characters that no such name has, and that could mislead a person who reads a report.
    pub(super) fn new(tenant: &str, origin: &str, size: u64, contents: bool) -> Option<Self> {
        let manifest = Self {
            contents,
            format: FORMAT.to_owned(),
            origin: origin.to_owned(),
            size,
            tenant: tenant.to_owned(),
            version: VERSION,
        };
        manifest.is_valid().then_some(manifest)
    }

    fn is_valid(&self) -> bool {
        let tenant = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        self.format == FORMAT
            && self.version == VERSION
            && (1..=63).contains(&self.tenant.len())
            && self.tenant.bytes().all(tenant)
            && (1..=200).contains(&self.origin.len())
            && self.origin.bytes().all(|byte| byte.is_ascii_graphic())
            && self.size <= 1 << 53
    }

    /// The file: one line of canonical JSON.
    pub(super) fn text(&self) -> Option<String> {
        canonical(self).ok().map(|text| text + "\n")
    }

    /// Reads the file. `None` if it is not a manifest of this version.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let manifest: Self = serde_json::from_str(text).ok()?;
        (manifest.is_valid() && manifest.text().as_deref() == Some(text)).then_some(manifest)
    }
}
