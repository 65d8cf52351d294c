//! Applies a change set: exactly its changes and nothing else. A new kind of record needs one more entry in `TABLES`.

use crate::domain::{Change, ChangeSet, Create, RecordKind, Update, WorkItem, title_similarity};
use crate::store::db::{Sql, composed, multi_write, query};
use crate::store::queries::decided_findings::StatusDecision;
use crate::store::row::{self, list};
use crate::store::{StoreError, WriteTx};
use serde_json::{Value, json};

/// How a kind of record is stored. SQL takes the names of tables and columns only from here, never from a payload.
struct Table {
    kind: RecordKind,
    name: &'static str,
    /// The field in JSON and its column.
    columns: &'static [(&'static str, &'static str)],
    /// Columns with a fixed value in a new record.
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
        kind: RecordKind::Finding,
        name: "findings",
        columns: &[
            ("status", "status"),
            ("justification", "justification"),
            ("statusExpiresAt", "status_expires_at"),
        ],
        defaults: &[],
    },
    Table {
        kind: RecordKind::Blocker,
        name: "blockers",
        columns: &[("status", "status")],
        defaults: &[],
    },
    Table {
        kind: RecordKind::Certification,
        name: "certifications",
        columns: &[("status", "status"), ("statement", "statement")],
        defaults: &[],
    },
    Table {
        kind: RecordKind::RiskAcceptance,
        name: "risk_acceptances",
        columns: &[
            ("releaseId", "release_id"),
            ("ownerId", "owner_id"),
            ("findingIds", "finding_ids"),
            ("controlIds", "control_ids"),
            ("justification", "justification"),
            ("compensatingControls", "compensating_controls"),
            ("expiresAt", "expires_at"),
        ],
        defaults: &[],
    },
    Table {
        kind: RecordKind::AuditNote,
        name: "audit_notes",
        columns: &[("actionId", "action_id"), ("text", "text")],
        defaults: &[],
    },
    Table {
        kind: RecordKind::CurrentEvidence,
        name: "current_evidence",
        columns: &[
            ("releaseId", "release_id"),
            ("provider", "provider"),
            ("kind", "kind"),
            ("evidenceId", "evidence_id"),
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

/// Fields of a work item that are stored as references.
const REFERENCES: [&str; 4] = ["findingIds", "controlIds", "evidenceIds", "blockerIds"];

fn table(kind: RecordKind) -> Result<&'static Table, StoreError> {
    TABLES
        .iter()
        .find(|table| table.kind == kind)
        .ok_or_else(|| StoreError::damaged("a change set", format!("no table for {kind:?}")))
}

/// Converts a field to the text of its column. A change set writes only text columns; lists are stored as JSON.
fn column_value(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

impl WriteTx {
    /// Applies a change set inside a savepoint: either all of it, or (with an error) none of it. After an error the transaction can
    /// continue. Returns the keys of the work items that the change set created, in order.
    pub async fn apply(&mut self, change_set: &ChangeSet) -> Result<Vec<String>, StoreError> {
        self.read.tx.execute_batch("SAVEPOINT apply").await?;
        let outcome = self.apply_all(change_set).await;
        if outcome.is_err() {
            self.read.tx.execute_batch("ROLLBACK TO SAVEPOINT apply").await?;
        }
        outcome
    }

    async fn apply_all(&mut self, change_set: &ChangeSet) -> Result<Vec<String>, StoreError> {
        let mut keys = Vec::new();
        let mut changes = change_set.0.as_slice();
        // One statement creates consecutive records of the same kind.
        while let Some(first) = changes.first() {
            let run = match first {
                Change::Update(update) => {
                    self.update(update).await?;
                    1
                }
                Change::Create(first) => {
                    let run: Vec<&Create> = changes
                        .iter()
                        .map_while(|change| match change {
                            Change::Create(create) if create.kind == first.kind => Some(create),
                            _ => None,
                        })
                        .collect();
                    keys.extend(self.create(first.kind, &run).await?);
                    run.len()
                }
            };
            changes = &changes[run..];
        }
        Ok(keys)
    }

    async fn create(&mut self, kind: RecordKind, creates: &[&Create]) -> Result<Vec<String>, StoreError> {
        let table = table(kind)?;
        let mut names = vec!["tenant", "id"];
        let mut values = vec!["$1".to_owned(), "value ->> 'id'".to_owned()];
        for (_, column) in table.columns {
            names.push(column);
            values.push(format!("value ->> '{column}'"));
        }
        for (column, value) in table.defaults {
            names.push(column);
            values.push((*value).to_owned());
        }
        let numbered = kind == RecordKind::WorkItem;
        let mut number = 0;
        if numbered {
            number = self.take_numbers("WI", creates.len() as i64).await?;
            names.push("number");
            values.push("CAST(value ->> 'number' AS BIGINT)".to_owned());
        }
        let mut rows = Vec::with_capacity(creates.len());
        let mut keys = Vec::new();
        for create in creates {
            let mut row = serde_json::Map::new();
            row.insert("id".into(), create.id.clone().into());
            row.insert("number".into(), number.into());
            if numbered {
                keys.push(WorkItem::key_of(number));
            }
            number += 1;
            for (field, column) in table.columns {
                let value = create.fields.get(*field).and_then(column_value);
                row.insert((*column).into(), value.into());
            }
            rows.push(row);
        }
        let sql = format!(
            "INSERT INTO {} ({}) SELECT {} FROM json_each($2)",
            table.name,
            names.join(", "),
            values.join(", ")
        );
        // The SQL consists of names from `TABLES` and of placeholders.
        composed(sql)
            .bind(self.tenant())
            .bind(row::json(&rows)?)
            .execute(&mut self.read.tx)
            .await?;
        if numbered {
            self.index(creates).await?;
        }
        if kind == RecordKind::RiskAcceptance {
            self.accept_risks(creates).await?;
        }
        Ok(keys)
    }

    /// Stores the references of new work items, and the words of their titles for the search of similar items.
    async fn index(&mut self, creates: &[&Create]) -> Result<(), StoreError> {
        const SQL: Sql = multi_write!(
            insert_references: "INSERT INTO work_item_references (tenant, work_item_id, record_id) \
                       SELECT $1, value ->> 'item', value ->> 'record' FROM json_each($2)",
            => "INSERT INTO work_item_words (tenant, word, work_item_id) \
                   SELECT $1, value ->> 'word', value ->> 'item' FROM json_each($3)"
        );
        let (mut references, mut words) = (Vec::new(), Vec::new());
        for create in creates {
            let records = REFERENCES
                .iter()
                .filter_map(|field| create.fields.get(*field)?.as_array())
                .flatten();
            references.extend(records.map(|record| json!({ "item": create.id, "record": record })));
            let title = create.fields.get("title").and_then(Value::as_str).unwrap_or_default();
            words.extend(
                title_similarity::index_terms(title)
                    .into_iter()
                    .map(|word| json!({ "item": create.id, "word": word })),
            );
        }
        query(SQL)
            .bind(self.tenant())
            .bind(row::json(&references)?)
            .bind(row::json(&words)?)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }

    /// Replaces the words of a title, for the search of similar items.
    pub(super) async fn index_title(&mut self, id: &str, title: &str) -> Result<(), StoreError> {
        query("DELETE FROM work_item_words WHERE tenant = $1 AND work_item_id = $2")
            .bind(self.tenant())
            .bind(id)
            .execute(&mut self.read.tx)
            .await?;
        query("INSERT INTO work_item_words (tenant, word, work_item_id) SELECT $1, value, $2 FROM json_each($3)")
            .bind(self.tenant())
            .bind(id)
            .bind(list(title_similarity::index_terms(title)))
            .execute(&mut self.read.tx)
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
        let decision = StatusDecision::of(update, self.ctx.now());
        if decision.is_some() {
            sets.push(format!(
                "decided_at = ${}, status_ends_at = ${}",
                texts.len() + 4,
                texts.len() + 5
            ));
        }
        let sql = format!(
            "UPDATE {} SET {} WHERE tenant = $1 AND id = $2 AND version = $3",
            table.name,
            sets.join(", ")
        );
        // The SQL consists of names from `TABLES` and of placeholders.
        let mut statement = composed(sql)
            .bind(self.tenant())
            .bind(&update.id)
            .bind(update.expected_version);
        for text in texts {
            statement = statement.bind(text);
        }
        if let Some(decision) = &decision {
            statement = statement
                .bind(decision.decided_at.0)
                .bind(decision.ends_at.map(|at| at.0));
        }
        if statement.execute(&mut self.read.tx).await? != 1 {
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
        if decision.is_some_and(|decision| decision.ends_acceptances) {
            self.end_acceptances(&update.id).await?;
        }
        Ok(())
    }

    /// Takes `count` numbers of a series and returns the first of them.
    pub(super) async fn take_numbers(&mut self, name: &str, count: i64) -> Result<i64, StoreError> {
        if count == 0 {
            return Ok(0);
        }
        const SQL: &str = "INSERT INTO counters (tenant, name, last) VALUES ($1, $2, $3) \
             ON CONFLICT (tenant, name) DO UPDATE SET last = counters.last + $3 RETURNING last";
        let row = query(SQL)
            .bind(self.tenant())
            .bind(name)
            .bind(count)
            .fetch_one(&mut self.read.tx)
            .await?;
        Ok(row.int("last")? - count + 1)
    }
}
