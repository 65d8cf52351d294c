//! Adds conditions to a query and removes them, as links on the page do.

use super::syntax::{self, NodeKind};

/// The conditions that must all hold, as they were written. A choice (`OR`) is one condition.
pub fn conditions(text: &str) -> Vec<String> {
    let Ok(Some(node)) = syntax::parse(text) else {
        return Vec::new();
    };
    let places = match node.kind {
        NodeKind::And(parts) => parts.into_iter().map(|part| part.place).collect(),
        _ => vec![node.place],
    };
    let written = |place: std::ops::Range<usize>| text.chars().skip(place.start).take(place.len()).collect();
    places.into_iter().map(written).collect()
}

/// The query with one more condition, which restricts the whole of it.
pub fn with(text: &str, condition: &str) -> String {
    let text = text.trim();
    match syntax::parse(text) {
        Ok(Some(node)) if matches!(node.kind, NodeKind::Or(_)) && !node.is_group => format!("({text}) {condition}"),
        _ => format!("{text} {condition}").trim().to_owned(),
    }
}

/// The query without a condition that must hold.
pub fn without(text: &str, condition: &str) -> String {
    let mut left = conditions(text);
    left.retain(|one| one != condition);
    match left.as_slice() {
        // Parentheses around a choice are needed beside other conditions only.
        [only] => match only.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
            Some(inner) if matches!(syntax::parse(only), Ok(Some(node)) if node.is_group) => inner.to_owned(),
            _ => only.clone(),
        },
        left => left.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_restricts_the_whole_query() {
        assert_eq!(with("", "state:failed"), "state:failed");
        assert_eq!(with("a -b", "state:failed"), "a -b state:failed");
        assert_eq!(with(" a OR b", "state:failed"), "(a OR b) state:failed");
        assert_eq!(with("(a) OR (b)", "state:failed"), "((a) OR (b)) state:failed");
        assert_eq!(with("(a OR b)", "state:failed"), "(a OR b) state:failed");
        assert_eq!(with("(a OR b) c", "state:failed"), "(a OR b) c state:failed");
    }

    #[test]
    fn a_condition_is_removed_where_it_restricts_the_whole_query() {
        assert_eq!(
            conditions("a AND (b OR c) -d \"e  f\""),
            ["a", "(b OR c)", "-d", "\"e  f\""]
        );
        assert_eq!(without("a state:failed \"b  c\"", "state:failed"), "a \"b  c\"");
        assert_eq!(without("(a OR b) state:failed", "state:failed"), "a OR b");
        assert_eq!(without("((a) OR (b)) state:failed", "state:failed"), "(a) OR (b)");
        assert_eq!(without("(a) OR (b)", "c"), "(a) OR (b)");
        assert_eq!(without("state:failed", "state:failed"), "");
        assert_eq!(
            conditions("a OR state:failed"),
            ["a OR state:failed"],
            "it restricts nothing"
        );
        assert!(conditions("").is_empty() && conditions("(").is_empty());
    }
}
