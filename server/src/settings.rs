//! The command line. Every setting is a flag and an environment variable `LOOPIQ_*`; the flag wins.

use crate::commands::{
    audit, backup, demo_marker, helix, import, migrate, policy, request, schema, serve, token, words,
};
use crate::private;
use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};

/// Governed actions: an agent's write is proposed, previewed, approved by a person, executed once and audited.
#[derive(Debug, Parser)]
#[command(name = "loopiq", version, about, arg_required_else_help = true)]
pub struct Cli {
    /// What is logged on stderr: `text` or `json`, and levels, such as `json,debug` or `info,loopiq=debug`.
    #[arg(
        long,
        global = true,
        env = "LOOPIQ_LOG",
        default_value = "info",
        value_name = "FORMAT,LEVELS"
    )]
    pub log: String,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service.
    Serve(Box<serve::Args>),
    /// Print a bearer token for an MCP client that acts for a person (demo only).
    Token(token::Args),
    /// Which words say nothing in a title, beside those that the service knows.
    Words(words::Args),
    /// Check a policy, show the one in force, switch another one on.
    #[command(subcommand)]
    Policy(policy::Command),
    /// See what operators have asked for and who can confirm it; ask for two accounts to be told apart or linked.
    #[command(subcommand)]
    Request(request::Command),
    /// Bring evidence and findings in from a file.
    Import(import::Args),
    /// Run the demo agent: a real MCP client without a language model.
    Helix(helix::Args),
    /// Copy a running SQLite installation into one file.
    Backup(backup::Args),
    /// Copy a whole installation into another, empty database.
    Migrate(migrate::Args),
    /// Look after the database's schema.
    #[command(subcommand)]
    Schema(schema::Command),
    /// Check the audit trail.
    #[command(subcommand)]
    Audit(audit::Command),
}

/// Which installation a command works on.
#[derive(Debug, Clone, Args)]
pub struct Installation {
    /// Where the installation keeps its files.
    #[arg(long, env = "LOOPIQ_DATA_DIR", default_value = "./loopiq-data", value_name = "DIR")]
    pub data_dir: PathBuf,
    /// Its database: `sqlite://FILE`, or `postgres://USER:PASSWORD@HOST/DATABASE` as the service's own role, which owns no table.
    /// Without it, `loopiq.db` in the data directory.
    #[arg(long, env = "LOOPIQ_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
}

impl Installation {
    /// The database's URL, as the store takes it.
    ///
    /// # Errors
    /// One line that says which database cannot be used, and why.
    pub fn url(&self) -> Result<String> {
        let Some(url) = &self.database_url else {
            return sqlite_url(&self.data_dir.join("loopiq.db"));
        };
        database_url(url)
    }

    /// The database's file, where it has one.
    pub fn file(&self) -> Option<PathBuf> {
        match &self.database_url {
            None => Some(self.data_dir.join("loopiq.db")),
            Some(url) => {
                // A server has no file.
                let file = url.strip_prefix("sqlite:")?.trim_start_matches("//");
                let file = file.split('?').next().unwrap_or_default();
                percent_encoding::percent_decode_str(file)
                    .decode_utf8()
                    .ok()
                    .map(|file| PathBuf::from(file.as_ref()))
            }
        }
    }

    /// What messages call it: its file, or that it is a server; never a URL, which may hold a password.
    pub fn name(&self) -> String {
        match self.file() {
            Some(file) => file.display().to_string(),
            None => "the database of LOOPIQ_DATABASE_URL".to_owned(),
        }
    }

    /// Makes the data directory if there is none, for its owner alone, and proves that it can be written.
    ///
    /// # Errors
    /// One line that names the directory.
    pub fn prepare(&self) -> Result<()> {
        let dir = &self.data_dir;
        let cannot = || format!("the data directory {} cannot be written", dir.display());
        private::make_folder(dir).with_context(cannot)?;
        self.protect();
        let probe = dir.join(".probe");
        private::write(&probe, b"").with_context(cannot)?;
        std::fs::remove_file(&probe).with_context(cannot)
    }

