//! What the pages of sessions and of one person show.

use crate::domain::Role;
use crate::domain::text::PlainText;
use crate::views::When;
use serde::{Deserialize, Serialize};

/// The page of a person's own sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionsPage {
    /// The sessions in this tenant, the one that was used last first.
    pub sessions: Vec<SessionView>,
}

/// A session of a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// The session's name (`ses_...`), which opens nothing.
    pub id: String,
    /// The browser and the system that it reports.
    pub program: PlainText,
    /// The network address of its last request.
    pub address: PlainText,
    /// When it started.
    pub started: When,
    /// About when it was last used.
    pub seen: When,
    /// When it ends, even if it is used.
    pub ends: When,
    /// Whether it is the session that asks.
    pub here: bool,
}

/// A person in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonRow {
    /// The account's ID.
    pub id: String,
    /// The name.
    pub name: PlainText,
    /// The e-mail address, and whether it is verified.
    pub email: PlainText,
    /// The roles of the last sign-in.
    pub roles: Vec<Role>,
    /// When the identity provider asserted them.
    pub signed_in: When,
    /// The number of open sessions.
    pub sessions: u32,
}

/// The page of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonPage {
    /// The person.
    pub person: PersonRow,
    /// The identity provider, and the person's ID there.
    pub account: [PlainText; 2],
    /// The person's sessions.
    pub sessions: Vec<SessionView>,
    /// The number of clients and tokens that act for the person.
    pub clients: usize,
}

/// The browsers that a `User-Agent` may name, most specific first: many browsers also name those that they imitate.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Firefox/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// The systems that a `User-Agent` may name, most specific first.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// The browser and the system that a `User-Agent` names, such as `Firefox on Linux`; the beginning of the text if it names neither.
pub fn program(agent: Option<&str>) -> PlainText {
    let Some(agent) = agent else {
        return "Unknown program".into();
    };
    let first = |known: &[(&str, &'static str)]| {
        known
            .iter()
            .find(|(part, _)| agent.contains(part))
            .map(|(_, name)| *name)
    };
    match (first(&BROWSERS), first(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}").into(),
        (Some(browser), None) => browser.into(),
        (None, Some(system)) => system.into(),
        (None, None) => PlainText::from(agent.chars().take(40).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_named_by_its_own_name() {
        let named = |agent: &str| program(Some(agent)).to_string();
        assert_eq!(
            named("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
            "Firefox on Linux"
        );
        let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
        assert_eq!(named(chrome), "Chrome on Windows");
        assert_eq!(named(&format!("{chrome} Edg/140.0.0.0")), "Edge on Windows");
        let safari = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15";
        assert_eq!(named(safari), "Safari on macOS");
        assert_eq!(
            named("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) CriOS/140.0 Safari/604.1"),
            "Chrome on iPhone"
        );
        assert_eq!(named("curl/8.5.0"), "curl/8.5.0");
        assert_eq!(named(&"x".repeat(200)), "x".repeat(40));
        assert_eq!(named("a\u{202E}b"), "a⟦U+202E⟧b");
        assert_eq!(program(None).as_str(), "Unknown program");
    }
}
