//! The approvals of a pending action, and the consequences of a high-risk action.

use crate::components::time::RelativeTime;
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::views::ApprovalsView;

/// The consequences of an action of high risk.
#[component]
pub(crate) fn Stakes(lines: Vec<PlainText>) -> impl IntoView {
    view! {
        <section class="card stakes" aria-labelledby="stakes">
            <h2 id="stakes">"High risk: consequences"</h2>
            <ul>{lines.into_iter().map(|line| view! { <li><bdi>{line}</bdi></li> }).collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// The approvals that were given, and those that are still needed.
#[component]
pub(super) fn Approvals(approvals: ApprovalsView) -> impl IntoView {
    let (today, then) = approvals.versions;
    let policy = match then {
        None => format!("policy v{today}"),
        Some(then) => format!("policy v{today} (v{then} when proposed)"),
    };
    let given = approvals.given.into_iter().map(|(who, at)| {
        view! {
            <li>
                <strong><bdi>{who}</bdi></strong>
                " approved "
                <RelativeTime when=at />
            </li>
        }
    });
    let missing = approvals.missing.into_iter().map(|one| {
        let needs = match one.approvals {
            1 => "1 approval".to_owned(),
            many => format!("{many} approvals"),
        };
        let could = match one.who_could.as_slice() {
            [] => "nobody who has signed in so far".to_owned(),
            [only] => only.to_string(),
            [some @ .., last] => {
                let some: Vec<&str> = some.iter().map(PlainText::as_str).collect();
                format!("{} or {last}", some.join(", "))
            }
        };
        view! {
            <li>
                "Needs " {needs} " from " <strong><bdi>{one.group}</bdi></strong> " (" <bdi>{could}</bdi> ")."
            </li>
        }
    });
    view! {
        <div class="approvals">
            <ul>{given.collect_view()} {missing.collect_view()}</ul>
            <p class="quiet">"Rule: " <bdi>{approvals.rule}</bdi> " · " {policy}</p>
        </div>
    }
    .into_any()
}
