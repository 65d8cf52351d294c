//! Roles and groups in an ID token, and the mapping from the provider's groups to roles of this service.

use super::claims::{find, many};
use loopiq::domain::Role;
use loopiq::domain::text::prose::quoted;
use serde_json::{Map, Value};

/// Which roles the people of a group have. Values of the roles claim are mapped like groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleMapping(Vec<(String, Role)>);

impl RoleMapping {
    /// The mapping of these pairs.
    pub fn new(pairs: Vec<(String, Role)>) -> Self {
        Self(pairs)
    }

    /// The groups with the roles that they give.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, Role)> {
        self.0.iter().map(|(group, role)| (group.as_str(), *role))
    }

    /// The mapping of all these mappings.
    pub(super) fn of(mappings: &[RoleMapping]) -> Self {
        Self(mappings.iter().flat_map(|mapping| mapping.0.iter().cloned()).collect())
    }

    fn roles_of(&self, name: &str) -> impl Iterator<Item = &'static str> {
        let pairs = self.0.iter().filter(move |(group, _)| group == name);
        pairs.map(|(_, role)| role.as_str()).collect::<Vec<_>>().into_iter()
    }
}

/// The attributes of LDAP names. A part such as `cn=lead` of a group is not a pair.
const LDAP_ATTRIBUTES: [&str; 8] = ["cn", "ou", "o", "dc", "uid", "l", "st", "c"];

/// The setting: pairs `GROUP=ROLE`, separated by semicolons. A semicolon at the end is harmless.
pub(super) fn mapping(text: &str) -> Result<RoleMapping, String> {
    let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts.map(pair).collect::<Result<_, _>>().map(RoleMapping)
}

