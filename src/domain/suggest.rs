//! The nearest of some known names.

use crate::domain::text::folded;

/// The most names that are suggested.
const MOST: usize = 3;
/// Longer texts are near to no name, and comparing them costs time.
const LONGEST: usize = 64;

/// A name in the form in which names are compared: without case, and with one sign between words.
pub fn plain(name: &str) -> String {
    folded(name.trim()).replace([' ', '-'], "_")
}

/// The known names that are nearest to `wrong`, nearest first: those that contain it, then those with few different letters. Each known name has
/// a second text that means the same.
pub fn nearest<'a>(wrong: &str, known: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<&'a str> {
    let wrong = plain(wrong);
    if wrong.is_empty() || wrong.chars().nth(LONGEST).is_some() {
        return Vec::new();
    }
    let most = (wrong.chars().count() / 3).clamp(1, 4);
    let mut near: Vec<((usize, usize), &str)> = known
        .filter_map(|(name, label)| {
            let distance = [name, label]
                .map(|known| distance(&wrong, &plain(known)))
                .into_iter()
                .min()?;
            (distance.0 <= most).then_some((distance, name))
        })
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().take(MOST).map(|(_, name)| name).collect()
}

/// The number of different letters, which is none for a part of the name, and the same for the whole name.
fn distance(wrong: &str, known: &str) -> (usize, usize) {
    let is_word = known.split(['_', '.']).any(|word| word == wrong);
    let is_end = known.ends_with(&format!("_{wrong}")) || known.ends_with(&format!(".{wrong}"));
    let is_start = wrong.len() >= 3 && (known.starts_with(wrong) || wrong.ends_with(known));
    let of_parts = known
        .split('.')
        .chain([known])
        .map(|part| strsim::osa_distance(wrong, part));
    let least = of_parts.min().unwrap_or(usize::MAX);
    let is_part = is_word || is_end || is_start;
    (if is_part { 0 } else { least }, least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_or_a_misspelling_is_near() {
        let known = [
            ("action.endorsed", "approved (more approvals needed)"),
            ("action.approved", "approved"),
            ("action.executed", "executed"),
            ("pending_approval", "Pending approval"),
            ("loopiq_create_work_item", "Create work item"),
        ];
        let near = |wrong: &str| nearest(wrong, known.into_iter());
        assert_eq!(near("aproved"), ["action.approved"]);
        assert_eq!(near("approve"), ["action.approved", "action.endorsed"]);
        assert_eq!(near("actoin.executed"), ["action.executed"]);
        assert_eq!(near("Pending"), ["pending_approval"]);
        assert_eq!(near("create-work-item"), ["loopiq_create_work_item"]);
        assert!(near("nonsense").is_empty() && near("").is_empty() && near(&"a".repeat(4_000)).is_empty());
    }
}
