//! Builds the audit entries of use cases.

use crate::audit::{Content, Event, Place};
use crate::context::Ctx;
use crate::domain::{Action, ActionId, ClientOfEntry, Facts, FactsQuery, Permission, Principal, Snapshot, State, ids};
use crate::engine::{Engine, Error};
use crate::store::{Entry, ReadTx};
use serde_json::{Value, json};

/// The records that an entry names: their IDs, and the keys of those that have one.
#[derive(Debug, Clone, Default)]
pub(crate) struct NamedRecords {
    ids: Vec<String>,
    keys: Vec<String>,
}

impl NamedRecords {
    /// These records, with their keys in these facts.
    pub(crate) fn in_facts<'i>(facts: &Facts, ids: impl IntoIterator<Item = &'i str>) -> Self {
        Self::with_keys(ids, |id| facts.get(id)?.key())
    }

    /// The records that the action's payload names, with their keys in this snapshot.
    pub(crate) fn in_snapshot(action: &Action, snapshot: &Snapshot) -> Self {
        let key = |id: &str| snapshot.0.get(id)?.get("key")?.as_str();
        Self::with_keys(ids::scan(action.proposal.payload()), key)
    }

    /// The records that the action's payload names, for entries without a plan. Reads the keys from the database.
    pub(crate) async fn load(tx: &mut ReadTx, action: &Action) -> Result<Self, Error> {
        let named = ids::scan(action.proposal.payload());
        let facts = tx.facts(&FactsQuery::default().with(&named)).await?;
        Ok(Self::in_facts(&facts, named))
    }

    fn with_keys<'i, 'k>(ids: impl IntoIterator<Item = &'i str>, key: impl Fn(&str) -> Option<&'k str>) -> Self {
        let mut named = Self::default();
        for id in ids {
            if !named.ids.iter().any(|known| known == id) {
                named.ids.push(id.to_owned());
                named.keys.extend(key(id).map(str::to_owned));
            }
        }
        named
    }

    /// Adds the records to an entry, after those that it names already.
    pub(crate) fn add_to(self, content: &mut Content) {
        for (list, more) in [(&mut content.records, self.ids), (&mut content.record_keys, self.keys)] {
            for name in more {
                if !list.contains(&name) {
                    list.push(name);
                }
            }
        }
    }
}

/// The content with actor and request; the use case adds what happened.
pub(crate) fn content(ctx: &Ctx) -> Content {
    Content {
        version: 1,
        actor: ctx.principal.actor(),
        client: client(ctx),
        agent: ctx.claims.agent.clone(),
        source: ctx.source.clone(),
        request_id: ctx.request_id.clone(),
        trace_id: ctx.trace_id.clone(),
        client_request_id: ctx.claims.request_id.clone(),
        client_trace_id: ctx.claims.trace_id.clone(),
        workflow: ctx.workflow.clone(),
        tool: None,
        tool_call_chain: Vec::new(),
        approval_id: None,
        idempotency_key: None,
        payload_digest: None,
        schema_version: None,
        policy_version: None,
        outcome: None,
        headline: None,
        state: None,
        release: None,
        note: None,
        records: Vec::new(),
        record_keys: Vec::new(),
        details: Value::Null,
    }
}

/// The client that makes the request.
fn client(ctx: &Ctx) -> Option<ClientOfEntry> {
    ctx.principal.client().map(|client| ClientOfEntry {
        id: client.id.clone(),
        name: Some(client.name.to_string()),
        version: ctx.claims.version.clone(),
    })
}

/// An entry about an action. The proposal's trace, workflow and key are in each, so that one search finds all entries
/// of the action.
pub(crate) fn about(tx: &ReadTx, action: &Action, event: Event, state: State, details: Value) -> Entry {
    let release = action
        .proposal
        .release_id
        .clone()
        .zip(action.proposal.release_key.clone());
    let ctx = tx.ctx();
    let proposer = || ClientOfEntry {
        id: action.origin.client_id.clone(),
        name: None,
        version: None,
    };
    let content = Content {
        client: client(ctx).or_else(|| Some(proposer())),
        trace_id: action.origin.trace_id.clone(),
        client_trace_id: action.origin.client_trace_id.clone(),
        payload_digest: Some(action.proposal.payload_digest.clone()),
        schema_version: Some(action.proposal.tool_version),
        policy_version: Some(action.judgement.current_policy_version),
        workflow: action.proposal.workflow.clone(),
        tool: Some(action.proposal.tool.clone()),
        tool_call_chain: action.origin.call_chain.iter().map(|call| call.tool.clone()).collect(),
        approval_id: Some(action.approval_id.as_str().to_owned()),
        idempotency_key: Some(action.proposal.idempotency_key.clone()),
        headline: Some(action.proposal.headline.clone()),
        state: Some(state.as_str().to_owned()),
        release: release.map(|(id, key)| Place {
            id: id.to_string(),
            key,
        }),
        details,
        ..content(ctx)
    };
    Entry {
        event,
        action_id: Some(action.id.clone()),
        content,
    }
}

impl Engine {
    /// Records a denial: the command, and why it was refused.
    pub(crate) async fn deny(
        &self,
        ctx: &Ctx,
        command: Permission,
        action: Option<&ActionId>,
        error: &Error,
    ) -> Result<(), Error> {
        let mut content = content(ctx);
        content.note = Some(error.to_string());
        content.details = json!({ "command": command.as_str(), "code": error.code() });
        let entry = Entry {
            event: Event::Denied,
            action_id: action.cloned(),
            content,
        };
        self.write_refusal(ctx, entry).await
    }

    /// Writes an entry about something that the principal was refused, in a transaction of its own. Of many such entries in a short time, only
    /// some are written, and the next one counts the others (`notRecorded`): see [`EntryLimits`](crate::engine::entry_limits::EntryLimits).
    pub(crate) async fn write_refusal(&self, ctx: &Ctx, mut entry: Entry) -> Result<(), Error> {
        let sender = match &ctx.principal {
            Principal::Person { person, .. } => person.id.to_string(),
            Principal::Client { caller, client, .. } => format!("{} {}", client.id, caller.id),
            Principal::Program { client, .. } => client.id.to_string(),
            Principal::System { .. } => return self.write_entry(ctx, entry).await,
        };
        let what = format!("{} {} {sender}", ctx.tenant(), entry.event.as_str());
        match self.entry_limits.record_refusal(&what, ctx.now()) {
            None => {
                tracing::warn!(what, "a refusal is not recorded: the sender has too many");
                return Ok(());
            }
            Some(0) => {}
            Some(dropped) => entry.content.details["notRecorded"] = json!(dropped),
        }
        self.write_entry(ctx, entry).await
    }

    /// Writes one entry in a transaction of its own.
    pub(crate) async fn write_entry(&self, ctx: &Ctx, entry: Entry) -> Result<(), Error> {
        self.store
            .add(ctx, move |tx| {
                Box::pin(async move {
                    tx.record(entry);
                    Ok(())
                })
            })
            .await
    }
}
