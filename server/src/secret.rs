//! Secrets of the settings. Each comes from a flag or an environment variable, or from a file that a second setting names, such as a
//! credential of systemd or a mounted secret of a container.

use crate::advice::Advice;
use crate::file_permissions;
use anyhow::{Context, Result, bail};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// The maximum size of a file with a secret, in bytes. A larger one is probably the wrong file.
const MAX_BYTES: u64 = 64 * 1024;

/// A text that no log and no message may contain. It has no `Display`, and its `Debug` hides the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text. The caller must not print it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Names and help of the two settings of one secret. See [`secret_setting!`](crate::secret::secret_setting).
pub trait SecretSetting: Clone + fmt::Debug + Send + Sync + 'static {
    /// The flag with the secret.
    const FLAG: &'static str;
    /// The flag with the file.
    const FILE_FLAG: &'static str;
    /// The environment variable with the secret.
    const VARIABLE: &'static str;
    /// The environment variable with the file.
    const FILE_VARIABLE: &'static str;
    /// What `--help` calls the value.
    const VALUE: &'static str;
    /// The help of the flag with the secret.
    const HELP: &'static str;
    /// The help of the flag with the file.
    const FILE_HELP: &'static str;
}

/// Defines a [`SecretSetting`]: a type, its flag and variable (those of the file have the suffix `-file` and `_FILE`), and the help.
macro_rules! secret_setting {
    ($(#[$doc:meta])* $vis:vis $name:ident, $flag:literal, $variable:literal, $value:literal, $help:literal, $file_help:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        $vis enum $name {}

        impl $crate::secret::SecretSetting for $name {
            const FLAG: &'static str = $flag;
            const FILE_FLAG: &'static str = concat!($flag, "-file");
            const VARIABLE: &'static str = $variable;
            const FILE_VARIABLE: &'static str = concat!($variable, "_FILE");
            const VALUE: &'static str = $value;
            const HELP: &'static str = $help;
            const FILE_HELP: &'static str = $file_help;
        }
    };
}
pub(crate) use secret_setting;

/// The two sources of one secret, as arguments of a command: a flag and a variable with the secret, or a flag and a variable with the
/// name of its file.
#[derive(Debug, Clone)]
pub struct SecretArgs<S> {
    text: Option<Secret>,
    file: Option<PathBuf>,
    setting: PhantomData<S>,
}

/// Where a secret comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretSource<'a> {
    /// The setting itself.
    Text(&'a Secret),
    /// A file.
    File(&'a Path),
}

impl<S> Default for SecretArgs<S> {
    fn default() -> Self {
        Self {
            text: None,
            file: None,
            setting: PhantomData,
        }
    }
}

impl<S: SecretSetting> SecretArgs<S> {
    /// The setting with this text.
    pub fn of_text(text: &str) -> Self {
        Self {
            text: Some(Secret::new(text)),
            ..Self::default()
        }
    }

    /// The setting that names this file.
    pub fn of_file(file: impl Into<PathBuf>) -> Self {
        Self {
            file: Some(file.into()),
            ..Self::default()
        }
    }

    /// The names of the setting in messages: `LOOPIQ_X (or --x)`.
    pub fn name() -> String {
        format!("{} (or --{})", S::VARIABLE, S::FLAG)
    }

    /// The names of the setting with the file: `LOOPIQ_X_FILE (or --x-file)`.
    pub fn file_name() -> String {
        format!("{} (or --{})", S::FILE_VARIABLE, S::FILE_FLAG)
    }

    /// What is wrong if neither setting is there.
    pub fn missing() -> String {
        format!("neither {} nor {} is set", Self::name(), Self::file_name())
    }

    /// Where the secret comes from; `None` if neither setting is there. A setting without a value is refused: it is the trace of a
    /// deployment that did not find its secret.
    ///
    /// # Errors
    /// One line: both settings are there, or one has no value.
    pub fn source(&self) -> Result<Option<SecretSource<'_>>> {
        match (&self.text, &self.file) {
            (Some(_), Some(_)) => bail!(
                "{} and {} are both set; remove one of them",
                Self::name(),
                Self::file_name()
            ),
            (Some(text), None) if text.expose().trim().is_empty() => bail!("{} is empty", Self::name()),
            (None, Some(file)) if file.as_os_str().is_empty() => bail!("{} is empty", Self::file_name()),
            (Some(text), None) => Ok(Some(SecretSource::Text(text))),
            (None, Some(file)) => Ok(Some(SecretSource::File(file))),
            (None, None) => Ok(None),
        }
    }

    /// The secret, which is one line; `None` if neither setting is there.
    ///
    /// # Errors
    /// One line, see [`source`](Self::source) and [`read_file`]; or the secret has several lines.
    pub fn read(&self) -> Result<Option<Secret>> {
        let (secret, name) = match self.source()? {
            None => return Ok(None),
            Some(SecretSource::Text(text)) => (text.clone(), Self::name()),
            Some(SecretSource::File(file)) => (read_file(file).with_context(Self::file_name)?, Self::file_name()),
        };
        if secret.expose().contains(['\n', '\r', '\0']) {
            bail!("{name}: a secret is one line, and this one has several or contains a NUL character");
        }
        Ok(Some(secret))
    }

    /// The secret of a command that needs it.
    ///
    /// # Errors
    /// As [`read`](Self::read), or neither setting is there.
    pub fn require(&self) -> Result<Secret> {
        self.read()?.with_context(Self::missing)
    }
}

impl<S: SecretSetting> FromArgMatches for SecretArgs<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            text: matches.get_one::<String>(S::FLAG).map(Secret::new),
            file: matches.get_one::<OsString>(S::FILE_FLAG).map(PathBuf::from),
            setting: PhantomData,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<S: SecretSetting> Args for SecretArgs<S> {
    fn augment_args(command: Command) -> Command {
        command
            .arg(
                Arg::new(S::FLAG)
                    .long(S::FLAG)
                    .env(S::VARIABLE)
                    .hide_env_values(true)
                    .value_name(S::VALUE)
                    .help(S::HELP),
            )
            .arg(
                Arg::new(S::FILE_FLAG)
                    .long(S::FILE_FLAG)
                    .env(S::FILE_VARIABLE)
                    .value_name("FILE")
                    .value_parser(value_parser!(OsString))
                    .help(S::FILE_HELP),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// The secret in a file, without the line break at its end.
///
/// # Errors
/// The file cannot be read, other accounts can read it, it is empty, or it is not a text of at most 64 KiB.
/// See also [`is_missing`].
pub fn read_file(file: &Path) -> Result<Secret> {
    let cannot = || format!("{} cannot be read", file.display());
    let opened = File::open(file).map_err(|error| {
        let fix = match error.kind() {
            ErrorKind::NotFound => "create the file, or correct the setting that names it",
            ErrorKind::PermissionDenied => {
                "make the service's account the owner of the file, and run `check-config` as that account"
            }
            _ => "let the setting name a file that contains only the secret",
        };
        anyhow::Error::new(error).context(Advice::new(cannot(), fix))
    })?;
    // Of the opened file, which is the one that is read.
    let metadata = opened.metadata().with_context(cannot)?;
    if metadata.is_dir() {
        return Err(refused(format!("{} is a folder", file.display()), ONLY_SECRET));
    }
    if file_permissions::others_can_use(&metadata) {
        let message = format!(
            "other accounts can read {}, so it may not be a secret any more. If nobody has, `chmod o= {0}`; otherwise replace it",
            file.display()
        );
        return Err(refused(message, ""));
    }
    let mut text = String::new();
    match opened.take(MAX_BYTES + 1).read_to_string(&mut text) {
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            return Err(refused(format!("{} is not a text", file.display()), ONLY_SECRET));
        }
        read => read.with_context(cannot)?,
    };
    if text.len() as u64 > MAX_BYTES {
        let message = format!("{} has more than {MAX_BYTES} bytes, which is no secret", file.display());
        return Err(refused(message, ONLY_SECRET));
    }
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.trim().is_empty() {
        return Err(refused(
            format!("{} is empty", file.display()),
            "write the secret into the file",
        ));
    }
    if is_setting(&text) {
        // The line is not part of the message, because it contains the secret.
        let message = format!(
            "{} contains a line of settings (LOOPIQ_...=...) instead of the secret",
            file.display()
        );
        return Err(refused(message, ONLY_SECRET));
    }
    Ok(Secret(text))
}

/// What to do about a file that contains something else.
const ONLY_SECRET: &str = "let the setting name a file that contains only the secret";

fn refused(message: String, fix: &'static str) -> anyhow::Error {
    anyhow::Error::msg(Advice::new(message, fix))
}

/// Whether the text is a line of a file with settings: `LOOPIQ_X=...`, possibly after `export`.
fn is_setting(text: &str) -> bool {
    let text = text.trim_start();
    let text = text.strip_prefix("export ").unwrap_or(text).trim_start();
    let name = text
        .split_once('=')
        .and_then(|(name, _)| name.trim_end().strip_prefix("LOOPIQ_"));
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
}

/// Whether the error of [`read_file`] says that there is no such file.
pub fn is_missing(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_of_settings_is_no_secret() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("secret");
        for (text, is_refused) in [
            ("LOOPIQ_OIDC_CLIENT_SECRET=s3cret", true),
            ("export LOOPIQ_SECRET_KEY = s3cret", true),
            ("LOOPIQ_=s3cret", false),
            ("loopiq_x=s3cret", false),
            ("s3cret=LOOPIQ_X=", false),
        ] {
            file_permissions::write(&file, text.as_bytes()).unwrap();
            let read = read_file(&file);
            assert_eq!(read.is_err(), is_refused, "{text}");
            if let Err(error) = read {
                assert!(!format!("{error:#}").contains("s3cret"), "{error:#}");
                assert_eq!(Advice::of(&error), Some(ONLY_SECRET));
            }
        }
        let missing = read_file(&temp.path().join("missing")).unwrap_err();
        assert!(is_missing(&missing));
        assert!(Advice::of(&missing).is_some_and(|fix| fix.contains("create the file")));
    }

    use super::*;
    use clap::Parser;

    secret_setting! {
        /// A secret of the tests.
        Probe, "probe", "LOOPIQ_TEST_PROBE", "SECRET", "The probe.", "A file with the probe."
    }

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        probe: SecretArgs<Probe>,
    }

    fn parsed(arguments: &[&str]) -> SecretArgs<Probe> {
        Line::try_parse_from([&["line"], arguments].concat()).unwrap().probe
    }

    fn error(args: &SecretArgs<Probe>) -> String {
        format!("{:#}", args.read().unwrap_err())
    }

    #[test]
    fn a_secret_comes_from_one_of_two_settings() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("probe");
        file_permissions::write(&file, b" s3cret \r\n\n").unwrap();
        let file = file.to_str().unwrap();

        assert_eq!(parsed(&[]).read().unwrap(), None);
        assert_eq!(parsed(&["--probe", "a"]).require().unwrap().expose(), "a");
        // Only the line break is removed: a space can be part of a secret.
        assert_eq!(parsed(&["--probe-file", file]).require().unwrap().expose(), " s3cret ");
        let both = error(&parsed(&["--probe", "s3cret", "--probe-file", file]));
        assert_eq!(
            both,
            "LOOPIQ_TEST_PROBE (or --probe) and LOOPIQ_TEST_PROBE_FILE (or --probe-file) are both set; remove one of them"
        );
        assert_eq!(
            error(&parsed(&["--probe", " "])),
            "LOOPIQ_TEST_PROBE (or --probe) is empty"
        );
        assert_eq!(
            error(&parsed(&["--probe-file", ""])),
            "LOOPIQ_TEST_PROBE_FILE (or --probe-file) is empty"
        );
        let missing = format!("{:#}", parsed(&[]).require().unwrap_err());
        assert_eq!(
            missing,
            "neither LOOPIQ_TEST_PROBE (or --probe) nor LOOPIQ_TEST_PROBE_FILE (or --probe-file) is set"
        );
    }

    #[test]
    fn an_unusable_file_is_refused_without_its_content() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("probe");
        let refused = |content: &[u8], says: &str| {
            file_permissions::write(&file, content).unwrap();
            let line = error(&SecretArgs::of_file(&file));
            assert!(line.starts_with("LOOPIQ_TEST_PROBE_FILE (or --probe-file)"), "{line}");
            assert!(line.contains(says) && !line.contains("s3cret"), "{line}");
        };
        refused(b"", "is empty");
        refused(b" \n\n", "is empty");
        refused(b"s3cret\nmore", "one line");
        refused(b"s3cret\0", "one line");
        refused(b"s3cret\xff", "not a text");
        refused(&[b'a'; 65_537], "more than 65536 bytes");
        for (path, says) in [
            (temp.path().to_owned(), "is a folder"),
            (temp.path().join("none"), "cannot be read"),
        ] {
            let line = error(&SecretArgs::of_file(path));
            assert!(line.contains(says), "{line}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_other_accounts_can_use_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("probe");
        file_permissions::write(&file, b"s3cret\n").unwrap();
        for (mode, refused) in [
            (0o600, false),
            (0o440, false),
            (0o640, false),
            (0o644, true),
            (0o602, true),
        ] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read_file(&file).is_err(), refused, "{mode:o}");
        }
        let line = error(&SecretArgs::of_file(&file));
        assert!(line.contains("chmod o= ") && !line.contains("s3cret"), "{line}");
    }

    #[test]
    fn nothing_prints_a_secret() {
        let args = parsed(&["--probe", "s3cret"]);
        let printed = format!("{args:?} {:#?} {:?}", args, args.require().unwrap());
        assert!(!printed.contains("s3cret"), "{printed}");
    }
}
