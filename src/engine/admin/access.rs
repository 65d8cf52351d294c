//! Sign-in, sign-out and bearer tokens.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::admin::identity;
use crate::engine::{Engine, Error, audit_entries};
use crate::store::{Asserted, Entry, TokenGrant};
use serde_json::json;

/// How long a token is valid, in microseconds (30 days).
const TOKEN_LIFE: i64 = 30 * Timestamp::DAY;

/// Why a bearer token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// No token has this digest.
    #[error("the token is not known")]
    Unknown,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// The token was issued for another resource.
    #[error("the token is for another resource")]
    WrongAudience,
}

/// The result of presenting a bearer token.
#[derive(Debug, Clone, PartialEq)]
pub enum Authentication {
    /// The client and the caller that it acts for, and the ID of the token.
    Accepted(Principal, TokenId),
    /// The token is not accepted.
    Refused(TokenRefusal),
}

impl Engine {
    /// Stores an identity provider's assertion about a person, and returns the person.
    pub async fn sign_in(&self, tenant: &str, asserted: Asserted) -> Result<(TenantId, Person), Error> {
        let unknown = || Error::NotAuthorized {
            why: "Your organisation is not set up here. Ask the operator of this service.".to_owned(),
        };
        let asserted = identity::bounded(asserted)?;
        let tenant = TenantId::parse(tenant).map_err(|_| unknown())?;
        if !InstallationKind::accepts(self.store.installation().await?, &asserted.issuer) {
            tracing::warn!(
                issuer = asserted.issuer,
                "sign-in by a provider of the other kind of installation"
            );
            return Err(Error::NotAuthorized {
                why: "A demo's people cannot sign in to a production installation, nor others to a demo.".to_owned(),
            });
        }
        let ctx = Ctx::system(tenant.clone(), &self.runtime);
        let person = self
            .store
            .add(&ctx, move |tx| {
                Box::pin(async move {
                    if tx.tenant_name().await?.is_none() {
                        return Ok::<_, Error>(None);
                    }
                    let person = tx.assert_person(&asserted).await?;
                    let mut content = audit_entries::content(tx.ctx());
                    content.actor = Actor::Person {
                        id: person.id.clone(),
                        name: person.name.to_string(),
                        email: person.email.to_string(),
                    };
                    content.details = json!({ "issuer": asserted.issuer, "roles": person.roles });
                    if let Some(open) = tx.unresolved(&person.id).await? {
                        content.details["cannotDecide"] = json!({ "address": open.address, "knownAs": open.known });
                        content.records = vec![open.known.to_string()];
                    }
                    tx.record(Entry {
                        event: Event::SignedIn,
                        action_id: None,
                        content,
                    });
                    Ok(Some(person))
                })
            })
            .await?;
        match person {
            // Without a tenant there is no audit log for the denial.
            None => {
                tracing::warn!(tenant = ctx.tenant().as_str(), "sign-in for an unknown tenant");
                Err(unknown())
            }
            Some(person) => Ok((tenant, person)),
        }
    }

    /// Records that a person ended the session.
    pub async fn signed_out(&self, ctx: &Ctx) -> Result<(), Error> {
        let content = audit_entries::content(ctx);
        self.write_entry(
            ctx,
            Entry {
                event: Event::SignedOut,
                action_id: None,
                content,
            },
        )
        .await
    }

    /// Returns the client and caller of a bearer token for this resource.
    pub async fn authenticate(&self, bearer: &str, audience: &str) -> Result<Authentication, Error> {
        let Some(token) = self.store.token(&canonical::sha256_hex(bearer.as_bytes())).await? else {
            return Ok(Authentication::Refused(TokenRefusal::Unknown));
        };
        if token.expires_at <= self.runtime.now() {
            return Ok(Authentication::Refused(TokenRefusal::Expired));
        }
        if token.audience != audience {
            return Ok(Authentication::Refused(TokenRefusal::WrongAudience));
        }
        let principal = Principal::Client {
            tenant: token.tenant,
            caller: token.caller,
            client: token.client,
        };
        Ok(Authentication::Accepted(principal, token.id))
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
        let secret = format!("loopiq_{}", canonical::hex(&self.runtime.random::<32>()));
        let (digest, email) = (canonical::sha256_hex(secret.as_bytes()), email.to_owned());
        let (client, audience) = (client.to_owned(), audience.to_owned());
        self.store
            .write(&ctx, move |tx| {
                Box::pin(async move {
                    let mut people = tx.people_by_email(&[&email]).await?;
                    let Some(caller) = people.pop() else {
                        return Err(Error::NotFound {
                            kind: RecordKind::Person,
                            id: email,
                        });
                    };
                    // If several people have the address, a token for the wrong one would defeat the separation of
                    // duties.
                    if !people.is_empty() {
                        return Err(Error::field("/as", format!("several people have the address {email}")));
                    }
                    let client = tx.ensure_client(&client).await?;
                    let grant = TokenGrant {
                        secret_digest: digest,
                        id: tx.ctx().runtime.id(),
                        client: client.id.clone(),
                        caller: caller.id.clone(),
                        audience,
                        expires_at: tx.ctx().now().plus(TOKEN_LIFE),
                    };
                    tx.insert_token(&grant).await?;
                    let mut content = audit_entries::content(tx.ctx());
                    content.records = vec![grant.id.as_str().to_owned()];
                    content.details = json!({
                        "client": client.name, "caller": caller.id, "audience": grant.audience,
                        "expiresAt": grant.expires_at,
                    });
                    tx.record(Entry {
                        event: Event::TokenIssued,
                        action_id: None,
                        content,
                    });
                    Ok(())
                })
            })
            .await?;
        Ok(secret)
    }
}
