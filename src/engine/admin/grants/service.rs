//! Service tokens: for programs without a browser. An operator creates them with a name, scopes and an end.
//!
//! An operator who held the secret of a token that acts for another person could propose in that person's name and approve it. A token
//! that acts for another person is therefore only offered: the person accepts it, and the person alone is shown the secret.

use super::revoke::no_grant;
use super::{NewSecret, Recorded, Secret, insert, person_of_address, record, record_issued};
use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::decision::require_current_roles;
use crate::engine::admin::operator_requests;
use crate::engine::{Engine, Error};
use crate::store::{ListedGrant, NewGrant, ReadTx, WriteTx};
use crate::views::Label;
use serde::Serialize;
use serde_json::json;

/// The longest name of a token, in characters.
const LONGEST_NAME: usize = 100;
/// The longest life of a token, in days.
const MOST_DAYS: i64 = 365;
/// The most service tokens of a tenant that have not ended.
const MOST_TOKENS: i64 = 200;

/// The service token that an operator wants.
#[derive(Debug, Clone, Default)]
pub struct ServiceTokenRequest {
    /// The name by which people tell it from others.
    pub name: String,
    /// What the program may do.
    pub scopes: Scopes,
    /// The verified e-mail address of the person for whom the program acts; empty for a token of the tenant.
    pub person: String,
    /// The days until it ends.
    pub days: i64,
    /// The resource that accepts it.
    pub audience: String,
}

/// A service token that was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceToken {
    /// The grant's ID, by which the token is revoked.
    pub id: GrantId,
    /// The name.
    pub name: PlainText,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The secret, which is shown once. `None` until the person has accepted the token.
    pub token: Option<String>,
    /// The name of the person who has to accept it.
    pub waits_for: Option<PlainText>,
}

fn wrong(message: impl Into<String>) -> Error {
    Error::Setting {
        message: message.into(),
    }
}

impl ServiceTokenRequest {
    /// The request with a trimmed name, if it makes sense by itself.
    fn checked(mut self) -> Result<Self, Error> {
        self.name = self.name.trim().to_owned();
        self.person = self.person.trim().to_owned();
        let length = self.name.chars().count();
        if length == 0 || length > LONGEST_NAME {
            return Err(wrong(format!(
                "give the token a name of 1 to {LONGEST_NAME} characters."
            )));
        }
        if text::visible(&self.name) != self.name || self.name.contains(char::is_control) {
            return Err(wrong("the name contains characters that cannot be seen."));
        }
        if self.scopes.is_empty() {
            return Err(wrong("choose at least one scope."));
        }
        if !(1..=MOST_DAYS).contains(&self.days) {
            return Err(wrong(format!("a token ends after 1 to {MOST_DAYS} days.")));
        }
        match (self.scopes.are_of_tenant(), self.person.is_empty()) {
            (true, true) | (false, false) => Ok(self),
            (true, false) => Err(wrong(format!(
                "a token with only {} belongs to the tenant and acts for no person. Leave the person out.",
                self.scopes
            ))),
            (false, true) => Err(wrong(format!(
                "a token with {} acts for a person. Name the person by e-mail address.",
                self.scopes
            ))),
        }
    }
}

