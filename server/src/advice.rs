//! What to do about an error: `check-config` shows it next to the message.

use std::fmt;

/// A message with what to do about it, as the context of an error.
#[derive(Debug)]
pub struct Advice {
    message: String,
    fix: &'static str,
}

impl Advice {
    /// A message, and what to do; an empty text if the message says that itself.
    pub fn new(message: impl Into<String>, fix: &'static str) -> Self {
        Self {
            message: message.into(),
            fix,
        }
    }

    /// What to do about this error, if one of its causes says so.
    pub fn of(error: &anyhow::Error) -> Option<&'static str> {
        error.downcast_ref::<Self>().map(|advice| advice.fix)
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn advice_is_found_below_other_messages() {
        let low = std::io::Error::from(std::io::ErrorKind::NotFound);
        let error: anyhow::Result<()> = Err(low).context(Advice::new("x cannot be read", "create it"));
        let error = error.context("the setting").unwrap_err();
        assert_eq!(Advice::of(&error), Some("create it"));
        assert!(
            format!("{error:#}").starts_with("the setting: x cannot be read: "),
            "{error:#}"
        );
        let plain = anyhow::Error::msg(Advice::new("wrong", "")).context("setting");
        assert_eq!(
            (Advice::of(&plain), format!("{plain:#}").as_str()),
            (Some(""), "setting: wrong")
        );
        assert_eq!(Advice::of(&anyhow::anyhow!("other")), None);
    }
}
