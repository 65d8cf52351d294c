//! Page views: what a person saw on an action page, and when. One row per action, person, digest and session.

use crate::context::Ctx;
use crate::domain::canonical::sha256_hex;
use crate::domain::*;
use crate::store::db::{Sql, multi_write, query};
use crate::store::row::json;
use crate::store::{ReadTx, StoreError, WriteTx};

/// Identifies a page view: a person saw this digest of an action in this session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ViewKey {
    pub action: ActionId,
    pub person: PersonId,
    pub digest: String,
    pub session: String,
}

impl ViewKey {
    /// The page view of the person in this context; `None` if the principal is not a person.
    pub fn of(ctx: &Ctx, action: &Action) -> Option<Self> {
        let Principal::Person { person, session, .. } = &ctx.principal else {
            return None;
        };
        Some(Self {
            action: action.id.clone(),
            person: person.id.clone(),
            digest: action.proposal.digest.clone(),
            session: session.clone(),
        })
    }
}

impl ViewKey {
    /// The value in the forms of this page, bound to tenant, action, person, session and digest. A page without the session's secret cannot
    /// compute the value, so that its forms cannot decide the action.
    pub fn form_value(&self, tenant: &TenantId) -> String {
        let parts = [
            "view",
            tenant.as_str(),
            self.action.as_str(),
            self.person.as_str(),
            &self.digest,
            &self.session,
        ];
        sha256_hex(parts.join("\n").as_bytes())[..32].to_owned()
    }
}

impl ReadTx {
    /// What the person saw when they last opened this digest in this session, and when that was.
    pub async fn last_seen(&mut self, view: &ViewKey) -> Result<Option<(PageSnapshot, Timestamp)>, StoreError> {
        const SQL: &str = "SELECT snapshot, seen_at FROM page_views \
             WHERE tenant = $1 AND action_id = $2 AND person_id = $3 AND digest = $4 AND session = $5";
        let row = query(SQL)
            .bind(self.tenant())
            .bind(view.action.as_str())
            .bind(view.person.as_str())
            .bind(&view.digest)
            .bind(&view.session)
            .fetch_optional(&mut self.tx)
            .await?;
        let Some(row) = row else { return Ok(None) };
        // A snapshot that this version cannot read does not count: the person must open the page again before approving.
        let snapshot = serde_json::from_str(&row.text("snapshot")?).ok();
        let seen_at = row.time("seen_at")?;
        Ok(snapshot.map(|snapshot| (snapshot, seen_at)))
    }
}

impl WriteTx {
    /// Stores what a person saw. While the action is pending, this also updates the verdicts that the inbox shows.
    pub async fn keep_view(&mut self, view: &ViewKey, snapshot: &PageSnapshot) -> Result<(), StoreError> {
        const SQL: Sql = multi_write!(
            update_counts: "UPDATE actions SET blocks = $8, warnings = $9, passes = $10 \
                      WHERE tenant = $1 AND id = $2 AND state = 'pending_approval' AND (blocks <> $8 OR warnings <> $9 OR passes <> $10)",
            => "INSERT INTO page_views (tenant, action_id, person_id, digest, session, at, seen_at, snapshot) \
                VALUES ($1, $2, $3, $4, $5, $6, $6, $7) \
                ON CONFLICT (tenant, action_id, person_id, digest, session) DO UPDATE SET seen_at = $6, snapshot = $7"
        );
        let (now, verdicts) = (self.ctx.now(), VerdictCounts::of(&snapshot.checks));
        query(SQL)
            .bind(self.tenant())
            .bind(view.action.as_str())
            .bind(view.person.as_str())
            .bind(&view.digest)
            .bind(&view.session)
            .bind(now.0)
            .bind(json(snapshot)?)
            .bind(i64::from(verdicts.block))
            .bind(i64::from(verdicts.warn))
            .bind(i64::from(verdicts.pass))
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }
}
