//! `titles`: each title says what is to be done, and no two of a package say the same.
//!
//! The rules know no language: what says nothing are words of a list (which the tenant can extend), numbers, names of records, and
//! letters that do not make a word. Whatever is left over is taken to say something.

use crate::checks::CheckInput;
use crate::checks::input::Item;
use crate::checks::report::{CheckReport, listed};
use crate::domain::{CheckId, Verdict, ids, text, title_similarity};
use std::collections::{BTreeMap, BTreeSet};

/// Words that could stand in the title of anything.
const GENERIC: &str = "a about action add address an and as assorted at be bug bugs change changes check child clean cleanup code \
    complete create defect defects delete do done edit error errors etc everything file finding findings fix fixed fixes fixing follow \
    followup for general generic handle handling implement implementation improve improvement improvements in investigate is issue \
    issues it item items lorem ipsum make misc miscellaneous modify more my need needed needs new of on one other our parent part \
    patch please problem problems process refactor remaining remediate remediation remove resolve resolving review same scan security \
    several some something story stuff sub subtask task tasks tbd test tests that the thing things this ticket title to todo two \
    unknown untitled up update updates upgrade various vulnerabilities vulnerability wip with work working xxx yyy";

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut found = CheckReport::of(CheckId::Titles);
    let items = input.items();
    let titled: Vec<(&Item<'_>, &str)> = items
        .iter()
        .filter_map(|item| Some((item, item.text("title")?)))
        .collect();
    if titled.is_empty() {
        return found;
    }
    let generic: BTreeSet<&str> = GENERIC
        .split_whitespace()
        .chain(input.around.generic_words.iter().map(String::as_str))
        .collect();
    let empty: Vec<_> = titled
        .iter()
        .filter(|(_, title)| !says_something(title, &generic))
        .collect();
    if !empty.is_empty() {
        let names: Vec<String> = empty.iter().map(|(_, title)| quoted(title)).collect();
        found.add(
            Verdict::Block,
            format!(
                "Says nothing of what is to be done: {}. Write what will be different, and where.",
                listed(&names)
            ),
            None,
            empty.iter().map(|(item, _)| item.pointer("title")),
        );
    }
    let mut alike: BTreeMap<_, Vec<&(&Item<'_>, &str)>> = BTreeMap::new();
    for one in &titled {
        alike.entry(title_similarity::essence(one.1)).or_default().push(one);
    }
    for same in alike.values().filter(|same| same.len() > 1) {
        found.add(
            Verdict::Block,
            format!(
                "{} items of this package have the same title, {}. Say what is different about each, or make them one.",
                same.len(),
                quoted(same[0].1)
            ),
            None,
            same.iter().map(|(item, _)| item.pointer("title")),
        );
    }
    let words = match titled.len() {
        1 => "Its title says what is to be done.".to_owned(),
        count => format!("All {count} titles say what is to be done, each something else."),
    };
    found.or_pass(words, None)
}

fn quoted(title: &str) -> String {
    format!("\"{}\"", text::visible(title.trim()))
}

/// Whether anything is left of a title without what could stand in the title of anything.
fn says_something(title: &str, generic: &BTreeSet<&str>) -> bool {
    let named = ids::scan(title);
    title
        .split_whitespace()
        // Names of records: `fnd_…`, `FND-12`.
        .filter(|word| !named.iter().any(|id| word.contains(id)) && !is_key(word))
        .flat_map(|word| word.split(|c: char| !c.is_alphanumeric()))
        .any(|word| {
            let word = word.to_lowercase();
            let letters: BTreeSet<char> = word.chars().filter(|c| c.is_alphabetic()).collect();
            // A single sign can be a word where signs are words; a single letter is none.
            let enough = if word.is_ascii() { 2 } else { 1 };
            letters.len() >= enough && !generic.contains(word.as_str())
        })
}

/// `FND-12`, `WI-3`, `#17`: capitals, a hyphen and a number.
fn is_key(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.split_once('-').is_some_and(|(series, number)| {
        !series.is_empty()
            && series.chars().all(|c| c.is_ascii_uppercase())
            && !number.is_empty()
            && number.chars().all(|c| c.is_ascii_digit())
    })
}