impl Engine {
    /// Creates a service token. One of the tenant, or one that acts for the operator's own account, is returned with its secret; one that acts
    /// for another person is offered to that person.
    pub async fn create_service_token(&self, ctx: &Ctx, request: ServiceTokenRequest) -> Result<ServiceToken, Error> {
        self.authorize(ctx, Permission::IssueToken).await?;
        let request = request.checked()?;
        let (policies, secret) = (self.policies.clone(), Secret::new(&self.runtime, TokenKind::Access));
        let (digest, audience) = (secret.digest.clone(), request.audience.clone());
        let created = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    let operator = operator_requests::operator(tx, &policies).await?;
                    let operator = operator.map(|operator| operator.person.id);
                    let person = match request.person.as_str() {
                        "" => None,
                        email => Some(permitted(tx, email, &request.scopes).await?),
                    };
                    refuse_too_many(tx).await?;
                    let client = tx.ensure_named_client(&request.name).await?;
                    let grant = NewGrant {
                        id: tx.ctx().runtime.id(),
                        kind: GrantKind::Service,
                        client: client.id.clone(),
                        client_key: None,
                        person: person.as_ref().map(|person| person.id.clone()),
                        scopes: request.scopes,
                        name: request.name,
                        created_by: operator.clone(),
                        expires_at: tx.ctx().now().plus(request.days * Timestamp::DAY),
                    };
                    tx.insert_grant(&grant).await?;
                    let mut created = ServiceToken {
                        id: grant.id.clone(),
                        name: PlainText::from(&grant.name),
                        expires_at: grant.expires_at,
                        token: None,
                        waits_for: None,
                    };
                    if let Some(person) = person.as_ref().filter(|person| operator.as_ref() != Some(&person.id)) {
                        let offered = Recorded::new(&grant, &client, Some(person));
                        record(tx, Event::TokenOffered, &offered, json!({}));
                        created.waits_for = Some(person.name.clone());
                        return Ok(created);
                    }
                    let new = NewSecret {
                        digest,
                        kind: TokenKind::Access,
                        expires_at: grant.expires_at,
                    };
                    let id = insert(tx, &grant.id, &audience, new, None).await?;
                    record_issued(
                        tx,
                        &grant,
                        &client,
                        person.as_ref(),
                        json!({ "tokenId": id, "audience": audience }),
                    );
                    Ok::<_, Error>(created)
                })
            })
            .await;
        if let Err(error @ Error::NotAuthorized { .. }) = &created {
            self.deny(ctx, Permission::IssueToken, None, error).await?;
        }
        let created = created?;
        Ok(ServiceToken {
            token: created.waits_for.is_none().then_some(secret.text),
            ..created
        })
    }

    /// Accepts a service token that an operator has offered to the signed-in person, and returns its secret.
    pub async fn accept_service_token(&self, ctx: &Ctx, id: &str, audience: &str) -> Result<ServiceToken, Error> {
        self.authorize(ctx, Permission::SignIn).await?;
        let Some(me) = ctx.principal.person().cloned() else {
            return Err(Error::NotAuthorized {
                why: "Only the person for whom a token acts accepts it, in a browser.".to_owned(),
            });
        };
        let id = GrantId::parse(id.trim()).map_err(|_| no_grant(id))?;
        let (policies, secret) = (self.policies.clone(), Secret::new(&self.runtime, TokenKind::Access));
        let (digest, audience) = (secret.digest.clone(), audience.to_owned());
        let accepted = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    let found = tx.grant(&id).await?;
                    let is_mine =
                        |grant: &ListedGrant| grant.person.as_ref().is_some_and(|(person, ..)| *person == me.id);
                    let grant = found.filter(is_mine).ok_or_else(|| no_grant(id.as_str()))?;
                    if let Some(why) = not_open(&grant, tx.ctx().now()) {
                        return Err(wrong(why));
                    }
                    require_current_roles(tx, &policies, &me.id).await?;
                    let today = tx
                        .people(&[me.id.as_str()])
                        .await?
                        .pop()
                        .ok_or_else(|| no_grant(id.as_str()))?;
                    require_roles(&today, &grant.scopes)?;
                    let new = NewSecret {
                        digest,
                        kind: TokenKind::Access,
                        expires_at: grant.expires_at,
                    };
                    let token = insert(tx, &grant.id, &audience, new, None).await?;
                    let accepted = ServiceToken {
                        id: grant.id.clone(),
                        name: grant.name.clone(),
                        expires_at: grant.expires_at,
                        token: None,
                        waits_for: None,
                    };
                    let by = json!({ "id": grant.created_by, "name": grant.created_by_name });
                    let more = json!({ "tokenId": token, "audience": audience, "offeredBy": by });
                    record(tx, Event::TokenIssued, &Recorded::from(grant), more);
                    Ok::<_, Error>(accepted)
                })
            })
            .await?;
        Ok(ServiceToken {
            token: Some(secret.text),
            ..accepted
        })
    }
}

/// The person of this address, whose roles permit the scopes.
async fn permitted(tx: &mut ReadTx, email: &str, scopes: &Scopes) -> Result<Person, Error> {
    let person = person_of_address(tx, "/person", email).await?;
    require_roles(&person, scopes)?;
    Ok(person)
}

/// Refuses scopes that no client can use for the person.
fn require_roles(person: &Person, scopes: &Scopes) -> Result<(), Error> {
    let permitted = scopes.for_roles(&person.roles);
    let Some(missing) = scopes.iter().find(|scope| !permitted.has(*scope)) else {
        return Ok(());
    };
    let roles: Vec<String> = missing.roles().iter().map(|role| role.label().to_lowercase()).collect();
    let (name, scope) = (&person.name, missing.as_str());
    Err(wrong(match roles.is_empty() {
        true => {
            format!("{scope} is only for tokens of the tenant, which act for no person. Create a second token for it.")
        }
        false => format!("{name} has none of the roles that {scope} needs: {}.", roles.join(", ")),
    }))
}

/// Refuses a token of a tenant that has very many.
async fn refuse_too_many(tx: &mut WriteTx) -> Result<(), Error> {
    match tx.count_service_grants().await? >= MOST_TOKENS {
        true => Err(wrong(format!(
            "this tenant has {MOST_TOKENS} service tokens already. Revoke some of them first."
        ))),
        false => Ok(()),
    }
}

/// Why an offered token cannot be accepted any more.
fn not_open(grant: &ListedGrant, now: Timestamp) -> Option<String> {
    let name = &grant.name;
    if grant.kind != GrantKind::Service || grant.has_tokens {
        return Some(format!(
            "{name} was accepted before. Its secret is shown only once; revoke it and ask for a new one if it is lost."
        ));
    }
    if grant.revoked_at.is_some() {
        return Some(format!("{name} was revoked."));
    }
    (grant.expires_at <= now).then(|| format!("{name} ended on {}.", grant.expires_at.minute()))
}
