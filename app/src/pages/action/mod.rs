//! One action: a document to read from top to bottom, and the decision panel.

mod approvals;
mod changes_since;
mod claim;
mod compare;
mod confirm;
mod evidence;
mod flash;
mod payload;
mod questions;
mod related;
mod timeline;

use self::approvals::{Approvals, Stakes};
use self::changes_since::ChangesSince;
use self::claim::ClaimBox;
use self::compare::Comparisons;
use self::evidence::{Changes, References};
use self::flash::{FlashLine, Next, SignedInAgain, next};
use self::payload::{Identifiers, PayloadView, Pointed};
use self::questions::Questions;
use self::related::{RelatedActions, Revisions};
use self::timeline::{ResultBox, Timeline};
use super::page_data::page_data;
use crate::components::checks::Checks;
use crate::components::lines::Lines;
use crate::components::state::{RiskBadge, StateBadge};
use crate::components::time::RelativeTime;
use crate::components::title::PageTitle;
use crate::components::tree::tree;
use crate::drafts::ApprovalDraft;
use crate::flash::Flash;
use crate::islands::{DecisionPanel, Draft, Warning};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use loopiq::domain::{Check, Permission};
use loopiq::engine::Visit;
use loopiq::views::{ActionView, Label};
use std::collections::HashSet;
use tower_sessions::Session;

pub(crate) use self::confirm::ConfirmPage;

/// `/actions/{id}`.
#[component]
pub(crate) fn ActionPage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").unwrap_or_default();
    let session = use_context::<Session>();
    page_data(
        |services| async move {
            // A prefetch is not a visit: it is not recorded, and it does not consume the flash message.
            let seen = !services.prefetch;
            let visit = if seen { Visit::Opened } else { Visit::Unrecorded };
            let action = services.engine.action_page(&services.ctx, &id, visit).await?;
            let flash = if seen {
                Flash::take(session.clone(), &action.id).await
            } else {
                None
            };
            let onward = match &flash {
                Some(flash) => next(&services, flash).await,
                None => None,
            };
            let flash = flash.map(|flash| (flash, onward));
            let approval = ApprovalDraft::of(session.as_ref(), &action.id).await;
            Ok((action, flash, approval, services.may(Permission::SearchAudit)))
        },
        render,
    )
}

/// The action, the outcome of the last decision, what the person entered for an approval before signing in again, and whether the person
/// searches the audit trail.
type Shown = (ActionView, Option<(Flash, Option<Next>)>, Option<Draft>, bool);

fn render((action, flash, approval, audit): Shown) -> AnyView {
    let on_page: HashSet<String> = action
        .references
        .iter()
        .chain(&action.creates)
        .map(|reference| reference.record.id.clone())
        .collect();
    let fields: HashSet<String> = action.payload.iter().map(|(pointer, _)| pointer.clone()).collect();
    let compared: HashSet<String> = action.comparisons.iter().map(|one| one.mark.clone()).collect();
    let pointed = Pointed::at(&action.checks);
    let warnings = warnings(&action.checks);
    let draft = flash
        .as_ref()
        .map(|(flash, _)| flash.draft.clone())
        .filter(|draft| !draft.form.is_empty());
    let back = approval.is_some() && action.panel.step_up.as_ref().is_some_and(|note| !note.again);
    let draft = draft.or(approval).unwrap_or_default();
    let (tool, tool_name) = action.tool.clone();
    let has_tree = !action.tree.is_empty();
    // A high-risk action is read before it is approved. Without a script every section is open, because nothing could record the opening.
    let open = action.panel.word.is_some();
    view! {
        <PageTitle text=format!("{} · {}", action.headline, action.state.label()) />
        <article class="page action">
            <nav class="crumbs" aria-label="Where you are">
                <a href="/">"‹ Inbox"</a>
                <a class="to-decision" href="#decision">"Decision ↓"</a>
            </nav>
            {flash.map(|(flash, next)| view! { <FlashLine flash next /> })}
            {back.then(|| view! { <SignedInAgain /> })}
            <header class="action-head">
                <h1 dir="auto">{action.headline.clone()}</h1>
                <p class="facts">
                    <StateBadge state=action.state />
                    <RiskBadge risk=action.risk />
                    <span>"proposed " <RelativeTime when=action.proposed /></span>
                    {action.expires.map(|when| view! { <span>"expires " <RelativeTime when /></span> })}
                    <span class="quiet">{tool} " " <code>{tool_name}</code></span>
                </p>
                <p class="summary" dir="auto">{action.summary}</p>
                {action
                    .outcome
                    .map(|outcome| {
                        view! {
                            <p class=format!("outcome outcome-{}", action.state.as_str())>
                                <strong>{action.state.label()} ": "</strong>
                                <bdi>{outcome}</bdi>
                            </p>
                        }
                    })}
            </header>
            <div class="document">
                {action.result.map(|result| view! { <ResultBox result /> })}
                {(!action.stakes.is_empty()).then(|| view! { <Stakes lines=action.stakes /> })}
                {action.since.map(|since| view! { <ChangesSince since on_page=&on_page /> })}
                <Revisions revisions=action.revisions />
                {(!action.questions.is_empty()).then(|| view! { <Questions questions=action.questions /> })}
                <Checks checks=action.checks on_page=on_page.clone() fields=fields compared />
                {(!action.comparisons.is_empty())
                    .then(|| view! { <Comparisons comparisons=action.comparisons /> })}
                {(!action.related.is_empty()).then(|| view! { <RelatedActions related=action.related /> })}
                <section class="card" aria-labelledby="where">
                    <h2 id="where">"Where"</h2>
                    <Lines lines=action.context class="columns" />
                </section>
                {has_tree
                    .then(|| {
                        view! {
                            <section class="card" aria-labelledby="work-items">
                                <h2 id="work-items">"Work items"</h2>
                                {tree(action.tree, &on_page, open)}
                            </section>
                        }
                    })}
                {(!action.creates.is_empty())
                    .then(|| view! { <References id="creates" title="Also creates" references=action.creates open /> })}
                {(!action.updates.is_empty()).then(|| view! { <Changes updates=action.updates on_page=&on_page /> })}
                {(!action.references.is_empty())
                    .then(|| {
                        view! { <References id="evidence" title="Evidence and references" references=action.references open /> }
                    })}
                <ClaimBox claim=action.claim on_page=&on_page open />
                <PayloadView fields=action.payload json=action.payload_json on_page=&on_page pointed=&pointed />
                <Identifiers identifiers=action.identifiers chain=action.call_chain />
                <Timeline steps=action.timeline notes=action.notes audit />
            </div>
            <section class="decision" id="decision" aria-labelledby="decide">
                <h2 id="decide">"Decision"</h2>
                {action.approvals.map(|approvals| view! { <Approvals approvals /> })}
                <DecisionPanel
                    id=action.id
                    digest=action.digest
                    view=action.view.unwrap_or_default()
                    state=action.state
                    panel=action.panel
                    warnings
                    draft
                />
            </section>
        </article>
    }
    .into_any()
}

/// The warnings that an approval has to acknowledge, one by one.
fn warnings(checks: &[Check]) -> Vec<Warning> {
    checks
        .iter()
        .filter(|check| check.warns())
        .map(|check| Warning {
            mark: check.mark(),
            check: check.id.label().to_owned(),
            message: check.message.clone(),
        })
        .collect()
}
