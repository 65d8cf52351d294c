//! Grants over OAuth: the consent of a person, the exchange of codes and refresh tokens, and their revocation by the client.
//!
//! The HTTP parts are in the server. Here is what must hold in one transaction: a code and a refresh token are used once, and a second use
//! revokes the grant, because then two programs have the secret.

use super::revoke::revoke;
use super::{NewSecret, Recorded, RevokedBy, Secret, insert, record, record_issued};
use crate::audit::Event;
use crate::context::{Ctx, RequestOrigin};
use crate::domain::*;
use crate::engine::actions::decision::require_current_roles;
use crate::engine::admin::tokens::TokenRefusal;
use crate::engine::{Engine, Error};
use crate::store::{NewGrant, TokenRow, WriteTx};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How long a code can be used, in microseconds.
const CODE_LIFE: i64 = Timestamp::MINUTE;
/// How long an access token is valid, in microseconds.
const ACCESS_LIFE: i64 = Timestamp::HOUR;
/// How long a refresh token can be used, in microseconds. Each use makes a new one.
const REFRESH_LIFE: i64 = 30 * Timestamp::DAY;

/// What a code is bound to: only the client that made the request can exchange it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeBinding {
    /// The redirect URI of the request.
    pub redirect_uri: String,
    /// The PKCE challenge (RFC 7636) with method S256.
    pub challenge: String,
}

/// What a person consents to.
#[derive(Debug, Clone)]
pub struct Consent {
    /// What tells the client from others with its name.
    pub identity: String,
    /// The client's name.
    pub name: PlainText,
    /// The digest of the OAuth client ID.
    pub client_key: String,
    /// What the client may do.
    pub scopes: Scopes,
    /// The resource that accepts its tokens (RFC 8707).
    pub audience: String,
    /// What the code is bound to.
    pub binding: CodeBinding,
}

/// What the consent page needs to know about the signed-in person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consentable {
    /// The name of the person's tenant.
    pub tenant_name: PlainText,
    /// The scopes that the person's roles permit, of those that the client wants.
    pub scopes: Scopes,
    /// Whether the identity provider asserted the roles lately. Otherwise the person has to sign in again first.
    pub roles_are_current: bool,
}

/// New tokens of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedTokens {
    /// The access token.
    pub access: String,
    /// The seconds that it is valid.
    pub expires_in: i64,
    /// The refresh token.
    pub refresh: String,
    /// What the client may do.
    pub scopes: Scopes,
}

/// Why a code or a refresh token gets no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantRefusal {
    /// There is no such code or refresh token.
    #[error("The code or refresh token is not known. Connect again.")]
    Unknown,
    /// It belongs to another client.
    #[error("The code or refresh token was issued to another client.")]
    WrongClient,
    /// It was used before, so the grant is revoked now.
    #[error(
        "The code or refresh token was used before. Somebody else may have it, so the access was revoked. Connect again."
    )]
    Used,
    /// The redirect URI is not that of the request for the code.
    #[error("The redirect_uri is not the one of the request for this code.")]
    WrongRedirect,
    /// The PKCE verifier does not belong to the challenge of the request for the code.
    #[error("The code_verifier does not belong to the code_challenge of the request for this code.")]
    WrongVerifier,
    /// The tokens of the grant would not be accepted either.
    #[error("{}", sentence(.0))]
    Refused(TokenRefusal),
}

/// Why the tokens of a grant would not be accepted.
fn sentence(refusal: &TokenRefusal) -> &'static str {
    match refusal {
        TokenRefusal::Unknown => "The code or refresh token is not known. Connect again.",
        TokenRefusal::Expired => "The code or refresh token has expired. Connect again.",
        TokenRefusal::Revoked => "The access was revoked. Connect again, or ask an operator why.",
        TokenRefusal::WrongAudience => "The code or refresh token is for another resource.",
        TokenRefusal::NoPerson | TokenRefusal::SeveralTenants => "The person is not known here. Connect again.",
        TokenRefusal::NoRole => {
            "The person has no role any more. Ask the people who run the identity provider for one."
        }
        TokenRefusal::RolesTooOld => {
            "The identity provider confirmed the roles of the person too long ago. Connect again, which makes the person sign in."
        }
    }
}

impl Engine {
    /// What the consent page needs to know about the signed-in person, if a client wants these scopes.
    pub async fn consentable(&self, ctx: &Ctx, wanted: &Scopes) -> Result<Consentable, Error> {
        self.authorize(ctx, Permission::SignIn).await?;
        let me = person(ctx)?;
        let tx = &mut self.store.read(ctx).await?;
        let asserted = tx
            .accounts(&[me.id.as_str()])
            .await?
            .pop()
            .map(|account| account.asserted_at);
        let max_age = self.policies.roles_max_age();
        Ok(Consentable {
            tenant_name: tx.tenant_name().await?.unwrap_or_default().into(),
            scopes: wanted.for_roles(&me.roles),
            roles_are_current: asserted.is_some_and(|at| roles_are_current(at, ctx.now(), max_age)),
        })
    }

