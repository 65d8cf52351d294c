//! Reports: the verdict, and the steps that lead to it.

use crate::json::write_text;
use loopiq_audit_log::Hash;

/// The outcome of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every step holds.
    Verified,
    /// The steps that can be verified hold, but no checkpoint covers the entry yet.
    NotSignedYet,
    /// A step does not hold.
    Failed,
}

/// One step of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The stable name of the step.
    pub name: &'static str,
    /// Whether it holds.
    pub ok: bool,
    /// What was verified, or what is wrong, as a sentence.
    pub says: String,
    /// The hash or key that the sentence is about, whole.
    pub value: Option<String>,
    /// The levels of the tree from the leaf to the root.
    pub levels: Vec<Level>,
}

/// One level of the path from a leaf to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// Whether the hash of the proof is the left one.
    pub left: bool,
    /// The hash of the proof.
    pub sibling: Hash,
    /// The hash of both.
    pub result: Hash,
}

/// Collects steps.
#[derive(Debug, Default)]
pub(crate) struct Steps(pub(crate) Vec<Step>);

impl Steps {
    /// Adds a step that says `yes` if it holds, otherwise `no`. Returns whether it holds.
    pub(crate) fn check(&mut self, name: &'static str, ok: bool, yes: &str, no: &str) -> bool {
        self.0.push(Step {
            name,
            ok,
            says: if ok { yes } else { no }.to_owned(),
            value: None,
            levels: Vec::new(),
        });
        ok
    }

    /// Adds a step that holds.
    pub(crate) fn pass(&mut self, name: &'static str, says: &str) {
        self.check(name, true, says, "");
    }

    /// Adds a step that does not hold.
    pub(crate) fn fail(&mut self, name: &'static str, says: &str) {
        self.check(name, false, "", says);
    }

    /// Adds the hash or key that the last step is about.
    pub(crate) fn about(&mut self, value: String) {
        if let Some(last) = self.0.last_mut() {
            last.value = Some(value);
        }
    }

    /// The first step that does not hold.
    pub(crate) fn failed(&self) -> Option<&Step> {
        self.0.iter().find(|step| !step.ok)
    }
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::NotSignedYet => "notSignedYet",
            Self::Failed => "failed",
        }
    }
}

/// The JSON of a report: an object that is written field by field.
pub(crate) struct Writer(String);

impl Writer {
    /// Begins a report with what every report has.
    pub(crate) fn new(verdict: Verdict, headline: &str, steps: &[Step]) -> Self {
        let mut writer = Self(String::from("{"));
        writer.text("verdict", verdict.name());
        writer.text("headline", headline);
        writer.list("steps", steps, |writer, step| {
            writer.text("name", step.name);
            writer.raw("ok", if step.ok { "true" } else { "false" });
            writer.text("says", &step.says);
            if let Some(value) = &step.value {
                writer.text("value", value);
            }
            writer.list("levels", &step.levels, |writer, level| {
                writer.raw("left", if level.left { "true" } else { "false" });
                writer.text("sibling", &level.sibling.to_string());
                writer.text("result", &level.result.to_string());
            });
        });
        writer
    }

    /// A field whose value is JSON already.
    pub(crate) fn raw(&mut self, name: &str, json: &str) {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        write_text(&mut self.0, name);
        self.0.push(':');
        self.0.push_str(json);
    }

    /// A field with a text.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.raw(name, "");
        write_text(&mut self.0, text);
    }

    /// A field with a number, or null.
    pub(crate) fn number(&mut self, name: &str, number: Option<u64>) {
        match number {
            Some(number) => self.raw(name, &number.to_string()),
            None => self.raw(name, "null"),
        }
    }

    fn list<T>(&mut self, name: &str, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.raw(name, "[");
        for (index, item) in items.iter().enumerate() {
            self.0.push_str(if index == 0 { "{" } else { ",{" });
            write(self, item);
            self.0.push('}');
        }
        self.0.push(']');
    }

    /// The whole text.
    pub(crate) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// `1 entry`, `2 entries`, `8,213 entries`.
pub(crate) fn entries(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(32);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text.push_str(if count == 1 { " entry" } else { " entries" });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        assert_eq!(
            [0, 1, 999, 1_000, 1_234_567].map(entries),
            [
                "0 entries",
                "1 entry",
                "999 entries",
                "1,000 entries",
                "1,234,567 entries"
            ]
        );
    }
}
