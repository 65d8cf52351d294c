//! Searches and verifies the audit trail.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::query::Expr;
use crate::domain::*;
use crate::engine::pages::audit_query;
use crate::engine::pages::record_names::RecordNames;
use crate::engine::{Engine, Error, audit_entries};
use crate::store::{AuditRecord, Entry};
use crate::views::{
    AuditEntryView, AuditForm, AuditPage, AuditRow, CoveringCheckpoint, Label, RecordLabel, When, actor_label,
    event_label,
};
use serde_json::json;

/// Entries on one page.
const PAGE: i64 = 50;
/// The part of a query that its entry contains, in characters.
const LONGEST_QUERY: usize = 1_000;

impl Engine {
    /// A page of the audit trail, newest first, for a query alone. See [`Engine::audit_page`].
    pub async fn search_audit(&self, ctx: &Ctx, q: &str, after: &str) -> Result<AuditPage, Error> {
        let form = AuditForm {
            q: q.to_owned(),
            ..AuditForm::default()
        };
        self.audit_page(ctx, &form, after).await
    }

    /// A page of the audit trail, newest first. For a query that cannot be read, the page has its errors with their places. A search is recorded
    /// once for each person, query and ten minutes, whatever pages of it are opened; a visit that asks for nothing in particular is not recorded.
    pub async fn audit_page(&self, ctx: &Ctx, form: &AuditForm, after: &str) -> Result<AuditPage, Error> {
        self.authorize(ctx, Permission::SearchAudit).await?;
        let (expr, errors) = match audit_query::read(form) {
            Ok(query) => (Some(self.with_record_ids(ctx, query).await?), Vec::new()),
            Err(errors) => (None, errors),
        };
        let before = after.parse().unwrap_or(i64::MAX);
        // `None` for an empty query, which the database answers: a page of the log.
        let found = match &expr {
            Some(Expr::All) => None,
            Some(expr) => Some(self.find_audit_entries(ctx, expr, before, PAGE as usize + 1).await?),
            None => Some(Vec::new()),
        };
        let tx = &mut self.store.read(ctx).await?;
        let total = tx.audit_head().await?;
        let (seqs, records) = match found {
            Some(seqs) => {
                let records = tx.audit_records(&seqs).await?;
                (seqs, records)
            }
            None => {
                let records = tx.audit_page(before, PAGE + 1).await?;
                (records.iter().map(|record| record.seq).collect(), records)
            }
        };
        // The numbers say where the next page begins, because a purged entry has a number and no row.
        let more = seqs.len() as i64 > PAGE;
        let last = seqs.iter().take(PAGE as usize).next_back().copied().unwrap_or_default();
        let rows: Vec<AuditRow> = records
            .iter()
            .filter(|record| record.seq >= last)
            .map(|record| row(record, ctx.now()))
            .collect();
        if expr.is_some() && !form.is_unspecific() {
            self.record_search(ctx, form, rows.len(), more).await?;
        }
        Ok(AuditPage {
            rows,
            next: more.then(|| last.to_string()),
            total,
            errors,
        })
    }

    /// Records a search with the number of results on its page, and whether there are more.
    async fn record_search(&self, ctx: &Ctx, form: &AuditForm, results: usize, more: bool) -> Result<(), Error> {
        let reader = match (ctx.principal.person(), ctx.principal.client()) {
            (Some(person), _) => person.id.to_string(),
            (None, Some(client)) => client.id.to_string(),
            (None, None) => return Ok(()),
        };
        let query = form.q.trim().chars().take(LONGEST_QUERY).collect::<String>();
        let asked = json!({ "query": query, "from": form.from, "to": form.to });
        let search = (ctx.tenant().clone(), reader, asked.to_string());
        if !self.entry_limits.is_search_due(&search, ctx.now()) {
            return Ok(());
        }
        let mut content = audit_entries::content(ctx);
        // In the details, which the search does not read: the query would find itself.
        content.details = asked;
        content.details["results"] = json!(results);
        content.details["more"] = json!(more);
        let entry = Entry {
            event: Event::AuditSearched,
            action_id: None,
            content,
        };
        // Written before the person sees the results.
        self.write_entry(ctx, entry).await?;
        self.entry_limits.search_recorded(search, ctx.now());
        Ok(())
    }

