//! Actions: the list, one action, and a proposal.

use super::body::{IdInPath, StrictJson, wrong_field};
use super::etag;
use super::query::{NoParameters, StrictQuery, wrong_parameter};
use super::refusals::Refusals;
use super::reviewed::ReviewedAction;
use crate::http::problem::{problem_of, problem_with};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use loopiq::domain::{ActionId, Principal};
use loopiq::engine::{Error, ToolResponse, Visit};
use loopiq::views::{InboxPage, InboxQuery, InboxRow, Tab};
use loopiq_app::Services;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// The path of actions.
pub(super) const PATH: &str = "/api/v1/actions";

/// The state of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ActionStatus {
    PendingApproval,
    Approved,
    Rejected,
    Executed,
    Failed,
}

impl ActionStatus {
    fn tab(self) -> Tab {
        match self {
            Self::PendingApproval => Tab::Pending,
            Self::Approved => Tab::Approved,
            Self::Rejected => Tab::Rejected,
            Self::Executed => Tab::Executed,
            Self::Failed => Tab::Failed,
        }
    }
}

/// Which actions.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ActionsQuery {
    /// Only actions in this state.
    status: Option<ActionStatus>,
    /// By session: only pending actions that this person may decide.
    mine: Option<bool>,
    /// By session: only actions about the release with this ID.
    release: Option<String>,
    /// By session: only actions for the team with this ID.
    team: Option<String>,
    /// By session: only actions with these words in headline, summary, reason or people.
    text: Option<String>,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// A page of actions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActionList {
    /// Up to 50 actions: oldest first by session, newest first with a token.
    items: Vec<ActionSummary>,
    /// Where the next page starts; missing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// An action in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActionSummary {
    id: String,
    #[schema(value_type = ActionStatus)]
    status: String,
    /// What it would do, in a few words.
    headline: String,
    /// When it was proposed.
    created_at: String,
    /// More, by session.
    #[serde(flatten)]
    more: ForReader,
}

/// What a list says to each kind of reader. The list for a client is the response of the tool `loopiq_list_actions`.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum ForReader {
    Person(Box<ForPerson>),
    #[allow(dead_code, reason = "the response of the tool is sent as it is")]
    Client(Box<ForClient>),
}

/// What a person reads in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ForPerson {
    summary: String,
    /// The key of its release.
    release: Option<String>,
    /// The name of its team.
    team: Option<String>,
    /// The person for whom it was proposed, and the client.
    proposer: String,
    risk: String,
    /// The numbers of checks that pass, warn and block.
    verdicts: Verdicts,
    /// Why this person cannot decide it, if another one can.
    why_not_mine: Option<String>,
}

/// The numbers of checks.
#[derive(Serialize, ToSchema)]
pub(super) struct Verdicts {
    pass: u32,
    warn: u32,
    block: u32,
}

/// What a client reads in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ForClient {
    tool: String,
    idempotency_key: String,
    expires_at: Option<String>,
    reason_codes: Vec<String>,
}

impl From<InboxRow> for ActionSummary {
    fn from(row: InboxRow) -> Self {
        Self {
            id: row.id,
            status: row.state.as_str().to_owned(),
            headline: row.headline.to_string(),
            created_at: row.proposed,
            more: ForReader::Person(Box::new(ForPerson {
                summary: row.summary.to_string(),
                release: row.release.map(|key| key.to_string()),
                team: row.team.map(|name| name.to_string()),
                proposer: row.asked_by.to_string(),
                risk: row.risk.as_str().to_owned(),
                verdicts: Verdicts {
                    pass: row.verdicts.pass,
                    warn: row.verdicts.warn,
                    block: row.verdicts.block,
                },
                why_not_mine: row.not_mine.map(|why| why.to_string()),
            })),
        }
    }
}

impl From<InboxPage> for ActionList {
    fn from(page: InboxPage) -> Self {
        Self {
            items: page.rows.into_iter().map(ActionSummary::from).collect(),
            next_cursor: page.next.map(|id| format!("{CURSOR}{id}")),
        }
    }
}

