//! Read tools. A client may call them without approval; a journal keeps the calls, so that a reviewer sees what a proposal rests on.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::agent::certification;
use crate::engine::agent::listing::{ActionListing, FindingListing, Listing, page, position};
use crate::engine::{Engine, Error};
use crate::import::Format;
use crate::store::ReadTx;
use crate::tools::schema;
use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A read tool.
pub(crate) struct ReadTool {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub schema: fn() -> Value,
    /// Whether the response is `{items, nextCursor?}`.
    pub is_list: bool,
    /// Whether a call counts as reading records.
    pub journaled: bool,
    /// Runs the tool with validated arguments.
    pub run: Handler,
}

/// What runs a read tool.
type Handler = for<'a> fn(&'a Engine, &'a Ctx, &'a Value) -> BoxFuture<'a, Result<Value, Error>>;

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

/// One release.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OneRelease {
    // The release.
    release_id: ReleaseId,
}

/// One work item.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OneWorkItem {
    // The work item.
    work_item_id: WorkItemId,
}

/// One action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OneAction {
    // The action.
    action_id: ActionId,
}

/// A title to compare.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Similar {
    /// The title of the work that you plan.
    #[schemars(length(min = 1, max = 200))]
    title: String,
    /// The most items to return; 10 by default.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    limit: Option<i64>,
}

/// A read tool with its handler: of the engine, or of a transaction that reads.
macro_rules! tool {
    ($name:literal, $title:literal, $is_list:literal, $journaled:literal, $description:literal,
     |$engine:ident, $ctx:ident, $arguments:ident: $type:ty| $body:expr) => {
        ReadTool {
            name: $name,
            title: $title,
            description: $description,
            schema: || schema_for!($type).to_value(),
            is_list: $is_list,
            journaled: $journaled,
            run: |$engine, $ctx, arguments| {
                Box::pin(async move {
                    let $arguments: $type = parse(arguments)?;
                    $body.await
                })
            },
        }
    };
    ($name:literal, $title:literal, $is_list:literal, $journaled:literal, $description:literal,
     |$tx:ident, $arguments:ident: $type:ty| $body:expr) => {
        tool!(
            $name,
            $title,
            $is_list,
            $journaled,
            $description,
            |engine, ctx, $arguments: $type| engine.store().read_long(ctx, move |$tx| Box::pin($body))
        )
    };
}

#[rustfmt::skip]
pub(crate) const TOOLS: &[ReadTool] = &[
    tool!("loopiq_get_context", "Get context", false, false, "Who you act for, in which tenant, with which roles and teams, and which tools you can use.",
        |engine, ctx, _arguments: NoArguments| engine.get_context(ctx)),
    tool!("loopiq_list_releases", "List releases", true, true, "Releases by key.",
        |tx, listing: Listing<ReleaseStatus>| list_releases(tx, listing)),
    tool!("loopiq_get_release", "Get release", false, true, "One release with its teams, components and certifications.",
        |tx, one: OneRelease| get_release(tx, one.release_id)),
    tool!("loopiq_get_release_certification", "Get release certification", false, true, "The certifications of a release, its controls, and what blocks them.",
        |tx, one: OneRelease| certification::get(tx, one.release_id)),
    tool!("loopiq_get_release_certification_evidence_graph", "Get certification evidence graph", false, true, "What a certification rests on, as nodes and edges.",
        |tx, one: OneRelease| certification::graph(tx, one.release_id)),
    tool!("loopiq_list_blockers", "List blockers", true, true, "What keeps a release from its certification.",
        |tx, listing: Listing<BlockerStatus>| list_blockers(tx, listing)),
    tool!("loopiq_list_findings", "List findings", true, true, "Findings of scanners.",
        |tx, listing: FindingListing| list_findings(tx, listing)),
    tool!("loopiq_search_evidence", "Search evidence", true, true, "Evidence with its SHA-256 and age.",
        |tx, listing: Listing<Format>| list_evidence(tx, listing)),
    tool!("loopiq_list_controls", "List controls", true, true, "Controls of a release.",
        |tx, listing: Listing<ControlStatus>| list_controls(tx, listing)),
    tool!("loopiq_list_work_items", "List work items", true, true, "Stories and tasks with what they rest on.",
        |tx, listing: Listing<WorkItemStatus>| list_work_items(tx, listing)),
    tool!("loopiq_get_work_item", "Get work item", false, true, "One story or task with its version, its parent and its children.",
        |tx, one: OneWorkItem| get_work_item(tx, one.work_item_id)),
    tool!("loopiq_find_similar_work_items", "Find similar work items", true, true, "Work items with titles like yours, best first. Ask before you propose work.",
        |tx, similar: Similar| find_similar(tx, similar)),
    tool!("loopiq_get_action", "Get action", false, false, "What became of an action of your caller: state, checks, questions, decisions with reasons, result.",
        |engine, ctx, one: OneAction| engine.get_action(ctx, one.action_id.as_str())),
    tool!("loopiq_list_actions", "List actions", true, false, "Actions of your caller, newest first.",
        |engine, ctx, listing: ActionListing| engine.list_actions(ctx, listing)),
];

