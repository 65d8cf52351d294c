//! The engine through its use cases, on a fresh database each.

mod apply;
mod audit;
mod canonical;
mod changes_since;
mod decide;
mod identity;
mod import;
mod limits;
mod log_check;
mod model;
mod operator_requests;
mod other_tools;
mod policy;
mod propose;
mod query_plans;
mod race;
mod read_tools;
mod rejections_and_questions;
mod state_machine;
mod store;
mod wire_contract;
mod world;
