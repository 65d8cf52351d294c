//! The table of rights as people read it: who may run which command. It asks [`allows`] about one principal of each kind, so that it cannot
//! differ from what the engine does.

use super::records::Role;
use super::{Client, ClientId, Email, Permission, Person, PersonId, Principal, Scope, TenantId, allows};

/// Who may run a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// The command.
    pub command: Permission,
    /// The roles that permit it to a person in a browser, each of them alone.
    pub roles: Vec<Role>,
    /// The scopes that permit it to a program with a token, each of them alone.
    pub scopes: Vec<ScopeRight>,
    /// Whether the service itself does it, or an operator at its console.
    pub console: bool,
}

/// What a scope permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeRight {
    /// The scope.
    pub scope: Scope,
    /// The roles of which a person needs one, so that a client may run the command for the person. Empty if no client may.
    pub roles: Vec<Role>,
    /// Whether a program of the tenant, which acts for no person, may run the command.
    pub program: bool,
}

/// The rights of a tenant's principals, in the order of [`Permission::ALL`].
pub fn rights(tenant: &TenantId) -> Vec<Right> {
    Permission::ALL.iter().map(|command| right(tenant, *command)).collect()
}

fn right(tenant: &TenantId, command: Permission) -> Right {
    let scopes = Scope::ALL.iter().map(|scope| ScopeRight {
        scope: *scope,
        roles: roles(|role| allows(&client(tenant, role, *scope), command)),
        program: allows(&program(tenant, *scope), command),
    });
    Right {
        command,
        roles: roles(|role| allows(&browser(tenant, role), command)),
        scopes: scopes
            .filter(|right| right.program || !right.roles.is_empty())
            .collect(),
        console: allows(&Principal::System { tenant: tenant.clone() }, command),
    }
}

fn roles(permit: impl Fn(Role) -> bool) -> Vec<Role> {
    Role::ALL.iter().copied().filter(|role| permit(*role)).collect()
}

fn person(role: Role) -> Person {
    Person {
        id: PersonId::from_bits(0),
        email: Email::claimed(""),
        name: role.as_str().into(),
        roles: vec![role],
    }
}

fn browser(tenant: &TenantId, role: Role) -> Principal {
    Principal::Person {
        tenant: tenant.clone(),
        person: person(role),
        session: String::new(),
    }
}

fn any_client() -> Client {
    Client {
        id: ClientId::from_bits(0),
        name: "any".into(),
    }
}

fn client(tenant: &TenantId, role: Role, scope: Scope) -> Principal {
    Principal::Client {
        tenant: tenant.clone(),
        caller: person(role),
        client: any_client(),
        scopes: vec![scope].into(),
    }
}

fn program(tenant: &TenantId, scope: Scope) -> Principal {
    Principal::Program {
        tenant: tenant.clone(),
        client: any_client(),
        scopes: vec![scope].into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_who_may_run_each_command() {
        let rights = rights(&TenantId::parse("acme").unwrap());
        assert_eq!(rights.len(), Permission::ALL.len());
        let of = |command| rights.iter().find(|right| right.command == command).unwrap();
        let approve = of(Permission::Approve);
        assert_eq!(
            (&approve.roles[..], &approve.scopes[..], approve.console),
            (&[Role::Reviewer, Role::Lead][..], &[][..], false)
        );
        let propose = ScopeRight {
            scope: Scope::Propose,
            roles: vec![Role::Developer, Role::Reviewer, Role::Lead],
            program: false,
        };
        assert_eq!(
            (&of(Permission::Propose).scopes, of(Permission::Propose).roles.len()),
            (&vec![propose], 0)
        );
        let import = ScopeRight {
            scope: Scope::Import,
            roles: Vec::new(),
            program: true,
        };
        assert_eq!(
            (&of(Permission::Import).scopes, of(Permission::Import).console),
            (&vec![import], true)
        );
    }

    #[test]
    fn somebody_may_run_each_command() {
        for right in rights(&TenantId::parse("acme").unwrap()) {
            assert!(
                right.console || !right.roles.is_empty() || !right.scopes.is_empty(),
                "{:?}",
                right.command
            );
        }
    }

    #[test]
    fn no_token_can_use_more_than_the_scope_that_its_refusal_names() {
        for right in rights(&TenantId::parse("acme").unwrap()) {
            for scope in right.scopes {
                assert_eq!(Some(scope.scope), right.command.scope(), "{:?}", right.command);
            }
        }
    }
}
