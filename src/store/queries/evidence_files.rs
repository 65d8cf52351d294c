//! Stored evidence files: the result of the last time that the bytes of each were hashed, and the hashing itself.
//!
//! The results are in a table of their own, because SQLite writes a whole row again, bytes included, if one of its columns changes.

use crate::domain::{FileState, Timestamp, canonical};
use crate::store::db::{Row, query};
use crate::store::row;
use crate::store::{ReadTx, StoreError, WriteTx};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The time from a verification to the next one by the scrub, in microseconds (a day).
const VERIFY_AGAIN: i64 = Timestamp::DAY;
/// The same for a file that is not intact (ten minutes), so that a restored file is recognized soon.
const VERIFY_DAMAGED_AGAIN: i64 = 10 * Timestamp::MINUTE;
/// The bytes that are hashed without a pause for other tasks (256 KiB, about a millisecond).
const SLICE: usize = 256 << 10;

/// The stored result of the last verification of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResult {
    /// The file's recorded hash.
    pub sha256: String,
    /// The result.
    pub state: FileState,
    /// The time of the verification, or of the import.
    pub verified_at: Timestamp,
    /// The time at which the scrub verifies the file again.
    pub due_at: Timestamp,
}

/// A file that has been hashed, with the stored result from before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The stored result. If another verification replaces it meanwhile, that one counts.
    pub before: StoredResult,
    /// The new result.
    pub found: FileState,
}

/// The result of hashing a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashed {
    /// Whether the bytes have the recorded hash.
    pub state: FileState,
    /// The number of bytes that were hashed.
    pub bytes: u64,
}

impl ReadTx {
    /// Hashes a stored file.
    pub async fn hash_file(&mut self, sha256: &str) -> Result<Hashed, StoreError> {
        const BYTES: &str = "SELECT bytes FROM evidence_files WHERE tenant = $1 AND sha256 = $2";
        const PART: &str = "SELECT bytes FROM evidence_parts WHERE tenant = $1 AND sha256 = $2 AND part = $3";
        let file = query(BYTES)
            .bind(self.tenant())
            .bind(sha256)
            .fetch_optional(&mut self.tx)
            .await?;
        let Some(file) = file else {
            return Ok(Hashed {
                state: FileState::Missing,
                bytes: 0,
            });
        };
        let whole = file.bytes("bytes")?;
        let (mut hash, mut length) = (Sha256::new(), whole.len() as u64);
        update(&mut hash, &whole).await;
        // A large file is stored in parts, and its own row has no bytes.
        let mut part = 0_i64;
        while whole.is_empty() {
            let row = query(PART)
                .bind(self.tenant())
                .bind(sha256)
                .bind(part)
                .fetch_optional(&mut self.tx)
                .await?;
            let Some(row) = row else { break };
            let some = row.bytes("bytes")?;
            update(&mut hash, &some).await;
            length += some.len() as u64;
            part += 1;
        }
        let state = if canonical::hex(&hash.finalize()) == sha256 {
            FileState::Intact
        } else {
            FileState::Changed
        };
        Ok(Hashed { state, bytes: length })
    }

    /// Hashes the files of evidence. Returns the states by evidence ID. Each file is hashed once, because several evidence records may
    /// share it.
    pub(super) async fn hash_evidence(
        &mut self,
        evidence: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, FileState>, StoreError> {
        const NAMED: &str =
            "SELECT id, sha256 FROM evidence WHERE tenant = $1 AND id IN (SELECT value FROM json_each($2))";
        let rows = query(NAMED)
            .bind(self.tenant())
            .bind(row::list(evidence))
            .fetch_all(&mut self.tx)
            .await?;
        let mut by_hash: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in &rows {
            by_hash.entry(row.text("sha256")?).or_default().push(row.text("id")?);
        }
        let mut states = BTreeMap::new();
        for (sha256, ids) in by_hash {
            let state = self.hash_file(&sha256).await?.state;
            states.extend(ids.into_iter().map(|id| (id, state)));
        }
        Ok(states)
    }

    /// The stored results of these files.
    pub async fn stored_results<'s>(
        &mut self,
        files: impl IntoIterator<Item = &'s str>,
    ) -> Result<Vec<StoredResult>, StoreError> {
        const SQL: &str = "SELECT sha256, state, verified_at, due_at FROM evidence_verifications \
             WHERE tenant = $1 AND sha256 IN (SELECT value FROM json_each($2)) ORDER BY sha256";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(row::list(files))
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(stored_result).collect()
    }

    /// The files that the scrub has to verify now, the longest due first.
    pub async fn due_files(&mut self, limit: usize) -> Result<Vec<StoredResult>, StoreError> {
        const SQL: &str = "SELECT sha256, state, verified_at, due_at FROM evidence_verifications \
             WHERE tenant = $1 AND due_at <= $2 ORDER BY due_at LIMIT 0 + $3";
        let now = self.ctx.now();
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(now.0)
            .bind(limit as i64)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(stored_result).collect()
    }

    /// The number of files whose last verification did not find the imported bytes.
    pub async fn damaged_files(&mut self) -> Result<u64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) AS files FROM evidence_verifications \
             WHERE tenant = $1 AND state IN ('changed', 'missing')";
        let row = query(SQL).bind(self.tenant()).fetch_one(&mut self.tx).await?;
        Ok(row.int("files")?.unsigned_abs())
    }

    /// The IDs and keys of the evidence that a file contains; of a file with more, some.
    pub async fn evidence_of_file(&mut self, sha256: &str) -> Result<Vec<(String, String)>, StoreError> {
        const SQL: &str = "SELECT id, key FROM evidence WHERE tenant = $1 AND sha256 = $2 AND complete = 1 \
             ORDER BY id LIMIT 100";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(sha256)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(|row| Ok((row.text("id")?, row.text("key")?))).collect()
    }
}

