//! Changes without a meaning (order, spaces at the ends of texts) change no result.

use super::*;
use proptest::prelude::*;

/// Reorders the children, and adds spaces around their texts and around the reason.
fn shuffled(mut case: Case, order: &[usize], spaces: &[usize]) -> Case {
    let pad = |text: &str, n: usize| format!("{}{text}{}", " ".repeat(n % 3), " ".repeat(n / 3 % 3));
    if let Some(children) = case.payload["children"].as_array_mut() {
        for (place, other) in order.iter().enumerate() {
            let (place, other) = (place % children.len(), other % children.len());
            children.swap(place, other);
        }
        for (child, n) in children.iter_mut().zip(spaces) {
            child["title"] = json!(pad(child["title"].as_str().unwrap_or_default(), *n));
            child["description"] = json!(pad(child["description"].as_str().unwrap_or_default(), *n));
        }
    }
    case.payload["reason"] = json!(pad(case.payload["reason"].as_str().unwrap_or_default(), spaces[0]));
    case
}

fn cases() -> Vec<Case> {
    let another = |n: u128| {
        json!({ "clientRef": format!("{n}"), "title": format!("Escape the {n}rd field of the login form"),
        "description": "d", "findingIds": [FindingId::from_bits(3)], "evidenceIds": [EvidenceId::from_bits(1)] })
    };
    let wide = Case::package().with(|case| {
        let children = case.payload["children"].as_array_mut().expect("children");
        children.extend((3..9).map(another));
    });
    let bad = wide.clone().with(|case| {
        case.payload["children"][4]["title"] = json!("Fix stuff");
        case.payload["children"][5]["evidenceIds"] = json!([EvidenceId::from_bits(3)]);
        case.payload["blockerIds"] = json!([BlockerId::from_bits(2)]);
        case.unread = vec![FindingId::from_bits(3).to_string()];
    });
    vec![Case::package(), wide, bad]
}

proptest! {
    #[test]
    fn order_and_spaces_change_no_result(
        which in 0_usize..3,
        order in prop::collection::vec(0_usize..8, 8),
        spaces in prop::collection::vec(0_usize..9, 8),
    ) {
        let case = cases().remove(which);
        let mut before = case.trouble();
        let mut after = shuffled(case, &order, &spaces).trouble();
        before.sort();
        after.sort();
        prop_assert_eq!(before, after);
    }
}