/// One pair: `GROUP=ROLE`. The last `=` counts, because the name of an LDAP group contains some.
fn pair(text: &str) -> Result<(String, Role), String> {
    let (group, role) = text
        .rsplit_once('=')
        .ok_or_else(|| format!("{} is not GROUP=ROLE", quoted(text)))?;
    let roles = || {
        Role::ALL
            .iter()
            .map(|role| role.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let role =
        Role::parse(role.trim()).ok_or_else(|| format!("{} is not a role; the roles are {}", quoted(role), roles()))?;
    match group.trim() {
        "" => Err(format!("{} names no group", quoted(text))),
        group if contains_pair(group) => Err(format!(
            "{} has a comma between pairs; separate them by semicolons, such as acme-leads=lead;acme-ops=operator",
            quoted(text)
        )),
        group => Ok((group.to_owned(), role)),
    }
}

/// Whether the name of a group contains `GROUP=ROLE,`, and not as a part of an LDAP name.
fn contains_pair(group: &str) -> bool {
    let mut parts = group.split(',').rev();
    parts.next();
    parts.filter_map(|part| part.rsplit_once('=')).any(|(name, role)| {
        let is_attribute = |attribute: &&str| attribute.eq_ignore_ascii_case(name.trim());
        Role::parse(role.trim()).is_some() && !LDAP_ATTRIBUTES.iter().any(is_attribute)
    })
}

/// What a token says about roles and groups.
pub(super) struct Membership {
    /// The roles; `None` if the token asserts none at all.
    pub(super) roles: Option<Vec<String>>,
    pub(super) groups: Vec<String>,
}

/// Reads roles and groups. The token asserts roles if it has the roles claim, or a groups claim that the mapping applies to.
///
/// # Errors
/// The name of a claim that is no list of names.
pub(super) fn read(
    claims: &Map<String, Value>,
    roles_claim: &str,
    groups_claim: &str,
    mapping: &RoleMapping,
) -> Result<Membership, String> {
    let names = |claim: &str| match find(claims, claim) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => many(value).map(Some).ok_or_else(|| claim.to_owned()),
    };
    let (own, groups) = (names(roles_claim)?, names(groups_claim)?);
    let is_asserted = own.is_some() || (groups.is_some() && *mapping != RoleMapping::default());
    let groups = groups.unwrap_or_default();
    let mut roles = own.unwrap_or_default();
    let mapped: Vec<&str> = roles
        .iter()
        .chain(&groups)
        .flat_map(|name| mapping.roles_of(name))
        .collect();
    for role in mapped {
        if !roles.iter().any(|known| known == role) {
            roles.push(role.to_owned());
        }
    }
    Ok(Membership {
        roles: is_asserted.then_some(roles),
        groups,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn roles(claims: &Value, mapping: &[&str]) -> Option<Vec<String>> {
        let mapping = super::mapping(&mapping.join(";")).unwrap();
        let claims = claims.as_object().unwrap();
        read(claims, "roles", "groups", &mapping).unwrap().roles
    }

    fn some(roles: &[&str]) -> Option<Vec<String>> {
        Some(roles.iter().map(|role| (*role).to_owned()).collect())
    }

    #[test]
    fn roles_come_from_the_claim_and_from_mapped_groups() {
        let claims = json!({ "roles": ["lead", "App.Auditor"], "groups": ["ops", "cn=rev,ou=groups"] });
        assert_eq!(roles(&claims, &[]), some(&["lead", "App.Auditor"]));
        let mapping = [
            "App.Auditor=auditor",
            "ops=operator",
            "ops=lead",
            "cn=rev,ou=groups=reviewer",
            "none=developer",
        ];
        assert_eq!(
            roles(&claims, &mapping),
            some(&["lead", "App.Auditor", "auditor", "operator", "reviewer"])
        );
    }

    #[test]
    fn a_token_without_roles_asserts_none() {
        assert_eq!(roles(&json!({}), &[]), None);
        assert_eq!(roles(&json!({ "roles": null }), &["ops=operator"]), None);
        assert_eq!(
            roles(&json!({ "groups": ["ops"] }), &[]),
            None,
            "groups alone are no roles"
        );
        assert_eq!(
            roles(&json!({ "groups": ["other"] }), &["ops=operator"]),
            some(&[]),
            "the mapping decides"
        );
        assert_eq!(
            roles(&json!({ "roles": [] }), &[]),
            some(&[]),
            "an empty claim asserts that there are none"
        );
    }

    #[test]
    fn a_claim_of_another_type_is_named() {
        let mapping = RoleMapping::default();
        let wrong = |claims: Value| read(claims.as_object().unwrap(), "roles", "groups", &mapping).err();
        assert_eq!(wrong(json!({ "roles": { "lead": true } })).as_deref(), Some("roles"));
        assert_eq!(wrong(json!({ "groups": [1] })).as_deref(), Some("groups"));
    }

    #[test]
    fn a_setting_has_pairs_of_any_groups_and_may_end_with_a_semicolon() {
        let text = "acme-ops=operator; cn=lead,ou=groups,dc=acme=lead;CN=operator,OU=a=reviewer;;";
        let mapping = mapping(text).unwrap();
        let pairs: Vec<(&str, Role)> = mapping.pairs().collect();
        let expected = [
            ("acme-ops", Role::Operator),
            ("cn=lead,ou=groups,dc=acme", Role::Lead),
            ("CN=operator,OU=a", Role::Reviewer),
        ];
        assert_eq!(pairs, expected);
        assert_eq!(super::mapping("").unwrap(), RoleMapping::default());
        assert!(super::mapping("a=lead;b").is_err());
    }

    #[test]
    fn a_pair_that_is_none_is_refused() {
        for (text, says) in [
            ("ops", "is not GROUP=ROLE"),
            ("ops=boss", "is not a role"),
            (" =lead", "names no group"),
            ("acme-leads=lead,acme-ops=operator", "separate them by semicolons"),
            ("a=operator, cn=x,ou=y=lead", "separate them by semicolons"),
        ] {
            let error = pair(text).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
