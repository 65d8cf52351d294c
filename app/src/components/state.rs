//! States, risks and verdicts: always a word and an icon, never a colour alone. The style sheet draws the icon that belongs to a class
//! (`style/components/icons.css`), so that pages contain no drawings.

use leptos::either::Either;
use leptos::prelude::*;
use loopiq::domain::{Risk, State, Verdict, VerdictCounts};
use loopiq::views::Label;

/// The state of an action.
#[component]
pub(crate) fn StateBadge(
    /// The state.
    state: State,
) -> impl IntoView {
    let class = match state {
        State::PendingApproval => "badge pending",
        State::Approved => "badge approved",
        State::Executed => "badge executed",
        State::Rejected => "badge rejected",
        State::Failed => "badge failed",
    };
    view! { <span class=class>{state.label()}</span> }
}

/// The risk of an action: `Medium risk`.
#[component]
pub(crate) fn RiskBadge(
    /// The risk class.
    risk: Risk,
) -> impl IntoView {
    view! { <span class=risk_class(risk)>{format!("{} risk", risk.label())}</span> }
}

/// The class of a risk.
pub(crate) fn risk_class(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "risk low",
        Risk::Medium => "risk medium",
        Risk::High => "risk high",
    }
}

/// The class of a verdict.
pub(crate) fn verdict_class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "verdict pass",
        Verdict::Unknown => "verdict unknown",
        Verdict::Warn => "verdict warn",
        Verdict::Block => "verdict block",
    }
}

/// How many checks block, warn and passed, in one column each. The columns are one image to a screen reader, whose name says what each
/// number counts. A zero is greyed out.
#[component]
pub(crate) fn Counts(
    /// The counts.
    counts: VerdictCounts,
) -> impl IntoView {
    let VerdictCounts { block, warn, pass } = counts;
    let warnings = if warn == 1 { "warning" } else { "warnings" };
    let name = format!("{block} blocking, {warn} {warnings}, {pass} passed");
    view! {
        <span class="counts" role="img" aria-label=name>
            {count(block)}
            {count(warn)}
            {count(pass)}
        </span>
    }
}

fn count(count: u32) -> impl IntoView {
    match count {
        0 => Either::Left(view! { <span>0</span> }),
        count => Either::Right(view! { <b>{count}</b> }),
    }
}