impl WriteTx {
    /// Stores that an import has hashed the file, unless there is a result. The import has hashed the bytes that it read; an interrupted
    /// import may have stored some of them long before. So the file is due at once, and the scrub hashes the stored bytes.
    pub async fn keep_import_result(&mut self, sha256: &str, hashed_at: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO evidence_verifications (tenant, sha256, state, verified_at, due_at) \
             VALUES ($1, $2, 'intact', $3, $3) ON CONFLICT (tenant, sha256) DO NOTHING";
        query(SQL)
            .bind(self.tenant())
            .bind(sha256)
            .bind(hashed_at.0)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }

    /// Adds the result of the import to files that have none, and makes them due now. Returns the number of files. The scrub does not find
    /// a file without a result. This reads all evidence of the tenant.
    pub async fn add_lost_results(&mut self) -> Result<u64, StoreError> {
        const SQL: &str = "INSERT INTO evidence_verifications (tenant, sha256, state, verified_at, due_at) \
             SELECT e.tenant, e.sha256, 'intact', MIN(e.imported_at), $2 FROM evidence e \
             JOIN evidence_files f ON f.tenant = e.tenant AND f.sha256 = e.sha256 \
             WHERE e.tenant = $1 AND e.complete = 1 GROUP BY e.tenant, e.sha256 ON CONFLICT (tenant, sha256) DO NOTHING";
        let now = self.ctx.now();
        let added = query(SQL)
            .bind(self.tenant())
            .bind(now.0)
            .execute(&mut self.read.tx)
            .await?;
        Ok(added)
    }

    /// Stores results, and returns the hashes of the files whose results were stored. A result is left out if another verification of
    /// the file was stored meanwhile.
    pub async fn keep_results(&mut self, results: &[Verified]) -> Result<BTreeSet<String>, StoreError> {
        const SQL: &str = "UPDATE evidence_verifications SET state = found, verified_at = $3, \
             due_at = CASE WHEN found = 'intact' THEN $4 ELSE $5 END \
             FROM (SELECT value ->> 'sha256' AS file, value ->> 'found' AS found, CAST(value ->> 'before' AS BIGINT) AS before \
             FROM json_each($2)) AS results WHERE tenant = $1 AND sha256 = file AND verified_at = before RETURNING sha256";
        let now = self.ctx.now();
        let results: Vec<_> = results
            .iter()
            .map(|one| json!({ "sha256": one.before.sha256, "found": one.found, "before": one.before.verified_at.0 }))
            .collect();
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(row::json(&results)?)
            .bind(now.0)
            .bind(now.plus(VERIFY_AGAIN).0)
            .bind(now.plus(VERIFY_DAMAGED_AGAIN).0)
            .fetch_all(&mut self.read.tx)
            .await?;
        rows.iter().map(|row| row.text("sha256")).collect()
    }

    /// Lets the scrub try later to verify files that it could not read. Their results stay as they are.
    pub async fn postpone_verification(&mut self, files: &[String]) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE evidence_verifications SET due_at = $3 \
             WHERE tenant = $1 AND sha256 IN (SELECT value FROM json_each($2))";
        let due_at = self.ctx.now().plus(VERIFY_DAMAGED_AGAIN);
        query(SQL)
            .bind(self.tenant())
            .bind(row::list(files))
            .bind(due_at.0)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }

    /// Stores the bytes of a file again where others are stored. `whole` is empty for a file in parts, whose number is `parts`:
    /// [`WriteTx::restore_part`] stores them.
    pub async fn restore_file(&mut self, sha256: &str, whole: &[u8], parts: usize) -> Result<(), StoreError> {
        const FILE: &str = "INSERT INTO evidence_files (tenant, sha256, bytes) VALUES ($1, $2, $3) \
             ON CONFLICT (tenant, sha256) DO UPDATE SET bytes = excluded.bytes WHERE evidence_files.bytes <> excluded.bytes";
        // The service's role deletes no evidence. An empty part at the end does not change the hash.
        const BEYOND: &str = "UPDATE evidence_parts SET bytes = $4 \
             WHERE tenant = $1 AND sha256 = $2 AND part >= $3 AND LENGTH(bytes) > 0";
        query(FILE)
            .bind(self.tenant())
            .bind(sha256)
            .bind(whole)
            .execute(&mut self.read.tx)
            .await?;
        query(BEYOND)
            .bind(self.tenant())
            .bind(sha256)
            .bind(parts as i64)
            .bind(Vec::<u8>::new())
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }

    /// Stores a part of a file again where other bytes are stored. Parts are counted from 0.
    pub async fn restore_part(&mut self, sha256: &str, part: usize, bytes: &[u8]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO evidence_parts (tenant, sha256, part, bytes) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (tenant, sha256, part) DO UPDATE SET bytes = excluded.bytes WHERE evidence_parts.bytes <> excluded.bytes";
        query(SQL)
            .bind(self.tenant())
            .bind(sha256)
            .bind(part as i64)
            .bind(bytes)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }
}

/// Adds bytes to a hash. Other tasks of the same thread run between the slices.
async fn update(hash: &mut Sha256, bytes: &[u8]) {
    for (n, slice) in bytes.chunks(SLICE).enumerate() {
        if n > 0 {
            tokio::task::yield_now().await;
        }
        hash.update(slice);
    }
}

fn stored_result(row: &Row) -> Result<StoredResult, StoreError> {
    Ok(StoredResult {
        sha256: row.text("sha256")?,
        state: row.read("state", FileState::parse)?,
        verified_at: row.time("verified_at")?,
        due_at: row.time("due_at")?,
    })
}
