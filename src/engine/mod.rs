//! The use cases. Each use case authorizes first and uses the store through one transaction or several. The MCP server,
//! the web pages and the command line call use cases and contain no rules of their own.

mod actions;
mod admin;
mod agent;
mod audit_entries;
mod audit_log;
mod audit_search;
mod entry_limits;
mod error;
mod evidence_files;
mod pages;
mod policy_cache;
mod reopened_findings;

pub use crate::context::{Ctx, RequestOrigin, Runtime};
pub use actions::approve::ApprovalRequest;
pub use actions::step_up::StepUpRequest;
pub use admin::access::{FailedSignIn, VerifiedIdentity};
pub use admin::catalog::{CatalogOutcome, CatalogPart, CatalogReport, SeenPreview};
pub use admin::grants::{
    CodeBinding, Consent, Consentable, GrantRefusal, IssuedTokens, ServiceToken, ServiceTokenRequest,
};
pub use admin::identity::LONGEST_SUBJECT;
pub use admin::import::{ImportFile, ImportReport, ImportStep};
pub use admin::operator_requests::Asked;
pub use admin::provider_tokens::ProviderGrant;
pub use admin::scrub::ScrubReport;
pub use admin::sessions::{SignedInAgain, Switch};
pub use admin::tokens::{Authentication, TokenRefusal};
pub use agent::tasks::{ActionTask, TaskProgress};
pub use agent::tools::{ToolResponse, ToolSpec};
pub use audit_log::{AuditReport, EntryProof, ExportError, Exported, Signed, WitnessUpdate};
pub use error::Error;
pub use pages::action::Visit;
pub use pages::audit_query::audit_vocabulary;
pub use pages::policy::{Switched, mistakes as policy_mistakes};

use crate::domain::{Permission, Principal, allows, missing_scopes};
use crate::search::AuditIndex;
use crate::store::{ReadCall, Store};
use audit_search::AuditSearch;
use entry_limits::EntryLimits;
use policy_cache::PolicyCache;
use std::sync::{Arc, Mutex};

/// The engine, with every use case. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    store: Store,
    runtime: Runtime,
    /// The address of the web pages, without a slash at the end.
    public_url: Arc<str>,
    /// Calls of read tools that are not yet written to the journal.
    journal: Arc<Mutex<Vec<(crate::domain::TenantId, ReadCall)>>>,
    /// Parsed policies.
    policies: PolicyCache,
    /// The search over audit entries.
    search: AuditSearch,
    /// Limits on entries that anybody could cause again and again.
    entry_limits: EntryLimits,
    /// Held while the journal is written, so that only one task writes it.
    flushing: Arc<tokio::sync::Mutex<()>>,
}

impl Engine {
    /// An engine on this store. `public_url` is the address of the web pages. Its search index is in memory.
    pub fn new(store: Store, runtime: Runtime, public_url: impl AsRef<str>) -> Self {
        Self {
            store,
            runtime,
            public_url: public_url.as_ref().trim_end_matches('/').into(),
            journal: Arc::default(),
            policies: PolicyCache::default(),
            search: AuditSearch::new(AuditIndex::in_memory()),
            entry_limits: EntryLimits::default(),
            flushing: Arc::default(),
        }
    }

    /// The same engine with this search index.
    pub fn with_audit_index(self, index: AuditIndex) -> Self {
        Self {
            search: AuditSearch::new(index),
            ..self
        }
    }

    /// The same engine, which counts roles for so many microseconds after the identity provider asserted them.
    pub fn with_roles_max_age(self, micros: i64) -> Self {
        Self {
            policies: self.policies.with_roles_max_age(micros),
            ..self
        }
    }

    /// The store, for work that is no use case: setting up a demo.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The address of the web pages, without a slash at the end.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// The clock and the source of IDs.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    fn review_url(&self, id: &str) -> String {
        format!("{}/actions/{id}", self.public_url)
    }

    /// Refuses a principal whose roles, or the scopes of whose token, do not permit the command, and records the denial. The only check of roles and
    /// scopes.
    async fn authorize(&self, ctx: &Ctx, command: Permission) -> Result<(), Error> {
        if allows(&ctx.principal, command) {
            return Ok(());
        }
        let error = match missing_scopes(&ctx.principal, command) {
            Some(needed) => Error::InsufficientScope {
                needed,
                held: ctx.principal.scopes().cloned().unwrap_or_default(),
            },
            None => Error::NotAuthorized {
                why: refusal(&ctx.principal, command).to_owned(),
            },
        };
        self.deny(ctx, command, None, &error).await?;
        Err(error)
    }
}

/// Why a principal may not run a command, and who may.
fn refusal(principal: &Principal, command: Permission) -> &'static str {
    match (principal, command) {
        (
            Principal::Client { .. },
            Permission::Propose
            | Permission::Withdraw
            | Permission::Answer
            | Permission::ReadRecords
            | Permission::ViewActions,
        ) => {
            "The person you act for has none of the roles developer, reviewer or lead. Ask an administrator of your identity provider."
        }
        (Principal::Client { .. }, Permission::SearchAudit) => {
            "The person you act for has none of the roles auditor, lead or operator. Ask an administrator of your identity provider."
        }
        (Principal::Client { .. }, Permission::Import | Permission::ReadCatalog | Permission::ApplyCatalog) => {
            "A client that acts for a person imports nothing and changes no catalog. An operator creates a service token of the tenant for that."
        }
        (Principal::Program { .. }, _) => {
            "This token belongs to the tenant and acts for no person. It imports, applies catalogs or reads the audit log; everything else needs a person."
        }
        (Principal::Client { .. }, _) => {
            "A client can read, propose and withdraw. Only a person in a browser decides and executes."
        }
        (Principal::Person { .. }, Permission::Propose | Permission::Withdraw | Permission::Answer) => {
            "A program proposes, with a token that acts for a person. People decide."
        }
        (Principal::Person { .. }, Permission::Import) => {
            "A program imports evidence, with a token of the tenant, or an operator at the console."
        }
        (
            _,
            Permission::Approve
            | Permission::Reject
            | Permission::Execute
            | Permission::Revoke
            | Permission::Ask
            | Permission::Prune,
        ) => "You need the role reviewer or lead to decide actions. Nothing was changed.",
        (_, Permission::Configure | Permission::ApplyCatalog) => {
            "You need the role operator to change what this organisation has set."
        }
        (_, Permission::Pause) => "You need the role lead or operator to pause agents.",
        (_, Permission::IssueToken) => {
            "You need the role operator to create tokens for programs, and to see and revoke those of others."
        }
        (_, Permission::EndSessions) => {
            "You need the role operator to see the sessions of other people and to end them."
        }
        (_, Permission::Certify) => "You need the role lead to decide about releases and certifications.",
        (_, Permission::ReadCatalog | Permission::ReadPolicy) => {
            "You have no role in this tenant yet. Ask an administrator of your identity provider."
        }
        (_, Permission::SearchAudit) => "You need the role auditor, lead or operator to search the audit trail.",
        (_, Permission::ViewActions) => {
            "You have no role in this tenant yet. Ask an administrator of your identity provider."
        }
        _ => "You may not do this.",
    }
}
