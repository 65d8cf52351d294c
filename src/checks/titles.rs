//! `titles`: each title is specific, and no two titles of a package are equal.
//!
//! The rules depend on no language. A title is specific if it has a word that is not generic. Generic are the words of a list that the
//! tenant can extend, numbers, names of records, and repeated letters.

use crate::checks::CheckInput;
use crate::checks::input::Item;
use crate::checks::report::CheckReport;
use crate::domain::text::prose::{listed, quoted};
use crate::domain::{CheckCode, Verdict, ids, text, title_similarity};
use std::collections::{BTreeMap, BTreeSet};

/// Words that fit into any title, and therefore do not describe the work.
const GENERIC: &str = "a about action add address an and as assorted at be bug bugs change changes check child clean cleanup code \
    complete create defect defects delete do done edit error errors etc everything file finding findings fix fixed fixes fixing follow \
    followup for general generic handle handling implement implementation improve improvement improvements in investigate is issue \
    issues it item items lorem ipsum make misc miscellaneous modify more my need needed needs new of on one other our parent part \
    patch please problem problems process refactor remaining remediate remediation remove resolve resolving review same scan security \
    several some something story stuff sub subtask task tasks tbd test tests that the thing things this ticket title to todo two \
    unknown untitled up update updates upgrade various vulnerabilities vulnerability wip with work working xxx yyy";

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut report = CheckReport::new();
    let items = input.items();
    let titled: Vec<(&Item<'_>, &str)> = items
        .iter()
        .filter_map(|item| Some((item, item.text("title")?)))
        .collect();
    if titled.is_empty() {
        return report;
    }
    let generic: BTreeSet<&str> = GENERIC
        .split_whitespace()
        .chain(input.context.generic_words.iter().map(String::as_str))
        .collect();
    let vague: Vec<_> = titled
        .iter()
        .filter(|(_, title)| !is_specific(title, &generic))
        .collect();
    if !vague.is_empty() {
        let names: Vec<String> = vague.iter().map(|(_, title)| quoted(title)).collect();
        report.add(
            CheckCode::GenericTitle,
            Verdict::Block,
            format!("Too vague: {}. Say what will change, and where.", listed(&names)),
            None,
            vague.iter().map(|(item, _)| item.pointer("title")),
        );
    }
    let mut by_title: BTreeMap<_, Vec<&(&Item<'_>, &str)>> = BTreeMap::new();
    for one in &titled {
        by_title
            .entry(title_similarity::normalized(one.1))
            .or_default()
            .push(one);
    }
    for same in by_title.values().filter(|same| same.len() > 1) {
        report.add(
            CheckCode::RepeatedTitle,
            Verdict::Block,
            format!(
                "{} items of this package have the same title, {}. Say what is different about each, or make one item of them.",
                same.len(),
                quoted(same[0].1)
            ),
            None,
            same.iter().map(|(item, _)| item.pointer("title")),
        );
    }
    let message = match titled.len() {
        1 => "The title is specific.".to_owned(),
        2 => "Both titles are specific and distinct.".to_owned(),
        count => format!("All {count} titles are specific and distinct."),
    };
    report.or_pass(CheckCode::TitlesPassed, message, None)
}

/// Whether a title has a word that is not generic.
fn is_specific(title: &str, generic: &BTreeSet<&str>) -> bool {
    let named = ids::scan(title);
    title
        .split_whitespace()
        // Names of records, such as `fnd_…` and `FND-12`, are generic.
        .filter(|word| !named.iter().any(|id| word.contains(id)) && !is_key(word))
        .flat_map(text::written_words)
        .any(|word| {
            let word = match word.starts_with(text::is_unspaced) {
                true => without(&word, generic),
                false if generic.contains(word.as_str()) => return false,
                false => word,
            };
            let letters: BTreeSet<char> = word.chars().filter(|c| c.is_alphabetic()).collect();
            // A word of ASCII letters needs two different ones; a single Chinese sign is a word.
            let enough = if word.is_ascii() { 2 } else { 1 };
            letters.len() >= enough
        })
}

/// What is left of a run without spaces if the generic words in it are taken out, from its start, the longest first.
fn without(run: &str, generic: &BTreeSet<&str>) -> String {
    let (mut left, mut rest) = (String::new(), run);
    while let Some(first) = rest.chars().next() {
        let found = generic
            .iter()
            .filter(|word| rest.starts_with(**word))
            .max_by_key(|word| word.len());
        let (skipped, kept) = match found {
            Some(word) => (word.len(), ""),
            None => (first.len_utf8(), &rest[..first.len_utf8()]),
        };
        left.push_str(kept);
        rest = &rest[skipped..];
    }
    left
}

/// Whether a word is a record key such as `FND-12`: capitals, a hyphen and a number.
fn is_key(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.split_once('-').is_some_and(|(series, number)| {
        !series.is_empty()
            && series.chars().all(|c| c.is_ascii_uppercase())
            && !number.is_empty()
            && number.chars().all(|c| c.is_ascii_digit())
    })
}
