//! Read tools: reading is free, and kept in a journal, so that a reviewer sees what a proposal rests on.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::agent::certification;
use crate::engine::{Engine, Error};
use crate::store::{ListFilter, ReadTx};
use crate::tools::schema;
use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A read tool.
pub(crate) struct ReadTool {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub schema: fn() -> Value,
    /// Whether it answers `{items, nextCursor?}`.
    pub is_list: bool,
    /// Whether its calls count as reading records.
    pub journaled: bool,
}

/// Nothing to say.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// What a list is narrowed to.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Listing {
    /// Only of this release.
    #[serde(default)]
    release_id: Option<ReleaseId>,
    /// Only in this status (for evidence: of this kind).
    #[serde(default)]
    #[schemars(length(max = 40))]
    status: Option<String>,
    /// Only with this severity (findings).
    #[serde(default)]
    severity: Option<Severity>,
    /// Only with this text.
    #[serde(default)]
    #[schemars(length(max = 200))]
    text: Option<String>,
    /// The `nextCursor` of the page before.
    #[serde(default)]
    #[schemars(length(max = 100))]
    cursor: Option<String>,
    /// At most so many, 50 unless told.
    #[serde(default)]
    #[schemars(range(min = 1, max = 200))]
    limit: Option<i64>,
}

/// One release.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OneRelease {
    /// The release.
    release_id: ReleaseId,
}

/// One work item.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OneWorkItem {
    /// The work item.
    work_item_id: WorkItemId,
}

/// One action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OneAction {
    /// The action.
    action_id: ActionId,
}

/// A title to compare.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Similar {
    /// The title that one thinks of.
    #[schemars(length(min = 1, max = 200))]
    title: String,
    /// At most so many, 10 unless told.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    limit: Option<i64>,
}

macro_rules! tool {
    ($name:literal, $title:literal, $arguments:ty, $is_list:literal, $journaled:literal, $description:literal) => {
        ReadTool {
            name: $name,
            title: $title,
            description: $description,
            schema: || schema_for!($arguments).to_value(),
            is_list: $is_list,
            journaled: $journaled,
        }
    };
}

#[rustfmt::skip]
pub(crate) const TOOLS: &[ReadTool] = &[
    tool!("loopiq_get_context", "Get context", Nothing, false, false,
        "Who you act for, in which tenant, with which roles and teams, and which tools you can use."),
    tool!("loopiq_list_releases", "List releases", Listing, true, true, "Releases by key."),
    tool!("loopiq_get_release", "Get release", OneRelease, false, true,
        "One release with its teams, components and certifications."),
    tool!("loopiq_get_release_certification", "Get release certification", OneRelease, false, true,
        "The certifications of a release, its controls, and what blocks them."),
    tool!("loopiq_get_release_certification_evidence_graph", "Get certification evidence graph", OneRelease, false, true,
        "What the certification of a release rests on, as nodes and edges: controls, evidence, findings, blockers, work items."),
    tool!("loopiq_list_blockers", "List blockers", Listing, true, true,
        "What keeps a release from its certification. status: open, resolved, accepted."),
    tool!("loopiq_list_findings", "List findings", Listing, true, true,
        "Findings of scanners. status: open, suppressed, fixed, false_positive, accepted."),
    tool!("loopiq_search_evidence", "Search evidence", Listing, true, true,
        "Evidence with its SHA-256 and age. status: its kind, such as sarif."),
    tool!("loopiq_list_controls", "List controls", Listing, true, true,
        "Controls of a release. status: passing, failing, unknown."),
    tool!("loopiq_list_work_items", "List work items", Listing, true, true,
        "Stories and tasks with what they rest on. status: open, in_progress, done, cancelled."),
    tool!("loopiq_get_work_item", "Get work item", OneWorkItem, false, true,
        "One story or task with its version, its parent and its children."),
    tool!("loopiq_find_similar_work_items", "Find similar work items", Similar, true, true,
        "Work items whose titles share words with yours, open or closed, best first. Ask before you propose new work."),
    tool!("loopiq_get_action", "Get action", OneAction, false, false,
        "What became of an action that was proposed for your caller: state, checks, decisions with reasons, result."),
    tool!("loopiq_list_actions", "List actions", Listing, true, false,
        "Actions that were proposed for your caller, newest first. status: pending_approval, approved, rejected, executed, failed."),
];

