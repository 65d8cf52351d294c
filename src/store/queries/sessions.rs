//! Browser sessions. A look-up happens before the tenant is known, by a keyed digest of an ID of 128 random bits.

use super::installation;
use crate::domain::{
    BrowserSession, Email, InstallationKind, Person, PersonId, ProviderSignIn, SessionId, TenantId, Timestamp,
};
use crate::store::db::{Query, Row, Sql, query};
use crate::store::row::json;
use crate::store::{Store, StoreError, WriteTx};

/// The most sessions in a list. Further sessions are the ones that were used longest ago.
pub(super) const MOST_LISTED: i64 = 200;

/// A session as the database has it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSession {
    /// The session.
    pub session: BrowserSession,
    /// The person, with the roles that the identity provider asserted last. `None` if the account does not exist, or if it belongs to a demo
    /// and the installation does not, or the other way round.
    pub person: Option<Person>,
    /// What pages keep in the session, as JSON.
    pub data: String,
}

/// A session to store.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The keyed digest of the secret in the cookie.
    pub digest: String,
    /// The session.
    pub session: BrowserSession,
    /// When it ends, if it is not used.
    pub expires: Timestamp,
}

impl NewSession {
    /// The statement that stores the session, unless there is one with its digest. `data`: what pages keep in the session, as JSON.
    fn insert(self, data: String) -> Result<Query<'static>, StoreError> {
        const SQL: &str = "INSERT INTO sessions (id_digest, id, tenant, person_id, tenants, issuer, subject, sid, issued_at, authenticated_at, \
             prompted, acr, id_token, started_at, seen_at, address, agent, data, expires_at, ends_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) ON CONFLICT (id_digest) DO NOTHING";
        let NewSession {
            digest,
            session,
            expires,
        } = self;
        let (tenant, person) = session.holder.unzip();
        let sign_in = session.sign_in;
        Ok(query(SQL)
            .bind(digest)
            .bind(session.id.to_string())
            .bind(tenant.map(String::from))
            .bind(person.map(String::from))
            .bind(json(&session.tenants)?)
            .bind(sign_in.issuer)
            .bind(sign_in.subject)
            .bind(sign_in.sid)
            .bind(sign_in.issued_at.0)
            .bind(sign_in.authenticated_at.map(|time| time.0))
            .bind(i64::from(sign_in.prompted))
            .bind(sign_in.acr)
            .bind(sign_in.id_token)
            .bind(session.started_at.0)
            .bind(session.seen_at.0)
            .bind(session.address)
            .bind(session.agent)
            .bind(data)
            .bind(expires.0)
            .bind(session.ends_at.0))
    }
}

/// The columns of a [`BrowserSession`], without the ID token.
macro_rules! columns {
    () => {
        "s.id, s.tenant, s.person_id, s.tenants, s.issuer, s.subject, s.sid, s.issued_at, s.authenticated_at, s.prompted, s.acr, s.started_at, s.seen_at, \
         s.address, s.agent, s.ends_at"
    };
}
pub(super) use columns;

pub(super) fn session(row: &Row) -> Result<BrowserSession, StoreError> {
    let tenant = row.maybe("tenant", |t| TenantId::parse(t).ok())?;
    let person = row.maybe("person_id", |t| PersonId::parse(t).ok())?;
    Ok(BrowserSession {
        id: row.read("id", |t| SessionId::parse(t).ok())?,
        holder: tenant.zip(person),
        tenants: row.json("tenants")?,
        sign_in: ProviderSignIn {
            issuer: row.text("issuer")?,
            subject: row.text("subject")?,
            sid: row.maybe_text("sid")?,
            issued_at: row.time("issued_at")?,
            authenticated_at: row.maybe_time("authenticated_at")?,
            prompted: row.int("prompted")? != 0,
            acr: row.maybe_text("acr")?,
            id_token: None,
        },
        started_at: row.time("started_at")?,
        seen_at: row.time("seen_at")?,
        ends_at: row.time("ends_at")?,
        address: row.maybe_text("address")?,
        agent: row.maybe_text("agent")?,
    })
}

impl Store {
    /// Stores a new session. Returns `false` if a session with this digest exists.
    pub async fn create_session(&self, new: NewSession, data: &str) -> Result<bool, StoreError> {
        let done = self.database.execute(new.insert(data.to_owned())?).await?;
        Ok(done == 1)
    }

