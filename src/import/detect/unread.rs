//! Names the formats that people try and that are not read, with what to give instead, and finds text before a report.

use super::super::{ImportError, shown_line, xml};
use super::format;
use super::outline::Outline;

/// What the tool can write instead.
const JUNIT: &str = "its JUnit report";
const CYCLONEDX: &str = "a CycloneDX document with vulnerabilities";

/// Formats in JSON: the names that tell them (of the object, or of the first object in the list), what they are, and what
/// to give instead.
const JSON: [(&[&str], &str, &str); 25] = [
    (
        &["SchemaVersion", "ArtifactName"],
        "a JSON report of Trivy",
        "its SARIF or CycloneDX report (--format sarif)",
    ),
    (
        &["matches", "descriptor"],
        "a JSON report of Grype",
        "its SARIF or CycloneDX report (-o sarif)",
    ),
    (
        &["results", "errors", "paths"],
        "a JSON report of Semgrep",
        "its SARIF report (--sarif)",
    ),
    (
        &["results", "metrics", "generated_at"],
        "a JSON report of Bandit",
        "its SARIF report (--format sarif)",
    ),
    (
        &["RuleID", "Secret", "Fingerprint"],
        "a JSON report of Gitleaks",
        "its SARIF report (--report-format sarif)",
    ),
    (
        &["check_type", "results"],
        "a JSON report of Checkov",
        "its SARIF report (--output sarif)",
    ),
    (
        &["Issues", "Stats"],
        "a JSON report of gosec",
        "its SARIF report (-fmt sarif)",
    ),
    (
        &["scan_info", "warnings"],
        "a JSON report of Brakeman",
        "its SARIF report (--format sarif)",
    ),
    (
        &["filePath", "messages"],
        "a JSON report of ESLint",
        "its SARIF report (--format @microsoft/eslint-formatter-sarif)",
    ),
    (
        &["auditReportVersion", "vulnerabilities"],
        "a report of npm audit",
        "the results of osv-scanner for the lockfile",
    ),
    (
        &["advisories", "metadata"],
        "a report of npm or pnpm audit",
        "the results of osv-scanner for the lockfile",
    ),
    (
        &["vulnerabilities", "packageManager"],
        "a JSON report of Snyk",
        "its SARIF report (--sarif)",
    ),
    (
        &["dependencies", "fixes"],
        "a JSON report of pip-audit",
        "its CycloneDX report (--format cyclonedx-json)",
    ),
    (
        &["artifacts", "artifactRelationships"],
        "a list of packages of Syft",
        "the scan of it by Grype, in SARIF or CycloneDX",
    ),
    (
        &["reportSchema", "projectInfo"],
        "a JSON report of Dependency-Check",
        "its SARIF report (--format SARIF)",
    ),
    (
        &["govulncheck"],
        "a JSON report of govulncheck",
        "its SARIF report (-format sarif)",
    ),
    (
        &["config", "protocol_version"],
        "a JSON report of govulncheck",
        "its SARIF report (-format sarif)",
    ),
    (
        &["numTotalTests", "testResults"],
        "a JSON report of Jest",
        "its JUnit report (jest-junit)",
    ),
    (
        &["stats", "passes", "failures"],
        "a JSON report of Mocha",
        "its JUnit report (--reporter xunit)",
    ),
    (
        &["suites", "config"],
        "a JSON report of Playwright",
        "its JUnit report (--reporter junit)",
    ),
    (
        &["Action", "Package"],
        "the output of go test -json",
        "a JUnit report (gotestsum --junitfile)",
    ),
    (&["keyword", "elements", "uri"], "a JSON report of Cucumber", JUNIT),
    (
        &["totals", "files"],
        "a report of test coverage",
        "a report of the tests themselves, in JUnit's XML or TRX",
    ),
    (
        &["issues", "components", "paging"],
        "a list of issues of SonarQube",
        "the SARIF report of the analyser",
    ),
    (
        &["sbom"],
        "GitHub's export of the dependency graph, which names no vulnerabilities",
        "the alerts of Dependabot (REST API), or a CycloneDX document with vulnerabilities",
    ),
];

