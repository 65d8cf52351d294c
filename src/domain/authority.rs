//! Who may do what: one table for every door.

use super::Principal;
use super::records::Role;

/// What somebody wants to do. Every use case of the engine names one before it does anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Sign in and use the pages.
    SignIn,
    /// Read records over MCP.
    ReadRecords,
    /// Propose an action.
    Propose,
    /// Take back an action that one proposed.
    Withdraw,
    /// See the inbox and actions.
    ViewActions,
    /// Approve an action.
    Approve,
    /// Reject an action.
    Reject,
    /// Run an approved action.
    Execute,
    /// Take an approval back.
    Revoke,
    /// Ask the proposer about an action.
    Ask,
    /// Answer a question about an action that one proposed.
    Answer,
    /// Leave parts of an action out.
    Prune,
    /// See the policy and what it has been.
    ReadPolicy,
    /// Search the audit trail of the tenant.
    SearchAudit,
    /// Bring evidence and findings in.
    Import,
    /// Give out a bearer token.
    IssueToken,
    /// Change what a tenant has set.
    Configure,
    /// Write what time alone decides: expiry.
    Sweep,
}

impl Permission {
    /// Every command there is, so that a test can go through the whole table.
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
        Permission::SearchAudit,
        Permission::Import,
        Permission::IssueToken,
        Permission::Configure,
        Permission::Sweep,
    ];

    /// Stable name, as audit entries keep it.
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
            Permission::SearchAudit => "search_audit",
            Permission::Import => "import",
            Permission::IssueToken => "issue_token",
            Permission::Configure => "configure",
            Permission::Sweep => "sweep",
        }
    }
}

/// Whether this principal may give this command at all. What the action itself adds (its caller, its state, the
/// tenant) is judged where the action is loaded, inside the transaction that acts.
pub fn allows(principal: &Principal, command: Permission) -> bool {
    use Permission::*;
    match principal {
        // A client never has more than reading, proposing and withdrawing, whatever its caller may do in a browser.
        Principal::Client { caller, .. } => {
            matches!(command, ReadRecords | Propose | Withdraw | Answer | ViewActions)
                && caller.has_any(&[Role::Developer, Role::Reviewer, Role::Lead])
        }
        Principal::Person { person, .. } => match command {
            SignIn | ViewActions => !person.roles.is_empty(),
            Approve | Reject | Execute | Revoke | Ask | Prune => person.has_any(&[Role::Reviewer, Role::Lead]),
            SearchAudit => person.has_any(&[Role::Auditor, Role::Lead, Role::Operator]),
            // Whoever is judged by the rules may read them.
            ReadPolicy => !person.roles.is_empty(),
            Configure => person.has_any(&[Role::Operator]),
            // What operators set otherwise, they set at a console: there is no page for it yet.
            ReadRecords | Propose | Withdraw | Answer | Import | IssueToken | Sweep => false,
        },
        Principal::System { .. } => matches!(command, Import | IssueToken | Configure | ReadPolicy | Sweep),
    }
}
