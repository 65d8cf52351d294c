//! The catalog: the stored records, and the application of files.

use super::body::{media_type, whole};
use super::query::{StrictQuery, wrong_parameter};
use super::refusals::Refusals;
use crate::http::problem::{problem, problem_of, problem_with};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use loopiq::catalog::SourceFile;
use loopiq::domain::canonical::parse_strict;
use loopiq::engine::{CatalogOutcome, CatalogPart, CatalogReport, SeenPreview};
use loopiq_app::Services;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// The path of the catalog.
pub(super) const PATH: &str = "/api/v1/catalog";
/// The name of a file that is the whole body.
const ONE_FILE: &str = "catalog.yaml";

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CatalogQuery {
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// A page of the catalog.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CatalogRecords {
    /// Up to 500 records, in an order that does not change.
    items: Vec<CatalogRecord>,
    /// Where the next page starts; missing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// A record of the catalog.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CatalogRecord {
    /// `team`, `application`, `module`, `repository`, `service`, `release`, `certification` or `person`.
    kind: String,
    /// The key; for people the e-mail address.
    key: String,
    /// The ID; for people the e-mail address.
    id: String,
    /// The release that the record belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    release: Option<String>,
    /// The fields, by the names of the catalog: texts, lists of texts, or null.
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
    /// Whether new work cannot name it any more.
    retired: bool,
}

impl From<CatalogPart> for CatalogRecords {
    fn from(part: CatalogPart) -> Self {
        let record = |record: loopiq::catalog::StoredRecord| CatalogRecord {
            kind: json!(record.ident.kind).as_str().unwrap_or_default().to_owned(),
            key: record.ident.key,
            release: record.ident.release,
            id: record.id,
            fields: record
                .fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), json!(value)))
                .collect(),
            retired: record.is_retired,
        };
        Self {
            items: part.records.into_iter().map(record).collect(),
            next_cursor: part.next,
        }
    }
}

/// Lists the records that catalogs declare: teams, components, releases, certifications and the declared roles of people.
#[utoipa::path(
    get, path = PATH, tag = "catalog", params(CatalogQuery),
    responses((status = 200, description = "A page of the catalog.", body = CatalogRecords), Refusals),
    security(("session" = []), ("token" = ["loopiq:catalog"])),
)]
pub(super) async fn list(
    Extension(services): Extension<Arc<Services>>,
    StrictQuery(query): StrictQuery<CatalogQuery>,
) -> Response {
    let Ok(after) = query.cursor.map(|cursor| cursor.parse()).transpose() else {
        return wrong_parameter("cursor", "use the nextCursor of the previous page");
    };
    match services.engine.catalog_records(&services.ctx, after).await {
        Ok(part) => Json(CatalogRecords::from(part)).into_response(),
        Err(error) => problem_of(&error),
    }
}

/// How to apply a catalog.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ApplyQuery {
    /// Only report what would change.
    #[serde(default)]
    #[param(required = false)]
    dry_run: bool,
    /// Retire what the files do not declare.
    #[serde(default)]
    #[param(required = false)]
    prune: bool,
    /// The digest of a dry run: if the difference is another one now, nothing is changed.
    digest: Option<String>,
}

/// The files of a catalog.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogFiles {
    files: Vec<CatalogFile>,
}

/// A file of a catalog.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogFile {
    /// Its name, for messages.
    name: String,
    /// Its content: YAML.
    text: String,
}

/// What a catalog changes, or has changed.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "describes `CatalogReport`")]
pub(super) struct CatalogApplied {
    tenant: String,
    /// Whether it was applied; `false` for a dry run.
    applied: bool,
    /// Names files and difference. An application can name the digest of a dry run.
    digest: String,
    /// What happens to each record.
    #[schema(value_type = Vec<Object>)]
    steps: Vec<Value>,
    /// The number of declared records that stay as they are.
    left: u64,
    /// Entries that are not read.
    #[schema(value_type = Vec<Object>)]
    skipped: Vec<Value>,
}

/// Applies a catalog in one transaction, or says what it would change.
///
/// The body is one YAML file, or JSON with several files. If they have mistakes, nothing is changed, and the problem has each with its
/// file, line and field.
#[utoipa::path(
    put, path = PATH, tag = "catalog", params(ApplyQuery),
    request_body(content((CatalogFiles = "application/json"), (serde_json::Value = "application/yaml"))),
    responses((status = 200, description = "The difference.", body = CatalogApplied), Refusals),
    security(("session" = []), ("token" = ["loopiq:catalog"])),
)]
pub(super) async fn apply(
    Extension(services): Extension<Arc<Services>>,
    StrictQuery(query): StrictQuery<ApplyQuery>,
    request: Request,
) -> Response {
    let files = match files(request).await {
        Ok(files) => files,
        Err(refusal) => return refusal,
    };
    let (engine, ctx) = (&services.engine, &services.ctx);
    let outcome = match query.dry_run {
        true => engine.preview_catalog(ctx, &files, query.prune).await,
        false => {
            // A program that sends `prune` means it.
            let seen = query.digest.map(|digest| SeenPreview {
                digest,
                confirms_retirement: query.prune,
            });
            engine.apply_catalog(ctx, &files, query.prune, seen).await
        }
    };
    match outcome {
        Ok(CatalogOutcome::Report(report)) => report_of(*report),
        Ok(CatalogOutcome::Wrong(problems)) => {
            let count = problems.first.len() + problems.more;
            let detail = format!(
                "The catalog has {count} mistake{}. Nothing was changed.",
                if count == 1 { "" } else { "s" }
            );
            let more = [("problems", json!(problems.first)), ("more", json!(problems.more))];
            problem_with(StatusCode::UNPROCESSABLE_ENTITY, "invalid_catalog", &detail, &more)
        }
        Err(error) => problem_of(&error),
    }
}

fn report_of(report: CatalogReport) -> Response {
    Json(report).into_response()
}

/// The files of the body.
async fn files(request: Request) -> Result<Vec<SourceFile>, Response> {
    let kind = media_type(request.headers());
    let is_yaml = matches!(
        kind.as_str(),
        "application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml"
    );
    if !is_yaml && kind != "application/json" {
        let text = "The body must be one YAML file (application/yaml), or JSON with the list `files` (application/json). Nothing was changed.";
        return Err(problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    let bytes = whole(request).await?;
    let wrong = |why: &str| {
        problem(
            StatusCode::BAD_REQUEST,
            &format!("The body is not valid: {why}. Nothing was changed."),
        )
    };
    if is_yaml {
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| wrong("it is not UTF-8"))?;
        return Ok(vec![SourceFile {
            name: ONE_FILE.to_owned(),
            text,
        }]);
    }
    let value = parse_strict(&bytes).map_err(|error| wrong(&error.to_string()))?;
    let CatalogFiles { files } = serde_json::from_value(value).map_err(|error| wrong(&error.to_string()))?;
    let file = |CatalogFile { name, text }| SourceFile { name, text };
    Ok(files.into_iter().map(file).collect())
}
