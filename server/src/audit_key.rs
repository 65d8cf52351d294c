//! The keys of the audit log: from a setting, or from a file in the data directory, which the first start creates.

use crate::file_permissions;
use crate::secret::{self, SecretArgs, SecretSource, secret_setting};
use anyhow::{Context, Result, bail};
use loopiq::context::Runtime;
use loopiq::log_keys::{KeyFile, LogKeys};
use loopiq_audit_log::SigningKey;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder of the last checkpoints, in the folder of the key file.
pub const CHECKPOINTS: &str = "audit-checkpoints";
/// The name of the file in the data directory.
const FILE: &str = "audit-key";

secret_setting! {
    /// The keys of the audit log.
    AuditKey, "audit-key", "LOOPIQ_AUDIT_KEY", "KEYS",
    "The keys that sign and seal the audit log, as in an `audit-key` file: one key in each line, the one that signs first. Prefer a file",
    "A file that contains these keys; with several nodes, a copy of one file. Default: `audit-key` in the data directory, which the first \
     start creates"
}

/// What to do about a missing key. `serve`, `check-config` and commands say the same.
fn missing(file: &Path) -> String {
    format!(
        "there is no key of the audit log at {}. If the log has entries, restore the key from your backup: without it nothing shows that the \
         entries are those that were written. A log without entries gets its key from the first start of `loopiq serve`. Nodes and commands \
         that share a database need the same LOOPIQ_AUDIT_KEY_FILE",
        file.display()
    )
}

/// The source of the keys. All nodes and commands of an installation need the same keys.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct AuditKeyArgs {
    #[command(flatten)]
    audit_key: SecretArgs<AuditKey>,
}

impl AuditKeyArgs {
    /// The file of the keys, or of the last checkpoints of keys from a setting.
    fn file(&self, data_dir: &Path) -> Result<PathBuf> {
        Ok(match self.audit_key.source()? {
            Some(SecretSource::File(file)) => file.to_owned(),
            _ => data_dir.join(FILE),
        })
    }

    /// The keys of an installation that has some.
    ///
    /// # Errors
    /// One line: there is no key, it cannot be read, or other accounts can read it.
    pub fn load(&self, data_dir: &Path) -> Result<LogKeys> {
        if let Some(SecretSource::Text(text)) = self.audit_key.source()? {
            return LogKeys::parse(text.expose())
                .with_context(|| format!("{} is not a key of the audit log", SecretArgs::<AuditKey>::name()));
        }
        let file = self.file(data_dir)?;
        load(&file)?.with_context(|| missing(&file))
    }

    /// Forgets the last checkpoints, for a log that begins again.
    ///
    /// # Errors
    /// One line: they cannot be removed.
    pub fn forget_checkpoints(&self, data_dir: &Path) -> Result<()> {
        let folder = checkpoints(&self.file(data_dir)?);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{} cannot be removed", folder.display()))
            }
            _ => Ok(()),
        }
    }

    /// The keys, or a new one if there is none. Call [`LogKeys::store`] on a new one when the start is certain. `url`: the service's URL, which
    /// names the key. `has_entries`: whether the log is not empty, so that a missing key is a loss.
    ///
    /// # Errors
    /// One line, see [`AuditKeyArgs::load`]; or the key is lost.
    pub fn load_or_new(&self, data_dir: &Path, url: &str, has_entries: bool, runtime: &Runtime) -> Result<KeysAtStart> {
        let file = self.file(data_dir)?;
        let is_default = self.audit_key.source()?.is_none();
        if !is_default || load(&file)?.is_some() {
            return self.load(data_dir).map(KeysAtStart::Found);
        }
        if has_entries {
            bail!(missing(&file));
        }
        let host = url.split_once("://").map_or(url, |(_, host)| host);
        let key = SigningKey::new(&format!("{host}/audit"), &runtime.random())?;
        Ok(KeysAtStart::New(
            LogKeys::new(key, []).stored_in(Arc::new(OnDisk(file))),
        ))
    }
}

/// The keys that a start of the service found or made.
pub enum KeysAtStart {
    /// Keys that were there.
    Found(LogKeys),
    /// A key that is not stored yet.
    New(LogKeys),
}

impl KeysAtStart {
    /// The keys.
    pub fn keys(&self) -> &LogKeys {
        let (Self::Found(keys) | Self::New(keys)) = self;
        keys
    }

    /// Whether the key is new.
    pub fn is_new(&self) -> bool {
        matches!(self, Self::New(_))
    }

    /// Stores a new key, and says what to do with it.
    ///
    /// # Errors
    /// One line: the file cannot be written.
    pub fn store(&self) -> Result<()> {
        let Self::New(keys) = self else { return Ok(()) };
        keys.store()
            .map_err(|why| anyhow::anyhow!("the key of the audit log cannot be stored: {why}"))?;
        tracing::info!(
            public_key = %keys.signing().public(),
            "the key of the audit log was created: keep a copy of the file audit-key in a safe place, and give the public key to your auditors"
        );
        Ok(())
    }
}

