//! What a tenant has decided about deciding. Version 1 is the default that a company can run on.

use super::{PersonId, Risk, Timestamp};
use serde::{Deserialize, Serialize};

/// The rules that a proposal and a decision are judged by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Which version of the tenant's policy this is; decisions record it.
    pub version: i64,
    /// Whether the caller of an action may decide it.
    pub caller_may_decide: bool,
    /// Hours until an action of low risk expires.
    pub expiry_hours_low: i64,
    /// Hours until an action of medium risk expires.
    pub expiry_hours_medium: i64,
    /// Hours until an action of high risk expires.
    pub expiry_hours_high: i64,
    /// How old evidence may be, in days, before it is stale.
    pub evidence_max_age_days: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: 1,
            caller_may_decide: false,
            expiry_hours_low: 72,
            expiry_hours_medium: 48,
            expiry_hours_high: 24,
            evidence_max_age_days: 14,
        }
    }
}

impl Policy {
    /// How long an action of this risk waits, in microseconds.
    pub fn expiry(&self, risk: Risk) -> i64 {
        let hours = match risk {
            Risk::Low => self.expiry_hours_low,
            Risk::Medium => self.expiry_hours_medium,
            Risk::High => self.expiry_hours_high,
        };
        hours * Timestamp::HOUR
    }

    /// Why this person may not decide an action of this caller; `None` when they may.
    pub fn refuses(&self, decider: &PersonId, caller: &PersonId) -> Option<&'static str> {
        (!self.caller_may_decide && decider == caller)
            .then_some("It was proposed on your behalf: somebody else decides it.")
    }
}
