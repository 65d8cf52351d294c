//! Typed IDs: a short prefix that tells the kind, and a UUIDv7 in base32, so that prose can be scanned for them and
//! a sort by ID is a sort by age.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Crockford's base32 in lower case: no i, l, o or u, and it sorts as the bytes do.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 128 bits in digits of 5 bits.
const DIGITS: usize = 26;

fn encode(prefix: &str, value: u128) -> String {
    let mut text = String::with_capacity(prefix.len() + 1 + DIGITS);
    text.push_str(prefix);
    text.push('_');
    for place in (0..DIGITS).rev() {
        let digit = (value >> (place * 5)) & 31;
        text.push(char::from(ALPHABET[digit as usize]));
    }
    text
}

fn is_body(text: &str) -> bool {
    // The first of 26 digits holds 3 bits only.
    text.len() == DIGITS
        && text.bytes().all(|byte| ALPHABET.contains(&byte))
        && matches!(text.as_bytes()[0], b'0'..=b'7')
}

/// A text that is no ID of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an ID of the form {expected}_…")]
pub struct InvalidId {
    /// The prefix that was expected.
    pub expected: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $kind:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            #[serde(try_from = "String", into = "String")]
            pub struct $name(String);

            impl $name {
                /// The ID that stands for these 128 bits.
                pub fn from_bits(bits: u128) -> Self { Self(encode($prefix, bits)) }
                /// The ID as it is written everywhere.
                pub fn as_str(&self) -> &str { &self.0 }
                /// Reads an ID; its kind must fit.
                pub fn parse(text: &str) -> Result<Self, InvalidId> {
                    match text.strip_prefix(concat!($prefix, "_")) {
                        Some(body) if is_body(body) => Ok(Self(text.to_owned())),
                        _ => Err(InvalidId { expected: $prefix }),
                    }
                }
            }
            impl TryFrom<String> for $name {
                type Error = InvalidId;
                fn try_from(text: String) -> Result<Self, InvalidId> { Self::parse(&text) }
            }
            impl From<$name> for String { fn from(id: $name) -> String { id.0 } }
            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
            }
            impl AsRef<str> for $name { fn as_ref(&self) -> &str { &self.0 } }
            #[cfg(feature = "engine")]
            impl schemars::JsonSchema for $name {
                fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
                fn inline_schema() -> bool { true }
                fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    schemars::json_schema!({
                        "type": "string",
                        "pattern": concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$"),
                    })
                }
            }
        )*

        /// What an ID names.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub enum RecordKind { $(#[doc = concat!("IDs that begin with `", $prefix, "_`.")] $kind,)* }

        impl RecordKind {
            /// Every kind there is.
            pub const ALL: &[RecordKind] = &[$(RecordKind::$kind),*];
            /// What its IDs begin with, without the underscore.
            pub fn prefix(self) -> &'static str { match self { $(RecordKind::$kind => $prefix,)* } }
        }
    };
}

ids! {
    /// A governed write, from proposal to its end.
    ActionId = "act", Action;
    /// The request for approval that is made with an action.
    ApprovalId = "apr", Approval;
    /// One person's vote on an action.
    DecisionId = "dec", Decision;
    /// What a reviewer asks about an action.
    QuestionId = "qst", Question;
    /// One try at executing an approved action.
    AttemptId = "att", Attempt;
    /// A release.
    ReleaseId = "rel", Release;
    /// A certification of a release.
    CertificationId = "crt", Certification;
    /// A team.
    TeamId = "team", Team;
    /// A person, known by issuer and subject.
    PersonId = "per", Person;
    /// An application, module, repository or service.
    ComponentId = "cmp", Component;
    /// A control of a release.
    ControlId = "ctl", Control;
    /// A file kept as evidence.
    EvidenceId = "evd", Evidence;
    /// A finding.
    FindingId = "fnd", Finding;
    /// What keeps a release from its certification.
    BlockerId = "blk", Blocker;
    /// A story or a task.
    WorkItemId = "wi", WorkItem;
    /// What ties evidence to a control or a certification.
    EvidenceLinkId = "lnk", EvidenceLink;
    /// A risk that somebody answers for.
    RiskAcceptanceId = "rsk", RiskAcceptance;
    /// A note bound to an action.
    AuditNoteId = "nte", AuditNote;
    /// Which evidence of a provider and kind a release goes by.
    CurrentEvidenceId = "cur", CurrentEvidence;
    /// An MCP program that acts for people.
    ClientId = "cli", Client;
    /// A bearer token (not its secret).
    TokenId = "tok", Token;
    /// What an operator asks for and a second one confirms.
    RequestId = "req", OperatorRequest;
}

