//! Facts: the records that a plan or a check needs. One statement reads records of all kinds. The SQL is in `sql/`, one file for each
//! database.

use super::records;
use crate::domain::{Address, Facts, FactsQuery, Record};
use crate::store::dialect::Sql;
use crate::store::row::{Columns, list};
use crate::store::{ReadTx, StoreError};
use serde_json::{Map, Value};

pub(super) const FACTS: Sql = Sql {
    sqlite: include_str!("sql/facts.sqlite.sql"),
    postgres: include_str!("sql/facts.postgres.sql"),
};
pub(super) type Row = Map<String, Value>;

impl ReadTx {
    /// The records that the query names. Records that this tenant does not have are left out.
    pub async fn facts(&mut self, query: &FactsQuery) -> Result<Facts, StoreError> {
        let ids = by_prefix(query);
        if ids.is_empty() && query.emails.is_empty() && query.components.is_empty() && query.newest.is_none() {
            return Ok(Facts::default());
        }
        let rows = sqlx::query(self.sql(&FACTS))
            .bind(self.tenant())
            .bind(Value::from(ids).to_string())
            .bind(list(query.emails.iter().map(Address::as_str)))
            .bind(list(&query.components))
            .fetch_all(&mut *self.tx)
            .await?;
        let mut found = FactRows::default();
        for row in &rows {
            let kind = row.text("kind")?;
            if found.add(&kind, row.json("record")?)?.is_some() {
                return Err(StoreError::damaged("kind", format!("unexpected \"{kind}\"")));
            }
        }
        let mut facts = found.finish()?;
        self.relate(query, &mut facts).await?;
        Ok(facts)
    }
}

/// The IDs of the query by prefix, as the statement's JSON parameter.
pub(super) fn by_prefix(query: &FactsQuery) -> Map<String, Value> {
    Record::KINDS
        .iter()
        .map(|kind| (kind.prefix().to_owned(), Value::from(query.ids_of(*kind))))
        .filter(|(_, ids)| ids.as_array().is_some_and(|ids| !ids.is_empty()))
        .collect()
}

/// The facts of a statement's rows, with the rows that belong to a record that has not been read yet.
#[derive(Default)]
pub(super) struct FactRows {
    facts: Facts,
    sightings: Vec<Row>,
    references: Vec<Row>,
}

impl FactRows {
    /// Adds a row. Returns the record if its kind is not one of `facts.sql`.
    pub(super) fn add(&mut self, kind: &str, record: Row) -> Result<Option<Row>, StoreError> {
        match kind {
            "record" => self.facts.insert(records::record(&record)?),
            "sighting" => self.sightings.push(record),
            "reference" => self.references.push(record),
            _ => return Ok(Some(record)),
        }
        Ok(None)
    }

    /// The facts, with the sightings of findings and the references of work items.
    pub(super) fn finish(mut self) -> Result<Facts, StoreError> {
        attach_sightings(&mut self.facts, self.sightings)?;
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
