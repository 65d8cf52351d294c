//! What a policy says, as it is written.

use crate::domain::{CheckId, Risk, Role, Severity};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The rules of a policy. What a file leaves out is as in the built-in policy, see `default.toml`, which explains each.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// The class of risk of an action; the first that fits counts.
    pub risk: Vec<RiskRule>,
    /// Who decides; the first that fits counts, and the last fits all.
    pub decide: Vec<DecideRule>,
    /// What one and the same person may do.
    pub separation: Separation,
    /// How long an action waits.
    pub expiry_hours: ExpiryHours,
    /// How old evidence may be.
    pub evidence: EvidenceRules,
    /// What a severity leads to.
    pub severity: SeverityRules,
    /// What a check's finding means, where it is not what the check says.
    pub checks: BTreeMap<CheckId, VerdictOverride>,
    /// What has to be typed.
    pub confirmation: Confirmation,
    /// Which roles nobody who decides may hold together.
    pub roles: RoleRules,
    /// How much may wait.
    pub limits: Limits,
}

/// Gives actions a class of risk.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskRule {
    /// A tool; none: every tool.
    #[serde(default)]
    pub tool: Option<String>,
    /// Conditions on the arguments; all must hold.
    #[serde(default, rename = "where")]
    pub conditions: Vec<Condition>,
    /// The class.
    pub class: Risk,
}

/// Says who decides actions.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideRule {
    /// What people call it.
    pub name: String,
    /// Any of these tools; none: every tool.
    #[serde(default)]
    pub tools: Vec<String>,
    /// Any of these classes; none: every class.
    #[serde(default)]
    pub risk: Vec<Risk>,
    /// Conditions on the arguments; all must hold.
    #[serde(default, rename = "where")]
    pub conditions: Vec<Condition>,
    /// Each must have its approvals.
    pub groups: Vec<Group>,
}

/// People of whom some must approve. Somebody is in it who fits each kind of condition that is given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What people call it.
    pub name: String,
    /// Any of these roles; none: reviewer or lead.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// On any of these teams, by key.
    #[serde(default)]
    pub teams: Vec<String>,
    /// Any of these people, by ID or verified e-mail address.
    #[serde(default)]
    pub people: Vec<String>,
    /// How many of them.
    #[serde(default = "one")]
    pub approvals: usize,
}

fn one() -> usize {
    1
}

/// A condition on the arguments of a tool.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// A JSON pointer (RFC 6901), in which `*` stands for any item of a list.
    pub at: String,
    /// One of these stands there.
    #[serde(default)]
    pub is: Vec<Value>,
    /// A number of at least this stands there, or a list with as many items.
    #[serde(default)]
    pub at_least: Option<i64>,
}

impl Condition {
    /// Whether it holds for these arguments.
    pub fn holds(&self, payload: &Value) -> bool {
        let parts: Vec<&str> = self.at.split('/').skip(1).collect();
        found(payload, &parts).into_iter().any(|value| {
            self.is.contains(value)
                || self.at_least.is_some_and(|least| {
                    let size = value.as_array().map(|items| items.len() as i64);
                    size.or(value.as_i64()).is_some_and(|size| size >= least)
                })
        })
    }
}

fn found<'v>(value: &'v Value, parts: &[&str]) -> Vec<&'v Value> {
    let Some((part, rest)) = parts.split_first() else {
        return vec![value];
    };
    match value {
        Value::Array(items) if *part == "*" => items.iter().flat_map(|item| found(item, rest)).collect(),
        Value::Array(items) => part
            .parse::<usize>()
            .ok()
            .and_then(|index| items.get(index))
            .map_or_else(Vec::new, |item| found(item, rest)),
        Value::Object(fields) => fields
            .get(&part.replace("~1", "/").replace("~0", "~"))
            .map_or_else(Vec::new, |item| found(item, rest)),
        _ => Vec::new(),
    }
}

/// What one and the same person may do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Separation {
    /// The person it was proposed for may decide it.
    pub caller_may_decide: bool,
    /// Who approved it may run it.
    pub approver_may_execute: bool,
    /// Who took parts out of it may decide what is left.
    pub pruner_may_decide: bool,
}

