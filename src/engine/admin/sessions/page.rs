//! The pages of sessions, and of the people of a tenant.

use super::{me, no_person};
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::admin::grants::open_grants;
use crate::engine::{Engine, Error};
use crate::store::{ListedPerson, ListedSession};
use crate::views::{AccessPage, PeopleList, PersonPage, PersonRow, RightRow, SessionView, SessionsPage, When, program};

/// The people on a page.
const PAGE: i64 = 50;

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

    /// Who may run which command, for everyone with a role; and for operators, the people of the tenant.
    pub async fn access_page(&self, ctx: &Ctx, search: &str, after: &str) -> Result<AccessPage, Error> {
        self.authorize(ctx, Permission::SignIn).await?;
        let people = match allows(&ctx.principal, Permission::EndSessions) {
            true => Some(self.people_list(ctx, search, after).await?),
            false => None,
        };
        let rights = rights(ctx.tenant());
        Ok(AccessPage {
            people,
            rights: rights.into_iter().map(RightRow::from).collect(),
        })
    }

    /// The people of the tenant whose name or address contains `search`, after the person `after`.
    pub async fn people_list(&self, ctx: &Ctx, search: &str, after: &str) -> Result<PeopleList, Error> {
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
        Ok(PeopleList {
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
        let clients = open_grants(tx, &person).await?.len();
        Ok(PersonPage {
            clients,
            person: row(&found, ctx.now()),
            account: [found.issuer.into(), found.subject.into()],
            sessions: sessions.into_iter().map(|one| view(one, ctx)).collect(),
        })
    }
}
