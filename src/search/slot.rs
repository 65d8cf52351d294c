//! The folder of one process's index.
//!
//! Each process that serves from a data directory has a folder of its own, `search/1`, `search/2` and so on, and holds its lock. So a process
//! that starts before its predecessor has ended builds an index of its own, instead of waiting.

use super::files::private;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The name of the lock file in a folder.
const LOCK: &str = "lock";
/// The most processes with a folder.
const MOST: u32 = 64;

/// A folder that this process has locked until the value is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    folder: PathBuf,
    _lock: File,
}

impl Slot {
    /// Locks the first folder below `parent` that no other process uses, and removes the unused ones, because no process keeps them up to date.
    pub(super) fn acquire(parent: &Path) -> io::Result<Self> {
        private_folder(parent)?;
        let mut own = None;
        for number in 1..=MOST {
            own = try_lock(&parent.join(number.to_string()))?;
            if own.is_some() {
                break;
            }
        }
        let own =
            own.ok_or_else(|| io::Error::new(ErrorKind::ResourceBusy, "other processes use all of its folders"))?;
        for entry in std::fs::read_dir(parent)? {
            let folder = entry?.path();
            let is_slot = folder.file_name().and_then(|name| name.to_str()).is_some_and(is_number);
            if is_slot
                && folder != own.folder
                && let Some(_unused) = try_lock(&folder)?
            {
                std::fs::remove_dir_all(&folder)?;
            }
        }
        Ok(own)
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes the files of the index.
    pub(super) fn clear(&self) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name != LOCK) {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

fn is_number(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
}

/// Creates and locks a folder; `None` if another process has locked it.
fn try_lock(folder: &Path) -> io::Result<Option<Slot>> {
    private_folder(folder)?;
    let mut options = OpenOptions::new();
    let lock = private(options.write(true).create(true).truncate(false)).open(folder.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(Slot {
            folder: folder.to_owned(),
            _lock: lock,
        })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Creates a folder that only the service's account may use, or removes the permissions of other accounts from it and its files.
fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    #[cfg(unix)]
    {
        restrict(folder, 0o700)?;
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                restrict(&entry.path(), 0o600)?;
            }
        }
    }
    Ok(())
}

#[cfg(unix)]
fn restrict(path: &Path, allowed: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::symlink_metadata(path)?.permissions().mode() & 0o777;
    if mode & !allowed == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_has_a_folder_and_unused_ones_are_removed() {
        let temp = tempfile::tempdir().unwrap();
        let parent = temp.path().join("search");
        let one = Slot::acquire(&parent).unwrap();
        let two = Slot::acquire(&parent).unwrap();
        assert_eq!(
            (one.folder(), two.folder()),
            (parent.join("1").as_path(), parent.join("2").as_path())
        );
        std::fs::write(one.folder().join("kept"), "x").unwrap();
        drop(two);
        let three = Slot::acquire(&parent).unwrap();
        assert_eq!(three.folder(), parent.join("2"));
        drop(one);
        drop(three);
        let only = Slot::acquire(&parent).unwrap();
        assert_eq!(only.folder(), parent.join("1"));
        assert!(only.folder().join("kept").exists(), "an index is used again");
        assert!(!parent.join("2").exists());
        only.clear().unwrap();
        assert!(!only.folder().join("kept").exists());
        assert!(
            Slot::acquire(&parent).unwrap().folder().ends_with("2"),
            "the lock is still held"
        );
    }

    #[cfg(unix)]
    #[test]
    fn other_accounts_lose_their_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let temp = tempfile::tempdir().unwrap();
        let parent = temp.path().join("search");
        let open = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        drop(Slot::acquire(&parent).unwrap());
        let (folder, file) = (parent.join("1"), parent.join("1/lock"));
        open(&parent, 0o777);
        open(&folder, 0o755);
        open(&file, 0o644);
        drop(Slot::acquire(&parent).unwrap());
        assert_eq!([&parent, &folder, &file].map(|path| mode(path)), [0o700, 0o700, 0o600]);
    }
}
