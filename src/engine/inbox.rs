//! The inbox.

use super::{Engine, Error};
use crate::context::Ctx;
use crate::domain::view::{Choice, InboxPage, InboxQuery, InboxRow, Tab, When};
use crate::domain::*;
use crate::store::{InboxFilter, InboxItem};
use crate::tools;

/// Actions on a page.
const PAGE: i64 = 50;

impl Engine {
    /// A page of the inbox, oldest first.
    pub async fn inbox(&self, ctx: &Ctx, query: &InboxQuery) -> Result<InboxPage, Error> {
        self.authorize(ctx, Command::ViewActions).await?;
        let me = ctx
            .principal
            .person()
            .map(|person| person.id.as_str().to_owned())
            .unwrap_or_default();
        let filter = self.filter(ctx, query, &me);
        let since = ctx.now().plus(-Timestamp::DAY);
        let (mut items, frame) = self
            .store
            .read(ctx, move |tx| {
                Box::pin(async move { Ok::<_, Error>((tx.inbox(&filter).await?, tx.inbox_frame(&me, since).await?)) })
            })
            .await?;
        let more = items.len() as i64 > PAGE;
        items.truncate(PAGE as usize);
        let next = items
            .last()
            .filter(|_| more)
            .map(|last| format!("{}~{}", last.created_at.0, last.id));
        let mine = if self.may_decide(ctx) { frame.mine } else { 0 };
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
            rows: items.iter().map(|item| self.row(ctx, item)).collect(),
            next,
            tools: tools::TOOLS
                .iter()
                .map(|tool| choice(tool.name(), tool.title()))
                .collect(),
            teams: frame.teams.iter().map(|(id, name)| choice(id, name)).collect(),
            releases: frame.releases.iter().map(|(id, key)| choice(id, key)).collect(),
            decided_today: frame.decided,
        })
    }

    fn filter(&self, ctx: &Ctx, query: &InboxQuery, me: &str) -> InboxFilter {
        let after = query
            .after
            .split_once('~')
            .and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())));
        let mine = query.tab == Tab::Mine;
        InboxFilter {
            state: query.tab.state(),
            // Who may decide nothing has nothing that is theirs to decide: no tool has this name.
            tool: if mine && !self.may_decide(ctx) {
                "-".to_owned()
            } else {
                query.tool.clone()
            },
            not_of: if mine && !self.policy().caller_may_decide {
                me.to_owned()
            } else {
                String::new()
            },
            team: query.team.clone(),
            release: query.release.clone(),
            verdict: query.verdict.clone(),
            text: query.text.trim().to_owned(),
            after,
            limit: PAGE + 1,
        }
    }

    fn may_decide(&self, ctx: &Ctx) -> bool {
        allows(&ctx.principal, Command::Approve)
    }

    fn row(&self, ctx: &Ctx, item: &InboxItem) -> InboxRow {
        let now = ctx.now();
        let overdue = !item.state.is_final() && item.expires_at <= now;
        let state = if overdue { State::Rejected } else { item.state };
        InboxRow {
            id: item.id.clone(),
            state,
            headline: text::visible(&item.headline),
            summary: text::visible(&item.summary),
            tool: tools::find(&item.tool).map_or(item.tool.clone(), |tool| tool.title().to_owned()),
            release: item.release_key.as_deref().map(text::visible),
            team: item.team_name.as_deref().map(text::visible),
            asked_by: text::visible(&format!("{} via {}", item.caller_name, item.client_name)),
            risk: item.risk,
            verdicts: item.verdicts,
            proposed: When::new(item.created_at, now),
            age: match item.settled_at {
                None => duration(now.since(item.created_at)),
                Some(at) if at.since(item.created_at) < Timestamp::MINUTE => "took < 1 min".to_owned(),
                Some(at) => format!("took {}", duration(at.since(item.created_at))),
            },
            expires: (!state.is_final()).then(|| When::new(item.expires_at, now)),
            not_mine: self.not_mine(ctx, state, &item.caller_id),
        }
    }

    /// Why this person can't decide an action of this caller, while there is something to decide.
    pub(super) fn not_mine(&self, ctx: &Ctx, state: State, caller: &PersonId) -> Option<String> {
        let person = ctx.principal.person()?;
        if state.is_final() {
            return None;
        }
        if !self.may_decide(ctx) {
            return Some("A reviewer or lead decides it.".to_owned());
        }
        self.policy().refuses(&person.id, caller).map(str::to_owned)
    }
}

fn choice(value: &str, label: &str) -> Choice {
    Choice {
        value: value.to_owned(),
        label: text::visible(label),
    }
}
