use super::*;
use icu_properties::props::{BidiControl, DefaultIgnorableCodePoint};

fn first_hidden(text: &str) -> Option<String> {
    hidden(text).next().map(|(_, c)| format!("{:04X}", u32::from(c)))
}

#[test]
fn each_character_that_is_not_displayed_is_forbidden() {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let reorders = CodePointSetData::new::<BidiControl>();
    for c in '\0'..=char::MAX {
        assert_eq!(is_ignorable(c), ignorable.contains(c), "U+{:04X}", u32::from(c));
        let is_space = matches!(c, '\n' | '\r' | '\t');
        let hides = (c.is_control() && !is_space) || ignorable.contains(c) || reorders.contains(c);
        let separates = matches!(c, '\u{2028}' | '\u{2029}' | '\u{FFF9}'..='\u{FFFB}');
        assert_eq!(is_forbidden(c), hides || separates, "U+{:04X}", u32::from(c));
    }
}

#[test]
fn emoji_of_several_pictographs_are_accepted() {
    for emoji in [
        "👩‍👩‍👧‍👦",
        "👨🏽‍🤝‍👨🏿",
        "🏳️‍🌈",
        "🏴‍☠️",
        "❤️‍🔥",
        "👁️‍🗨️",
        "👩🏽‍⚕️",
        "🙂‍↔️",
        "🐦‍⬛",
        "🧑🏻‍💻",
        "1️⃣",
        "#️⃣",
        "⚠️",
        "ℹ️",
        "♥︎",
        "©️",
    ] {
        assert_eq!(first_hidden(emoji), None, "{emoji}");
        assert_eq!(first_hidden(&format!("Fix {emoji} now")), None, "{emoji}");
    }
}

#[test]
fn joiners_that_arabic_and_indic_scripts_need_are_accepted() {
    for text in [
        // Persian: letters that are not connected.
        "می‌شود",
        "نرم‌افزار",
        "آسیب‌پذیری",
        "به‌روزرسانی",
        "مُهِمّ‌تر",
        // Hindi, Marathi, Bengali: a consonant with a visible virama or in its half form.
        "क्‌ष",
        "क्‍ष",
        "दुर्‍या",
        "র‍্যাম",
        "উদ্‌ঘাটন",
        // Telugu, Kannada, Malayalam, Sinhala.
        "సాఫ్ట్‌వేర్",
        "ಸಾಫ್ಟ್‌ವೇರ್",
        "സോഫ്റ്റ്‌വെയർ",
        "അവന്‍",
        "ශ්‍රී ලංකා",
        "ක‍්ව",
        // Mongolian and Han have variants of letters.
        "ᠠ᠋",
        "葛\u{FE00}",
        "∩\u{FE00}",
    ] {
        assert_eq!(first_hidden(text), None, "{text}");
    }
}

#[test]
fn joiners_and_selectors_elsewhere_are_hidden() {
    for (text, at) in [
        ("pay\u{200D}ment", 3),
        ("pay\u{200C}ment", 3),
        ("\u{200D}payment", 0),
        ("payment\u{200D}", 7),
        ("payment\u{200C}", 7),
        ("pay \u{200C} ment", 4),
        ("\u{200D}👩", 0),
        ("👩\u{200D}", 4),
        ("👩\u{200D}\u{200D}👩", 4),
        ("👩\u{200D}a", 4),
        ("a\u{200D}👩", 1),
        ("1\u{200D}2", 1),
        ("1\u{FE0F}\u{200D}👩", 1),
        ("👩\u{200C}👩", 4),
        // Letters that are not connected anyway, and ends of words.
        ("ر\u{200C}د", 2),
        ("می\u{200C} شود", 4),
        ("\u{200C}می", 0),
        ("ب\u{200D}ب", 2),
        ("م\u{200C}\u{200C}م", 2),
        ("API\u{200C}a", 3),
        // No virama, the one of another script, and a vowel sign behind it.
        ("क\u{200D}ष", 3),
        ("क\u{200C}ष", 3),
        ("a\u{94D}\u{200C}ष", 4),
        ("क्\u{200C} ", 6),
        ("क्\u{200D}ि", 6),
        ("র\u{200D}a", 3),
        ("a\u{FE0F}", 1),
        ("1\u{FE0F}", 1),
        ("1\u{FE0E}\u{20E3}", 1),
        ("❤\u{FE0F}\u{FE0F}", 6),
        ("葛\u{FE03}", 3),
        ("∩\u{FE01}", 3),
        ("a\u{FE00}", 1),
        ("a\u{180B}", 1),
        ("葛\u{E0100}", 3),
        ("🏴\u{E0067}\u{E007F}", 4),
        ("مرحبا\u{200F}", 10),
        ("می\u{202E}شود", 4),
    ] {
        assert_eq!(
            hidden(text).next().map(|(at, _)| at),
            Some(at),
            "{}",
            text.escape_unicode()
        );
        assert!(hides(text), "{}", text.escape_unicode());
    }
    assert!(!hides("plain\n") && !hides("é\t") && hides("\u{7}"));
}

#[test]
fn a_text_is_not_cut_inside_an_emoji_or_a_word() {
    assert_eq!(first_chars("👩‍👧 x", 1), "👩");
    assert_eq!(first_chars("👩‍👧 x", 2), "👩");
    assert_eq!(first_chars("👩‍👧 x", 3), "👩‍👧");
    assert_eq!(first_chars("1️⃣", 2), "1");
    assert_eq!(first_chars("1️⃣", 3), "1️⃣");
    assert_eq!(first_chars("abc", 2), "ab");
    assert_eq!(first_chars("می‌شود", 3), "می");
}
