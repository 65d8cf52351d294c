//! Days and times in queries.

use crate::domain::Timestamp;

/// The start and the end (exclusive) of what a text names: `2026-11-22` a day, `2026-11-22T10:30` a minute, `2026-11-22T10:30:05` a second. A
/// time without a zone is in UTC. A space can stand for the `T`.
pub fn period(text: &str) -> Option<(Timestamp, Timestamp)> {
    let text = text.trim();
    let Some((date, rest)) = text.split_once(['T', 't', ' ']) else {
        // The start of a day is read without a time; any other text of this length is refused there.
        return (text.len() == 10)
            .then(|| Timestamp::parse(text))
            .flatten()
            .map(|start| (start, start.plus(Timestamp::DAY)));
    };
    let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = (rest[..zone_at].trim(), &rest[zone_at..]);
    let zone = if zone.is_empty() { "Z" } else { zone };
    let (seconds, length) = match (clock.matches(':').count(), clock.contains('.')) {
        (1, false) => (":00", Timestamp::MINUTE),
        (2, false) => ("", Timestamp::SECOND),
        (2, true) => ("", 1),
        _ => return None,
    };
    let start = Timestamp::parse(&format!("{date}T{clock}{seconds}{}", zone.to_ascii_uppercase()))?;
    Some((start, start.plus(length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_a_minute_and_a_second_have_a_start_and_an_end() {
        let shown = |text: &str| period(text).map(|(start, end)| format!("{} {}", start.rfc3339(), end.rfc3339()));
        for (text, expected) in [
            ("2026-11-22", "2026-11-22T00:00:00Z 2026-11-23T00:00:00Z"),
            (" 2026-11-22T10:30 ", "2026-11-22T10:30:00Z 2026-11-22T10:31:00Z"),
            ("2026-11-22 10:30", "2026-11-22T10:30:00Z 2026-11-22T10:31:00Z"),
            ("2026-11-22t10:30:05z", "2026-11-22T10:30:05Z 2026-11-22T10:30:06Z"),
            ("2026-11-22T10:30+02:00", "2026-11-22T08:30:00Z 2026-11-22T08:31:00Z"),
            (
                "2026-11-22T10:30:05.25",
                "2026-11-22T10:30:05.25Z 2026-11-22T10:30:05.250001Z",
            ),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
        for wrong in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-11",
            "2026-11-22T",
            "2026-11-22T10",
            "2026-11-22T25:00",
            "22.11.2026",
            "äääää",
            "2026-11-22Tä:ä",
        ] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }
}
