//! Properties that hold for any input of parsers that untrusted people can reach. Each target takes bytes and panics if
//! a property does not hold. libFuzzer and the replay tests share the targets.

mod bundle;
mod canonical;
mod catalog;
mod detect;
mod files;
mod payload;
mod policy;
mod query;
mod records;
mod verifier;

use loopiq::import::Format;

/// A target: takes bytes, and panics if a property does not hold.
pub type Target = fn(&[u8]);

/// Every target, with the name of its folders.
pub const TARGETS: [(&str, Target); 19] = [
    ("sarif", sarif),
    ("osv", osv),
    ("cyclonedx", cyclonedx),
    ("junit", junit),
    ("oscal", oscal),
    ("openvex", openvex),
    ("csaf", csaf),
    ("spdx", spdx),
    ("trx", trx),
    ("github", github),
    ("gitlab", gitlab),
    ("detect", detect),
    ("query", query),
    ("policy", policy),
    ("canonical", canonical),
    ("payload", payload),
    ("verifier", verifier),
    ("bundle", bundle),
    ("catalog", catalog),
];

/// The reader of SARIF.
pub fn sarif(data: &[u8]) {
    files::hold(Format::Sarif, data);
}

/// The reader of OSV records and of osv-scanner's results.
pub fn osv(data: &[u8]) {
    files::hold(Format::Osv, data);
}

/// The reader of CycloneDX.
pub fn cyclonedx(data: &[u8]) {
    files::hold(Format::CycloneDx, data);
}

/// The reader of JUnit's XML.
pub fn junit(data: &[u8]) {
    files::hold(Format::JUnit, data);
}

/// The reader of OSCAL.
pub fn oscal(data: &[u8]) {
    files::hold(Format::Oscal, data);
}

/// The reader of OpenVEX.
pub fn openvex(data: &[u8]) {
    files::hold(Format::OpenVex, data);
}

/// The reader of CSAF.
pub fn csaf(data: &[u8]) {
    files::hold(Format::Csaf, data);
}

/// The reader of SPDX.
pub fn spdx(data: &[u8]) {
    files::hold(Format::Spdx, data);
}

/// The reader of TRX.
pub fn trx(data: &[u8]) {
    files::hold(Format::Trx, data);
}

/// The reader of GitHub's alerts.
pub fn github(data: &[u8]) {
    files::hold(Format::GitHub, data);
}

/// The reader of GitLab's security reports.
pub fn gitlab(data: &[u8]) {
    files::hold(Format::GitLab, data);
}

/// The detection of formats.
pub fn detect(data: &[u8]) {
    detect::hold(data);
}

/// The query language of the audit search.
pub fn query(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        query::hold(text);
    }
}

/// The policies of tenants.
pub fn policy(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        policy::hold(text);
    }
}

/// Canonical JSON.
pub fn canonical(data: &[u8]) {
    canonical::hold(data);
}

/// The arguments of a governed tool, from JSON to the plan. The first byte selects the tool.
pub fn payload(data: &[u8]) {
    if let Some((choice, arguments)) = data.split_first() {
        payload::hold(*choice, arguments);
    }
}

/// The browser's verifier of the audit log.
pub fn verifier(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        verifier::hold(text);
    }
}

/// The reader of bundles of the audit log. The first byte selects the file that the rest replaces.
pub fn bundle(data: &[u8]) {
    bundle::hold(data);
}

/// The catalogs of companies.
pub fn catalog(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        catalog::hold(text);
    }
}
