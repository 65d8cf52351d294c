//! The engine through its use cases, on a fresh database each.

mod apply;
mod audit;
mod canonical;
mod contract;
mod decide;
mod identity;
mod import;
mod kinds;
mod limits;
mod log_check;
mod model;
mod operator_requests;
mod plans;
mod policy;
mod propose;
mod race;
mod reads;
mod since;
mod state_machine;
mod store;
mod teach;
mod world;
