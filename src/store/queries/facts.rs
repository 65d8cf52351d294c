//! Facts: the records that a plan or a check needs, read in one batch (`sql/facts.sql`).

use super::records;
use crate::domain::{Address, Facts, FactsQuery, Record, RecordKind};
use crate::store::db::{Batch, PartRow, Row, Value};
use crate::store::row::list;
use crate::store::{ReadTx, StoreError};
use serde_json::Map;

static FACTS: Batch = Batch::new(&[include_str!("sql/facts.sql")]);

impl ReadTx {
    /// The records that the query names. Records that this tenant does not have are left out.
    pub async fn facts(&mut self, query: &FactsQuery) -> Result<Facts, StoreError> {
        if is_empty(query) {
            return Ok(Facts::default());
        }
        let mut found = FactRows::default();
        let values = parameters(self.tenant(), query);
        for row in FACTS.fetch(&mut self.tx, values, |part| is_needed(part, query)).await? {
            found.add(row)?;
        }
        let mut facts = found.finish()?;
        self.relate(query, &mut facts).await?;
        Ok(facts)
    }
}

fn is_empty(query: &FactsQuery) -> bool {
    Record::KINDS.iter().all(|kind| query.ids_of(*kind).is_empty())
        && query.emails.is_empty()
        && query.components.is_empty()
        && query.newest.is_none()
}

/// The parameters of `facts.sql`.
pub(super) fn parameters(tenant: String, query: &FactsQuery) -> Vec<Value<'static>> {
    let ids: Map<String, serde_json::Value> = Record::KINDS
        .iter()
        .map(|kind| (kind.prefix().to_owned(), query.ids_of(*kind)))
        .filter(|(_, ids)| !ids.is_empty())
        .map(|(prefix, ids)| (prefix, ids.into()))
        .collect();
    vec![
        tenant.into(),
        serde_json::Value::from(ids).to_string().into(),
        list(query.emails.iter().map(Address::as_str)).into(),
        list(&query.components).into(),
    ]
}

/// Whether a part of `facts.sql` can have rows for this query.
pub(super) fn is_needed(part: &str, query: &FactsQuery) -> bool {
    let has = |kind| !query.ids_of(kind).is_empty();
    match part {
        "person_of_address" => !query.emails.is_empty(),
        "component_of_key" | "component_of_name" => !query.components.is_empty(),
        "sighting" | "finding_release" => has(RecordKind::Finding),
        "reference" => has(RecordKind::WorkItem),
        prefix => Record::KINDS
            .iter()
            .find(|kind| kind.prefix() == prefix)
            .is_none_or(|kind| has(*kind)),
    }
}

/// The facts of a statement's rows, with the rows that belong to a record that has not been read yet.
#[derive(Default)]
pub(super) struct FactRows {
    facts: Facts,
    sightings: Vec<Row>,
    finding_releases: Vec<Row>,
    references: Vec<Row>,
}

impl FactRows {
    /// Adds a row. Returns the row if its part is not one of `facts.sql`.
    pub(super) fn add(&mut self, row: PartRow) -> Result<Option<PartRow>, StoreError> {
        match row.part {
            "sighting" => self.sightings.push(row.row),
            "finding_release" => self.finding_releases.push(row.row),
            "reference" => self.references.push(row.row),
            part if part.starts_with("person_") || part.starts_with("component_") => {
                self.facts.insert(records::record(&row.row)?);
            }
            part if Record::KINDS.iter().any(|kind| kind.prefix() == part) => {
                self.facts.insert(records::record(&row.row)?);
            }
            _ => return Ok(Some(row)),
        }
        Ok(None)
    }

    /// The facts, with the sightings and releases of findings, and the references of work items.
    pub(super) fn finish(mut self) -> Result<Facts, StoreError> {
        attach_sightings(&mut self.facts, self.sightings)?;
        attach_releases(&mut self.facts, self.finding_releases)?;
        attach_references(&mut self.facts, self.references)?;
        Ok(self.facts)
    }
}

/// Adds sightings to their findings, newest first.
fn attach_sightings(facts: &mut Facts, mut sightings: Vec<Row>) -> Result<(), StoreError> {
    sightings.sort_by_cached_key(|row| std::cmp::Reverse((row.int("seen_at").ok(), row.text("evidence_id").ok())));
    for row in &sightings {
        if let Some(Record::Finding(finding)) = facts.get_mut(&row.text("finding_id")?) {
            records::attach_sighting(finding, row)?;
        }
    }
    Ok(())
}

/// Adds releases to the findings that were seen in them, by ID.
fn attach_releases(facts: &mut Facts, mut releases: Vec<Row>) -> Result<(), StoreError> {
    releases.sort_by_cached_key(|row| row.text("release_id").ok());
    for row in &releases {
        if let Some(Record::Finding(finding)) = facts.get_mut(&row.text("finding_id")?) {
            records::attach_release(finding, row)?;
        }
    }
    Ok(())
}

/// Adds references to their work items.
fn attach_references(facts: &mut Facts, mut references: Vec<Row>) -> Result<(), StoreError> {
    references.sort_by_cached_key(|row| row.text("record_id").ok());
    for row in &references {
        if let Some(Record::WorkItem(item)) = facts.get_mut(&row.text("work_item_id")?) {
            records::attach_reference(item, row.text("record_id")?);
        }
    }
    Ok(())
}
