//! Which roles may run which commands: one table for all interfaces.

use super::records::Role;
use super::{Principal, Timestamp};

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
    /// Issue a bearer token.
    IssueToken,
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
        Permission::IssueToken,
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
            Permission::IssueToken => "issue_token",
            Permission::Configure => "configure",
            Permission::EndSessions => "end_sessions",
            Permission::Sweep => "sweep",
            Permission::Scrub => "scrub",
        }
    }
}

/// Whether the principal's roles permit the command. Conditions of the action itself (caller, state, tenant) are
/// checked in the transaction that loads the action.
pub fn allows(principal: &Principal, command: Permission) -> bool {
    use Permission::*;
    match principal {
        // A client can only read, propose, answer and withdraw, whatever its caller may do in a browser.
        Principal::Client { caller, .. } => {
            matches!(command, ReadRecords | Propose | Withdraw | Answer | ViewActions)
                && caller.has_any(&[Role::Developer, Role::Reviewer, Role::Lead])
        }
        Principal::Person { person, .. } => match command {
            SignIn | ViewActions => !person.roles.is_empty(),
            Approve | Reject | Execute | Revoke | Ask | Prune => person.has_any(&[Role::Reviewer, Role::Lead]),
            SearchAudit => person.has_any(&[Role::Auditor, Role::Lead, Role::Operator]),
            // Everyone whose actions the policy decides may read it, and which records there are.
            ReadPolicy | ReadCatalog => !person.roles.is_empty(),
            Certify => person.has_any(&[Role::Lead]),
            Configure | EndSessions => person.has_any(&[Role::Operator]),
            // Operators do this work at the console; no page exists for it.
            ReadRecords | Propose | Withdraw | Answer | Import | IssueToken | Sweep | Scrub => false,
        },
        Principal::System { .. } => matches!(
            command,
            Import | IssueToken | Configure | EndSessions | ReadPolicy | ReadCatalog | Certify | Sweep | Scrub
        ),
    }
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

    fn client(roles: &[Role]) -> String {
        allowed(&Principal::Client {
            tenant: tenant(),
            caller: person(roles),
            client: Client {
                id: ClientId::from_bits(1),
                name: "Helix".into(),
            },
        })
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
        assert_eq!(browser(&[Role::Lead]), format!("{decider} certify search_audit"));
        assert_eq!(
            browser(&[Role::Auditor]),
            "sign_in view_actions read_policy read_catalog search_audit"
        );
        assert_eq!(
            browser(&[Role::Operator]),
            "sign_in view_actions read_policy read_catalog search_audit configure end_sessions"
        );
        for role in [Role::Developer, Role::Reviewer, Role::Lead] {
            assert_eq!(client(&[role]), "read_records propose withdraw view_actions answer");
        }
        assert_eq!(client(&[Role::Auditor, Role::Operator]), "");
        assert_eq!(
            allowed(&Principal::System { tenant: tenant() }),
            "read_policy read_catalog certify import issue_token configure end_sessions sweep scrub"
        );
    }
}
