//! The action page: everything that a reviewer has to verify, from stored data.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::approvals::Approvals;
use crate::engine::actions::check_changes;
use crate::engine::actions::lifecycle::{expiry_message, parse_id};
use crate::engine::actions::plan::{self, EvidenceBytes, PlanError, decode_envelope};
use crate::engine::actions::revalidate::form_value;
use crate::engine::actions::step_up;
use crate::engine::admin::pauses;
use crate::engine::pages::record_names::RecordNames;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error, audit_entries};
use crate::store::{AuditRecord, ReadTx, ViewKey};
use crate::tools;
use crate::views::*;
use serde_json::json;
use std::collections::BTreeSet;

mod approvals;
mod changes_since;
mod comparisons;
mod decision_panel;
mod related;
mod sections;
mod tree;

use changes_since::Baseline;
use related::RelatedRecords;
use sections::{claim, context, fields, identifiers, other_creates, references, step, updates, with_codes};

/// The data of one page, from one read of the store.
struct Loaded {
    action: Action,
    envelope: Envelope,
    /// Today's checks for a pending action, or else those of the last decision or of the proposal.
    checks: Vec<Check>,
    names: RecordNames,
    timeline: Vec<AuditRecord>,
    notes: Vec<(String, String)>,
    scope: tools::Scope,
    tenant: String,
    client: String,
    /// The snapshot of what the page shows: today's plan, or else the records of the baseline.
    shown: PageSnapshot,
    /// The snapshot that this person saw before, with its time.
    last_seen: Option<(PageSnapshot, Timestamp)>,
    since: Option<Baseline>,
    comparisons: Vec<Comparison>,
    /// Whether today's checks of a pending action differ from those that the log has last.
    has_new_checks: bool,
    approvals: Approvals,
    /// The sign-in of this person's session.
    sign_in: Option<ProviderSignIn>,
    paused: Option<Pause>,
    approvals_view: Option<ApprovalsView>,
    related: RelatedRecords,
}

/// How a request visits the page of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    /// A person opened the page: the service records what the page showed, and the person may decide by it.
    Opened,
    /// A prefetch or a status query, which does not prove that a person saw the page. Nothing is recorded.
    Unrecorded,
}

impl Engine {
    /// The page of an action. A visit with [`Visit::Opened`] is recorded once for each person, digest and session.
    pub async fn action_page(&self, ctx: &Ctx, id: &str, visit: Visit) -> Result<ActionView, Error> {
        self.authorize(ctx, Permission::ViewActions).await?;
        let action_id = parse_id(id)?;
        let mut loaded = {
            let tx = &mut self.store.read(ctx).await?;
            load(tx, &action_id, &self.policies).await?
        };
        // The sections are stored whatever today's policy requires, because the policy may require more by the time of
        // the approval.
        let (envelope, facts) = (&loaded.envelope, loaded.names.facts());
        let has_reads = !loaded.action.origin.call_chain.is_empty();
        let sections = sections_to_open(&envelope.change_set, &envelope.payload, facts, has_reads);
        loaded.shown.sections = titled_sections(sections, &envelope.change_set, facts);
        let opened = visit == Visit::Opened;
        if opened {
            self.keep_checks(ctx, &mut loaded).await?;
            self.keep_view(ctx, &mut loaded).await?;
        }
        let recorded = opened || loaded.last_seen.is_some();
        let value = form_value(ctx, &loaded.action).filter(|_| recorded);
        Ok(self.render(ctx, loaded, value))
    }

