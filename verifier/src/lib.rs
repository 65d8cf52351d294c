//! Verifies the audit log in an auditor's browser: that an entry is in the signed log ([`entry`]), and that the log continues what this browser
//! has seen ([`growth`]). The functions take JSON texts from the server and return a report as JSON. Bad input is a failed step of the report,
//! never a panic.
//!
//! The crate is a WASM file of its own, so that only the pages of the audit trail load it. The modules in `page/` load it and show the reports.

mod entry;
mod growth;
mod json;
mod path;
mod report;

pub use entry::{EntryReport, entry};
pub use growth::{GrowthReport, growth};
pub use report::{Level, Step, Verdict};

use wasm_bindgen::prelude::wasm_bindgen;

/// See [`entry`].
#[wasm_bindgen(js_name = verifyEntry)]
pub fn verify_entry(proof: &str, shown: &str) -> String {
    entry(proof, shown).to_json()
}

/// See [`growth`].
#[wasm_bindgen(js_name = verifyGrowth)]
pub fn verify_growth(request: &str) -> String {
    growth(request).to_json()
}
