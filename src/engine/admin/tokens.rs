//! Bearer tokens: who presents one, and the tokens of a demo.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::admin::grants::{self, Secret};
use crate::engine::{Engine, Error};
use crate::store::{NewGrant, TokenRow};
use serde_json::json;

/// How long a demo's token is valid, in microseconds (30 days).
const TOKEN_LIFE: i64 = 30 * Timestamp::DAY;
/// The use of a token is stored if the last stored use is older than this, in microseconds.
const TOUCH_EVERY: i64 = 5 * Timestamp::MINUTE;

/// Why a bearer token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// No token has this digest.
    #[error("the token is not known")]
    Unknown,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// The grant of the token was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// The token was issued for another resource.
    #[error("the token is for another resource")]
    WrongAudience,
    /// Nobody has signed in here with the account that the identity provider's token names.
    #[error("nobody has signed in with the account")]
    NoPerson,
    /// The identity provider's token names no tenant of a service that has several, or names several in which the person has an account.
    #[error("the token does not name one tenant")]
    SeveralTenants,
    /// The person of the token has no role any more.
    #[error("the person has no role")]
    NoRole,
    /// The identity provider asserted the roles of the person too long ago.
    #[error("the roles of the person were asserted too long ago")]
    RolesTooOld,
}

/// The result of presenting a bearer token.
#[derive(Debug, Clone, PartialEq)]
pub enum Authentication {
    /// Who has the token, and the ID of the token.
    Accepted(Box<Principal>, TokenId),
    /// The token is not accepted.
    Refused(TokenRefusal),
}

impl Engine {
    /// Returns the principal of a bearer token for this resource.
    pub async fn authenticate(&self, bearer: &str, audience: &str) -> Result<Authentication, Error> {
        let found = self.store.token(&self.runtime.digest_key().of_token(bearer)).await?;
        let Some(token) = found.filter(|token| token.kind == TokenKind::Access) else {
            return Ok(Authentication::Refused(TokenRefusal::Unknown));
        };
        if let Some(refusal) = self.refusal_of(&token, audience) {
            return Ok(Authentication::Refused(refusal));
        }
        let TokenRow { id, tenant, grant, .. } = token;
        let (client, scopes) = (grant.client, grant.scopes);
        let principal = match grant.caller {
            Some((caller, _)) => Principal::Client {
                tenant,
                caller,
                client,
                scopes,
            },
            None => Principal::Program { tenant, client, scopes },
        };
        let now = self.runtime.now();
        if grant.used_at.is_none_or(|used| now.since(used) >= TOUCH_EVERY) {
            self.touch(&principal, grant.id).await;
        }
        Ok(Authentication::Accepted(Box::new(principal), id))
    }

    /// Why a token that exists is not accepted.
    pub(crate) fn refusal_of(&self, token: &TokenRow, audience: &str) -> Option<TokenRefusal> {
        let (now, grant) = (self.runtime.now(), &token.grant);
        if grant.revoked_at.is_some() {
            return Some(TokenRefusal::Revoked);
        }
        if token.expires_at <= now || grant.expires_at <= now {
            return Some(TokenRefusal::Expired);
        }
        if token.audience != audience {
            return Some(TokenRefusal::WrongAudience);
        }
        let (person, asserted_at) = grant.caller.as_ref()?;
        if person.roles.is_empty() {
            return Some(TokenRefusal::NoRole);
        }
        let current = roles_are_current(*asserted_at, now, self.policies.roles_max_age());
        (!current).then_some(TokenRefusal::RolesTooOld)
    }

    /// Stores at intervals that a grant is used. The request itself may only read, so that it does not fail if this cannot be stored.
    async fn touch(&self, principal: &Principal, grant: GrantId) {
        let ctx = Ctx::new(principal.clone(), &self.runtime);
        let stored = self
            .store
            .add::<_, Error, _>(&ctx, move |tx| {
                Box::pin(async move { Ok(tx.touch_grant(&grant).await?) })
            })
            .await;
        if let Err(error) = stored {
            tracing::warn!(%error, "the use of a token could not be stored");
        }
    }

    /// Issues a token for a client and a caller without asking the caller, which only a demo allows. The secret is
    /// returned once and only its digest is stored.
    pub async fn issue_token(
        &self,
        tenant: &TenantId,
        email: &str,
        client: &str,
        audience: &str,
    ) -> Result<String, Error> {
        let ctx = Ctx::command(tenant.clone(), &self.runtime);
        self.authorize(&ctx, Permission::IssueToken).await?;
        if self.store.installation().await? != Some(InstallationKind::Demo) {
            return Err(Error::Setting {
                message: "this installation is not a demo, so tokens need the consent of the person they act for."
                    .to_owned(),
            });
        }
        let secret = Secret::new(&self.runtime, TokenKind::Access);
        let (digest, email) = (secret.digest.clone(), email.to_owned());
        let (client, audience) = (client.to_owned(), audience.to_owned());
        self.store
            .write(&ctx, move |tx| {
                Box::pin(async move {
                    let caller = grants::person_of_address(tx, "/as", &email).await?;
                    let client = tx.ensure_named_client(&client).await?;
                    let grant = NewGrant {
                        id: tx.ctx().runtime.id(),
                        kind: GrantKind::Service,
                        client: client.id.clone(),
                        client_key: None,
                        person: Some(caller.id.clone()),
                        scopes: Scopes::of_agents(),
                        name: client.name.to_string(),
                        created_by: None,
                        expires_at: tx.ctx().now().plus(TOKEN_LIFE),
                    };
                    tx.insert_grant(&grant).await?;
                    let token = grants::NewSecret {
                        digest,
                        kind: TokenKind::Access,
                        expires_at: grant.expires_at,
                    };
                    let token = grants::insert(tx, &grant.id, &audience, token, None).await?;
                    grants::record_issued(
                        tx,
                        &grant,
                        &client,
                        Some(&caller),
                        json!({ "tokenId": token, "audience": audience }),
                    );
                    Ok::<_, Error>(())
                })
            })
            .await?;
        Ok(secret.text)
    }
}
