//! Which roles and which scopes may run which commands: one table for all interfaces.

use super::records::Role;
use super::{Principal, Scope, Scopes, Timestamp};

/// A command that needs permission. Every use case of the engine checks one before it does anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Sign in and use the pages.
    SignIn,
    /// Read records over MCP.
    ReadRecords,
    /// Propose an action.
    Propose,
    /// Withdraw an action that was proposed for the same person.
    Withdraw,
    /// See the inbox and actions.
    ViewActions,
    /// Approve an action.
    Approve,
    /// Reject an action.
    Reject,
    /// Execute an approved action.
    Execute,
    /// Revoke an approval.
    Revoke,
    /// Ask the proposer about an action.
    Ask,
    /// Answer a question about an action that was proposed for the same person.
    Answer,
    /// Leave parts of an action out.
    Prune,
    /// See the policy and its versions.
    ReadPolicy,
    /// See the catalog: teams, components, releases and declared roles.
    ReadCatalog,
    /// Set the status of releases, and grant and refuse certifications.
    Certify,
    /// Search the audit trail of the tenant.
    SearchAudit,
    /// Import evidence and findings.
    Import,
    /// Change the catalog.
    ApplyCatalog,
    /// Issue a bearer token.
    IssueToken,
    /// Pause agents, a tool or a client.
    Pause,
    /// Change settings of a tenant.
    Configure,
    /// List people with their sessions, and end the sessions of other people.
    EndSessions,
    /// Expire overdue actions.
    Sweep,
    /// Verify the stored bytes of evidence.
    Scrub,
}

impl Permission {
    /// Every permission, so that a test covers the whole table.
    pub const ALL: &[Permission] = &[
        Permission::SignIn,
        Permission::ReadRecords,
        Permission::Propose,
        Permission::Withdraw,
        Permission::ViewActions,
        Permission::Approve,
        Permission::Reject,
        Permission::Execute,
        Permission::Revoke,
        Permission::Ask,
        Permission::Answer,
        Permission::Prune,
        Permission::ReadPolicy,
        Permission::ReadCatalog,
        Permission::Certify,
        Permission::SearchAudit,
        Permission::Import,
        Permission::ApplyCatalog,
        Permission::IssueToken,
        Permission::Pause,
        Permission::Configure,
        Permission::EndSessions,
        Permission::Sweep,
        Permission::Scrub,
    ];

    /// The stable name in audit entries.
    pub fn as_str(self) -> &'static str {
        match self {
            Permission::SignIn => "sign_in",
            Permission::ReadRecords => "read_records",
            Permission::Propose => "propose",
            Permission::Withdraw => "withdraw",
            Permission::ViewActions => "view_actions",
            Permission::Approve => "approve",
            Permission::Reject => "reject",
            Permission::Execute => "execute",
            Permission::Revoke => "revoke",
            Permission::Ask => "ask",
            Permission::Answer => "answer",
            Permission::Prune => "prune",
            Permission::ReadPolicy => "read_policy",
            Permission::ReadCatalog => "read_catalog",
            Permission::Certify => "certify",
            Permission::SearchAudit => "search_audit",
            Permission::Import => "import",
            Permission::ApplyCatalog => "apply_catalog",
            Permission::IssueToken => "issue_token",
            Permission::Pause => "pause",
            Permission::Configure => "configure",
            Permission::EndSessions => "end_sessions",
            Permission::Sweep => "sweep",
            Permission::Scrub => "scrub",
        }
    }

    /// The scope that a token needs for the command; `None` for commands that no token runs.
    pub fn scope(self) -> Option<Scope> {
        use Permission::*;
        match self {
            ReadRecords | ViewActions => Some(Scope::Read),
            Propose | Withdraw | Answer => Some(Scope::Propose),
            Import => Some(Scope::Import),
            ReadCatalog | ApplyCatalog => Some(Scope::Catalog),
            SearchAudit => Some(Scope::Audit),
            SignIn | Approve | Reject | Execute | Revoke | Ask | Prune | ReadPolicy | Certify | IssueToken | Pause
            | Configure | EndSessions | Sweep | Scrub => None,
        }
    }
}

