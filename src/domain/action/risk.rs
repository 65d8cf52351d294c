//! The risk class of a proposal.

use serde::{Deserialize, Serialize};

/// How much could go wrong if a proposal were approved by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Adds or corrects one record, easily taken back.
    Low,
    /// Adds several records, or changes what others rely on.
    Medium,
    /// Waives, closes or opens something that a release rests on.
    High,
}

impl Risk {
    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Risk::Low => "low",
            Risk::Medium => "medium",
            Risk::High => "high",
        }
    }
    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<Risk> {
        [Risk::Low, Risk::Medium, Risk::High]
            .into_iter()
            .find(|risk| risk.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_words_are_read_back() {
        for risk in [Risk::Low, Risk::Medium, Risk::High] {
            assert_eq!(Risk::parse(risk.as_str()), Some(risk));
        }
        assert_eq!(Risk::parse("severe"), None);
    }
}
