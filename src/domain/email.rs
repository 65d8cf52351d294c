//! E-mail addresses of people. Only addresses that the identity provider has verified are compared.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest address, in bytes (RFC 5321, section 4.5.3.1.3).
pub const LONGEST_ADDRESS: usize = 254;

/// An address in its comparable form: without surrounding spaces, and with A-Z mapped to a-z.
///
/// No other letters are mapped, because the lower case of some is an ASCII letter (the Kelvin sign becomes `k`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(String);

impl Address {
    /// Parses an address; `None` if the text is not an address.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@')?;
        let hides = |c: char| c.is_whitespace() || c.is_control() || super::text::is_forbidden(c);
        let fits = !local.is_empty() && !domain.is_empty() && text.len() <= LONGEST_ADDRESS && !text.contains(hides);
        fits.then(|| Self(text.to_ascii_lowercase()))
    }

    /// The address as it is stored and compared.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the last `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person's address as an identity provider asserts it. A verified address is an [`Address`]. An unverified address
/// is a claim, which is shown and never compared.
///
/// Both are stored as one text. A claim ends with ` (not verified)`. No address contains a space, so a claim equals no
/// address, in SQL as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Email(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Verified(Address),
    /// The text with its mark.
    Claimed(String),
}

/// The mark at the end of a claim.
const NOT_VERIFIED: &str = " (not verified)";

impl Email {
    /// An address that the provider has verified. A text that is not an address becomes a claim.
    pub fn verified(text: &str) -> Self {
        Self(Address::parse(text).map_or_else(|| Kind::Claimed(claim(text)), Kind::Verified))
    }

    /// An address that nobody has verified.
    pub fn claimed(text: &str) -> Self {
        Self(Kind::Claimed(claim(text)))
    }

    /// The address, if it is verified. A claim identifies nobody.
    pub fn address(&self) -> Option<&Address> {
        match &self.0 {
            Kind::Verified(address) => Some(address),
            Kind::Claimed(_) => None,
        }
    }

    /// Whether the text is this verified address.
    pub fn is(&self, named: &str) -> bool {
        self.address()
            .is_some_and(|own| Address::parse(named).as_ref() == Some(own))
    }

    /// The text for people and for the database; a claim has its mark.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Kind::Verified(address) => address.as_str(),
            Kind::Claimed(text) => text,
        }
    }
}

fn claim(text: &str) -> String {
    let text = text.trim();
    format!("{}{NOT_VERIFIED}", text.strip_suffix(NOT_VERIFIED).unwrap_or(text))
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Parses the text of [`Email::as_str`].
impl From<String> for Email {
    fn from(stored: String) -> Self {
        Email::verified(&stored)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> String {
        email.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_without_regard_to_ascii_case() {
        let own = Email::verified(" Dana@ACME.example ");
        assert_eq!(own.as_str(), "dana@acme.example");
        assert!(own.is("DANA@acme.EXAMPLE") && !own.is("dana@acme.example.org"));
        // The lower case of U+212A KELVIN SIGN is k.
        assert!(!Email::verified("\u{212A}im@acme.example").is("kim@acme.example"));
        assert!(!Email::verified("É@acme.example").is("é@acme.example"));
    }

    #[test]
    fn a_claim_equals_nothing() {
        for claim in [
            Email::claimed("lead@acme.example"),
            Email::verified("no address"),
            Email::verified("@acme.example"),
            Email::verified("a b@acme.example"),
            Email::verified("a\u{202E}@acme.example"),
            Email::verified(&format!("{}@acme.example", "a".repeat(300))),
        ] {
            assert!(claim.address().is_none(), "{claim}");
            assert!(claim.as_str().ends_with(" (not verified)"), "{claim}");
            assert!(!claim.is(claim.as_str()) && !claim.is("lead@acme.example"), "{claim}");
            assert_eq!(Email::from(String::from(claim.clone())), claim, "kept and read again");
        }
        let verified = Email::verified("lead@acme.example");
        assert_eq!(Email::from(String::from(verified.clone())), verified);
        assert_ne!(verified, Email::claimed("lead@acme.example"));
    }

    #[test]
    fn an_address_ends_where_its_domain_does() {
        let fits = format!("{}@acme.example", "a".repeat(LONGEST_ADDRESS - "@acme.example".len()));
        let address = Address::parse(&fits).expect("it is as long as an address may be");
        assert_eq!((address.as_str(), address.domain()), (fits.as_str(), "acme.example"));
        assert_eq!(address.to_string(), fits);
        for none in [
            format!("a{fits}"),
            "dana@".to_owned(),
            "dana".to_owned(),
            "a\u{1}@acme.example".to_owned(),
        ] {
            assert_eq!(Address::parse(&none), None, "{none}");
        }
        assert_eq!(
            Address::parse("\"a@b\"@c.example").unwrap().domain(),
            "c.example",
            "the last @ counts"
        );
        assert_eq!(Email::verified(&fits).to_string(), fits);
    }

    #[test]
    fn a_claim_is_marked_once() {
        let claim = Email::claimed(" dana@acme.example ");
        assert_eq!(claim.to_string(), "dana@acme.example (not verified)");
        assert_eq!(Email::claimed(claim.as_str()), claim);
    }
}
