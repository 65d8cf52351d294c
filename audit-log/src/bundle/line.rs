//! The line of an entry: `{"leaf":…,"leafHash":"…","salt":"…","content":…}`, one JSON object.
//!
//! The leaf and the content stand there byte for byte as they were hashed. A verifier cuts them out of the line, and needs no JSON parser
//! whose rules for numbers or escapes have to agree with the service's.

use super::content::is_unambiguous;
use super::fault::EntryFault;
use crate::{Hash, Leaf, content_hash};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

const LEAF: &str = "{\"leaf\":";
const LEAF_HASH: &str = ",\"leafHash\":\"";
const SALT: &str = ",\"salt\":\"";
const CONTENT: &str = "\",\"content\":";
/// The length of `sha256:` and 64 digits.
const HASH_LENGTH: usize = 71;
const SALT_LENGTH: usize = 32;
/// Beyond 2^53, numbers are not exact in JSON.
const MAX_NUMBER: u64 = 1 << 53;

/// An entry as its log stores it. The writer does not check that the parts fit each other: that is the verifier's task.
#[derive(Debug, Clone, Copy)]
pub struct BundleEntry<'a> {
    /// The leaf.
    pub leaf: &'a Leaf<'a>,
    /// The text of the stored leaf hash.
    pub leaf_hash: &'a str,
    /// Salt and content, unless the content was purged.
    pub content: Option<(&'a str, &'a str)>,
}

/// Appends the entry's line.
pub(super) fn write(entry: &BundleEntry<'_>, line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    line.extend_from_slice(LEAF.as_bytes());
    serde_json::to_writer(&mut *line, &LeafText::from(entry.leaf))?;
    let text = |line: &mut Vec<u8>, before: &str, text: &str| {
        line.extend_from_slice(before.as_bytes());
        // A value with quotes or line feeds stays within its line.
        serde_json::to_writer(&mut *line, text)
    };
    text(line, ",\"leafHash\":", entry.leaf_hash)?;
    if let Some((salt, content)) = entry.content {
        text(line, ",\"salt\":", salt)?;
        // A content that is not JSON, which the service never stores, is written as a text. No hash fits that.
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(content).is_ok() && !content.contains('\n');
        if is_json {
            line.extend_from_slice(b",\"content\":");
            line.extend_from_slice(content.as_bytes());
        } else {
            text(line, ",\"content\":", content)?;
        }
    }
    line.extend_from_slice(b"}\n");
    Ok(())
}

/// The leaf's fields in canonical order, so that ordinary serialization gives canonical JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LeafText<'a> {
    #[serde(borrow)]
    action_id: Option<Cow<'a, str>>,
    at: i64,
    #[serde(borrow)]
    content_hash: Cow<'a, str>,
    #[serde(borrow)]
    event: Cow<'a, str>,
    seq: i64,
    #[serde(borrow)]
    tenant: Cow<'a, str>,
    version: u32,
}

impl<'a> From<&Leaf<'a>> for LeafText<'a> {
    fn from(leaf: &Leaf<'a>) -> Self {
        Self {
            action_id: leaf.action_id.map(Cow::Borrowed),
            at: leaf.at,
            content_hash: Cow::Borrowed(leaf.content_hash),
            event: Cow::Borrowed(leaf.event),
            seq: leaf.seq,
            tenant: Cow::Borrowed(leaf.tenant),
            version: leaf.version,
        }
    }
}

impl<'a> LeafText<'a> {
    /// Reads canonical JSON, and nothing else.
    fn parse(text: &'a str) -> Option<Self> {
        let leaf: Self = serde_json::from_str(text).ok()?;
        let exact = [leaf.at, leaf.seq]
            .iter()
            .all(|number| number.unsigned_abs() <= MAX_NUMBER);
        let is_canonical = exact && leaf.version == 1 && serde_json::to_string(&leaf).is_ok_and(|again| again == text);
        is_canonical.then_some(leaf)
    }
}

