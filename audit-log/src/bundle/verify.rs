//! Verifies a bundle, from its first byte to its last, in the memory of one of its files.

use super::fault::{CheckpointFault, CheckpointSource, EntryFault, Fault};
use super::line::{self, Expected};
use super::manifest::Manifest;
use super::report::Report;
use super::roots::{KnownRoot, KnownRoots};
use super::tar::{TarFile, TarReader};
use super::trust::{Judge, ListedKeys, Trust};
use super::{
    CHECKPOINT, KEYS, MANIFEST, MAX_CHUNK_BYTES, MAX_CHUNK_LINES, MAX_OLDER, MAX_TEXT, README, VERIFIER, chunk_name,
    older_name,
};
use crate::{Hash, Tree};
use std::io::Read;

/// Verifies a bundle. `progress` is called now and then with the number of entries verified and of all.
///
/// # Errors
/// The first reason why the bundle is not accepted.
pub fn verify(bundle: impl Read, trust: &Trust, mut progress: impl FnMut(u64, u64)) -> Result<Report, Fault> {
    let mut files = Files::new(bundle);
    files.fixed(README, MAX_TEXT)?;
    let verifier = files.fixed(VERIFIER, MAX_TEXT)?;
    let manifest = files.text(MANIFEST)?;
    let manifest = Manifest::parse(&manifest)
        .ok_or_else(|| Fault::damaged(MANIFEST, "it does not describe a bundle of version 1"))?;
    let listed = files.text(KEYS)?;
    let listed = ListedKeys::parse(&listed).ok_or_else(|| Fault::damaged(KEYS, "it is not a list of public keys"))?;

    let mut judge = Judge::new(trust, &manifest.origin);
    let which = CheckpointSource::Bundle;
    let text = files.text(CHECKPOINT)?;
    let (checkpoint, key) = judge.of_bundle(&text, &listed).map_err(which.fault())?;
    let key = key.ok_or(CheckpointFault::Unsigned).map_err(which.fault())?;
    if checkpoint.size != manifest.size {
        return Err(which.fault()(CheckpointFault::OtherSize));
    }
    let size = checkpoint.size;
    let (older, untrusted) = older(&mut files, &mut judge, &listed, size)?;
    let mut roots: Vec<KnownRoot> = older;
    let older = roots.len();
    let known = |size: u64, root: Hash, which: CheckpointSource| KnownRoot { size, root, which };
    roots.push(known(size, checkpoint.root, which));
    let mut earlier = None;
    if let Some(text) = &trust.checkpoint {
        let which = CheckpointSource::Given;
        let given = judge.given(text).map_err(which.fault())?;
        if given.size > size {
            return Err(Fault::Shorter {
                given: given.size,
                size,
            });
        }
        roots.push(known(given.size, given.root, which));
        earlier = Some(given.size);
    }
    let witnesses = judge.witnessed()?;

    let mut log = Log::new(&manifest, roots)?;
    progress(0, size);
    while let Some(lines) = files.chunk()? {
        log.append(&lines)?;
        progress(log.tree.size(), size);
    }
    log.end()?;
    Ok(Report {
        tenant: manifest.tenant.clone(),
        origin: manifest.origin.clone(),
        key: key.to_string(),
        entries: size,
        contents: log.contents,
        with_contents: manifest.contents,
        first_without_content: log.first_without,
        older_checkpoints: older,
        untrusted_checkpoints: untrusted,
        earlier,
        witnesses,
        verifier_is_known: verifier == super::VERIFIER_TEXT.as_bytes(),
    })
}

/// The older checkpoints, and how many of them no key that was given signed.
fn older<R: Read>(
    files: &mut Files<R>,
    judge: &mut Judge<'_>,
    listed: &ListedKeys,
    size: u64,
) -> Result<(Vec<KnownRoot>, usize), Fault> {
    let (mut roots, mut untrusted, mut before) = (Vec::new(), 0, None);
    while let Some((named, text)) = files.older()? {
        let which = CheckpointSource::Older(named);
        if before.is_some_and(|before| before >= named) || named >= size || roots.len() == MAX_OLDER {
            return Err(which.fault()(CheckpointFault::OutOfOrder));
        }
        let (checkpoint, key) = judge.of_bundle(&text, listed).map_err(which.fault())?;
        if checkpoint.size != named {
            return Err(which.fault()(CheckpointFault::OtherSize));
        }
        untrusted += usize::from(key.is_none());
        before = Some(named);
        let root = checkpoint.root;
        roots.push(KnownRoot {
            size: named,
            root,
            which,
        });
    }
    Ok((roots, untrusted))
}

