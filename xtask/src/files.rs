//! Files: names by content, compression, and folders that are replaced atomically.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// File types that are compressed in advance. The server chooses the `.br` or `.gz` file next to the original by
/// `Accept-Encoding`.
const COMPRESSIBLE: [&str; 4] = ["js", "wasm", "css", "svg"];

/// A hash over inputs: equal keys mean that nothing has changed.
pub(crate) struct Key(Sha256);

impl Key {
    /// Starts with the source of this builder, so that a changed builder repeats every step.
    pub(crate) fn new(step: &str) -> Self {
        Self(Sha256::new())
            .with(include_bytes!("files.rs"))
            .with(include_bytes!("site.rs"))
            .with(step.as_bytes())
    }

    /// Adds bytes with their length, so that different inputs never give the same bytes.
    pub(crate) fn with(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds every file below a folder, by name and content. A missing folder adds nothing.
    pub(crate) fn with_tree(mut self, root: &Path) -> Result<Self> {
        for path in tree(root)? {
            self = self
                .with(path.to_string_lossy().as_bytes())
                .with(&read(&root.join(&path))?);
        }
        Ok(self)
    }

    /// The key as text.
    pub(crate) fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// The hash in a file's name: 16 hexadecimal digits.
pub(crate) fn content_hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))[..16].to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a file; the error names it.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a file and creates its folders; the error names it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// All files below a folder, relative to it and sorted; none if the folder is missing.
pub(crate) fn tree(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root)?.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Copies the files of a folder below another.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    for path in tree(from)? {
        write(&to.join(&path), &read(&from.join(&path))?)?;
    }
    Ok(())
}

/// Creates the content of a folder, unless it was made from the same inputs. The old content remains until the new
/// content is complete. Returns whether the content was made.
pub(crate) fn folder(dir: &Path, stamp: &Path, key: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<bool> {
    if dir.is_dir() && fs::read_to_string(stamp).is_ok_and(|made_from| made_from == key) {
        return Ok(false);
    }
    let (new, old) = (dir.with_extension("new"), dir.with_extension("old"));
    for left_over in [&new, &old] {
        remove(left_over)?;
    }
    fs::create_dir_all(&new).with_context(|| format!("cannot create {}", new.display()))?;
    make(&new)?;
    // Without the stamp, an interruption before the end only repeats the step.
    let _ = fs::remove_file(stamp);
    if dir.exists() {
        fs::rename(dir, &old).with_context(|| format!("cannot move {}", dir.display()))?;
    }
    fs::rename(&new, dir).with_context(|| format!("cannot move {}", new.display()))?;
    remove(&old)?;
    write(stamp, key.as_bytes())?;
    Ok(true)
}

fn remove(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    Ok(())
}

/// Writes a `.br` and a `.gz` for each compressible file. `brotli` is the quality, 0 to 11.
pub(crate) fn precompress(dir: &Path, brotli: u32) -> Result<()> {
    for path in tree(dir)? {
        if !path
            .extension()
            .is_some_and(|ext| COMPRESSIBLE.iter().any(|worth| ext == *worth))
        {
            continue;
        }
        let path = dir.join(path);
        let bytes = read(&path)?;
        for (suffix, packed) in [("br", brotli_of(&bytes, brotli)?), ("gz", gzip_of(&bytes)?)] {
            // A tiny file may grow, and is then not compressed.
            if packed.len() < bytes.len() {
                write(&with_suffix(&path, suffix), &packed)?;
            }
        }
    }
    Ok(())
}

/// `name.js` and `br` give `name.js.br`.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn brotli_of(bytes: &[u8], quality: u32) -> Result<Vec<u8>> {
    const BUFFER: usize = 64 * 1024;
    const WINDOW: u32 = 22; // 4 MiB, the largest that every browser takes
    let mut writer = brotli::CompressorWriter::new(Vec::new(), BUFFER, quality, WINDOW);
    writer.write_all(bytes)?;
    Ok(writer.into_inner())
}

fn gzip_of(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_folder_is_made_once_per_key_and_kept_when_making_fails() {
        let temp = tempfile::tempdir().unwrap();
        let (dir, stamp) = (temp.path().join("part"), temp.path().join("part.stamp"));
        let make = |text: &'static str| move |new: &Path| write(&new.join(text), b"x");

        assert!(folder(&dir, &stamp, "1", make("one")).unwrap());
        assert!(!folder(&dir, &stamp, "1", make("never")).unwrap());
        assert!(folder(&dir, &stamp, "2", |_| anyhow::bail!("broken")).is_err());
        assert_eq!(tree(&dir).unwrap(), [PathBuf::from("one")], "the old content stays");
        assert!(folder(&dir, &stamp, "2", make("two")).unwrap());
        assert_eq!(tree(&dir).unwrap(), [PathBuf::from("two")], "nothing old is left");

        fs::remove_dir_all(&dir).unwrap();
        assert!(
            folder(&dir, &stamp, "2", make("two")).unwrap(),
            "a lost folder is made again"
        );
    }

    #[test]
    fn compressed_files_hold_the_same_bytes_and_small_ones_are_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        let text = "body { color: red }\n".repeat(100);
        write(&temp.path().join("a.css"), text.as_bytes()).unwrap();
        write(&temp.path().join("b.css"), b"x").unwrap();
        write(&temp.path().join("c.png"), text.as_bytes()).unwrap();
        precompress(temp.path(), 5).unwrap();
        let names: Vec<_> = tree(temp.path())
            .unwrap()
            .iter()
            .map(|p| p.display().to_string())
            .collect();
        assert_eq!(names, ["a.css", "a.css.br", "a.css.gz", "b.css", "c.png"]);

        let (mut br, mut gz) = (String::new(), String::new());
        let packed = read(&temp.path().join("a.css.br")).unwrap();
        brotli::Decompressor::new(&packed[..], 4096)
            .read_to_string(&mut br)
            .unwrap();
        let packed = read(&temp.path().join("a.css.gz")).unwrap();
        flate2::read::GzDecoder::new(&packed[..])
            .read_to_string(&mut gz)
            .unwrap();
        assert!(br == text && gz == text);
    }

    #[test]
    fn keys_tell_inputs_apart() {
        let key = |a: &[u8], b: &[u8]| Key::new("step").with(a).with(b).finish();
        assert_eq!(key(b"ab", b"c"), key(b"ab", b"c"));
        assert_ne!(key(b"ab", b"c"), key(b"a", b"bc"));
        assert_eq!(content_hash(b"").len(), 16);
    }
}
