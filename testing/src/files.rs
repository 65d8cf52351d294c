//! Generated files to import, of any size.

use std::fmt::Write;

/// A test report with this many failures. Reports with different values of `run` share no finding.
pub fn junit(failures: usize, run: &str) -> Vec<u8> {
    let mut file = format!("<testsuites><testsuite name=\"{run}\" tests=\"{failures}\" failures=\"{failures}\">\n");
    for n in 0..failures {
        // Writing to a String cannot fail.
        let _ = writeln!(
            file,
            "<testcase classname=\"{run}.Suite{}\" name=\"case {n}\"><failure message=\"expected {n}\">at line {n}</failure></testcase>",
            n % 97
        );
    }
    file.push_str("</testsuite></testsuites>");
    file.into_bytes()
}

/// An OSCAL catalog with this many controls.
pub fn catalog(controls: usize) -> Vec<u8> {
    let controls: Vec<_> = (0..controls)
        .map(|n| serde_json::json!({ "id": format!("ctl-{n}"), "title": format!("Control number {n}") }))
        .collect();
    let metadata =
        serde_json::json!({ "title": "Many", "oscal-version": "1.1.2", "last-modified": "2026-11-01T00:00:00Z" });
    serde_json::json!({ "catalog": { "metadata": metadata, "controls": controls } })
        .to_string()
        .into_bytes()
}
