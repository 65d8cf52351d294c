//! The audit log: the search, and checkpoints, proofs and public keys.

use super::body::IdInPath;
use super::query::{NoParameters, StrictQuery, wrong_parameter};
use super::refusals::Refusals;
use crate::http::problem::{problem, problem_of, problem_with};
use crate::state::AppState;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use loopiq::views::{AuditForm, AuditPage, AuditRow};
use loopiq_app::Services;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// What to search for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    /// The query, in the language of the page Audit. Without it: every entry.
    #[serde(default)]
    #[param(required = false)]
    q: String,
    /// The first day: `2026-11-22`.
    #[serde(default)]
    #[param(required = false)]
    from: String,
    /// The last day, which is included.
    #[serde(default)]
    #[param(required = false)]
    to: String,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// A page of the audit log.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditEntries {
    /// Up to 50 entries, newest first.
    items: Vec<AuditEntry>,
    /// Where the next page starts; missing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    /// The number of entries of the whole log.
    total: i64,
}

/// An entry in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditEntry {
    /// Its number in the log.
    seq: i64,
    at: String,
    /// Who has caused it.
    actor: String,
    /// The stable name of what happened: `action.approved`.
    event: String,
    /// The ID of the action that it is about.
    action: Option<String>,
    /// The key of the release that it is about.
    release: Option<String>,
    /// The state of the action after it.
    status: Option<String>,
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        Self {
            seq: row.seq,
            at: row.at.exact,
            actor: row.actor.to_string(),
            event: row.event,
            action: row.action.map(|action| action.id),
            release: row.release.map(|key| key.to_string()),
            status: row.state.map(|state| state.as_str().to_owned()),
        }
    }
}

/// Searches the audit log.
///
/// A search is recorded in the log itself.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, description = "A page of entries.", body = AuditEntries), Refusals),
    security(("session" = []), ("token" = ["loopiq:audit"])),
)]
pub(super) async fn search(
    Extension(services): Extension<Arc<Services>>,
    StrictQuery(query): StrictQuery<AuditQuery>,
) -> Response {
    let AuditQuery { q, from, to, cursor } = query;
    if cursor.as_deref().is_some_and(|cursor| cursor.parse::<u32>().is_err()) {
        return wrong_parameter("cursor", "use the nextCursor of the previous page");
    }
    let (form, after) = (AuditForm { q, from, to }, cursor.unwrap_or_default());
    match services.engine.audit_page(&services.ctx, &form, &after).await {
        Ok(page) if page.errors.is_empty() => Json(AuditEntries {
            items: page.rows.into_iter().map(AuditEntry::from).collect(),
            next_cursor: page.next,
            total: page.total,
        })
        .into_response(),
        Ok(page) => unreadable(&page),
        Err(error) => problem_of(&error),
    }
}

/// The response to a query that cannot be read.
fn unreadable(page: &AuditPage) -> Response {
    let fields: Vec<Value> = page
        .errors
        .iter()
        .map(|fault| json!({ "parameter": fault.field, "at": fault.at, "length": fault.length, "message": fault.message }))
        .collect();
    let first = page.errors.first();
    let detail = first.map(|fault| format!("{}: {}", fault.field, fault.message));
    let detail = format!("{} Nothing was searched.", detail.unwrap_or_default());
    problem_with(
        StatusCode::BAD_REQUEST,
        "invalid_arguments",
        &detail,
        &[("fields", json!(fields))],
    )
}

/// The leaf and the content of an entry, and the proof that the latest checkpoint covers it.
#[utoipa::path(
    get, path = "/api/v1/audit/{seq}/proof", tag = "audit",
    params(("seq" = i64, Path, description = "The number of the entry.")),
    responses((status = 200, description = "The proof.", body = serde_json::Value), Refusals),
    security(("session" = []), ("token" = ["loopiq:audit"])),
)]
pub(super) async fn proof(
    Extension(services): Extension<Arc<Services>>,
    _: StrictQuery<NoParameters>,
    IdInPath(seq): IdInPath,
) -> Response {
    let Ok(seq) = seq.parse() else {
        return problem(StatusCode::BAD_REQUEST, "The number of an entry is a whole number.");
    };
    match services.engine.audit_proof(&services.ctx, seq).await {
        Ok(proof) => Json(proof).into_response(),
        Err(error) => problem_of(&error),
    }
}

