//! Who has approved an action so far, and what the policies make of it.

use super::super::Error;
use super::super::book::Book;
use crate::domain::*;
use crate::policy::{Case, Member, Missing, Policies};
use crate::store::{ActionRow, DecisionRow, ReadTx};

/// An action as a policy looks at it.
pub(in super::super) fn case<'a>(action: &'a ActionRow, envelope: &'a Envelope) -> Case<'a> {
    Case {
        tool: &action.tool,
        own: action.own_risk,
        gravest: action.gravest,
        payload: &envelope.payload,
        caller: &action.caller_id,
        pruner: action.pruned_by.as_ref(),
    }
}

/// The approvals of an action, and the policies that count them.
pub(in super::super) struct Votes {
    /// Both policies.
    pub policies: Policies,
    /// The decisions to approve exactly this envelope, in order.
    pub approvals: Vec<DecisionRow>,
    /// Who made them, as they are today: an approval of somebody who has lost the right to it counts no more.
    pub approvers: Vec<Member>,
    /// Whoever looks at it or decides.
    pub me: Option<Member>,
}

impl Votes {
    /// The votes so far. `me`: whoever looks or decides.
    pub(in super::super) async fn of(
        tx: &mut ReadTx,
        book: &Book,
        action: &ActionRow,
        decisions: &[DecisionRow],
        me: Option<&PersonId>,
    ) -> Result<Self, Error> {
        let policies = book.of(tx, action).await?;
        let approvals: Vec<DecisionRow> = decisions
            .iter()
            .filter(|decision| decision.kind == "approve" && decision.digest == action.digest)
            .cloned()
            .collect();
        let ids = approvals.iter().map(|one| one.person_id.as_str());
        let ids: Vec<&str> = ids.chain(me.map(PersonId::as_str)).collect();
        let members = if ids.is_empty() {
            Vec::new()
        } else {
            tx.members(&ids).await?
        };
        let of = |id: &PersonId| members.iter().find(|member| member.person.id == *id).cloned();
        Ok(Self {
            approvers: approvals.iter().filter_map(|one| of(&one.person_id)).collect(),
            me: me.and_then(of),
            policies,
            approvals,
        })
    }

    /// What is still missing.
    pub(in super::super) fn missing(&self, case: &Case<'_>) -> Vec<Missing> {
        self.policies.missing(&self.approvers, case)
    }

    /// What would be missing if whoever decides approved as well.
    pub(super) fn missing_with_me(&self, case: &Case<'_>) -> Vec<Missing> {
        let with = self.approvers.iter().chain(&self.me).cloned().collect::<Vec<_>>();
        self.policies.missing(&with, case)
    }

    /// Why whoever looks may not decide it; `None`: they may.
    pub(in super::super) fn refuses_me(&self, case: &Case<'_>) -> Option<String> {
        match &self.me {
            Some(me) => self.policies.refuses(me, case),
            None => Some("Only a person in a browser decides and executes.".to_owned()),
        }
    }

    /// Why another approval of whoever looks would not count, although they may decide.
    pub(in super::super) fn idle_me(&self, case: &Case<'_>) -> Option<String> {
        let me = self.me.as_ref()?;
        // Whoever may decide says so that it goes on, where policy or people have changed so that nothing is missing any more.
        if self.missing(case).is_empty() {
            return None;
        }
        if let Some(mine) = self.approvals.iter().find(|one| one.person_id == me.person.id) {
            return Some(format!(
                "You approved it on {}. {}",
                mine.decided_at.minute(),
                still_missing(&self.missing(case))
            ));
        }
        (!self.policies.would_help(&self.approvers, me, case))
            .then(|| format!("Your approval would not count. {}", still_missing(&self.missing(case))))
    }
}

/// `1 more approval is needed: Checkout.`
pub(super) fn still_missing(missing: &[Missing]) -> String {
    let count: usize = missing.iter().map(|one| one.approvals).sum();
    let groups: Vec<String> = missing
        .iter()
        .map(|one| match one.approvals {
            1 => one.group.clone(),
            many => format!("{many} of {}", one.group),
        })
        .collect();
    match count {
        0 => "No more approval is needed.".to_owned(),
        1 => format!("1 more approval is needed: {}.", groups.join(", ")),
        _ => format!("{count} more approvals are needed: {}.", groups.join(", ")),
    }
}
