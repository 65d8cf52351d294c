//! Limits on what an identity provider asserts about a person, and messages for accounts that may not decide until
//! operators have identified them.

use crate::domain::{Email, LONGEST_ADDRESS, Timestamp, text};
use crate::engine::Error;
use crate::store::{Asserted, Resemblance};

/// The longest name, in characters; a longer one is cut.
const LONGEST_NAME: usize = 200;
/// The most groups of a person; further ones are left out.
const MOST_GROUPS: usize = 1_000;
/// The longest subject, in characters (OpenID Connect Core, section 2); a sign-in with a longer one is refused.
pub const LONGEST_SUBJECT: usize = 255;

/// Returns the assertion with a name that is safe to show, and without groups that a catalog cannot name.
///
/// # Errors
/// `NotAuthorized` if subject or address are too long or contain invisible characters, or if any claim contains U+0000.
pub(crate) fn bounded(asserted: Asserted) -> Result<Asserted, Error> {
    let refused = |what: &str| Error::NotAuthorized {
        why: format!(
            "The identity provider sent {what}, so you were not signed in. Ask the people who run your identity provider to correct it."
        ),
    };
    let Asserted {
        subject, email, name, ..
    } = &asserted;
    for (what, claim) in [
        ("a subject", subject.as_str()),
        ("an e-mail address", email.as_str()),
        ("a name", name),
    ] {
        if claim.contains('\0') {
            return Err(refused(&format!("{what} with the character U+0000")));
        }
    }
    for (what, claim) in [("a subject", subject.as_str()), ("an e-mail address", email.as_str())] {
        if claim.contains(|c: char| c.is_control() || text::is_forbidden(c)) {
            return Err(refused(&format!("{what} with characters that cannot be seen")));
        }
    }
    if subject.trim().is_empty() || subject.chars().count() > LONGEST_SUBJECT {
        return Err(refused(&format!(
            "a subject that is empty or longer than {LONGEST_SUBJECT} characters"
        )));
    }
    // An address that is not verified ends with a mark, which does not count.
    let mark = Email::claimed("").as_str().len();
    if email.as_str().len() > LONGEST_ADDRESS + if email.address().is_some() { 0 } else { mark } {
        return Err(refused(&format!(
            "an e-mail address longer than {LONGEST_ADDRESS} characters"
        )));
    }
    let name = shown(name);
    let is_usable = |group: &String| {
        let is_hidden = |c: char| c.is_control() || text::is_forbidden(c);
        !group.contains(is_hidden) && group.chars().count() <= LONGEST_NAME
    };
    let mut groups = asserted.groups.clone();
    groups.retain(is_usable);
    groups.truncate(MOST_GROUPS);
    if groups.len() < asserted.groups.len() {
        let left_out = asserted.groups.len() - groups.len();
        tracing::warn!(left_out, "groups of a token are too many, too long or hide characters");
    }
    Ok(Asserted {
        name,
        groups,
        ..asserted
    })
}

/// A name or another claim on one line, shortened, with visible hidden characters.
pub(crate) fn shown(name: &str) -> String {
    let spaced = |c: char| if c.is_whitespace() { ' ' } else { c };
    let name = name.trim();
    let mut short: String = match name.chars().nth(LONGEST_NAME) {
        None => name.to_owned(),
        Some(_) => text::first_chars(name, LONGEST_NAME - 1).to_owned() + "…",
    };
    short = short.chars().map(spaced).collect();
    text::visible(&short)
}

/// Why an action waits until operators have identified the account of its caller or pruner.
pub(crate) const PARTY_NOT_RESOLVED: &str = "It was proposed or pruned with an account that came to an address which another account here had before. \
     Operators have to say on /settings/requests whose account that is, before anybody approves or runs it. It can be rejected.";

/// The message for a person whose roles were asserted too long ago. `max_age`: microseconds.
pub(crate) fn roles_too_old(asserted_at: Timestamp, max_age: i64) -> String {
    format!(
        "Your identity provider confirmed your roles on {}, and roles count for {} only. Sign out, sign in again, and try again then.",
        asserted_at.minute(),
        match (max_age / Timestamp::DAY, max_age / Timestamp::HOUR) {
            (0..2, 1) => "1 hour".to_owned(),
            (0..2, hours) => format!("{hours} hours"),
            (days, _) => format!("{days} days"),
        }
    )
}

/// The message for a person whose new account has the address of an older account.
pub(crate) fn not_resolved(open: &Resemblance) -> String {
    format!(
        "Your account came to the address {}, which another account here had before. You can read, and you cannot decide until operators \
         have said whether both accounts are yours. Ask an operator to open /settings/requests and to say whether {} and {} are the same \
         person.",
        open.address, open.newcomer, open.known
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asserted(subject: &str, email: Email, name: &str) -> Asserted {
        Asserted {
            issuer: "https://idp.example".to_owned(),
            subject: subject.to_owned(),
            email,
            name: name.to_owned(),
            roles: Some(Vec::new()),
            groups: Vec::new(),
        }
    }

    #[test]
    fn names_are_cut_and_made_visible() {
        let name = |name: &str| bounded(asserted("s", Email::verified("a@b"), name)).unwrap().name;
        assert_eq!(name(" Dana\nD.\u{202E} "), "Dana D.⟦U+202E⟧");
        assert_eq!(name(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(name(&"x".repeat(900_000)), format!("{}…", "x".repeat(199)));
    }

    #[test]
    fn groups_that_no_catalog_can_name_are_left_out() {
        let with = |groups: Vec<String>| {
            let one = Asserted {
                groups,
                ..asserted("s", Email::verified("a@b"), "n")
            };
            bounded(one).unwrap().groups
        };
        let groups = ["ops", "a\u{202E}b", &"x".repeat(201), "nul\0"].map(str::to_owned);
        assert_eq!(with(groups.to_vec()), ["ops"]);
        assert_eq!(with((0..2_000).map(|group| group.to_string()).collect()).len(), 1_000);
    }

    #[test]
    fn what_is_too_long_or_hides_something_is_refused() {
        let long = "x".repeat(900_000);
        for (subject, email, name, says) in [
            ("", Email::verified("a@b"), "n", "a subject that is empty"),
            (&long, Email::verified("a@b"), "n", "longer than 255 characters"),
            (
                "s",
                Email::verified(&format!("{long}@b")),
                "n",
                "longer than 254 characters",
            ),
            (
                "s",
                Email::claimed(&format!("{}@b", "x".repeat(253))),
                "n",
                "longer than 254 characters",
            ),
            ("s\0", Email::verified("a@b"), "n", "U+0000"),
            ("s", Email::claimed("a\0@b"), "n", "U+0000"),
            ("s", Email::verified("a@b"), "n\0", "U+0000"),
            ("s\u{200B}", Email::verified("a@b"), "n", "cannot be seen"),
            ("s", Email::verified("a\u{202E}@b"), "n", "cannot be seen"),
        ] {
            let error = bounded(asserted(subject, email, name)).unwrap_err().to_string();
            assert!(error.contains(says) && error.len() < 400, "{says}: {error}");
        }
        assert!(bounded(asserted("s", Email::claimed(&format!("{}@b", "x".repeat(252))), "n")).is_ok());
    }
}
