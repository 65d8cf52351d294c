//! Reading tenant and roles from an ID token. Providers use different claims for them, so the settings name the claims.

use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// All claims that OpenID Connect does not define.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct OtherClaims(pub(super) Map<String, Value>);

impl AdditionalClaims for OtherClaims {}

/// The claim at a path: a literal key (`https://loopiq.example/roles`), keys joined by dots (`realm_access.roles`), or
/// both (`resource_access.my.client.roles`). A literal key wins over a path.
pub(super) fn find<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(found) = claims.get(path) {
        return Some(found);
    }
    path.match_indices('.').find_map(|(dot, _)| {
        let inner = claims.get(&path[..dot])?.as_object()?;
        find(inner, &path[dot + 1..])
    })
}

/// A claim with several values: a list of strings, or one string with spaces or commas between the values. Duplicates are removed;
/// the order is kept. `None` for another type.
pub(super) fn many(value: &Value) -> Option<Vec<String>> {
    let parts: Vec<&str> = match value {
        Value::String(text) => text.split(|c: char| c == ',' || c.is_whitespace()).collect(),
        Value::Array(list) => list.iter().map(Value::as_str).collect::<Option<_>>()?,
        _ => return None,
    };
    let mut names: Vec<String> = Vec::new();
    for name in parts.into_iter().map(str::trim) {
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims() -> Map<String, Value> {
        let claims = json!({
            "tenant": " acme ",
            "tenants": ["acme"],
            "none": [],
            "https://loopiq.example/roles": ["lead", "lead", "reviewer"],
            "realm_access": { "roles": "reviewer, auditor  lead" },
            "resource_access": { "my.client": { "roles": ["operator"] } },
            "mixed": ["lead", 7],
        });
        serde_json::from_value(claims).unwrap()
    }

    #[test]
    fn claims_are_found_by_key_and_by_path() {
        let claims = claims();
        let roles = |path| find(&claims, path).and_then(many);
        let named = |names: &[&str]| Some(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
        assert_eq!(roles("https://loopiq.example/roles"), named(&["lead", "reviewer"]));
        assert_eq!(roles("realm_access.roles"), named(&["reviewer", "auditor", "lead"]));
        assert_eq!(roles("resource_access.my.client.roles"), named(&["operator"]));
        assert_eq!(roles("none"), named(&[]));
        assert_eq!(
            (roles("tenant"), roles("tenants")),
            (named(&["acme"]), named(&["acme"]))
        );
        assert_eq!(roles("mixed"), None);
        assert_eq!(roles("realm_access"), None);
        assert_eq!(roles("realm_access.groups"), None);
        assert_eq!(roles("."), None);
    }
}
