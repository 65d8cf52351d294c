//! A session whose person signed in again before the approval of an action.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::admin::access::record_sign_in;
use crate::engine::{Engine, Error};
use crate::store::NewSession;
use serde_json::json;

/// A session that continues with a new sign-in of its person.
#[derive(Debug, Clone)]
pub struct SignedInAgain {
    /// The digest of the session's secret.
    pub from: String,
    /// The new session, in the tenant of the previous one, with the digest of its secret.
    pub new: NewSession,
    /// The action before whose approval the person signed in.
    pub action: ActionId,
}

impl Engine {
    /// Replaces a session by one with a new secret and a new sign-in of the same person, in one write, and records the sign-in. What pages keep in the
    /// session stays. `ctx`: the context of the new session.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`]: the session has ended meanwhile, or works in another tenant, or belongs to another person. Nothing changes then.
    pub async fn continue_session(&self, ctx: &Ctx, again: SignedInAgain) -> Result<(), Error> {
        self.authorize(ctx, Permission::SignIn).await?;
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    let SignedInAgain { from, new, action } = again;
                    let is_same = |old: &BrowserSession| {
                        let (old_sign_in, sign_in) = (&old.sign_in, &new.session.sign_in);
                        old.holder == new.session.holder
                            && (&old_sign_in.issuer, &old_sign_in.subject) == (&sign_in.issuer, &sign_in.subject)
                    };
                    let taken = tx.take_session(&from).await?.filter(|(old, _)| is_same(old));
                    let Some((old, data)) = taken else {
                        return Err(Error::NotAuthorized {
                            why: "Your session has ended. Sign in again.".to_owned(),
                        });
                    };
                    let ProviderSignIn {
                        authenticated_at, acr, ..
                    } = &new.session.sign_in;
                    let step_up = json!({
                        "actionId": action, "replacedSession": old.id, "authTime": authenticated_at, "acr": acr,
                    });
                    record_sign_in(tx, &new.session, Some(step_up)).await?;
                    Ok(tx.insert_session(new, &data).await?)
                })
            })
            .await
    }
}
