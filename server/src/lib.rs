//! The service: what is deployed as the binary `loopiq`.
//!
//! Every door is a thin adapter over one engine call: pages and server functions (from `loopiq-app`), MCP, and the
//! commands. What is decided here is only what belongs to a door: who is asking, how a request travels, and how an answer
//! is written.

mod app;
pub mod auth;
pub mod commands;
pub mod demo;
pub mod demo_idp;
pub mod http;
pub mod http_client;
pub mod mcp;
pub mod net;
pub mod oidc;
pub mod ops;
pub mod private;
pub mod secret;
pub mod settings;
pub mod site;

pub use app::{App, mcp_audience};
