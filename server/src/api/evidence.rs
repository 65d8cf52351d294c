//! `POST /api/v1/evidence?release=KEY`: imports the file that is the body of the request.
//!
//! The body is received only after the engine has permitted the import, and into memory that all such requests share. An import that has
//! started is finished also if its client goes away, so that a proxy's time limit costs nothing: the same file, sent again, gets the report.

use super::query::{StrictQuery, wrong_parameter};
use super::refusals::Refusals;
use super::upload::{self, Upload};
use crate::http::problem::{problem, problem_of};
use crate::http::rate_limits::with_retry_after;
use crate::state::AppState;
use crate::urls::EVIDENCE_PATH;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use loopiq::domain::Timestamp;
use loopiq::engine::{Error, ImportFile, ImportReport};
use loopiq::import::Format;
use loopiq_app::Services;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tracing::Instrument as _;
use utoipa::{IntoParams, ToSchema};

/// The longest name of a file, in characters.
const LONGEST_NAME: usize = 255;
/// The name of a file without a name.
const NO_NAME: &str = "evidence";
/// When a client should ask for the report of an import that still runs, in seconds.
const STILL_RUNNING: u64 = 15;

/// Which release, and what the file does not say about itself.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EvidenceQuery {
    /// The release's key.
    #[param(required = true, nullable = false, min_length = 1)]
    release: Option<String>,
    /// The file's name.
    #[param(min_length = 1, max_length = 255)]
    name: Option<String>,
    /// The file's format: `sarif`, `osv`, `cyclonedx`, `junit`, `oscal`, `openvex`, `csaf`, `spdx`, `trx`, `github` or `gitlab`. Default: detected from the content.
    format: Option<String>,
    /// The time of the scan, if the file does not contain it: RFC 3339, or a date.
    collected_at: Option<String>,
    /// What was scanned, such as a repository or a module. It keeps the findings of several apart, and is stored instead of what the file says.
    #[param(min_length = 1, max_length = 200)]
    component: Option<String>,
}

impl EvidenceQuery {
    /// The release's key, and the file without its content.
    fn read(self) -> Result<(String, ImportFile), Response> {
        let release = self.release.filter(|key| !key.is_empty());
        let release = release.ok_or_else(|| wrong_parameter("release", "name the release by its key"))?;
        let name = self.name.unwrap_or_else(|| NO_NAME.to_owned());
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(wrong_parameter(
                "name",
                &format!("the name of a file has 1 to {LONGEST_NAME} characters"),
            ));
        }
        let format = self.format.map(|format| {
            Format::parse(&format).ok_or_else(|| {
                let formats = Format::ALL.map(Format::as_str).join(", ");
                wrong_parameter("format", &format!("this version reads {formats}"))
            })
        });
        let collected_at = self.collected_at.map(|time| {
            Timestamp::parse(&time).ok_or_else(|| {
                wrong_parameter(
                    "collectedAt",
                    "must be RFC 3339, such as 2026-11-22T21:20:00Z, or a date",
                )
            })
        });
        let file = ImportFile {
            name,
            bytes: Vec::new(),
            format: format.transpose()?,
            collected_at: collected_at.transpose()?,
            component: self.component,
        };
        Ok((release, file))
    }
}

/// The file itself.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[allow(dead_code, reason = "describes the body")]
pub(super) struct EvidenceFile(Vec<u8>);

/// What an import has done.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes `ImportReport`")]
pub(super) struct Imported {
    /// The release's key.
    release: String,
    format: String,
    /// Runs in the file.
    runs: u64,
    /// Keys of the stored evidence.
    evidence_ids: Vec<String>,
    /// Results in the file.
    results: u64,
    /// Results that are not failures.
    not_failures: u64,
    new_findings: u64,
    known_findings: u64,
    /// Known findings that are open again, because the scan is newer than what closed them.
    reopened: u64,
    /// Known findings that people have decided to be no problem, and that a newer scan shows again. They stay so.
    seen_again: u64,
    /// Findings that a complete newer scan of the same does not show any more. Closing them is a person's decision.
    gone: u64,
    /// Findings of scans about which the file's statements (VEX) say something else than before.
    judged: u64,
    /// Findings that the scanner's user has suppressed.
    suppressed: u64,
    new_controls: u64,
    changed_controls: u64,
    /// Blockers that were opened: new ones, and closed ones that are open again.
    blockers: i64,
    /// Whether everything was stored before, so that nothing was written.
    unchanged: bool,
    /// Whether the file is dated in the future. It counts as made now.
    #[schema(required = false)]
    dated_in_future: Option<bool>,
    /// Whether the stored bytes of the file were damaged, and are restored.
    #[schema(required = false)]
    restored: Option<bool>,
}

