//! Who has decided and who could, what stands first for high risk, questions, and the other actions that this one has to do with.

use crate::components::compared::{Compared, compared_row};
use crate::components::record::RecordLink;
use crate::components::state::StateBadge;
use crate::components::when::Ago;
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::views::{QuestionView, Related, Revision, StandingView};

/// What an action of high risk waives, closes or opens.
#[component]
pub(crate) fn Stakes(lines: Vec<PlainText>) -> impl IntoView {
    view! {
        <section class="card stakes" aria-labelledby="stakes">
            <h2 id="stakes">"High risk: what it does"</h2>
            <ul>{lines.into_iter().map(|line| view! { <li><bdi>{line}</bdi></li> }).collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// Votes, and what is still missing.
#[component]
pub(super) fn Standing(standing: StandingView) -> impl IntoView {
    let (today, then) = standing.versions;
    let policy = match then {
        None => format!("by the policy's version {today}"),
        Some(then) => format!("by the policy's version {today}, and by version {then}, of the day it was proposed"),
    };
    let votes = standing.votes.into_iter().map(|(who, at)| {
        view! {
            <li>
                <strong><bdi>{who}</bdi></strong>
                " approved it "
                <Ago when=at />
            </li>
        }
    });
    let missing = standing.missing.into_iter().map(|one| {
        let needs = match one.approvals {
            1 => "1 approval".to_owned(),
            many => format!("{many} approvals"),
        };
        let could = if one.who_could.is_empty() {
            "Nobody who has signed in so far could give it.".to_owned()
        } else {
            format!(
                "{} could.",
                one.who_could
                    .iter()
                    .map(PlainText::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        };
        view! {
            <li>
                "Missing: " {needs} " of " <strong><bdi>{one.group}</bdi></strong> ". " <bdi>{could}</bdi>
            </li>
        }
    });
    view! {
        <div class="standing">
            <ul>{votes.collect_view()} {missing.collect_view()}</ul>
            <p class="quiet">"Rule \"" <bdi>{standing.rule}</bdi> "\", " {policy} "."</p>
        </div>
    }
    .into_any()
}

/// Questions and answers.
#[component]
pub(super) fn Questions(questions: Vec<QuestionView>) -> impl IntoView {
    let items = questions.into_iter().map(|one| {
        let answer = match one.answer {
            Some((words, at)) => view! {
                <blockquote class="prose" dir="auto">{words}</blockquote>
                <p class="quiet">"answered " <Ago when=at /></p>
            }
            .into_any(),
            None => view! { <p class="quiet">"No answer yet."</p> }.into_any(),
        };
        view! {
            <li>
                <p><strong dir="auto">{one.question}</strong></p>
                <p class="quiet">"asked by " <bdi>{one.by}</bdi> " " <Ago when=one.at /></p>
                {answer}
            </li>
        }
    });
    view! {
        <section class="card" aria-labelledby="questions">
            <h2 id="questions">"Questions"</h2>
            <ul class="questions">{items.collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// Other actions, in a line each.
#[component]
pub(super) fn RelatedActions(related: Vec<Related>) -> impl IntoView {
    let items = related.into_iter().map(|one| {
        view! {
            <li>
                <span class="quiet">{one.how} ": "</span>
                <RecordLink record=one.action />
                " "
                <StateBadge state=one.state />
            </li>
        }
    });
    view! {
        <section class="card" aria-labelledby="related">
            <h2 id="related">"Other actions"</h2>
            <ul class="related">{items.collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// How it differs from an earlier proposal.
#[component]
pub(super) fn Revisions(revisions: Vec<Revision>) -> impl IntoView {
    let tables = revisions.into_iter().enumerate().map(|(n, one)| {
        let heads = ["Before", "Now"].map(PlainText::from);
        let rows = one.rows.into_iter().map(|(place, before, after)| {
            let value = |text: PlainText, gone: bool| match (text.is_empty(), gone) {
                (true, _) => view! { <span class="quiet">"nothing"</span> }.into_any(),
                (false, true) => view! { <del dir="auto">{text}</del> }.into_any(),
                (false, false) => view! { <ins dir="auto">{text}</ins> }.into_any(),
            };
            let place = view! { <code>{place}</code> }.into_any();
            compared_row(place, &heads, [value(before, true), value(after, false)], false)
        });
        let rows = rows.collect::<Vec<_>>();
        let none = rows.is_empty();
        let id = format!("revision-{n}");
        let labelled = id.clone();
        view! {
            <section class="card" aria-labelledby=labelled>
                <h2 id=id>{one.title}</h2>
                <p><RecordLink record=one.action /></p>
                {one.said.map(|said| view! { <blockquote class="prose" dir="auto">{said}</blockquote> })}
                {if none {
                    view! { <p class="quiet">"Nothing in the payload differs."</p> }.into_any()
                } else {
                    view! { <Compared class="changes" heads rows /> }.into_any()
                }}
            </section>
        }
    });
    tables.collect_view()
}
