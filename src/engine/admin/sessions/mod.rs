//! Sessions of browsers: people list and end their own, operators those of the people of their tenant.

mod page;
mod step_up;
mod switch;

pub use step_up::SignedInAgain;
pub use switch::Switch;

use crate::audit::Event;
use crate::context::{Ctx, RequestOrigin};
use crate::domain::*;
use crate::engine::admin::grants::{RevokedBy, revoke_all_of};
use crate::engine::admin::operator_requests::operator;
use crate::engine::{Engine, Error, audit_entries};
use crate::store::{Entry, ListedSession, ProviderSessions, WriteTx};
use crate::views::Outcome;
use serde_json::json;
use std::collections::BTreeMap;

/// Who ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EndedBy {
    /// The person of the session.
    Person,
    /// An operator of the tenant, on a page or at the console.
    Operator,
    /// The identity provider (OpenID Connect Back-Channel Logout).
    Provider,
}

impl EndedBy {
    /// The stable name in audit entries.
    fn as_str(self) -> &'static str {
        match self {
            EndedBy::Person => "person",
            EndedBy::Operator => "operator",
            EndedBy::Provider => "identity_provider",
        }
    }
}

fn no_session(id: &str) -> Error {
    Error::NotFound {
        kind: RecordKind::Session,
        id: id.to_owned(),
    }
}

fn no_person(id: &str) -> Error {
    Error::NotFound {
        kind: RecordKind::Person,
        id: id.to_owned(),
    }
}

/// `1 session was ended.`
fn ended_sessions(count: usize) -> String {
    match count {
        0 => "There was no session to end.".to_owned(),
        1 => "1 session was ended.".to_owned(),
        _ => format!("{count} sessions were ended."),
    }
}

/// ` 1 client that acted for the person has no access any more.`; empty for none.
fn revoked_clients(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " 1 client that acted for the person has no access any more.".to_owned(),
        _ => format!(" {count} clients that acted for the person have no access any more."),
    }
}

impl Engine {
    /// The account of the tenant with this ID; or all accounts with this verified e-mail address and the accounts that are linked with them, because
    /// sessions of each of them belong to the person.
    ///
    /// # Errors
    /// There is none.
    pub async fn accounts_named(&self, ctx: &Ctx, name: &str) -> Result<Vec<PersonId>, Error> {
        self.authorize(ctx, Permission::EndSessions).await?;
        let tx = &mut self.store.read(ctx).await?;
        let found = match (PersonId::parse(name), Address::parse(name)) {
            (Ok(id), _) => tx.people(&[id.as_str()]).await?,
            (Err(_), Some(address)) => tx.accounts_at(&address).await?,
            (Err(_), None) => Vec::new(),
        };
        match found.is_empty() {
            true => Err(no_person(name)),
            false => Ok(found.into_iter().map(|person| person.id).collect()),
        }
    }

