//! Sessions of browsers: people list and end their own, operators those of the people of their tenant.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::{Engine, Error, audit_entries};
use crate::store::{Entry, ListedPerson, ListedSession, ProviderSessions, WriteTx};
use crate::views::{AccessPage, Outcome, PersonPage, PersonRow, SessionView, SessionsPage, When, program};
use serde_json::json;
use std::collections::BTreeMap;

/// The people on a page.
const PAGE: i64 = 50;

/// Who ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EndedBy {
    /// The person of the session.
    Person,
    /// An operator of the tenant, on a page or at the console.
    Operator,
}

impl EndedBy {
    /// The stable name in audit entries.
    fn as_str(self) -> &'static str {
        match self {
            EndedBy::Person => "person",
            EndedBy::Operator => "operator",
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

fn outcome(message: impl Into<PlainText>) -> Outcome {
    Outcome {
        done: true,
        message: message.into(),
        state: None,
        successor: None,
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

fn view(listed: ListedSession, ctx: &Ctx) -> SessionView {
    let ListedSession { session, digest } = listed;
    let now = ctx.now();
    let here = matches!(&ctx.principal, Principal::Person { session, .. } if *session == digest);
    SessionView {
        id: session.id.to_string(),
        program: program(session.agent.as_deref()),
        address: session.address.unwrap_or_default().into(),
        started: When::new(session.started_at, now),
        seen: When::new(session.seen_at, now),
        ends: When::new(session.ends_at, now),
        here,
    }
}

fn row(listed: &ListedPerson, now: Timestamp) -> PersonRow {
    let person = &listed.person;
    PersonRow {
        id: person.id.to_string(),
        name: person.name.clone(),
        email: PlainText::from(person.email.as_str()),
        roles: person.roles.clone(),
        signed_in: When::new(listed.asserted_at, now),
        sessions: listed.sessions,
    }
}

impl Engine {
    /// The sessions of the signed-in person in this tenant.
    pub async fn sessions_page(&self, ctx: &Ctx) -> Result<SessionsPage, Error> {
        self.authorize(ctx, Permission::SignIn).await?;
        let me = me(ctx)?;
        let tx = &mut self.store.read(ctx).await?;
        let sessions = tx.sessions_of(&me).await?;
        Ok(SessionsPage {
            sessions: sessions.into_iter().map(|one| view(one, ctx)).collect(),
        })
    }

    /// The people of the tenant whose name or address contains `search`, after the person `after`.
    pub async fn access_page(&self, ctx: &Ctx, search: &str, after: &str) -> Result<AccessPage, Error> {
        self.authorize(ctx, Permission::EndSessions).await?;
        let search = search.trim();
        if search.contains('\0') || search.chars().count() > 200 {
            return Err(Error::field("/q", "must be at most 200 characters, without U+0000"));
        }
        let after = match after {
            "" => None,
            id => Some(PersonId::parse(id).map_err(|_| Error::field("/after", "must be the ID of a person"))?),
        };
        let tx = &mut self.store.read(ctx).await?;
        let mut people = tx.people_list(search, after.as_ref(), PAGE + 1).await?;
        let more = people.len() as i64 > PAGE;
        people.truncate(PAGE as usize);
        let last = people.last().filter(|_| more);
        Ok(AccessPage {
            next: last.map(|last| last.person.id.to_string()),
            people: people.iter().map(|one| row(one, ctx.now())).collect(),
            search: search.into(),
        })
    }

    /// A person of the tenant, with the sessions.
    pub async fn person_page(&self, ctx: &Ctx, id: &str) -> Result<PersonPage, Error> {
        self.authorize(ctx, Permission::EndSessions).await?;
        let person = PersonId::parse(id).map_err(|_| no_person(id))?;
        let tx = &mut self.store.read(ctx).await?;
        let found = tx.listed_person(&person).await?.ok_or_else(|| no_person(id))?;
        let sessions = tx.sessions_of(&person).await?;
        Ok(PersonPage {
            person: row(&found, ctx.now()),
            account: [found.issuer.into(), found.subject.into()],
            sessions: sessions.into_iter().map(|one| view(one, ctx)).collect(),
        })
    }

    /// The person of the tenant with this ID or verified e-mail address.
    ///
    /// # Errors
    /// There is none, or several people have the address.
    pub async fn person_named(&self, ctx: &Ctx, name: &str) -> Result<PersonId, Error> {
        self.authorize(ctx, Permission::EndSessions).await?;
        let tx = &mut self.store.read(ctx).await?;
        let mut found = match PersonId::parse(name) {
            Ok(id) => tx.people(&[id.as_str()]).await?,
            Err(_) => tx.people_by_email(&[name]).await?,
        };
        match (found.pop(), found.is_empty()) {
            (Some(person), true) => Ok(person.id),
            (Some(_), false) => Err(Error::field(
                "/person",
                format!("several people have the address {name}"),
            )),
            (None, _) => Err(no_person(name)),
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
        let name = SessionId::parse(id).map_err(|_| no_session(id))?;
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    let found = tx.session_named(&name).await?;
                    let found = found.filter(|found| others || is_of(found, me.as_ref()));
                    let found = found.ok_or_else(|| no_session(name.as_str()))?;
                    let by = match is_of(&found, me.as_ref()) {
                        true => EndedBy::Person,
                        false => EndedBy::Operator,
                    };
                    end(tx, &found, by).await
                })
            })
            .await?;
        Ok(outcome(ended_sessions(1)))
    }

    /// Ends all sessions of a person in this tenant, as an operator.
    pub async fn end_sessions_of(&self, ctx: &Ctx, person: &str) -> Result<Outcome, Error> {
        self.authorize(ctx, Permission::EndSessions).await?;
        let id = PersonId::parse(person).map_err(|_| no_person(person))?;
        let by = match ctx.principal.person() {
            Some(me) if me.id == id => EndedBy::Person,
            _ => EndedBy::Operator,
        };
        let ended = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    if tx.people(&[id.as_str()]).await?.is_empty() {
                        return Err(no_person(id.as_str()));
                    }
                    let mut ended = 0;
                    // A list has at most so many sessions, so a person with more needs several.
                    loop {
                        let sessions = tx.sessions_of(&id).await?;
                        if sessions.is_empty() {
                            return Ok(ended);
                        }
                        for session in sessions {
                            end(tx, &session, by).await?;
                            ended += 1;
                        }
                    }
                })
            })
            .await?;
        Ok(outcome(ended_sessions(ended)))
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
        let ended = self.end_provider_sessions(ctx, &of, EndedBy::Person).await?;
        Ok(outcome(format!(
            "You are signed out everywhere. {}",
            ended_sessions(ended)
        )))
    }

    /// Ends sessions in every tenant, with an entry in the log of each.
    async fn end_provider_sessions(&self, ctx: &Ctx, of: &ProviderSessions, by: EndedBy) -> Result<usize, Error> {
        let mut tenants: BTreeMap<TenantId, Vec<ListedSession>> = BTreeMap::new();
        let mut ended = 0;
        for found in self.store.provider_sessions(of, ctx.now()).await? {
            match &found.session.holder {
                Some((tenant, _)) => tenants.entry(tenant.clone()).or_default().push(found),
                None => {
                    self.store.end_undecided_session(&found.session.id).await?;
                    ended += 1;
                }
            }
        }
        for (tenant, sessions) in tenants {
            let ctx = self.in_tenant(ctx, tenant, &sessions).await?;
            ended += sessions.len();
            self.store
                .write(&ctx, move |tx| {
                    Box::pin(async move {
                        for session in &sessions {
                            end(tx, session, by).await?;
                        }
                        Ok::<_, Error>(())
                    })
                })
                .await?;
        }
        Ok(ended)
    }

    /// The same request in another tenant, made by the person's account there; by the service if a person did not make it.
    async fn in_tenant(&self, ctx: &Ctx, tenant: TenantId, sessions: &[ListedSession]) -> Result<Ctx, Error> {
        let mut inside = ctx.clone();
        if *ctx.tenant() == tenant {
            return Ok(inside);
        }
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

/// Ends a session of this tenant and records it.
async fn end(tx: &mut WriteTx, found: &ListedSession, by: EndedBy) -> Result<(), Error> {
    let ListedSession { session, digest } = found;
    if !tx.end_session(&session.id).await? {
        return Ok(());
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
    Ok(())
}
