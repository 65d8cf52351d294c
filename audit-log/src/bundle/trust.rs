//! What the person who verifies a bundle has from elsewhere, and the checkpoints of the bundle in its light.

use super::fault::{CheckpointFault, CheckpointSource, Fault};
use crate::{Checkpoint, Cosigner, NotAKey, Note, NoteError, PublicKey, Tree};
use std::collections::HashSet;
use std::str::FromStr;

/// The most keys of a file.
const MAX_KEYS: usize = 100;

/// What the person who verifies has from elsewhere than the bundle.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The public keys of the log.
    pub keys: Vec<PublicKey>,
    /// Witnesses, each of which must have cosigned a checkpoint.
    pub witnesses: Vec<Cosigner>,
    /// The text of a checkpoint that the verifier kept, signed by one of the keys or witnesses.
    pub checkpoint: Option<String>,
}

/// A file of keys that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKeys {
    /// The file contains no key.
    #[error("the file contains no key")]
    None,
    /// A line is not a key.
    #[error("line {0}: {1}")]
    Line(usize, NotAKey),
}

/// Reads a file of keys, one a line. Empty lines, and those that begin with `#`, are comments.
///
/// # Errors
/// A line is not a key of this kind, or there is none.
pub fn read_keys<K: FromStr<Err = NotAKey>>(text: &str) -> Result<Vec<K>, NotKeys> {
    let lines = (1..).zip(text.split('\n').map(str::trim));
    let keys = lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| line.parse().map_err(|error| NotKeys::Line(number, error)));
    let keys: Vec<K> = keys.collect::<Result<_, _>>()?;
    if keys.is_empty() { Err(NotKeys::None) } else { Ok(keys) }
}

/// The keys that `keys.txt` lists. They are not trusted: they make the bundle complete in itself.
#[derive(Debug, Default)]
pub(super) struct ListedKeys {
    logs: Vec<PublicKey>,
    witnesses: Vec<Cosigner>,
}

impl ListedKeys {
    /// The file's text. Keys that stand twice are written once.
    pub(super) fn text(logs: &[PublicKey], witnesses: &[Cosigner]) -> String {
        let logs = logs.iter().map(ToString::to_string);
        let mut seen = HashSet::new();
        logs.chain(witnesses.iter().map(ToString::to_string))
            .filter(|line| seen.insert(line.clone()))
            .map(|line| line + "\n")
            .collect()
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut listed = Self::default();
        let mut seen = HashSet::new();
        for line in text.strip_suffix('\n')?.split('\n') {
            let canonical = if let Ok(key) = line.parse::<PublicKey>() {
                let text = key.to_string();
                listed.logs.push(key);
                text
            } else {
                let key = line.parse::<Cosigner>().ok()?;
                let text = key.to_string();
                listed.witnesses.push(key);
                text
            };
            if canonical != line || !seen.insert(line) || seen.len() > MAX_KEYS {
                return None;
            }
        }
        Some(listed)
    }

    /// Checks that every signature is by a listed key and fits.
    fn verify_all(&self, note: &Note) -> Result<(), CheckpointFault> {
        for signature in &note.signatures {
            let (name, id) = (signature.name.as_str(), signature.key_id);
            let log = self.logs.iter().find(|key| key.name() == name && key.id() == id);
            let witness = self.witnesses.iter().find(|key| key.name() == name && key.id() == id);
            let fits = match (log, witness) {
                (Some(key), _) => key.verifies(note.text.as_bytes(), &signature.bytes),
                (None, Some(witness)) => witness.verified_time(&note.text, &signature.bytes).is_some(),
                (None, None) => return Err(CheckpointFault::Unlisted),
            };
            if !fits {
                return Err(CheckpointFault::Forged(name.to_owned()));
            }
        }
        Ok(())
    }
}

impl From<NoteError> for CheckpointFault {
    fn from(error: NoteError) -> Self {
        match error {
            NoteError::Malformed(_) => Self::Malformed,
            NoteError::Unsigned => Self::Unsigned,
            NoteError::Forged(name) => Self::Forged(name),
        }
    }
}

