//! The rules of a policy, as its file writes them.

use crate::domain::{CheckId, Risk, Role, Severity};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The rules of a policy. A field that the file omits has its value from `default.toml`, which explains each field.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Set the risk class of actions; the first matching rule applies.
    pub risk: Vec<RiskRule>,
    /// Say who decides actions; the first matching rule applies, and the last one matches every action.
    pub decide: Vec<DecideRule>,
    /// Which steps of one action a person may combine.
    pub separation: Separation,
    /// How long an action waits.
    pub expiry_hours: ExpiryHours,
    /// The age limit of evidence.
    pub evidence: EvidenceRules,
    /// The effects of severities.
    pub severity: SeverityRules,
    /// Verdicts that replace those of a check.
    pub checks: BTreeMap<CheckId, VerdictOverride>,
    /// When an approver has to type a word.
    pub confirmation: Confirmation,
    /// When an approver has to have signed in lately.
    pub step_up: StepUpRules,
    /// Combinations of roles that exclude a person from deciding.
    pub roles: RoleRules,
    /// How many actions may wait.
    pub limits: Limits,
}

/// Sets the risk class of the actions that match.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskRule {
    /// The tool's name; `None` matches every tool.
    #[serde(default)]
    pub tool: Option<String>,
    /// Conditions on the arguments; all must hold.
    #[serde(default, rename = "where")]
    pub conditions: Vec<Condition>,
    /// The risk class.
    pub class: Risk,
}

/// Says who decides the actions that match.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideRule {
    /// The rule's name, as people see it.
    pub name: String,
    /// Names of tools, any of which matches; empty matches every tool.
    #[serde(default)]
    pub tools: Vec<String>,
    /// Risk classes, any of which matches; empty matches every class.
    #[serde(default)]
    pub risk: Vec<Risk>,
    /// Conditions on the arguments; all must hold.
    #[serde(default, rename = "where")]
    pub conditions: Vec<Condition>,
    /// The groups that have to approve, each with its number of approvals.
    pub groups: Vec<Group>,
}

/// People of whom some have to approve. A person belongs to the group who fits `roles`, `teams` and `people`, as far as
/// they are given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The group's name, as people see it.
    pub name: String,
    /// Roles, any of which fits; empty means reviewer or lead.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Keys of teams, any of which fits.
    #[serde(default)]
    pub teams: Vec<String>,
    /// IDs or verified e-mail addresses of people, any of which fits.
    #[serde(default)]
    pub people: Vec<String>,
    /// The number of approvals that the group has to give.
    #[serde(default = "one")]
    pub approvals: usize,
}

fn one() -> usize {
    1
}

/// A condition on the arguments of a tool call.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// A JSON pointer (RFC 6901), in which `*` matches every item of a list.
    pub at: String,
    /// The condition holds if the value is one of these.
    #[serde(default)]
    pub is: Vec<Value>,
    /// The condition holds if the value is a number of at least this, or a list with at least so many items.
    #[serde(default)]
    pub at_least: Option<i64>,
}

impl Condition {
    /// Whether the condition holds for these arguments.
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

/// Which steps of one action a person may combine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Separation {
    /// The person for whom an action was proposed may decide it.
    pub caller_may_decide: bool,
    /// An approver may execute the action.
    pub approver_may_execute: bool,
    /// A person who left parts out may decide the rest.
    pub pruner_may_decide: bool,
}

/// Hours until a proposed action, or an approved action that is not executed, expires.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct ExpiryHours {
    pub low: i64,
    pub medium: i64,
    pub high: i64,
}

/// The age limit of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvidenceRules {
    /// Evidence that is more than this many days old is stale.
    pub max_age_days: i64,
}

/// The effects of severities.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SeverityRules {
    /// An action that closes or accepts a finding of at least this severity has high risk.
    pub high_risk_from: Severity,
    /// An open finding of at least this severity blocks the releases that contain it. A release may have a lower
    /// threshold.
    pub blocker_from: Severity,
}

/// A verdict that replaces that of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictOverride {
    /// A block becomes a warning, which an approver has to acknowledge.
    Warn,
    /// A warning becomes a block, which prevents the approval.
    Block,
}

/// When an approver has to type a word.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Confirmation {
    /// The risk classes of actions that are approved by typing a word.
    pub typed_for: Vec<Risk>,
}

/// When an approver has to have signed in lately at the identity provider (step-up authentication).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StepUpRules {
    /// The risk classes of actions whose approval requires it.
    pub risk: Vec<Risk>,
    /// The most minutes since the approver authenticated.
    pub max_age_minutes: i64,
    /// The ways of authenticating (`acr`) of which one is required; empty accepts every way.
    pub acr: Vec<String>,
}

/// Combinations of roles that exclude a person from deciding.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoleRules {
    /// A person who holds all roles of one combination, over all linked accounts, may not decide.
    pub forbidden: Vec<Vec<Role>>,
}

/// How many actions may wait for a decision; further proposals are refused.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The most pending actions of one caller.
    pub pending_per_caller: i64,
    /// The most pending actions of one client.
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
            step_up: StepUpRules::default(),
            roles: RoleRules::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for StepUpRules {
    fn default() -> Self {
        Self {
            risk: Vec::new(),
            max_age_minutes: 10,
            acr: Vec::new(),
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

    #[test]
    fn a_condition_holds_for_one_of_several_values_and_sizes() {
        assert!(holds("/children/*/owner", vec![json!("a")], None), "any item will do");
        assert!(holds("/count", vec![json!("x")], Some(7)), "either is enough");
        assert!(!holds("/count", vec![], Some(8)) && !holds("/changes", vec![], Some(1)));
        assert!(!holds("/children/x/owner", vec![json!("a")], None));
        assert!(!holds("/children/2/owner", vec![json!("a")], None));
        assert!(!holds("", vec![], None) && !holds("/count/x", vec![json!(7)], None));
    }

    #[test]
    fn what_a_group_leaves_out_is_one_approval() {
        let group: Group = serde_json::from_value(json!({ "name": "x" })).unwrap();
        assert_eq!((group.approvals, group.roles.len()), (1, 0));
    }
}
