//! Writes a bundle as a stream.

use super::line::{self, BundleEntry};
use super::manifest::Manifest;
use super::tar::TarWriter;
use super::trust::ListedKeys;
use super::{
    CHECKPOINT, CHUNK_BYTES, KEYS, MANIFEST, MAX_CHUNK_LINES, MAX_OLDER, README, README_TEXT, VERIFIER, VERIFIER_TEXT,
    chunk_name, older_name,
};
use crate::{Checkpoint, Cosigner, Hash, Note, PublicKey, Tree};
use sha2::{Digest, Sha256};
use std::io::{self, Write};

/// What comes before the entries of a bundle.
#[derive(Debug, Clone)]
pub struct BundleHead {
    /// The ID of the tenant that owns the log.
    pub tenant: String,
    /// Whether the entries come with their contents.
    pub contents: bool,
    /// The public keys of the log, past and present.
    pub keys: Vec<PublicKey>,
    /// The witnesses whose cosignatures are kept.
    pub witnesses: Vec<Cosigner>,
    /// The signed checkpoint whose entries follow.
    pub checkpoint: Note,
    /// Older checkpoints by ascending size, at most [`MAX_OLDER`].
    pub older: Vec<Note>,
    /// When the bundle is made, in seconds since 1970 in UTC.
    pub created: u64,
}

/// A bundle that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A checkpoint, the tenant or the keys do not fit the format.
    #[error("no bundle can be made: {0}")]
    Head(&'static str),
    /// An entry does not fit the format.
    #[error("an entry has no form in JSON: {0}")]
    Entry(#[from] serde_json::Error),
    /// The output failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The number of entries.
    pub entries: u64,
    /// The number of contents.
    pub contents: u64,
    /// Whether the stored leaf hashes give the root of the checkpoint. If not, no verifier accepts the bundle.
    pub fits: bool,
    /// The number of bytes.
    pub bytes: u64,
    /// The hash of the bytes.
    pub digest: Hash,
}

/// Writes a bundle. It keeps at most one file of the bundle in memory.
pub struct BundleWriter<W> {
    tar: TarWriter<Counted<W>>,
    contents: bool,
    checkpoint: Checkpoint,
    chunk: Vec<u8>,
    lines: usize,
    chunks: u64,
    tree: Tree,
    with_content: u64,
    /// Whether each leaf hash was one.
    hashes: bool,
}

impl<W: Write> BundleWriter<W> {
    /// Writes what comes before the entries.
    ///
    /// # Errors
    /// The head does not fit the format, or the output failed.
    pub fn new(out: W, head: &BundleHead) -> Result<Self, WriteError> {
        let parse = |note: &Note| -> Result<Checkpoint, WriteError> {
            note.text
                .parse()
                .map_err(|_| WriteError::Head("a note is not a checkpoint"))
        };
        let checkpoint = parse(&head.checkpoint)?;
        let manifest = Manifest::new(&head.tenant, &checkpoint.origin, checkpoint.size, head.contents)
            .and_then(|manifest| manifest.text())
            .ok_or(WriteError::Head("the tenant or the log's name is unusable"))?;
        if head.keys.is_empty() || head.older.len() > MAX_OLDER {
            return Err(WriteError::Head(
                "there is no key, or there are too many older checkpoints",
            ));
        }
        let mut tar = TarWriter::new(Counted::new(out), head.created);
        tar.file(README, README_TEXT.as_bytes())?;
        tar.file(VERIFIER, VERIFIER_TEXT.as_bytes())?;
        tar.file(MANIFEST, manifest.as_bytes())?;
        tar.file(KEYS, ListedKeys::text(&head.keys, &head.witnesses).as_bytes())?;
        tar.file(CHECKPOINT, listed_signatures(&head.checkpoint, head)?.as_bytes())?;
        let mut before = None;
        for note in &head.older {
            let older = parse(note)?;
            if older.origin != checkpoint.origin || before >= Some(older.size) || older.size >= checkpoint.size {
                return Err(WriteError::Head(
                    "the older checkpoints are of another log or not in order",
                ));
            }
            before = Some(older.size);
            tar.file(&older_name(older.size), listed_signatures(note, head)?.as_bytes())?;
        }
        Ok(Self {
            tar,
            contents: head.contents,
            checkpoint,
            chunk: Vec::new(),
            lines: 0,
            chunks: 0,
            tree: Tree::default(),
            with_content: 0,
            hashes: true,
        })
    }

    /// Appends an entry as it is stored. Entries come in the order of the log.
    ///
    /// # Errors
    /// The output failed.
    pub fn entry(&mut self, entry: &BundleEntry<'_>) -> Result<(), WriteError> {
        let content = entry.content.filter(|_| self.contents);
        line::write(&BundleEntry { content, ..*entry }, &mut self.chunk)?;
        self.with_content += u64::from(content.is_some());
        match entry.leaf_hash.parse() {
            Ok(hash) => self.tree.push(hash, |_, _| {}),
            Err(_) => self.hashes = false,
        }
        self.lines += 1;
        if self.lines == MAX_CHUNK_LINES || self.chunk.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.lines > 0 {
            self.chunks += 1;
            self.tar.file(&chunk_name(self.chunks), &self.chunk)?;
            self.chunk.clear();
            self.lines = 0;
        }
        Ok(())
    }

    /// Writes the end, and returns the output and what was written.
    ///
    /// # Errors
    /// The output failed.
    pub fn finish(mut self) -> Result<(W, Written), WriteError> {
        self.flush()?;
        let out = self.tar.finish()?;
        let fits = self.hashes && self.tree.size() == self.checkpoint.size && self.tree.root() == self.checkpoint.root;
        let written = Written {
            entries: self.tree.size(),
            contents: self.with_content,
            fits,
            bytes: out.bytes,
            digest: Hash(out.hasher.finalize().into()),
        };
        Ok((out.out, written))
    }
}

/// The note with those signatures whose keys the bundle lists.
fn listed_signatures(note: &Note, head: &BundleHead) -> Result<String, WriteError> {
    let mut kept = note.clone();
    kept.signatures.retain(|signature| {
        let of = |name: &str, id: [u8; 4]| name == signature.name && id == signature.key_id;
        head.keys.iter().any(|key| of(key.name(), key.id()))
            || head.witnesses.iter().any(|one| of(one.name(), one.id()))
    });
    if kept.signatures.is_empty() {
        return Err(WriteError::Head("no key of the log signed one of the checkpoints"));
    }
    Ok(kept.to_string())
}

/// Counts and hashes what is written.
struct Counted<W> {
    out: W,
    bytes: u64,
    hasher: Sha256,
}

impl<W> Counted<W> {
    fn new(out: W) -> Self {
        let hasher = Sha256::new();
        Self { out, bytes: 0, hasher }
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
