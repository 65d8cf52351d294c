//! A place in a tenant's log.

use serde::{Deserialize, Serialize};

/// An entry of a tenant's log, by number and hash; the default is the place before the first entry.
///
/// The hash covers a random salt, so two logs that have the same hash at the same number are one log. A log that was restored from an older
/// copy and has grown since then has another hash there, or no entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogPosition {
    /// The number of the entry, 0 before the first one.
    pub seq: i64,
    /// The hash of the entry's leaf, empty before the first one.
    pub leaf_hash: String,
}
