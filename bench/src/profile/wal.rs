//! The frames of SQLite's write-ahead log. See <https://sqlite.org/fileformat2.html#the_write_ahead_log>.

use anyhow::{Context, Result, ensure};
use loopiq_testing::Database;
use sqlx::{AnyConnection, Connection, Executor, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Bytes of the log's header.
const HEADER: usize = 32;
/// Bytes of the header of each frame, before its page.
const FRAME: usize = 24;

/// A page in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The number of the page in the database.
    pub(super) page: u32,
    /// Whether the frame is the last of its transaction.
    pub(super) commits: bool,
}

/// The log. The file of a database without one is empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wal {
    page_size: u32,
    /// Random bytes, which change each time SQLite writes the log from its start.
    salts: Vec<u8>,
    frames: Vec<Frame>,
}

/// Reads the log.
pub(super) fn read(file: &Path) -> Result<Wal> {
    parse(&std::fs::read(file).unwrap_or_default()).with_context(|| file.display().to_string())
}

/// Reads the committed frames. Frames with other salts are from before the log was written from its start.
fn parse(bytes: &[u8]) -> Result<Wal> {
    let Some((header, mut rest)) = bytes.split_at_checked(HEADER) else {
        return Ok(Wal::default());
    };
    ensure!(number(header, 0)? & !1 == 0x377f_0682, "no write-ahead log");
    let (page_size, salts) = (number(header, 8)?, header.get(16..24).context("the salts")?);
    let mut frames = Vec::new();
    while let Some((frame, next)) = rest.split_at_checked(FRAME + page_size as usize)
        && frame.get(8..16) == Some(salts)
    {
        frames.push(Frame {
            page: number(frame, 0)?,
            commits: number(frame, 4)? > 0,
        });
        rest = next;
    }
    let committed = frames
        .iter()
        .rposition(|frame| frame.commits)
        .map_or(0, |last| last + 1);
    frames.truncate(committed);
    Ok(Wal {
        page_size,
        salts: salts.to_owned(),
        frames,
    })
}

fn number(bytes: &[u8], at: usize) -> Result<u32> {
    let bytes = bytes.get(at..at + 4).context("four bytes")?;
    Ok(u32::from_be_bytes(bytes.try_into()?))
}

/// What requests wrote to the log.
#[derive(Debug)]
pub(super) struct Written {
    /// The number of requests.
    pub(super) requests: usize,
    page_size: u32,
    frames: Vec<Frame>,
}

impl Written {
    /// The frames that were added between two looks at the log; `None` if SQLite wrote it from its start in between.
    pub(super) fn between(before: &Wal, after: &Wal, requests: usize) -> Option<Self> {
        let same = before.frames.is_empty() || before.salts == after.salts;
        let frames = after.frames.get(before.frames.len()..)?.to_vec();
        same.then_some(Self {
            requests,
            page_size: after.page_size,
            frames,
        })
    }

    /// Frames for a request.
    pub(super) fn frames(&self) -> f64 {
        self.each(self.frames.len())
    }

    /// Bytes for a request.
    pub(super) fn bytes(&self) -> f64 {
        self.frames() * f64::from(FRAME as u32 + self.page_size)
    }

    /// Transactions for a request.
    pub(super) fn transactions(&self) -> f64 {
        self.each(self.frames.iter().filter(|frame| frame.commits).count())
    }

    /// The pages.
    pub(super) fn pages(&self) -> impl Iterator<Item = u32> {
        self.frames.iter().map(|frame| frame.page)
    }

    /// Frames for a request by the names of their pages, the most frequent first.
    pub(super) fn by_name<'a>(&self, names: &'a BTreeMap<u32, String>) -> Vec<(&'a str, f64)> {
        let mut counts = BTreeMap::<&str, usize>::new();
        for page in self.pages() {
            *counts
                .entry(names.get(&page).map_or("free pages", String::as_str))
                .or_default() += 1;
        }
        let mut frames: Vec<_> = counts
            .into_iter()
            .map(|(name, count)| (name, self.each(count)))
            .collect();
        frames.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        frames
    }

    fn each(&self, count: usize) -> f64 {
        count as f64 / self.requests as f64
    }
}

