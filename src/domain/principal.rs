//! Who is at the door. The tenant comes from here and from nowhere else.

use super::records::Role;
use super::text::PlainText;
use super::{ClientId, Email, PersonId, TenantId};
use serde::{Deserialize, Serialize};

/// A person of a tenant, as last asserted at sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The person's ID in this tenant.
    pub id: PersonId,
    /// The e-mail address that the identity provider asserted. It identifies the person only if the provider has verified it.
    pub email: Email,
    /// The name that the identity provider asserted.
    pub name: PlainText,
    /// Roles as last asserted.
    pub roles: Vec<Role>,
}

impl Person {
    /// Whether the person has one of these roles.
    pub fn has_any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }
}

/// One human being, whatever accounts they have. An identity provider may know somebody under several subjects; operators link those
/// accounts, and from then on all of them are one human.
///
/// Whoever asks whether two people are the same compares this and never [`PersonId`], which names an account. The database alone knows
/// which accounts belong together, so only rows that were loaded for a decision have it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Human(PersonId);

impl Human {
    /// The human whose first account is this one. For the store, which knows the links, and for tests.
    pub fn of_account(first: PersonId) -> Self {
        Self(first)
    }

    /// The first of their accounts.
    pub fn account(&self) -> &PersonId {
        &self.0
    }
}

/// An MCP program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// The client's ID in this tenant.
    pub id: ClientId,
    /// Its name, such as `Helix`.
    pub name: PlainText,
}

/// Whoever gives a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A person in a browser session.
    Person {
        /// The tenant the session belongs to.
        tenant: TenantId,
        /// Who signed in.
        person: Person,
        /// A digest of the session's ID: tells sessions apart without opening any.
        session: String,
    },
    /// An MCP client acting for a person.
    Client {
        /// The tenant the token belongs to.
        tenant: TenantId,
        /// The person on whose behalf it acts.
        caller: Person,
        /// The program.
        client: Client,
    },
    /// The service itself, or an operator at its console.
    System {
        /// The tenant worked upon.
        tenant: TenantId,
    },
}

impl Principal {
    /// The only tenant that this principal can touch.
    pub fn tenant(&self) -> &TenantId {
        match self {
            Principal::Person { tenant, .. } | Principal::Client { tenant, .. } | Principal::System { tenant } => {
                tenant
            }
        }
    }

    /// The person behind it: the one in the session, or the caller of the client.
    pub fn person(&self) -> Option<&Person> {
        match self {
            Principal::Person { person, .. } => Some(person),
            Principal::Client { caller, .. } => Some(caller),
            Principal::System { .. } => None,
        }
    }

    /// How an audit entry names it.
    pub fn actor(&self) -> Actor {
        match self {
            Principal::Person { person, .. } => Actor::Person {
                id: person.id.clone(),
                name: person.name.to_string(),
                email: person.email.to_string(),
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

/// Who did it, as audit entries keep it: three kinds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Actor {
    /// A person in a browser session.
    Person {
        /// Their ID.
        id: PersonId,
        /// Their name at the time.
        name: String,
        /// Their e-mail address at the time.
        email: String,
    },
    /// A client acting for a person.
    Client {
        /// The client's ID.
        id: ClientId,
        /// The client's name at the time.
        name: String,
        /// The person it acted for.
        caller_id: PersonId,
        /// Their name at the time.
        caller_name: String,
        /// Their e-mail address at the time.
        caller_email: String,
    },
    /// The service itself.
    System,
}

impl Actor {
    /// The actor in words: `Dana Developer via Helix`.
    pub fn label(&self) -> PlainText {
        match self {
            Actor::Person { name, .. } => name.into(),
            Actor::Client { name, caller_name, .. } => format!("{caller_name} via {name}").into(),
            Actor::System => "LoopIQ".into(),
        }
    }
}