impl RecordKind {
    /// The kind that an ID's prefix tells, if the text is an ID at all.
    pub fn of(id: &str) -> Option<RecordKind> {
        let (prefix, body) = id.split_once('_')?;
        let kind = Self::ALL.iter().find(|kind| kind.prefix() == prefix)?;
        is_body(body).then_some(*kind)
    }

    /// The kind in words, for people.
    pub fn word(self) -> &'static str {
        match self {
            RecordKind::Action => "action",
            RecordKind::Approval => "approval",
            RecordKind::Decision => "decision",
            RecordKind::Question => "question",
            RecordKind::Attempt => "attempt",
            RecordKind::Release => "release",
            RecordKind::Certification => "certification",
            RecordKind::Team => "team",
            RecordKind::Person => "person",
            RecordKind::Component => "component",
            RecordKind::Control => "control",
            RecordKind::Evidence => "evidence",
            RecordKind::Finding => "finding",
            RecordKind::Blocker => "blocker",
            RecordKind::WorkItem => "work item",
            RecordKind::EvidenceLink => "evidence link",
            RecordKind::RiskAcceptance => "risk acceptance",
            RecordKind::AuditNote => "audit note",
            RecordKind::CurrentEvidence => "current evidence",
            RecordKind::Client => "client",
            RecordKind::Token => "token",
            RecordKind::OperatorRequest => "operator request",
        }
    }
}

/// Every ID that stands in a text, once each, in order of appearance.
pub fn scan(text: &str) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| RecordKind::of(word).is_some() && seen.insert(*word))
        .collect()
}

/// A tenant: the short name that its people sign in under, such as `acme`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(String);

impl TenantId {
    /// Reads a tenant's name: 1 to 63 characters of a-z, 0-9 and hyphen, as a DNS label.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let fits = (1..=63).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId { expected: "tenant" })
        }
    }
    /// The name as it is written everywhere.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TenantId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::parse(&text)
    }
}

impl From<TenantId> for String {
    fn from(id: TenantId) -> String {
        id.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_as_their_bits_do_and_read_back() {
        let (older, newer) = (WorkItemId::from_bits(1 << 80), WorkItemId::from_bits(1 << 81));
        assert!(older < newer);
        assert_eq!(WorkItemId::parse(older.as_str()), Ok(older.clone()));
        assert_eq!(RecordKind::of(older.as_str()), Some(RecordKind::WorkItem));
        assert_eq!(
            WorkItemId::from_bits(u128::MAX).as_str(),
            "wi_7zzzzzzzzzzzzzzzzzzzzzzzzz"
        );
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let release = ReleaseId::from_bits(7);
        assert!(WorkItemId::parse(release.as_str()).is_err());
        assert!(ReleaseId::parse("rel_short").is_err());
        assert!(
            ReleaseId::parse("rel_zzzzzzzzzzzzzzzzzzzzzzzzzz").is_err(),
            "over 128 bits"
        );
    }

    #[test]
    fn prose_is_scanned_for_ids() {
        let finding = FindingId::from_bits(3);
        let text = format!("Fixes {finding}, see ({finding}) and not fnd_123.");
        assert_eq!(scan(&text), vec![finding.as_str()]);
    }
}
