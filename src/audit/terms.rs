//! What a search finds an entry by.

use crate::domain::{Term, text};

/// The search terms of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// Values of fields, in the form of [`Term::indexed`], each once.
    pub values: Vec<String>,
    /// The words of all texts, each with its place. Between two texts one place is free, so that no phrase goes from one to the other.
    pub words: Vec<(u32, String)>,
}

impl Terms {
    /// The terms of an entry with these values and texts.
    pub fn new<'a>(mut values: Vec<Term>, texts: impl IntoIterator<Item = &'a str>) -> Self {
        values.sort();
        values.dedup();
        let (mut words, mut start) = (Vec::new(), 0);
        for text in texts {
            words.extend(text::index_words(text).into_iter().map(|(at, word)| (start + at, word)));
            start = words.last().map_or(start, |(last, _)| last + 2);
        }
        Self {
            values: values.iter().map(Term::indexed).collect(),
            words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TermField;

    #[test]
    fn no_phrase_goes_from_one_text_to_the_next() {
        let values = ["b", "a", "b"].map(|value| Term::new(TermField::Key, value)).to_vec();
        let terms = Terms::new(values, ["Fix it", "", "!!!", "注入 c++", "x"]);
        assert_eq!(terms.values, ["key:a", "key:b"]);
        let words: Vec<String> = terms.words.iter().map(|(at, word)| format!("{at}{word}")).collect();
        assert_eq!(words.join(" "), "0fix 1it 3注 4入 3注入 5c++ 5c 7x");
    }
}
