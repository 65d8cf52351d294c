//! Who has approved a pending action and who could, and what an action of high risk would do.

use crate::components::when::Ago;
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::views::ApprovalsView;

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

/// Approvals given, and approvals that are still missing.
#[component]
pub(super) fn Approvals(approvals: ApprovalsView) -> impl IntoView {
    let (today, then) = approvals.versions;
    let policy = match then {
        None => format!("by the policy's version {today}"),
        Some(then) => format!("by the policy's version {today}, and by version {then}, of the day it was proposed"),
    };
    let given = approvals.given.into_iter().map(|(who, at)| {
        view! {
            <li>
                <strong><bdi>{who}</bdi></strong>
                " approved it "
                <Ago when=at />
            </li>
        }
    });
    let missing = approvals.missing.into_iter().map(|one| {
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
        <div class="approvals">
            <ul>{given.collect_view()} {missing.collect_view()}</ul>
            <p class="quiet">"Rule \"" <bdi>{approvals.rule}</bdi> "\", " {policy} "."</p>
        </div>
    }
    .into_any()
}
