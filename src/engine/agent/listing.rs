//! The arguments of lists, their pages and cursors.

use crate::domain::*;
use crate::engine::Error;
use crate::import::Format;
use crate::store::ListFilter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The filter and the page of a list whose records have a status of this kind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[serde(bound(deserialize = "S: Deserialize<'de>"))]
pub(super) struct Listing<S> {
    // Only records of this release.
    #[serde(default)]
    release_id: Option<ReleaseId>,
    // Only records in this status (for evidence: of this kind).
    #[serde(default)]
    status: Option<S>,
    // Only records with this text.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    text: Option<String>,
    /// The `nextCursor` of the previous page, with the same other arguments.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    cursor: Option<String>,
    /// The most items to return; 50 by default.
    #[serde(default)]
    #[schemars(range(min = 1, max = 200))]
    limit: Option<i64>,
}

/// The filter and the page of the list of findings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FindingListing {
    // Only findings of this severity.
    #[serde(default)]
    severity: Option<Severity>,
    // Only findings of this release.
    #[serde(default)]
    release_id: Option<ReleaseId>,
    /// With a release: in this status there.
    #[serde(default)]
    status: Option<FindingStatus>,
    /// true: only findings that the newest complete scans do not show any more.
    #[serde(default)]
    not_seen: Option<bool>,
    // Only findings with this text.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    text: Option<String>,
    /// The `nextCursor` of the previous page, with the same other arguments.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    cursor: Option<String>,
    /// The most items to return; 50 by default.
    #[serde(default)]
    #[schemars(range(min = 1, max = 200))]
    limit: Option<i64>,
}

/// The filter and the page of the list of actions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ActionListing {
    // Only actions in this state.
    #[serde(default)]
    pub(super) status: Option<State>,
    /// The `nextCursor` of the previous page, with the same other arguments.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub(super) cursor: Option<String>,
    /// The most items to return; 50 by default.
    #[serde(default)]
    #[schemars(range(min = 1, max = 200))]
    pub(super) limit: Option<i64>,
}

/// A word that a list can be filtered by.
pub(super) trait Word: Copy {
    fn word(self) -> &'static str;
}

macro_rules! words {
    ($($name:ident)*) => {$(impl Word for $name {
        fn word(self) -> &'static str { self.as_str() }
    })*};
}
words! { ReleaseStatus BlockerStatus FindingStatus ControlStatus WorkItemStatus Format }

/// `{items, nextCursor?}`; a full page has a cursor.
pub(super) fn page<T: Serialize>(list: &str, items: &[T], limit: i64, last: impl Fn(&T) -> String) -> Value {
    let next = items.last().filter(|_| items.len() as i64 >= limit).map(last);
    let mut page = json!({ "items": items });
    if let (Some(fields), Some(next)) = (page.as_object_mut(), next) {
        fields.insert("nextCursor".into(), json!(format!("{list}:{next}")));
    }
    page
}

/// The position in a list, as its cursor contains it: an ID of this kind, or another text. A cursor begins with the name of its list, so that no list reads the cursor of another one.
pub(super) fn position(list: &str, cursor: Option<String>, kind: Option<RecordKind>) -> Result<Option<String>, Error> {
    let Some(cursor) = cursor else { return Ok(None) };
    let of_list = cursor.strip_prefix(list).and_then(|rest| rest.strip_prefix(':'));
    let fits = |position: &&str| !position.is_empty() && (kind.is_none() || RecordKind::of(position) == kind);
    match of_list.filter(fits) {
        Some(position) => Ok(Some(position.to_owned())),
        None => Err(Error::field(
            "/cursor",
            "is no cursor of this list; send the nextCursor of its previous page, or leave it out for the first page",
        )),
    }
}

impl<S: Word> Listing<S> {
    pub(super) fn filter(self, list: &str, kind: Option<RecordKind>) -> Result<ListFilter, Error> {
        Ok(ListFilter {
            release: self.release_id.map(String::from),
            status: self.status.map(|status| status.word().to_owned()),
            text: self.text,
            severities: Vec::new(),
            not_seen: None,
            after: position(list, self.cursor, kind)?,
            limit: self.limit.unwrap_or(50),
        })
    }
}

impl FindingListing {
    /// The release whose findings are listed.
    pub(super) fn release(&self) -> Option<ReleaseId> {
        self.release_id.clone()
    }

    pub(super) fn filter(self) -> Result<ListFilter, Error> {
        let severities = self.severity.iter().map(|severity| severity.as_str()).collect();
        let not_seen = self.not_seen;
        let others = Listing {
            release_id: self.release_id,
            status: self.status,
            text: self.text,
            cursor: self.cursor,
            limit: self.limit,
        };
        Ok(ListFilter {
            severities,
            not_seen,
            ..others.filter("findings", Some(RecordKind::Finding))?
        })
    }
}