/// The entries so far.
struct Log<'m> {
    expected: Expected<'m>,
    size: u64,
    tree: Tree,
    roots: KnownRoots,
    contents: u64,
    first_without: Option<u64>,
}

impl<'m> Log<'m> {
    fn new(manifest: &'m Manifest, roots: Vec<KnownRoot>) -> Result<Self, Fault> {
        let mut log = Self {
            expected: Expected {
                tenant: &manifest.tenant,
                contents: manifest.contents,
            },
            size: manifest.size,
            tree: Tree::default(),
            roots: KnownRoots::new(roots),
            contents: 0,
            first_without: None,
        };
        log.roots.check(&log.tree)?;
        Ok(log)
    }

    /// Checks the lines of a file and appends their entries.
    fn append(&mut self, lines: &[&[u8]]) -> Result<(), Fault> {
        for line in lines {
            let seq = self.tree.size() + 1;
            let fault = |what| Fault::Entry { seq, what };
            if seq > self.size {
                return Err(fault(EntryFault::Added));
            }
            let entry = line::check(line, seq, self.expected).map_err(fault)?;
            self.tree.push(entry.leaf_hash, |_, _| {});
            if entry.has_content {
                self.contents += 1;
            } else {
                self.first_without = self.first_without.or(Some(seq));
            }
            self.roots.check(&self.tree)?;
        }
        Ok(())
    }

    fn end(&self) -> Result<(), Fault> {
        let (last, size) = (self.tree.size(), self.size);
        if last < size {
            Err(Fault::Missing { last, size })
        } else {
            Ok(())
        }
    }
}

/// The files of a bundle in their order.
struct Files<R> {
    tar: TarReader<R>,
    /// The header after the last older checkpoint.
    ahead: Option<Option<TarFile>>,
    /// The number of the next file of entries.
    chunk: u64,
    bytes: Vec<u8>,
}

impl<R: Read> Files<R> {
    fn new(bundle: R) -> Self {
        Self {
            tar: TarReader::new(bundle),
            ahead: None,
            chunk: 1,
            bytes: Vec::new(),
        }
    }

    fn next(&mut self, expected: &str) -> Result<Option<TarFile>, Fault> {
        match self.ahead.take() {
            Some(file) => Ok(file),
            None => self.tar.next().map_err(|error| Fault::container(expected, &error)),
        }
    }

    /// The file that must come next.
    fn fixed(&mut self, name: &str, most: u64) -> Result<Vec<u8>, Fault> {
        let file = self.next(name)?.filter(|file| file.name == name);
        let file = file.ok_or_else(|| Fault::damaged(name, "the file is missing or not in its place"))?;
        self.tar
            .bytes(&file, most)
            .map_err(|error| Fault::container(name, &error))
    }

    fn text(&mut self, name: &str) -> Result<String, Fault> {
        String::from_utf8(self.fixed(name, MAX_TEXT)?).map_err(|_| Fault::damaged(name, "the file is not UTF-8 text"))
    }

    /// The next older checkpoint: its size by its name, and its text.
    fn older(&mut self) -> Result<Option<(u64, String)>, Fault> {
        let file = self.next(&chunk_name(1))?;
        let size = file.as_ref().and_then(|file| {
            let size: u64 = file
                .name
                .strip_prefix("checkpoints/")?
                .strip_suffix(".txt")?
                .parse()
                .ok()?;
            (older_name(size) == file.name).then_some(size)
        });
        let Some(size) = size else {
            self.ahead = Some(file);
            return Ok(None);
        };
        self.ahead = Some(file);
        Ok(Some((size, self.text(&older_name(size))?)))
    }

    /// The lines of the next file of entries, or `None` at the bundle's end.
    fn chunk(&mut self) -> Result<Option<Vec<&[u8]>>, Fault> {
        let name = chunk_name(self.chunk);
        let Some(file) = self.next(&name)? else { return Ok(None) };
        self.ahead = Some(Some(file));
        self.bytes = self.fixed(&name, MAX_CHUNK_BYTES)?;
        self.chunk += 1;
        let lines = self.bytes.strip_suffix(b"\n");
        let lines = lines.ok_or_else(|| Fault::damaged(&name, "its last line has no end"))?;
        let lines: Vec<&[u8]> = lines.split(|byte| *byte == b'\n').collect();
        if lines.len() > MAX_CHUNK_LINES {
            return Err(Fault::damaged(&name, "the file has too many lines"));
        }
        Ok(Some(lines))
    }
}