/// The typed arguments of a call.
fn parse<T: DeserializeOwned>(arguments: &Value) -> Result<T, Error> {
    schema::arguments(arguments).map_err(|fields| Error::Invalid { fields })
}

pub(crate) fn missing(kind: RecordKind, id: &str) -> Error {
    Error::NotFound {
        kind,
        id: id.to_owned(),
    }
}

async fn list_releases(tx: &mut ReadTx, listing: Listing<ReleaseStatus>) -> Result<Value, Error> {
    let filter = listing.filter("releases", None)?;
    let items = tx.list_releases(&filter).await?;
    Ok(page("releases", &items, filter.limit, |one| one.key.clone()))
}

async fn list_blockers(tx: &mut ReadTx, listing: Listing<BlockerStatus>) -> Result<Value, Error> {
    let filter = listing.filter("blockers", Some(RecordKind::Blocker))?;
    let items = tx.list_blockers(&filter).await?;
    Ok(page("blockers", &items, filter.limit, |one| one.id.to_string()))
}

async fn list_findings(tx: &mut ReadTx, listing: FindingListing) -> Result<Value, Error> {
    let release = listing.release();
    let filter = listing.filter()?;
    let mut items = tx.list_findings(&filter).await?;
    if let Some(release) = release {
        items
            .iter_mut()
            .for_each(|finding| finding.status = finding.status_in(&release));
    }
    Ok(page("findings", &items, filter.limit, |one| one.id.to_string()))
}

async fn list_evidence(tx: &mut ReadTx, listing: Listing<Format>) -> Result<Value, Error> {
    let filter = listing.filter("evidence", Some(RecordKind::Evidence))?;
    let items = tx.list_evidence(&filter).await?;
    Ok(page("evidence", &items, filter.limit, |one| one.id.to_string()))
}

async fn list_controls(tx: &mut ReadTx, listing: Listing<ControlStatus>) -> Result<Value, Error> {
    let filter = listing.filter("controls", Some(RecordKind::Control))?;
    let items = tx.list_controls(&filter).await?;
    Ok(page("controls", &items, filter.limit, |one| one.id.to_string()))
}

async fn list_work_items(tx: &mut ReadTx, listing: Listing<WorkItemStatus>) -> Result<Value, Error> {
    let filter = listing.filter("work_items", None)?;
    if filter.after.as_ref().is_some_and(|after| after.parse::<u32>().is_err()) {
        return position("work_items", Some(String::new()), None).map(|_| Value::Null);
    }
    let items = tx.list_work_items(&filter).await?;
    Ok(page("work_items", &items, filter.limit, |one| {
        one.key.trim_start_matches("WI-").to_owned()
    }))
}