    /// Records that today's checks differ from those that the log has last.
    async fn keep_checks(&self, ctx: &Ctx, loaded: &mut Loaded) -> Result<(), Error> {
        if !loaded.has_new_checks {
            return Ok(());
        }
        let (id, now) = (loaded.action.id.clone(), loaded.checks.clone());
        // Under the tenant's lock, because several people may open the page at the same time.
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    match tx.action(&id).await? {
                        Some(action) if action.state_at(tx.ctx().now()) == State::PendingApproval => {
                            check_changes::compare_and_record(tx, &action, &now).await
                        }
                        _ => Ok(()),
                    }
                })
            })
            .await?;
        let tx = &mut self.store.read(ctx).await?;
        loaded.timeline = tx.audit_of_action(&loaded.action.id).await?;
        Ok(())
    }

    /// Stores what the page showed this person, if it differs from the last visit in this session. The first visit is
    /// also an audit entry.
    async fn keep_view(&self, ctx: &Ctx, loaded: &mut Loaded) -> Result<(), Error> {
        let Some(key) = ViewKey::of(ctx, &loaded.action) else {
            return Ok(());
        };
        let known = loaded.last_seen.as_ref().map(|(shown, _)| shown);
        if known == Some(&loaded.shown) {
            return Ok(());
        }
        let (first, shown, action) = (known.is_none(), loaded.shown.clone(), loaded.action.clone());
        self.store
            .add(ctx, move |tx| {
                Box::pin(async move {
                    tx.keep_view(&key, &shown).await?;
                    if first {
                        let details = json!({ "digest": action.proposal.digest });
                        tx.record(audit_entries::about(
                            tx,
                            &action,
                            Event::Viewed,
                            action.state(),
                            details,
                        ));
                    }
                    Ok::<_, Error>(())
                })
            })
            .await?;
        if first {
            loaded.timeline = {
                let tx = &mut self.store.read(ctx).await?;
                tx.audit_of_action(&loaded.action.id).await?
            };
        }
        Ok(())
    }

    fn render(&self, ctx: &Ctx, loaded: Loaded, view: Option<String>) -> ActionView {
        let now = ctx.now();
        let Loaded {
            action,
            envelope,
            checks,
            names,
            timeline,
            notes,
            scope,
            tenant,
            client,
            shown,
            since,
            comparisons,
            approvals,
            sign_in,
            paused,
            approvals_view,
            related,
            ..
        } = loaded;
        let sections = FoldableSections::new(&shown.sections);
        let state = action.state_at(now);
        let caller = names.named(action.origin.caller_id.as_str());
        let asked_by = format!("{} via {}", caller.name, PlainText::from(&client));
        let executed = state == State::Executed;
        let outcome = if action.is_overdue(now) {
            Some(expiry_message(&action).into())
        } else {
            action
                .lifecycle
                .stage
                .message()
                .map(|words| with_codes(words, action.lifecycle.stage.reason_codes()))
        };
        let risk = approvals
            .policies
            .risk_class(&crate::engine::actions::approvals::risk_input(&action, &envelope));
        let title = tools::find(&action.proposal.tool).map_or(action.proposal.tool.as_str(), |tool| tool.title());
        ActionView {
            state,
            outcome,
            headline: PlainText::from(&action.proposal.headline),
            summary: PlainText::from(&action.proposal.summary),
            tool: (title.to_owned(), action.proposal.tool.clone()),
            risk: if state.is_final() { action.judgement.risk } else { risk },
            proposed: When::new(action.origin.created_at, now),
            expires: (!state.is_final()).then(|| When::new(action.judgement.expires_at, now)),
            digest: action.proposal.digest.clone(),
            view,
            context: context(ctx, &tenant, &scope, &names),
            tree: tree::of(&envelope.change_set, &names, executed, &sections),
            creates: other_creates(&envelope.change_set, &names, &sections),
            updates: updates(&envelope.change_set, &names),
            references: references(&envelope, &names, now, &sections),
            claim: claim(&action, asked_by, &names, now, &sections),
            payload: fields(&envelope.payload),
            payload_json: PlainText::from(action.proposal.payload()),
            identifiers: identifiers(&action),
            call_chain: action.origin.call_chain.iter().map(|call| call.tool.clone()).collect(),
            timeline: timeline.iter().map(|record| step(record, now)).collect(),
            notes: notes.iter().map(|(_, text)| PlainText::from(text)).collect(),
            result: executed.then(|| ResultView {
                created: envelope
                    .change_set
                    .created_ids()
                    .iter()
                    .map(|id| names.named(id))
                    .collect(),
                updated: envelope
                    .change_set
                    .updated_ids()
                    .iter()
                    .map(|id| names.named(id))
                    .collect(),
            }),
            since: since.and_then(|baseline| baseline.view(&shown, &names, now)),
            comparisons,
            stakes: if risk == Risk::High {
                approvals::stakes(&envelope.change_set, &names)
            } else {
                Vec::new()
            },
            related: related.related(&action),
            revisions: related.revisions(&envelope.payload),
            questions: related.questions(&names, now),
            panel: decision_panel::panel(
                ctx,
                &action,
                state,
                &checks,
                &envelope,
                &approvals,
                decision_panel::Conditions {
                    sign_in: sign_in.as_ref(),
                    paused: paused.as_ref(),
                },
            ),
            approvals: approvals_view,
            checks,
            sections: shown.sections,
            id: action.id.to_string(),
        }
    }
}

