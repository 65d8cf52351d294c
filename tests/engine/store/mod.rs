//! What the store promises, whichever database it stands on. The whole suite runs on SQLite, and on PostgreSQL where a cluster is named
//! (`LOOPIQ_TEST_POSTGRES`).

mod audit;
mod closed_sets;
mod copy;
mod installation;
mod nodes;
mod nul;
mod privileges;
mod schema;
mod tenants;
mod text;
mod wall;
mod writes;
