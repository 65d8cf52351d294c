//! Permissions of files that hold records or secrets: only the service's account may use them.
//!
//! The modes are those of Unix. On other systems the folder's own access rights apply.

use std::io;
use std::path::Path;

/// The mode of a folder that only its owner may use.
const FOLDER: u32 = 0o700;
/// The mode of a file that only its owner may use.
const FILE: u32 = 0o600;

/// Sets the process's umask, so that other accounts cannot use any file that this process or one of its libraries, such as SQLite, creates.
pub fn set_umask() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o777 & !FOLDER));
}

/// Creates a folder and its missing parents.
///
/// # Errors
/// The folder cannot be created.
pub fn create_dir(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, FOLDER);
    builder.create(folder)
}

/// Writes a file atomically. An existing file of this name is replaced; of a symbolic link, the link itself.
///
/// # Errors
/// The file cannot be written. An existing file is unchanged then.
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

/// Whether accounts outside the file's group can read, write or run it.
pub fn others_can_use(file: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o007 != 0;
    #[cfg(not(unix))]
    return {
        let _ = file;
        false
    };
}

/// How a folder of the service is open to other accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// The service removes the permissions at its next start. The mode of today.
    Corrected(u32),
    /// The folder has other programs' folders too, so the service leaves the mode as it is.
    Shared(u32),
}

/// How a folder is open to other accounts; `None` if it is not, or if there is no such folder. `own` are the subfolders that the service
/// creates.
///
/// # Errors
/// The folder cannot be examined.
pub fn exposure(folder: &Path, own: &[&str]) -> io::Result<Option<Exposure>> {
    #[cfg(unix)]
    return unix::exposure(folder, own);
    #[cfg(not(unix))]
    return Ok((folder, own)).map(|_| None);
}

/// Whether this process may write a file, or create files in a folder. Writes nothing.
///
/// # Errors
/// It may not, or there is no such file.
pub fn writable(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    return unix::writable(path);
    #[cfg(not(unix))]
    return path.metadata().map(|_| ());
}

/// Removes the permissions of other accounts on a folder. A folder that other accounts also use is left as it is, because they would lose
/// access to their own files. `own` are the subfolders that the service creates.
pub fn restrict_dir(folder: &Path, own: &[&str]) {
    #[cfg(unix)]
    unix::restrict_dir(folder, own);
    #[cfg(not(unix))]
    let _ = (folder, own);
}

/// Removes the permissions of other accounts on a file, if the file exists.
pub fn restrict_file(file: &Path) {
    #[cfg(unix)]
    unix::restrict_file(file);
    #[cfg(not(unix))]
    let _ = file;
}

#[cfg(unix)]
mod unix {
    use super::{Exposure, FILE, FOLDER};
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    use std::fs::{Metadata, Permissions};
    use std::io;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    const STICKY: u32 = 0o1000;
    /// A folder that file systems create in their root.
    const LOST_AND_FOUND: &str = "lost+found";

    pub(super) fn restrict_dir(folder: &Path, own: &[&str]) {
        // `metadata` follows a link: an operator may set the data directory to one.
        let Some(found) = found(folder, std::fs::metadata(folder)) else {
            return;
        };
        match exposed(folder, &found, own) {
            None => {}
            Some(Exposure::Corrected(_)) => set_mode(folder, &found, FOLDER),
            Some(Exposure::Shared(_)) => tracing::warn!(
                path = %folder.display(),
                mode = %octal(&found),
                "other accounts can read the data directory; its mode was not changed, because it contains folders of other programs: give the \
                 service a directory of its own"
            ),
        }
    }

    pub(super) fn exposure(folder: &Path, own: &[&str]) -> io::Result<Option<Exposure>> {
        match std::fs::metadata(folder) {
            Ok(found) => Ok(exposed(folder, &found, own)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn exposed(folder: &Path, found: &Metadata, own: &[&str]) -> Option<Exposure> {
        narrowed(found, FOLDER)?;
        let mode = found.permissions().mode() & 0o7777;
        Some(if is_shared(folder, found, own) {
            Exposure::Shared(mode)
        } else {
            Exposure::Corrected(mode)
        })
    }

    pub(super) fn writable(path: &Path) -> io::Result<()> {
        let folder = path.metadata()?.is_dir();
        let wanted = if folder {
            Access::WRITE_OK | Access::EXEC_OK
        } else {
            Access::WRITE_OK
        };
        // With the rights that this process has now, not those of the account that started it.
        Ok(accessat(CWD, path, wanted, AtFlags::EACCESS)?)
    }

    pub(super) fn restrict_file(file: &Path) {
        let Some(found) = found(file, std::fs::symlink_metadata(file)) else {
            return;
        };
        if found.is_file() {
            set_mode(file, &found, FILE);
        } else if found.is_symlink()
            // The link's target may belong to another program, so its mode is not changed.
            && let Ok(target) = std::fs::metadata(file)
            && narrowed(&target, FILE).is_some()
        {
            tracing::warn!(
                path = %file.display(),
                mode = %octal(&target),
                "this is a symbolic link to a file that other accounts can use; the file's mode was not changed"
            );
        }
    }

    fn set_mode(path: &Path, found: &Metadata, allowed: u32) {
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
                tracing::warn!(path = %path.display(), %error, "cannot determine whether other accounts can use this");
                None
            }
        }
    }

    /// The mode reduced to `allowed`; `None` if it allows no more than that.
    fn narrowed(found: &Metadata, allowed: u32) -> Option<u32> {
        let mode = found.permissions().mode() & 0o777;
        (mode & !allowed != 0).then_some(mode & allowed)
    }

    /// Whether other programs use the folder too, as with `/tmp` or a home directory: it has the sticky bit, or subfolders that the service
    /// does not create.
    fn is_shared(folder: &Path, found: &Metadata, own: &[&str]) -> bool {
        let is_foreign = |entry: io::Result<std::fs::DirEntry>| {
            entry.is_ok_and(|entry| {
                let name = entry.file_name();
                let is_known = name == LOST_AND_FOUND || own.iter().any(|own| name == *own);
                entry.file_type().is_ok_and(|kind| kind.is_dir()) && !is_known
            })
        };
        found.permissions().mode() & STICKY != 0
            || std::fs::read_dir(folder).is_ok_and(|mut entries| entries.any(is_foreign))
    }

    fn octal(found: &Metadata) -> String {
        format!("{:04o}", found.permissions().mode() & 0o7777)
    }
}