/// An open transaction that reads the database, so that SQLite cannot write the log from its start.
pub(super) struct Reading(AnyConnection);

impl Reading {
    /// Begins the transaction.
    pub(super) async fn begin(database: &Database) -> Result<Self> {
        let mut connection = database.connect().await;
        connection.execute("BEGIN; SELECT count(*) FROM sqlite_schema").await?;
        Ok(Self(connection))
    }

    /// Ends the transaction.
    pub(super) async fn end(self) -> Result<()> {
        Ok(self.0.close().await?)
    }
}

/// The table or index of each of these pages. A page that is free now has none.
pub(super) async fn names(
    connection: &mut AnyConnection,
    pages: &mut dyn Iterator<Item = u32>,
) -> Result<BTreeMap<u32, String>> {
    let pages: BTreeSet<u32> = pages.collect();
    let rows = sqlx::query(
        "SELECT d.pageno, d.name, CASE WHEN s.type = 'index' THEN s.tbl_name ELSE '' END, d.pagetype \
         FROM dbstat d LEFT JOIN sqlite_schema s ON s.name = d.name WHERE d.pageno IN (SELECT value FROM json_each($1))",
    )
    .bind(serde_json::to_string(&pages)?)
    .fetch_all(connection)
    .await?;
    let mut names = BTreeMap::new();
    for row in rows {
        let (page, name, table, kind): (i64, String, String, String) = (row.get(0), row.get(1), row.get(2), row.get(3));
        let of = if page == 1 {
            "the database's header".to_owned()
        } else if table.is_empty() {
            name
        } else {
            format!("{name} (index of {table})")
        };
        let kind = if kind == "leaf" || page == 1 {
            String::new()
        } else {
            format!(", {kind}")
        };
        names.insert(u32::try_from(page)?, format!("{of}{kind}"));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::{Reading, Wal, Written, names, parse, read};
    use loopiq_testing::Database;
    use sqlx::Executor;

    #[tokio::test]
    async fn frames_are_those_of_the_committed_transactions() {
        sqlx::any::install_default_drivers();
        let database = Database::sqlite();
        let file = database.folder.path().join("loopiq.db-wal");
        let mut writer = database.connect().await;
        writer
            .execute("PRAGMA journal_mode = WAL; CREATE TABLE words (word TEXT); CREATE INDEX by_word ON words (word)")
            .await
            .unwrap();
        let reading = Reading::begin(&database).await.unwrap();
        let before = read(&file).unwrap();
        writer.execute("INSERT INTO words VALUES ('one')").await.unwrap();
        writer.execute("INSERT INTO words VALUES ('two')").await.unwrap();
        writer
            .execute("BEGIN; INSERT INTO words VALUES ('three'); ROLLBACK")
            .await
            .unwrap();
        let after = read(&file).unwrap();
        let written = Written::between(&before, &after, 2).unwrap();
        assert_eq!((written.frames(), written.transactions()), (2.0, 1.0));
        assert_eq!(written.bytes(), 2.0 * (24.0 + 4096.0));
        let names = names(&mut database.connect().await, &mut written.pages())
            .await
            .unwrap();
        let by_name = written.by_name(&names);
        assert_eq!(by_name, [("by_word (index of words)", 1.0), ("words", 1.0)]);

        // SQLite writes the log from its start after a checkpoint that no transaction keeps from ending.
        reading.end().await.unwrap();
        writer.execute("PRAGMA wal_checkpoint(RESTART)").await.unwrap();
        writer.execute("INSERT INTO words VALUES ('four')").await.unwrap();
        let restarted = read(&file).unwrap();
        assert_eq!(restarted.frames.len(), 2);
        assert!(Written::between(&after, &restarted, 1).is_none());
    }

    #[test]
    fn a_file_that_is_no_log_is_refused() {
        assert_eq!(parse(b"").unwrap(), Wal::default());
        assert!(parse(&[7; 64]).is_err());
    }
}
