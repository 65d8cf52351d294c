//! The audit log's checkpoints, proofs and public keys.

use crate::http::problem::{problem, problem_of};
use crate::state::AppState;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use loopiq::engine::Error;
use loopiq_app::Services;
use serde::Deserialize;
use std::sync::Arc;

/// `GET /api/v1/audit/{seq}/proof`: leaf, content, and the proof that the latest checkpoint covers the entry.
pub(super) async fn proof(Extension(services): Extension<Arc<Services>>, Path(seq): Path<String>) -> Response {
    let Ok(seq) = seq.parse() else {
        return problem(StatusCode::BAD_REQUEST, "The number of an entry is a whole number.");
    };
    match services.engine.audit_proof(&services.ctx, seq).await {
        Ok(proof) => Json(proof).into_response(),
        Err(error) => refused(&error),
    }
}

/// Which checkpoint.
#[derive(Debug, Deserialize)]
pub(super) struct CheckpointQuery {
    /// The one of exactly this many entries. Default: the latest one.
    size: Option<String>,
}

/// `GET /api/v1/audit/checkpoint`: the signed note, with the signatures of the witnesses.
pub(super) async fn checkpoint(
    Extension(services): Extension<Arc<Services>>,
    query: Result<Query<CheckpointQuery>, QueryRejection>,
) -> Response {
    let size = query
        .ok()
        .map(|Query(query)| query.size.as_deref().map(str::parse).transpose());
    let Some(Ok(size)) = size else {
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
        Err(error) => refused(&error),
    }
}

/// Between which states.
#[derive(Debug, Deserialize)]
pub(super) struct ConsistencyQuery {
    /// The number of entries of the older state.
    from: String,
    /// The number of entries of the newer state.
    to: String,
}

/// `GET /api/v1/audit/consistency?from=N&to=M`: the proof that the first N entries are the beginning of the first M.
pub(super) async fn consistency(
    Extension(services): Extension<Arc<Services>>,
    query: Result<Query<ConsistencyQuery>, QueryRejection>,
) -> Response {
    let sizes = query
        .ok()
        .and_then(|Query(query)| Some((query.from.parse().ok()?, query.to.parse().ok()?)));
    let Some((from, to)) = sizes else {
        return problem(StatusCode::BAD_REQUEST, "Give two sizes of the log: ?from=N&to=M.");
    };
    match services.engine.audit_consistency(&services.ctx, from, to).await {
        Ok(Some(proof)) => Json(proof).into_response(),
        Ok(None) => problem(
            StatusCode::NOT_FOUND,
            "There are no such states of the log: 1 <= from <= to, and the log has at least `to` entries.",
        ),
        Err(error) => refused(&error),
    }
}

/// `GET /api/v1/audit/key-rotations`: the numbers of the entries that announce keys of the log, newest first.
pub(super) async fn key_rotations(Extension(services): Extension<Arc<Services>>) -> Response {
    match services.engine.audit_key_rotations(&services.ctx).await {
        Ok(entries) => Json(entries).into_response(),
        Err(error) => refused(&error),
    }
}

/// `GET /api/v1/audit/keys`: the public keys, one in each line, the one that signs first.
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

fn refused(error: &Error) -> Response {
    problem_of(error)
}