/// The keys in a file; `None` if there is no such file.
fn load(file: &Path) -> Result<Option<LogKeys>> {
    let cannot = || format!("the key of the audit log in {} cannot be used", file.display());
    let keys = match secret::read_file(file) {
        Err(error) if secret::is_missing(&error) => return Ok(None),
        keys => keys.with_context(cannot)?,
    };
    let keys = LogKeys::parse(keys.expose()).with_context(cannot)?;
    Ok(Some(keys.stored_in(Arc::new(OnDisk(file.to_owned())))))
}

/// The folder of the last checkpoints of each tenant: in the folder of the key file.
fn checkpoints(file: &Path) -> PathBuf {
    file.with_file_name(CHECKPOINTS)
}

/// The file of the keys.
struct OnDisk(PathBuf);

impl KeyFile for OnDisk {
    fn read(&self) -> Result<String, String> {
        std::fs::read_to_string(&self.0).map_err(|error| format!("{} cannot be read: {error}", self.0.display()))
    }

    fn write(&self, text: &str) -> Result<(), String> {
        file_permissions::write(&self.0, text.as_bytes())
            .map_err(|error| format!("{} cannot be written: {error}", self.0.display()))
    }

    fn last_note(&self, tenant: &str) -> Option<String> {
        std::fs::read_to_string(checkpoints(&self.0).join(tenant)).ok()
    }

    fn keep_note(&self, tenant: &str, note: &str) -> Result<(), String> {
        let folder = checkpoints(&self.0);
        file_permissions::create_dir(&folder)
            .and_then(|()| file_permissions::write(&folder.join(tenant), note.as_bytes()))
            .map_err(|error| format!("{} cannot be written: {error}", folder.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loopiq::domain::Timestamp;
    use loopiq_audit_log::Note;

    fn runtime() -> Runtime {
        Runtime::new(|| Timestamp(0), |bytes| getrandom::fill(bytes).unwrap())
    }

    #[test]
    fn a_key_is_created_once_and_a_lost_one_is_never_replaced() {
        let temp = tempfile::tempdir().unwrap();
        let args = AuditKeyArgs::default();
        assert!(format!("{:#}", args.load(temp.path()).err().unwrap()).contains("loopiq serve"));
        let create = |has_entries| {
            let url = "https://loopiq.example:8443";
            let found = args.load_or_new(temp.path(), url, has_entries, &runtime())?;
            found.store()?;
            anyhow::Ok(found.keys().clone())
        };
        let first = create(false).unwrap();
        assert_eq!(first.origin("acme"), "loopiq.example:8443/audit/acme");
        assert_eq!(create(true).unwrap().public(), first.public());
        assert_eq!(args.load(temp.path()).unwrap().public(), first.public());
        first.rotate(&[3; 32]).unwrap();
        assert_eq!(args.load(temp.path()).unwrap().public(), first.public());
        assert_eq!(first.public().len(), 2);

        // The last checkpoint is kept with the keys, for each tenant, and forgotten when the log begins again.
        let mut note =
            Note::new("loopiq.example:8443/audit/acme\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n".to_owned());
        note.sign(&first.signing());
        first.remember("acme", &note).unwrap();
        assert_eq!(
            args.load(temp.path()).unwrap().remembered("acme").map(|last| last.size),
            Some(7)
        );
        assert_eq!(first.remembered("globex"), None);
        args.forget_checkpoints(temp.path()).unwrap();
        assert_eq!(first.remembered("acme"), None);
        args.forget_checkpoints(temp.path()).unwrap();

        std::fs::remove_file(temp.path().join(FILE)).unwrap();
        let lost = format!("{:#}", create(true).err().unwrap());
        assert!(lost.contains("restore the key from your backup"), "{lost}");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let temp = tempfile::tempdir().unwrap();
        let args = AuditKeyArgs::default();
        let new = args.load_or_new(temp.path(), "http://127.0.0.1:3000", false, &runtime());
        new.unwrap().store().unwrap();
        let file = temp.path().join(FILE);
        let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        for (bits, refused) in [(0o640, false), (0o644, true), (0o604, true), (0o600, false)] {
            mode(bits);
            assert_eq!(args.load(temp.path()).is_err(), refused, "{bits:o}");
        }
        let secret = std::fs::read_to_string(&file).unwrap();
        for damaged in ["", "nonsense", &secret[..secret.len() - 9]] {
            std::fs::write(&file, damaged).unwrap();
            let line = format!("{:#}", args.load(temp.path()).err().unwrap());
            assert!(
                line.contains("audit-key") && (damaged.is_empty() || !line.contains(damaged)),
                "{line}"
            );
        }
        let given = |audit_key: &str| AuditKeyArgs {
            audit_key: SecretArgs::of_text(audit_key),
        };
        assert!(given(&secret).load(temp.path()).is_ok());
        assert!(given("nonsense").load(temp.path()).is_err());
    }
}
