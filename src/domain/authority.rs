//! Who may do what: one table for every door.

use super::Principal;
use super::records::Role;

/// What somebody wants to do. Every use case of the engine names one before it does anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
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

impl Command {
    /// Every command there is, so that a test can go through the whole table.
    pub const ALL: &[Command] = &[
        Command::ReadRecords,
        Command::Propose,
        Command::Withdraw,
        Command::ViewActions,
        Command::Approve,
        Command::Reject,
        Command::Execute,
        Command::Revoke,
        Command::Ask,
        Command::Answer,
        Command::Prune,
        Command::ReadPolicy,
        Command::SearchAudit,
        Command::Import,
        Command::IssueToken,
        Command::Configure,
        Command::Sweep,
    ];

    /// Stable name, as audit entries keep it.
    pub fn as_str(self) -> &'static str {
        match self {
            Command::ReadRecords => "read_records",
            Command::Propose => "propose",
            Command::Withdraw => "withdraw",
            Command::ViewActions => "view_actions",
            Command::Approve => "approve",
            Command::Reject => "reject",
            Command::Execute => "execute",
            Command::Revoke => "revoke",
            Command::Ask => "ask",
            Command::Answer => "answer",
            Command::Prune => "prune",
            Command::ReadPolicy => "read_policy",
            Command::SearchAudit => "search_audit",
            Command::Import => "import",
            Command::IssueToken => "issue_token",
            Command::Configure => "configure",
            Command::Sweep => "sweep",
        }
    }
}

/// Whether this principal may give this command at all. What the action itself adds (its caller, its state, the
/// tenant) is judged where the action is loaded, inside the transaction that acts.
pub fn allows(principal: &Principal, command: Command) -> bool {
    use Command::*;
    match principal {
        // A client never has more than reading, proposing and withdrawing, whatever its caller may do in a browser.
        Principal::Client { caller, .. } => {
            matches!(command, ReadRecords | Propose | Withdraw | Answer | ViewActions)
                && caller.has_any(&[Role::Developer, Role::Reviewer, Role::Lead])
        }
        Principal::Person { person, .. } => match command {
            ViewActions => !person.roles.is_empty(),
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
