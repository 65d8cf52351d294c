//! The words of a text: one rule for the audit search, its index, and the likeness of titles.
//!
//! Texts are compared in one form ([`folded`]): composed letters (NFKC), without case, and without joiners and other characters that are not
//! displayed. A word consists of letters, digits and the marks on them;
//! signs that belong to it, as in `c++` and `c#`, are a part of it. Han, Kana, Hangul, Thai, Lao, Khmer and Burmese are written without spaces, so
//! a run of their characters has no words that a program could find without a dictionary. It is read as its pairs of neighbours: `東京都` is `東京` and
//! `京都`.

use super::hidden::is_ignorable;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The text with composed letters, without variants of width and style (NFKC), and without characters that are not displayed.
pub fn normalized(text: &str) -> Cow<'_, str> {
    // Nearly every text is ASCII, which has one form.
    if text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().filter(|c| !is_ignorable(*c)).nfkc().collect())
    }
}

/// The text in the form in which texts are compared: NFKC, without case, and without characters that are not displayed. `ß` is `ss`, and
/// `ς` is `σ`.
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut last = ' ';
    text.chars()
        .filter(|c| !is_ignorable(*c))
        .nfkc()
        // Some letters are composed of one that is not displayed, such as the Hangul filler.
        .filter(|c| !is_ignorable(*c))
        .flat_map(char::to_lowercase)
        // Letters that differ only in lower case, such as ς and σ, have one upper case.
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        // The lower case of İ is an i with a dot above it, which a reader does not see.
        .filter(|c| {
            let is_second_dot = *c == '\u{307}' && last == 'i';
            if !is_second_dot {
                last = *c;
            }
            !is_second_dot
        })
        .nfkc()
        .collect()
}

/// The spellings of a text that a database compares letter by letter, ignoring the case of A-Z: each form of its letters in each case.
pub fn spellings(text: &str) -> Vec<String> {
    let forms = [
        text.to_owned(),
        text.nfc().collect(),
        text.nfd().collect(),
        normalized(text).into_owned(),
    ];
    let capitalized = |text: &str| {
        let mut letters = text.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    let mut spellings: Vec<String> = forms
        .iter()
        .flat_map(|form| {
            let lower = form.to_lowercase();
            [form.clone(), form.to_uppercase(), capitalized(&lower), lower]
        })
        .map(|spelling| spelling.to_ascii_lowercase())
        .collect();
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}

/// Whether the character is of a script that is written without spaces between words.
pub fn is_unspaced(c: char) -> bool {
    let is_in_script = matches!(c,
        '\u{0E00}'..='\u{0EFF}' // Thai, Lao
        | '\u{1000}'..='\u{109F}' | '\u{AA60}'..='\u{AA7F}' | '\u{A9E0}'..='\u{A9FF}' // Burmese
        | '\u{1780}'..='\u{17FF}' // Khmer
        | '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}' // Hangul
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{1AFF0}'..='\u{1B16F}' // Kana
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' // Han
    );
    is_in_script && is_part_of_word(c)
}

/// Whether the character continues a word: a letter, a digit, or a mark on one of them.
fn is_part_of_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    let is_keycap = c == '\u{20E3}';
    c.is_alphanumeric() || (is_combining_mark(c) && !is_keycap)
}

/// A part of a text that has words.
enum Piece<'a> {
    /// A word, and the word with the signs that follow it.
    Word { letters: &'a str, whole: &'a str },
    /// A run of characters that are written without spaces.
    Run(&'a str),
}

/// The next piece of a folded text, and the text behind it.
fn piece(text: &str) -> Option<(Piece<'_>, &str)> {
    let text = &text[text.find(char::is_alphanumeric)?..];
    let end_of = |part: fn(char) -> bool| text.find(|c| !part(c)).unwrap_or(text.len());
    if text.starts_with(is_unspaced) {
        let (run, rest) = text.split_at(end_of(is_unspaced));
        return Some((Piece::Run(run), rest));
    }
    let (letters, rest) = text.split_at(end_of(|c| is_part_of_word(c) && !is_unspaced(c)));
    let signs = rest.find(|c| !matches!(c, '+' | '#')).unwrap_or(rest.len());
    // `c++11` is about C++, but `a+b` and `issue#7` are two words each.
    let belongs = rest.starts_with("++") || !rest[signs..].starts_with(is_part_of_word);
    let end = if belongs { letters.len() + signs } else { letters.len() };
    let (whole, rest) = text.split_at(end);
    Some((Piece::Word { letters, whole }, rest))
}

/// Calls a function with each word of a text and its place among the words.
fn each_word(text: &str, is_indexed: bool, mut found: impl FnMut(u32, &str)) {
    let folded = folded(text);
    let (mut rest, mut at) = (folded.as_str(), 0);
    while let Some((piece, behind)) = piece(rest) {
        rest = behind;
        match piece {
            Piece::Word { letters, whole } => {
                found(at, whole);
                if is_indexed && letters != whole {
                    found(at, letters);
                }
                at += 1;
            }
            Piece::Run(run) => {
                let starts: Vec<usize> = run.char_indices().map(|(start, _)| start).chain([run.len()]).collect();
                let is_single = starts.len() == 2;
                for (index, ends) in starts.windows(2).enumerate() {
                    if is_single || is_indexed {
                        found(at + index as u32, &run[ends[0]..ends[1]]);
                    }
                }
                for (index, ends) in starts.windows(3).enumerate() {
                    found(at + index as u32, &run[ends[0]..ends[2]]);
                }
                at += starts.len() as u32 - 1;
            }
        }
    }
}

