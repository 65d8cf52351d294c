//! Who makes a request. The tenant is taken from the principal and from nothing else.

use super::records::Role;
use super::text::PlainText;
use super::{ClientId, Email, PersonId, Scopes, TenantId};
use serde::{Deserialize, Serialize};

/// A person's account in a tenant, as asserted at the last sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The account's ID in this tenant.
    pub id: PersonId,
    /// The e-mail address that the identity provider asserted. It identifies the person only if the provider has
    /// verified it.
    pub email: Email,
    /// The name that the identity provider asserted.
    pub name: PlainText,
    /// The roles of the last sign-in.
    pub roles: Vec<Role>,
}

impl Person {
    /// Whether the person has one of these roles.
    pub fn has_any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }
}

/// A human, independent of accounts. An identity provider may know one human under several subjects; once operators
/// have linked the accounts, all of them belong to one `Human`.
///
/// Code that asks whether two people are the same compares `Human` and never [`PersonId`], which identifies an account.
/// Only rows that were loaded for a decision have a `Human`, because only the database knows the links.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Human(PersonId);

impl Human {
    /// The human whose first account is this one. For the store, which knows the links, and for tests.
    pub fn of_account(first: PersonId) -> Self {
        Self(first)
    }

    /// The first account of the human.
    pub fn account(&self) -> &PersonId {
        &self.0
    }
}

/// An MCP client program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// The client's ID in this tenant.
    pub id: ClientId,
    /// The client's name, such as `Helix`.
    pub name: PlainText,
}

/// The party that makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A person in a browser session.
    Person {
        /// The tenant of the session.
        tenant: TenantId,
        /// The person who signed in.
        person: Person,
        /// A digest of the session's ID, which distinguishes sessions and opens none.
        session: String,
    },
    /// An MCP client acting for a person.
    Client {
        /// The tenant of the token.
        tenant: TenantId,
        /// The person for whom the client acts.
        caller: Person,
        /// The client.
        client: Client,
        /// What the token can be used for.
        scopes: Scopes,
    },
    /// A program with a token of the tenant, which acts for no person.
    Program {
        /// The tenant of the token.
        tenant: TenantId,
        /// The program.
        client: Client,
        /// What the token can be used for.
        scopes: Scopes,
    },
    /// The service itself, or an operator at its console.
    System {
        /// The tenant of the work.
        tenant: TenantId,
    },
}

impl Principal {
    /// The only tenant that the principal can reach.
    pub fn tenant(&self) -> &TenantId {
        match self {
            Principal::Person { tenant, .. }
            | Principal::Client { tenant, .. }
            | Principal::Program { tenant, .. }
            | Principal::System { tenant } => tenant,
        }
    }

    /// The person of the session, or the caller of the client.
    pub fn person(&self) -> Option<&Person> {
        match self {
            Principal::Person { person, .. } => Some(person),
            Principal::Client { caller, .. } => Some(caller),
            Principal::Program { .. } | Principal::System { .. } => None,
        }
    }

    /// The client whose token the request has.
    pub fn client(&self) -> Option<&Client> {
        match self {
            Principal::Client { client, .. } | Principal::Program { client, .. } => Some(client),
            Principal::Person { .. } | Principal::System { .. } => None,
        }
    }

    /// What the token of the request can be used for; `None` without a token.
    pub fn scopes(&self) -> Option<&Scopes> {
        match self {
            Principal::Client { scopes, .. } | Principal::Program { scopes, .. } => Some(scopes),
            Principal::Person { .. } | Principal::System { .. } => None,
        }
    }

    /// The actor for audit entries.
    pub fn actor(&self) -> Actor {
        match self {
            Principal::Person { person, .. } => Actor::Person {
                id: person.id.clone(),
                name: person.name.to_string(),
                email: person.email.to_string(),
            },
            Principal::Program { client, .. } => Actor::Program {
                id: client.id.clone(),
                name: client.name.to_string(),
            },
            Principal::Client { caller, client, .. } => Actor::Client {
                id: client.id.clone(),
                name: client.name.to_string(),
                caller_id: caller.id.clone(),
                caller_name: caller.name.to_string(),
                caller_email: caller.email.to_string(),
            },
            Principal::System { .. } => Actor::System,
        }
    }
}

/// Who caused an event, as audit entries store it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Actor {
    /// A person in a browser session.
    Person {
        /// The person's ID.
        id: PersonId,
        /// The person's name at the time.
        name: String,
        /// The person's e-mail address at the time.
        email: String,
    },
    /// A client acting for a person.
    Client {
        /// The client's ID.
        id: ClientId,
        /// The client's name at the time.
        name: String,
        /// The ID of the caller.
        caller_id: PersonId,
        /// The caller's name at the time.
        caller_name: String,
        /// The caller's e-mail address at the time.
        caller_email: String,
    },
    /// A program that acts for no person.
    Program {
        /// The program's ID as a client.
        id: ClientId,
        /// The program's name at the time.
        name: String,
    },
    /// The service itself.
    System,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Scope;

    #[test]
    fn a_client_acts_for_its_caller_and_the_service_for_nobody() {
        let tenant = TenantId::parse("acme").unwrap();
        let dana = Person {
            id: PersonId::from_bits(1),
            email: Email::verified("dana@acme.example"),
            name: "Dana Developer".into(),
            roles: vec![Role::Developer],
        };
        let client = Principal::Client {
            tenant: tenant.clone(),
            caller: dana.clone(),
            client: Client {
                id: ClientId::from_bits(2),
                name: "Helix".into(),
            },
            scopes: Scopes::of_agents(),
        };
        let program = Principal::Program {
            tenant: tenant.clone(),
            client: Client {
                id: ClientId::from_bits(3),
                name: "Nightly import".into(),
            },
            scopes: vec![Scope::Import].into(),
        };
        let person = Principal::Person {
            tenant: tenant.clone(),
            person: dana.clone(),
            session: "s".to_owned(),
        };
        let system = Principal::System { tenant: tenant.clone() };
        assert_eq!(client.person(), Some(&dana));
        assert_eq!(person.person(), Some(&dana));
        assert_eq!((system.person(), program.person()), (None, None));
        assert_eq!((client.scopes(), system.scopes()), (Some(&Scopes::of_agents()), None));
        assert_eq!(
            program.actor(),
            Actor::Program {
                id: ClientId::from_bits(3),
                name: "Nightly import".to_owned()
            }
        );
        assert_eq!(serde_json::to_value(program.actor()).unwrap()["kind"], "program");
        assert!(
            [&client, &person, &program, &system]
                .into_iter()
                .all(|one| *one.tenant() == tenant)
        );
        assert_eq!(system.actor(), Actor::System);
        assert!(dana.has_any(&[Role::Lead, Role::Developer]) && !dana.has_any(&[Role::Lead]));
        assert_eq!(Human::of_account(dana.id.clone()).account(), &dana.id);
    }
}
