//! Several statements with the same parameters, read together. On SQLite they run one after the other, which costs microseconds. On PostgreSQL
//! each statement would cost a round trip, so that they run as one: each row arrives as JSON with the name of its part.
//!
//! A file of a batch has one part after each line `-- part: NAME`, and is written for SQLite. On PostgreSQL two forms are replaced: a list
//! becomes an array, because the planner then looks up each value in the column's index (for a sub-query it can read the whole table), and `json_group_array` becomes `json_agg`.

use super::query::query;
use super::row::{ColumnNames, Row};
use super::sql::Text;
use super::transaction::Tx;
use super::value::Value;
use crate::store::StoreError;
use serde_json::Map;
use std::fmt::Write as _;
use std::sync::OnceLock;

/// The statements of one or several files.
pub(in crate::store) struct Batch {
    files: &'static [&'static str],
    parts: OnceLock<Vec<Part>>,
    postgres: OnceLock<String>,
}

struct Part {
    name: &'static str,
    sql: &'static str,
}

/// A row of a part.
#[derive(Debug)]
pub(in crate::store) struct PartRow {
    /// The name of the part.
    pub(in crate::store) part: &'static str,
    /// The row.
    pub(in crate::store) row: Row,
}

impl Batch {
    pub(in crate::store) const fn new(files: &'static [&'static str]) -> Self {
        Self {
            files,
            parts: OnceLock::new(),
            postgres: OnceLock::new(),
        }
    }

    fn parts(&self) -> &[Part] {
        self.parts.get_or_init(|| {
            let parts = self.files.iter().flat_map(|file| file.split("-- part: ").skip(1));
            parts
                .filter_map(|part| part.split_once('\n'))
                .map(|(name, sql)| Part {
                    name: name.trim(),
                    sql: sql.trim(),
                })
                .collect()
        })
    }

    fn postgres(&'static self) -> &'static str {
        self.postgres.get_or_init(|| {
            let mut all = String::new();
            for Part { name, sql } in self.parts() {
                let union = if all.is_empty() { "" } else { "\nUNION ALL\n" };
                let sql = for_postgres(sql);
                let _ = write!(
                    all,
                    "{union}SELECT '{name}' AS part, CAST(row_to_json(r) AS TEXT) AS record FROM (\n{sql}\n) AS r"
                );
            }
            all
        })
    }

    /// Reads the rows of all parts. `is_needed` tells, by its name, whether a part can have rows for these parameters; SQLite leaves the
    /// others out.
    pub(in crate::store) async fn fetch(
        &'static self,
        tx: &mut Tx,
        values: Vec<Value<'_>>,
        is_needed: impl Fn(&str) -> bool,
    ) -> Result<Vec<PartRow>, StoreError> {
        let mut rows = Vec::new();
        if matches!(tx, Tx::Postgres(_)) {
            for row in query(self.postgres()).bind_all(values).fetch_all(tx).await? {
                rows.push(self.part_row(&row)?);
            }
            return Ok(rows);
        }
        let mut values = values;
        for part in self.parts().iter().filter(|part| is_needed(part.name)) {
            let query = query(Text::Same(part.sql)).bind_all(values);
            let (found, back) = query.fetch_again(tx).await?;
            values = back;
            rows.extend(found.into_iter().map(|row| PartRow { part: part.name, row }));
        }
        Ok(rows)
    }

    /// The row of a part in PostgreSQL's form: the name of the part, and the columns as a JSON object.
    fn part_row(&'static self, row: &Row) -> Result<PartRow, StoreError> {
        let name = row.text("part")?;
        let part = self.parts().iter().find(|part| part.name == name);
        let part = part.ok_or_else(|| StoreError::damaged("part", &name))?.name;
        let fields: Map<String, serde_json::Value> = row.json("record")?;
        let mut row = Row::new(&ColumnNames::new(fields.keys().map(String::as_str)));
        for (column, value) in &fields {
            match value {
                serde_json::Value::Null => row.push_null(),
                serde_json::Value::String(text) => row.push_text(text),
                serde_json::Value::Number(number) => match number.as_i64() {
                    Some(number) => row.push_int(number),
                    None => return Err(StoreError::damaged(column, "a fraction")),
                },
                // A list of `json_agg`.
                other => row.push_text(&other.to_string()),
            }
        }
        Ok(PartRow { part, row })
    }
}

/// The statement in PostgreSQL's form.
fn for_postgres(sql: &str) -> String {
    const LIST: &str = "IN (SELECT value FROM json_each(";
    let sql = sql.replace("json_group_array(", "json_agg(");
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql.as_str();
    while let Some((before, after)) = rest.split_once(LIST) {
        let end = closing(after).unwrap_or(after.len());
        let (list, more) = after.split_at(end);
        let _ = write!(out, "{before}= ANY (ARRAY(SELECT value FROM json_each({list})))");
        // The two parentheses of the list and of its condition.
        rest = more.strip_prefix("))").unwrap_or(more);
    }
    out + rest
}

/// Where the parenthesis is closed that is open at the beginning.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices()
        .find(|(_, letter)| {
            match letter {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            depth < 0
        })
        .map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    static BATCH: Batch = Batch::new(&[
        "-- A file.\n-- part: one\n-- Of one kind.\nSELECT a FROM t WHERE a IN (SELECT value FROM json_each($2 ->> 'x')) AND b = 1\n",
        "-- part: two\nSELECT json_group_array(a) AS list FROM t\n",
    ]);

    #[test]
    fn files_have_parts() {
        let parts: Vec<_> = BATCH.parts().iter().map(|part| (part.name, part.sql)).collect();
        assert_eq!(parts[1], ("two", "SELECT json_group_array(a) AS list FROM t"));
        assert!(parts[0].1.starts_with("-- Of one kind.\nSELECT a"), "{:?}", parts[0]);
        assert_eq!(parts.len(), 2);
    }

    #[test]
    fn postgres_gets_one_statement() {
        assert_eq!(
            BATCH.postgres(),
            "SELECT 'one' AS part, CAST(row_to_json(r) AS TEXT) AS record FROM (\n-- Of one kind.\nSELECT a FROM t \
             WHERE a = ANY (ARRAY(SELECT value FROM json_each($2 ->> 'x'))) AND b = 1\n) AS r\nUNION ALL\n\
             SELECT 'two' AS part, CAST(row_to_json(r) AS TEXT) AS record FROM (\nSELECT json_agg(a) AS list FROM t\n) AS r"
        );
    }
}
