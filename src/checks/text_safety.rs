//! `text-safety`: the text has no misleading characters, and does not address the reviewer.
//!
//! A proposal with characters that hide or reorder text is refused before it is stored. This check reports what a reviewer can judge.

use crate::checks::CheckInput;
use crate::checks::report::CheckReport;
use crate::domain::{CheckCode, Verdict, each_text, text};
use memchr::memmem::Finder;
use std::sync::LazyLock;
use unicode_script::{Script, UnicodeScript};
use unicode_security::skeleton;

/// Phrases that ask the reviewer for an approval or claim one. In lower case, with one space between words.
const APPEALS: [&str; 36] = [
    "acknowledge the warning",
    "already approved",
    "already been approved",
    "already reviewed",
    "approval granted",
    "approval has been given",
    "approval is not needed",
    "approval was given",
    "approve immediately",
    "approve it now",
    "approve this",
    "approve without",
    "approved by",
    "as an ai",
    "can be approved",
    "dear approver",
    "dear reviewer",
    "disregard previous",
    "do not reject",
    "don't reject",
    "has been approved",
    "hello reviewer",
    "ignore all previous",
    "ignore previous",
    "ignore the check",
    "ignore the warning",
    "just approve",
    "must be approved",
    "no need to review",
    "no review is needed",
    "no review needed",
    "note to reviewer",
    "please approve",
    "pre-approved",
    "safe to approve",
    "skip the review",
];

/// Finds each phrase. Each text of a proposal is searched for all of them, so they are prepared once.
static APPEAL: LazyLock<[Finder<'static>; APPEALS.len()]> = LazyLock::new(|| APPEALS.map(Finder::new));

/// HTML elements with an effect. Names that occur in code, as in `Vec<u8>`, are not among them.
const ELEMENTS: [&str; 24] = [
    "!--", "a ", "base", "body", "button", "div", "embed", "form", "frame", "head", "html", "iframe", "img", "input",
    "link", "meta", "object", "script", "span", "style", "svg", "table", "template", "video",
];

/// A kind of trouble: code, verdict, message, and a function that finds an example in a text.
type Kind = (CheckCode, Verdict, &'static str, fn(&str) -> Option<String>);

const KINDS: [Kind; 5] = [
    (
        CheckCode::MixedScripts,
        Verdict::Block,
        "A word mixes letters of two scripts that look alike. Write each word in one script.",
        mixed,
    ),
    (
        CheckCode::ImitatedWord,
        Verdict::Warn,
        "A word in another script looks like a Latin word. Make sure that it means what it seems to mean.",
        imitated,
    ),
    (
        CheckCode::AddressesReviewer,
        Verdict::Warn,
        "The text addresses the reviewer or claims an approval. Only decisions on this page count.",
        appeals,
    ),
    (
        CheckCode::Markup,
        Verdict::Warn,
        "The text has markup. This page shows it as plain text; other programs may not.",
        markup,
    ),
    (
        CheckCode::Link,
        Verdict::Warn,
        "The text has a link. The service has not followed it.",
        link,
    ),
];

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut report = CheckReport::new();
    for (code, verdict, message, example_in) in KINDS {
        let (mut pointers, mut example) = (Vec::new(), None);
        each_text(input.payload, &mut |pointer, text| {
            if let Some(seen) = example_in(text) {
                pointers.push(pointer.to_owned());
                example.get_or_insert(seen);
            }
        });
        if let Some(example) = example {
            report.add(
                code,
                verdict,
                format!("{message} ({})", text::visible(&example)),
                None,
                pointers,
            );
        }
    }
    report.or_pass(CheckCode::TextSafetyPassed, "No hidden or misleading characters.", None)
}

/// Whether a letter of another script looks like an ASCII letter (Unicode UTS #39, section 4).
fn imitates(c: char) -> bool {
    c.is_alphabetic()
        && !c.is_ascii()
        && c.script() != Script::Latin
        && skeleton(c.encode_utf8(&mut [0; 4])).all(|c| c.is_ascii_alphabetic())
}

fn is_latin(c: char) -> bool {
    c.is_alphabetic() && c.script() == Script::Latin
}

/// The first word that satisfies `is`, cut after 40 characters.
fn word(text: &str, is: impl Fn(&str) -> bool) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    text.split(|c: char| !c.is_alphanumeric())
        .find(|word| is(word))
        .map(|word| word.chars().take(40).collect())
}

/// Finds a word with Latin letters and with letters that imitate them.
fn mixed(text: &str) -> Option<String> {
    word(text, |word| word.chars().any(is_latin) && word.chars().any(imitates))
}

/// Finds a word with imitating letters only, in a text that is mostly Latin.
fn imitated(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let letters = || text.chars().filter(|c| c.is_alphabetic());
    if letters().filter(|c| is_latin(*c)).count() * 2 < letters().count() {
        return None;
    }
    word(text, |word| word.chars().nth(1).is_some() && word.chars().all(imitates))
}

fn appeals(text: &str) -> Option<String> {
    let folded = text::folded(text);
    let plain: Vec<&str> = folded.split_whitespace().collect();
    let plain = plain.join(" ").replace('\u{2019}', "'");
    let begins_a_word = |at: usize| !plain[..at].chars().next_back().is_some_and(char::is_alphanumeric);
    let found = APPEAL
        .iter()
        .position(|phrase| phrase.find_iter(plain.as_bytes()).any(begins_a_word))?;
    Some(APPEALS[found].to_owned())
}

fn markup(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let element = lower.match_indices('<').find_map(|(at, _)| {
        let name = lower[at + 1..].trim_start_matches('/');
        ELEMENTS.iter().find(|element| {
            name.strip_prefix(**element)
                .is_some_and(|rest| element.ends_with(['-', ' ']) || !rest.starts_with(char::is_alphanumeric))
        })
    });
    match element {
        Some(element) => Some(format!("<{}", element.trim())),
        // Markdown has links and images.
        None => lower.contains("](").then(|| "](".to_owned()),
    }
}

fn link(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    [
        "http://",
        "https://",
        "javascript:",
        "data:text",
        "vbscript:",
        "file://",
        "www.",
    ]
    .iter()
    .filter_map(|scheme| lower.find(scheme))
    .min()
    .map(|at| {
        let rest = lower.get(at..).unwrap_or_default();
        rest.split_whitespace()
            .next()
            .unwrap_or_default()
            .chars()
            .take(80)
            .collect()
    })
}
