//! The page of clients and tokens.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::{Engine, Error};
use crate::store::{GrantsOf, ListedGrant};
use crate::views::{ClientsPage, GrantState, GrantView, Label, When};

/// How long lists keep grants that have ended, in microseconds.
const ENDED_KEPT: i64 = 30 * Timestamp::DAY;

impl Engine {
    /// The grants of the signed-in person, and for operators also all others of the tenant.
    pub async fn clients_page(&self, ctx: &Ctx) -> Result<ClientsPage, Error> {
        let me = ctx.principal.person().map(|person| person.id.clone());
        let needed = match me {
            Some(_) => Permission::SignIn,
            None => Permission::IssueToken,
        };
        self.authorize(ctx, needed).await?;
        let operates = allows(&ctx.principal, Permission::IssueToken);
        let of = match (&me, operates) {
            (Some(me), false) => GrantsOf::Person(me.clone()),
            _ => GrantsOf::Tenant,
        };
        let tx = &mut self.store.read(ctx).await?;
        let now = ctx.now();
        let pauses = tx.pauses().await?;
        let (mut mine, mut others) = (Vec::new(), Vec::new());
        for grant in tx.grants(&of, now.plus(-ENDED_KEPT)).await? {
            let is_mine = me.is_some() && grant.person.as_ref().map(|(person, ..)| person) == me.as_ref();
            let list = if is_mine { &mut mine } else { &mut others };
            let target = PauseTarget::Client(grant.client.id.clone());
            let is_paused = pauses.iter().any(|pause| pause.target == target);
            list.push(GrantView {
                is_paused,
                ..view(grant, is_mine, now)
            });
        }
        Ok(ClientsPage {
            mine,
            others: operates.then_some(others),
        })
    }
}

fn state(grant: &ListedGrant, now: Timestamp) -> GrantState {
    if grant.revoked_at.is_some() {
        GrantState::Revoked
    } else if grant.expires_at <= now {
        GrantState::Ended
    } else if grant.kind == GrantKind::Service && !grant.has_tokens {
        GrantState::Offered
    } else {
        GrantState::Active
    }
}

fn view(grant: ListedGrant, is_mine: bool, now: Timestamp) -> GrantView {
    let state = state(&grant, now);
    let created_by = match (grant.kind, &grant.created_by_name) {
        (GrantKind::OAuth, _) => "consent of the person".into(),
        (GrantKind::Service, Some(name)) => name.clone(),
        (GrantKind::Service, None) => "an operator at the console".into(),
    };
    GrantView {
        id: grant.id.to_string(),
        client: grant.client.id.to_string(),
        name: grant.name,
        kind: grant.kind,
        person: grant.person.map(|(_, name, email)| [name, email]),
        scopes: grant.scopes.iter().map(|scope| scope.label().to_owned()).collect(),
        state,
        is_paused: false,
        created_by,
        created: When::new(grant.created_at, now),
        used: grant.used_at.map(|at| When::new(at, now)),
        ends: When::new(grant.revoked_at.unwrap_or(grant.expires_at), now),
        may_accept: is_mine && state == GrantState::Offered,
        may_revoke: matches!(state, GrantState::Active | GrantState::Offered),
    }
}
