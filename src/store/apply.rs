//! Applying a change set: exactly its changes and nothing else. A new kind of record is one more line in the tables below.

use super::row::{Columns, list};
use super::{StoreError, WriteTx};
use crate::domain::{Change, ChangeSet, Create, RecordKind, Update, text};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor};

/// How a kind of record is stored. Names of tables and columns come from here alone, never from a payload.
struct Table {
    kind: RecordKind,
    name: &'static str,
    /// The field in JSON and its column.
    columns: &'static [(&'static str, &'static str)],
    /// Columns that a new record has whatever the change set says.
    defaults: &'static [(&'static str, &'static str)],
}

const TABLES: &[Table] = &[
    Table {
        kind: RecordKind::WorkItem,
        name: "work_items",
        columns: &[
            ("kind", "kind"),
            ("releaseId", "release_id"),
            ("parentId", "parent_id"),
            ("teamId", "team_id"),
            ("ownerId", "owner_id"),
            ("title", "title"),
            ("description", "description"),
            ("status", "status"),
            ("priority", "priority"),
            ("estimate", "estimate"),
            ("acceptanceCriteria", "acceptance_criteria"),
        ],
        defaults: &[("version", "1")],
    },
    Table {
        kind: RecordKind::EvidenceLink,
        name: "evidence_links",
        columns: &[("evidenceId", "evidence_id"), ("targetId", "target_id")],
        defaults: &[],
    },
];

/// Fields of a work item that are kept as references.
const REFERENCES: [&str; 4] = ["findingIds", "controlIds", "evidenceIds", "blockerIds"];

fn table(kind: RecordKind) -> Result<&'static Table, StoreError> {
    TABLES
        .iter()
        .find(|table| table.kind == kind)
        .ok_or_else(|| StoreError::damaged("a change set", format!("no table for a {}", kind.word())))
}

