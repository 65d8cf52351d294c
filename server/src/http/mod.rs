//! Handling of HTTP requests that all routes share: limits, headers, logging, error pages and static files.

pub(crate) mod bearer;
pub(crate) mod demo_host;
pub(crate) mod limits;
pub(crate) mod message_page;
pub(crate) mod observe;
pub(crate) mod problem;
pub(crate) mod rate_limits;
mod request_context;
pub(crate) mod security_headers;
pub(crate) mod static_files;
pub(crate) mod typed_text;

pub use loopiq_app::status_of;
pub use request_context::{RequestId, trace_id};
pub(crate) use request_context::{request_context, request_origin};