    /// Updates what pages keep in a session. A session that was deleted meanwhile stays deleted.
    pub async fn save_session(&self, digest: &str, data: &str) -> Result<(), StoreError> {
        self.database
            .execute(
                query("UPDATE sessions SET data = $2 WHERE id_digest = $1")
                    .bind(digest.to_owned())
                    .bind(data.to_owned()),
            )
            .await?;
        Ok(())
    }

    /// Records that a session is used, from where, and when it expires now.
    pub async fn touch_session(
        &self,
        digest: &str,
        session: &BrowserSession,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE sessions SET seen_at = $2, expires_at = $3, address = $4, agent = $5 WHERE id_digest = $1 AND seen_at < $2";
        self.database
            .execute(
                query(SQL)
                    .bind(digest.to_owned())
                    .bind(session.seen_at.0)
                    .bind(expires.0)
                    .bind(session.address.clone())
                    .bind(session.agent.clone()),
            )
            .await?;
        Ok(())
    }

    /// A session that has not expired, with its person.
    pub async fn session(&self, digest: &str, now: Timestamp) -> Result<Option<StoredSession>, StoreError> {
        const SQL: Sql = Sql {
            sqlite: &[concat!(
                "SELECT ",
                columns!(),
                ", s.data, p.id AS account_id, p.issuer AS account_issuer, p.email, p.name, p.roles, \
                 (SELECT kind FROM installation) AS installation FROM sessions s \
                 LEFT JOIN people p ON p.tenant = s.tenant AND p.id = s.person_id WHERE s.id_digest = $1 AND s.expires_at > $2"
            )],
            // Row-level security hides people. The function `session_holder` enters the session's tenant before it reads them.
            postgres: "SELECT *, (SELECT kind FROM installation) AS installation FROM session_holder($1, $2)",
        };
        let row = self
            .database
            .fetch_optional(query(SQL).bind(digest.to_owned()).bind(now.0))
            .await?;
        let Some(row) = row else { return Ok(None) };
        let person = match row.maybe_text("account_issuer")? {
            Some(issuer) if InstallationKind::accepts(installation::kind(&row)?, &issuer) => Some(Person {
                id: row.read("account_id", |t| PersonId::parse(t).ok())?,
                email: Email::from(row.text("email")?),
                name: row.text("name")?.into(),
                roles: row.json("roles")?,
            }),
            _ => None,
        };
        Ok(Some(StoredSession {
            session: session(&row)?,
            person,
            data: row.text("data")?,
        }))
    }

    /// The ID token of a session's sign-in, if it was kept.
    pub async fn session_id_token(&self, digest: &str) -> Result<Option<String>, StoreError> {
        let row = self
            .database
            .fetch_optional(query("SELECT id_token FROM sessions WHERE id_digest = $1").bind(digest.to_owned()))
            .await?;
        row.map_or(Ok(None), |row| row.maybe_text("id_token"))
    }

    /// Writes this text as the data of a session that has expired, and deletes it again.
    pub(in crate::store) async fn write_and_delete(&self, data: &str) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO sessions (id_digest, id, tenants, issuer, subject, issued_at, prompted, started_at, seen_at, data, expires_at, \
             ends_at) VALUES ('probe', 'probe', '[]', '', '', 0, 0, 0, 0, $1, 0, 0) ON CONFLICT (id_digest) DO NOTHING";
        self.database.execute(query(SQL).bind(data.to_owned())).await?;
        self.delete_session("probe").await
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

impl WriteTx {
    /// Deletes a session that has not expired, and returns it with its ID token and with what pages keep in it.
    pub async fn take_session(&mut self, digest: &str) -> Result<Option<(BrowserSession, String)>, StoreError> {
        const SQL: &str = "DELETE FROM sessions WHERE id_digest = $1 AND expires_at > $2 RETURNING *";
        let now = self.ctx.now();
        let row = query(SQL).bind(digest).bind(now.0).fetch_optional(&mut self.tx).await?;
        let Some(row) = row else { return Ok(None) };
        let mut taken = session(&row)?;
        taken.sign_in.id_token = row.maybe_text("id_token")?;
        Ok(Some((taken, row.text("data")?)))
    }

    /// Stores a session. `data`: what pages keep in it, as JSON.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: there is a session with its digest.
    pub async fn insert_session(&mut self, new: NewSession, data: &str) -> Result<(), StoreError> {
        match new.insert(data.to_owned())?.execute(&mut self.tx).await? {
            1 => Ok(()),
            _ => Err(StoreError::Conflict("the session")),
        }
    }
}
