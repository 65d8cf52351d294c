//! The secret from which the service's keys are derived. Every node of a service must have the same one.

use anyhow::{Context, Result, bail};
use loopiq::context::Runtime;
use loopiq::domain::canonical::hex;
use sha2::{Digest as _, Sha256};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// The shortest secret that is taken, in characters.
const SHORTEST: usize = 32;

/// Where the secret comes from.
#[derive(Debug, Clone, clap::Args)]
pub struct SecretArgs {
    /// What keeps sign-ins under way secret: at least 32 random characters, the same for each node of a service. Better in the
    /// environment: other users of the machine see flags.
    #[arg(
        long,
        env = "LOOPIQ_SECRET_KEY",
        value_name = "SECRET",
        hide_env_values = true,
        conflicts_with = "secret_key_file"
    )]
    secret_key: Option<String>,
    /// The same from a file. Without either, it is made at the first start and kept in the data directory.
    #[arg(long, env = "LOOPIQ_SECRET_KEY_FILE", value_name = "FILE")]
    secret_key_file: Option<PathBuf>,
}

impl SecretArgs {
    /// The secret: the one that is set, else the one in the data directory, which is made if there is none.
    ///
    /// # Errors
    /// One line: it is too short, or the file cannot be read or written.
    pub fn secret(&self, data_dir: &Path, shared: bool, runtime: &Runtime) -> Result<[u8; 32]> {
        if let Some(secret) = &self.secret_key {
            return of(secret).context("LOOPIQ_SECRET_KEY (or --secret-key)");
        }
        if let Some(file) = &self.secret_key_file {
            return read(file);
        }
        let file = data_dir.join("secret-key");
        if shared {
            tracing::info!(
                file = %file.display(),
                "the key of sign-ins is this node's own; where several nodes share the database, give all of them the same \
                 LOOPIQ_SECRET_KEY_FILE"
            );
        }
        match read(&file) {
            Err(error) if is_missing(&error) => make(&file, runtime),
            outcome => outcome,
        }
    }
}

fn is_missing(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::NotFound)
}

fn read(file: &Path) -> Result<[u8; 32]> {
    let cannot = || format!("the secret key in {} cannot be used", file.display());
    let text = std::fs::read_to_string(file).with_context(cannot)?;
    of(&text).with_context(cannot)
}

/// Makes a secret and keeps it, for its owner alone.
fn make(file: &Path, runtime: &Runtime) -> Result<[u8; 32]> {
    let cannot = || format!("the secret key cannot be kept in {}", file.display());
    let secret = hex(&runtime.random::<32>());
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = match options.open(file) {
        // Another start was quicker.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return read(file),
        outcome => outcome.with_context(cannot)?,
    };
    opened
        .write_all(format!("{secret}\n").as_bytes())
        .and_then(|()| opened.sync_all())
        .with_context(cannot)?;
    of(&secret)
}

/// Any text that is long enough; the blanks around it are not part of it.
fn of(text: &str) -> Result<[u8; 32]> {
    let text = text.trim();
    if text.chars().count() < SHORTEST {
        bail!("it has fewer than {SHORTEST} characters");
    }
    Ok(Sha256::digest(text.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use loopiq::domain::Timestamp;

    fn args(key: Option<&str>, file: Option<PathBuf>) -> SecretArgs {
        SecretArgs {
            secret_key: key.map(str::to_owned),
            secret_key_file: file,
        }
    }

    #[test]
    fn it_is_made_once_for_its_owner_alone_and_a_setting_goes_before_it() {
        let temp = tempfile::tempdir().unwrap();
        let runtime = Runtime::new(|| Timestamp(0), |bytes| getrandom::fill(bytes).unwrap());
        let secret = |args: SecretArgs| args.secret(temp.path(), false, &runtime);
        let first = secret(args(None, None)).unwrap();
        let file = temp.path().join("secret-key");
        assert_eq!(secret(args(None, None)).unwrap(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(secret(args(None, Some(file.clone()))).unwrap(), first);

        let given = "a".repeat(32);
        let by_key = secret(args(Some(&given), None)).unwrap();
        assert_ne!(by_key, first);
        std::fs::write(temp.path().join("other"), format!("{given}\n")).unwrap();
        assert_eq!(secret(args(None, Some(temp.path().join("other")))).unwrap(), by_key);

        for refused in [
            secret(args(Some("short"), None)),
            secret(args(None, Some(temp.path().join("none")))),
        ] {
            let line = format!("{:#}", refused.unwrap_err());
            assert!(!line.contains("short\n"), "{line}");
        }
        std::fs::write(&file, "").unwrap();
        assert!(
            secret(args(None, None)).is_err(),
            "a damaged file is not replaced in silence"
        );
    }
}