/// Hours until an action that nobody decides (or runs) expires.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct ExpiryHours {
    pub low: i64,
    pub medium: i64,
    pub high: i64,
}

/// How old evidence may be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvidenceRules {
    /// Older evidence is stale.
    pub max_age_days: i64,
}

/// What a severity leads to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SeverityRules {
    /// What closes or accepts a finding of this severity or worse is of high risk.
    pub high_risk_from: Severity,
    /// An open finding of this severity or worse blocks every release that it is in; a release may have a lower threshold of its own.
    pub blocker_from: Severity,
}

/// What a check's finding means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictOverride {
    /// A person must acknowledge it.
    Warn,
    /// It can't be approved.
    Block,
}

/// What has to be typed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Confirmation {
    /// Of which risk an action is approved by typing a word of it.
    pub typed_for: Vec<Risk>,
}

/// Which roles nobody who decides may hold together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoleRules {
    /// Each is a combination of roles; whoever holds all of them, with all their accounts, decides nothing.
    pub forbidden: Vec<Vec<Role>>,
}

/// How much may wait.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The most actions of one caller that wait for a decision.
    pub pending_per_caller: i64,
    /// The most actions of one client that wait for a decision.
    pub pending_per_client: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            risk: Vec::new(),
            decide: vec![DecideRule {
                name: "One reviewer or lead".to_owned(),
                tools: Vec::new(),
                risk: Vec::new(),
                conditions: Vec::new(),
                groups: vec![Group {
                    name: "Reviewers".to_owned(),
                    roles: vec![Role::Reviewer, Role::Lead],
                    teams: Vec::new(),
                    people: Vec::new(),
                    approvals: 1,
                }],
            }],
            separation: Separation::default(),
            expiry_hours: ExpiryHours::default(),
            evidence: EvidenceRules::default(),
            severity: SeverityRules::default(),
            checks: BTreeMap::new(),
            confirmation: Confirmation::default(),
            roles: RoleRules::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for RoleRules {
    fn default() -> Self {
        Self {
            forbidden: vec![vec![Role::Operator, Role::Reviewer], vec![Role::Operator, Role::Lead]],
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pending_per_caller: 200,
            pending_per_client: 1_000,
        }
    }
}

impl Default for Separation {
    fn default() -> Self {
        Self {
            caller_may_decide: false,
            approver_may_execute: true,
            pruner_may_decide: true,
        }
    }
}

impl Default for ExpiryHours {
    fn default() -> Self {
        Self {
            low: 72,
            medium: 48,
            high: 24,
        }
    }
}

impl Default for EvidenceRules {
    fn default() -> Self {
        Self { max_age_days: 14 }
    }
}

impl Default for SeverityRules {
    fn default() -> Self {
        Self {
            high_risk_from: Severity::High,
            blocker_from: Severity::Critical,
        }
    }
}

impl Default for Confirmation {
    fn default() -> Self {
        Self {
            typed_for: vec![Risk::High],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(at: &str, is: Vec<Value>, at_least: Option<i64>) -> bool {
        let payload = json!({
            "changes": { "status": "done" }, "count": 7,
            "children": [{ "owner": "a" }, { "owner": "b" }], "a/b": true,
        });
        let condition = Condition {
            at: at.to_owned(),
            is,
            at_least,
        };
        condition.holds(&payload)
    }

    #[test]
    fn a_condition_looks_where_its_pointer_points() {
        assert!(holds("/changes/status", vec![json!("open"), json!("done")], None));
        assert!(!holds("/changes/status", vec![json!("open")], None));
        assert!(holds("/children/*/owner", vec![json!("b")], None));
        assert!(holds("/children/1/owner", vec![json!("b")], None));
        assert!(!holds("/children/0/owner", vec![json!("b")], None));
        assert!(holds("/children", vec![], Some(2)));
        assert!(!holds("/children", vec![], Some(3)));
        assert!(holds("/count", vec![], Some(7)));
        assert!(holds("/a~1b", vec![json!(true)], None));
        assert!(!holds("/nothing/here", vec![json!(null)], Some(0)));
    }
}