async fn load(tx: &mut ReadTx, id: &ActionId, policy_cache: &PolicyCache) -> Result<Loaded, Error> {
    let missing = || Error::NotFound {
        kind: RecordKind::Action,
        id: id.as_str().to_owned(),
    };
    let action = tx.action(id).await?.ok_or_else(missing)?;
    let envelope = decode_envelope(&action)?;
    let decisions = tx.decisions(id).await?;
    let me = tx.ctx().principal.person().map(|person| person.id.clone());
    let approvals = Approvals::load(tx, policy_cache, &action, &decisions, me.as_ref()).await?;
    let approvals_view = if action.state_at(tx.ctx().now()) == State::PendingApproval {
        Some(approvals::approvals_view(tx, &approvals, &action, &envelope).await?)
    } else {
        None
    };
    let related = related::load(tx, &action, &envelope.payload).await?;
    let (mut checks, mut scope) = (action.judgement.checks.clone(), tools::Scope::default());
    let (mut shown, mut today) = (PageSnapshot::default(), None);
    match (tools::find(&action.proposal.tool), action.state()) {
        (None, _) => {}
        (Some(tool), State::Rejected | State::Executed) => scope = plan::scope(tx, tool, &envelope).await?,
        (Some(tool), _) => {
            match plan::replan(
                tx,
                tool,
                &action,
                &envelope,
                &approvals.policies,
                EvidenceBytes::StoredResult,
            )
            .await
            {
                Ok(planned) => {
                    shown = planned.snapshot();
                    scope = planned.plan.scope.clone();
                    today = Some(planned);
                }
                // The page shows an action that no longer fits the records as well.
                Err(PlanError::DoesNotFit(_)) => {}
                Err(PlanError::Broken(error)) => return Err(error),
            }
        }
    }
    // A pending action is shown with today's checks, and compared with today's records.
    let today = today.filter(|_| action.state() == State::PendingApproval);
    if let Some(planned) = &today {
        checks.clone_from(&planned.checks);
    }
    if action.state() != State::PendingApproval
        && let Some(decision) = decisions.iter().rfind(|decision| !decision.verdicts.is_empty())
    {
        checks.clone_from(&decision.verdicts);
    }
    let last_seen = match ViewKey::of(tx.ctx(), &action) {
        Some(key) => tx.last_seen(&key).await?,
        None => None,
    };
    let since = Baseline::of(&action, &decisions, last_seen.as_ref());
    // Planning fails if a target has changed; release and team are stored with the action.
    scope.release = scope.release.or_else(|| action.proposal.release_id.clone());
    scope.team = scope.team.or_else(|| action.proposal.team_id.clone());
    let mut wanted: BTreeSet<String> = ids::scan(&action.proposal.envelope)
        .into_iter()
        .map(str::to_owned)
        .collect();
    wanted.extend(
        action
            .origin
            .call_chain
            .iter()
            .flat_map(|call| call.record_ids.iter().cloned()),
    );
    wanted.extend(action.origin.unread_ids.iter().cloned());
    wanted.insert(action.origin.caller_id.to_string());
    wanted.extend(related.questions.iter().map(|one| one.person_id.to_string()));
    wanted.extend(scope.release.iter().map(ToString::to_string));
    wanted.extend(scope.team.iter().map(ToString::to_string));
    wanted.extend(scope.components.iter().map(ToString::to_string));
    let baseline = since.iter().flat_map(|since| since.shown.facts.0.keys());
    wanted.extend(baseline.chain(shown.facts.0.keys()).cloned());
    wanted.extend(today.iter().flat_map(comparisons::named));
    let names = RecordNames::load(tx, &wanted).await?;
    let (timeline, notes) = (tx.audit_of_action(id).await?, tx.notes_of(id).await?);
    let has_new_checks = today.as_ref().is_some_and(|planned| {
        check_changes::differ(&check_changes::last_recorded(&action, &timeline), &planned.checks)
    });
    let comparisons = today.map_or_else(Vec::new, |planned| comparisons::all(&planned, &names));
    if shown.facts.0.is_empty() {
        // Without a plan, the snapshot contains the records of the baseline, of which one may explain the failure.
        let ids = since.iter().flat_map(|since| since.shown.facts.0.keys());
        shown.facts = Snapshot::of(names.facts(), ids.map(String::as_str));
        shown.checks.clone_from(&checks);
    }
    let tenant = tx.tenant_name().await?.unwrap_or_default();
    let client = tx
        .clients(&[action.origin.client_id.as_str()])
        .await?
        .pop()
        .map(|client| client.name)
        .unwrap_or_default();
    let paused = pauses::pause_of_action(tx, &action).await?;
    Ok(Loaded {
        action,
        envelope,
        checks,
        names,
        timeline,
        notes,
        scope,
        tenant,
        client: client.to_string(),
        shown,
        last_seen,
        since,
        comparisons,
        has_new_checks,
        sign_in: step_up::sign_in(tx).await?,
        paused,
        approvals,
        approvals_view,
        related,
    })
}
