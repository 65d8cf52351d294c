//! The approvals of an action so far, and what the policies make of them.

use crate::domain::*;
use crate::engine::Error;
use crate::engine::admin::identity;
use crate::engine::policy_cache::PolicyCache;
use crate::policy::{Decider, Missing, Policies, PolicyInput, RiskInput};
use crate::store::ReadTx;

/// The action as the policy's risk rules see it.
pub(crate) fn risk_input<'a>(action: &'a Action, envelope: &'a Envelope) -> RiskInput<'a> {
    RiskInput {
        tool: &action.proposal.tool,
        tool_risk: action.judgement.tool_risk,
        max_severity: action.judgement.max_severity,
        payload: &envelope.payload,
    }
}

/// The approvals of an action, and the policies that count them.
pub(crate) struct Approvals {
    /// The human it was proposed for.
    caller: Human,
    /// The human who left parts out of it.
    pruner: Option<Human>,
    /// Why the acting person decides nothing before operators have identified the account.
    pub unresolved: Option<String>,
    /// Why nobody approves or runs it before operators have identified the account of its caller or pruner.
    pub party_unresolved: Option<&'static str>,
    /// The policy at the time of the proposal, and the current one.
    pub policies: Policies,
    /// The decisions to approve exactly this envelope, oldest first.
    pub given: Vec<Decision>,
    /// The people who gave them, with their current roles. An approval does not count when its account still has to be identified.
    pub approvers: Vec<Decider>,
    /// People whose approval does not count until they sign in again, because the identity provider confirmed their roles too long ago.
    pub lapsed: Vec<Decider>,
    /// The acting person.
    pub me: Option<Decider>,
}

impl Approvals {
    /// Loads the approvals among these decisions. `me`: the acting person.
    pub(crate) async fn load(
        tx: &mut ReadTx,
        policies: &PolicyCache,
        action: &Action,
        decisions: &[Decision],
        me: Option<&PersonId>,
    ) -> Result<Self, Error> {
        let given: Vec<Decision> = decisions
            .iter()
            .filter(|decision| decision.kind == DecisionKind::Approve && decision.digest == action.proposal.digest)
            .cloned()
            .collect();
        let parties: Vec<&PersonId> = [Some(&action.origin.caller_id), action.origin.pruned_by.as_ref()]
            .into_iter()
            .flatten()
            .collect();
        let ids = given.iter().map(|approval| &approval.person_id);
        let ids: Vec<&str> = ids
            .chain(parties.iter().copied())
            .chain(me)
            .map(PersonId::as_str)
            .collect();
        let deciders = tx.deciders_by_id(&ids).await?;
        let decider = |id: &PersonId| deciders.iter().find(|decider| decider.person.id == *id).cloned();
        let human = |id: &PersonId| decider(id).map(|decider| decider.human);
        let unresolved = match me {
            Some(me) => tx.unresolved(me).await?,
            None => None,
        };
        // The human behind an account that is not identified could approve a proposal of their own with another account.
        let mut party_unresolved = None;
        for party in parties {
            if tx.unresolved(party).await?.is_some() {
                party_unresolved = Some(identity::PARTY_NOT_RESOLVED);
            }
        }
        let (mut approvers, mut lapsed) = (Vec::new(), Vec::new());
        let (now, max_age) = (tx.ctx().now(), policies.roles_max_age());
        let accounts = tx.accounts(&ids).await?;
        let too_old = |id: &PersonId| {
            let account = accounts.iter().find(|account| account.person.id == *id)?;
            (!roles_are_current(account.asserted_at, now, max_age)).then_some(account.asserted_at)
        };
        for approval in &given {
            let id = &approval.person_id;
            if tx.unresolved(id).await?.is_some() {
                continue;
            }
            match too_old(id) {
                None => approvers.extend(decider(id)),
                Some(_) => lapsed.extend(decider(id)),
            }
        }
        let too_old = me.and_then(too_old).map(|at| identity::roles_too_old(at, max_age));
        let missing_caller = || Error::internal("an action without its caller");
        Ok(Self {
            unresolved: unresolved.as_ref().map(identity::not_resolved).or(too_old),
            party_unresolved,
            caller: human(&action.origin.caller_id).ok_or_else(missing_caller)?,
            pruner: action.origin.pruned_by.as_ref().and_then(human),
            approvers,
            lapsed,
            me: me.and_then(decider),
            policies: policies.for_action(tx, action).await?,
            given,
        })
    }

    /// The action as a policy sees it.
    pub(crate) fn policy_input<'a>(&'a self, action: &'a Action, envelope: &'a Envelope) -> PolicyInput<'a> {
        PolicyInput {
            risk_input: risk_input(action, envelope),
            caller: &self.caller,
            pruner: self.pruner.as_ref(),
        }
    }

    /// The approval that the acting person gave, with any account.
    pub(crate) fn mine(&self) -> Option<&Decision> {
        let me = self.me.as_ref()?;
        let mine = self.approvers.iter().find(|approver| approver.human == me.human)?;
        self.given.iter().find(|approval| approval.person_id == mine.person.id)
    }

    /// Why the action does not run, if only an approval is missing that counts again once its person has signed in.
    pub(crate) fn lapsed_approval(&self, input: &PolicyInput<'_>) -> Option<String> {
        let first = self.lapsed.first()?;
        let with_lapsed: Vec<Decider> = self.approvers.iter().chain(&self.lapsed).cloned().collect();
        let helps = !self.missing(input).is_empty() && self.policies.missing(&with_lapsed, input).is_empty();
        helps.then(|| {
            format!(
                "The identity provider has not confirmed the roles of {} for too long, so that the approval does not count. It counts again as \
                 soon as {} has signed in.",
                first.person.name, first.person.name
            )
        })
    }

    /// Whether an approval acknowledged this warning.
    pub(crate) fn acknowledge(&self, warning: &Check) -> bool {
        self.given.iter().any(|approval| approval.acknowledges(warning))
    }

    /// The approvals that are still missing.
    pub(crate) fn missing(&self, input: &PolicyInput<'_>) -> Vec<Missing> {
        self.policies.missing(&self.approvers, input)
    }

    /// The approvals that would be missing if the acting person approved as well.
    pub(crate) fn missing_with_me(&self, input: &PolicyInput<'_>) -> Vec<Missing> {
        let with_me = self.approvers.iter().chain(&self.me).cloned().collect::<Vec<_>>();
        self.policies.missing(&with_me, input)
    }

    /// Why the acting person may not decide the action; `None` if the person may.
    pub(crate) fn refuses_me(&self, input: &PolicyInput<'_>) -> Option<String> {
        match &self.me {
            Some(me) => self.unresolved.clone().or_else(|| self.policies.refuses(me, input)),
            None => Some("Only a person in a browser decides and executes.".to_owned()),
        }
    }

    /// Why an approval of the acting person would not count, although the person may decide.
    pub(crate) fn why_approval_does_not_count(&self, input: &PolicyInput<'_>) -> Option<String> {
        let me = self.me.as_ref()?;
        if let Some(why) = self.party_unresolved {
            return Some(why.to_owned());
        }
        let missing = self.missing(input);
        // A reviewer may approve again where a change of policy or roles has left the action pending with nothing missing: that
        // approval makes it Approved.
        if missing.is_empty() {
            return None;
        }
        if let Some(mine) = self.mine() {
            let when = mine.decided_at.minute();
            return Some(format!("You approved it on {when}. {}", still_missing(&missing)));
        }
        (!self.policies.would_help(&self.approvers, me, input))
            .then(|| format!("Your approval would not count. {}", still_missing(&missing)))
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
