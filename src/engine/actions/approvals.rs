//! Who has approved an action so far, and what the policies make of it.

use crate::domain::*;
use crate::engine::Error;
use crate::engine::admin::identity;
use crate::engine::policy_cache::PolicyCache;
use crate::policy::{Decider, Missing, Policies, PolicyInput, RiskInput};
use crate::store::{ActionRow, DecisionRow, ReadTx};

/// What an action would do, as a policy looks at it.
pub(crate) fn risk_input<'a>(action: &'a ActionRow, envelope: &'a Envelope) -> RiskInput<'a> {
    RiskInput {
        tool: &action.tool,
        tool_risk: action.tool_risk,
        max_severity: action.max_severity,
        payload: &envelope.payload,
    }
}

/// The approvals of an action, and the policies that count them.
pub(crate) struct Approvals {
    /// Who it was proposed for.
    caller: Human,
    /// Who took parts out of it.
    pruner: Option<Human>,
    /// Why whoever looks decides nothing before operators have said whose account it is.
    pub unresolved: Option<String>,
    /// Why nobody approves or runs it before operators have said whose account it was proposed or pruned with.
    pub party_unresolved: Option<&'static str>,
    /// Both policies.
    pub policies: Policies,
    /// The decisions to approve exactly this envelope, in order.
    pub given: Vec<DecisionRow>,
    /// Who made them, as they are today: an approval of somebody who has lost the right to it counts no more, nor one of an account that operators have to
    /// identify first.
    pub approvers: Vec<Decider>,
    /// Whoever looks at it or decides.
    pub me: Option<Decider>,
}

impl Approvals {
    /// The votes so far. `me`: whoever looks or decides.
    pub(crate) async fn of(
        tx: &mut ReadTx,
        book: &PolicyCache,
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
        let parties = [Some(&action.caller_id), action.pruned_by.as_ref(), me];
        let ids = approvals.iter().map(|one| one.person_id.as_str());
        let ids: Vec<&str> = ids.chain(parties.into_iter().flatten().map(PersonId::as_str)).collect();
        let deciders = tx.deciders_by_id(&ids).await?;
        let of = |id: &PersonId| deciders.iter().find(|member| member.person.id == *id).cloned();
        let human = |id: &PersonId| of(id).map(|member| member.human);
        let unresolved = match me {
            Some(me) => tx.unresolved(me).await?,
            None => None,
        };
        // The human behind an account that is not identified could decide what they asked for, with another account of theirs.
        let mut party_unresolved = None;
        for party in [Some(&action.caller_id), action.pruned_by.as_ref()]
            .into_iter()
            .flatten()
        {
            if tx.unresolved(party).await?.is_some() {
                party_unresolved = Some(identity::PARTY_NOT_RESOLVED);
            }
        }
        // Nor does an approval count that was given with such an account.
        let mut identified = Vec::new();
        for approval in &approvals {
            if tx.unresolved(&approval.person_id).await?.is_none() {
                identified.extend(of(&approval.person_id));
            }
        }
        let gone = || Error::internal("an action without its caller");
        Ok(Self {
            unresolved: unresolved.as_ref().map(identity::not_resolved),
            party_unresolved,
            caller: human(&action.caller_id).ok_or_else(gone)?,
            pruner: action.pruned_by.as_ref().and_then(human),
            approvers: identified,
            me: me.and_then(of),
            policies,
            given: approvals,
        })
    }

    /// The action as a policy looks at it.
    pub(crate) fn case<'a>(&'a self, action: &'a ActionRow, envelope: &'a Envelope) -> PolicyInput<'a> {
        PolicyInput {
            risk_input: risk_input(action, envelope),
            caller: &self.caller,
            pruner: self.pruner.as_ref(),
        }
    }

    /// The approval of whoever looks or decides, with whichever account they gave it.
    pub(crate) fn mine(&self) -> Option<&DecisionRow> {
        let me = self.me.as_ref()?;
        let mine = self.approvers.iter().find(|one| one.human == me.human)?;
        self.given.iter().find(|one| one.person_id == mine.person.id)
    }

    /// What is still missing.
    pub(crate) fn missing(&self, case: &PolicyInput<'_>) -> Vec<Missing> {
        self.policies.missing(&self.approvers, case)
    }

    /// What would be missing if whoever decides approved as well.
    pub(crate) fn missing_with_me(&self, case: &PolicyInput<'_>) -> Vec<Missing> {
        let with = self.approvers.iter().chain(&self.me).cloned().collect::<Vec<_>>();
        self.policies.missing(&with, case)
    }

    /// Why whoever looks may not decide it; `None`: they may.
    pub(crate) fn refuses_me(&self, case: &PolicyInput<'_>) -> Option<String> {
        match &self.me {
            Some(me) => self.unresolved.clone().or_else(|| self.policies.refuses(me, case)),
            None => Some("Only a person in a browser decides and executes.".to_owned()),
        }
    }

    /// Why another approval of whoever looks would not count, although they may decide.
    pub(crate) fn why_approval_does_not_count(&self, case: &PolicyInput<'_>) -> Option<String> {
        let me = self.me.as_ref()?;
        if let Some(why) = self.party_unresolved {
            return Some(why.to_owned());
        }
        // Whoever may decide says so that it goes on, where policy or people have changed so that nothing is missing any more.
        if self.missing(case).is_empty() {
            return None;
        }
        if let Some(mine) = self.mine() {
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
pub(crate) fn still_missing(missing: &[Missing]) -> String {
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
