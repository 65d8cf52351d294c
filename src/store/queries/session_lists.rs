//! Lists of sessions, and sessions that are ended by name.

use super::sessions::{MOST_LISTED, columns, session};
use crate::domain::{BrowserSession, PersonId, ProviderSignIn, SessionId, TenantId, Timestamp};
use crate::store::db::{Row, query};
use crate::store::row::json;
use crate::store::{ReadTx, Store, StoreError, WriteTx};

/// A session in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedSession {
    /// The session.
    pub session: BrowserSession,
    /// The digest of its secret.
    pub digest: String,
}

/// Sessions of one human at the identity provider, in every tenant.
#[derive(Debug, Clone)]
pub struct ProviderSessions {
    /// The issuer.
    pub issuer: String,
    /// The person's ID at the issuer; `None` for any.
    pub subject: Option<String>,
    /// The provider's session ID; `None` for any. If `subject` is given too, sessions of the subject without such an ID are included.
    pub sid: Option<String>,
    /// Only sessions whose sign-in is not later, by the provider's clock.
    pub signed_in_until: Timestamp,
}

fn listed(row: &Row) -> Result<ListedSession, StoreError> {
    Ok(ListedSession {
        session: session(row)?,
        digest: row.text("id_digest")?,
    })
}

impl Store {
    /// The sessions that an identity provider's message is about. The query names no tenant: the provider's session belongs to none.
    pub async fn provider_sessions(
        &self,
        of: &ProviderSessions,
        now: Timestamp,
    ) -> Result<Vec<ListedSession>, StoreError> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            ", s.id_digest FROM sessions s WHERE s.issuer = $1 AND (s.subject = $2 OR $2 IS NULL) \
             AND (s.sid = $3 OR $3 IS NULL OR ($2 IS NOT NULL AND s.sid IS NULL)) \
             AND s.issued_at <= $4 AND s.expires_at > $5 ORDER BY s.id"
        );
        let rows = self
            .database
            .fetch_all(
                query(SQL)
                    .bind(&of.issuer)
                    .bind(&of.subject)
                    .bind(&of.sid)
                    .bind(of.signed_in_until.0)
                    .bind(now.0),
            )
            .await?;
        rows.iter().map(listed).collect()
    }
}

impl ReadTx {
    /// The sessions of an account in this tenant, the one that was used last first.
    pub async fn sessions_of(&mut self, person: &PersonId) -> Result<Vec<ListedSession>, StoreError> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            ", s.id_digest FROM sessions s WHERE s.tenant = $1 AND s.person_id = $2 AND s.expires_at > $3 \
             ORDER BY s.seen_at DESC, s.id LIMIT $4"
        );
        let now = self.ctx.now();
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(person.as_str())
            .bind(now.0)
            .bind(MOST_LISTED)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(listed).collect()
    }

    /// The session of this tenant with this name.
    pub async fn session_named(&mut self, id: &SessionId) -> Result<Option<ListedSession>, StoreError> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            ", s.id_digest FROM sessions s WHERE s.tenant = $1 AND s.id = $2 AND s.expires_at > $3"
        );
        let now = self.ctx.now();
        let row = query(SQL)
            .bind(self.tenant())
            .bind(id.as_str())
            .bind(now.0)
            .fetch_optional(&mut self.tx)
            .await?;
        row.as_ref().map(listed).transpose()
    }
}

impl ReadTx {
    /// The sign-in of an account's session, without the ID token; `None` if the session has ended or belongs to another account.
    pub async fn sign_in_of_session(
        &mut self,
        digest: &str,
        person: &PersonId,
    ) -> Result<Option<ProviderSignIn>, StoreError> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM sessions s WHERE s.id_digest = $1 AND s.tenant = $2 AND s.person_id = $3 AND s.expires_at > $4"
        );
        let now = self.ctx.now();
        let row = query(SQL)
            .bind(digest)
            .bind(self.tenant())
            .bind(person.as_str())
            .bind(now.0)
            .fetch_optional(&mut self.tx)
            .await?;
        row.map_or(Ok(None), |row| Ok(Some(session(&row)?.sign_in)))
    }
}

impl WriteTx {
    /// Takes from all sessions of a human the tenants to which they may not switch any more. The tenant in which a session works stays in its list.
    /// The statements name no tenant: the human may work in another one.
    pub async fn retain_tenants(
        &mut self,
        issuer: &str,
        subject: &str,
        keep: impl Fn(&TenantId) -> bool + Send + Sync,
    ) -> Result<(), StoreError> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            ", s.id_digest FROM sessions s WHERE s.issuer = $1 AND s.subject = $2 AND s.expires_at > $3"
        );
        const SET: &str = "UPDATE sessions SET tenants = $2 WHERE id_digest = $1 AND tenants = $3";
        // A session that another transaction replaces meanwhile is found again.
        loop {
            let now = self.ctx.now();
            let rows = query(SQL).bind(issuer).bind(subject).bind(now.0);
            let mut has_changed = false;
            for row in rows.fetch_all(&mut self.tx).await? {
                let ListedSession { session, digest } = listed(&row)?;
                let here = session.holder.as_ref().map(|(tenant, _)| tenant);
                let stays = |tenant: &&TenantId| keep(tenant) || here == Some(*tenant);
                let kept: Vec<&TenantId> = session.tenants.iter().filter(stays).collect();
                if kept.len() < session.tenants.len() {
                    let set = query(SET).bind(digest).bind(json(&kept)?).bind(row.text("tenants")?);
                    set.execute(&mut self.tx).await?;
                    has_changed = true;
                }
            }
            if !has_changed {
                return Ok(());
            }
        }
    }

    /// Deletes a session of this tenant. Returns whether it existed.
    pub async fn end_session(&mut self, id: &SessionId) -> Result<bool, StoreError> {
        let done = query("DELETE FROM sessions WHERE tenant = $1 AND id = $2")
            .bind(self.tenant())
            .bind(id.as_str())
            .execute(&mut self.tx)
            .await?;
        Ok(done > 0)
    }
}

impl Store {
    /// Deletes a session without a tenant: its person has not chosen one yet. Returns whether it existed.
    pub async fn end_undecided_session(&self, id: &SessionId) -> Result<bool, StoreError> {
        let done = self
            .database
            .execute(query("DELETE FROM sessions WHERE tenant IS NULL AND id = $1").bind(id.to_string()))
            .await?;
        Ok(done > 0)
    }

    /// The names of these tenants, in the order of the names. Tenants that do not exist are left out.
    pub async fn tenant_names(&self, tenants: &[TenantId]) -> Result<Vec<(TenantId, String)>, StoreError> {
        const SQL: &str =
            "SELECT id, name FROM tenants WHERE id IN (SELECT value FROM json_each($1)) ORDER BY name, id";
        let ids = crate::store::row::list(tenants.iter().map(TenantId::as_str));
        let rows = self.database.fetch_all(query(SQL).bind(ids)).await?;
        rows.iter()
            .map(|row| Ok((row.read("id", |t| TenantId::parse(t).ok())?, row.text("name")?)))
            .collect()
    }
}