/// The words of a search, each with its place: a text has them in this order, at these distances.
pub fn query_words(text: &str) -> Vec<(u32, String)> {
    let mut words = Vec::new();
    each_word(text, false, |at, word| words.push((at, word.to_owned())));
    words
}

/// The words that find a text, each with its place. Beside those of [`query_words`] a text is found by `c` if it has `c++`, and by each single
/// character of a run.
pub fn index_words(text: &str) -> Vec<(u32, String)> {
    let mut words = Vec::new();
    each_word(text, true, |at, word| words.push((at, word.to_owned())));
    words
}

/// The words as they are written, folded. A run of characters without spaces is one.
pub fn written_words(text: &str) -> Vec<String> {
    let folded = folded(text);
    let (mut rest, mut words) = (folded.as_str(), Vec::new());
    while let Some((piece, behind)) = piece(rest) {
        rest = behind;
        let (Piece::Word { whole: word, .. } | Piece::Run(word)) = piece;
        words.push(word.to_owned());
    }
    words
}

/// The words by which titles are compared, each once: two characters or more, or one of a script without spaces.
pub fn words(text: &str) -> Vec<String> {
    const LONGEST: usize = 40;
    let mut words = Vec::new();
    each_word(text, false, |_, word| {
        if word.chars().nth(1).is_some() || word.starts_with(is_unspaced) {
            words.push(match word.char_indices().nth(LONGEST) {
                Some((end, _)) => word[..end].to_owned(),
                None => word.to_owned(),
            });
        }
    });
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(words: Vec<(u32, String)>) -> String {
        let words: Vec<String> = words.into_iter().map(|(at, word)| format!("{at}{word}")).collect();
        words.join(" ")
    }

    #[test]
    fn a_word_is_its_own_word() {
        assert_eq!(words("İstanbul ǅ STRAẞE x"), ["dž", "istanbul", "strasse"]);
        assert_eq!(words("istanbul"), ["istanbul"]);
        assert_eq!(words("b2 Fix-it, it a é fix"), ["b2", "fix", "it"]);
        assert_eq!(words(&"n".repeat(50)), ["n".repeat(40)]);
        assert!(words("!!! 🔑 1️⃣ -- \u{301}").is_empty());
    }

    #[test]
    fn a_letter_is_one_however_it_is_written() {
        assert_eq!(words("Cafe\u{301} ＳＱＬ ﬁx ΣΊΣΥΦΟΣ"), words("CAFÉ sql FIX σίσυφος"));
        assert_eq!(folded("I\u{307}\u{307}x"), "ix");
        assert_eq!(normalized("Ａ1"), "A1");
    }

    #[test]
    fn every_folded_character_stays_as_it_is() {
        for c in '\0'..=char::MAX {
            let once = folded(&c.to_string());
            assert_eq!(folded(&once), once, "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn runs_without_spaces_are_pairs() {
        assert_eq!(words("签名密钥"), ["名密", "密钥", "签名"]);
        assert_eq!(placed(query_words("API東京の検索!")), "0api 1東京 2京の 3の検 4検索");
        assert_eq!(placed(query_words("แก้ไข x")), "0แก 1ก้ 2้ไ 3ไข 5x");
        assert_eq!(placed(query_words("검색 注")), "0검색 2注");
        assert_eq!(placed(index_words("注入x")), "0注 1入 0注入 2x");
    }

    #[test]
    fn what_is_not_displayed_is_not_compared() {
        assert_eq!(words("می\u{200C}شود 👩\u{200D}👧 ❤\u{FE0F}"), words("میشود"));
        assert_eq!(words("pay\u{200B}ment क्\u{200D}ष"), words("payment क्ष"));
        assert_eq!(normalized("a\u{200D}b"), "ab");
    }

    #[test]
    fn a_database_finds_each_usual_spelling() {
        assert_eq!(spellings("SQL"), ["sql"]);
        assert_eq!(spellings("Ärger"), ["a\u{308}rger", "Ärger", "ärger"]);
        assert!(spellings("ＳＱＬ").contains(&"sql".to_owned()));
    }

    #[test]
    fn a_run_is_one_written_word() {
        assert_eq!(
            written_words("修复漏洞 API注 C++ Ｆix-it"),
            ["修复漏洞", "api", "注", "c++", "fix", "it"]
        );
        assert_eq!(words("登 x 录"), ["录", "登"]);
    }

    #[test]
    fn signs_that_belong_to_a_word_are_kept() {
        assert_eq!(
            placed(query_words("C++ or C#, C++11; a+b issue#7 x")),
            "0c++ 1or 2c# 3c++ 411 5a 6b 7issue 87 9x"
        );
        assert_eq!(placed(index_words("C++")), "0c++ 0c");
    }
}
