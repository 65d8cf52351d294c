//! Parts of English sentences: quoted titles, counted nouns, lists of names, grouped numbers.

use super::visible;

/// A title in quotation marks, without spaces at its ends and with forbidden characters made visible.
pub fn quoted(title: &str) -> String {
    format!("\"{}\"", visible(title.trim()))
}

/// `1 finding`, `3 findings`, `2 stories`.
pub fn counted(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{} {stem}ies", grouped(count)),
        _ => format!("{} {noun}s", grouped(count)),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn joined(names: &[String]) -> String {
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// `a`, `a and b`, `a, b and 3 more`.
pub fn listed(names: &[String]) -> String {
    match names {
        [one, two, rest @ ..] if !rest.is_empty() => format!("{one}, {two} and {} more", rest.len()),
        few => joined(few),
    }
}

/// A number with a comma after each group of three digits: `1,028`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_are_counted() {
        assert_eq!(counted(1, "story"), "1 story");
        assert_eq!(counted(2, "story"), "2 stories");
        assert_eq!(counted(0, "finding"), "0 findings");
        assert_eq!(counted(1_200, "finding"), "1,200 findings");
    }

    #[test]
    fn names_are_listed() {
        let names =
            |count: usize| -> Vec<String> { ["a", "b", "c", "d"][..count].iter().map(|n| (*n).to_owned()).collect() };
        assert_eq!(
            [0, 1, 2, 3, 4].map(|n| listed(&names(n))),
            ["", "a", "a and b", "a, b and 1 more", "a, b and 2 more"]
        );
        assert_eq!(joined(&names(3)), "a, b and c");
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!(
            [0, 14, 999, 1_000, 1_028, 12_345_678].map(grouped),
            ["0", "14", "999", "1,000", "1,028", "12,345,678"]
        );
    }

    #[test]
    fn a_quoted_title_hides_nothing() {
        assert_eq!(quoted(" pay\u{200B}ment "), "\"pay⟦U+200B⟧ment\"");
    }
}
