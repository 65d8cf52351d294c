//! The catalog page: releases, teams, components and roles, and for operators the draft of a catalog.

mod draft;
mod records;
mod releases;

use self::draft::{DraftForm, Preview};
use self::records::{Components, People, Teams};
use self::releases::{Decides, Releases};
use super::page_data::page_data;
use crate::components::message::Message;
use crate::components::title::PageTitle;
use crate::drafts::{CatalogDraft, LastRelease, ReasonDraft, SessionDraft};
use crate::services::Services;
use crate::settings_message::SettingsPage;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use loopiq::engine::Error;
use loopiq::views::{self, CatalogPreview, Outcome};
use tower_sessions::Session;

/// All that the page shows.
struct Shown {
    page: views::CatalogPage,
    /// The operator's draft, and what it would change.
    drafted: Option<(CatalogDraft, Result<CatalogPreview, String>)>,
    /// The reason of a decision that was refused.
    reason: Option<ReasonDraft>,
    said: Option<Outcome>,
    /// The ID of the release that `said` is about, if it is on the page.
    said_of: Option<String>,
}

/// `/settings/catalog`.
#[component]
pub(crate) fn CatalogPage() -> impl IntoView {
    let text = use_query_map().get_untracked().get("text").unwrap_or_default();
    let session = use_context::<Session>();
    page_data(
        |services| async move { shown(&services, session.as_ref(), &text).await },
        render,
    )
}

async fn shown(services: &Services, session: Option<&Session>, text: &str) -> Result<Shown, Error> {
    let (engine, ctx) = (&services.engine, &services.ctx);
    let page = engine.catalog_page(ctx, text).await?;
    let kept = match page.may_change {
        true => CatalogDraft::get(session).await,
        false => None,
    };
    let drafted = match kept {
        None => None,
        Some(draft) => {
            // A draft that cannot be checked stays on the page with the reason.
            let preview = match engine.preview_catalog_draft(ctx, &draft.source, draft.prune).await {
                Ok(preview) => Ok(preview),
                Err(error @ (Error::Setting { .. } | Error::NotAuthorized { .. })) => Err(error.to_string()),
                Err(error) => return Err(error),
            };
            Some((draft, preview))
        }
    };
    // A prefetch must not consume the message.
    let said = match services.prefetch {
        true => None,
        false => SettingsPage::Catalog.take_message(session).await,
    };
    // The page says once why a draft cannot be checked.
    let reasons = drafted.as_ref().and_then(|(_, preview)| preview.as_ref().err());
    let said = said.filter(|outcome| reasons.is_none_or(|why| outcome.message.as_str() != why));
    let said_of = match said {
        Some(_) => LastRelease::get(session).await.map(|last| last.release),
        None => None,
    };
    if said_of.is_some() {
        LastRelease::discard(session).await;
    }
    let said_of = said_of.filter(|id| page.releases.shown.iter().any(|release| release.id == *id));
    let reason = match page.may_certify {
        true => ReasonDraft::get(session).await,
        false => None,
    };
    Ok(Shown {
        page,
        drafted,
        reason,
        said,
        said_of,
    })
}

fn render(shown: Shown) -> AnyView {
    let Shown {
        page,
        drafted,
        reason,
        said,
        said_of,
    } = shown;
    // A message about a release is in its card, where the browser scrolls to.
    let (said, said_of) = match (said, said_of) {
        (Some(said), Some(release)) => (None, Some((release, said))),
        (said, _) => (said, None),
    };
    let views::CatalogPage {
        text,
        releases,
        teams,
        components,
        people,
        may_change,
        may_certify,
        why_not_certify,
    } = page;
    let filtered = !text.is_empty();
    let decides = Decides {
        may_certify,
        why_not: why_not_certify,
        reason,
        text: text.clone(),
        said: said_of,
    };
    let is_empty = !filtered && releases.total + teams.total + components.total == 0;
    let (draft, preview) = match drafted {
        None => (None, None),
        Some((draft, preview)) => (Some(draft), Some(preview)),
    };
    let (digest, retires) = match &preview {
        Some(Ok(preview)) => (preview.digest.clone(), preview.retires),
        _ => (String::new(), 0),
    };
    view! {
        <PageTitle text="Catalog" />
        <div class="page catalog">
            <div>
                <h1>"Catalog"</h1>
                <p>"Teams, components and releases, as catalog files declare them. People grant certifications and set the status of releases."</p>
            </div>
            {said.map(|outcome| view! { <Message outcome /> })}
            {is_empty.then(|| view! { <p class="outcome">"The catalog is empty. An operator applies a file here or with " <code>"loopiq catalog apply"</code> "."</p> })}
            {preview.map(|preview| view! { <Preview preview /> })}
            {may_change.then(|| view! { <DraftForm draft=draft.unwrap_or_default() digest retires /> })}
            <form class="catalog-filter" method="get" role="search" aria-label="Records of the catalog">
                <div class="field">
                    <label for="text">"Key or name"</label>
                    <input id="text" name="text" type="search" maxlength="200" autocomplete="off" value=text />
                </div>
                <button type="submit" class="button">
                    "Show"
                </button>
                {filtered.then(|| view! { <a href="/settings/catalog">"Show all"</a> })}
            </form>
            <Releases releases decides />
            <Teams teams />
            <Components components />
            <People people />
        </div>
    }
    .into_any()
}
