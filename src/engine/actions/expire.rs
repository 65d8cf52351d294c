//! The sweep: it writes the expiry of overdue actions that nobody has touched, and reopens findings and blockers whose decisions have ended.

use crate::context::Ctx;
use crate::domain::{Permission, Timestamp};
use crate::engine::actions::lifecycle;
use crate::engine::{Engine, Error, reopened_findings};

/// Overdue actions, or ended decisions, per transaction; more would keep other writers waiting.
const BATCH: i64 = 100;
/// How long expired tokens are kept, in microseconds, so that their holders learn that they have expired, and a refresh token that is used twice is
/// noticed.
const TOKENS_KEPT: i64 = 30 * Timestamp::DAY;

impl Engine {
    /// Writes the expiry of every overdue action, tenant by tenant, ends acceptances and statuses whose date has passed, and deletes old
    /// sessions and tokens. Returns how many actions it expired.
    pub async fn sweep(&self) -> Result<u64, Error> {
        let now = self.runtime.now();
        let mut swept = 0;
        for tenant in self.store.tenants().await? {
            let ctx = Ctx::system(tenant, &self.runtime);
            self.authorize(&ctx, Permission::Sweep).await?;
            // Several nodes may sweep at once: they take turns, and the later ones find nothing left.
            while self.has_overdue(&ctx).await? {
                swept += self
                    .store
                    .write(&ctx, |tx| {
                        Box::pin(async move {
                            let due = tx.overdue(BATCH).await?;
                            for action in &due {
                                lifecycle::expire(tx, action).await?;
                            }
                            Ok::<_, Error>(due.len() as u64)
                        })
                    })
                    .await?;
            }
            self.end_decisions(&ctx).await?;
            self.expire_requests(&ctx).await?;
        }
        self.store.purge_sessions(now).await?;
        self.store.purge_tokens(now.plus(-TOKENS_KEPT)).await?;
        Ok(swept)
    }

    /// Reopens findings and blockers whose acceptance or status was given until a date that has passed.
    async fn end_decisions(&self, ctx: &Ctx) -> Result<(), Error> {
        loop {
            let ended = {
                let tx = &mut self.store.read(ctx).await?;
                tx.ended_decisions(1).await?
            };
            if ended.is_empty() {
                return Ok(());
            }
            let policies = self.policies.clone();
            self.store
                .write(ctx, move |tx| {
                    Box::pin(async move {
                        let ended = tx.ended_decisions(BATCH).await?;
                        reopened_findings::end_decisions(tx, &policies, &ended).await
                    })
                })
                .await?;
        }
    }

    async fn has_overdue(&self, ctx: &Ctx) -> Result<bool, Error> {
        let due = {
            let tx = &mut self.store.read(ctx).await?;
            tx.overdue(1).await?
        };
        Ok(!due.is_empty())
    }

    /// Whether the database answers.
    pub async fn ready(&self) -> Result<(), Error> {
        Ok(self.store.ping().await?)
    }
}
