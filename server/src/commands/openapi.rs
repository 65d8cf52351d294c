//! `loopiq openapi`: prints the description of the API.

use super::print_line;
use crate::api;
use anyhow::Result;

/// Prints the description, which `/api/openapi.json` serves too.
///
/// # Errors
/// It cannot be printed.
pub fn run() -> Result<()> {
    print_line(&serde_json::to_string_pretty(&api::openapi())?)
}
