//! Browser sessions. A look-up happens before the tenant is known, by the digest of an ID of 128 random bits.

use super::installation;
use super::people::person;
use crate::domain::{InstallationKind, Person, Timestamp};
use crate::store::db::{Sql, query};
use crate::store::{Store, StoreError};

impl Store {
    /// Stores a new session. Returns `false` if a session with this digest exists.
    pub async fn create_session(&self, digest: &str, data: &str, expires: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str =
            "INSERT INTO sessions (id_digest, data, expires_at) VALUES ($1, $2, $3) ON CONFLICT (id_digest) DO NOTHING";
        let done = self
            .database
            .execute(query(SQL).bind(digest.to_owned()).bind(data.to_owned()).bind(expires.0))
            .await?;
        Ok(done == 1)
    }

    /// Updates the data of a session. A session that was deleted meanwhile stays deleted.
    pub async fn save_session(&self, digest: &str, data: &str, expires: Timestamp) -> Result<(), StoreError> {
        self.database
            .execute(
                query("UPDATE sessions SET data = $2, expires_at = $3 WHERE id_digest = $1")
                    .bind(digest.to_owned())
                    .bind(data.to_owned())
                    .bind(expires.0),
            )
            .await?;
        Ok(())
    }

    /// The data of a session that has not expired, and its person with the roles that the identity provider asserted last. The person is
    /// `None` if a demo's person is in the session and the installation is not a demo, or the other way round.
    pub async fn session(&self, digest: &str, now: Timestamp) -> Result<Option<(String, Option<Person>)>, StoreError> {
        const SQL: Sql = Sql {
            sqlite: &[
                "SELECT s.data, p.id, p.issuer, p.email, p.name, p.roles, (SELECT kind FROM installation) AS installation FROM sessions s \
                 LEFT JOIN people p ON p.tenant = s.data ->> 'who' ->> 'tenant' AND p.id = s.data ->> 'who' ->> 'person' \
                 WHERE s.id_digest = $1 AND s.expires_at > $2",
            ],
            // Row-level security hides people. The function `session_holder` enters the session's tenant before it reads them.
            postgres: "SELECT *, (SELECT kind FROM installation) AS installation FROM session_holder($1, $2)",
        };
        let row = self
            .database
            .fetch_optional(query(SQL).bind(digest.to_owned()).bind(now.0))
            .await?;
        let Some(row) = row else { return Ok(None) };
        let person = match row.maybe_text("issuer")? {
            Some(issuer) if InstallationKind::accepts(installation::kind(&row)?, &issuer) => Some(person(&row)?),
            _ => None,
        };
        Ok(Some((row.text("data")?, person)))
    }

    /// Deletes a session.
    pub async fn delete_session(&self, digest: &str) -> Result<(), StoreError> {
        self.database
            .execute(query("DELETE FROM sessions WHERE id_digest = $1").bind(digest.to_owned()))
            .await?;
        Ok(())
    }

    /// Deletes expired sessions and returns their number.
    pub async fn purge_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        let done = self
            .database
            .execute(query("DELETE FROM sessions WHERE expires_at <= $1").bind(now.0))
            .await?;
        Ok(done)
    }
}