/// Lists actions: by session those of the inbox, with a token those that were proposed for the same person.
#[utoipa::path(
    get, path = PATH, tag = "actions", params(ActionsQuery),
    responses((status = 200, description = "A page of actions.", body = ActionList), Refusals),
    security(("session" = []), ("token" = ["loopiq:read"])),
)]
pub(super) async fn list(
    Extension(services): Extension<Arc<Services>>,
    StrictQuery(query): StrictQuery<ActionsQuery>,
) -> Response {
    if query.cursor.as_deref().is_some_and(|cursor| position(cursor).is_none()) {
        return wrong_parameter("cursor", "use the nextCursor of the previous page");
    }
    let listed = match &services.ctx.principal {
        Principal::Person { .. } => match inbox_query(query) {
            Ok(query) => services
                .engine
                .inbox(&services.ctx, &query)
                .await
                .map(|page| Json(ActionList::from(page)).into_response()),
            Err(refusal) => return refusal,
        },
        _ => match tool_query(&query) {
            Ok(arguments) => services
                .engine
                .call_tool(&services.ctx, "loopiq_list_actions", arguments)
                .await
                .map(|listed| Json(listed.structured).into_response()),
            Err(refusal) => return refusal,
        },
    };
    listed.unwrap_or_else(|error| problem_of(&error))
}

/// How the cursors of this list begin, as those of the tool `loopiq_list_actions`.
const CURSOR: &str = "actions:";

/// The action that a cursor names.
fn position(cursor: &str) -> Option<&str> {
    let id = cursor.strip_prefix(CURSOR)?;
    ActionId::parse(id).is_ok().then_some(id)
}

fn inbox_query(query: ActionsQuery) -> Result<InboxQuery, Response> {
    let tab = match (query.status, query.mine.unwrap_or_default()) {
        (None | Some(ActionStatus::PendingApproval), true) => Tab::Mine,
        (Some(_), true) => {
            return Err(wrong_parameter(
                "mine",
                "a person decides pending actions only; leave status out",
            ));
        }
        (Some(status), false) => status.tab(),
        (None, false) => Tab::All,
    };
    Ok(InboxQuery {
        tab,
        release: query.release.unwrap_or_default(),
        team: query.team.unwrap_or_default(),
        text: query.text.unwrap_or_default(),
        after: query
            .cursor
            .as_deref()
            .and_then(position)
            .unwrap_or_default()
            .to_owned(),
        ..InboxQuery::default()
    })
}

fn tool_query(query: &ActionsQuery) -> Result<Value, Response> {
    let of_session = [
        ("mine", query.mine.is_some()),
        ("release", query.release.is_some()),
        ("team", query.team.is_some()),
        ("text", query.text.is_some()),
    ];
    if let Some((name, _)) = of_session.into_iter().find(|(_, given)| *given) {
        return Err(wrong_parameter(name, "only people filter by it, in their session"));
    }
    let mut arguments = json!({});
    if let Some(status) = query.status {
        arguments["status"] = json!(status);
    }
    if let Some(cursor) = &query.cursor {
        arguments["cursor"] = json!(cursor);
    }
    Ok(arguments)
}

/// Shows an action.
///
/// By session, the visit is recorded, and the response has the value (`view`) that an approval or an execution by this person in this
/// session must name. With a token, the response is that of the tool `loopiq_get_action`.
#[utoipa::path(
    get, path = "/api/v1/actions/{id}", tag = "actions",
    params(
        ("id" = String, Path, description = "The action's ID."),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of the action as the caller knows it."),
    ),
    responses(
        (status = 200, description = "The action.", body = ActionDetails, headers(("ETag" = String, description = "Names this content."))),
        (status = 304, description = "The action is as the caller knows it."),
        Refusals,
    ),
    security(("session" = []), ("token" = ["loopiq:read"])),
)]
pub(super) async fn get(
    Extension(services): Extension<Arc<Services>>,
    _: StrictQuery<NoParameters>,
    IdInPath(id): IdInPath,
    headers: HeaderMap,
) -> Response {
    let ctx = &services.ctx;
    let found = match &ctx.principal {
        Principal::Person { .. } => {
            let visit = if services.prefetch {
                Visit::Unrecorded
            } else {
                Visit::Opened
            };
            let page = services.engine.action_page(ctx, &id, visit).await;
            page.map(|page| ActionDetails::Person(Box::new(ReviewedAction::from(page))))
        }
        _ => services.engine.get_action(ctx, &id).await.map(ActionDetails::Client),
    };
    match found {
        Ok(action) => etag::respond(&headers, &action),
        Err(error) => problem_of(&error),
    }
}

/// An action, as a person or as a client reads it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum ActionDetails {
    Person(Box<ReviewedAction>),
    /// The response of the tool `loopiq_get_action`.
    #[schema(value_type = Object)]
    Client(Value),
}

