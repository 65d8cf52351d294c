//! The whole service over its real router and sockets, and the binary's commands. One test program, because linking takes most of the time.

mod audit_api;
mod audit_page;
mod audit_sources;
mod catalog_commands;
mod catalog_page;
mod command_line;
mod file_permissions;
mod health_and_metrics;
mod operator_requests;
mod page_sizes;
mod policy_page;
mod provider_logout;
mod rate_limits;
mod release_page;
mod requests_and_headers;
mod secrets;
mod server_functions;
mod session_pages;
mod sessions;
mod sign_in;
mod sign_in_entries;
mod sign_in_required;
mod sign_out;
mod static_files;
mod support;
mod tenants;
