//! Where a request comes from, what its sender says about it, and how it ended, as audit entries store it.

use super::{ClientId, text};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv6Addr};

/// How a request reaches the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// The service itself: a background task, or what follows from the passing of time.
    #[default]
    Service,
    /// A command at the console.
    Command,
    /// An HTTP request.
    Request,
}

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// How it reached the service.
    pub kind: SourceKind,
    /// The network address of the sender: the other end of the connection, or what a trusted proxy reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The session or the token of the sender: the beginning of the session's digest, or the ID of the token. Neither opens anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// The length of a session's name, in hex digits. The whole digest is part of the value in decision forms, so entries must not contain it.
const SESSION_NAME: usize = 16;

/// The name of a session in audit entries: the beginning of its digest.
pub fn session_name(digest: &str) -> Option<String> {
    let name: String = digest.chars().take(SESSION_NAME).collect();
    (!name.is_empty()).then_some(name)
}

/// A client as an audit entry names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientOfEntry {
    /// The client's ID.
    pub id: ClientId,
    /// The client's name at the time, if the client itself acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The version that the client's program reported about itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// How an event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventOutcome {
    /// It happened.
    Ok,
    /// A rule refused it.
    Refused,
    /// It was begun and did not succeed.
    Failed,
}

/// What a sender says about itself and its request. The service checks only the form: entries keep these values in addition to the IDs
/// that the service generates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SenderClaims {
    /// The program: name and version, or the header `User-Agent`.
    pub agent: Option<String>,
    /// The version of the program.
    pub version: Option<String>,
    /// The sender's own request ID.
    pub request_id: Option<String>,
    /// The sender's own trace ID.
    pub trace_id: Option<String>,
}

/// The longest text that a sender can say about its program, in characters; a longer one is cut.
const LONGEST_CLAIM: usize = 120;
/// The longest request ID of a sender, in bytes; a longer one is ignored.
const LONGEST_REQUEST_ID: usize = 128;

impl SenderClaims {
    /// A text about the program on one line, cut, with visible hidden characters. `None` if nothing is left.
    pub fn bounded_program(claim: &str) -> Option<String> {
        let spaced = |c: char| if c.is_whitespace() { ' ' } else { c };
        let short: String = text::first_chars(claim.trim(), LONGEST_CLAIM)
            .chars()
            .map(spaced)
            .collect();
        (!short.is_empty()).then(|| text::visible(&short))
    }

    /// A request ID that can be stored: ASCII letters, digits and `-_.:/+=@`.
    pub fn valid_request_id(claim: &str) -> Option<String> {
        let is_valid = (1..=LONGEST_REQUEST_ID).contains(&claim.len())
            && claim
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte));
        is_valid.then(|| claim.to_owned())
    }
}

/// The addresses that limits count as one client: an IPv4 address, or the /64 of an IPv6 address, which providers assign to one subscriber.
pub fn address_group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            const NETWORK: u128 = !(u64::MAX as u128);
            Ipv6Addr::from_bits(address.to_bits() & NETWORK).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_short_and_plain_or_ignored() {
        for valid in [
            "1",
            "req_2026-11.22",
            "Root=1-67891233-abcdef012345678912345678",
            &"x".repeat(128),
        ] {
            assert_eq!(SenderClaims::valid_request_id(valid).as_deref(), Some(valid));
        }
        for invalid in [
            "",
            "with space",
            "line\nbreak",
            "<b>",
            "\u{202E}",
            "a\"b",
            &"x".repeat(129),
        ] {
            assert_eq!(SenderClaims::valid_request_id(invalid), None, "{invalid:?}");
        }
    }

    #[test]
    fn what_a_program_says_about_itself_is_one_short_line() {
        assert_eq!(
            SenderClaims::bounded_program(" Helix\n1.2 ").as_deref(),
            Some("Helix 1.2")
        );
        assert_eq!(
            SenderClaims::bounded_program("a\u{202E}b").as_deref(),
            Some("a⟦U+202E⟧b")
        );
        assert_eq!(
            SenderClaims::bounded_program(&"x".repeat(9_000)).map(|text| text.len()),
            Some(120)
        );
        assert_eq!(SenderClaims::bounded_program(" \t "), None);
    }

    #[test]
    fn a_session_is_named_by_the_beginning_of_its_digest() {
        assert_eq!(session_name(&"ab".repeat(32)).as_deref(), Some("abababababababab"));
        assert_eq!(session_name(""), None);
    }
}
