//! One payload has one digest, whatever the order of its keys or the form of its numbers.

use loopiq::domain::canonical::{digest, parse_strict, to_string};
use proptest::prelude::*;
use serde_json::Value;

fn payload() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991i64..=9_007_199_254_740_991).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("\\PC{0,8}", inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The same value as another client might send it: keys in reverse order, small integers with a fraction, and additional spaces.
fn otherwise(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let parts: Vec<String> = fields
                .iter()
                .rev()
                .map(|(key, item)| format!(" {} :\t{}", Value::from(key.as_str()), otherwise(item)))
                .collect();
            format!("{{{} }}", parts.join(","))
        }
        Value::Array(items) => format!("[ {}\n]", items.iter().map(otherwise).collect::<Vec<_>>().join(" , ")),
        Value::Number(number) if number.as_i64().is_some_and(|n| n.abs() < 1 << 40) => format!("{number}.0"),
        other => other.to_string(),
    }
}

fn digest_of(text: &str) -> String {
    let value = parse_strict(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    digest(to_string(&value).expect("canonical JSON").as_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_form_does_not_change_the_digest(value in payload()) {
        prop_assert_eq!(digest_of(&value.to_string()), digest_of(&otherwise(&value)));
    }

    #[test]
    fn canonical_text_is_its_own_canonical_text(value in payload()) {
        let once = to_string(&value).expect("canonical JSON");
        let again = to_string(&parse_strict(once.as_bytes()).expect("strict JSON")).expect("canonical JSON");
        prop_assert_eq!(once, again);
    }

    #[test]
    fn another_value_has_another_digest(value in payload(), other in payload()) {
        prop_assume!(value != other);
        prop_assert_ne!(digest_of(&value.to_string()), digest_of(&other.to_string()));
    }
}
