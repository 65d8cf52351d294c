//! Governed tools: one file each. A tool only plans: its arguments, the facts it needs, and a pure function from both to a
//! change set. Adding a tool is adding a file and a line in [`TOOLS`].

mod accept_risk;
mod add_audit_note;
mod create_remediation_work_package;
mod create_work_item;
mod link_evidence;
mod plan;
mod refresh_release_evidence;
mod request_certification;
pub mod schema;
mod status_changes;
mod update_finding_status;
mod update_work_item;
mod work_item_arguments;

pub use plan::{FieldErrors, NewIds, Plan, PlanPlace};

use crate::domain::{Facts, FactsQuery, FieldError, Timestamp};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A governed tool.
pub trait Tool: Sync {
    /// What it takes, beside what every tool takes (see [`schema::CallOptions`]).
    type Arguments: DeserializeOwned + JsonSchema;
    /// The name agents call.
    const NAME: &'static str;
    /// The name people read.
    const TITLE: &'static str;
    /// What it is for, for the agent.
    const DESCRIPTION: &'static str;
    /// Counts changes of meaning: an action of an older version is not run by a newer one that would plan it differently.
    const VERSION: u32;

    /// The records it needs.
    fn needs(arguments: &Self::Arguments) -> FactsQuery;
    /// Moments in its arguments that must lie ahead, with their places. A plan has no clock: the engine holds them against its own.
    fn dates(_: &Self::Arguments) -> Vec<(&'static str, Timestamp)> {
        Vec::new()
    }
    /// What it would write. Pure: the same arguments, facts and IDs give the same plan.
    fn plan(arguments: &Self::Arguments, facts: &Facts, ids: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>>;
}

/// A tool without its types, as the engine handles it.
pub trait AnyTool: Sync {
    /// See [`Tool::NAME`].
    fn name(&self) -> &'static str;
    /// See [`Tool::TITLE`].
    fn title(&self) -> &'static str;
    /// See [`Tool::DESCRIPTION`].
    fn description(&self) -> &'static str;
    /// See [`Tool::VERSION`].
    fn version(&self) -> u32;
    /// JSON Schema of everything it takes.
    fn schema(&self) -> Value;
    /// See [`Tool::needs`].
    fn needs(&self, payload: &Value) -> Result<FactsQuery, Vec<FieldError>>;
    /// See [`Tool::dates`].
    fn dates(&self, payload: &Value) -> Vec<(&'static str, Timestamp)>;
    /// See [`Tool::plan`].
    fn plan(&self, payload: &Value, facts: &Facts, ids: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>>;
}

impl<T: Tool> AnyTool for T {
    fn name(&self) -> &'static str {
        T::NAME
    }
    fn title(&self) -> &'static str {
        T::TITLE
    }
    fn description(&self) -> &'static str {
        T::DESCRIPTION
    }
    fn version(&self) -> u32 {
        T::VERSION
    }
    fn schema(&self) -> Value {
        schema::of::<T::Arguments>()
    }
    fn needs(&self, payload: &Value) -> Result<FactsQuery, Vec<FieldError>> {
        Ok(T::needs(&schema::arguments(payload)?))
    }
    fn dates(&self, payload: &Value) -> Vec<(&'static str, Timestamp)> {
        schema::arguments(payload).map_or_else(|_| Vec::new(), |arguments| T::dates(&arguments))
    }
    fn plan(&self, payload: &Value, facts: &Facts, ids: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>> {
        T::plan(&schema::arguments(payload)?, facts, ids)
    }
}

/// Every governed tool.
pub const TOOLS: &[&dyn AnyTool] = &[
    &create_remediation_work_package::CreateRemediationWorkPackage,
    &create_work_item::CreateWorkItem,
    &update_work_item::UpdateWorkItem,
    &link_evidence::LinkEvidence,
    &refresh_release_evidence::RefreshReleaseEvidence,
    &update_finding_status::UpdateFindingStatus,
    &accept_risk::AcceptRisk,
    &request_certification::RequestCertification,
    &add_audit_note::AddAuditNote,
];

/// A tool by name.
pub fn find(name: &str) -> Option<&'static dyn AnyTool> {
    TOOLS.iter().copied().find(|tool| tool.name() == name)
}