    /// Records the consent of the signed-in person, and returns the code with which the client gets its tokens.
    pub async fn consent(&self, ctx: &Ctx, consent: Consent) -> Result<String, Error> {
        self.authorize(ctx, Permission::SignIn).await?;
        let me = person(ctx)?;
        let (policies, code) = (self.policies.clone(), Secret::new(&self.runtime, TokenKind::Code));
        let digest = code.digest;
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    require_current_roles(tx, &policies, &me.id).await?;
                    let today = tx.people(&[me.id.as_str()]).await?.pop().unwrap_or(me);
                    if consent.scopes.is_empty() || consent.scopes.for_roles(&today.roles) != consent.scopes {
                        return Err(Error::NotAuthorized {
                            why: "Your roles do not permit what this client asks for any more.".to_owned(),
                        });
                    }
                    let client = tx.ensure_client(&consent.identity, consent.name.as_str()).await?;
                    let grant = NewGrant {
                        id: tx.ctx().runtime.id(),
                        kind: GrantKind::OAuth,
                        client: client.id.clone(),
                        client_key: Some(consent.client_key),
                        person: Some(today.id.clone()),
                        scopes: consent.scopes,
                        name: client.name.to_string(),
                        created_by: Some(today.id.clone()),
                        // The exchange of the code extends it.
                        expires_at: tx.ctx().now().plus(CODE_LIFE),
                    };
                    tx.insert_grant(&grant).await?;
                    let binding = serde_json::to_string(&consent.binding).map_err(Error::internal)?;
                    let code = NewSecret {
                        digest,
                        kind: TokenKind::Code,
                        expires_at: grant.expires_at,
                    };
                    insert(tx, &grant.id, &consent.audience, code, Some(binding)).await?;
                    let more = json!({ "identity": consent.identity, "redirectUri": consent.binding.redirect_uri });
                    let entry = Recorded::new(&grant, &client, Some(&today));
                    record(tx, Event::ClientAllowed, &entry, more);
                    Ok::<_, Error>(())
                })
            })
            .await?;
        Ok(code.text)
    }

    /// Exchanges a code for tokens.
    pub async fn exchange_code(
        &self,
        origin: &RequestOrigin,
        code: &str,
        client_key: &str,
        binding: &CodeBinding,
        audience: &str,
    ) -> Result<Result<IssuedTokens, GrantRefusal>, Error> {
        let row = match self.usable(origin, TokenKind::Code, code, client_key, audience).await? {
            Ok(row) => row,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let bound = row.binding.as_deref().map(serde_json::from_str::<CodeBinding>);
        let Some(Ok(bound)) = bound else {
            return Err(Error::internal("a code without a binding"));
        };
        if bound.redirect_uri != binding.redirect_uri {
            return Ok(Err(GrantRefusal::WrongRedirect));
        }
        if bound.challenge != binding.challenge {
            return Ok(Err(GrantRefusal::WrongVerifier));
        }
        self.spend(origin, row).await
    }

    /// Exchanges a refresh token for new tokens.
    pub async fn refresh(
        &self,
        origin: &RequestOrigin,
        token: &str,
        client_key: &str,
        audience: &str,
    ) -> Result<Result<IssuedTokens, GrantRefusal>, Error> {
        match self
            .usable(origin, TokenKind::Refresh, token, client_key, audience)
            .await?
        {
            Ok(row) => self.spend(origin, row).await,
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Revokes the grant of a token, as its client asks (RFC 7009). Returns `false` for a token of another client; a token that is not known is
    /// revoked already.
    pub async fn revoke_token(&self, origin: &RequestOrigin, token: &str, client_key: &str) -> Result<bool, Error> {
        let Some(row) = self.store.token(&self.runtime.digest_key().of_token(token)).await? else {
            return Ok(true);
        };
        if row.grant.client_key.as_deref() != Some(client_key) {
            return Ok(false);
        }
        self.revoke_row(origin, &row, RevokedBy::Client).await?;
        Ok(true)
    }

    /// The code or refresh token, if it can be used. One that was used before revokes its grant.
    async fn usable(
        &self,
        origin: &RequestOrigin,
        kind: TokenKind,
        secret: &str,
        client_key: &str,
        audience: &str,
    ) -> Result<Result<TokenRow, GrantRefusal>, Error> {
        let found = self.store.token(&self.runtime.digest_key().of_token(secret)).await?;
        let Some(row) = found.filter(|row| row.kind == kind) else {
            return Ok(Err(GrantRefusal::Unknown));
        };
        if row.grant.client_key.as_deref() != Some(client_key) {
            return Ok(Err(GrantRefusal::WrongClient));
        }
        if row.grant.revoked_at.is_none() && row.spent_at.is_some() {
            self.revoke_row(origin, &row, RevokedBy::Replay).await?;
            return Ok(Err(GrantRefusal::Used));
        }
        Ok(match self.refusal_of(&row, audience) {
            Some(refusal) => Err(GrantRefusal::Refused(refusal)),
            None => Ok(row),
        })
    }

    /// Uses a code or refresh token, once, and issues new tokens.
    async fn spend(&self, origin: &RequestOrigin, row: TokenRow) -> Result<Result<IssuedTokens, GrantRefusal>, Error> {
        let ctx = self.client_context(origin, &row);
        let (access, refresh) = (
            Secret::new(&self.runtime, TokenKind::Access),
            Secret::new(&self.runtime, TokenKind::Refresh),
        );
        let digests = (access.digest, refresh.digest);
        let issued = IssuedTokens {
            access: access.text,
            expires_in: ACCESS_LIFE / Timestamp::SECOND,
            refresh: refresh.text,
            scopes: row.grant.scopes.clone(),
        };
        let used = row.clone();
        let spent = self
            .store
            .write(&ctx, move |tx| {
                Box::pin(async move { rotate(tx, &used, digests).await })
            })
            .await?;
        if spent {
            return Ok(Ok(issued));
        }
        // Another request has used it at the same moment.
        self.revoke_row(origin, &row, RevokedBy::Replay).await?;
        Ok(Err(GrantRefusal::Used))
    }

    /// The context of a request by the client of a token.
    fn client_context(&self, origin: &RequestOrigin, row: &TokenRow) -> Ctx {
        let tenant = row.tenant.clone();
        let principal = match &row.grant.caller {
            Some((caller, _)) => Principal::Client {
                tenant,
                caller: caller.clone(),
                client: row.grant.client.clone(),
                scopes: row.grant.scopes.clone(),
            },
            None => Principal::System { tenant },
        };
        let mut ctx = origin.context(principal, &self.runtime);
        ctx.source.session = Some(row.id.to_string());
        ctx
    }

    async fn revoke_row(&self, origin: &RequestOrigin, row: &TokenRow, by: RevokedBy) -> Result<(), Error> {
        let ctx = match by {
            // Nobody knows who sent a secret for the second time.
            RevokedBy::Replay => origin.context(
                Principal::System {
                    tenant: row.tenant.clone(),
                },
                &self.runtime,
            ),
            _ => self.client_context(origin, row),
        };
        let grant = row.grant.id.clone();
        self.store
            .write(&ctx, move |tx| {
                Box::pin(async move {
                    if let Some(found) = tx.grant(&grant).await? {
                        revoke(tx, found, by, None).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await
    }
}

/// Marks a code or refresh token as used, and stores new tokens. Returns `false` if it was used before.
async fn rotate(tx: &mut WriteTx, row: &TokenRow, (access, refresh): (String, String)) -> Result<bool, Error> {
    if !tx.spend_token(&row.id).await? {
        return Ok(false);
    }
    let (now, grant) = (tx.ctx().now(), &row.grant);
    let expires_at = now.plus(REFRESH_LIFE);
    for (digest, kind, life) in [
        (access, TokenKind::Access, ACCESS_LIFE),
        (refresh, TokenKind::Refresh, REFRESH_LIFE),
    ] {
        let secret = NewSecret {
            digest,
            kind,
            expires_at: now.plus(life),
        };
        let id = insert(tx, &grant.id, &row.audience, secret, None).await?;
        // The entry about the first tokens; the rotation every hour would fill the log.
        if row.kind == TokenKind::Code && kind == TokenKind::Access {
            let stored = NewGrant {
                id: grant.id.clone(),
                kind: grant.kind,
                client: grant.client.id.clone(),
                client_key: None,
                person: grant.caller.as_ref().map(|(person, _)| person.id.clone()),
                scopes: grant.scopes.clone(),
                name: grant.client.name.to_string(),
                created_by: None,
                expires_at,
            };
            let caller = grant.caller.as_ref().map(|(person, _)| person);
            let more = json!({ "tokenId": id, "audience": row.audience });
            record_issued(tx, &stored, &grant.client, caller, more);
        }
    }
    tx.extend_grant(&grant.id, expires_at).await?;
    Ok(true)
}

/// The signed-in person.
fn person(ctx: &Ctx) -> Result<Person, Error> {
    match &ctx.principal {
        Principal::Person { person, .. } => Ok(person.clone()),
        _ => Err(Error::NotAuthorized {
            why: "Only a person in a browser lets a client in.".to_owned(),
        }),
    }
}
