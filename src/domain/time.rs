//! Times: whole microseconds since 1970 in UTC, from the server's clock.

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A point in time: microseconds since 1970-01-01T00:00:00Z. JSON contains RFC 3339, see [`Timestamp::rfc3339`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// One second in microseconds.
    pub const SECOND: i64 = 1_000_000;
    /// One minute in microseconds.
    pub const MINUTE: i64 = 60 * Self::SECOND;
    /// One hour in microseconds.
    pub const HOUR: i64 = 60 * Self::MINUTE;
    /// One day in microseconds.
    pub const DAY: i64 = 24 * Self::HOUR;

    /// The time after so many microseconds.
    pub fn plus(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// The microseconds from `earlier` to this time; negative if `earlier` is later.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The day in UTC, for people: `23 Feb 2027`.
    pub fn day(self) -> String {
        const FORMAT: &[time::format_description::BorrowedFormatItem<'_>] =
            time::macros::format_description!("[day padding:none] [month repr:short] [year]");
        self.datetime().format(FORMAT).unwrap_or_default()
    }

    fn datetime(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The start of the second that contains this time.
    pub fn whole_second(self) -> Self {
        Self(self.0 - self.0.rem_euclid(Self::SECOND))
    }

    /// RFC 3339 in UTC, such as `2026-11-22T21:20:34.5Z`.
    pub fn rfc3339(self) -> String {
        self.datetime().format(&Rfc3339).unwrap_or_default()
    }

    /// The time for people: `2026-11-22 21:20 UTC`.
    pub fn minute(self) -> String {
        let at = self.datetime();
        format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
    }

    /// The time for people, to the second: `2026-11-22 21:20:34 UTC`.
    pub fn second(self) -> String {
        let at = self.datetime();
        format!(
            "{} {:02}:{:02}:{:02} UTC",
            at.date(),
            at.hour(),
            at.minute(),
            at.second()
        )
    }

    /// Parses RFC 3339, or a date alone (its start in UTC).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let whole = if text.len() == 10 {
            format!("{text}T00:00:00Z")
        } else {
            text.to_owned()
        };
        let at = OffsetDateTime::parse(&whole, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos() / 1_000).ok().map(Self)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::parse(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(feature = "engine")]
impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_and_speak_plainly() {
        let at = Timestamp::parse("2026-11-22T21:20:34.5Z").expect("a time");
        assert_eq!(at.rfc3339(), "2026-11-22T21:20:34.5Z");
        assert_eq!(at.minute(), "2026-11-22 21:20 UTC");
        assert_eq!(
            Timestamp::parse("2026-11-22").map(Timestamp::rfc3339).as_deref(),
            Some("2026-11-22T00:00:00Z")
        );
    }

    #[test]
    fn a_time_is_a_moment_in_utc() {
        let at = Timestamp(1_700_000_000_123_456);
        let units = (Timestamp::MINUTE, Timestamp::HOUR, Timestamp::DAY);
        assert_eq!(units, (60_000_000, 3_600_000_000, 86_400_000_000));
        assert_eq!(at.rfc3339(), "2023-11-14T22:13:20.123456Z");
        assert_eq!(at.second(), "2023-11-14 22:13:20 UTC");
        assert_eq!(at.whole_second().rfc3339(), "2023-11-14T22:13:20Z");
        assert_eq!(Timestamp(-1).whole_second(), Timestamp(-Timestamp::SECOND));
        assert_eq!(Timestamp::parse(" 2023-11-15T00:13:20.123456+02:00 "), Some(at));
        assert_eq!(Timestamp::parse("2023-11-14 22:13"), None);
        assert_eq!((at.plus(5).since(at), at.since(at.plus(5))), (5, -5));
        assert_eq!(Timestamp(i64::MAX).plus(1), Timestamp(i64::MAX));
        let json = serde_json::to_string(&at).unwrap();
        assert_eq!(json, "\"2023-11-14T22:13:20.123456Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), at);
        assert!(serde_json::from_str::<Timestamp>("\"yesterday\"").is_err());
    }

    #[cfg(feature = "engine")]
    #[test]
    fn the_schema_of_a_time_is_inline_and_a_date_time() {
        let mut generator = schemars::SchemaGenerator::default();
        let schema = generator.subschema_for::<Timestamp>().to_value();
        assert_eq!(schema["format"], "date-time");
    }
}
