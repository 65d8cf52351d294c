//! Policies: mistakes are bounded and point to a line of the file; a valid policy decides any action.

use loopiq::domain::Risk;
use loopiq::domain::text::hides;
use loopiq::policy::{self, Mistake, Policy, RiskInput};
use loopiq::tools::TOOLS;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The most mistakes in one report.
const MOST_MISTAKES: usize = 100;

static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| TOOLS.iter().map(|tool| tool.name()).collect());
/// Arguments with nested lists, which conditions can traverse.
static PAYLOAD: LazyLock<Value> = LazyLock::new(|| {
    let child = json!({ "title": "t", "findingIds": ["a", "b"], "estimate": 3, "more": [[1, 2], [3, { "x": [4] }]] });
    json!({ "title": "t", "kind": "story", "priority": "high", "children": vec![child; 20], "parent": { "title": "p" } })
});

pub(crate) fn hold(source: &str) {
    match policy::read(source, &NAMES) {
        Ok(rules) => {
            assert_eq!(
                policy::parse(source).as_ref(),
                Ok(&rules),
                "it reads otherwise once it is in force"
            );
            let commented = format!("{source}\n# the end");
            if commented.len() <= 64 * 1024 {
                assert_eq!(policy::read(&commented, &NAMES).as_ref(), Ok(&rules));
            }
            decides(&Policy { version: 2, rules });
        }
        Err(mistakes) => reported(source, &mistakes),
    }
    // A stored policy is parsed without validation.
    if let Err(mistakes) = policy::parse(source) {
        reported(source, &mistakes);
    }
}

fn reported(source: &str, mistakes: &[Mistake]) {
    assert!(!mistakes.is_empty(), "refused for nothing");
    assert!(mistakes.len() <= MOST_MISTAKES, "{} mistakes", mistakes.len());
    let lines = source.bytes().filter(|byte| *byte == b'\n').count() + 1;
    for Mistake { line, field, message } in mistakes {
        assert!(*line <= lines, "line {line} of {lines}");
        assert!(!message.is_empty());
        for (text, most) in [(field, 2_000), (message, 6_000)] {
            assert!(!text.contains('\n') && !hides(text), "{text:?}");
            assert!(text.chars().count() <= most, "{} characters", text.chars().count());
        }
    }
}

/// Every action has a risk class, a rule with groups, and a bounded expiry.
fn decides(policy: &Policy) {
    for (tool, tool_risk) in NAMES
        .iter()
        .zip([Risk::Low, Risk::Medium, Risk::High].into_iter().cycle())
    {
        let case = RiskInput {
            tool,
            tool_risk,
            max_severity: None,
            payload: &PAYLOAD,
        };
        let (index, rule) = policy.decide_rule(&case);
        assert!(index < policy.rules.decide.len() && !rule.groups.is_empty());
        let wait = policy.expiry(policy.risk_class(&case));
        assert!(wait > 0 && wait <= 31 * 24 * 3_600_000_000);
    }
}
