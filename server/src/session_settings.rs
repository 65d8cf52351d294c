//! How long sessions and roles last.

use loopiq::domain::Timestamp;
use tower_sessions::cookie::time::Duration;

/// How long sessions last. All in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionSettings {
    /// A session that is not used for this time ends.
    pub idle: i64,
    /// A session ends after this time, even if it is used.
    pub lifetime: i64,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            idle: 8 * Timestamp::HOUR,
            lifetime: 12 * Timestamp::HOUR,
        }
    }
}

/// The use of a session is stored at most once in this time, in microseconds. Otherwise each page view would write to the database.
const TOUCH_EVERY: i64 = 5 * Timestamp::MINUTE;

impl SessionSettings {
    /// How long the use of a session is not stored again: short enough that a session in use does not become idle.
    pub(crate) fn touch_every(self) -> i64 {
        TOUCH_EVERY.min(self.idle / 4)
    }

    /// How long the browser keeps the cookie. The database decides whether the session is still valid.
    pub(crate) fn cookie_lifetime(self) -> Duration {
        Duration::microseconds(self.lifetime)
    }
}

/// How long sessions last.
#[derive(Debug, Clone, clap::Args)]
pub struct SessionArgs {
    /// A session ends when the browser sends no request for this time: a number with `m`, `h` or `d`.
    #[arg(long, env = "LOOPIQ_SESSION_IDLE", default_value = "8h", value_name = "TIME", value_parser = session_time)]
    session_idle: i64,
    /// A session ends after this time, even if it is used. The person then signs in again.
    #[arg(long, env = "LOOPIQ_SESSION_LIFETIME", default_value = "12h", value_name = "TIME", value_parser = session_time)]
    session_lifetime: i64,
    /// A person decides, and an approval counts, only if the identity provider has asserted the person's roles within this time: a number with
    /// `h` or `d`. Each sign-in asserts them.
    #[arg(long, env = "LOOPIQ_ROLES_MAX_AGE", default_value = "30d", value_name = "TIME", value_parser = roles_time)]
    roles_max_age: i64,
}

impl SessionArgs {
    /// What is odd about the settings, if something is.
    pub fn oddity(&self) -> Option<String> {
        let minutes = |time: i64| time / Timestamp::MINUTE;
        (self.session_idle > self.session_lifetime).then(|| {
            format!(
                "LOOPIQ_SESSION_IDLE ({} min) is longer than LOOPIQ_SESSION_LIFETIME ({} min), so it has no effect: sessions end before",
                minutes(self.session_idle),
                minutes(self.session_lifetime)
            )
        })
    }

    /// The settings.
    pub fn settings(&self) -> SessionSettings {
        SessionSettings {
            idle: self.session_idle,
            lifetime: self.session_lifetime,
        }
    }
}

impl SessionArgs {
    /// How long roles count after the identity provider asserted them, in microseconds.
    pub fn roles_max_age(&self) -> i64 {
        self.roles_max_age
    }
}

/// A time for roles: from an hour to a year.
fn roles_time(text: &str) -> Result<i64, String> {
    let time = duration(text)?;
    if !(Timestamp::HOUR..=366 * Timestamp::DAY).contains(&time) {
        return Err("must be between 1h and 366d".to_owned());
    }
    Ok(time)
}

/// A time for sessions: from 5 minutes to 30 days.
fn session_time(text: &str) -> Result<i64, String> {
    let time = duration(text)?;
    if !(5 * Timestamp::MINUTE..=30 * Timestamp::DAY).contains(&time) {
        return Err("must be between 5m and 30d".to_owned());
    }
    Ok(time)
}

/// A duration in microseconds: a whole number with `m`, `h` or `d`, such as `30m`.
///
/// # Errors
/// A sentence about what it must be.
pub(crate) fn duration(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let unit = match text.chars().last() {
        Some('m') => Timestamp::MINUTE,
        Some('h') => Timestamp::HOUR,
        Some('d') => Timestamp::DAY,
        _ => 0,
    };
    let number = text.get(..text.len().saturating_sub(1)).unwrap_or_default();
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = number.parse::<i64>().ok().filter(|_| is_number && unit > 0);
    parsed
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| "must be a whole number with m, h or d, such as 30m, 8h or 30d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_with_a_unit() {
        assert_eq!(duration("30m"), Ok(30 * Timestamp::MINUTE));
        assert_eq!(duration(" 8h "), Ok(8 * Timestamp::HOUR));
        assert_eq!(duration("30d"), Ok(30 * Timestamp::DAY));
        for bad in [
            "",
            "m",
            "8",
            "8 h",
            "-8h",
            "+8h",
            "8s",
            "1.5h",
            "99999999999999999999d",
            "9999999999999d",
            "8ä",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_session_lasts_between_minutes_and_weeks() {
        assert_eq!(session_time("5m"), Ok(5 * Timestamp::MINUTE));
        assert!(session_time("4m").is_err() && session_time("31d").is_err() && session_time("0h").is_err());
        assert_eq!(roles_time("30d"), Ok(30 * Timestamp::DAY));
        assert!(roles_time("59m").is_err() && roles_time("367d").is_err());
        let short = SessionSettings {
            idle: 8 * Timestamp::MINUTE,
            ..SessionSettings::default()
        };
        assert_eq!(short.touch_every(), 2 * Timestamp::MINUTE);
        assert_eq!(SessionSettings::default().touch_every(), TOUCH_EVERY);
    }
}