/// A proposal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Proposal {
    /// The tool that proposes: `loopiq_create_work_item`.
    tool: String,
    /// The arguments of the tool, as its input schema in MCP says.
    #[schema(value_type = Object)]
    arguments: Value,
}

/// The response to a proposal, which is that of the tool.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes the response of the tool")]
pub(super) struct Proposed {
    /// `pending_approval`, or the state that an earlier proposal with this key has reached; `dry_run` if nothing was stored.
    status: String,
    #[schema(required = false)]
    action_id: Option<String>,
    #[schema(required = false)]
    approval_id: Option<String>,
    /// What an approval of the action names.
    #[schema(required = false)]
    digest: Option<String>,
    payload_digest: String,
    /// The page on which people decide.
    #[schema(required = false)]
    review_url: Option<String>,
    #[schema(required = false)]
    expires_at: Option<String>,
    #[schema(required = false)]
    idempotency_key: Option<String>,
    #[schema(value_type = Object)]
    preview: Value,
    #[schema(value_type = Vec<Object>)]
    checks: Vec<Value>,
}

/// Proposes an action, for the person for whom the client acts.
///
/// Nothing is written before people have approved it. The header `Idempotency-Key` is the argument `idempotencyKey` of the tool: the same
/// key with the same arguments returns the same action.
#[utoipa::path(
    post, path = PATH, tag = "actions", request_body = Proposal,
    params(("Idempotency-Key" = String, Header, description = "The client's own key for this proposal: 1 to 200 characters.")),
    responses(
        (status = 201, description = "The action waits for approval.", body = Proposed, headers(("Location" = String, description = "The action."))),
        (status = 200, description = "The action was proposed before with this key, or it was a dry run.", body = Proposed),
        Refusals,
    ),
    security(("token" = ["loopiq:propose"])),
)]
pub(super) async fn propose(
    Extension(services): Extension<Arc<Services>>,
    _: StrictQuery<NoParameters>,
    headers: HeaderMap,
    StrictJson(proposal): StrictJson<Proposal>,
) -> Response {
    let Proposal { tool, mut arguments } = proposal;
    if let Err(refusal) = add_key(&headers, &mut arguments) {
        return refusal;
    }
    match services.engine.propose_with(&services.ctx, &tool, arguments).await {
        Ok(response) => proposed(response),
        Err(error @ Error::UnknownTool { .. }) => wrong_field("/tool", &error.to_string()),
        Err(error) => refused(&error),
    }
}

/// Puts the header `Idempotency-Key` into the arguments.
fn add_key(headers: &HeaderMap, arguments: &mut Value) -> Result<(), Response> {
    let Some(fields) = arguments.as_object_mut() else {
        return Err(wrong_field("/arguments", "must be an object."));
    };
    let mut keys = headers.get_all("idempotency-key").iter();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        let message =
            "Send the header Idempotency-Key once, with a key of your own for this proposal. Nothing was stored.";
        return Err(problem_with(StatusCode::BAD_REQUEST, "invalid_request", message, &[]));
    };
    let Ok(key) = key.to_str() else {
        let message = "The header Idempotency-Key must be ASCII text. Nothing was stored.";
        return Err(problem_with(StatusCode::BAD_REQUEST, "invalid_request", message, &[]));
    };
    match fields.insert("idempotencyKey".to_owned(), json!(key)) {
        Some(other) if other != key => Err(wrong_field(
            "/arguments/idempotencyKey",
            "differs from the header Idempotency-Key; leave it out.",
        )),
        _ => Ok(()),
    }
}

fn proposed(response: ToolResponse) -> Response {
    let id = response.structured["actionId"].as_str();
    let location = id.filter(|_| !response.repeated).map(|id| format!("{PATH}/{id}"));
    match location {
        Some(location) => (
            StatusCode::CREATED,
            [(header::LOCATION, location)],
            Json(response.structured),
        )
            .into_response(),
        None => Json(response.structured).into_response(),
    }
}

/// The pointers of a tool are relative to its arguments.
fn refused(error: &Error) -> Response {
    let Error::Invalid { fields } = error else {
        return problem_of(error);
    };
    let mut fields = fields.clone();
    for field in &mut fields {
        field.pointer.insert_str(0, "/arguments");
    }
    problem_of(&Error::Invalid { fields })
}