/// Every column that a change set can write is text; lists are kept as JSON.
fn column_value(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

impl WriteTx {
    /// Applies a change set inside a savepoint: all of it, or (with an error) none of it, and the transaction goes on.
    pub async fn apply(&mut self, change_set: &ChangeSet) -> Result<(), StoreError> {
        self.read.tx.execute("SAVEPOINT apply").await?;
        let outcome = self.apply_all(change_set).await;
        let end = match outcome {
            Ok(()) => "RELEASE SAVEPOINT apply",
            Err(_) => "ROLLBACK TO SAVEPOINT apply",
        };
        self.read.tx.execute(end).await?;
        outcome
    }

    async fn apply_all(&mut self, change_set: &ChangeSet) -> Result<(), StoreError> {
        let items = change_set
            .creates()
            .filter(|create| create.kind == RecordKind::WorkItem)
            .count();
        let mut number = self.take_numbers("WI", items as i64).await?;
        for change in &change_set.0 {
            match change {
                Change::Create(create) => {
                    let own = (create.kind == RecordKind::WorkItem).then_some(number);
                    self.create(create, own).await?;
                    number += i64::from(own.is_some());
                }
                Change::Update(update) => self.update(update).await?,
            }
        }
        Ok(())
    }

    async fn create(&mut self, create: &Create, number: Option<i64>) -> Result<(), StoreError> {
        let table = table(create.kind)?;
        let mut columns = vec!["tenant", "id"];
        let mut values = vec!["$1".to_owned(), "$2".to_owned()];
        let mut texts = Vec::new();
        for (field, column) in table.columns {
            let Some(value) = create.fields.get(*field) else {
                continue;
            };
            columns.push(column);
            texts.push(column_value(value));
            values.push(format!("${}", texts.len() + 2));
        }
        for (column, value) in table.defaults {
            columns.push(column);
            values.push((*value).to_owned());
        }
        if let Some(number) = number {
            columns.push("number");
            values.push(number.to_string());
        }
        let sql = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            table.name,
            columns.join(", "),
            values.join(", ")
        );
        // Made of the names above and of placeholders.
        let mut statement = sqlx::query(AssertSqlSafe(sql))
            .bind(self.tenant())
            .bind(create.id.clone());
        for text in texts {
            statement = statement.bind(text);
        }
        statement.execute(&mut *self.read.tx).await?;
        if create.kind == RecordKind::WorkItem {
            self.refer(create).await?;
            let title = create.fields.get("title").and_then(Value::as_str).unwrap_or_default();
            self.index_title(&create.id, title).await?;
        }
        Ok(())
    }

    async fn refer(&mut self, create: &Create) -> Result<(), StoreError> {
        let references: Vec<&str> = REFERENCES
            .iter()
            .filter_map(|field| create.fields.get(*field)?.as_array())
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if references.is_empty() {
            return Ok(());
        }
        const SQL: &str = "INSERT INTO work_item_references (tenant, work_item_id, record_id) \
             SELECT $1, $2, value FROM json_each($3)";
        sqlx::query(SQL)
            .bind(self.tenant())
            .bind(create.id.clone())
            .bind(list(references))
            .execute(&mut *self.read.tx)
            .await?;
        Ok(())
    }

    /// Keeps the words of a title for the search of similar items.
    pub(super) async fn index_title(&mut self, id: &str, title: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM work_item_words WHERE tenant = $1 AND work_item_id = $2")
            .bind(self.tenant())
            .bind(id.to_owned())
            .execute(&mut *self.read.tx)
            .await?;
        sqlx::query("INSERT INTO work_item_words (tenant, word, work_item_id) SELECT $1, value, $2 FROM json_each($3)")
            .bind(self.tenant())
            .bind(id.to_owned())
            .bind(list(text::words(title)))
            .execute(&mut *self.read.tx)
            .await?;
        Ok(())
    }

    async fn update(&mut self, update: &Update) -> Result<(), StoreError> {
        let table = table(update.kind)?;
        let (mut sets, mut texts) = (Vec::new(), Vec::new());
        for change in &update.fields {
            let Some((_, column)) = table.columns.iter().find(|(field, _)| *field == change.field) else {
                return Err(StoreError::damaged(
                    "a change set",
                    format!("no field {} to change", change.field),
                ));
            };
            texts.push(column_value(&change.after));
            sets.push(format!("{column} = ${}", texts.len() + 3));
        }
        sets.push("version = version + 1".to_owned());
        let sql = format!(
            "UPDATE {} SET {} WHERE tenant = $1 AND id = $2 AND version = $3",
            table.name,
            sets.join(", ")
        );
        // Made of the names above and of placeholders.
        let mut statement = sqlx::query(AssertSqlSafe(sql))
            .bind(self.tenant())
            .bind(update.id.clone())
            .bind(update.expected_version);
        for text in texts {
            statement = statement.bind(text);
        }
        if statement.execute(&mut *self.read.tx).await?.rows_affected() != 1 {
            return Err(StoreError::Conflict("a record that it changes"));
        }
        if let Some(title) = update
            .fields
            .iter()
            .find(|change| change.field == "title")
            .and_then(|c| c.after.as_str())
            && update.kind == RecordKind::WorkItem
        {
            self.index_title(&update.id, title).await?;
        }
        Ok(())
    }

    /// Takes so many numbers of a series and returns the first.
    pub(super) async fn take_numbers(&mut self, name: &str, count: i64) -> Result<i64, StoreError> {
        if count == 0 {
            return Ok(0);
        }
        const SQL: &str = "INSERT INTO counters (tenant, name, last) VALUES ($1, $2, $3) \
             ON CONFLICT (tenant, name) DO UPDATE SET last = last + $3 RETURNING last";
        let row = sqlx::query(SQL)
            .bind(self.tenant())
            .bind(name.to_owned())
            .bind(count)
            .fetch_one(&mut *self.read.tx)
            .await?;
        Ok(row.int("last")? - count + 1)
    }
}
