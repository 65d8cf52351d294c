//! The outcome of the last decision, at the top of the action's page.

use crate::flash::Flash;
use crate::services::Services;
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::views::{InboxQuery, Tab};

/// The next action to decide.
pub(super) struct Next {
    href: String,
    headline: PlainText,
}

/// The oldest action that the person can decide, after a decision. If the inbox cannot be read, the link is missing; the page is not.
pub(super) async fn next(services: &Services, flash: &Flash) -> Option<Next> {
    if !flash.outcome.done {
        return None;
    }
    let query = InboxQuery {
        tab: Tab::Mine,
        ..InboxQuery::default()
    };
    let page = services.engine.inbox(&services.ctx, &query).await.ok()?;
    let row = page.rows.into_iter().find(|row| row.id != flash.action)?;
    Some(Next {
        href: format!("/actions/{}", row.id),
        headline: row.headline,
    })
}

/// The outcome with a link to the next action. It takes the focus, so that a screen reader reads it first.
#[component]
pub(super) fn FlashLine(flash: Flash, next: Option<Next>) -> impl IntoView {
    let outcome = flash.outcome;
    let (class, role) = if outcome.done {
        ("flash flash-done", "status")
    } else {
        ("flash flash-refused", "alert")
    };
    let next = next.map(|next| {
        view! {
            <a class="button" href=next.href>
                "Next:\u{a0}"
                <bdi>{next.headline}</bdi>
            </a>
        }
    });
    view! {
        <div class=class role=role tabindex="-1" autofocus>
            <p>
                <bdi>{outcome.message}</bdi>
            </p>
            {next}
        </div>
    }
    .into_any()
}

/// The person has signed in again before the approval, which is not given yet.
#[component]
pub(super) fn SignedInAgain() -> impl IntoView {
    view! {
        <div class="flash flash-done" role="status" tabindex="-1" autofocus>
            <p>
                "You signed in again. Nothing is approved yet: what you entered is in the form, so "
                <a href="#decision">"approve it there"</a> "."
            </p>
        </div>
    }
    .into_any()
}
