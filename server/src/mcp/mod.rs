//! The MCP door (stand-in until it is written).

use crate::App;
use axum::Router;

/// The routes of the MCP door.
pub fn router(_app: App) -> Router {
    Router::new()
}
