//! Typed IDs: a short prefix for the kind, and a UUIDv7 in base32. Text can be searched for IDs, and sorting by ID
//! sorts by age.

use super::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Crockford's base32 in lower case: without i, l, o and u, and in the order of the bytes.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// The digits of 128 bits, at 5 bits each.
const DIGITS: usize = 26;

fn encode(prefix: &str, value: u128) -> String {
    let mut text = String::with_capacity(prefix.len() + 1 + DIGITS);
    text.push_str(prefix);
    text.push('_');
    for digit in (0..DIGITS).rev() {
        let bits = (value >> (digit * 5)) & 31;
        text.push(char::from(ALPHABET[bits as usize]));
    }
    text
}

fn is_body(text: &str) -> bool {
    // The first of the 26 digits has only 3 bits.
    text.len() == DIGITS
        && text.bytes().all(|byte| ALPHABET.contains(&byte))
        && matches!(text.as_bytes()[0], b'0'..=b'7')
}

/// A text that is not an ID of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an ID of the form {expected}_…")]
pub struct InvalidId {
    /// The expected prefix.
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
                /// The ID of these 128 bits.
                pub fn from_bits(bits: u128) -> Self { Self(encode($prefix, bits)) }
                /// A text after every ID of this kind.
                pub const LAST: &'static str = concat!($prefix, "_~");
                /// The first ID that can be made at this time: a UUIDv7 begins with 48 bits of milliseconds since 1970.
                pub fn first_of(time: Timestamp) -> Self {
                    Self::from_bits(u128::try_from(time.0 / 1_000).unwrap_or_default() << 80)
                }
                /// The ID as text.
                pub fn as_str(&self) -> &str { &self.0 }
                /// Parses an ID of this kind.
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

        /// The kind of record that an ID identifies.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub enum RecordKind { $(#[doc = concat!("IDs that begin with `", $prefix, "_`.")] $kind,)* }

        impl RecordKind {
            /// Every kind.
            pub const ALL: &[RecordKind] = &[$(RecordKind::$kind),*];
            /// The prefix of its IDs, without the underscore.
            pub fn prefix(self) -> &'static str { match self { $(RecordKind::$kind => $prefix,)* } }
        }
    };
}

ids! {
    /// A governed write, from proposal to execution or rejection.
    ActionId = "act", Action;
    /// The request for approval of an action.
    ApprovalId = "apr", Approval;
    /// One person's decision on an action.
    DecisionId = "dec", Decision;
    /// A reviewer's question about an action.
    QuestionId = "qst", Question;
    /// One attempt to execute an approved action.
    AttemptId = "att", Attempt;
    /// A release.
    ReleaseId = "rel", Release;
    /// A certification of a release.
    CertificationId = "crt", Certification;
    /// A team.
    TeamId = "team", Team;
    /// A person's account, identified by issuer and subject.
    PersonId = "per", Person;
    /// An application, module, repository or service.
    ComponentId = "cmp", Component;
    /// A control of a release.
    ControlId = "ctl", Control;
    /// A file that is evidence.
    EvidenceId = "evd", Evidence;
    /// A finding.
    FindingId = "fnd", Finding;
    /// A reason why a release cannot be certified.
    BlockerId = "blk", Blocker;
    /// A story or a task.
    WorkItemId = "wi", WorkItem;
    /// A link between evidence and a control or a certification.
    EvidenceLinkId = "lnk", EvidenceLink;
    /// A risk that a person has accepted.
    RiskAcceptanceId = "rsk", RiskAcceptance;
    /// A note on an action.
    AuditNoteId = "nte", AuditNote;
    /// The evidence that a release uses for a provider and kind.
    CurrentEvidenceId = "cur", CurrentEvidence;
    /// An MCP client that acts for people.
    ClientId = "cli", Client;
    /// What a person or an operator has allowed a client: its tokens belong to it.
    GrantId = "grt", Grant;
    /// A bearer token (not its secret).
    TokenId = "tok", Token;
    /// A request of an operator that a second operator confirms.
    RequestId = "req", OperatorRequest;
    /// A session of a browser (not the secret in its cookie).
    SessionId = "ses", Session;
}