/// Whether the principal's roles, and the scopes of its token, permit the command. Conditions of the action itself (caller, state, tenant) are
/// checked in the transaction that loads the action.
pub fn allows(principal: &Principal, command: Permission) -> bool {
    use Permission::*;
    match principal {
        // A client needs the scope as well as the role of its caller, and decides nothing, whatever its caller may do in a browser.
        Principal::Client { caller, scopes, .. } => command
            .scope()
            .is_some_and(|scope| scopes.has(scope) && caller.has_any(scope.roles())),
        Principal::Program { scopes, .. } => command
            .scope()
            .is_some_and(|scope| scopes.has(scope) && scope.is_of_tenant()),
        Principal::Person { person, .. } => match command {
            SignIn | ViewActions => !person.roles.is_empty(),
            Approve | Reject | Execute | Revoke | Ask | Prune => person.has_any(&[Role::Reviewer, Role::Lead]),
            SearchAudit => person.has_any(&[Role::Auditor, Role::Lead, Role::Operator]),
            // Everyone whose actions the policy decides may read it, and which records there are.
            ReadPolicy | ReadCatalog => !person.roles.is_empty(),
            Certify => person.has_any(&[Role::Lead]),
            // Pausing is safe, so that more people may do it than may resume, which needs `Configure`.
            Pause => person.has_any(&[Role::Lead, Role::Operator]),
            Configure | ApplyCatalog | EndSessions | IssueToken => person.has_any(&[Role::Operator]),
            // Operators do this work at the console; no page exists for it.
            ReadRecords | Propose | Withdraw | Answer | Import | Sweep | Scrub => false,
        },
        Principal::System { .. } => matches!(
            command,
            Import
                | ApplyCatalog
                | IssueToken
                | Pause
                | Configure
                | EndSessions
                | ReadPolicy
                | ReadCatalog
                | Certify
                | Sweep
                | Scrub
        ),
    }
}

/// The scopes of the token with which the principal could run the command, if only its own scopes forbid it; `None` if no scope would help.
pub fn missing_scopes(principal: &Principal, command: Permission) -> Option<Scopes> {
    let scope = command.scope()?;
    let permitted = match principal {
        Principal::Client { caller, .. } => caller.has_any(scope.roles()),
        Principal::Program { .. } => scope.is_of_tenant(),
        Principal::Person { .. } | Principal::System { .. } => false,
    };
    let lacks = principal.scopes().is_some_and(|scopes| !scopes.has(scope));
    (permitted && lacks).then(|| vec![scope].into())
}

