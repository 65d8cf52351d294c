//! Files that hold records or secrets: what this process makes is for its own account alone, and what was made otherwise is corrected.
//!
//! Modes are those of Unix; elsewhere a folder's own rights decide.

use std::io;
use std::path::Path;

/// A folder for the account alone.
const FOLDER: u32 = 0o700;
/// A file for the account alone.
const FILE: u32 = 0o600;

/// From here on nothing that this process makes can be used by other accounts: no file of its own, and none that a library makes for it,
/// such as SQLite's.
pub fn begin() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o777 & !FOLDER));
}

/// Makes a folder with those around it, unless it is there.
///
/// # Errors
/// It cannot be made.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, FOLDER);
    builder.create(folder)
}

/// Writes a file, whole or not at all. What stood under its name is replaced, and where that was a symbolic link, the link is.
///
/// # Errors
/// It cannot be written; what was there before is still there.
pub fn write(file: &Path, content: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = file.with_file_name(name);
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, FILE);
    options.open(&new)?.write_all(content)?;
    std::fs::rename(&new, file)
}

/// Takes away what other accounts may do with a folder of ours. One that is shared with others is left, as they would lose what is theirs.
pub fn correct_folder(folder: &Path) {
    #[cfg(unix)]
    unix::correct_folder(folder);
    #[cfg(not(unix))]
    let _ = folder;
}

/// Takes away what other accounts may do with a file of ours, if there is one under this name.
pub fn correct_file(file: &Path) {
    #[cfg(unix)]
    unix::correct_file(file);
    #[cfg(not(unix))]
    let _ = file;
}

#[cfg(unix)]
mod unix {
    use super::{FILE, FOLDER};
    use std::fs::{Metadata, Permissions};
    use std::io;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    const STICKY: u32 = 0o1000;
    /// What a file system puts into its topmost folder.
    const OF_THE_FILE_SYSTEM: &str = "lost+found";

    pub(super) fn correct_folder(folder: &Path) {
        // A link in this place was chosen with the setting; what lies behind it is the data directory.
        let Some(found) = found(folder, std::fs::metadata(folder)) else {
            return;
        };
        if narrowed(&found, FOLDER).is_none() {
            return;
        }
        if is_shared(folder, &found) {
            tracing::warn!(
                path = %folder.display(),
                mode = %octal(&found),
                "other accounts can look into the data directory, and it is left so, because others have folders there: give the service a \
                 directory of its own"
            );
            return;
        }
        correct(folder, &found, FOLDER);
    }

    pub(super) fn correct_file(file: &Path) {
        let Some(found) = found(file, std::fs::symlink_metadata(file)) else {
            return;
        };
        if found.is_file() {
            correct(file, &found, FILE);
        } else if found.is_symlink()
            // Where a link leads is not ours to change.
            && let Ok(target) = std::fs::metadata(file)
            && narrowed(&target, FILE).is_some()
        {
            tracing::warn!(
                path = %file.display(),
                mode = %octal(&target),
                "this is a symbolic link to a file that other accounts can use; the mode of that file is left as it is"
            );
        }
    }

    fn correct(path: &Path, found: &Metadata, allowed: u32) {
        let Some(mode) = narrowed(found, allowed) else {
            return;
        };
        match std::fs::set_permissions(path, Permissions::from_mode(mode)) {
            Ok(()) => tracing::warn!(
                path = %path.display(),
                was = %octal(found),
                is = %format!("{mode:04o}"),
                "other accounts could use this; the mode was corrected"
            ),
            Err(error) => tracing::warn!(
                path = %path.display(),
                mode = %octal(found),
                %error,
                "other accounts can use this, and the mode cannot be corrected"
            ),
        }
    }

    fn found(path: &Path, metadata: io::Result<Metadata>) -> Option<Metadata> {
        match metadata {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "whether other accounts can use this cannot be found out");
                None
            }
        }
    }

    /// The mode without what it allows beyond this; `None` if it allows no more.
    fn narrowed(found: &Metadata, allowed: u32) -> Option<u32> {
        let mode = found.permissions().mode() & 0o777;
        (mode & !allowed != 0).then_some(mode & allowed)
    }

    /// Whether the folder is a place for many, such as `/tmp` or a home: everybody may write there, or it has folders that the service
    /// never makes.
    fn is_shared(folder: &Path, found: &Metadata) -> bool {
        let is_folder = |entry: io::Result<std::fs::DirEntry>| {
            entry.is_ok_and(|entry| {
                entry.file_type().is_ok_and(|kind| kind.is_dir()) && entry.file_name() != OF_THE_FILE_SYSTEM
            })
        };
        found.permissions().mode() & STICKY != 0
            || std::fs::read_dir(folder).is_ok_and(|mut entries| entries.any(is_folder))
    }

    fn octal(found: &Metadata) -> String {
        format!("{:04o}", found.permissions().mode() & 0o7777)
    }
}
