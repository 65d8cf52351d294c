//! The secret from which the service derives its keys. All nodes of a service need the same secret.

use crate::installation::Installation;
use crate::secret::{self, SecretArgs, SecretSource, secret_setting};
use anyhow::{Context, Result, bail};
use loopiq::context::Runtime;
use loopiq::domain::canonical::hex;
use sha2::{Digest as _, Sha256};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// The minimum length of a secret, in characters. A shorter one is refused.
const MIN_CHARACTERS: usize = 32;
/// The name of the file in the data directory.
const FILE: &str = "secret-key";

secret_setting! {
    /// The secret from which the service derives its keys.
    SecretKey, "secret-key", "LOOPIQ_SECRET_KEY", "SECRET",
    "Encrypts the cookies of unfinished sign-ins, and is the key of the digests of sessions and tokens: at least 32 random characters, the same \
     for each node of a service. Prefer the environment variable or a file: other users of the machine can read flags",
    "A file that contains this secret, for its owner or group only. Default: `secret-key` in the data directory, which the first start creates"
}

/// The source of the secret.
#[derive(Debug, Clone, clap::Args)]
pub struct SecretKeyArgs {
    #[command(flatten)]
    secret_key: SecretArgs<SecretKey>,
}

impl SecretKeyArgs {
    /// The secret of an installation, as [`secret`](Self::secret).
    ///
    /// # Errors
    /// As [`secret`](Self::secret).
    pub fn of(&self, installation: &Installation, runtime: &Runtime) -> Result<[u8; 32]> {
        self.secret(&installation.data_dir, installation.file()?.is_none(), runtime)
    }

    /// The secret from the settings, else from the data directory; `None` if the next start of the service creates it there. Creates nothing.
    ///
    /// # Errors
    /// As [`secret`](Self::secret).
    pub fn existing(&self, data_dir: &Path) -> Result<Option<[u8; 32]>> {
        match self.secret_key.source()? {
            Some(SecretSource::Text(secret)) => from_text(secret.expose())
                .with_context(SecretArgs::<SecretKey>::name)
                .map(Some),
            Some(SecretSource::File(file)) => read(file).map(Some),
            None => match read(&data_dir.join(FILE)) {
                Err(error) if secret::is_missing(&error) => Ok(None),
                secret => secret.map(Some),
            },
        }
    }

    /// The secret from the settings, else from the data directory, where a missing one is created. `shared_database` says that other nodes
    /// may use the same database.
    ///
    /// # Errors
    /// One line: the secret is too short, or its file cannot be read or written.
    pub fn secret(&self, data_dir: &Path, shared_database: bool, runtime: &Runtime) -> Result<[u8; 32]> {
        let file = data_dir.join(FILE);
        if shared_database && self.secret_key.source()?.is_none() {
            tracing::info!(
                file = %file.display(),
                "this node uses a secret key of its own; if several nodes share the database, give all of them the same LOOPIQ_SECRET_KEY_FILE"
            );
        }
        match self.existing(data_dir)? {
            Some(secret) => Ok(secret),
            None => create(&file, runtime),
        }
    }
}

fn read(file: &Path) -> Result<[u8; 32]> {
    let cannot = || format!("the secret key in {} cannot be used", file.display());
    let secret = secret::read_file(file).with_context(cannot)?;
    from_text(secret.expose()).with_context(cannot)
}

/// Creates a secret in a file that only its owner may read.
fn create(file: &Path, runtime: &Runtime) -> Result<[u8; 32]> {
    let cannot = || format!("the secret key cannot be written to {}", file.display());
    let secret = hex(&runtime.random::<32>());
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = match options.open(file) {
        // Another process has created the file in the meantime.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return read(file),
        outcome => outcome.with_context(cannot)?,
    };
    opened
        .write_all(format!("{secret}\n").as_bytes())
        .and_then(|()| opened.sync_all())
        .with_context(cannot)?;
    from_text(&secret)
}

/// Derives the secret from any text that is long enough. Surrounding white space is ignored.
fn from_text(text: &str) -> Result<[u8; 32]> {
    let text = text.trim();
    if text.chars().count() < MIN_CHARACTERS {
        bail!("it has fewer than {MIN_CHARACTERS} characters");
    }
    Ok(Sha256::digest(text.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use loopiq::domain::Timestamp;

    fn args(key: Option<&str>, file: Option<&Path>) -> SecretKeyArgs {
        let secret_key = match (key, file) {
            (Some(key), _) => SecretArgs::of_text(key),
            (None, Some(file)) => SecretArgs::of_file(file),
            (None, None) => SecretArgs::default(),
        };
        SecretKeyArgs { secret_key }
    }

    #[test]
    fn a_secret_is_created_once_for_its_owner_only_and_a_setting_has_precedence() {
        let temp = tempfile::tempdir().unwrap();
        let runtime = Runtime::new(|| Timestamp(0), |bytes| getrandom::fill(bytes).unwrap());
        let secret = |args: SecretKeyArgs| args.secret(temp.path(), false, &runtime);
        let first = secret(args(None, None)).unwrap();
        let file = temp.path().join("secret-key");
        assert_eq!(secret(args(None, None)).unwrap(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(secret(args(None, Some(&file))).unwrap(), first);

        let given = "a".repeat(32);
        let by_key = secret(args(Some(&given), None)).unwrap();
        assert_ne!(by_key, first);
        let other = temp.path().join("other");
        crate::file_permissions::write(&other, format!("{given}\n").as_bytes()).unwrap();
        assert_eq!(secret(args(None, Some(&other))).unwrap(), by_key);

        for refused in [
            secret(args(Some("short"), None)),
            secret(args(None, Some(&temp.path().join("none")))),
        ] {
            let line = format!("{:#}", refused.unwrap_err());
            assert!(!line.contains("short\n"), "{line}");
        }
        std::fs::write(&file, "").unwrap();
        assert!(
            secret(args(None, None)).is_err(),
            "a damaged file is not replaced silently"
        );
    }
}
