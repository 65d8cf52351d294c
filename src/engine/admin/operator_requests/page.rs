//! The page of operator requests, and the view of one request.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::admin::operator_requests::settle::{form_value, may_confirm};
use crate::engine::admin::operator_requests::{another_operator, missing, named, signed_in};
use crate::engine::pages::policy;
use crate::engine::{Engine, Error};
use crate::policy::Decider;
use crate::store::{Account, ReadTx, RequestRow};
use crate::views::{AccountView, ChangeView, RequestView, RequestsPage, ResemblanceView, When};
use std::collections::HashMap;

/// The most pending requests on the page.
const WAITING: i64 = 100;
/// The most settled requests on the page.
const HISTORY: i64 = 50;

impl Engine {
    /// Pending requests, settled requests, and accounts that operators have to identify.
    pub async fn requests_page(&self, ctx: &Ctx) -> Result<RequestsPage, Error> {
        self.authorize(ctx, Permission::Configure).await?;
        let tx = &mut self.store.read(ctx).await?;
        let now = tx.ctx().now();
        let mut rows = tx.open_requests(WAITING).await?;
        rows.extend(tx.settled_requests(HISTORY).await?);
        let open = tx.resemblances().await?;
        let ids = open.iter().flat_map(|one| [&one.newcomer, &one.known]);
        let context = RequestContext::load(tx, &rows, ids).await?;
        let mut views = Vec::new();
        for row in &rows {
            views.push(context.view(tx, row).await?);
        }
        let (waiting, history) = views
            .into_iter()
            .partition(|view| view.status == RequestStatus::Pending);
        let about = |one: &PersonId, other: &PersonId| {
            let both = |row: &&RequestRow| {
                matches!(&row.change, OperatorChange::LinkPeople { one: a, other: b, .. }
                                if (a == one && b == other) || (a == other && b == one))
            };
            let mut waiting = rows.iter().filter(|row| row.status_at(now) == RequestStatus::Pending);
            waiting.find(both).map(|row| row.id.to_string().into())
        };
        let resemblances = open.iter().filter_map(|one| {
            Some(ResemblanceView {
                address: PlainText::from(&one.address),
                newcomer: context.account(&one.newcomer, now)?,
                known: context.account(&one.known, now)?,
                request: about(&one.newcomer, &one.known),
            })
        });
        Ok(RequestsPage {
            resemblances: resemblances.collect(),
            waiting,
            history,
            alone: (context
                .operators
                .iter()
                .map(|one| &one.human)
                .collect::<std::collections::BTreeSet<_>>()
                .len()
                < 2)
            .then(|| another_operator().into()),
        })
    }

    /// One request.
    pub async fn request(&self, ctx: &Ctx, id: &str) -> Result<RequestView, Error> {
        self.authorize(ctx, Permission::Configure).await?;
        let id = RequestId::parse(id).map_err(|_| missing(id))?;
        let tx = &mut self.store.read(ctx).await?;
        let row = tx.operator_request(&id).await?.ok_or_else(|| missing(id.as_str()))?;
        let context = RequestContext::load(tx, std::slice::from_ref(&row), []).await?;
        context.view(tx, &row).await
    }
}

/// What the views of requests need: accounts, operators, and the viewer.
struct RequestContext {
    accounts: HashMap<PersonId, Account>,
    operators: Vec<Decider>,
    me: Option<Decider>,
}

