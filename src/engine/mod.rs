//! The use cases. Each authorizes first and enters the store by one of its two entrances; every door calls these and adds
//! nothing.

mod actions;
mod admin;
mod agent;
mod audit_entries;
mod error;
mod pages;
mod policy_cache;

pub use crate::context::{Ctx, Runtime};
pub use actions::approve::ApprovalRequest;
pub use admin::access::TokenRefusal;
pub use admin::import::{ImportFile, ImportReport, ImportStep};
pub use admin::operator_requests::Asked;
pub use agent::tools::{ToolResponse, ToolSpec};
pub use error::Error;
pub use pages::action::Visit;
pub use pages::audit::AuditReport;
pub use pages::policy::{Switched, mistakes as policy_mistakes};

use crate::domain::{Permission, Principal, allows};
use crate::store::{ReadCall, Store};
use policy_cache::PolicyCache;
use std::sync::{Arc, Mutex};

/// The engine: every use case, for every door. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    store: Store,
    runtime: Runtime,
    /// Where people open pages, without a slash at the end.
    public_url: Arc<str>,
    /// Calls of read tools that are not yet in the journal.
    journal: Arc<Mutex<Vec<(crate::domain::TenantId, ReadCall)>>>,
    /// Policies that were read.
    policies: PolicyCache,
    /// Held while they are written.
    flushing: Arc<tokio::sync::Mutex<()>>,
}

impl Engine {
    /// An engine on this store. `public_url` is where people open pages.
    pub fn new(store: Store, runtime: Runtime, public_url: impl AsRef<str>) -> Self {
        Self {
            store,
            runtime,
            public_url: public_url.as_ref().trim_end_matches('/').into(),
            journal: Arc::default(),
            policies: PolicyCache::default(),
            flushing: Arc::default(),
        }
    }

    /// The store, for what no use case does: setting up a demo.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where people open pages, without a slash at the end.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Clock and randomness.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    fn review_url(&self, id: &str) -> String {
        format!("{}/actions/{id}", self.public_url)
    }

    /// The one place that says no by role. A denial leaves its entry.
    async fn authorize(&self, ctx: &Ctx, command: Permission) -> Result<(), Error> {
        if allows(&ctx.principal, command) {
            return Ok(());
        }
        let error = Error::NotAuthorized {
            why: refusal(&ctx.principal, command).to_owned(),
        };
        self.deny(ctx, command, None, &error).await?;
        Err(error)
    }
}

/// Why somebody may not do something, and who could.
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
        (Principal::Client { .. }, _) => {
            "A client can read, propose and withdraw. Only a person in a browser decides and executes."
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
        (_, Permission::Configure) => "You need the role operator to change what this organisation has set.",
        (_, Permission::ReadPolicy) => {
            "You have no role in this tenant yet. Ask an administrator of your identity provider."
        }
        (_, Permission::SearchAudit) => "You need the role auditor, lead or operator to search the audit trail.",
        (_, Permission::ViewActions) => {
            "You have no role in this tenant yet. Ask an administrator of your identity provider."
        }
        _ => "You may not do this.",
    }
}
