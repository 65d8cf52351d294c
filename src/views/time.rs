//! Times and spans as people read them.

use crate::domain::Timestamp;
use serde::{Deserialize, Serialize};

/// A time as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct When {
    /// RFC 3339 to the second, for `<time datetime>`.
    pub exact: String,
    /// `2026-11-22 21:20:34 UTC`.
    pub utc: String,
    /// `3 h ago`.
    pub relative: String,
}

impl When {
    /// How `at` reads at the time `now`.
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        Self {
            exact: at.whole_second().rfc3339(),
            utc: at.second(),
            relative: relative(at, now),
        }
    }
}

/// How long `at` is before or after `now`, in the largest unit that fits: `3 h ago`, `in 21 h`.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let span = now.since(at).abs();
    match (span < Timestamp::MINUTE, at > now) {
        (true, _) => "just now".to_owned(),
        (false, true) => format!("in {}", duration(span)),
        (false, false) => format!("{} ago", duration(span)),
    }
}

/// A span of microseconds in the largest unit that fits: `< 1 min`, `5 min`, `3 h`, `41 days`.
pub fn duration(micros: i64) -> String {
    if micros < Timestamp::MINUTE {
        "< 1 min".to_owned()
    } else if micros < Timestamp::HOUR {
        format!("{} min", micros / Timestamp::MINUTE)
    } else if micros < 2 * Timestamp::DAY {
        format!("{} h", micros / Timestamp::HOUR)
    } else {
        format!("{} days", micros / Timestamp::DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_one_unit_and_a_direction() {
        let at = Timestamp(Timestamp::DAY);
        let ago = |micros| relative(at, at.plus(micros));
        assert_eq!(ago(0), "just now");
        assert_eq!(ago(59 * Timestamp::SECOND), "just now");
        assert_eq!(ago(Timestamp::MINUTE), "1 min ago");
        assert_eq!(ago(3 * Timestamp::HOUR), "3 h ago");
        assert_eq!(ago(47 * Timestamp::HOUR), "47 h ago");
        assert_eq!(ago(2 * Timestamp::DAY), "2 days ago");
        assert_eq!(relative(at.plus(41 * Timestamp::DAY), at), "in 41 days");
    }

    #[test]
    fn a_span_is_said_in_the_largest_unit_that_fits() {
        let (minute, hour, day) = (Timestamp::MINUTE, Timestamp::HOUR, Timestamp::DAY);
        for (micros, said) in [
            (-1, "< 1 min"),
            (minute - 1, "< 1 min"),
            (minute, "1 min"),
            (hour - 1, "59 min"),
            (hour, "1 h"),
            (2 * day - 1, "47 h"),
            (2 * day, "2 days"),
            (41 * day, "41 days"),
        ] {
            assert_eq!(duration(micros), said, "{micros}");
        }
    }
}
