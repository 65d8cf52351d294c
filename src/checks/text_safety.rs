//! `text-safety`: the text is what it looks like, and speaks of the work, not to the reviewer.
//!
//! Characters that hide or reorder text are refused before anything is stored; here stands what a person may judge.

use crate::checks::CheckInput;
use crate::checks::report::CheckReport;
use crate::domain::{CheckId, Verdict, each_text, text};
use unicode_script::{Script, UnicodeScript};
use unicode_security::skeleton;

/// What somebody writes who wants to be approved rather than to be understood. In lower case, words parted by one space.
const ADDRESSES: [&str; 36] = [
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

/// Elements of HTML that do or show something, without what could stand in a text about code (`Vec<u8>`).
const ELEMENTS: [&str; 24] = [
    "!--", "a ", "base", "body", "button", "div", "embed", "form", "frame", "head", "html", "iframe", "img", "input",
    "link", "meta", "object", "script", "span", "style", "svg", "table", "template", "video",
];

/// One kind of trouble: in which places, with an example.
type Kind = (Verdict, &'static str, fn(&str) -> Option<String>);

const KINDS: [Kind; 5] = [
    (
        Verdict::Block,
        "Letters of another script stand in for those they look like. Write the words in one script.",
        mixed,
    ),
    (
        Verdict::Warn,
        "A word is written in letters of another script that look like these. Make sure that it is what it seems.",
        imitated,
    ),
    (
        Verdict::Warn,
        "The text speaks to whoever decides, or says that it was approved. Nobody has approved it but on this page.",
        addresses,
    ),
    (
        Verdict::Warn,
        "The text holds markup. It is shown as plain text here; other programs may not do so.",
        markup,
    ),
    (
        Verdict::Warn,
        "The text holds a link. It was not followed, and nobody vouches for where it leads.",
        link,
    ),
];

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut found = CheckReport::of(CheckId::TextSafety);
    for (verdict, message, look) in KINDS {
        let (mut places, mut example) = (Vec::new(), None);
        each_text(input.payload, &mut |pointer, text| {
            if let Some(seen) = look(text) {
                places.push(pointer.to_owned());
                example.get_or_insert(seen);
            }
        });
        if let Some(example) = example {
            found.add(
                verdict,
                format!("{message} ({})", text::visible(&example)),
                None,
                places,
            );
        }
    }
    found.or_pass("Its text is plain, in letters that are what they look like.", None)
}

/// A letter that is not Latin, and looks like a Latin one of ASCII (Unicode UTS #39, section 4).
fn imitates(c: char) -> bool {
    c.is_alphabetic()
        && !c.is_ascii()
        && c.script() != Script::Latin
        && skeleton(c.encode_utf8(&mut [0; 4])).all(|c| c.is_ascii_alphabetic())
}

fn is_latin(c: char) -> bool {
    c.is_alphabetic() && c.script() == Script::Latin
}

fn word(text: &str, is: impl Fn(&str) -> bool) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    text.split(|c: char| !c.is_alphanumeric())
        .find(|word| is(word))
        .map(|word| word.chars().take(40).collect())
}

/// A word of Latin letters and of others that look like them.
fn mixed(text: &str) -> Option<String> {
    word(text, |word| word.chars().any(is_latin) && word.chars().any(imitates))
}

/// A whole word of such letters in a text that is Latin otherwise.
fn imitated(text: &str) -> Option<String> {
    let letters = || text.chars().filter(|c| c.is_alphabetic());
    if letters().filter(|c| is_latin(*c)).count() * 2 < letters().count() {
        return None;
    }
    word(text, |word| word.chars().nth(1).is_some() && word.chars().all(imitates))
}

fn addresses(text: &str) -> Option<String> {
    let plain: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let plain = plain.join(" ").replace('\u{2019}', "'");
    ADDRESSES
        .iter()
        .find(|phrase| {
            plain
                .match_indices(**phrase)
                .any(|(at, _)| !plain[..at].chars().next_back().is_some_and(char::is_alphanumeric))
        })
        .map(|phrase| (*phrase).to_owned())
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
        // A link or an image of Markdown.
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
