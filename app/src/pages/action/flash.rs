//! The line that says what was just done.

use crate::flash::Flash;
use crate::services::Services;
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::views::{InboxQuery, Tab};
use serde::{Deserialize, Serialize};

/// The action to go on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Next {
    href: String,
    headline: PlainText,
}

/// The oldest action that is this person's to decide, once one is decided. An inbox that cannot be read costs the link,
/// never the page.
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

/// What became of a decision, at the top of the page, with the way to the next action. It takes the focus, so that
/// those who hear the page hear it first.
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
                "Next: "
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
