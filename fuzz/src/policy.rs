//! Policies: what is wrong is said within bounds and at a line of the file; what is right can be asked about any action.

use loopiq::domain::Risk;
use loopiq::domain::text::is_forbidden;
use loopiq::policy::{self, Mistake, Policy, RiskInput};
use loopiq::tools::TOOLS;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The most mistakes that somebody is told of at once.
const MOST_MISTAKES: usize = 100;

static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| TOOLS.iter().map(|tool| tool.name()).collect());
/// Arguments with lists in lists, so that conditions have something to walk through.
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
            asked(&Policy { version: 2, rules });
        }
        Err(mistakes) => told(source, &mistakes),
    }
    // What was once a policy is read without being judged.
    if let Err(mistakes) = policy::parse(source) {
        told(source, &mistakes);
    }
}

fn told(source: &str, mistakes: &[Mistake]) {
    assert!(!mistakes.is_empty(), "refused for nothing");
    assert!(mistakes.len() <= MOST_MISTAKES, "{} mistakes", mistakes.len());
    let lines = source.bytes().filter(|byte| *byte == b'\n').count() + 1;
    for Mistake { line, field, message } in mistakes {
        assert!(*line <= lines, "line {line} of {lines}");
        assert!(!message.is_empty());
        for (text, most) in [(field, 2_000), (message, 6_000)] {
            assert!(!text.contains('\n') && !text.contains(is_forbidden), "{text:?}");
            assert!(text.chars().count() <= most, "{} characters", text.chars().count());
        }
    }
}

/// Whatever it says, each action has a class and somebody who decides it, and waits for a bounded time.
fn asked(policy: &Policy) {
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
        let (place, rule) = policy.decide_rule(&case);
        assert!(place < policy.rules.decide.len() && !rule.groups.is_empty());
        let wait = policy.expiry(policy.risk_class(&case));
        assert!(wait > 0 && wait <= 31 * 24 * 3_600_000_000);
    }
}
