//! Results of review checks, each with a code, a verdict and the records it is based on.

use super::text::PlainText;
use super::{CheckCode, RecordKind};
use serde::{Deserialize, Serialize};

/// The ten checks. Their names are stable and shown to agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckId {
    /// Release, certification, team and components belong together.
    Context,
    /// What is referred to belongs to this release.
    Unrelated,
    /// Titles say what will change.
    Titles,
    /// Tasks have the right parent.
    Hierarchy,
    /// No open blocker is certified over.
    Blockers,
    /// Evidence is present, unchanged and recent.
    Evidence,
    /// The work is not planned or done already.
    Duplicates,
    /// Owner and team exist and belong together.
    Ownership,
    /// The agent has read the records that it cites.
    Grounding,
    /// The text has no misleading characters and does not address the reviewer.
    TextSafety,
}

impl CheckId {
    /// Every check, in the order of the page.
    pub const ALL: [CheckId; 10] = [
        CheckId::Context,
        CheckId::Unrelated,
        CheckId::Titles,
        CheckId::Hierarchy,
        CheckId::Blockers,
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
            CheckId::Blockers => "blockers",
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

/// What a result means for the approval, the least severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing wrong.
    Pass,
    /// The check could not decide. The reviewer acknowledges it like a warning.
    Unknown,
    /// The reviewer must acknowledge it before approving.
    Warn,
    /// The action cannot be approved.
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

/// A record that a result is based on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FactRef {
    /// The kind of record.
    pub kind: RecordKind,
    /// Its ID.
    pub id: String,
    /// The record's key (`FND-12`), if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PlainText>,
}

/// One result of one check: one kind of trouble with all its records and places, or a pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The check.
    pub id: CheckId,
    /// The kind of trouble, or a pass.
    pub code: CheckCode,
    /// What the result means for the approval.
    pub verdict: Verdict,
    /// A sentence for people. Programs compare [`Check::code`].
    pub message: PlainText,
    /// The records that the result is based on.
    pub facts: Vec<FactRef>,
    /// The affected fields of the payload (RFC 6901).
    pub pointers: Vec<String>,
    /// SHA-256 of all records and pointers, if the result has too many of them to list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlisted: Option<String>,
    /// SHA-256 of the fields that a reviewer judges the result by, where they can change while code and records stay: the status and title
    /// of a similar work item, for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
}

impl Check {
    /// The name by which a decision acknowledges this result: a hash of verdict, code, records, pointers and basis. The message is not part of
    /// it, so a better wording keeps stored acknowledgements valid. The verdict is part of it, because a block is more than the warning
    /// that was acknowledged.
    pub fn mark(&self) -> String {
        let records: Vec<&str> = self.facts.iter().map(|fact| fact.id.as_str()).collect();
        let content = serde_json::json!([
            self.verdict,
            self.code,
            records,
            self.pointers,
            self.unlisted,
            self.basis
        ]);
        let hash = super::canonical::sha256_hex(content.to_string().as_bytes());
        format!("{}:{}", self.id.as_str(), &hash[..12])
    }

    /// Whether the reviewer must acknowledge the result before approving.
    pub fn warns(&self) -> bool {
        matches!(self.verdict, Verdict::Warn | Verdict::Unknown)
    }
}

/// How many verdicts of each kind an action has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictCounts {
    /// The number of passes.
    pub pass: u32,
    /// The number of warnings and undecided results.
    pub warn: u32,
    /// The number of blocks.
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
    use proptest::prelude::*;

    fn check() -> impl Strategy<Value = Check> {
        let code = prop::sample::select(CheckCode::ALL);
        let verdict = prop::sample::select(vec![Verdict::Pass, Verdict::Unknown, Verdict::Warn, Verdict::Block]);
        let facts = prop::collection::vec("[a-z]{1,6}", 0..4);
        let pointers = prop::collection::vec("(/[a-z0-9]{1,4}){1,3}", 0..4);
        (code, verdict, ".{0,80}", facts, pointers).prop_map(|(code, verdict, message, facts, pointers)| Check {
            id: code.check(),
            code,
            verdict,
            message: message.into(),
            facts: facts.into_iter().map(fact).collect(),
            pointers,
            unlisted: None,
            basis: None,
        })
    }

    fn fact(id: String) -> FactRef {
        FactRef {
            kind: RecordKind::Finding,
            id,
            key: None,
        }
    }

    proptest! {
        #[test]
        fn a_message_does_not_change_the_mark(check in check(), message in ".{0,80}") {
            let mut other = check.clone();
            other.message = message.into();
            prop_assert_eq!(other.mark(), check.mark());
        }

        #[test]
        fn code_verdict_records_pointers_and_basis_change_the_mark(one in check(), other in check()) {
            let changed: [fn(&mut Check, &Check); 6] = [
                |check, other| check.code = other.code,
                |check, other| check.verdict = other.verdict,
                |check, other| check.facts.clone_from(&other.facts),
                |check, other| check.pointers.clone_from(&other.pointers),
                |check, other| check.unlisted = other.pointers.first().cloned(),
                |check, other| check.basis = other.pointers.first().cloned(),
            ];
            for change in changed {
                let mut check = one.clone();
                change(&mut check, &other);
                prop_assert_eq!(check.mark() == one.mark(), check == one);
            }
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
        let checks = verdicts.map(|verdict| Check {
            id: CheckId::Evidence,
            code: CheckCode::EvidenceStale,
            verdict,
            message: "".into(),
            facts: Vec::new(),
            pointers: Vec::new(),
            unlisted: None,
            basis: None,
        });
        let (pass, warn, block) = (2, 3, 2);
        assert_eq!(VerdictCounts::of(&checks), VerdictCounts { pass, warn, block });
        assert_eq!(checks.iter().filter(|one| one.warns()).count(), 3);
    }

    #[test]
    fn a_mark_names_its_check() {
        let check = Check {
            id: CheckId::Evidence,
            code: CheckCode::EvidenceStale,
            verdict: Verdict::Block,
            message: "EV-1 is old.".into(),
            facts: vec![fact("ev_1".to_owned())],
            pointers: vec!["/evidenceIds/0".to_owned()],
            unlisted: None,
            basis: None,
        };
        let mark = check.mark();
        let (id, hash) = mark.split_once(':').expect("a colon");
        assert_eq!(id, "evidence");
        assert!(
            hash.len() == 12 && hash.chars().all(|c| c.is_ascii_hexdigit()),
            "{mark}"
        );
    }
}
