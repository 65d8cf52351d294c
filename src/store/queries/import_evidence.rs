//! Evidence from files. Importing the same file again changes nothing.

use crate::domain::{CollectedFrom, EvidenceId, Timestamp};
use crate::store::db::query;
use crate::store::row;
use crate::store::{StoreError, WriteTx};

/// Evidence to store.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct NewEvidence {
    pub release_id: String,
    pub provider: String,
    pub kind: String,
    pub name: String,
    pub sha256: String,
    /// The index of the run in the file, from 0.
    pub run: i64,
    pub size: i64,
    pub collected_at: Timestamp,
    pub collected_from: CollectedFrom,
    pub commit: Option<String>,
    /// What was scanned.
    pub component: Option<String>,
}

/// The most bytes of a file in one row (4 MiB). A larger file is stored in parts, so that one write takes about as long as a batch of
/// records.
pub const PART: usize = 4 << 20;

/// The result of storing evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptEvidence {
    /// The evidence is new. Contains its key.
    New(EvidenceId, String),
    /// An interrupted import has stored the evidence, but not all its findings. Contains its key and the time of collection.
    Incomplete(EvidenceId, String, Timestamp),
    /// The evidence is stored with all its findings. Contains the key of the newest.
    Known(String),
}

impl WriteTx {
    /// Stores a file's bytes under their hash, once. If the file is larger than one part, this stores only the hash, and
    /// [`WriteTx::keep_part`] stores the bytes.
    pub async fn keep_file(&mut self, sha256: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let whole = if bytes.len() > PART { &[] } else { bytes };
        query(
            "INSERT INTO evidence_files (tenant, sha256, bytes) VALUES ($1, $2, $3) ON CONFLICT (tenant, sha256) DO NOTHING",
        )
        .bind(self.tenant())
        .bind(sha256)
        .bind(whole.to_vec())
        .execute(&mut self.read.tx)
        .await?;
        Ok(())
    }

    /// Stores a part of a file, counted from 0, unless the part or the whole file is already stored.
    pub async fn keep_part(&mut self, sha256: &str, part: i64, bytes: &[u8]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO evidence_parts (tenant, sha256, part, bytes) SELECT $1, $2, $3, $4 \
             WHERE EXISTS (SELECT 1 FROM evidence_files WHERE tenant = $1 AND sha256 = $2 AND LENGTH(bytes) = 0) \
             ON CONFLICT (tenant, sha256, part) DO NOTHING";
        query(SQL)
            .bind(self.tenant())
            .bind(sha256)
            .bind(part)
            .bind(bytes.to_vec())
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }

    /// Stores evidence, unless the release already has evidence of the same run of the same bytes that is not older. The same bytes of a
    /// later run are another evidence; without a time in the file or of the importer (`collected_from` is `import`), nothing says that
    /// there was another run. If `complete` is `false`, readers do not see the evidence until [`WriteTx::complete_evidence`].
    pub async fn insert_evidence(&mut self, new: &NewEvidence, complete: bool) -> Result<KeptEvidence, StoreError> {
        const KNOWN: &str = "SELECT id, key, collected_at, imported_at, complete FROM evidence \
             WHERE tenant = $1 AND release_id = $2 AND sha256 = $3 AND run = $4 AND component = $5 ORDER BY complete, collected_at DESC";
        let known = query(KNOWN)
            .bind(self.tenant())
            .bind(&new.release_id)
            .bind(&new.sha256)
            .bind(new.run)
            .bind(new.component.as_deref().unwrap_or_default())
            .fetch_all(&mut self.read.tx)
            .await?;
        if let Some(known) = known.first() {
            let (key, collected_at) = (known.text("key")?, known.time("collected_at")?);
            if known.int("complete")? == 0 {
                let id = known.read("id", |text| EvidenceId::parse(text).ok())?;
                return Ok(KeptEvidence::Incomplete(id, key, collected_at));
            }
            // A time in the future counts as the time of the import.
            let counted_at = collected_at.min(known.time("imported_at")?);
            if new.collected_from == CollectedFrom::Import || counted_at >= new.collected_at.min(self.ctx.now()) {
                return Ok(KeptEvidence::Known(key));
            }
        }
        const SQL: &str = "INSERT INTO evidence (tenant, id, key, release_id, provider, kind, name, sha256, size, \
             collected_at, collected_from, imported_at, commit_id, run, complete, component) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
        let (id, now) = (self.ctx.runtime.id::<EvidenceId>(), self.ctx.now());
        let key = format!("EV-{}", self.take_numbers("EV", 1).await?);
        query(SQL)
            .bind(self.tenant())
            .bind(id.as_str())
            .bind(&key)
            .bind(&new.release_id)
            .bind(&new.provider)
            .bind(&new.kind)
            .bind(&new.name)
            .bind(&new.sha256)
            .bind(new.size)
            .bind(new.collected_at.0)
            .bind(new.collected_from.as_str())
            .bind(now.0)
            .bind(&new.commit)
            .bind(new.run)
            .bind(i64::from(complete))
            .bind(new.component.as_deref().unwrap_or_default())
            .execute(&mut self.read.tx)
            .await?;
        Ok(KeptEvidence::New(id, key))
    }

    /// Makes evidence visible to readers after all its findings are stored.
    pub async fn complete_evidence(&mut self, ids: &[&str]) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE evidence SET complete = 1 WHERE tenant = $1 AND id IN (SELECT value FROM json_each($2))";
        query(SQL)
            .bind(self.tenant())
            .bind(row::list(ids))
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }
}