impl RecordKind {
    /// The kind of an ID; `None` if the text is not an ID.
    pub fn of(id: &str) -> Option<RecordKind> {
        let (prefix, body) = id.split_once('_')?;
        let kind = Self::ALL.iter().find(|kind| kind.prefix() == prefix)?;
        is_body(body).then_some(*kind)
    }
}

/// Every ID in a text, each once, in order of appearance.
pub fn scan(text: &str) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| RecordKind::of(word).is_some() && seen.insert(*word))
        .collect()
}

/// A tenant: the short name with which its people sign in, such as `acme`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(String);

impl TenantId {
    /// Parses a tenant's name: 1 to 63 characters of a-z, 0-9 and hyphen, like a DNS label.
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
    /// The name as text.
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
    fn an_id_is_between_those_of_its_time_and_the_next() {
        let id = ActionId::from_bits((1_700_000_000_123 << 80) + 7);
        let at = |millis: i64| ActionId::first_of(Timestamp(millis * 1_000 + 999));
        assert!(at(1_700_000_000_123) < id && id < at(1_700_000_000_124));
        assert!(id.as_str() < ActionId::LAST);
        assert_eq!(ActionId::first_of(Timestamp(-1)), ActionId::from_bits(0));
    }

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

    #[test]
    fn every_kind_is_told_by_its_prefix() {
        let id = FindingId::from_bits(0x1234_5678_9abc_def0);
        assert_eq!(id.as_str(), "fnd_000000000000014d2pf2dbsqqg");
        let body = id.as_str().strip_prefix("fnd_").unwrap();
        for kind in RecordKind::ALL {
            assert_eq!(RecordKind::of(&format!("{}_{body}", kind.prefix())), Some(*kind));
        }
        for none in [
            body,
            "fnd",
            "fnd_",
            &format!("xyz_{body}"),
            &format!("fnd_{}", body.replace('d', "u")),
        ] {
            assert_eq!(RecordKind::of(none), None, "{none}");
        }
    }

    #[test]
    fn an_id_is_the_same_text_everywhere() {
        let id = FindingId::from_bits(7);
        assert_eq!(id.to_string(), id.as_str());
        assert_eq!(String::from(id.clone()), id.as_str());
        assert_eq!(AsRef::<str>::as_ref(&id), id.as_str());
        assert_eq!(FindingId::try_from(id.to_string()), Ok(id.clone()));
        assert!(serde_json::from_str::<FindingId>("\"fnd_1\"").is_err());
        assert_eq!(
            scan(&format!("{id} {id}-{}", FindingId::from_bits(8))).len(),
            2,
            "each once"
        );
        let tenant = TenantId::parse("acme").unwrap();
        assert_eq!(
            (tenant.as_str(), tenant.to_string(), String::from(tenant.clone())),
            ("acme", "acme".into(), "acme".into())
        );
        assert_eq!(TenantId::try_from("acme".to_owned()), Ok(tenant));
    }

    #[test]
    fn a_tenants_name_is_a_dns_label() {
        let longest = "a".repeat(63);
        for name in ["a", "0", "acme-2", longest.as_str()] {
            assert!(TenantId::parse(name).is_ok(), "{name}");
        }
        let longer = "a".repeat(64);
        for name in ["", "-", "-a", "a-", "Acme", "a_b", "a.b", "ä", longer.as_str()] {
            assert!(TenantId::parse(name).is_err(), "{name}");
        }
    }

    #[cfg(feature = "engine")]
    #[test]
    fn the_schema_of_an_id_is_its_pattern() {
        let mut generator = schemars::SchemaGenerator::default();
        let schema = generator.subschema_for::<FindingId>().to_value();
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert!(validator.is_valid(&FindingId::from_bits(7).as_str().into()));
        assert!(!validator.is_valid(&ReleaseId::from_bits(7).as_str().into()));
    }
}
