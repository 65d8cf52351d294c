//! Browser sessions. They are looked up before anybody's tenant is known, by a digest of an ID of 128 random bits.

use super::row::Columns;
use super::{Store, StoreError};
use crate::domain::Timestamp;

impl Store {
    /// Keeps a new session; `false` if one with this digest exists.
    pub async fn create_session(&self, digest: &str, data: &str, expires: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str =
            "INSERT INTO sessions (id_digest, data, expires_at) VALUES ($1, $2, $3) ON CONFLICT (id_digest) DO NOTHING";
        let done = sqlx::query(SQL)
            .bind(digest.to_owned())
            .bind(data.to_owned())
            .bind(expires.0)
            .execute(&self.writers)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Keeps what a session holds now. One that was ended meanwhile stays ended.
    pub async fn save_session(&self, digest: &str, data: &str, expires: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET data = $2, expires_at = $3 WHERE id_digest = $1")
            .bind(digest.to_owned())
            .bind(data.to_owned())
            .bind(expires.0)
            .execute(&self.writers)
            .await?;
        Ok(())
    }

    /// A session that has not expired.
    pub async fn session(&self, digest: &str, now: Timestamp) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT data FROM sessions WHERE id_digest = $1 AND expires_at > $2")
            .bind(digest.to_owned())
            .bind(now.0)
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| row.text("data")).transpose()
    }

    /// Ends a session.
    pub async fn delete_session(&self, digest: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE id_digest = $1")
            .bind(digest.to_owned())
            .execute(&self.writers)
            .await?;
        Ok(())
    }

    /// Forgets sessions whose time is over.
    pub async fn purge_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
            .bind(now.0)
            .execute(&self.writers)
            .await?;
        Ok(done.rows_affected())
    }
}
