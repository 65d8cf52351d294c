//! The five states of an action, and what may follow what.

use serde::{Deserialize, Serialize};

/// The state of an action. There are exactly five.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "engine", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "engine", schemars(inline))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The payload is prepared and has not been executed.
    PendingApproval,
    /// Reviewers accepted the payload.
    Approved,
    /// A reviewer rejected it, or its reason code says expired, withdrawn, superseded or revoked. Final.
    Rejected,
    /// The service completed it. Final.
    Executed,
    /// The service could not complete it; nothing was written. Final.
    Failed,
}

/// A command that the state of the action does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an action that is {} cannot be {command}", .from.as_str().replace('_', " "))]
pub struct InvalidTransition {
    /// The state the action is in.
    pub from: State,
    /// The command, as a participle: `approved`.
    pub command: &'static str,
}

impl State {
    /// Every state, in the order a reader expects.
    pub const ALL: [State; 5] = [
        State::PendingApproval,
        State::Approved,
        State::Rejected,
        State::Executed,
        State::Failed,
    ];

    /// Stable name, as in the database and for agents.
    pub fn as_str(self) -> &'static str {
        match self {
            State::PendingApproval => "pending_approval",
            State::Approved => "approved",
            State::Rejected => "rejected",
            State::Executed => "executed",
            State::Failed => "failed",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<State> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the state can never change again.
    pub fn is_final(self) -> bool {
        matches!(self, State::Rejected | State::Executed | State::Failed)
    }

    fn step(self, from: State, to: State, command: &'static str) -> Result<State, InvalidTransition> {
        if self == from {
            Ok(to)
        } else {
            Err(InvalidTransition { from: self, command })
        }
    }

    fn close(self, command: &'static str) -> Result<State, InvalidTransition> {
        if self.is_final() {
            Err(InvalidTransition { from: self, command })
        } else {
            Ok(State::Rejected)
        }
    }

    /// Reviewers accept the payload.
    pub fn approve(self) -> Result<State, InvalidTransition> {
        self.step(State::PendingApproval, State::Approved, "approved")
    }
    /// A reviewer rejects the payload.
    pub fn reject(self) -> Result<State, InvalidTransition> {
        self.step(State::PendingApproval, State::Rejected, "rejected")
    }
    /// A reviewer revokes the approval.
    pub fn revoke(self) -> Result<State, InvalidTransition> {
        self.step(State::Approved, State::Rejected, "revoked")
    }
    /// The proposer withdraws the proposal.
    pub fn withdraw(self) -> Result<State, InvalidTransition> {
        self.close("withdrawn")
    }
    /// The action has expired.
    pub fn expire(self) -> Result<State, InvalidTransition> {
        self.close("expired")
    }
    /// A newer proposal replaces the action.
    pub fn supersede(self) -> Result<State, InvalidTransition> {
        self.close("superseded")
    }
    /// The change set was applied.
    pub fn execute(self) -> Result<State, InvalidTransition> {
        self.step(State::Approved, State::Executed, "executed")
    }
    /// The action was refused at execution; nothing was written.
    pub fn fail(self) -> Result<State, InvalidTransition> {
        self.step(State::Approved, State::Failed, "failed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_transitions_is_the_products() {
        type Step = fn(State) -> Result<State, InvalidTransition>;
        let steps: [(&str, Step); 8] = [
            ("approve", State::approve),
            ("reject", State::reject),
            ("revoke", State::revoke),
            ("withdraw", State::withdraw),
            ("expire", State::expire),
            ("supersede", State::supersede),
            ("execute", State::execute),
            ("fail", State::fail),
        ];
        let mut table = String::new();
        for from in State::ALL {
            for (name, step) in steps {
                if let Ok(to) = step(from) {
                    table.push_str(&format!("{} -{name}-> {}\n", from.as_str(), to.as_str()));
                }
            }
        }
        assert_eq!(
            table,
            "pending_approval -approve-> approved\npending_approval -reject-> rejected\n\
             pending_approval -withdraw-> rejected\npending_approval -expire-> rejected\n\
             pending_approval -supersede-> rejected\napproved -revoke-> rejected\n\
             approved -withdraw-> rejected\napproved -expire-> rejected\napproved -supersede-> rejected\n\
             approved -execute-> executed\napproved -fail-> failed\n"
        );
    }

    #[test]
    fn stable_words_are_read_back() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert_eq!(State::parse("open"), None);
    }

    #[test]
    fn a_refused_command_names_the_state_and_the_command() {
        let refused = |step: Result<State, InvalidTransition>| step.unwrap_err().to_string().to_lowercase();
        assert_eq!(
            refused(State::Executed.withdraw()),
            "an action that is executed cannot be withdrawn"
        );
        assert_eq!(
            refused(State::PendingApproval.execute()),
            "an action that is pending approval cannot be executed"
        );
    }
}