impl RequestContext {
    async fn load<'p>(
        tx: &mut ReadTx,
        rows: &[RequestRow],
        people: impl IntoIterator<Item = &'p PersonId>,
    ) -> Result<Self, Error> {
        let mut ids: Vec<&str> = people.into_iter().map(PersonId::as_str).collect();
        for row in rows {
            ids.extend(row.made_by.iter().chain(&row.settled_by).map(PersonId::as_str));
            if let OperatorChange::LinkPeople { one, other, .. } = &row.change {
                ids.extend([one.as_str(), other.as_str()]);
            }
        }
        let accounts = tx.accounts(&ids).await?;
        Ok(Self {
            accounts: accounts
                .into_iter()
                .map(|account| (account.person.id.clone(), account))
                .collect(),
            operators: tx.operators().await?,
            me: signed_in(tx).await?,
        })
    }

    fn account(&self, id: &PersonId, now: Timestamp) -> Option<AccountView> {
        let Account {
            person,
            issuer,
            subject,
            asserted_at,
            ..
        } = self.accounts.get(id)?;
        Some(AccountView {
            id: person.id.to_string(),
            name: person.name.clone(),
            email: PlainText::from(person.email.as_str()),
            issuer: PlainText::from(issuer),
            subject: PlainText::from(subject),
            roles: person.roles.iter().map(|role| role.as_str().into()).collect(),
            last_sign_in: When::new(*asserted_at, now),
        })
    }

    /// `Olga Operator (operator@acme.example)`, or `nobody` without account.
    fn who(&self, id: Option<&PersonId>, nobody: &str) -> PlainText {
        let account = id.and_then(|id| self.accounts.get(id));
        account.map_or_else(
            || nobody.into(),
            |account| format!("{} ({})", account.person.name, account.person.email).into(),
        )
    }

    async fn view(&self, tx: &mut ReadTx, row: &RequestRow) -> Result<RequestView, Error> {
        let now = tx.ctx().now();
        let status = row.status_at(now);
        let waits = status == RequestStatus::Pending;
        let maker = row.made_by.as_ref().and_then(|id| self.accounts.get(id));
        let is_mine = |me: &&Decider| maker.is_some_and(|maker| maker.human == me.human);
        let (may_decline, why_not) = match &self.me {
            Some(me) if waits => match may_confirm(tx, me, row).await {
                Err(Error::NotAuthorized { why }) => (false, Some(why)),
                Err(other) => return Err(other),
                Ok(()) => (true, no_longer(tx, row).await?),
            },
            _ => (false, None),
        };
        Ok(RequestView {
            id: row.id.to_string(),
            kind: row.change.kind().to_owned(),
            summary: PlainText::from(&row.summary),
            change: self.change(tx, row, now).await?,
            by: self.who(row.made_by.as_ref(), "an operator at the console"),
            at: When::new(row.made_at, now),
            expires: waits.then(|| When::new(row.expires_at, now)),
            status,
            settled: row.settled_at.map(|at| {
                let by = self.who(row.settled_by.as_ref(), "LoopIQ");
                (by, When::new(at, now), PlainText::from(&row.outcome))
            }),
            view: form_value(tx.ctx(), row)?,
            may_decline,
            may_confirm: waits && self.me.is_some() && why_not.is_none(),
            may_withdraw: waits && self.me.as_ref().is_some_and(|me| is_mine(&me)),
            why_not: why_not.map(Into::into),
            confirmers: if waits {
                let others = self.operators.iter().filter(|one| !is_mine(one));
                others.map(|one| named(one).into()).collect()
            } else {
                Vec::new()
            },
        })
    }

    async fn change(&self, tx: &mut ReadTx, row: &RequestRow, now: Timestamp) -> Result<ChangeView, Error> {
        let gone = || Error::internal("a request about an account that is not there");
        Ok(match &row.change {
            OperatorChange::Policy {
                source,
                note,
                base,
                loosens,
            } => ChangeView::Policy {
                base: *base,
                note: PlainText::from(note),
                loosens: loosens.iter().map(PlainText::from).collect(),
                difference: policy::difference(&policy::source(tx, *base).await?, source),
            },
            OperatorChange::LinkPeople {
                one,
                other,
                same,
                reason,
            } => ChangeView::LinkPeople {
                one: Box::new(self.account(one, now).ok_or_else(gone)?),
                other: Box::new(self.account(other, now).ok_or_else(gone)?),
                same: *same,
                reason: PlainText::from(reason),
            },
            OperatorChange::RotateLogKey { reason } => ChangeView::RotateLogKey {
                reason: PlainText::from(reason),
            },
        })
    }
}

/// Why a request cannot be applied any more.
async fn no_longer(tx: &mut ReadTx, row: &RequestRow) -> Result<Option<String>, Error> {
    let OperatorChange::Policy { base, .. } = &row.change else {
        return Ok(None);
    };
    let today = tx.policy_version().await?;
    Ok((today != *base).then(|| {
        format!("Policy version {today} has been activated since, and this request was made from version {base}. Decline it; the operator who made it can make a new request from version {today}.")
    }))
}