/// Formats in XML, by their first element.
const XML: [(&str, &str, &str); 26] = [
    (
        "test-run",
        "a report of NUnit 3",
        "a JUnit report (nunit3-console --result=…;transform=nunit3-junit.xslt) or a TRX file (dotnet test --logger trx)",
    ),
    (
        "test-results",
        "a report of NUnit 2",
        "a JUnit report or a TRX file (dotnet test --logger trx)",
    ),
    (
        "assemblies",
        "a report of xUnit.net",
        "a JUnit report (-junit) or a TRX file (dotnet test --logger trx)",
    ),
    (
        "assembly",
        "a report of xUnit.net 1",
        "a JUnit report or a TRX file (dotnet test --logger trx)",
    ),
    (
        "testng-results",
        "a report of TestNG",
        "its JUnit reports (junitreports/*.xml)",
    ),
    ("robot", "a report of Robot Framework", "its JUnit report (--xunit)"),
    ("Site", "a report of CTest", "its JUnit report (--output-junit)"),
    (
        "Catch2TestRun",
        "a report of Catch2",
        "its JUnit report (--reporter junit)",
    ),
    ("TestLog", "a report of Boost.Test", "its JUnit report (--logger=JUNIT)"),
    (
        "coverage",
        "a report of test coverage (Cobertura or Clover)",
        "a report of the tests themselves, in JUnit's XML or TRX",
    ),
    (
        "report",
        "a report of test coverage (JaCoCo)",
        "a report of the tests themselves, in JUnit's XML or TRX",
    ),
    (
        "CoverageSession",
        "a report of test coverage (OpenCover)",
        "a report of the tests themselves, in JUnit's XML or TRX",
    ),
    ("checkstyle", "a report of Checkstyle", "its SARIF report (-f sarif)"),
    ("pmd", "a report of PMD", "its SARIF report (-f sarif)"),
    (
        "pmd-cpd",
        "a list of duplicates of PMD",
        "its SARIF report of rules (-f sarif)",
    ),
    ("BugCollection", "a report of SpotBugs", "its SARIF report (-sarif)"),
    (
        "issues",
        "a report of Android Lint",
        "its SARIF report (sarifReport true)",
    ),
    (
        "analysis",
        "an XML report of Dependency-Check",
        "its SARIF report (--format SARIF)",
    ),
    (
        "results",
        "an XML report of Cppcheck or Gendarme",
        "its SARIF report (cppcheck --output-format=sarif)",
    ),
    (
        "NessusClientData_v2",
        "a scan of Nessus",
        "its vulnerabilities as SARIF, CycloneDX or OSV",
    ),
    (
        "OWASPZAPReport",
        "an XML report of ZAP",
        "its SARIF report (template sarif-json)",
    ),
    (
        "nmaprun",
        "a scan of Nmap, which lists ports",
        "the report of a vulnerability scanner, in SARIF",
    ),
    ("data-stream-collection", "SCAP content", "an OSCAL document in JSON"),
    ("Benchmark", "an XCCDF benchmark", "an OSCAL document in JSON"),
    (
        "RDF",
        "SPDX in RDF",
        "SPDX 2.3 or 3.0 in JSON, or a CycloneDX document with vulnerabilities",
    ),
    (
        "Document",
        "SPDX in XML",
        "SPDX 2.3 or 3.0 in JSON, or a CycloneDX document with vulnerabilities",
    ),
];

/// Formats in plain text, by how their first line begins.
const TEXT: [(&str, &str, &str); 12] = [
    (
        "SPDXVersion:",
        "SPDX as tags and values",
        "SPDX 2.3 or 3.0 in JSON, or a CycloneDX document with vulnerabilities",
    ),
    (
        "spdxVersion:",
        "SPDX in YAML",
        "SPDX 2.3 or 3.0 in JSON, or a CycloneDX document with vulnerabilities",
    ),
    ("bomFormat:", "CycloneDX in YAML", "CycloneDX in JSON or XML"),
    (
        "TAP version",
        "a TAP stream",
        "a JUnit report (tap-junit, prove --formatter TAP::Formatter::JUnit)",
    ),
    (
        "1..",
        "a TAP stream",
        "a JUnit report (tap-junit, prove --formatter TAP::Formatter::JUnit)",
    ),
    ("catalog:", "OSCAL in YAML", "OSCAL in JSON"),
    ("assessment-results:", "OSCAL in YAML", "OSCAL in JSON"),
    ("plan-of-action-and-milestones:", "OSCAL in YAML", "OSCAL in JSON"),
    (
        "=== RUN",
        "the output of go test",
        "a JUnit report (gotestsum --junitfile)",
    ),
    (
        "TN:",
        "a report of test coverage (LCOV)",
        "a report of the tests themselves, in JUnit's XML or TRX",
    ),
    (
        "%PDF-",
        "a PDF",
        "the report that the tool writes for other programs, such as SARIF or CycloneDX",
    ),
    (
        "version https://git-lfs",
        "a pointer of Git LFS",
        "the file itself (git lfs pull)",
    ),
];

/// Files that are no text, by their first bytes.
const BINARY: [(&[u8], &str, &str); 6] = [
    (b"\x1F\x8B", "compressed (gzip)", "the file in it"),
    (b"PK\x03\x04", "a ZIP archive", "the files in it"),
    (b"\x28\xB5\x2F\xFD", "compressed (zstd)", "the file in it"),
    (b"BZh", "compressed (bzip2)", "the file in it"),
    (b"\xFD7zXZ\0", "compressed (xz)", "the file in it"),
    (
        b"%PDF-",
        "a PDF",
        "the report that the tool writes for other programs, such as SARIF or CycloneDX",
    ),
];