    /// Ends a session: one's own, or as an operator that of any person of the tenant. A session of another person is not found by people
    /// who may not end it.
    pub async fn end_session(&self, ctx: &Ctx, id: &str) -> Result<Outcome, Error> {
        let me = ctx.principal.person().map(|person| person.id.clone());
        let needed = match me {
            Some(_) => Permission::SignIn,
            None => Permission::EndSessions,
        };
        self.authorize(ctx, needed).await?;
        let others = allows(&ctx.principal, Permission::EndSessions);
        let policies = self.policies.clone();
        let name = SessionId::parse(id).map_err(|_| no_session(id))?;
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    let found = tx.session_named(&name).await?;
                    let found = found.filter(|found| others || is_of(found, me.as_ref()));
                    let found = found.ok_or_else(|| no_session(name.as_str()))?;
                    let by = match is_of(&found, me.as_ref()) {
                        true => EndedBy::Person,
                        false => {
                            operator(tx, &policies).await?;
                            EndedBy::Operator
                        }
                    };
                    end(tx, &found, by).await?;
                    Ok::<_, Error>(())
                })
            })
            .await?;
        Ok(Outcome::new(true, ended_sessions(1)))
    }

    /// Ends all sessions of a person in this tenant, as an operator, and revokes the clients that act for the person: otherwise an agent would go on
    /// in the name of a person who has left. Sessions of the same human in other tenants cannot switch to this one any more, so
    /// that the person has to sign in again.
    pub async fn end_sessions_of(&self, ctx: &Ctx, person: &str) -> Result<Outcome, Error> {
        self.authorize(ctx, Permission::EndSessions).await?;
        let id = PersonId::parse(person).map_err(|_| no_person(person))?;
        let me = ctx.principal.person().map(|me| me.id.clone());
        let (by, revoked_by) = match me.as_ref() == Some(&id) {
            true => (EndedBy::Person, RevokedBy::Person),
            false => (EndedBy::Operator, RevokedBy::Operator),
        };
        let policies = self.policies.clone();
        let (ended, revoked) = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    if by == EndedBy::Operator {
                        operator(tx, &policies).await?;
                    }
                    let account = tx.accounts(&[id.as_str()]).await?.pop();
                    let account = account.ok_or_else(|| no_person(id.as_str()))?;
                    let here = tx.ctx().tenant().clone();
                    tx.retain_tenants(&account.issuer, &account.subject, |tenant| *tenant != here)
                        .await?;
                    let revoked = revoke_all_of(tx, &id, revoked_by, me.as_ref()).await?;
                    let mut ended = 0;
                    // A list has at most so many sessions, so a person with more needs several. A session that replaces another one meanwhile is in the
                    // next list.
                    loop {
                        let sessions = tx.sessions_of(&id).await?;
                        if sessions.is_empty() {
                            return Ok::<_, Error>((ended, revoked));
                        }
                        for session in sessions {
                            ended += usize::from(end(tx, &session, by).await?);
                        }
                    }
                })
            })
            .await?;
        let message = ended_sessions(ended) + &revoked_clients(revoked);
        Ok(Outcome::new(true, message))
    }

    /// Ends all sessions of the signed-in person, also this one and those in other tenants.
    pub async fn sign_out_everywhere(&self, ctx: &Ctx) -> Result<Outcome, Error> {
        self.authorize(ctx, Permission::SignIn).await?;
        let me = me(ctx)?;
        let account = {
            let tx = &mut self.store.read(ctx).await?;
            tx.accounts(&[me.as_str()]).await?.pop()
        };
        let account = account.ok_or_else(|| no_person(me.as_str()))?;
        let of = ProviderSessions {
            issuer: account.issuer,
            subject: Some(account.subject),
            sid: None,
            signed_in_until: Timestamp(i64::MAX),
        };
        let ended = self.end_in_all_tenants(&of, &Ender::Person(ctx)).await?;
        Ok(Outcome::new(
            true,
            format!("You are signed out everywhere. {}", ended_sessions(ended)),
        ))
    }

    /// Ends the sessions that an identity provider's message is about, and returns their number.
    pub async fn end_sessions_of_provider(
        &self,
        origin: &RequestOrigin,
        of: &ProviderSessions,
    ) -> Result<usize, Error> {
        self.end_in_all_tenants(of, &Ender::Provider(origin)).await
    }

    /// Ends sessions in every tenant, with an entry in the log of each.
    async fn end_in_all_tenants(&self, of: &ProviderSessions, ender: &Ender<'_>) -> Result<usize, Error> {
        let by = match ender {
            Ender::Person(_) => EndedBy::Person,
            Ender::Provider(_) => EndedBy::Provider,
        };
        let mut ended = 0;
        // A session that replaces another one while the sessions of a list are ended is in the next list.
        loop {
            let found = self.store.provider_sessions(of, self.runtime.now()).await?;
            if found.is_empty() {
                return Ok(ended);
            }
            let mut tenants: BTreeMap<TenantId, Vec<ListedSession>> = BTreeMap::new();
            for found in found {
                match &found.session.holder {
                    Some((tenant, _)) => tenants.entry(tenant.clone()).or_default().push(found),
                    None => ended += usize::from(self.store.end_undecided_session(&found.session.id).await?),
                }
            }
            for (tenant, sessions) in tenants {
                let ctx = self.in_tenant(ender, tenant, &sessions).await?;
                ended += self
                    .store
                    .write(&ctx, move |tx| {
                        Box::pin(async move {
                            let mut ended = 0;
                            for session in &sessions {
                                ended += usize::from(end(tx, session, by).await?);
                            }
                            Ok::<_, Error>(ended)
                        })
                    })
                    .await?;
            }
        }
    }

    /// The context of the same request in another tenant: made by the person's account there, or by the service.
    async fn in_tenant(&self, ender: &Ender<'_>, tenant: TenantId, sessions: &[ListedSession]) -> Result<Ctx, Error> {
        let ctx = match ender {
            Ender::Provider(origin) => return Ok(origin.context(Principal::System { tenant }, &self.runtime)),
            Ender::Person(ctx) if *ctx.tenant() == tenant => return Ok((*ctx).clone()),
            Ender::Person(ctx) => ctx,
        };
        let mut inside = (*ctx).clone();
        inside.principal = Principal::System { tenant: tenant.clone() };
        let account = sessions.iter().find_map(|found| found.session.holder.as_ref());
        if let (Principal::Person { session, .. }, Some((_, id))) = (&ctx.principal, account) {
            let tx = &mut self.store.read(&inside).await?;
            if let Some(person) = tx.people(&[id.as_str()]).await?.pop() {
                inside.principal = Principal::Person {
                    tenant,
                    person,
                    session: session.clone(),
                };
            }
        }
        Ok(inside)
    }
}

/// Who asks to end sessions in all tenants.
enum Ender<'a> {
    /// A person, for all of the person's accounts at the provider.
    Person(&'a Ctx),
    /// The identity provider.
    Provider(&'a RequestOrigin),
}

/// The signed-in person.
fn me(ctx: &Ctx) -> Result<PersonId, Error> {
    match &ctx.principal {
        Principal::Person { person, .. } => Ok(person.id.clone()),
        _ => Err(Error::NotAuthorized {
            why: "Only a person in a browser has sessions.".to_owned(),
        }),
    }
}

fn is_of(found: &ListedSession, person: Option<&PersonId>) -> bool {
    let holder = found.session.holder.as_ref();
    person.is_some_and(|person| holder.is_some_and(|(_, holder)| holder == person))
}

/// Ends a session of this tenant and records it. Returns `false` if it has ended already.
async fn end(tx: &mut WriteTx, found: &ListedSession, by: EndedBy) -> Result<bool, Error> {
    let ListedSession { session, digest } = found;
    if !tx.end_session(&session.id).await? {
        return Ok(false);
    }
    let holder = session.holder.as_ref().map(|(_, person)| person);
    let person = match holder {
        Some(id) => tx.people(&[id.as_str()]).await?.pop(),
        None => None,
    };
    let mut content = audit_entries::content(tx.ctx());
    content.records = vec![session.id.to_string()];
    content.records.extend(holder.map(PersonId::to_string));
    content.details = json!({
        "sessionId": session.id,
        "session": session_name(digest),
        "person": person.map(|person| json!({ "id": person.id, "name": person.name, "email": person.email })),
        "by": by.as_str(),
        "startedAt": session.started_at,
        "address": session.address,
    });
    tx.record(Entry {
        event: Event::SessionEnded,
        action_id: None,
        content,
    });
    Ok(true)
}
