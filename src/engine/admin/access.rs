//! Sign-in and sign-out.

use crate::audit::Event;
use crate::context::{Ctx, RequestOrigin};
use crate::domain::*;
use crate::engine::admin::identity;
use crate::engine::{Engine, Error, audit_entries};
use crate::store::{Asserted, Entry, WriteTx};
use serde_json::{Value, json};

/// A sign-in that failed, as the service that talks to the identity provider saw it.
#[derive(Debug, Clone)]
pub struct FailedSignIn {
    /// The tenant that the token names. The token may be unverified: the name only selects the log.
    pub tenant: String,
    /// Why it failed, as a stable code.
    pub code: &'static str,
    /// Why it failed, as the person was told.
    pub message: String,
    /// Whom the identity provider named, if the token's signature was verified.
    pub identity: Option<VerifiedIdentity>,
}

/// Whom a verified token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedIdentity {
    /// The identity provider's issuer.
    pub issuer: String,
    /// The person's ID at the issuer.
    pub subject: String,
    /// The e-mail address in the token, verified or not.
    pub email: String,
}

/// The network address that failed sign-ins are counted by. Requests without an address share one count.
fn address(ctx: &Ctx) -> &str {
    ctx.source.address.as_deref().unwrap_or_default()
}

fn unknown_tenant() -> Error {
    Error::NotAuthorized {
        why: "Your organisation is not set up here. Ask the operator of this service.".to_owned(),
    }
}

/// The person as the actor of an entry.
fn actor(person: &Person) -> Actor {
    Actor::Person {
        id: person.id.clone(),
        name: person.name.to_string(),
        email: person.email.to_string(),
    }
}

/// The tenants with these names, as far as they can be names of tenants.
pub(crate) fn named(tenants: &[String]) -> Vec<TenantId> {
    tenants.iter().filter_map(|name| TenantId::parse(name).ok()).collect()
}

/// Records the sign-in that started this session. `step_up`: what the entry says if the person signed in again before an approval.
pub(crate) async fn record_sign_in(
    tx: &mut WriteTx,
    session: &BrowserSession,
    step_up: Option<Value>,
) -> Result<(), Error> {
    let Some(person) = tx.ctx().principal.person().cloned() else {
        return Err(Error::internal("a sign-in without a person"));
    };
    let mut content = audit_entries::content(tx.ctx());
    content.details = json!({ "issuer": session.sign_in.issuer, "roles": person.roles, "sessionId": session.id });
    content.records = vec![session.id.to_string()];
    if let Some(step_up) = step_up {
        content.details["stepUp"] = step_up;
    }
    if let Some(open) = tx.unresolved(&person.id).await? {
        content.details["cannotDecide"] = json!({ "address": open.address, "knownAs": open.known });
        content.records.push(open.known.to_string());
    }
    tx.record(Entry {
        event: Event::SignedIn,
        action_id: None,
        content,
    });
    Ok(())
}

impl Engine {
    /// Stores an identity provider's assertion about a person, and returns the person. A person without a role cannot sign in, which is
    /// recorded; for others [`Engine::signed_in`] records the sign-in once the session exists.
    pub async fn sign_in(
        &self,
        tenant: &str,
        asserted: Asserted,
        origin: &RequestOrigin,
    ) -> Result<(TenantId, Person), Error> {
        self.assert(tenant, asserted, origin, &named(&[tenant.to_owned()]), true)
            .await
    }