/// Whether roles still count that an identity provider asserted at `asserted_at`. The rule for people who decide, and for people whose
/// approvals are counted. `max_age`: microseconds.
pub fn roles_are_current(asserted_at: Timestamp, now: Timestamp, max_age: i64) -> bool {
    now.since(asserted_at) <= max_age
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Client, ClientId, Email, Person, PersonId, TenantId};

    fn person(roles: &[Role]) -> Person {
        Person {
            id: PersonId::from_bits(1),
            email: Email::verified("dana@acme.example"),
            name: "Dana".into(),
            roles: roles.to_vec(),
        }
    }

    fn tenant() -> TenantId {
        TenantId::parse("acme").unwrap()
    }

    fn allowed(principal: &Principal) -> String {
        let all = Permission::ALL
            .iter()
            .filter(|permission| allows(principal, **permission));
        all.map(|permission| permission.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn browser(roles: &[Role]) -> String {
        allowed(&Principal::Person {
            tenant: tenant(),
            person: person(roles),
            session: String::new(),
        })
    }

    fn helix() -> Client {
        Client {
            id: ClientId::from_bits(1),
            name: "Helix".into(),
        }
    }

    fn acting(roles: &[Role], scopes: &str) -> Principal {
        Principal::Client {
            tenant: tenant(),
            caller: person(roles),
            client: helix(),
            scopes: Scopes::parse(scopes).0,
        }
    }

    fn program(scopes: &str) -> Principal {
        Principal::Program {
            tenant: tenant(),
            client: helix(),
            scopes: Scopes::parse(scopes).0,
        }
    }

    const EVERY: &str = "loopiq:read loopiq:propose loopiq:import loopiq:catalog loopiq:audit";

    #[test]
    fn a_token_needs_the_scope_as_well_as_the_role() {
        let developer = |scopes| allowed(&acting(&[Role::Developer], scopes));
        assert_eq!(developer(""), "");
        assert_eq!(developer("loopiq:read"), "read_records view_actions");
        assert_eq!(developer("loopiq:propose"), "propose withdraw answer");
        assert_eq!(developer(EVERY), "read_records propose withdraw view_actions answer");
        let of = |roles: &[Role]| allowed(&acting(roles, EVERY));
        assert_eq!(of(&[]), "");
        assert_eq!(of(&[Role::Operator]), "search_audit");
        assert_eq!(
            of(&[Role::Lead]),
            "read_records propose withdraw view_actions answer search_audit"
        );
        assert_eq!(allowed(&program("")), "");
        assert_eq!(allowed(&program("loopiq:import")), "import");
        assert_eq!(allowed(&program("loopiq:catalog")), "read_catalog apply_catalog");
        assert_eq!(
            allowed(&program(EVERY)),
            "read_catalog search_audit import apply_catalog",
            "a program that acts for no person proposes nothing"
        );
    }

    #[test]
    fn a_scope_is_named_only_if_it_would_help() {
        let missing =
            |principal: &Principal, command| missing_scopes(principal, command).map(|scopes| scopes.to_string());
        let reader = acting(&[Role::Developer], "loopiq:read");
        assert_eq!(missing(&reader, Permission::Propose).as_deref(), Some("loopiq:propose"));
        assert_eq!(missing(&reader, Permission::ReadRecords), None, "it has the scope");
        assert_eq!(
            missing(&reader, Permission::SearchAudit),
            None,
            "the role does not permit it"
        );
        assert_eq!(missing(&reader, Permission::Approve), None, "no token decides");
        let importer = program("loopiq:import");
        assert_eq!(
            missing(&importer, Permission::ApplyCatalog).as_deref(),
            Some("loopiq:catalog")
        );
        assert_eq!(
            missing(&importer, Permission::Propose),
            None,
            "a program needs a person for it"
        );
        assert_eq!(
            missing(&Principal::System { tenant: tenant() }, Permission::Propose),
            None
        );
    }

    #[test]
    fn roles_count_until_their_age_is_reached() {
        let current = |age: i64| roles_are_current(Timestamp(1_000), Timestamp(1_000 + age), 30);
        assert!(current(0) && current(30) && !current(31));
        assert!(current(-5), "a clock that was set back");
    }

    #[test]
    fn the_table_of_permissions_is_the_products() {
        let decider = "sign_in view_actions approve reject execute revoke ask prune read_policy read_catalog";
        assert_eq!(browser(&[]), "");
        assert_eq!(
            browser(&[Role::Developer]),
            "sign_in view_actions read_policy read_catalog"
        );
        assert_eq!(browser(&[Role::Reviewer]), decider);
        assert_eq!(browser(&[Role::Lead]), format!("{decider} certify search_audit pause"));
        assert_eq!(
            browser(&[Role::Auditor]),
            "sign_in view_actions read_policy read_catalog search_audit"
        );
        assert_eq!(
            browser(&[Role::Operator]),
            "sign_in view_actions read_policy read_catalog search_audit apply_catalog issue_token pause configure end_sessions"
        );
        for role in [Role::Developer, Role::Reviewer, Role::Lead] {
            let agent = acting(&[role], "loopiq:read loopiq:propose");
            assert_eq!(allowed(&agent), "read_records propose withdraw view_actions answer");
        }
        assert_eq!(
            allowed(&acting(&[Role::Auditor, Role::Operator], "loopiq:read loopiq:propose")),
            ""
        );
        assert_eq!(
            allowed(&Principal::System { tenant: tenant() }),
            "read_policy read_catalog certify import apply_catalog issue_token pause configure end_sessions sweep scrub"
        );
    }
}
