//! Reads the files of a catalog from paths and folders.

use anyhow::{Context, Result, bail};
use loopiq::catalog::{LARGEST_FILE, LARGEST_SET, MOST_FILES, SourceFile};
use std::path::{Path, PathBuf};

/// The deepest folder below a path of the command line.
const DEEPEST: usize = 20;

/// Reads the files, in the order of the command line; the files of a folder in the order of their names.
///
/// # Errors
/// A path does not exist or cannot be read, a folder has no YAML files, or there is too much.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<SourceFile>> {
    let mut found = Vec::new();
    for path in paths {
        let before = found.len();
        let cannot = || format!("{} cannot be read", path.display());
        if std::fs::metadata(path).with_context(cannot)?.is_dir() {
            walk(path, 0, &mut found)?;
            if found.len() == before {
                bail!("{} has no files that end with .yaml or .yml", path.display());
            }
        } else {
            found.push(path.clone());
        }
    }
    let (mut files, mut total) = (Vec::with_capacity(found.len()), 0);
    for path in found {
        let cannot = || format!("{} cannot be read", path.display());
        let size = std::fs::metadata(&path).with_context(cannot)?.len();
        if size > LARGEST_FILE as u64 {
            bail!(
                "{} has {} KiB, and a file of a catalog has at most {} KiB; nothing was changed. Split it",
                path.display(),
                size / 1024,
                LARGEST_FILE / 1024
            );
        }
        let bytes = std::fs::read(&path).with_context(cannot)?;
        total += bytes.len();
        if total > LARGEST_SET {
            bail!(
                "the files have more than {} MiB; nothing was changed. Apply them in several parts",
                LARGEST_SET >> 20
            );
        }
        let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", path.display()))?;
        files.push(SourceFile {
            name: path.display().to_string(),
            text,
        });
    }
    Ok(files)
}

/// Adds the YAML files of a folder and of its folders. Hidden ones, and links to folders, are left out.
fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let cannot = || format!("{} cannot be read", folder.display());
    if depth > DEEPEST {
        bail!("{} is more than {DEEPEST} folders deep", folder.display());
    }
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .and_then(Iterator::collect::<std::io::Result<_>>)
        .with_context(cannot)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type().with_context(cannot)?.is_dir() {
            walk(&path, depth + 1, found)?;
        } else if path.extension().is_some_and(|end| end == "yaml" || end == "yml") && path.is_file() {
            if found.len() == MOST_FILES {
                bail!("there are more than {MOST_FILES} files; nothing was changed. Apply them in several parts");
            }
            found.push(path);
        }
    }
    Ok(())
}
