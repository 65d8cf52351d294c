//! The switch of a session to another tenant.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::admin::access::record_sign_in;
use crate::engine::{Engine, Error};
use crate::store::NewSession;

/// A session that its person continues in another tenant.
#[derive(Debug, Clone)]
pub struct Switch {
    /// The digest of the session's secret.
    pub from: String,
    /// The digest of the secret of the session that replaces it.
    pub to: String,
    /// How long the new session lasts without use, in microseconds.
    pub idle: i64,
}

impl Engine {
    /// Replaces a session by one in another tenant, in one write, and records the sign-in there. If the session has ended meanwhile, or may not switch to
    /// the tenant any more, nothing changes. `ctx`: the context of the new session. `previous`: the context of the session, if it works in a tenant,
    /// whose log then has the sign-out.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`]: the session has ended, or may not switch to the tenant.
    pub async fn switch_tenant(&self, ctx: &Ctx, previous: Option<&Ctx>, switch: Switch) -> Result<(), Error> {
        self.authorize(ctx, Permission::SignIn).await?;
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    let (tenant, person) = (tx.ctx().tenant().clone(), tx.ctx().principal.person().cloned());
                    let taken = tx.take_session(&switch.from).await?;
                    let (Some((old, _)), Some(person)) = (taken, person) else {
                        return Err(refused("Your session has ended. Sign in again."));
                    };
                    if !old.tenants.contains(&tenant) {
                        return Err(refused(
                            "You cannot switch to this organisation any more. Sign in again, or choose another one.",
                        ));
                    }
                    let session = BrowserSession {
                        id: tx.ctx().runtime.id(),
                        holder: Some((tenant, person.id)),
                        seen_at: tx.ctx().now(),
                        ..old
                    };
                    record_sign_in(tx, &session, None).await?;
                    let new = NewSession {
                        digest: switch.to,
                        expires: session.expires_at(switch.idle),
                        session,
                    };
                    // What pages kept in the session belongs to the other tenant.
                    Ok(tx.insert_session(new, "{}").await?)
                })
            })
            .await?;
        if let Some(previous) = previous
            && let Err(error) = self.signed_out(previous).await
        {
            // The previous session has ended, whether or not its log says so.
            tracing::error!(%error, "a sign-out could not be recorded");
        }
        Ok(())
    }
}

fn refused(why: &str) -> Error {
    Error::NotAuthorized { why: why.to_owned() }
}
