//! Pauses: what agents may not write for now. People can still reject what is pending, and agents can still read.

use super::{ClientId, PlainText, Timestamp};
use std::fmt;

/// What is paused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PauseTarget {
    /// All agents of the tenant.
    Agents,
    /// A tool that proposes, by its name.
    Tool(String),
    /// A client, for everyone for whom it acts. Nothing that it sends is written, evidence and catalogs included.
    Client(ClientId),
}

impl PauseTarget {
    /// Reads the form that [`Display`](fmt::Display) writes: `agents`, `tool:NAME` or `client:ID`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "agents" => Some(Self::Agents),
            Some(("tool", name)) if !name.is_empty() => Some(Self::Tool(name.to_owned())),
            Some(("client", id)) => ClientId::parse(id).ok().map(Self::Client),
            _ => None,
        }
    }
}

impl fmt::Display for PauseTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agents => f.write_str("agents"),
            Self::Tool(name) => write!(f, "tool:{name}"),
            Self::Client(id) => write!(f, "client:{id}"),
        }
    }
}

/// A pause that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// What is paused.
    pub target: PauseTarget,
    /// The client's name, if a client is paused.
    pub client_name: Option<PlainText>,
    /// The name of the person who paused it; `None` at the console.
    pub person_name: Option<PlainText>,
    /// Why.
    pub reason: PlainText,
    /// Since when.
    pub since: Timestamp,
}

impl Pause {
    /// Whether the pause stops what this client proposes with this tool.
    pub fn stops(&self, tool: &str, client: &ClientId) -> bool {
        match &self.target {
            PauseTarget::Agents => true,
            PauseTarget::Tool(name) => name == tool,
            PauseTarget::Client(id) => id == client,
        }
    }

    /// What is paused, in words: `All agents`, `The tool loopiq_accept_risk` or `The client Helix`.
    pub fn subject(&self) -> PlainText {
        match (&self.target, &self.client_name) {
            (PauseTarget::Agents, _) => "All agents".into(),
            (PauseTarget::Tool(name), _) => format!("The tool {name}").into(),
            (PauseTarget::Client(_), Some(name)) => format!("The client {name}").into(),
            (PauseTarget::Client(id), None) => format!("The client {id}").into(),
        }
    }

    /// Who paused it.
    pub fn by(&self) -> PlainText {
        self.person_name
            .clone()
            .unwrap_or_else(|| "an operator at the console".into())
    }

    /// What is paused, since when, by whom and why, as one sentence.
    pub fn sentence(&self) -> PlainText {
        let verb = match self.target {
            PauseTarget::Agents => "are",
            PauseTarget::Tool(_) | PauseTarget::Client(_) => "is",
        };
        let since = self.since.minute();
        format!(
            "{} {verb} paused since {since}, by {}: \"{}\".",
            self.subject(),
            self.by(),
            self.reason
        )
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_reads_what_it_writes() {
        let client = ClientId::from_bits(7);
        for target in [
            PauseTarget::Agents,
            PauseTarget::Tool("loopiq_accept_risk".to_owned()),
            PauseTarget::Client(client),
        ] {
            assert_eq!(PauseTarget::parse(&target.to_string()), Some(target));
        }
        for wrong in [
            "",
            "agent",
            "agents:",
            "tool:",
            "tool",
            "client:",
            "client:Helix",
            "Agents",
        ] {
            assert_eq!(PauseTarget::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_pause_says_what_since_when_by_whom_and_why() {
        let pause = |target, by: Option<&str>| Pause {
            target,
            client_name: Some("Helix".into()),
            person_name: by.map(PlainText::from),
            reason: "It proposes nonsense".into(),
            since: Timestamp(1_780_000_000_000_000),
        };
        let all = pause(PauseTarget::Agents, Some("Olga")).sentence().to_string();
        assert!(
            all.starts_with("All agents are paused since 2026-05-28 20:26 UTC"),
            "{all}"
        );
        assert!(all.ends_with("by Olga: \"It proposes nonsense\"."), "{all}");
        let one = pause(PauseTarget::Client(ClientId::from_bits(1)), None)
            .sentence()
            .to_string();
        assert!(one.starts_with("The client Helix is paused since"), "{one}");
        assert!(one.contains("by an operator at the console"), "{one}");
    }
}