/// Which checkpoint.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CheckpointQuery {
    /// The one of exactly this many entries. Default: the latest one.
    #[param(value_type = Option<u64>)]
    size: Option<String>,
}

/// A checkpoint as a signed note, with the signatures of the witnesses.
#[utoipa::path(
    get, path = "/api/v1/audit/checkpoint", tag = "audit", params(CheckpointQuery),
    responses((status = 200, description = "The signed note.", body = String, content_type = "text/plain"), Refusals),
    security(("session" = []), ("token" = ["loopiq:audit"])),
)]
pub(super) async fn checkpoint(
    Extension(services): Extension<Arc<Services>>,
    StrictQuery(query): StrictQuery<CheckpointQuery>,
) -> Response {
    let Ok(size) = query.size.as_deref().map(str::parse).transpose() else {
        return problem(
            StatusCode::BAD_REQUEST,
            "`size` is the number of entries that the checkpoint covers.",
        );
    };
    match services.engine.checkpoint(&services.ctx, size).await {
        Ok(Some(checkpoint)) => text(checkpoint.note.to_string()),
        Ok(None) => problem(
            StatusCode::NOT_FOUND,
            "There is no such checkpoint. Leave `size` out for the latest one.",
        ),
        Err(error) => problem_of(&error),
    }
}

/// Between which states.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ConsistencyQuery {
    /// The number of entries of the older state.
    #[param(value_type = u64)]
    from: String,
    /// The number of entries of the newer state.
    #[param(value_type = u64)]
    to: String,
}

/// The proof that the first entries of the log are the beginning of a later state.
#[utoipa::path(
    get, path = "/api/v1/audit/consistency", tag = "audit", params(ConsistencyQuery),
    responses((status = 200, description = "The proof.", body = serde_json::Value), Refusals),
    security(("session" = []), ("token" = ["loopiq:audit"])),
)]
pub(super) async fn consistency(
    Extension(services): Extension<Arc<Services>>,
    StrictQuery(query): StrictQuery<ConsistencyQuery>,
) -> Response {
    let (Ok(from), Ok(to)) = (query.from.parse(), query.to.parse()) else {
        return problem(StatusCode::BAD_REQUEST, "Give two sizes of the log: ?from=N&to=M.");
    };
    match services.engine.audit_consistency(&services.ctx, from, to).await {
        Ok(Some(proof)) => Json(proof).into_response(),
        Ok(None) => problem(
            StatusCode::NOT_FOUND,
            "There are no such states of the log: 1 <= from <= to, and the log has at least `to` entries.",
        ),
        Err(error) => problem_of(&error),
    }
}

/// The numbers of the entries that announce keys of the log, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit/key-rotations", tag = "audit",
    responses((status = 200, description = "The numbers.", body = Vec<i64>), Refusals),
    security(("session" = []), ("token" = ["loopiq:audit"])),
)]
pub(super) async fn key_rotations(
    Extension(services): Extension<Arc<Services>>,
    _: StrictQuery<NoParameters>,
) -> Response {
    match services.engine.audit_key_rotations(&services.ctx).await {
        Ok(entries) => Json(entries).into_response(),
        Err(error) => problem_of(&error),
    }
}

/// The public keys of the log, one in each line, the one that signs first.
///
/// Needs neither session nor token.
#[utoipa::path(
    get, path = "/api/v1/audit/keys", tag = "audit",
    responses((status = 200, description = "The keys.", body = String, content_type = "text/plain"), Refusals),
    security(()),
)]
pub(super) async fn keys(State(state): State<AppState>) -> Response {
    text(
        state
            .engine
            .log_public_keys()
            .iter()
            .map(|key| format!("{key}\n"))
            .collect(),
    )
}

fn text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
