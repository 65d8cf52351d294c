//! Checkpoints (C2SP tlog-checkpoint): the size and the root of a log's tree, as the text of a signed note.

use crate::{Hash, Note};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::fmt;
use std::str::FromStr;

/// The state of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: a name that no other log has.
    pub origin: String,
    /// The number of entries.
    pub size: u64,
    /// The root hash of the tree.
    pub root: Hash,
}

/// A text that is not a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a checkpoint consists of a line with the log's name, a line with its size, and a line with the root hash in base64"
)]
pub struct NotACheckpoint;

impl Checkpoint {
    /// The checkpoint as a note without signatures.
    pub fn to_note(&self) -> Note {
        Note::new(self.to_string())
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root.0))
    }
}

/// Reads a note's text. Lines after the third are extensions, which are ignored.
impl FromStr for Checkpoint {
    type Err = NotACheckpoint;

    fn from_str(text: &str) -> Result<Self, NotACheckpoint> {
        let mut lines = text.strip_suffix('\n').ok_or(NotACheckpoint)?.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or(NotACheckpoint);
        let (origin, size, root) = (line()?, line()?, line()?);
        let number: u64 = size.parse().map_err(|_| NotACheckpoint)?;
        // A number has one text: no sign, no zeros in front.
        if number.to_string() != size || lines.any(str::is_empty) {
            return Err(NotACheckpoint);
        }
        let root = BASE64.decode(root).map_err(|_| NotACheckpoint)?;
        Ok(Self {
            origin: origin.to_owned(),
            size: number,
            root: Hash(root.try_into().map_err(|_| NotACheckpoint)?),
        })
    }
}