/// Runs a read tool whose arguments have been validated.
pub(crate) async fn run(engine: &Engine, ctx: &Ctx, tool: &ReadTool, arguments: &Value) -> Result<Value, Error> {
    let invalid = |fields| Error::Invalid { fields };
    match tool.name {
        "loopiq_get_context" => engine.get_context(ctx).await,
        "loopiq_get_action" => {
            let one: OneAction = schema::arguments(arguments).map_err(invalid)?;
            engine.get_action(ctx, one.action_id.as_str()).await
        }
        "loopiq_list_actions" => {
            let listing: Listing = schema::arguments(arguments).map_err(invalid)?;
            engine.list_actions(ctx, listing).await
        }
        "loopiq_get_release" => {
            let one: OneRelease = schema::arguments(arguments).map_err(invalid)?;
            in_read(engine, ctx, move |tx| Box::pin(get_release(tx, one.release_id))).await
        }
        "loopiq_get_release_certification" => {
            let one: OneRelease = schema::arguments(arguments).map_err(invalid)?;
            in_read(engine, ctx, move |tx| Box::pin(certification::get(tx, one.release_id))).await
        }
        "loopiq_get_release_certification_evidence_graph" => {
            let one: OneRelease = schema::arguments(arguments).map_err(invalid)?;
            in_read(engine, ctx, move |tx| {
                Box::pin(certification::graph(tx, one.release_id))
            })
            .await
        }
        "loopiq_get_work_item" => {
            let one: OneWorkItem = schema::arguments(arguments).map_err(invalid)?;
            in_read(engine, ctx, move |tx| Box::pin(get_work_item(tx, one.work_item_id))).await
        }
        "loopiq_find_similar_work_items" => {
            let similar: Similar = schema::arguments(arguments).map_err(invalid)?;
            in_read(engine, ctx, move |tx| Box::pin(find_similar(tx, similar))).await
        }
        name => {
            let listing: Listing = schema::arguments(arguments).map_err(invalid)?;
            let name = name.to_owned();
            in_read(engine, ctx, move |tx| Box::pin(list(tx, name, listing))).await
        }
    }
}

async fn in_read<F>(engine: &Engine, ctx: &Ctx, work: F) -> Result<Value, Error>
where
    F: for<'t> FnOnce(&'t mut ReadTx) -> BoxFuture<'t, Result<Value, Error>>,
{
    engine.store().read(ctx, work).await
}

pub(crate) fn missing(kind: RecordKind, id: &str) -> Error {
    Error::NotFound {
        kind,
        id: id.to_owned(),
    }
}

/// `{items, nextCursor?}`; there is a next page where this one is full.
fn page<T: Serialize>(items: &[T], limit: i64, cursor: impl Fn(&T) -> String) -> Value {
    let next = items.last().filter(|_| items.len() as i64 >= limit).map(cursor);
    let mut page = json!({ "items": items });
    if let (Some(fields), Some(next)) = (page.as_object_mut(), next) {
        fields.insert("nextCursor".into(), json!(next));
    }
    page
}

async fn list(tx: &mut ReadTx, name: String, listing: Listing) -> Result<Value, Error> {
    let limit = listing.limit.unwrap_or(50);
    let filter = ListFilter {
        release: listing.release_id.map(String::from),
        status: listing.status,
        text: listing.text,
        severities: listing.severity.iter().map(|severity| severity.as_str()).collect(),
        after: listing.cursor,
        limit,
    };
    Ok(match name.as_str() {
        "loopiq_list_releases" => page(&tx.list_releases(&filter).await?, limit, |r| r.key.clone()),
        "loopiq_list_blockers" => page(&tx.list_blockers(&filter).await?, limit, |r| r.id.to_string()),
        "loopiq_list_findings" => page(&tx.list_findings(&filter).await?, limit, |r| r.id.to_string()),
        "loopiq_search_evidence" => page(&tx.list_evidence(&filter).await?, limit, |r| r.id.to_string()),
        "loopiq_list_controls" => page(&tx.list_controls(&filter).await?, limit, |r| r.id.to_string()),
        _ => {
            if filter.after.as_ref().is_some_and(|after| after.parse::<u32>().is_err()) {
                return Err(Error::field("/cursor", "is no cursor of this list"));
            }
            page(&tx.list_work_items(&filter).await?, limit, |r| {
                r.key.trim_start_matches("WI-").to_owned()
            })
        }
    })
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
            // Dice's coefficient: 1 for the same words, 0 for none in common.
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
        let (teams, name) = self
            .store
            .read(ctx, move |tx| {
                Box::pin(async move {
                    Ok::<_, Error>((tx.teams_of_person(person.as_str()).await?, tx.tenant_name().await?))
                })
            })
            .await?;
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

    async fn list_actions(&self, ctx: &Ctx, listing: Listing) -> Result<Value, Error> {
        let Some(caller) = ctx.principal.person().map(|person| person.id.clone()) else {
            return Err(Error::NotAuthorized {
                why: "Only a client lists its caller's actions.".to_owned(),
            });
        };
        let state = match listing.status.as_deref() {
            None => None,
            Some(word) => Some(State::parse(word).ok_or_else(|| Error::field("/status", "is no state of an action"))?),
        };
        let (limit, now) = (listing.limit.unwrap_or(50), ctx.now());
        let actions = self
            .store
            .read(ctx, move |tx| {
                Box::pin(async move {
                    Ok::<_, Error>(
                        tx.actions_of_caller(&caller, state, listing.cursor.as_deref(), limit)
                            .await?,
                    )
                })
            })
            .await?;
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
        Ok(page(&items, limit, |item| {
            item["id"].as_str().unwrap_or_default().to_owned()
        }))
    }
}