async fn get_release(tx: &mut ReadTx, id: ReleaseId) -> Result<Value, Error> {
    let release = tx
        .releases(&[id.as_str()])
        .await?
        .pop()
        .ok_or_else(|| missing(RecordKind::Release, id.as_str()))?;
    let mut answer = serde_json::to_value(&release).map_err(Error::internal)?;
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("teams".into(), json!(tx.teams_of(id.as_str()).await?));
        fields.insert("components".into(), json!(tx.components_of(id.as_str()).await?));
        fields.insert(
            "riskAcceptances".into(),
            json!(tx.risk_acceptances_of(id.as_str()).await?),
        );
        fields.insert(
            "currentEvidence".into(),
            json!(tx.current_evidence_of(id.as_str()).await?),
        );
        fields.insert(
            "certifications".into(),
            json!(tx.certifications_of(&[id.as_str()]).await?),
        );
    }
    Ok(answer)
}

async fn get_work_item(tx: &mut ReadTx, id: WorkItemId) -> Result<Value, Error> {
    let item = tx
        .work_items(&[id.as_str()])
        .await?
        .pop()
        .ok_or_else(|| missing(RecordKind::WorkItem, id.as_str()))?;
    let children = tx.children_of(&[id.as_str()]).await?;
    let mut answer = serde_json::to_value(&item).map_err(Error::internal)?;
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("children".into(), json!(children));
    }
    Ok(answer)
}

async fn find_similar(tx: &mut ReadTx, similar: Similar) -> Result<Value, Error> {
    let words = text::words(&similar.title);
    let found = tx.similar_work_items(&words, similar.limit.unwrap_or(10)).await?;
    let items: Vec<Value> = found
        .into_iter()
        .filter_map(|(item, shared)| {
            let of = text::words(&item.title).len() + words.len();
            // Dice's coefficient: 1 for equal words, 0 for no common word.
            let score = if of == 0 { 0.0 } else { (2 * shared) as f64 / of as f64 };
            let mut value = serde_json::to_value(&item).ok()?;
            value
                .as_object_mut()?
                .insert("score".into(), json!((score * 100.0).round() / 100.0));
            Some(value)
        })
        .collect();
    Ok(json!({ "items": items }))
}

impl Engine {
    async fn get_context(&self, ctx: &Ctx) -> Result<Value, Error> {
        let Principal::Client { caller, client, .. } = &ctx.principal else {
            return Err(Error::NotAuthorized {
                why: "Only a client has a context.".to_owned(),
            });
        };
        let person = caller.id.clone();
        let (teams, name) = {
            let tx = &mut self.store.read(ctx).await?;
            (tx.teams_of_person(person.as_str()).await?, tx.tenant_name().await?)
        };
        let tools: Vec<&str> = self.catalogue(ctx).await?.iter().map(|spec| spec.name).collect();
        Ok(json!({
            "tenant": { "id": ctx.tenant(), "name": name },
            "caller": { "id": caller.id, "name": caller.name, "email": caller.email },
            "client": client,
            "roles": caller.roles,
            "teams": teams,
            "tools": tools,
        }))
    }

    async fn list_actions(&self, ctx: &Ctx, listing: ActionListing) -> Result<Value, Error> {
        let Some(caller) = ctx.principal.person().map(|person| person.id.clone()) else {
            return Err(Error::NotAuthorized {
                why: "Only a client lists its caller's actions.".to_owned(),
            });
        };
        let (state, after) = (
            listing.status,
            position("actions", listing.cursor, Some(RecordKind::Action))?,
        );
        let (limit, now) = (listing.limit.unwrap_or(50), ctx.now());
        let tx = &mut self.store.read(ctx).await?;
        let actions = tx.actions_of_caller(&caller, state, after.as_deref(), limit).await?;
        let items: Vec<BTreeMap<&str, Value>> = actions
            .iter()
            .map(|action| {
                BTreeMap::from([
                    ("id", json!(action.id)),
                    ("status", json!(action.state_at(now))),
                    ("tool", json!(action.proposal.tool)),
                    ("headline", json!(action.proposal.headline)),
                    ("idempotencyKey", json!(action.proposal.idempotency_key)),
                    ("createdAt", json!(action.origin.created_at)),
                    ("expiresAt", json!(action.judgement.expires_at)),
                    ("reasonCodes", json!(action.lifecycle.stage.reason_codes())),
                ])
            })
            .collect();
        Ok(page("actions", &items, limit, |item| {
            item["id"].as_str().unwrap_or_default().to_owned()
        }))
    }
}
