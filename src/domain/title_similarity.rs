//! The similarity of two titles, by their significant words. Order and endings of the words do not count.

use crate::domain::text;
use std::collections::BTreeSet;

/// Words that are left out of the comparison, because most titles have them.
const STOP_WORDS: [&str; 30] = [
    "an", "and", "all", "any", "are", "as", "at", "be", "by", "for", "from", "has", "have", "in", "into", "is", "it",
    "its", "no", "not", "of", "on", "or", "our", "so", "that", "the", "this", "to", "with",
];

/// Words with the same first six letters count as one word: `parameterize`, `parameterised`.
const STEM_LETTERS: usize = 6;

/// The words of a title without stop words.
pub fn significant_words(title: &str) -> Vec<String> {
    text::words(title)
        .into_iter()
        .filter(|word| !STOP_WORDS.contains(&word.as_str()))
        .collect()
}

/// The part of a title that identifies it: two titles with the same significant words and the same names are equal, in any order.
pub fn normalized(title: &str) -> (Vec<String>, BTreeSet<String>) {
    (significant_words(title), names(title))
}

/// The terms under which the search index has a title: its words, and its key. By the key, a search finds an equal title whose words
/// are all too common to be searched for.
pub fn index_terms(title: &str) -> Vec<String> {
    let mut words = text::words(title);
    words.push(title_key(title));
    words
}

/// The key of a title: equal titles ([`normalized`]) have the same key.
pub fn title_key(title: &str) -> String {
    let hash = crate::domain::canonical::sha256_hex(format!("{:?}", normalized(title)).as_bytes());
    format!("{KEY_PREFIX}{}", &hash[..20])
}

/// The first character of a title key. No word of a text begins with it.
pub const KEY_PREFIX: char = '=';

/// Names of files, versions and the like, without line numbers: words with a digit, or with a sign between their letters.
fn names(title: &str) -> BTreeSet<String> {
    text::normalized(title)
        // In a script without spaces, a name ends where the script begins again.
        .split(|c: char| c.is_whitespace() || text::is_unspaced(c))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        // A single capital is a name, so that `key A` and `key B` differ.
        .map(
            |word| match word.chars().all(char::is_uppercase) && word.chars().count() == 1 {
                true => format!("#{}", text::folded(word)),
                false => text::folded(word),
            },
        )
        .map(|word| match word.rsplit_once(':') {
            Some((file, line)) if line.chars().all(|c| c.is_ascii_digit()) => file.to_owned(),
            _ => word,
        })
        .filter(|word| word.contains(['/', '.', '_', ':', '#']) || word.contains(|c: char| c.is_ascii_digit()))
        .collect()
}

/// A title that is prepared for comparisons with many others.
pub struct Title {
    stems: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Title {
    /// Prepares a title.
    pub fn new(title: &str) -> Self {
        Self {
            stems: significant_words(title)
                .iter()
                .map(|word| word.chars().take(STEM_LETTERS).collect())
                .collect(),
            names: names(title),
        }
    }

    /// The similarity in percent: twice the number of shared words, divided by the number of words of both titles (Dice's coefficient).
    /// Titles that name different files or versions have a similarity of 0, because they are different work.
    pub fn similarity(&self, other: &Self) -> usize {
        let both_have_names = !self.names.is_empty() && !other.names.is_empty();
        if both_have_names && self.names.is_disjoint(&other.names) {
            return 0;
        }
        match self.stems.len() + other.stems.len() {
            0 => 0,
            all => 200 * self.stems.intersection(&other.stems).count() / all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(one: &str, two: &str) -> usize {
        Title::new(one).similarity(&Title::new(two))
    }

    #[test]
    fn reworded_titles_are_alike_and_others_are_not() {
        let title = "Parameterize the search query in routes/search.ts";
        assert_eq!(
            percent(title, "  parameterize The search query, in routes/search.ts!"),
            100
        );
        assert!(percent(title, "Use a parameterised search query for routes/search.ts") >= 80);
        assert_eq!(
            percent(title, "Parameterize the search query in routes/login.ts"),
            0,
            "another file"
        );
        assert!(
            percent(title, "Parameterize the search query in routes/search.ts:12") >= 90,
            "another line"
        );
        assert!(percent("Rotate keys for release 7.3", "Rotate keys for release 7.4") == 0);
        assert!(percent(title, "Rotate the refund gateway's credentials") == 0);
        assert_eq!(percent("", "of the"), 0);
        assert_eq!(
            title_key("Validate the cache of a cookie"),
            title_key("validate a cookie, of cache THE")
        );
        assert_ne!(normalized("Rotate key A"), normalized("Rotate key B"));
        assert_ne!(title_key("Close the hole in a.ts"), title_key("Close the hole in b.ts"));
        assert!(index_terms("Fix it").iter().all(|word| !word.is_empty()));
    }

    #[test]
    fn alike_is_a_share_of_both_titles_words() {
        assert_eq!(percent("alpha beta", "alpha gamma"), 50);
        assert_eq!(percent("alpha", "alpha beta gamma"), 50);
        assert_eq!(percent("the alpha of it", "alpha"), 100, "stop words do not count");
        assert_eq!(percent("alphabetical", "alphabets"), 100, "words with one stem are one");
        assert_eq!(percent("alphas", "alphab"), 0, "a shorter word is its own");
        assert_eq!(significant_words("Fix the hole in it"), ["fix", "hole"]);
    }

    #[test]
    fn a_name_is_a_file_a_version_or_a_single_capital() {
        let names_in = |title: &str| names(title).into_iter().collect::<Vec<_>>();
        assert_eq!(
            names_in("Close (Routes/Search.ts:12), v2 and snake_case"),
            ["routes/search.ts", "snake_case", "v2"]
        );
        assert_eq!(names_in("See std::fmt and a.ts:b"), ["a.ts:b", "std::fmt"]);
        assert_eq!(names_in("key A, KEY and a"), ["#a"]);
    }

    #[test]
    fn titles_are_alike_however_their_letters_are_written() {
        let title = "Vérifier les clés de signature dans auth.ts";
        let decomposed = "Ve\u{301}rifier les cle\u{301}s de signature dans auth.ts";
        let wide = "Ｖérifier les clés de signature dans ａｕｔｈ.ts";
        for same in [decomposed, wide] {
            assert_eq!(
                (percent(title, same), title_key(title) == title_key(same)),
                (100, true),
                "{same}"
            );
        }
    }

    #[test]
    fn titles_without_spaces_are_compared_by_pairs_of_characters() {
        assert!(percent("修复登录页面的注入漏洞v2", "修复登录页面注入漏洞 v2") >= 70);
        assert!(percent("東京の検索を修正する", "東京の検索を修正") >= 80);
        assert!(percent("แก้ไขช่องโหว่การค้นหา", "แก้ไขช่องโหว่ของการค้นหา") >= 70);
        assert_eq!(percent("修复登录v2", "修复登录v3"), 0, "another version");
        assert!(percent("修复登录页面", "更新依赖版本") < 20);
    }

    #[test]
    fn one_name_in_common_is_enough_to_be_compared() {
        assert!(percent("Move a.ts b.ts", "Move a.ts c.ts") > 0);
        assert!(percent("Move a.ts", "Move it") > 0, "the other title names nothing");
    }

    #[test]
    fn the_index_has_the_words_and_the_key_of_a_title() {
        let words = index_terms("Fix the hole");
        assert_eq!(words[..3], ["fix", "hole", "the"]);
        assert_eq!(words[3], title_key("the hole fix"));
        assert!(words[3].starts_with(KEY_PREFIX) && words[3].len() == 21, "{words:?}");
    }
}