    /// Takes away what other accounts may do with the installation's files, before the database is opened: what SQLite puts beside it gets
    /// the mode that the database has then.
    pub fn protect(&self) {
        private::correct_folder(&self.data_dir);
        private::correct_file(&demo_marker(&self.data_dir));
        self.protect_database();
    }

    /// The same for the database's own files alone.
    pub fn protect_database(&self) {
        let Some(database) = self.file() else { return };
        for beside in ["", "-wal", "-shm", "-journal"] {
            let mut file = database.clone().into_os_string();
            file.push(beside);
            private::correct_file(Path::new(&file));
        }
    }

    /// Fails where nothing is installed yet: a command beside the service must not make an empty installation by a
    /// typing error.
    ///
    /// # Errors
    /// One line that says where nothing was found.
    pub fn must_exist(&self) -> Result<()> {
        match self.file() {
            Some(file) if !file.is_file() => {
                bail!(
                    "there is no installation at {}: start `loopiq serve` there first",
                    file.display()
                )
            }
            _ => Ok(()),
        }
    }
}

/// A database's URL as the store takes it.
///
/// # Errors
/// One line that says what does not fit; never the URL itself, which may hold a password.
pub fn database_url(url: &str) -> Result<String> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return match openidconnect::url::Url::parse(url) {
            Ok(_) => Ok(url.to_owned()),
            Err(error) => bail!("the database URL is no URL ({error}); use postgres://USER:PASSWORD@HOST/DATABASE"),
        };
    }
    let Some(file) = url.strip_prefix("sqlite:").map(|rest| rest.trim_start_matches("//")) else {
        bail!(
            "the database URL begins with no scheme that is known here; use sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE"
        );
    };
    if file.is_empty() || file.contains(":memory:") || file.contains("mode=memory") {
        bail!("a database in memory is not kept and cannot be shared; use sqlite://FILE");
    }
    Ok(if file.contains('?') {
        url.to_owned()
    } else {
        format!("{url}?mode=rwc")
    })
}

/// The URL of a database file. SQLx decodes percent signs in it, so what a URL would read otherwise is encoded.
fn sqlite_url(file: &Path) -> Result<String> {
    let Some(path) = file.to_str() else {
        bail!("the path {} is not UTF-8", file.display())
    };
    let path = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok(format!("sqlite://{path}?mode=rwc"))
}

/// A public URL as it is used everywhere: scheme and host, no slash at the end.
///
/// # Errors
/// One line that says what does not fit.
pub fn public_url(text: &str) -> Result<String> {
    let url = openidconnect::url::Url::parse(text).with_context(|| format!("the public URL {text} is no URL"))?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !plain {
        bail!("the public URL {text} must be http:// or https:// with a host and nothing behind it");
    }
    Ok(url.origin().ascii_serialization())
}

/// Whether only this machine can reach the URL.
pub fn is_loopback(url: &str) -> bool {
    use openidconnect::url::{Host, Url};
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn at(dir: &str, url: Option<&str>) -> Installation {
        Installation {
            data_dir: dir.into(),
            database_url: url.map(str::to_owned),
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_database_url_is_made_or_taken_or_refused() {
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
        assert_eq!(at("/x", Some("postgres://u:p@h/d")).file(), None);
        assert_eq!(
            at("/x", Some("sqlite:///50%25%20y.db?mode=rw")).file(),
            Some("/50% y.db".into())
        );
        for refused in [
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

    #[test]
    fn a_public_url_is_an_origin() {
        assert_eq!(public_url("http://127.0.0.1:3000/").unwrap(), "http://127.0.0.1:3000");
        assert_eq!(
            public_url("https://Loopiq.Example:443").unwrap(),
            "https://loopiq.example"
        );
        for refused in [
            "loopiq.example",
            "ftp://x",
            "https://x/path",
            "https://x/?q",
            "https://u@x/",
            "http://",
        ] {
            assert!(public_url(refused).is_err(), "{refused}");
        }
        assert!(
            is_loopback("http://127.0.0.1:3000") && is_loopback("http://[::1]:1") && is_loopback("http://localhost")
        );
        assert!(!is_loopback("http://10.0.0.1") && !is_loopback("https://localhost.example"));
    }
}
