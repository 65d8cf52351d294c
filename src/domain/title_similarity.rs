//! How alike two titles are: by their words, whatever their order, their endings and the small words between them.

use crate::domain::text;
use std::collections::BTreeSet;

/// Small words that say nothing of what is done. Two titles are not alike because of them.
const SMALL: [&str; 30] = [
    "an", "and", "all", "any", "are", "as", "at", "be", "by", "for", "from", "has", "have", "in", "into", "is", "it",
    "its", "no", "not", "of", "on", "or", "our", "so", "that", "the", "this", "to", "with",
];

/// Words that share so many letters from their beginning are one word: `parameterize`, `parameterised`.
const STEM: usize = 6;

/// The words of a title that say something.
pub fn telling(title: &str) -> Vec<String> {
    text::words(title)
        .into_iter()
        .filter(|word| !SMALL.contains(&word.as_str()))
        .collect()
}

/// What makes two titles the same: their telling words, and the things that they name, in any order.
pub fn essence(title: &str) -> (Vec<String>, BTreeSet<String>) {
    (telling(title), things(title))
}

/// What a title is found by: its words, and one more that stands for all of it. By that one the same title is found even where each of
/// its words is common; no word of a text begins with its sign.
pub fn indexed(title: &str) -> Vec<String> {
    let mut words = text::words(title);
    words.push(whole(title));
    words
}

/// The word that stands for a whole title, whatever the order of its words.
pub fn whole(title: &str) -> String {
    let hash = crate::domain::canonical::sha256_hex(format!("{:?}", essence(title)).as_bytes());
    format!("{WHOLE}{}", &hash[..20])
}

/// What the word for a whole title begins with.
pub const WHOLE: char = '=';

/// Files, versions and the like, without line numbers: words that hold a digit or a sign between their letters.
fn things(title: &str) -> BTreeSet<String> {
    title
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        // `key A` and `key B`: a single capital is a name.
        .map(
            |word| match word.chars().all(char::is_uppercase) && word.chars().count() == 1 {
                true => format!("#{}", word.to_lowercase()),
                false => word.to_lowercase(),
            },
        )
        .map(|word| match word.rsplit_once(':') {
            Some((file, line)) if line.chars().all(|c| c.is_ascii_digit()) => file.to_owned(),
            _ => word,
        })
        .filter(|word| word.contains(['/', '.', '_', ':', '#']) || word.contains(|c: char| c.is_ascii_digit()))
        .collect()
}

/// A title made ready to be compared with many others.
pub struct Title {
    stems: BTreeSet<String>,
    things: BTreeSet<String>,
}

impl Title {
    /// This title.
    pub fn of(title: &str) -> Self {
        Self {
            stems: telling(title)
                .iter()
                .map(|word| word.chars().take(STEM).collect())
                .collect(),
            things: things(title),
        }
    }

    /// How alike two titles are, in percent: twice the words they share by the words that both have (Dice's coefficient). The same thing
    /// to do in two files is two things to do.
    pub fn percent(&self, other: &Self) -> usize {
        let things = !self.things.is_empty() && !other.things.is_empty();
        if things && self.things.is_disjoint(&other.things) {
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
        Title::of(one).percent(&Title::of(two))
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
            whole("Validate the cache of a cookie"),
            whole("validate a cookie, of cache THE")
        );
        assert_ne!(essence("Rotate key A"), essence("Rotate key B"));
        assert_ne!(whole("Close the hole in a.ts"), whole("Close the hole in b.ts"));
        assert!(indexed("Fix it").iter().all(|word| !word.is_empty()));
    }

    #[test]
    fn alike_is_a_share_of_both_titles_words() {
        assert_eq!(percent("alpha beta", "alpha gamma"), 50);
        assert_eq!(percent("alpha", "alpha beta gamma"), 50);
        assert_eq!(percent("the alpha of it", "alpha"), 100, "small words do not count");
        assert_eq!(percent("alphabetical", "alphabets"), 100, "words with one stem are one");
        assert_eq!(percent("alphas", "alphab"), 0, "a shorter word is its own");
        assert_eq!(telling("Fix the hole in it"), ["fix", "hole"]);
    }

    #[test]
    fn a_thing_is_a_file_a_version_or_a_single_capital() {
        let things = |title: &str| things(title).into_iter().collect::<Vec<_>>();
        assert_eq!(
            things("Close (Routes/Search.ts:12), v2 and snake_case"),
            ["routes/search.ts", "snake_case", "v2"]
        );
        assert_eq!(things("See std::fmt and a.ts:b"), ["a.ts:b", "std::fmt"]);
        assert_eq!(things("key A, KEY and a"), ["#a"]);
    }

    #[test]
    fn one_thing_in_common_is_enough_to_be_compared() {
        assert!(percent("Move a.ts b.ts", "Move a.ts c.ts") > 0);
        assert!(percent("Move a.ts", "Move it") > 0, "the other title names nothing");
    }

    #[test]
    fn a_whole_title_is_found_by_one_word_more() {
        let words = indexed("Fix the hole");
        assert_eq!(words[..3], ["fix", "hole", "the"]);
        assert_eq!(words[3], whole("the hole fix"));
        assert!(words[3].starts_with(WHOLE) && words[3].len() == 21, "{words:?}");
    }
}
