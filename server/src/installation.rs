//! An installation: a data directory and a database, opened as a demo or as production.

use crate::audit_key::{AuditKeyArgs, CHECKPOINTS};
use crate::file_permissions;
use crate::secret::{SecretArgs, secret_setting};
use anyhow::{Context, Result, bail};
use clap::Args;
use loopiq::context::Runtime;
use loopiq::domain::InstallationKind;
use loopiq::store::Store;
use openidconnect::url::Url;
use std::path::{Path, PathBuf};

/// The folder of the search indexes in the data directory.
const SEARCH: &str = "search";
/// The folders that the service creates in the data directory.
pub(crate) const OWN_FOLDERS: [&str; 2] = [SEARCH, CHECKPOINTS];

secret_setting! {
    /// The database's URL, which may contain a password.
    pub DatabaseUrl, "database-url", "LOOPIQ_DATABASE_URL", "URL",
    "The database: `sqlite://FILE`, or `postgres://USER:PASSWORD@HOST/DATABASE` with the service's own role, which owns no table. \
     Default: `loopiq.db` in the data directory",
    "A file that contains the database's URL, for its owner or group only"
}

/// Which installation a command uses.
#[derive(Debug, Clone, Args)]
pub struct Installation {
    /// The directory of the installation's files.
    #[arg(long, env = "LOOPIQ_DATA_DIR", default_value = "./loopiq-data", value_name = "DIR")]
    pub data_dir: PathBuf,
    /// The database's URL. Default: `loopiq.db` in the data directory.
    #[command(flatten)]
    pub database_url: SecretArgs<DatabaseUrl>,
    /// The keys of the audit log.
    #[command(flatten)]
    pub audit_key: AuditKeyArgs,
}

impl Installation {
    /// The database's URL, in the form that the store accepts.
    ///
    /// # Errors
    /// One line that says which database cannot be used, and why.
    pub fn url(&self) -> Result<String> {
        match self.database_url.read()? {
            None => sqlite_url(&self.data_dir.join("loopiq.db")),
            Some(url) => database_url(url.expose()),
        }
    }

    /// The database's URL for a command that changes nothing: SQLite opens the file for reading only. Without a write-ahead log no program has
    /// the file open, and SQLite would create a log to read it, unless the URL says that no program changes the file.
    ///
    /// # Errors
    /// As [`url`](Self::url).
    pub fn read_only_url(&self) -> Result<String> {
        let url = self.url()?;
        let Some(file) = self.file()? else { return Ok(url) };
        let mut log = file.into_os_string();
        log.push("-wal");
        let path = url.split('?').next().unwrap_or_default();
        let immutable = if Path::new(&log).exists() { "" } else { "&immutable=1" };
        Ok(format!("{path}?mode=ro{immutable}"))
    }

    /// The database's file; `None` for a database server.
    ///
    /// # Errors
    /// One line: the file with the database's URL cannot be used.
    pub fn file(&self) -> Result<Option<PathBuf>> {
        Ok(match self.database_url.read()? {
            None => Some(self.data_dir.join("loopiq.db")),
            Some(url) => sqlite_file(url.expose()),
        })
    }

    /// The folder of the search indexes. They are built from the database, so a backup needs none of them.
    pub fn search_folder(&self) -> PathBuf {
        self.data_dir.join(SEARCH)
    }

    /// The installation's name in messages. Never a URL, which may contain a password.
    pub fn name(&self) -> String {
        match self.file() {
            Ok(Some(file)) => file.display().to_string(),
            _ => "the database of LOOPIQ_DATABASE_URL".to_owned(),
        }
    }

    /// Creates the data directory if it is missing, for its owner only, and checks that it is writable.
    ///
    /// # Errors
    /// One line that names the directory.
    pub fn prepare(&self) -> Result<()> {
        let dir = &self.data_dir;
        let cannot = || format!("the data directory {} cannot be written", dir.display());
        file_permissions::create_dir(dir).with_context(cannot)?;
        self.restrict_permissions();
        let probe = dir.join(".probe");
        file_permissions::write(&probe, b"").with_context(cannot)?;
        std::fs::remove_file(&probe).with_context(cannot)
    }

    /// Removes the permissions of other accounts on the installation's files. Call it before the database is opened: SQLite gives its WAL
    /// and journal files the mode that the database file has then.
    pub fn restrict_permissions(&self) {
        file_permissions::restrict_dir(&self.data_dir, &OWN_FOLDERS);
        file_permissions::restrict_file(&demo_url_file(&self.data_dir));
        self.restrict_database_permissions();
    }

