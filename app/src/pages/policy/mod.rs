//! The policy: what is in force, what was, and for operators the way to another one.

mod form;
mod report;
mod versions;

use self::form::PolicyForm;
use self::report::{Mistakes, Report, Wrong};
use self::versions::{Versions, address};
use super::load::loaded;
use crate::components::code::CodeBlock;
use crate::components::difference::Difference;
use crate::components::said::Said;
use crate::components::title::PageTitle;
use crate::components::when::Ago;
use crate::policy_draft::PolicyDraft;
use crate::said::Page;
use crate::services::Services;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use loopiq::domain::PlainText;
use loopiq::engine::{Error, policy_mistakes};
use loopiq::views::{self, Outcome, PolicyReport, PolicyVersion};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

/// A draft with what it would mean today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Drafted {
    draft: PolicyDraft,
    report: PolicyReport,
    wrong: Vec<Wrong>,
}

/// All that the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    page: views::PolicyPage,
    /// The version that it is compared with.
    compare: Option<i64>,
    /// The draft, where the address names no version.
    drafted: Option<Drafted>,
    /// Whether a draft is kept that the page does not show.
    waiting: bool,
    said: Option<Outcome>,
}

/// `/settings/policy`.
#[component]
pub(crate) fn PolicyPage() -> impl IntoView {
    let map = use_query_map().get_untracked();
    let (version, compare) = (map.get("version"), map.get("compare"));
    let session = use_context::<Session>();
    loaded(
        move |services| {
            let (version, compare, session) = (version.clone(), compare.clone(), session.clone());
            async move {
                let (version, compare) = (number("version", version)?, number("compare", compare)?);
                shown(&services, session.as_ref(), version, compare).await
            }
        },
        render,
    )
}

/// A parameter that is the number of a version; one that is empty is none.
fn number(name: &str, value: Option<String>) -> Result<Option<i64>, Error> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let number = value.parse().map_err(|_| Error::Setting {
        message: format!("{name} wants the number of a version of the policy."),
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
    // What a browser fetches in advance nobody has seen: it must not use up the message.
    let said = match services.prefetch {
        true => None,
        false => Page::Policy.said(session).await,
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
        true => "Draft, not in force".to_owned(),
        false if page.version == today => format!("Version {today}, in force"),
        false => format!("Version {}, not in force", page.version),
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
            {said.map(|outcome| view! { <Said outcome /> })}
            {page.waiting.into_iter().map(waiting_line(page.may_change)).collect_view()}
            {waiting
                .then(|| {
                    view! {
                        <p class="outcome">
                            "You have a draft that is not in force. " <a href="/settings/policy">"Go on with your draft"</a>
                            ". Checking or switching on the text below takes its place."
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
                                <h2 id="difference">"From version " {other} " to version " {version}</h2>
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
        None => view! { <p>"Version " {number} " is in force: the policy that is built in. Everybody can read it; operators change it."</p> }
            .into_any(),
        Some(at) => view! {
            <p>
                "Version " {number} " is in force, switched on by " <bdi>{version.by}</bdi> " " <Ago when=at />
                ". Everybody can read it; operators change it."
            </p>
        }
        .into_any(),
    }
}

/// Another policy waits for a second operator.
fn waiting_line(may_change: bool) -> impl Fn(String) -> AnyView {
    move |id| {
        let named = match may_change {
            true => {
                let address = format!("{}#{id}", Page::Requests.path());
                view! { <a href=address>{id}</a> }.into_any()
            }
            false => id.into_any(),
        };
        view! { <p class="outcome">"Request " {named} " for another policy waits for a second operator."</p> }
            .into_any()
    }
}

/// Somebody has switched on another version since the draft was begun.
fn since_line(today: i64) -> impl Fn(i64) -> AnyView {
    move |base| {
        view! {
            <p class="outcome outcome-since">
                "You began with version " {base} ", and version " {today} " was switched on since. "
                <a href=address(today, Some(base))>"See what it changed"</a>
                ". Switching your draft on would put it in the place of version " {today} "."
            </p>
        }
        .into_any()
    }
}
