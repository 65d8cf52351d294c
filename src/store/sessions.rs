//! Browser sessions. They are looked up before anybody's tenant is known, by a digest of an ID of 128 random bits.

use super::dialect::Sql;
use super::people::person;
use super::row::Columns;
use super::{Store, StoreError, installation};
use crate::domain::{InstallationKind, Person, Timestamp};

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

    /// A session that has not expired: what it holds, and the person in it with the roles that were asserted last. Where the installation is no
    /// demo there is nobody in the session of a demo's person, and the other way round.
    pub async fn session(&self, digest: &str, now: Timestamp) -> Result<Option<(String, Option<Person>)>, StoreError> {
        const SQL: Sql = Sql {
            sqlite: "SELECT s.data, p.id, p.issuer, p.email, p.name, p.roles, (SELECT kind FROM installation) AS installation FROM sessions s \
                 LEFT JOIN people p ON p.tenant = s.data ->> 'who' ->> 'tenant' AND p.id = s.data ->> 'who' ->> 'person' \
                 WHERE s.id_digest = $1 AND s.expires_at > $2",
            // The tenant that the session names is entered on the way: people stand behind the wall.
            postgres: "SELECT *, (SELECT kind FROM installation) AS installation FROM session_holder($1, $2)",
        };
        let row = sqlx::query(self.dialect.sql(&SQL))
            .bind(digest.to_owned())
            .bind(now.0)
            .fetch_optional(&self.readers)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let person = match row.maybe_text("issuer")? {
            Some(issuer) if InstallationKind::accepts(installation::kind(&row)?, &issuer) => Some(person(&row)?),
            _ => None,
        };
        Ok(Some((row.text("data")?, person)))
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
