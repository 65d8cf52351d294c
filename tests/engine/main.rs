//! The engine through its use cases, on a fresh database each.

mod apply;
mod audit;
mod canonical;
mod contract;
mod decide;
mod import;
mod kinds;
mod log_check;
mod model;
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