/// How far text before a report is searched, in bytes, and the most places at which a report may begin.
const MAX_BEFORE: usize = 64 << 10;
const MAX_PLACES: usize = 10;

/// Why a file of no format that is read is refused, by what it is.
pub(in super::super) fn unread(text: &str) -> ImportError {
    known(text)
        .or_else(|| before(text))
        .unwrap_or(ImportError::Unrecognised)
}

/// The error for a file that is no text at all.
pub(in super::super) fn binary(bytes: &[u8]) -> Option<ImportError> {
    let found = BINARY.iter().find(|(head, ..)| bytes.starts_with(head));
    found.map(|(_, what, instead)| not_read(what, instead))
}

fn not_read(what: &str, instead: &str) -> ImportError {
    ImportError::NotRead {
        what: what.to_owned(),
        instead: instead.to_owned(),
    }
}

fn known(text: &str) -> Option<ImportError> {
    let head = text.trim_start();
    if head.starts_with('<') {
        if is_html(head) {
            return Some(not_read(
                "a web page",
                "the report that the tool writes for other programs, such as SARIF or CycloneDX",
            ));
        }
        let root = xml::root(text)?;
        let found = XML.iter().find(|(name, ..)| *name == root);
        return found.map(|(_, what, instead)| not_read(what, instead));
    }
    if let Some((_, what, instead)) = TEXT.iter().find(|(begins, ..)| head.starts_with(begins)) {
        return Some(not_read(what, instead));
    }
    let outline = Outline::parse(text);
    if let Some("CTRF") = outline.text("reportFormat") {
        return Some(not_read("a CTRF report", JUNIT));
    }
    let schema = outline.text("$schema").unwrap_or_default();
    if schema.contains("cyclonedx") {
        return Some(not_read("a CycloneDX document without bomFormat", CYCLONEDX));
    }
    let found = JSON
        .iter()
        .find(|(names, ..)| names.iter().all(|name| outline.has(name)));
    found.map(|(_, what, instead)| not_read(what, instead))
}

fn is_html(head: &str) -> bool {
    let begins = |with: &str| {
        head.get(..with.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(with))
    };
    begins("<!doctype html") || begins("<html")
}

/// The error for text before a report: the log of a tool whose output was redirected into the file.
pub(in super::super) fn before(text: &str) -> Option<ImportError> {
    let start = text.len() - text.trim_start().len();
    if text.len() == start || begins_report(&text[start..]) {
        return None;
    }
    let head = &text[..text.floor_char_boundary(MAX_BEFORE)];
    // A report begins a line, or else its first line.
    let lines = head.match_indices('\n').map(|(at, _)| at + 1);
    let first = [head.find("{\""), head.find("<?xml")].into_iter().flatten().min();
    let places = lines.filter(|at| begins_report(text[*at..].trim_start_matches([' ', '\t'])));
    let found = places
        .take(MAX_PLACES)
        .chain(first)
        .find(|at| format(&text[*at..]).is_some())?;
    let what = if text[found..].trim_start().starts_with('<') {
        "XML"
    } else {
        "JSON"
    };
    let line = text[..start].matches('\n').count() + 1;
    let quoted = text[start..found].lines().next().unwrap_or_default();
    Some(ImportError::TextBefore {
        what,
        line,
        text: shown_line(quoted, 80),
    })
}

/// Whether the text begins like JSON or XML, and not like `[INFO]`.
fn begins_report(text: &str) -> bool {
    match text.as_bytes() {
        [b'{' | b'<', ..] | [b'['] => true,
        [b'[', next, ..] => matches!(next, b'{' | b'[' | b']' | b' ' | b'\t' | b'\r' | b'\n'),
        _ => false,
    }
}

/// A file of each format in the tables, with what it is and what to give instead.
#[cfg(test)]
pub(super) fn tables() -> impl Iterator<Item = (String, &'static str, &'static str)> {
    let json = JSON.iter().map(|(names, what, instead)| {
        let fields: Vec<String> = names.iter().map(|name| format!("\"{name}\": {{}}")).collect();
        (format!("{{{}}}", fields.join(", ")), *what, *instead)
    });
    let xml = XML.iter().map(|(name, what, instead)| {
        (
            format!("<?xml version=\"1.0\"?>\n<x:{name} a='b'></x:{name}>"),
            *what,
            *instead,
        )
    });
    let text = TEXT
        .iter()
        .map(|(begins, what, instead)| (format!("{begins} 2\n"), *what, *instead));
    json.chain(xml).chain(text)
}
