//! What has changed since the viewer opened the action, or since it was approved: verdicts and fields.

use crate::domain::*;
use crate::engine::pages::action::sections::plain;
use crate::engine::pages::record_names::RecordNames;
use crate::views::{ChangesSinceView, When};

/// The snapshot to compare with, and its time.
pub(crate) struct Baseline {
    what: &'static str,
    at: Timestamp,
    pub shown: PageSnapshot,
}

impl Baseline {
    /// For a pending action, the viewer's last visit; for an approved or failed one, its approval. Rejected and
    /// executed actions do not change.
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
                        facts: approval.snapshot.clone(),
                        sections: Vec::new(),
                    },
                })
            }
            State::Rejected | State::Executed => None,
        }
    }

    /// The differences; `None` without any.
    pub(crate) fn view(
        &self,
        now_shown: &PageSnapshot,
        names: &RecordNames,
        now: Timestamp,
    ) -> Option<ChangesSinceView> {
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
        let view = ChangesSinceView {
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
