//! The MCP endpoint over a real socket: with raw requests, and with rmcp's own client.

mod auth;
mod body;
mod calls;
mod clients;
mod dialect;
mod scopes;
pub(crate) mod service;
mod tasks;
