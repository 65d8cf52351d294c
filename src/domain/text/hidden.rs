//! Which characters of a text can hide or reorder it.
//!
//! Most invisible characters are refused wherever they are. Joiners and variation selectors are invisible too, but some scripts and emoji are not
//! written without them. They are accepted where they change what a reader sees: by the contexts of Unicode UTS #39, section 3.1.1 (UAX #31, A1,
//! A2 and B) and UTS #51.

use icu_properties::props::{ExtendedPictographic, GeneralCategory, GeneralCategoryGroup, JoiningType};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

const ZWNJ: char = '\u{200C}';
const ZWJ: char = '\u{200D}';
const EMOJI_STYLE: char = '\u{FE0F}';
const KEYCAP: char = '\u{20E3}';

/// Whether a character may hide or reorder text, if nothing is known of its neighbours: control characters (but tab and line breaks),
/// bidirectional controls, joiners, variation selectors, tags, and all others that are ignored when text is displayed. Names that
/// computers compare, such as addresses, contain none of them. See Unicode UTS #39 and TR #36.
pub fn is_forbidden(c: char) -> bool {
    match c {
        '\n' | '\r' | '\t' => false,
        c if c.is_control() => true,
        '\u{2028}' | '\u{2029}' | '\u{FFF9}'..='\u{FFFB}' => true,
        c => is_ignorable(c),
    }
}

/// Whether the character is not displayed itself (`Default_Ignorable_Code_Point`). Texts are compared without such characters.
pub(super) fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// The characters of a text that may hide or reorder it, each with its offset in bytes.
pub(super) fn hidden(text: &str) -> impl Iterator<Item = (usize, char)> {
    text.char_indices().filter(|(at, c)| {
        let (before, after) = text.split_at(*at);
        is_forbidden(*c) && !is_needed(*c, before, &after[c.len_utf8()..])
    })
}

/// Whether the text contains a character that may hide or reorder it.
pub fn hides(text: &str) -> bool {
    // Pages ask this of every text, and most are ASCII, which one loop without branches finds.
    let is_ascii_text = |byte: u8| matches!(byte, b' '..=b'~' | b'\n');
    !text.bytes().fold(true, |all, byte| all & is_ascii_text(byte)) && hidden(text).next().is_some()
}

/// The first `most` characters. A joiner or a selector at the end is left out, because what it needs is cut off.
pub fn first_chars(text: &str, most: usize) -> &str {
    let Some((end, _)) = text.char_indices().nth(most) else {
        return text;
    };
    let head = &text[..end];
    let last = head.trim_end_matches(|c| is_ignorable(c) || is_combining_mark(c)).len();
    let end = hidden(head).find(|(at, _)| *at >= last).map_or(end, |(at, _)| at);
    &text[..end]
}

/// Whether a reader sees a difference by the character, between these parts of the text.
fn is_needed(c: char, before: &str, after: &str) -> bool {
    match c {
        ZWNJ => parts_letters(before, after) || (ends_with_virama(before) && starts_with_letter(after)),
        ZWJ => {
            joins_pictographs(before, after)
                || (ends_with_virama(before) && !starts_with_vowel_sign(after))
                || precedes_virama(before, after)
        }
        '\u{FE0E}' | EMOJI_STYLE => {
            let is_keycap = before.ends_with(|c: char| matches!(c, '0'..='9' | '#' | '*'));
            before.ends_with(is_pictograph) || (is_keycap && c == EMOJI_STYLE && after.starts_with(KEYCAP))
        }
        // Standardized variants of Han, mathematical operators and Burmese.
        '\u{FE00}'..='\u{FE02}' => before.ends_with(|base: char| match base {
            '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{20000}'..='\u{3FFFF}' => true,
            '\u{2200}'..='\u{22FF}' | '\u{2A00}'..='\u{2AFF}' | '\u{1000}'..='\u{109F}' => c == '\u{FE00}',
            _ => false,
        }),
        '\u{180B}'..='\u{180D}' | '\u{180F}' => before.ends_with(|base| matches!(base, '\u{1820}'..='\u{18AA}')),
        _ => false,
    }
}

/// An emoji of several pictographs, each with an optional style or colour of skin (UTS #51, ED-16).
fn joins_pictographs(before: &str, after: &str) -> bool {
    let styled = |c: char| matches!(c, EMOJI_STYLE | '\u{1F3FB}'..='\u{1F3FF}');
    let element = before.strip_suffix(styled).unwrap_or(before);
    element.ends_with(is_pictograph) && after.starts_with(is_pictograph)
}

/// Two letters that would be connected otherwise, in Arabic and other cursive scripts (context A1).
fn parts_letters(before: &str, after: &str) -> bool {
    let joining = |letter: Option<char>| letter.map(|c| CodePointMapData::<JoiningType>::new().get(c));
    let left = joining(before.trim_end_matches(is_mark).chars().next_back());
    let right = joining(after.trim_start_matches(is_mark).chars().next());
    matches!(left, Some(JoiningType::DualJoining | JoiningType::LeftJoining))
        && matches!(right, Some(JoiningType::DualJoining | JoiningType::RightJoining))
}

/// Whether the last letter is a consonant with the sign of its script that takes its vowel (contexts A2 and B). Other marks may follow the sign.
fn ends_with_virama(text: &str) -> bool {
    let letters = text.trim_end_matches(is_mark);
    let marks = &text[letters.len()..];
    let last = marks.chars().rev().take_while(|c| canonical_combining_class(*c) != 0);
    let (virama, consonant) = (last.into_iter().find(|c| is_virama(*c)), letters.chars().next_back());
    matches!((consonant, virama), (Some(consonant), Some(virama)) if is_letter(consonant) && is_same_block(consonant, virama))
}

fn starts_with_letter(text: &str) -> bool {
    text.trim_start_matches(is_reordered).starts_with(is_letter)
}

fn starts_with_vowel_sign(text: &str) -> bool {
    text.trim_start_matches(is_reordered).starts_with(is_combining_mark)
}

/// A joiner between a consonant and its virama, as in the Bengali র‍্য.
fn precedes_virama(before: &str, after: &str) -> bool {
    let (mut following, consonant) = (after.chars(), before.chars().next_back());
    let (Some(consonant), Some(virama), Some(next)) = (consonant, following.next(), following.next()) else {
        return false;
    };
    let is_own = |letter: char| is_letter(letter) && is_same_block(letter, virama);
    is_virama(virama) && is_own(consonant) && is_own(next)
}

fn is_pictograph(c: char) -> bool {
    !c.is_ascii() && CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

fn is_letter(c: char) -> bool {
    GeneralCategoryGroup::Letter.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}

/// Whether it is a mark that is displayed.
fn is_mark(c: char) -> bool {
    is_combining_mark(c) && !is_forbidden(c)
}

fn is_reordered(c: char) -> bool {
    is_mark(c) && canonical_combining_class(c) != 0
}

fn is_virama(c: char) -> bool {
    const VIRAMA: u8 = 9;
    canonical_combining_class(c) == VIRAMA
}

/// Whether both are in one block of 128 characters. Each script with a virama has its own.
fn is_same_block(one: char, two: char) -> bool {
    u32::from(one) >> 7 == u32::from(two) >> 7
}

#[cfg(test)]
mod tests;
