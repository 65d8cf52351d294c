//! States, risks and verdicts: always a word and an icon, never a colour alone.

use super::icon::{Icon, Shape};
use leptos::prelude::*;
use loopiq::domain::{Risk, State, Verdict, VerdictCounts};
use loopiq::views::Label;

/// The state of an action.
#[component]
pub(crate) fn StateBadge(
    /// The state.
    state: State,
) -> impl IntoView {
    let (class, shape) = match state {
        State::PendingApproval => ("badge state-pending", Shape::Half),
        State::Approved => ("badge state-approved", Shape::Ring),
        State::Executed => ("badge state-executed", Shape::Tick),
        State::Rejected => ("badge state-rejected", Shape::Cross),
        State::Failed => ("badge state-failed", Shape::Triangle),
    };
    view! {
        <span class=class>
            <Icon shape />
            {state.label()}
        </span>
    }
}

/// The risk of an action.
#[component]
pub(crate) fn RiskBadge(
    /// The risk class.
    risk: Risk,
) -> impl IntoView {
    let (class, shape) = match risk {
        Risk::Low => ("risk risk-low", Shape::Bars(1)),
        Risk::Medium => ("risk risk-medium", Shape::Bars(2)),
        Risk::High => ("risk risk-high", Shape::Bars(3)),
    };
    view! {
        <span class=class>
            <Icon shape />
            <span>{risk.label()} <span class="risk-word">" risk"</span></span>
        </span>
    }
}

/// The class and the shape of a verdict.
pub(crate) fn verdict_look(verdict: Verdict) -> (&'static str, Shape) {
    match verdict {
        Verdict::Pass => ("verdict verdict-pass", Shape::Tick),
        Verdict::Unknown => ("verdict verdict-warn", Shape::Question),
        Verdict::Warn => ("verdict verdict-warn", Shape::Triangle),
        Verdict::Block => ("verdict verdict-block", Shape::Octagon),
    }
}

/// How many checks block, warn and passed, in one column each. A zero is greyed out.
#[component]
pub(crate) fn Counts(
    /// The counts.
    counts: VerdictCounts,
) -> impl IntoView {
    let columns = [
        (Verdict::Block, counts.block, "blocking"),
        (Verdict::Warn, counts.warn, "warnings"),
        (Verdict::Pass, counts.pass, "passed"),
    ];
    view! {
        <span class="counts">
            {columns
                .into_iter()
                .map(|(verdict, count, word)| {
                    let (class, shape) = verdict_look(verdict);
                    view! {
                        <span class=class class:zero=count == 0>
                            <Icon shape />
                            {count}
                            <span class="unseen">" "{word}" "</span>
                        </span>
                    }
                })
                .collect_view()}
        </span>
    }
}
