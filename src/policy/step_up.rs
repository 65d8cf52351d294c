//! Step-up authentication: what an approval requires of the approver's sign-in at the identity provider.

use super::{Policies, Policy, RiskInput};
use crate::domain::{PROVIDER_CLOCK_SKEW, ProviderSignIn, Timestamp};

/// What the policies require of the sign-in of a person who approves an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepUp {
    /// The most minutes since the person authenticated.
    pub max_age_minutes: i64,
    /// The accepted ways of authenticating (`acr`); `None` accepts every way. An empty list accepts none: the two policies of an action have
    /// none in common.
    pub acr: Option<Vec<String>>,
}

/// Why a sign-in does not meet the requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmet {
    /// The person signs in again to meet the requirement: why.
    SignInAgain(String),
    /// No sign-in meets the requirement: why.
    Impossible(String),
}

impl StepUp {
    /// What both require together.
    fn and(self, other: StepUp) -> StepUp {
        StepUp {
            max_age_minutes: self.max_age_minutes.min(other.max_age_minutes),
            acr: match (self.acr, other.acr) {
                (Some(one), Some(other)) => Some(one.into_iter().filter(|acr| other.contains(acr)).collect()),
                (one, other) => one.or(other),
            },
        }
    }

    /// When the requirement ends to be met by a person who authenticated at this time.
    pub fn met_until(&self, authenticated: Timestamp) -> Timestamp {
        authenticated.plus(self.max_age_minutes.saturating_mul(Timestamp::MINUTE) + PROVIDER_CLOCK_SKEW)
    }

    /// Why this sign-in does not meet the requirement; `None` if it does. `sign_in`: `None` if the person has no session.
    pub fn unmet(&self, sign_in: Option<&ProviderSignIn>, now: Timestamp) -> Option<Unmet> {
        let within = match self.max_age_minutes {
            1 => "within the last minute".to_owned(),
            minutes => format!("within the last {minutes} minutes"),
        };
        let again = |why: String| Some(Unmet::SignInAgain(why));
        if self.acr.as_ref().is_some_and(Vec::is_empty) {
            return Some(Unmet::Impossible(
                "today's policy and the policy of the time when it was proposed accept no common way of signing in (acr). Reject it, so that \
                 the agent can propose it again"
                    .to_owned(),
            ));
        }
        let Some(sign_in) = sign_in else {
            return again("your session has ended".to_owned());
        };
        match sign_in.authentication() {
            None => {
                return again(format!(
                    "it needs a sign-in {within}, and the identity provider did not say when you signed in"
                ));
            }
            // A time in the future proves nothing about the age.
            Some(at) if at.since(now) > PROVIDER_CLOCK_SKEW => {
                return again(format!(
                    "it needs a sign-in {within}, and the time of yours is in the future by the clock of this service"
                ));
            }
            Some(at) if now > self.met_until(at) => {
                return again(format!(
                    "it needs a sign-in {within}, and you signed in {} ago",
                    age(now.since(at))
                ));
            }
            Some(_) => {}
        }
        let accepted = self.acr.as_ref()?;
        match &sign_in.acr {
            Some(acr) if accepted.contains(acr) => None,
            Some(acr) => again(format!(
                "it needs a sign-in of the kind {} (acr), and yours was of the kind {acr}",
                accepted.join(" or ")
            )),
            None => again(format!(
                "it needs a sign-in of the kind {} (acr), and the identity provider did not say of which kind yours was",
                accepted.join(" or ")
            )),
        }
    }
}

/// `25 minutes`, `3 hours`.
fn age(micros: i64) -> String {
    let (count, unit) = match micros / Timestamp::MINUTE {
        minutes @ ..120 => (minutes, "minute"),
        minutes @ ..2880 => (minutes / 60, "hour"),
        minutes => (minutes / 1440, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

impl Policy {
    /// What the policy requires of the sign-in of a person who approves the action; `None` if it requires nothing.
    pub fn step_up(&self, risk_input: &RiskInput<'_>) -> Option<StepUp> {
        let rules = &self.rules.step_up;
        rules.risk.contains(&self.risk_class(risk_input)).then(|| StepUp {
            max_age_minutes: rules.max_age_minutes,
            acr: (!rules.acr.is_empty()).then(|| rules.acr.clone()),
        })
    }
}

impl Policies {
    /// What both policies require together: the shorter time, and the ways of authenticating that both accept.
    pub fn step_up(&self, risk_input: &RiskInput<'_>) -> Option<StepUp> {
        self.each()
            .filter_map(|policy| policy.step_up(risk_input))
            .reduce(StepUp::and)
    }
}

#[cfg(test)]
mod tests;
