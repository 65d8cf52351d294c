//! Related actions of an action, and the questions about it.

use crate::domain::*;
use crate::engine::Error;
use crate::engine::pages::record_names::RecordNames;
use crate::store::{ActionSummary, ReadTx};
use crate::views::{QuestionView, RecordLabel, Related, Revision, When};
use serde_json::Value;

/// The least similarity, in percent, at which a declined proposal is shown for comparison.
const LIKE: usize = 60;

/// Other actions and questions that belong to an action.
pub(crate) struct RelatedRecords {
    /// Related actions, each with its relation to this one.
    pub related: Vec<(&'static str, ActionSummary)>,
    /// Earlier proposals for comparison.
    pub earlier: Vec<Earlier>,
    /// Questions of reviewers.
    pub questions: Vec<Question>,
}

/// An earlier proposal that the page compares with this one.
pub(crate) struct Earlier {
    title: &'static str,
    action: ActionSummary,
    payload: Value,
    said: Option<String>,
}

/// Loads related actions, earlier proposals and questions.
pub(crate) async fn load(tx: &mut ReadTx, action: &Action, payload: &Value) -> Result<RelatedRecords, Error> {
    let (mut related, mut earlier) = (Vec::new(), Vec::new());
    let links = [
        ("Replaces", action.proposal.supersedes.clone()),
        ("Replaced by", action.lifecycle.superseded_by.clone()),
        ("Repeats", action.lifecycle.repeats.clone()),
    ];
    for (how, id) in links {
        let Some(id) = id else { continue };
        let Some(other) = tx.action(&id).await? else { continue };
        if action.proposal.supersedes.as_ref() == Some(&id) {
            earlier.push(Earlier {
                title: "What this revision changes",
                payload: serde_json::from_str(other.proposal.payload()).unwrap_or_default(),
                said: other.lifecycle.stage.message().map(str::to_owned),
                action: ActionSummary::from(&other),
            });
        }
        related.push((how, ActionSummary::from(&other)));
    }
    if !action.state().is_final() {
        let sharing = tx.sharing_targets(&action.id).await?;
        related.extend(sharing.into_iter().map(|other| ("Same records", other)));
    }
    if action.state() == State::PendingApproval && action.proposal.supersedes.is_none() {
        earlier.extend(declined(tx, action, payload).await?);
    }
    Ok(RelatedRecords {
        related,
        earlier,
        questions: tx.questions(&action.id).await?,
    })
}

/// The most similar of the caller's latest declined proposals.
async fn declined(tx: &mut ReadTx, action: &Action, payload: &Value) -> Result<Option<Earlier>, Error> {
    let mut likest: Option<(usize, Earlier)> = None;
    for (other, text) in tx.declined_of(action).await? {
        let earlier: Value = serde_json::from_str(&text).unwrap_or_default();
        let percent = diff::similarity(&earlier, payload);
        if percent >= LIKE && likest.as_ref().is_none_or(|(best, _)| percent > *best) {
            let said = other.outcome.clone();
            let near = Earlier {
                title: "Similar to a rejected proposal",
                action: other,
                payload: earlier,
                said,
            };
            likest = Some((percent, near));
        }
    }
    Ok(likest.map(|(_, earlier)| earlier))
}

impl RelatedRecords {
    /// Related actions for the page.
    pub(crate) fn related(&self, action: &Action) -> Vec<Related> {
        let mut shown: Vec<Related> = self
            .related
            .iter()
            .map(|(how, other)| Related {
                how: (*how).into(),
                action: label(other),
                state: other.state,
            })
            .collect();
        if action.lifecycle.targets_changed_at.is_some() && !action.state().is_final() {
            // Executed actions first, because their changes may explain today's checks.
            shown.sort_by_key(|one| one.state != State::Executed);
        }
        shown
    }

    /// The differences from earlier proposals.
    pub(crate) fn revisions(&self, payload: &Value) -> Vec<Revision> {
        self.earlier
            .iter()
            .map(|earlier| Revision {
                title: earlier.title.into(),
                action: label(&earlier.action),
                said: earlier.said.as_deref().map(PlainText::from),
                rows: diff::diff(&earlier.payload, payload)
                    .into_iter()
                    .map(|(place, before, after)| (place.into(), before.into(), after.into()))
                    .collect(),
            })
            .collect()
    }

    /// Questions and answers for the page.
    pub(crate) fn questions(&self, names: &RecordNames, now: Timestamp) -> Vec<QuestionView> {
        self.questions
            .iter()
            .map(|one| QuestionView {
                id: one.id.to_string(),
                by: names.named(one.person_id.as_str()).name,
                at: When::new(one.asked_at, now),
                question: PlainText::from(&one.text),
                answer: one
                    .answer
                    .as_ref()
                    .map(|answer| (PlainText::from(&answer.text), When::new(answer.at, now))),
            })
            .collect()
    }
}

/// The label of an action, which is named by its headline.
fn label(action: &ActionSummary) -> RecordLabel {
    RecordLabel {
        kind: RecordKind::Action,
        id: action.id.to_string(),
        key: None,
        name: (&action.headline).into(),
    }
}