    /// Stores the assertion in every tenant that it names, and returns the accounts of the person with a role; if there is none, the accounts
    /// without a role, so that at least one is returned. If a person has a role in some tenants, it is no failure to have none in others.
    ///
    /// # Errors
    /// As [`Engine::sign_in`], if none of the tenants exists.
    pub async fn sign_in_to(
        &self,
        tenants: &[String],
        asserted: Asserted,
        origin: &RequestOrigin,
    ) -> Result<Vec<(TenantId, Person)>, Error> {
        if let [only] = tenants {
            return Ok(vec![self.sign_in(only, asserted, origin).await?]);
        }
        let named = named(tenants);
        let (mut accounts, mut refused) = (Vec::new(), None);
        for tenant in tenants {
            match self.assert(tenant, asserted.clone(), origin, &named, false).await {
                Ok(account) => accounts.push(account),
                Err(error @ Error::NotAuthorized { .. }) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        if accounts.iter().all(|(_, person)| person.roles.is_empty()) {
            for (tenant, _) in &accounts {
                self.assert(tenant.as_str(), asserted.clone(), origin, &named, true)
                    .await?;
            }
        } else {
            accounts.retain(|(_, person)| !person.roles.is_empty());
        }
        match (accounts.is_empty(), refused) {
            (false, _) => Ok(accounts),
            (true, Some(error)) => Err(error),
            (true, None) => Err(unknown_tenant()),
        }
    }

    /// The account of a person in a tenant, for a session whose sign-in named that tenant.
    pub async fn account_in(&self, tenant: &TenantId, sign_in: &ProviderSignIn) -> Result<Option<Person>, Error> {
        let ctx = Ctx::system(tenant.clone(), &self.runtime);
        let tx = &mut self.store.read(&ctx).await?;
        Ok(tx.person_of(&sign_in.issuer, &sign_in.subject).await?)
    }

    /// Stores the assertion. `named`: the tenants that the identity provider names now; earlier sessions of the human cannot switch to others any
    /// more. `record_no_role`: whether a person without a role is recorded as a failed sign-in.
    async fn assert(
        &self,
        tenant: &str,
        asserted: Asserted,
        origin: &RequestOrigin,
        named: &[TenantId],
        record_no_role: bool,
    ) -> Result<(TenantId, Person), Error> {
        let failed = |code: &'static str, error: &Error, asserted: &Asserted| FailedSignIn {
            tenant: tenant.to_owned(),
            code,
            message: error.to_string(),
            identity: Some(VerifiedIdentity {
                issuer: asserted.issuer.clone(),
                subject: asserted.subject.clone(),
                email: asserted.email.to_string(),
            }),
        };
        let asserted = match identity::bounded(asserted.clone()) {
            Ok(bounded) => bounded,
            Err(error) => {
                self.sign_in_failed(origin, failed("invalid_claims", &error, &asserted))
                    .await?;
                return Err(error);
            }
        };
        if !InstallationKind::accepts(self.store.installation().await?, &asserted.issuer) {
            tracing::warn!(
                issuer = asserted.issuer,
                "sign-in by a provider of the other kind of installation"
            );
            let error = Error::NotAuthorized {
                why: "A demo's people cannot sign in to a production installation, nor others to a demo.".to_owned(),
            };
            self.sign_in_failed(origin, failed("wrong_installation", &error, &asserted))
                .await?;
            return Err(error);
        }
        let tenant = TenantId::parse(tenant).map_err(|_| unknown_tenant())?;
        let ctx = self.origin_context(origin, &tenant);
        let (limits, named) = (self.entry_limits.clone(), named.to_vec());
        let person = self
            .store
            // Not `add`: a catalog that is applied at the same time must not change what this sign-in computes roles and teams from.
            .write(&ctx, move |tx| {
                Box::pin(async move {
                    if tx.tenant_name().await?.is_none() {
                        return Ok::<_, Error>(None);
                    }
                    let person = tx.assert_person(&asserted).await?;
                    tx.retain_tenants(&asserted.issuer, &asserted.subject, |tenant| named.contains(tenant))
                        .await?;
                    if record_no_role
                        && person.roles.is_empty()
                        && let Some(dropped) = limits.record_failure(address(tx.ctx()), tx.ctx().now())
                    {
                        let mut content = audit_entries::content(tx.ctx());
                        content.actor = actor(&person);
                        content.note = Some("The identity provider asserts no role that this service knows.".to_owned());
                        content.details = json!({
                            "code": "no_role", "issuer": asserted.issuer, "subject": asserted.subject, "notRecorded": dropped,
                        });
                        tx.record(Entry {
                            event: Event::SignInFailed,
                            action_id: None,
                            content,
                        });
                    }
                    Ok(Some(person))
                })
            })
            .await?;
        match person {
            // Without a tenant there is no audit log for the failure.
            None => {
                tracing::warn!(tenant = ctx.tenant().as_str(), "sign-in for an unknown tenant");
                Err(unknown_tenant())
            }
            Some(person) => Ok((tenant, person)),
        }
    }

    /// Records that a person has signed in: the context is that of the new session.
    pub async fn signed_in(&self, ctx: &Ctx, session: &BrowserSession) -> Result<(), Error> {
        let session = session.clone();
        self.store
            .add(ctx, move |tx| {
                Box::pin(async move { record_sign_in(tx, &session, None).await })
            })
            .await
    }

    /// Records a sign-in that failed, in the log of the tenant that the identity provider's token names. Without such a tenant there is no
    /// log, and only the service's own log has the failure. Few failures of one address are recorded: see [`EntryLimits`].
    ///
    /// [`EntryLimits`]: crate::engine::entry_limits::EntryLimits
    pub async fn sign_in_failed(&self, origin: &RequestOrigin, failed: FailedSignIn) -> Result<(), Error> {
        let Ok(tenant) = TenantId::parse(&failed.tenant) else {
            return Ok(());
        };
        let ctx = self.origin_context(origin, &tenant);
        let limits = self.entry_limits.clone();
        self.store
            .add(&ctx, move |tx| {
                Box::pin(async move {
                    if tx.tenant_name().await?.is_none() {
                        return Ok(());
                    }
                    let Some(dropped) = limits.record_failure(address(tx.ctx()), tx.ctx().now()) else {
                        tracing::warn!(
                            code = failed.code,
                            "a failed sign-in is not recorded: the address has too many"
                        );
                        return Ok(());
                    };
                    let mut content = audit_entries::content(tx.ctx());
                    content.note = Some(identity::shown(&failed.message));
                    content.details = json!({ "code": failed.code, "notRecorded": dropped });
                    if let Some(identity) = failed.identity {
                        content.details["issuer"] = json!(identity::shown(&identity.issuer));
                        content.details["subject"] = json!(identity::shown(&identity.subject));
                        content.details["email"] = json!(identity::shown(&identity.email));
                    }
                    tx.record(Entry {
                        event: Event::SignInFailed,
                        action_id: None,
                        content,
                    });
                    Ok::<_, Error>(())
                })
            })
            .await
    }

    /// The context of a request that has no principal yet, in the tenant that its sender belongs to.
    fn origin_context(&self, origin: &RequestOrigin, tenant: &TenantId) -> Ctx {
        let nobody = Principal::System { tenant: tenant.clone() };
        origin.context(nobody, &self.runtime)
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
}
