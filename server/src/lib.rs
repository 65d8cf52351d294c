//! The service, which is deployed as the binary `loopiq`.
//!
//! Pages, server functions (from `loopiq-app`), MCP and the commands are thin adapters: each authenticates its caller, reads the request,
//! calls the engine once and writes the response. No rule about actions is decided here.
//!
//! Modules import in one direction only: `cli` → `commands` → `router` → `pages`, `oauth`, `api`, `auth`, `mcp`, `operations` → `http` → `state` → `net`,
//! `oidc`, `demo_idp` → `urls`, `html` and the other modules without imports.

pub mod advice;
mod api;
pub mod audit_key;
pub mod auth;
pub mod cli;
pub mod commands;
pub mod demo;
pub mod demo_idp;
pub mod environment;
pub mod file_permissions;
mod html;
pub mod http;
pub mod http_client;
pub mod installation;
pub mod mcp;
pub mod net;
pub mod oauth;
mod oauth_params;
pub mod oidc;
pub mod operations;
pub mod pages;
pub mod prometheus;
pub mod router;
pub mod secret;
pub mod secret_key;
pub mod session_settings;
pub mod sign_in_cookies;
pub mod site;
pub mod state;
pub mod urls;
pub mod witnesses;