/// When a witness saw a log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Witnessed {
    /// The witness.
    pub name: String,
    /// The number of entries of the largest checkpoint that it cosigned.
    pub size: u64,
    /// When it did, in seconds since 1970 in UTC.
    pub time: u64,
}

/// Judges checkpoints.
pub(super) struct Judge<'t> {
    trust: &'t Trust,
    origin: String,
    /// By witness, in the order of [`Trust::witnesses`].
    witnessed: Vec<Option<Witnessed>>,
}

impl<'t> Judge<'t> {
    pub(super) fn new(trust: &'t Trust, origin: &str) -> Self {
        Self {
            trust,
            origin: origin.to_owned(),
            witnessed: vec![None; trust.witnesses.len()],
        }
    }

    fn read(&self, text: &str) -> Result<(Note, Checkpoint), CheckpointFault> {
        let note: Note = text.parse()?;
        let checkpoint: Checkpoint = note.text.parse().map_err(|_| CheckpointFault::Malformed)?;
        if note.to_string() != text {
            return Err(CheckpointFault::Malformed);
        }
        if checkpoint.origin != self.origin {
            return Err(CheckpointFault::OtherLog);
        }
        if checkpoint.size == 0 && checkpoint.root != Tree::default().root() {
            return Err(CheckpointFault::NotEmpty);
        }
        Ok((note, checkpoint))
    }

    fn note_witnesses(&mut self, note: &Note, checkpoint: &Checkpoint) -> Result<bool, CheckpointFault> {
        let mut any = false;
        for (witness, seen) in self.trust.witnesses.iter().zip(&mut self.witnessed) {
            let time = match note.verify_witness(witness) {
                Err(NoteError::Unsigned) => continue,
                other => other?,
            };
            any = true;
            if seen.as_ref().is_none_or(|seen| seen.size <= checkpoint.size) {
                *seen = Some(Witnessed {
                    name: witness.name().to_owned(),
                    size: checkpoint.size,
                    time,
                });
            }
        }
        Ok(any)
    }

    /// A checkpoint of the bundle, and the key that was given and signed it.
    pub(super) fn of_bundle(
        &mut self,
        text: &str,
        listed: &ListedKeys,
    ) -> Result<(Checkpoint, Option<&'t PublicKey>), CheckpointFault> {
        let (note, checkpoint) = self.read(text)?;
        listed.verify_all(&note)?;
        let key = match note.verify(&self.trust.keys) {
            Err(NoteError::Unsigned) => None,
            other => Some(other?),
        };
        self.note_witnesses(&note, &checkpoint)?;
        Ok((checkpoint, key))
    }

    /// The checkpoint that was given: signed by a key of the log, or cosigned by a witness.
    pub(super) fn given(&mut self, text: &str) -> Result<Checkpoint, CheckpointFault> {
        let (note, checkpoint) = self.read(text)?;
        let signed = match note.verify(&self.trust.keys) {
            Err(NoteError::Unsigned) => false,
            other => other.map(|_| true)?,
        };
        let cosigned = self.note_witnesses(&note, &checkpoint)?;
        if signed || cosigned {
            Ok(checkpoint)
        } else {
            Err(CheckpointFault::Unsigned)
        }
    }

    /// What each witness saw last.
    pub(super) fn witnessed(self) -> Result<Vec<Witnessed>, Fault> {
        let seen = self.trust.witnesses.iter().zip(self.witnessed);
        seen.map(|(witness, seen)| seen.ok_or_else(|| Fault::NotWitnessed(witness.name().to_owned())))
            .collect()
    }
}

impl CheckpointSource {
    /// The fault of this checkpoint.
    pub(super) fn fault(self) -> impl FnOnce(CheckpointFault) -> Fault {
        move |what| Fault::Checkpoint { which: self, what }
    }
}
