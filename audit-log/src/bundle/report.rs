//! What a verified bundle contains.

use super::trust::Witnessed;
use serde::Serialize;
use std::fmt;

/// What was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The ID of the tenant that owns the log.
    pub tenant: String,
    /// The name of the log in its checkpoints.
    pub origin: String,
    /// The key that signed the checkpoint.
    pub key: String,
    /// The number of entries.
    pub entries: u64,
    /// How many contents the bundle contains.
    pub contents: u64,
    /// Whether the bundle was made with contents. An entry without one was purged, or a person removed its content from the bundle.
    pub with_contents: bool,
    /// The first entry without its content.
    pub first_without_content: Option<u64>,
    /// How many older checkpoints the bundle contains.
    pub older_checkpoints: usize,
    /// How many of them are signed by other keys than those given.
    pub untrusted_checkpoints: usize,
    /// The number of entries of the checkpoint that was given.
    pub earlier: Option<u64>,
    /// What the witnesses saw.
    pub witnesses: Vec<Witnessed>,
    /// Whether `verify.py` in the bundle is that of this version.
    pub verifier_is_known: bool,
}

fn number_of(count: u64, one: &str) -> String {
    let plural = if count == 1 {
        ""
    } else if one.ends_with('y') {
        "ies"
    } else {
        "s"
    };
    let stem = if plural == "ies" {
        one.trim_end_matches('y')
    } else {
        one
    };
    format!("{count} {stem}{plural}")
}

/// One line for each thing that was verified.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (entries, contents) = (number_of(self.entries, "entry"), number_of(self.contents, "content"));
        let (tenant, key) = (&self.tenant, &self.key);
        write!(
            f,
            "{tenant}: {entries} and {contents} are valid; the root is that of the checkpoint signed by {key}"
        )?;
        let without = self.entries - self.contents;
        if !self.with_contents {
            write!(f, "\ncontents: the bundle was made without them")?;
        } else if let Some(first) = self.first_without_content {
            let without = number_of(without, "entry");
            write!(
                f,
                "\ncontents: {without} without content (purged, or removed from this bundle), the first is entry {first}"
            )?;
        }
        if self.older_checkpoints > 0 {
            let older = number_of(self.older_checkpoints as u64, "older checkpoint");
            write!(f, "\ncheckpoints: the log continues {older} of the bundle")?;
        }
        if self.untrusted_checkpoints > 0 {
            write!(
                f,
                "; {} of them signed by other keys than those given",
                self.untrusted_checkpoints
            )?;
        }
        if let Some(earlier) = self.earlier {
            let earlier = number_of(earlier, "entry");
            write!(
                f,
                "\nearlier checkpoint: the log continues it, with its {earlier} unchanged"
            )?;
        }
        for Witnessed { name, size, time } in &self.witnesses {
            let (size, time) = (number_of(*size, "entry"), Utc(*time));
            write!(f, "\nwitness {name}: saw the first {size}, last at {time}")?;
        }
        Ok(())
    }
}

/// Seconds since 1970 as a date and time.
struct Utc(u64);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0).ok();
        match seconds.and_then(|seconds| time::UtcDateTime::from_unix_timestamp(seconds).ok()) {
            Some(time) => {
                let (date, (hour, minute, second)) = (time.date(), time.as_hms());
                write!(f, "{date} {hour:02}:{minute:02}:{second:02} UTC")
            }
            None => write!(f, "{} s after 1970", self.0),
        }
    }
}
