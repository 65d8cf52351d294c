//! Scopes of bearer tokens: what a program may do at most, whatever the person may do for whom it acts.

use super::records::Role;
use super::string_enum::string_enum;
use serde::{Deserialize, Serialize};
use std::fmt;

string_enum! {
    /// What a token can be used for.
    Scope {
        /// Read records and actions over MCP.
        Read = "loopiq:read";
        /// Propose actions, withdraw them, and answer questions about them.
        Propose = "loopiq:propose";
        /// Import evidence and findings.
        Import = "loopiq:import";
        /// Read and apply catalogs.
        Catalog = "loopiq:catalog";
        /// Search and export the audit log.
        Audit = "loopiq:audit";
    }

    /// How a grant came about.
    GrantKind {
        /// A person consented in the browser, and the client gets tokens over OAuth.
        OAuth = "oauth";
        /// An operator, or a command of a demo, created one token for a program.
        Service = "service";
    }

    /// What a stored secret is good for.
    TokenKind {
        /// It authenticates requests.
        Access = "access";
        /// It gets new tokens, once.
        Refresh = "refresh";
        /// It gets the first tokens after a consent, once.
        Code = "code";
    }
}

impl Scope {
    /// The roles of which a person needs one, so that a client that acts for the person can use the scope. Empty for scopes that no client
    /// uses for a person.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Scope::Read | Scope::Propose => &[Role::Developer, Role::Reviewer, Role::Lead],
            Scope::Audit => &[Role::Auditor, Role::Lead, Role::Operator],
            Scope::Import | Scope::Catalog => &[],
        }
    }

    /// Whether a program that acts for no person can use the scope: its tokens belong to the tenant.
    pub fn is_of_tenant(self) -> bool {
        matches!(self, Scope::Import | Scope::Catalog | Scope::Audit)
    }
}

/// A set of scopes, in the order of [`Scope::ALL`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Scope>")]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// What an agent needs: to read and to propose.
    pub fn of_agents() -> Self {
        Self(vec![Scope::Read, Scope::Propose])
    }

    /// The scopes of a list that is separated by spaces (RFC 6749, 3.3), and the words in it that are no scope of this service.
    pub fn parse(text: &str) -> (Self, Vec<&str>) {
        let (mut scopes, mut unknown) = (Vec::new(), Vec::new());
        for word in text.split_ascii_whitespace() {
            match Scope::parse(word) {
                Some(scope) => scopes.push(scope),
                None => unknown.push(word),
            }
        }
        (scopes.into(), unknown)
    }

    /// Whether the set contains the scope.
    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether the set contains every scope of the other one.
    pub fn has_all(&self, other: &Scopes) -> bool {
        other.iter().all(|scope| self.has(scope))
    }

    /// Whether there is no scope in the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each scope.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }

    /// The scopes of both sets.
    pub fn and(&self, other: &Scopes) -> Self {
        self.iter().chain(other.iter()).collect()
    }

    /// Those that a client can use for a person with these roles.
    pub fn for_roles(&self, roles: &[Role]) -> Self {
        let permitted = |scope: &Scope| scope.roles().iter().any(|role| roles.contains(role));
        self.iter().filter(permitted).collect()
    }

    /// Whether a program that acts for no person can use all of them.
    pub fn are_of_tenant(&self) -> bool {
        self.iter().all(Scope::is_of_tenant)
    }
}

impl From<Vec<Scope>> for Scopes {
    fn from(mut scopes: Vec<Scope>) -> Self {
        scopes.sort();
        scopes.dedup();
        Self(scopes)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().collect::<Vec<_>>().into()
    }
}

impl fmt::Display for Scopes {
    /// The list as OAuth writes it: separated by spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Scope::as_str).collect();
        f.write_str(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_in_any_order_and_what_is_unknown_is_named() {
        let (scopes, unknown) = Scopes::parse("  loopiq:propose openid loopiq:read loopiq:read loopiq:Read");
        assert_eq!(scopes, Scopes::of_agents());
        assert_eq!(unknown, ["openid", "loopiq:Read"]);
        assert_eq!(scopes.to_string(), "loopiq:read loopiq:propose");
        assert_eq!(Scopes::parse("").0, Scopes::default());
        let stored = serde_json::to_string(&scopes).unwrap();
        assert_eq!(stored, r#"["loopiq:read","loopiq:propose"]"#);
        assert_eq!(serde_json::from_str::<Scopes>(&stored).unwrap(), scopes);
        assert!(serde_json::from_str::<Scopes>(r#"["read"]"#).is_err());
    }

    #[test]
    fn a_client_gets_no_more_than_the_roles_of_its_person() {
        let all: Scopes = Scope::ALL.iter().copied().collect();
        let of = |roles: &[Role]| all.for_roles(roles).to_string();
        assert_eq!(of(&[]), "");
        assert_eq!(of(&[Role::Developer]), "loopiq:read loopiq:propose");
        assert_eq!(of(&[Role::Auditor]), "loopiq:audit");
        assert_eq!(of(&[Role::Operator]), "loopiq:audit");
        assert_eq!(of(&[Role::Lead]), "loopiq:read loopiq:propose loopiq:audit");
        assert!(!all.are_of_tenant());
        assert!(
            Scopes::parse("loopiq:import loopiq:catalog loopiq:audit")
                .0
                .are_of_tenant()
        );
    }
}
