//! What is wrong with a query, and where.

use crate::domain::text::{first_chars, visible};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A mistake in a query, and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} (at character {})", .at + 1)]
pub struct QueryError {
    /// The position of the first wrong character, from 0.
    pub at: u32,
    /// The number of wrong characters; 0 if something is missing there.
    pub length: u32,
    /// What is wrong, and what is allowed.
    pub message: String,
}

impl QueryError {
    pub(super) fn new(place: Range<usize>, message: impl Into<String>) -> Self {
        // A query has far fewer characters than 2^32.
        Self {
            at: place.start as u32,
            length: place.end.saturating_sub(place.start) as u32,
            message: message.into(),
        }
    }
}

/// A part of the query for an error message, shortened, because the part may be the whole query.
pub(super) fn shown(part: &str) -> String {
    const MOST: usize = 40;
    let head = first_chars(part, MOST);
    let more = if part.chars().nth(MOST).is_some() { "…" } else { "" };
    visible(head) + more
}
