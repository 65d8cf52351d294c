//! The inbox.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::pages::my_decisions::{Judged, Mine};
use crate::engine::{Engine, Error};
use crate::store::{InboxFilter, InboxItem};
use crate::tools;
use crate::views::{Choice, InboxPage, InboxQuery, InboxRow, Tab, duration, relative};
use std::collections::BTreeMap;

/// Actions on one page.
const PAGE: i64 = 50;
/// The most batches that one page reads to find actions that the viewer may decide; the next page continues.
const BATCHES: usize = 10;

impl Engine {
    /// A page of the inbox, oldest first.
    pub async fn inbox(&self, ctx: &Ctx, query: &InboxQuery) -> Result<InboxPage, Error> {
        self.authorize(ctx, Permission::ViewActions).await?;
        let may_decide = allows(&ctx.principal, Permission::Approve);
        let me = ctx.principal.person().map(|person| person.id.clone());
        let own = me.as_ref().map(ToString::to_string).unwrap_or_default();
        let (mut filter, of_mine) = (filter(query), query.tab == Tab::Mine);
        let since = ctx.now().plus(-Timestamp::DAY);
        let (items, frame, judged, not_mine, mine, next, pauses) = {
            let tx = &mut self.store.read(ctx).await?;
            let mine = Mine::load(tx, &self.policies, me.as_ref().filter(|_| may_decide)).await?;
            filter.policy = mine.today.version;
            let own_rules = InboxFilter {
                rules: Some(mine.rules()),
                not_of: if mine.today.rules.separation.caller_may_decide {
                    String::new()
                } else {
                    own.clone()
                },
                not_by: own.clone(),
                ..filter.clone()
            };
            let not_mine = match may_decide {
                false => Some("Only reviewers and leads can decide these actions.".into()),
                true => mine.unresolved.as_ref().map(Into::into),
            };
            let frame = tx.inbox_frame(&own, since).await?;
            let count = match may_decide {
                false => 0,
                true if mine.counts_are_exact() => frame.mine,
                true => tx.count_pending(&own_rules).await?,
            };
            if of_mine {
                filter = own_rules;
            }
            let (mut items, mut judged, mut next) = (Vec::new(), BTreeMap::new(), None);
            for _ in 0..BATCHES {
                let mut batch = tx.inbox(&filter).await?;
                let more = batch.len() as i64 > PAGE;
                batch.truncate(PAGE as usize);
                let last = batch.last().map(|last| last.id.clone());
                next = last.filter(|_| more);
                judged.append(&mut mine.judge(tx, &batch).await?);
                if of_mine {
                    // SQL cannot evaluate separation of duties, approvals that others have given, and a policy
                    // that has changed since the proposal.
                    batch.retain(|item| judged.get(&item.id).is_some_and(|one: &Judged| one.not_mine.is_none()));
                }
                items.append(&mut batch);
                match &next {
                    Some(last) if (items.len() as i64) < PAGE / 2 => filter.after.clone_from(last),
                    _ => break,
                }
            }
            (items, frame, judged, not_mine, count, next, tx.pauses().await?)
        };
        let count = |tab: Tab| match tab {
            Tab::Mine => mine,
            Tab::All => frame.counts.values().sum(),
            tab => tab
                .state()
                .and_then(|state| frame.counts.get(&state).copied())
                .unwrap_or_default(),
        };
        Ok(InboxPage {
            counts: Tab::ALL.iter().map(|(tab, ..)| (*tab, count(*tab))).collect(),
            rows: items.iter().map(|item| row(ctx, item, &judged)).collect(),
            not_mine: not_mine.filter(|_| items.iter().any(|item| !item.state.is_final())),
            next,
            tools: tools::TOOLS
                .iter()
                .map(|tool| choice(tool.name(), tool.title()))
                .collect(),
            teams: frame.teams.iter().map(|(id, name)| choice(id, name)).collect(),
            releases: frame.releases.iter().map(|(id, key)| choice(id, key)).collect(),
            paused: pauses.iter().map(Pause::sentence).collect(),
            decided_today: frame.decided,
        })
    }
}

fn filter(query: &InboxQuery) -> InboxFilter {
    InboxFilter {
        state: query.tab.state(),
        tool: query.tool.clone(),
        team: query.team.clone(),
        release: query.release.clone(),
        verdict: query.verdict.clone(),
        text: query.text.trim().to_owned(),
        after: query.after.clone(),
        limit: PAGE + 1,
        ..InboxFilter::default()
    }
}

fn row(ctx: &Ctx, item: &InboxItem, judged: &BTreeMap<String, Judged>) -> InboxRow {
    let now = ctx.now();
    let overdue = !item.state.is_final() && item.expires_at <= now;
    let state = if overdue { State::Rejected } else { item.state };
    let judged = judged.get(&item.id).filter(|_| !state.is_final());
    InboxRow {
        id: item.id.clone(),
        state,
        headline: PlainText::from(&item.headline),
        summary: PlainText::from(&item.summary),
        release: item.release_key.as_deref().map(PlainText::from),
        team: item.team_name.as_deref().map(PlainText::from),
        asked_by: PlainText::from(&format!("{} via {}", item.caller_name, item.client_name)),
        risk: item.risk,
        verdicts: item.verdicts,
        proposed: item.created_at.whole_second().rfc3339(),
        age: match item.closed_at {
            None => duration(now.since(item.created_at)),
            Some(at) => format!("took {}", duration(at.since(item.created_at))),
        },
        expires: (!state.is_final()).then(|| relative(item.expires_at, now)),
        repeats: item.repeated_by,
        touched: item.targets_changed && !state.is_final(),
        approvals: judged.and_then(|one| one.approvals),
        not_mine: judged.and_then(|one| one.not_mine.as_ref().map(Into::into)),
    }
}

fn choice(value: &str, label: &str) -> Choice {
    Choice {
        value: value.to_owned(),
        label: PlainText::from(label),
    }
}
