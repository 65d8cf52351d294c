//! What has changed since somebody opened the action, or since it was approved: verdict by verdict, and field by field.

use crate::domain::*;
use crate::engine::pages::action::sections::plain;
use crate::engine::pages::record_names::RecordNames;
use crate::views::{SinceView, When};

/// The moment that counts, and how things were then.
pub(crate) struct Baseline {
    what: &'static str,
    at: Timestamp,
    pub shown: PageSnapshot,
}

impl Baseline {
    /// While an action waits, what this person saw last counts; afterwards, what its approval rested on. What is rejected or executed
    /// changes no more.
    pub(crate) fn of(
        action: &Action,
        decisions: &[Decision],
        last_seen: Option<&(PageSnapshot, Timestamp)>,
    ) -> Option<Self> {
        match action.state() {
            State::PendingApproval => {
                let (shown, at) = last_seen?;
                Some(Self {
                    what: "you opened it",
                    at: *at,
                    shown: shown.clone(),
                })
            }
            State::Approved | State::Failed => {
                let approval = decisions
                    .iter()
                    .rfind(|decision| decision.kind == DecisionKind::Approve)?;
                Some(Self {
                    what: "it was approved",
                    at: approval.decided_at,
                    shown: PageSnapshot {
                        checks: approval.verdicts.clone(),
                        facts: approval.facts.clone(),
                        parts: Vec::new(),
                    },
                })
            }
            State::Rejected | State::Executed => None,
        }
    }

    /// What is different; `None` if nothing is.
    pub(crate) fn view(&self, now_shown: &PageSnapshot, names: &RecordNames, now: Timestamp) -> Option<SinceView> {
        let speaks = |check: &&Check| check.verdict != Verdict::Pass;
        let without = |these: &[Check], those: &[Check]| -> Vec<Check> {
            let known: Vec<String> = those.iter().map(Check::mark).collect();
            these
                .iter()
                .filter(speaks)
                .filter(|check| !known.contains(&check.mark()))
                .cloned()
                .collect()
        };
        let fields: Vec<_> = self
            .shown
            .facts
            .changed(&now_shown.facts)
            .into_iter()
            .map(|changed| {
                (
                    names.named(&changed.id),
                    changed.field.into(),
                    plain(&changed.then, names),
                    plain(&changed.now, names),
                )
            })
            .collect();
        let view = SinceView {
            what: self.what.into(),
            at: When::new(self.at, now),
            new: without(&now_shown.checks, &self.shown.checks),
            gone: without(&self.shown.checks, &now_shown.checks),
            fields,
        };
        let nothing = view.new.is_empty() && view.gone.is_empty() && view.fields.is_empty();
        (!nothing).then_some(view)
    }
}