    /// Removes the permissions of other accounts on the database's files only.
    pub fn restrict_database_permissions(&self) {
        let Ok(Some(database)) = self.file() else { return };
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut file = database.clone().into_os_string();
            file.push(suffix);
            file_permissions::restrict_file(Path::new(&file));
        }
    }

    /// Fails if the installation does not exist. Without this check a mistyped path would create an empty installation.
    ///
    /// # Errors
    /// One line that names the missing file.
    pub fn must_exist(&self) -> Result<()> {
        match self.file()? {
            Some(file) if !file.is_file() => {
                bail!(
                    "there is no installation at {}: start `loopiq serve` there first",
                    file.display()
                )
            }
            _ => Ok(()),
        }
    }

    /// Opens the database of an installation that exists.
    ///
    /// # Errors
    /// There is no installation, its database cannot be opened, or [`require_tenant_isolation`] fails.
    pub async fn open(&self) -> Result<Store> {
        self.must_exist()?;
        self.restrict_permissions();
        let store = Store::open(&self.url()?).await?;
        require_tenant_isolation(&store, false).await?;
        Ok(store)
    }

    /// The runtime with the keys of the installation's audit log.
    ///
    /// # Errors
    /// One line: the keys are missing or cannot be used.
    pub fn with_log_keys(&self, runtime: &Runtime) -> Result<Runtime> {
        Ok(runtime.clone().with_log_keys(self.audit_key.load(&self.data_dir)?))
    }

    /// Starts the service as a demo or as production. The first start decides this permanently; a start as the other kind is refused before
    /// it writes anything.
    ///
    /// # Errors
    /// One line that says what the installation is and where to start instead.
    pub async fn start_as(&self, store: &Store, demo: bool, runtime: &Runtime) -> Result<()> {
        let wanted = if demo {
            InstallationKind::Demo
        } else {
            InstallationKind::Production
        };
        // Read first: `decide_installation` writes.
        let decided = match store.installation().await? {
            Some(decided) => decided,
            None => store.decide_installation(wanted, runtime.now()).await?,
        };
        self.must_be_of_kind(wanted, decided)
    }

    /// Fails if the installation was started as the other kind. Writes nothing.
    ///
    /// # Errors
    /// One line that says what the installation is and where to start instead.
    pub async fn must_be(&self, store: &Store, demo: bool) -> Result<()> {
        let wanted = if demo {
            InstallationKind::Demo
        } else {
            InstallationKind::Production
        };
        self.must_be_of_kind(wanted, store.installation().await?.unwrap_or(wanted))
    }

    fn must_be_of_kind(&self, wanted: InstallationKind, decided: InstallationKind) -> Result<()> {
        let name = self.name();
        match (wanted, decided) {
            (InstallationKind::Production, InstallationKind::Demo) => bail!(
                "{name} holds a demo, whose people sign in without a password, so it is never served as production; nothing was changed. \
                 Start it with --demo, or give this service a database of its own: --data-dir DIR or LOOPIQ_DATABASE_URL"
            ),
            (InstallationKind::Demo, InstallationKind::Production) => bail!(
                "{name} holds a production installation, which is never served as a demo; nothing was changed. Start it without --demo, or \
                 give the demo a database of its own: --data-dir DIR or LOOPIQ_DATABASE_URL"
            ),
            _ => Ok(()),
        }
    }

    /// Fails unless the installation is a demo. Only a demo gives out tokens without authentication.
    ///
    /// # Errors
    /// One line that names the installation.
    pub async fn must_be_demo(&self, store: &Store) -> Result<()> {
        match store.installation().await? {
            Some(InstallationKind::Demo) => Ok(()),
            _ => bail!(
                "{} is not a demo: tokens are printed only for an installation that was started with --demo",
                self.name()
            ),
        }
    }
}

/// Logs a warning if the installation has no tenant, because no person can sign in then.
///
/// # Errors
/// The database cannot be read.
pub async fn warn_if_empty(store: &Store) -> Result<()> {
    if store.tenants().await?.is_empty() {
        tracing::warn!(
            "No tenant exists yet, so no person can sign in. `loopiq tenant create KEY --name NAME` creates one"
        );
    }
    Ok(())
}

/// Fails if the database's role bypasses row-level security, which isolates tenants. In a demo it only logs a warning: the records there
/// belong to no real tenant.
///
/// # Errors
/// One line that says how to correct the role.
pub async fn require_tenant_isolation(store: &Store, demo: bool) -> Result<()> {
    if !store.bypasses_row_security() {
        return Ok(());
    }
    let why = "the database's role owns the tables or bypasses row-level security, or can become a role that does, so PostgreSQL would not \
               isolate tenants if a query forgot to; let LOOPIQ_DATABASE_URL name a role of its own, and run `loopiq schema upgrade`";
    if demo || store.installation().await? == Some(InstallationKind::Demo) {
        tracing::warn!("{why}");
        return Ok(());
    }
    bail!("{why}");
}

