//! The policy page: the active version, earlier versions, and for operators the draft of a new one.

mod form;
mod report;
mod versions;

use self::form::PolicyForm;
use self::report::{Mistakes, Report, Wrong};
use self::versions::{Versions, address};
use super::page_data::page_data;
use crate::components::code::CodeBlock;
use crate::components::difference::Difference;
use crate::components::message::Message;
use crate::components::time::RelativeTime;
use crate::components::title::PageTitle;
use crate::drafts::{PolicyDraft, SessionDraft};
use crate::services::Services;
use crate::settings_message::SettingsPage;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use loopiq::domain::PlainText;
use loopiq::engine::{Error, policy_mistakes};
use loopiq::views::{self, Outcome, PolicyReport, PolicyVersion};
use tower_sessions::Session;

/// A draft with its report.
struct Drafted {
    draft: PolicyDraft,
    report: PolicyReport,
    wrong: Vec<Wrong>,
}

/// All that the page shows.
struct Shown {
    page: views::PolicyPage,
    /// The version that the shown one is compared with.
    compare: Option<i64>,
    /// The draft, if the address names no version.
    drafted: Option<Drafted>,
    /// Whether the session has a draft that the page does not show.
    waiting: bool,
    said: Option<Outcome>,
}

/// `/settings/policy`.
#[component]
pub(crate) fn PolicyPage() -> impl IntoView {
    let map = use_query_map().get_untracked();
    let (version, compare) = (map.get("version"), map.get("compare"));
    let session = use_context::<Session>();
    page_data(
        |services| async move {
            let (version, compare) = (number("version", version)?, number("compare", compare)?);
            shown(&services, session.as_ref(), version, compare).await
        },
        render,
    )
}

/// A parameter that is the number of a version. An empty parameter counts as absent.
fn number(name: &str, value: Option<String>) -> Result<Option<i64>, Error> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let number = value.parse().map_err(|_| Error::Setting {
        message: format!("{name} must be the number of a policy version."),
    })?;
    Ok(Some(number))
}

async fn shown(
    services: &Services,
    session: Option<&Session>,
    version: Option<i64>,
    compare: Option<i64>,
) -> Result<Shown, Error> {
    let (engine, ctx) = (&services.engine, &services.ctx);
    let page = engine.policy_page(ctx, version, compare).await?;
    let kept = match page.may_change {
        true => PolicyDraft::get(session).await,
        false => None,
    };
    let waiting = kept.is_some() && (version.is_some() || compare.is_some());
    let drafted = match kept.filter(|_| !waiting) {
        None => None,
        Some(draft) => {
            let report = engine.check_policy(ctx, &draft.source).await?;
            let wrong = Wrong::of(&draft.source, &policy_mistakes(&draft.source), &report.mistakes);
            Some(Drafted { draft, report, wrong })
        }
    };
    // A prefetch must not consume the message.
    let said = match services.prefetch {
        true => None,
        false => SettingsPage::Policy.take_message(session).await,
    };
    Ok(Shown {
        page,
        compare,
        drafted,
        waiting,
        said,
    })
}

fn render(shown: Shown) -> AnyView {
    let Shown {
        page,
        compare,
        drafted,
        waiting,
        said,
    } = shown;
    let today = page.today;
    let in_force = page.versions.iter().find(|version| version.version == today).cloned();
    let is_draft = drafted.is_some();
    let heading = match is_draft {
        true => "Draft, not active".to_owned(),
        false if page.version == today => format!("Version {today}, active"),
        false => format!("Version {}, not active", page.version),
    };
    let version = page.version;
    let (mistakes, since, report) = match &drafted {
        None => (Vec::new(), None, None),
        Some(one) => (
            one.wrong.clone(),
            (one.draft.base != today).then_some(one.draft.base),
            one.wrong.is_empty().then(|| one.report.clone()),
        ),
    };
    let text = if page.may_change {
        let draft = drafted.map_or_else(
            || PolicyDraft {
                source: page.source.clone(),
                ..PolicyDraft::default()
            },
            |one| one.draft,
        );
        view! { <PolicyForm draft today is_draft wrong=!mistakes.is_empty() /> }.into_any()
    } else {
        view! { <CodeBlock text=PlainText::from(&page.source) what="the policy" /> }.into_any()
    };
    view! {
        <PageTitle text="Policy" />
        <div class="page policy">
            <div class="policy-head">
                <h1>"Policy"</h1>
                {in_force.map(in_force_line)}
            </div>
            {said.map(|outcome| view! { <Message outcome /> })}
            {page.waiting.into_iter().map(waiting_line(page.may_change)).collect_view()}
            {waiting
                .then(|| {
                    view! {
                        <p class="outcome">
                            "You have a draft that is not active yet. " <a href="/settings/policy">"Continue with your draft"</a>
                            ". Checking or activating the text below replaces it."
                        </p>
                    }
                })}
            {since.map(since_line(today))}
            <Mistakes mistakes />
            <section class="card policy-text" aria-labelledby="text">
                <h2 id="text">{heading}</h2>
                {text}
            </section>
            <div class="policy-beside">
                {report.map(|report| view! { <Report report today /> })}
                {compare
                    .map(|other| {
                        view! {
                            <section class="card" aria-labelledby="difference">
                                <h2 id="difference">"Compare v" {other} " and v" {version}</h2>
                                <Difference lines=page.difference />
                            </section>
                        }
                    })}
                <Versions versions=page.versions today shown=(!is_draft).then_some(version) />
            </div>
        </div>
    }
    .into_any()
}

fn in_force_line(version: PolicyVersion) -> AnyView {
    let number = version.version;
    match version.at {
        None => view! { <p>"Version " {number} " is active: the built-in policy. Everyone can read it; operators can change it."</p> }
            .into_any(),
        Some(at) => view! {
            <p>
                "Version " {number} " is active, activated by " <bdi>{version.by}</bdi> " " <RelativeTime when=at />
                ". Everyone can read it; operators can change it."
            </p>
        }
        .into_any(),
    }
}

/// A request for a new policy that waits for a second operator.
fn waiting_line(may_change: bool) -> impl Fn(String) -> AnyView {
    move |id| {
        let named = match may_change {
            true => {
                let address = format!("{}#{id}", SettingsPage::Requests.path());
                view! { <a href=address>{id}</a> }.into_any()
            }
            false => id.into_any(),
        };
        view! { <p class="outcome">"Request " {named} " for a new policy is waiting for a second operator."</p> }
            .into_any()
    }
}

/// The notice that another version was activated after the draft was started.
fn since_line(today: i64) -> impl Fn(i64) -> AnyView {
    move |base| {
        view! {
            <p class="outcome outcome-since">
                "You started from version " {base} "; version " {today} " has been activated since. "
                <a href=address(today, Some(base))>"See what it changed"</a>
                ". Activating your draft would replace version " {today} "."
            </p>
        }
        .into_any()
    }
}