/// Imports a file of a scanner, test runner or assessor as evidence of a release: SARIF, OSV, CycloneDX, OpenVEX, CSAF, SPDX, JUnit XML, TRX, OSCAL, alerts of GitHub or security reports of GitLab.
///
/// The body is the file itself. Sending a file again changes nothing, unless `collectedAt` says that the scan ran again later.
#[utoipa::path(
    post, path = EVIDENCE_PATH, tag = "evidence", params(EvidenceQuery),
    request_body(content = EvidenceFile, content_type = "application/octet-stream"),
    responses((status = 200, description = "The report of the import.", body = Imported), Refusals),
    security(("token" = ["loopiq:import"])),
)]
pub(super) async fn import(
    State(state): State<AppState>,
    Extension(services): Extension<Arc<Services>>,
    StrictQuery(query): StrictQuery<EvidenceQuery>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match receive_and_import(&state, &services, query, &headers, body).await {
        Ok(report) => Json(report).into_response(),
        Err(refusal) => refusal,
    }
}

async fn receive_and_import(
    state: &AppState,
    services: &Services,
    query: EvidenceQuery,
    headers: &HeaderMap,
    body: Body,
) -> Result<ImportReport, Response> {
    let limits = &state.requests.evidence;
    // Less than the limit of the whole request, so that the response says what became of the file.
    let deadline = tokio::time::Instant::now() + limits.timeout * 9 / 10;
    let (release, mut file) = query.read()?;
    let permitted = services.engine.check_import(&services.ctx, &release).await;
    permitted.map_err(|error| problem_of(&error))?;
    must_be_a_file(headers)?;
    let received = tokio::time::timeout_at(deadline, upload::receive(headers, body, limits, state.requests.timeout));
    let Upload { bytes, memory } = match received.await {
        Ok(Ok(upload)) => upload,
        Ok(Err(refusal)) => return Err(refusal.response(limits.max_bytes)),
        Err(_) => return Err(upload::Refusal::TimedOut.response(limits.max_bytes)),
    };
    file.bytes = bytes;
    let (engine, ctx) = (services.engine.clone(), services.ctx.clone());
    let import = async move {
        let report = engine.import_file(&ctx, &release, file, |_| {}).await;
        drop(memory);
        report
    };
    let running = tokio::spawn(import.instrument(tracing::Span::current()));
    match tokio::time::timeout_at(deadline, running).await {
        Ok(Ok(report)) => report.map_err(|error| refused(&error)),
        Ok(Err(panicked)) => Err(problem_of(&Error::internal(panicked))),
        Err(_) => {
            let text = "The file has arrived, and its import takes longer than this request may. The import goes on. Send the same file \
                        again for its report.";
            Err(with_retry_after(
                problem(StatusCode::SERVICE_UNAVAILABLE, text),
                STILL_RUNNING,
            ))
        }
    }
}

/// The response to an import that failed. The message about a file names no arguments, because a file has none.
fn refused(error: &Error) -> Response {
    match error {
        Error::Invalid { fields } => {
            let messages: Vec<&str> = fields.iter().map(|field| field.message.as_str()).collect();
            let text = format!("{}. Nothing was imported.", messages.join("; ").trim_end_matches('.'));
            crate::http::problem::problem_with(StatusCode::BAD_REQUEST, error.code(), &text, &[])
        }
        error => problem_of(error),
    }
}

/// Refuses forms and compressed bodies, whose bytes are not those of the file.
fn must_be_a_file(headers: &HeaderMap) -> Result<(), Response> {
    let value = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let kind = value(header::CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let unsupported = |text: &str| Err(problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    if kind == "multipart/form-data" || kind == "application/x-www-form-urlencoded" {
        return unsupported(
            "The body is a form. Send the file itself as the body, with the content type application/octet-stream: curl --data-binary @FILE -H \
             'Content-Type: application/octet-stream'. Nothing was imported.",
        );
    }
    if value(header::CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return unsupported("The body is compressed. Send the file as it is. Nothing was imported.");
    }
    Ok(())
}