/// The file in which a demo leaves the public URL of its last start. Whether the installation is a demo is decided by its database, not by
/// this file.
pub(crate) fn demo_url_file(data_dir: &Path) -> PathBuf {
    data_dir.join("demo-url")
}

/// The public URL of the last start of the demo in this data directory.
pub fn demo_url(data_dir: &Path) -> Option<String> {
    let text = std::fs::read_to_string(demo_url_file(data_dir)).ok()?;
    Some(text.trim().to_owned()).filter(|url| !url.is_empty())
}

/// A database's URL, in the form that the store accepts.
///
/// # Errors
/// One line that says what is wrong. Never the URL itself, which may contain a password.
pub fn database_url(url: &str) -> Result<String> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        const ENCODE: &str = "a character of the user name or password has to be percent-encoded: @ as %40, / as %2F, # as %23, ? as %3F";
        // A character that ends the part before the host leaves an @ in the rest.
        let ends_early = |url: &Url| url.path().contains('@') || url.fragment().is_some_and(|part| part.contains('@'));
        return match Url::parse(url) {
            Ok(parsed) if ends_early(&parsed) && parsed.username().is_empty() => {
                bail!("the database URL has an @ after the host; probably {ENCODE}")
            }
            Ok(_) => Ok(url.to_owned()),
            Err(_) if url.contains('@') => {
                bail!("the database URL is not a URL; use postgres://USER:PASSWORD@HOST/DATABASE. Probably {ENCODE}")
            }
            Err(error) => bail!("the database URL is not a URL ({error}); use postgres://USER:PASSWORD@HOST/DATABASE"),
        };
    }
    let Some(file) = url.strip_prefix("sqlite:").map(|rest| rest.trim_start_matches("//")) else {
        bail!("the database URL has an unknown scheme; use sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE");
    };
    if file.is_empty() || file.contains(":memory:") || file.contains("mode=memory") {
        bail!("a database in memory is lost at the end of the process and cannot be shared; use sqlite://FILE");
    }
    Ok(if file.contains('?') {
        url.to_owned()
    } else {
        format!("{url}?mode=rwc")
    })
}

/// The file of a SQLite database's URL; `None` for a database server.
fn sqlite_file(url: &str) -> Option<PathBuf> {
    let file = url.strip_prefix("sqlite:")?.trim_start_matches("//");
    let file = file.split('?').next().unwrap_or_default();
    let file = percent_encoding::percent_decode_str(file).decode_utf8().ok()?;
    Some(PathBuf::from(file.as_ref()))
}

/// The URL of a database file. SQLx decodes percent signs in the path, so characters with a meaning in URLs are encoded.
fn sqlite_url(file: &Path) -> Result<String> {
    let Some(path) = file.to_str() else {
        bail!("the path {} is not UTF-8", file.display())
    };
    let path = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok(format!("sqlite://{path}?mode=rwc"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(dir: &str, url: Option<&str>) -> Installation {
        Installation {
            data_dir: dir.into(),
            database_url: url.map(SecretArgs::of_text).unwrap_or_default(),
            audit_key: AuditKeyArgs::default(),
        }
    }

    #[test]
    fn a_database_url_is_built_accepted_or_refused() {
        assert_eq!(at("/x", None).url().unwrap(), "sqlite:///x/loopiq.db?mode=rwc");
        assert_eq!(
            at("/50% ?#", None).url().unwrap(),
            "sqlite:///50%25 %3F%23/loopiq.db?mode=rwc"
        );
        assert_eq!(
            at("/x", Some("sqlite:///y.db")).url().unwrap(),
            "sqlite:///y.db?mode=rwc"
        );
        assert_eq!(
            at("/x", Some("sqlite:///y.db?mode=rw")).url().unwrap(),
            "sqlite:///y.db?mode=rw"
        );
        assert_eq!(
            at("/x", Some("postgres://u:p@h/d")).url().unwrap(),
            "postgres://u:p@h/d"
        );
        assert_eq!(at("/x", Some("postgres://u:p@h/d")).file().unwrap(), None);
        assert_eq!(
            at("/x", Some("sqlite:///50%25%20y.db?mode=rw")).file().unwrap(),
            Some("/50% y.db".into())
        );
        for refused in [
            "",
            "postgres://u:secret@h:port/d",
            "mysql://h/d",
            "sqlite::memory:",
            "sqlite:",
            "/plain/path",
        ] {
            let line = at("/x", Some(refused)).url().unwrap_err().to_string();
            assert!(!line.contains("secret") && !line.contains('\n'), "{line}");
        }
    }
}