    /// One entry with its whole content.
    pub async fn audit_entry(&self, ctx: &Ctx, seq: i64) -> Result<AuditEntryView, Error> {
        self.authorize(ctx, Permission::SearchAudit).await?;
        let tx = &mut self.store.read(ctx).await?;
        let record = tx.audit_record(seq).await?.ok_or(Error::NoAuditEntry { seq })?;
        let checkpoint = tx
            .latest_checkpoint()
            .await?
            .filter(|checkpoint| checkpoint.size >= seq as u64);
        let names = RecordNames::load(tx, &record.content.records).await?;
        let content = &record.content;
        let mut lines = vec![
            ("Sequence", record.seq.to_string()),
            ("Request ID", content.request_id.clone()),
            ("Trace ID", content.trace_id.clone()),
        ];
        let source = &content.source;
        let optional = [
            ("Client's request ID", content.client_request_id.clone()),
            ("Client's trace ID", content.client_trace_id.clone()),
            ("Outcome", content.outcome.map(|outcome| outcome.label().to_owned())),
            ("Client", content.client.as_ref().map(client_label)),
            ("Program", content.agent.clone()),
            ("Came from", Some(source.kind.label().to_owned())),
            ("Source address", source.address.clone()),
            ("Session or token", source.session.clone()),
            ("Action ID", record.action_id.as_ref().map(|id| id.as_str().to_owned())),
            ("Approval ID", content.approval_id.clone()),
            ("Idempotency key", content.idempotency_key.clone()),
            ("Workflow", content.workflow.clone()),
            ("Tool", content.tool.clone()),
            (
                "Tool call chain",
                (!content.tool_call_chain.is_empty()).then(|| content.tool_call_chain.join(" → ")),
            ),
            ("Payload digest", content.payload_digest.clone()),
            (
                "Schema version",
                content.schema_version.map(|version| version.to_string()),
            ),
            (
                "Policy version",
                content.policy_version.map(|version| version.to_string()),
            ),
            ("Reason", content.note.clone()),
        ];
        lines.extend(optional.into_iter().filter_map(|(label, value)| Some((label, value?))));
        let payload = match (&record.action_id, &content.payload_digest) {
            (Some(id), Some(digest)) => tx.action(id).await?.map(|action| {
                let payload = action.proposal.payload();
                let is_same = *digest == canonical::digest(payload.as_bytes());
                (PlainText::from(&pretty(payload)), is_same)
            }),
            _ => None,
        };
        Ok(AuditEntryView {
            row: row(&record, ctx.now()),
            lines: lines
                .into_iter()
                .map(|(label, value)| (label.into(), value.into()))
                .collect(),
            records: content
                .records
                .iter()
                .filter_map(|id| names.facts().reference(id))
                .collect(),
            content: PlainText::from(&pretty(&record.content_json)),
            payload,
            leaf_hash: record.leaf_hash.clone(),
            intact: record.is_intact(ctx.tenant()),
            checkpoint: checkpoint.map(|checkpoint| CoveringCheckpoint {
                size: checkpoint.size,
                at: When::new(checkpoint.at, ctx.now()),
            }),
        })
    }

    /// The numbers of the newest entries about a new key of the log, newest first. A browser asks for them if it has not seen the key before.
    pub async fn audit_key_rotations(&self, ctx: &Ctx) -> Result<Vec<i64>, Error> {
        self.authorize(ctx, Permission::SearchAudit).await?;
        let form = AuditForm {
            q: format!("event:{}", Event::KeyRotated.as_str()),
            ..AuditForm::default()
        };
        // Not a search of the person, so it is not recorded as one.
        match audit_query::read(&form) {
            Ok(query) => {
                let expr = self.with_record_ids(ctx, query).await?;
                self.find_audit_entries(ctx, &expr, i64::MAX, PAGE as usize).await
            }
            Err(_) => Ok(Vec::new()),
        }
    }
}

/// The client with its ID, and with its version if it reported one.
fn client_label(client: &ClientOfEntry) -> String {
    let version = client.version.as_deref();
    let version = version.map_or_else(String::new, |version| format!(", version {version}"));
    match &client.name {
        Some(name) => format!("{name} ({}{version})", client.id),
        None => format!("{}{version}", client.id),
    }
}

/// JSON with line breaks; any other text as it is.
fn pretty(json: &str) -> String {
    serde_json::from_str::<serde_json::Value>(json)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| json.to_owned())
}

/// What an entry says without its actor: `approved`.
pub(crate) fn words(record: &AuditRecord) -> String {
    let mut words = event_label(&record.event).to_owned();
    if record.event == "access.denied"
        && let Some(command) = record
            .content
            .details
            .get("command")
            .and_then(serde_json::Value::as_str)
    {
        words = format!("access denied: {}", command.replace('_', " "));
    }
    words
}

fn row(record: &AuditRecord, now: Timestamp) -> AuditRow {
    let content = &record.content;
    AuditRow {
        seq: record.seq,
        at: When::new(record.at, now),
        actor: PlainText::from(&actor_label(&content.actor)),
        event: record.event.clone(),
        words: words(record).into(),
        action: record.action_id.as_ref().map(|id| RecordLabel {
            kind: RecordKind::Action,
            id: id.as_str().to_owned(),
            key: None,
            name: PlainText::from(content.headline.as_deref().unwrap_or(id.as_str())),
        }),
        release: content.release.as_ref().map(|release| PlainText::from(&release.key)),
        state: content.state.as_deref().and_then(State::parse),
    }
}
