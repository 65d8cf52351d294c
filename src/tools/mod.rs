//! Governed tools: one file each. A tool only plans: its arguments, the records it needs, and a pure function from both to a
//! change set. A new tool is a new file and a line in [`TOOLS`].

mod accept_risk;
mod add_audit_note;
mod create_remediation_work_package;
mod create_work_item;
pub mod dialect;
mod headline;
mod link_evidence;
mod plan;
mod refresh_release_evidence;
mod request_certification;
pub mod schema;
mod status_changes;
mod update_finding_status;
mod update_work_item;
mod work_item_arguments;

pub use plan::{FieldErrors, NewIds, Plan, PlannedItem, Scope};

use crate::domain::{Facts, FactsQuery, FieldError, Timestamp};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A governed tool.
pub trait Tool: Sync {
    /// The tool's own arguments; every tool takes [`schema::CallOptions`] too.
    type Arguments: DeserializeOwned + JsonSchema;
    /// The name that agents call.
    const NAME: &'static str;
    /// The name that people read.
    const TITLE: &'static str;
    /// What the tool is for, for the agent.
    const DESCRIPTION: &'static str;
    /// Increases when the tool plans differently: an action of an older version is not executed by a newer one.
    const VERSION: u32;

    /// The records that planning needs.
    fn needs(arguments: &Self::Arguments) -> FactsQuery;
    /// Dates in the arguments that must be in the future, with their pointers. A plan has no clock, so the engine compares them.
    fn dates(_: &Self::Arguments) -> Vec<(&'static str, Timestamp)> {
        Vec::new()
    }
    /// The work items that the arguments describe, in the order of the payload. The plan contains the same ones; a reviewer can leave out
    /// items of an action that no longer fits the records, so this function sees the arguments alone.
    fn items(_: &Self::Arguments) -> Vec<PlannedItem> {
        Vec::new()
    }
    /// What the tool would write. Pure: the same arguments, facts and IDs give the same plan.
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
    /// JSON Schema of all arguments.
    fn schema(&self) -> Value;
    /// See [`Tool::needs`].
    fn needs(&self, payload: &Value) -> Result<FactsQuery, Vec<FieldError>>;
    /// See [`Tool::dates`].
    fn dates(&self, payload: &Value) -> Vec<(&'static str, Timestamp)>;
    /// See [`Tool::items`].
    fn items(&self, payload: &Value) -> Vec<PlannedItem>;
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
        schema::for_arguments::<T::Arguments>()
    }
    fn needs(&self, payload: &Value) -> Result<FactsQuery, Vec<FieldError>> {
        Ok(T::needs(&schema::arguments(payload)?))
    }
    fn dates(&self, payload: &Value) -> Vec<(&'static str, Timestamp)> {
        schema::arguments(payload).map_or_else(|_| Vec::new(), |arguments| T::dates(&arguments))
    }
    fn items(&self, payload: &Value) -> Vec<PlannedItem> {
        schema::arguments(payload).map_or_else(|_| Vec::new(), |arguments| T::items(&arguments))
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

/// The tool that a stored action was planned by; `None` if that version of the tool no longer exists.
pub fn find_version(name: &str, version: u32) -> Option<&'static dyn AnyTool> {
    find(name).filter(|tool| tool.version() == version)
}
