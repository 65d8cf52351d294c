//! Why a bundle is not accepted.

use super::tar::TarError;
use std::fmt;
use std::ops::RangeInclusive;

/// The first reason why a bundle is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A file of the bundle is not what the format says.
    #[error("{at}: {what}")]
    Damaged {
        /// The name of the file, or of the one that should be there.
        at: String,
        /// What is wrong with it.
        what: String,
    },
    /// A checkpoint is not accepted.
    #[error("{which}: {what}")]
    Checkpoint {
        /// Which checkpoint.
        which: CheckpointSource,
        /// Why not.
        what: CheckpointFault,
    },
    /// The line of an entry is not that of the log's entry.
    #[error("entry {seq} {what}")]
    Entry {
        /// The number of the first bad entry.
        seq: u64,
        /// What is wrong with it.
        what: EntryFault,
    },
    /// The entries are correct each by itself, and together not those of a checkpoint.
    #[error("{} with new hashes: the first {end} entries do not have the root of {which}", replaced(*.first, *.end))]
    Replaced {
        /// The first entry that can have been replaced.
        first: u64,
        /// The last of them, and the size of the checkpoint.
        end: u64,
        /// The checkpoint that does not fit.
        which: CheckpointSource,
    },
    /// The bundle ends before its checkpoint does.
    #[error("entry {} is missing, and all after it: the checkpoint of the bundle has {size} entries", last + 1)]
    Missing {
        /// The last entry of the bundle.
        last: u64,
        /// The number of entries of the checkpoint.
        size: u64,
    },
    /// The checkpoint that was given is newer than the bundle.
    #[error(
        "entry {} is missing, and all after it: the checkpoint that was given has {given} entries. Either they were removed, or the bundle is older than the checkpoint",
        size + 1
    )]
    Shorter {
        /// The number of entries of the checkpoint that was given.
        given: u64,
        /// The number of entries of the bundle.
        size: u64,
    },
    /// A witness cosigned none of the checkpoints.
    #[error("the witness {0} cosigned neither a checkpoint of the bundle nor the one that was given")]
    NotWitnessed(String),
}

fn replaced(first: u64, end: u64) -> String {
    if first == end {
        format!("entry {first} was replaced")
    } else {
        format!("one or more of the entries {first} to {end} were replaced")
    }
}

impl Fault {
    pub(super) fn damaged(at: &str, what: impl Into<String>) -> Self {
        let (at, what) = (at.to_owned(), what.into());
        Self::Damaged { at, what }
    }

    pub(super) fn container(at: &str, error: &TarError) -> Self {
        Self::damaged(at, error.to_string())
    }

    /// The entries among which the first bad one is, if the fault is one of entries.
    pub fn entries(&self) -> Option<RangeInclusive<u64>> {
        match self {
            Self::Entry { seq, .. } => Some(*seq..=*seq),
            Self::Replaced { first, end, .. } => Some(*first..=*end),
            Self::Missing { last, .. } => Some(last + 1..=last + 1),
            Self::Shorter { size, .. } => Some(size + 1..=size + 1),
            Self::Damaged { .. } | Self::Checkpoint { .. } | Self::NotWitnessed(_) => None,
        }
    }
}

/// What is wrong with the line of an entry. The texts continue "entry 5 …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// The line has another form.
    #[error("is damaged: its line does not have the form of an entry")]
    NotAnEntry,
    /// Another entry, with this number, is in its place.
    #[error("is missing or out of order: entry {0} is in its place")]
    OtherEntry(i64),
    /// The entry belongs to another log.
    #[error("belongs to another tenant")]
    OtherTenant,
    /// The leaf was changed.
    #[error("was changed: its leaf does not have its leaf hash")]
    LeafHash,
    /// The content was changed.
    #[error("was changed: its content does not have the hash that its leaf contains")]
    ContentHash,
    /// The manifest says that the bundle contains no contents.
    #[error("has a content, in a bundle without contents")]
    UnexpectedContent,
    /// The content can be read in more than one way.
    #[error("has a content that is not a JSON object with one meaning")]
    Ambiguous,
    /// The checkpoint ends before this entry.
    #[error("was added: the checkpoint of the bundle ends before it")]
    Added,
}

/// Where a checkpoint comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointSource {
    /// `checkpoint.txt` of the bundle.
    Bundle,
    /// An older one of the bundle, of this size.
    Older(u64),
    /// The one that the person who verifies has kept.
    Given,
}

impl fmt::Display for CheckpointSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundle => f.write_str("the checkpoint of the bundle"),
            Self::Older(size) => write!(f, "the older checkpoint checkpoints/{size}.txt"),
            Self::Given => f.write_str("the checkpoint that was given"),
        }
    }
}

/// Why a checkpoint is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFault {
    /// The text is not a checkpoint.
    #[error("this is not a signed checkpoint")]
    Malformed,
    /// It belongs to another log.
    #[error("it belongs to another log")]
    OtherLog,
    /// No key that was given signed it.
    #[error("no key that was given signed it")]
    Unsigned,
    /// A signature does not fit.
    #[error("the signature by {0} does not fit it")]
    Forged(String),
    /// A key that `keys.txt` does not list signed it.
    #[error("it is signed by a key that keys.txt does not list")]
    Unlisted,
    /// Its size is not that of its name, or of the manifest.
    #[error("it has another size than the bundle says")]
    OtherSize,
    /// It has no entries, and a root with some.
    #[error("its root is not that of an empty log")]
    NotEmpty,
    /// The older checkpoints do not ascend, or there are too many.
    #[error("it is not in its place")]
    OutOfOrder,
}