struct Line<'a> {
    leaf: &'a str,
    leaf_hash: Hash,
    /// Salt and content.
    content: Option<(&'a str, &'a str)>,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let rest = line.strip_prefix(LEAF)?;
        // Within a text of the leaf, a quote follows a backslash, so this end is the leaf's.
        let end = rest.find("},\"leafHash\":\"")? + 1;
        let (leaf, rest) = rest.split_at(end);
        let (leaf_hash, rest) = rest.strip_prefix(LEAF_HASH)?.split_at_checked(HASH_LENGTH)?;
        let rest = rest.strip_prefix('"')?.strip_suffix('}')?;
        let content = match rest {
            "" => None,
            _ => {
                let (salt, content) = rest.strip_prefix(SALT)?.split_at_checked(SALT_LENGTH)?;
                let is_hex = salt.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
                is_hex.then_some((salt, content.strip_prefix(CONTENT)?))
            }
        };
        let with_content = !rest.is_empty();
        (with_content == content.is_some()).then_some(Self {
            leaf,
            leaf_hash: leaf_hash.parse().ok()?,
            content,
        })
    }
}

/// What is known of an entry after its line was checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct CheckedEntry {
    pub(super) leaf_hash: Hash,
    pub(super) has_content: bool,
}

/// What the entry of a line must be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) tenant: &'a str,
    /// Whether the bundle contains contents.
    pub(super) contents: bool,
}

/// Checks the line of entry `seq`, everything but its place in the tree.
pub(super) fn check(line: &[u8], seq: u64, expected: Expected<'_>) -> Result<CheckedEntry, EntryFault> {
    let line = std::str::from_utf8(line).ok().and_then(Line::parse);
    let line = line.ok_or(EntryFault::NotAnEntry)?;
    let leaf = LeafText::parse(line.leaf).ok_or(EntryFault::NotAnEntry)?;
    if u64::try_from(leaf.seq) != Ok(seq) {
        return Err(EntryFault::OtherEntry(leaf.seq));
    }
    if leaf.tenant != expected.tenant {
        return Err(EntryFault::OtherTenant);
    }
    if Hash::of_leaf(line.leaf.as_bytes()) != line.leaf_hash {
        return Err(EntryFault::LeafHash);
    }
    if let Some((salt, content)) = line.content {
        if !expected.contents {
            return Err(EntryFault::UnexpectedContent);
        }
        if content_hash(salt, content).to_string() != leaf.content_hash {
            return Err(EntryFault::ContentHash);
        }
        if !is_unambiguous(content) {
            return Err(EntryFault::Ambiguous);
        }
    }
    Ok(CheckedEntry {
        leaf_hash: line.leaf_hash,
        has_content: line.content.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leaf_of_a_line_is_the_leaf_of_the_log() {
        let leaf = Leaf {
            version: 1,
            tenant: "acme",
            seq: 7,
            at: -3,
            event: "a \"quoted\" },\"leafHash\":\" \u{1} \u{7f} \u{2028} é 😀 \\ /",
            action_id: None,
            content_hash: "sha256:",
        };
        let text = serde_json::to_string(&LeafText::from(&leaf)).expect("a leaf");
        assert_eq!(Some(&text), leaf.bytes().ok().as_ref());
        let hash = leaf.hash().expect("a leaf").to_string();
        let entry = BundleEntry {
            leaf: &leaf,
            leaf_hash: &hash,
            content: None,
        };
        let mut line = Vec::new();
        write(&entry, &mut line).expect("written");
        let line = std::str::from_utf8(&line).expect("text").trim_end_matches('\n');
        let parsed = Line::parse(line).expect("an entry");
        assert_eq!((parsed.leaf, parsed.leaf_hash.to_string()), (text.as_str(), hash));
        // Neither another order, nor spaces, nor other escapes, nor an array, nor a number that JSON cannot hold.
        for (from, to) in [
            ("\"actionId\":null,", ""),
            ("\"seq\":7", "\"seq\": 7"),
            ("é", "\\u00e9"),
            ("-3", "9007199254740993"),
            ("\"version\":1", "\"version\":2"),
            ("\"version\":1", "\"version\":1,\"more\":1"),
        ] {
            let other = text.replace(from, to);
            assert!(other != text && LeafText::parse(&other).is_none(), "{to}");
        }
        assert!(LeafText::parse(r#"[null,-3,"sha256:","a",7,"acme",1]"#).is_none());
    }
}
