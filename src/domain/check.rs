//! Checks: the article's "reject when" list, as named verdicts with the facts they rest on.

use super::RecordKind;
use super::text::PlainText;
use serde::{Deserialize, Serialize};

/// Which check spoke. The names are stable and shown to agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckId {
    /// Release, certification, team and components belong together.
    Context,
    /// What is referred to belongs to this release.
    Unrelated,
    /// Titles say what is to be done.
    Titles,
    /// Tasks have the right parent.
    Hierarchy,
    /// Evidence is present, intact and fresh.
    Evidence,
    /// The work is not planned or done already.
    Duplicates,
    /// Owner and team exist and belong together.
    Ownership,
    /// What is cited was read.
    Grounding,
    /// The text hides nothing and addresses nobody.
    TextSafety,
}

impl CheckId {
    /// Every check, in the order a reviewer reads them.
    pub const ALL: [CheckId; 9] = [
        CheckId::Context,
        CheckId::Unrelated,
        CheckId::Titles,
        CheckId::Hierarchy,
        CheckId::Evidence,
        CheckId::Duplicates,
        CheckId::Ownership,
        CheckId::Grounding,
        CheckId::TextSafety,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            CheckId::Context => "context",
            CheckId::Unrelated => "unrelated",
            CheckId::Titles => "titles",
            CheckId::Hierarchy => "hierarchy",
            CheckId::Evidence => "evidence",
            CheckId::Duplicates => "duplicates",
            CheckId::Ownership => "ownership",
            CheckId::Grounding => "grounding",
            CheckId::TextSafety => "text-safety",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<CheckId> {
        Self::ALL.into_iter().find(|check| check.as_str() == text)
    }
}

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing wrong.
    Pass,
    /// It could not be told.
    Unknown,
    /// A person should look at it and say so.
    Warn,
    /// It cannot be approved like this.
    Block,
}

impl Verdict {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Unknown => "unknown",
            Verdict::Warn => "warn",
            Verdict::Block => "block",
        }
    }
}

/// A record that a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FactRef {
    /// What kind of record.
    pub kind: RecordKind,
    /// Its ID.
    pub id: String,
    /// The name people use for it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PlainText>,
}

/// One finding of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Which check.
    pub id: CheckId,
    /// What it found.
    pub verdict: Verdict,
    /// A sentence that a reviewer understands.
    pub message: PlainText,
    /// The records it rests on.
    pub facts: Vec<FactRef>,
    /// Where in the payload (RFC 6901).
    pub pointers: Vec<String>,
    /// SHA-256 of all records and places, where they are too many to be listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlisted: Option<String>,
}

impl Check {
    /// What an acknowledgement of this warning names: the check, what it says, and of which records and places. A warning that comes to
    /// say something else has another mark; one that only counts the days anew has the same.
    pub fn mark(&self) -> String {
        let records: Vec<&str> = self.facts.iter().map(|fact| fact.id.as_str()).collect();
        let words = self.message.as_str().replace(|c: char| c.is_ascii_digit(), "");
        let parts = serde_json::json!([self.verdict, words, records, self.pointers, self.unlisted]);
        let hash = super::canonical::sha256_hex(parts.to_string().as_bytes());
        format!("{}:{}", self.id.as_str(), &hash[..12])
    }

    /// Whether somebody has to acknowledge it before the action can be approved.
    pub fn warns(&self) -> bool {
        matches!(self.verdict, Verdict::Warn | Verdict::Unknown)
    }
}

/// How many verdicts of each kind an action has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictCounts {
    /// Passes.
    pub pass: u32,
    /// Warnings and what could not be told.
    pub warn: u32,
    /// Blocks.
    pub block: u32,
}

impl VerdictCounts {
    /// Counts the verdicts.
    pub fn of(checks: &[Check]) -> Self {
        let mut counts = Self::default();
        for check in checks {
            match check.verdict {
                Verdict::Pass => counts.pass += 1,
                Verdict::Warn | Verdict::Unknown => counts.warn += 1,
                Verdict::Block => counts.block += 1,
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(verdict: Verdict, message: &str) -> Check {
        Check {
            id: CheckId::Evidence,
            verdict,
            message: message.into(),
            facts: Vec::new(),
            pointers: vec!["/evidenceIds/0".to_owned()],
            unlisted: None,
        }
    }

    #[test]
    fn stable_words_are_read_back() {
        for id in CheckId::ALL {
            assert_eq!(CheckId::parse(id.as_str()), Some(id));
            assert_eq!(serde_json::to_value(id).unwrap(), id.as_str());
        }
        assert_eq!(CheckId::parse("spelling"), None);
        for verdict in [Verdict::Pass, Verdict::Unknown, Verdict::Warn, Verdict::Block] {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.as_str());
        }
    }

    #[test]
    fn what_needs_an_acknowledgement_counts_as_a_warning() {
        let verdicts = [
            Verdict::Pass,
            Verdict::Pass,
            Verdict::Warn,
            Verdict::Warn,
            Verdict::Unknown,
            Verdict::Block,
            Verdict::Block,
        ];
        let checks = verdicts.map(|verdict| check(verdict, ""));
        let (pass, warn, block) = (2, 3, 2);
        assert_eq!(VerdictCounts::of(&checks), VerdictCounts { pass, warn, block });
        assert_eq!(checks.iter().filter(|one| one.warns()).count(), 3);
    }

    #[test]
    fn an_acknowledgement_is_of_what_was_found_and_where() {
        let old = check(Verdict::Warn, "The evidence is 15 days old.");
        let mark = old.mark();
        assert!(
            mark.starts_with("evidence:") && mark.len() == "evidence:".len() + 12,
            "{mark}"
        );
        assert_eq!(check(Verdict::Warn, "The evidence is 16 days old.").mark(), mark);
        let elsewhere = Check {
            pointers: vec!["/evidenceIds/1".to_owned()],
            ..old.clone()
        };
        assert_ne!(elsewhere.mark(), mark);
        let unlisted = Some("hash".to_owned());
        assert_ne!(Check { unlisted, ..old }.mark(), mark);
    }
}
