//! The headline of an action: the record and what happens to it. Inbox, page, audit log and the answers to agents show it.

use crate::domain::text::prose::{joined, quoted};
use crate::domain::text::{first_chars, visible};
use crate::domain::{Facts, FieldChange, Finding, RecordKind, Timestamp};
use serde_json::Value;

/// The longest headline, in characters.
pub(super) const LONGEST: usize = 200;
/// The longest value of a field, in characters. A longer one is not shown.
const LONGEST_VALUE: usize = 40;
/// The most fields and the most keys that are named; the rest is counted.
const MOST_NAMED: usize = 3;

/// A headline of a title with the words before and after it, on one line: `Accept risk: Unused import (FND-109, low) until 23 Feb 2027`. The
/// title is shortened if the headline would be longer than [`LONGEST`].
pub(super) fn headline(before: &str, title: &str, after: &str) -> String {
    let line = |text: &str| visible(text).split_whitespace().collect::<Vec<_>>().join(" ");
    let join = |title: &str| format!("{before}{title}{after}");
    let title = line(title);
    let (whole, others) = (join(&title), join("").chars().count());
    if whole.chars().count() <= LONGEST {
        return whole;
    }
    match LONGEST.checked_sub(others + 1) {
        Some(room) if room > 0 => join(&format!("{}…", first_chars(&title, room).trim_end())),
        _ => format!("{}…", first_chars(&whole, LONGEST - 1)),
    }
}

/// `Unused import` and ` (FND-109, low)`: the title of a finding, and what identifies it.
pub(super) fn finding(finding: &Finding) -> (&str, String) {
    (
        &finding.title,
        format!(" ({}, {})", finding.key, finding.severity.as_str()),
    )
}

/// `23 Feb 2027`; the text itself if it is no date.
pub(super) fn day(text: &str) -> String {
    Timestamp::parse(text).map_or_else(|| visible(text), Timestamp::day)
}

/// `FND-1, FND-2 and 3 more`.
pub(super) fn keys<'k>(keys: impl Iterator<Item = &'k str>) -> String {
    some(keys.map(visible).collect())
}

/// `priority high to critical and status open to done`.
pub(super) fn changes(fields: &[FieldChange], facts: &Facts) -> String {
    some(fields.iter().map(|field| change(field, facts)).collect())
}

fn some(mut all: Vec<String>) -> String {
    if all.len() > MOST_NAMED {
        let more = all.len() - MOST_NAMED + 1;
        all.truncate(MOST_NAMED - 1);
        all.push(format!("{more} more"));
    }
    joined(&all)
}

fn change(field: &FieldChange, facts: &Facts) -> String {
    let name = words(field.field.strip_suffix("Id").unwrap_or(&field.field));
    let shown = |value: &Value| {
        let text = value.as_str()?;
        // Another record is named, and a constant is written as words.
        if RecordKind::of(text).is_some() {
            let (key, name) = facts.name_of(text)?;
            return Some(visible(key.unwrap_or(name)));
        }
        match field.field.as_str() {
            "status" | "priority" => Some(text.replace('_', " ")),
            "title" => Some(quoted(text)),
            _ => None,
        }
    };
    let short = |value: &Value| shown(value).filter(|text| text.chars().count() <= LONGEST_VALUE);
    match (short(&field.before), short(&field.after)) {
        (Some(before), Some(after)) if field.field != "title" => format!("{name} {before} to {after}"),
        (_, Some(after)) => format!("{name} to {after}"),
        _ => name,
    }
}

/// `ownerId` is `owner id`.
fn words(field: &str) -> String {
    field.chars().fold(String::new(), |mut words, c| {
        if c.is_uppercase() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
        words
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_headline_is_one_bounded_line_that_keeps_key_and_change() {
        assert_eq!(
            headline("Accept risk: ", "Unused\n import", " (FND-109, low)"),
            "Accept risk: Unused import (FND-109, low)"
        );
        for title in ["x".repeat(5_000), "👩‍👩‍👧".repeat(1_000), "pay\u{202E}".repeat(300)] {
            let long = headline("Accept risk: ", &title, " (FND-109, low) until 23 Feb 2027");
            assert!(long.chars().count() <= LONGEST, "{long}");
            assert!(
                long.ends_with("… (FND-109, low) until 23 Feb 2027") && !crate::domain::text::hides(&long),
                "{long}"
            );
        }
        assert_eq!(headline("", "", &"y".repeat(500)).chars().count(), LONGEST);
    }

    #[test]
    fn a_change_is_written_in_words() {
        let field = |field: &str, before: Value, after: Value| FieldChange {
            field: field.to_owned(),
            before,
            after,
        };
        let facts = Facts::default();
        let priority = field("priority", json!("high"), json!("critical"));
        let status = field("status", json!("open"), json!("in_progress"));
        let title = field("title", json!("Old"), json!("New name"));
        let description = field("description", json!("a"), json!("b"));
        assert_eq!(
            changes(std::slice::from_ref(&priority), &facts),
            "priority high to critical"
        );
        assert_eq!(
            changes(&[title.clone(), status.clone()], &facts),
            "title to \"New name\" and status open to in progress"
        );
        assert_eq!(
            changes(&[priority, status, title, description.clone()], &facts),
            "priority high to critical, status open to in progress and 2 more"
        );
        assert_eq!(changes(&[description], &facts), "description");
        assert_eq!(
            changes(&[field("title", json!("a"), json!("b".repeat(50)))], &facts),
            "title"
        );
        assert_eq!(words("acceptanceCriteria"), "acceptance criteria");
    }

    #[test]
    fn a_day_is_short() {
        assert_eq!(day("2027-02-23T00:00:00Z"), "23 Feb 2027");
        assert_eq!(day("2027-02-03"), "3 Feb 2027");
        assert_eq!(day("soon"), "soon");
        assert_eq!(keys(["A-1", "A-2", "A-3", "A-4"].into_iter()), "A-1, A-2 and 2 more");
    }
}
