//! The guarantees of the store on each database. The whole suite runs on SQLite, or on PostgreSQL if `LOOPIQ_TEST_POSTGRES` names a
//! cluster.

mod audit;
mod audit_tree;
mod closed_sets;
mod copy;
mod groups;
mod installation;
mod nodes;
mod nul;
mod panics;
mod privileges;
mod schema;
mod sessions;
mod tenants;
mod text;
mod wall;
mod writes;
