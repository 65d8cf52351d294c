//! The confirmation page of a high-risk approval, for browsers without a script: consequences, warnings, and the text to type.

use super::super::page_data::page_data;
use super::approvals::Stakes;
use super::warnings;
use crate::components::state::{RiskBadge, StateBadge};
use crate::components::tenant_field::TenantField;
use crate::components::title::PageTitle;
use crate::drafts::ApprovalDraft;
use crate::islands::{Draft, Fields};
use crate::server_fns::{Approve, ApproveAndRun};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_params_map;
use loopiq::engine::Visit;
use loopiq::views::ActionView;
use tower_sessions::Session;

/// `/actions/{id}/confirm`.
#[component]
pub(crate) fn ConfirmPage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").unwrap_or_default();
    let session = use_context::<Session>();
    page_data(
        |services| async move {
            let action = services
                .engine
                .action_page(&services.ctx, &id, Visit::Unrecorded)
                .await?;
            let draft = ApprovalDraft::of(session.as_ref(), &action.id).await;
            Ok((action, draft.unwrap_or_default()))
        },
        render,
    )
}

fn render((action, draft): (ActionView, Draft)) -> AnyView {
    let back = format!("/actions/{}", action.id);
    let warnings = warnings(&action.checks);
    let form = if action.panel.approve {
        view! {
            <form method="post" action=Approve::url() class="decide-approve card">
                <TenantField />
                <Fields
                    id=action.id.clone()
                    digest=action.digest.clone()
                    view=action.view.clone().unwrap_or_default()
                    warnings
                    you_approve=action.panel.you_approve.clone()
                    word=action.panel.word.clone()
                    step_up=action.panel.step_up.clone()
                    draft
                />
                // Without a script every section of the action's page was open.
                {action
                    .sections
                    .into_iter()
                    .map(|section| view! { <input type="hidden" name="opened[]" value=section.id /> })
                    .collect_view()}
                <div class="buttons">
                    <button type="submit" class="button primary">
                        "Approve"
                    </button>
                    {action
                        .panel
                        .run
                        .then(|| {
                            view! {
                                <button type="submit" class="button" formaction=ApproveAndRun::url()>
                                    "Approve and run"
                                </button>
                            }
                        })}
                </div>
            </form>
        }
        .into_any()
    } else {
        let why = action
            .panel
            .why_not
            .clone()
            .unwrap_or_else(|| "Nothing to approve.".into());
        view! { <p class="why-not">{why}</p> }.into_any()
    };
    view! {
        <PageTitle text=format!("Confirm · {}", action.headline) />
        <div class="page confirm">
            <nav class="crumbs" aria-label="Where you are">
                <a href=back>"‹ Back to the action"</a>
            </nav>
            <header class="action-head">
                <h1 dir="auto">"Confirm: " {action.headline}</h1>
                <p class="facts">
                    <StateBadge state=action.state />
                    <RiskBadge risk=action.risk />
                </p>
            </header>
            {(!action.stakes.is_empty()).then(|| view! { <Stakes lines=action.stakes /> })}
            {form}
        </div>
    }
    .into_any()
}
