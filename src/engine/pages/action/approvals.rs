//! How an action stands with its deciders, and which other actions it has to do with.

use crate::domain::*;
use crate::engine::Error;
use crate::engine::actions::approvals::Approvals;
use crate::engine::pages::record_names::RecordNames;
use crate::store::{ActionRow, OtherAction, QuestionRow, ReadTx};
use crate::views::{ApprovalsView, MissingView, QuestionView, Related, Revision, When};
use serde_json::Value;

/// From here on a proposal is like one that was declined, in percent.
const LIKE: usize = 60;
/// The most people that are named as those who could.
const COULD: usize = 8;

/// What is known beside the action itself.
pub(crate) struct Beside {
    /// The others, with how each has to do with this one.
    pub related: Vec<(&'static str, OtherAction)>,
    /// Earlier payloads that this one is compared with.
    pub earlier: Vec<Earlier>,
    /// Questions, and who asked.
    pub questions: Vec<QuestionRow>,
}

/// An earlier proposal that this one is held against.
pub(crate) struct Earlier {
    title: &'static str,
    action: OtherAction,
    payload: Value,
    said: Option<String>,
}

/// Loads the others.
pub(crate) async fn beside(tx: &mut ReadTx, action: &ActionRow, payload: &Value) -> Result<Beside, Error> {
    let (mut related, mut earlier) = (Vec::new(), Vec::new());
    let links = [
        ("It takes the place of", action.supersedes.clone()),
        ("In its place now", action.superseded_by.clone()),
        ("It only repeats", action.repeats.as_ref().map(ToString::to_string)),
    ];
    for (how, id) in links {
        let Some(id) = id.and_then(|id| ActionId::parse(&id).ok()) else {
            continue;
        };
        let Some(other) = tx.action(&id).await? else { continue };
        if action.supersedes.as_deref() == Some(id.as_str()) {
            earlier.push(Earlier {
                title: "What this revision changes",
                payload: serde_json::from_str(&other.payload).unwrap_or_default(),
                said: other.outcome.clone(),
                action: OtherAction::of(&other),
            });
        }
        related.push((how, OtherAction::of(&other)));
    }
    if !action.state.is_final() {
        let sharing = tx.sharing_targets(&action.id).await?;
        related.extend(sharing.into_iter().map(|other| ("About the same records", other)));
    }
    if action.state == State::PendingApproval && action.supersedes.is_none() {
        earlier.extend(declined(tx, action, payload).await?);
    }
    Ok(Beside {
        related,
        earlier,
        questions: tx.questions(&action.id).await?,
    })
}

/// The likest of the caller's last proposals that a person declined.
async fn declined(tx: &mut ReadTx, action: &ActionRow, payload: &Value) -> Result<Option<Earlier>, Error> {
    let mut likest: Option<(usize, Earlier)> = None;
    for (other, text) in tx.declined_of(action).await? {
        let earlier: Value = serde_json::from_str(&text).unwrap_or_default();
        let percent = diff::title_similarity(&earlier, payload);
        if percent >= LIKE && likest.as_ref().is_none_or(|(best, _)| percent > *best) {
            let said = other.outcome.clone();
            let near = Earlier {
                title: "Much like one that was declined",
                action: other,
                payload: earlier,
                said,
            };
            likest = Some((percent, near));
        }
    }
    Ok(likest.map(|(_, earlier)| earlier))
}

impl Beside {
    /// What the page shows of the others.
    pub(crate) fn related(&self, action: &ActionRow) -> Vec<Related> {
        let mut shown: Vec<Related> = self
            .related
            .iter()
            .map(|(how, other)| Related {
                how: (*how).into(),
                action: other.named(),
                state: other.state,
            })
            .collect();
        if action.touched_at.is_some() && !action.state.is_final() {
            // What changed stands in the checks, which are of today.
            shown.sort_by_key(|one| one.state != State::Executed);
        }
        shown
    }

    /// How this payload differs from earlier ones.
    pub(crate) fn revisions(&self, payload: &Value) -> Vec<Revision> {
        self.earlier
            .iter()
            .map(|earlier| Revision {
                title: earlier.title.into(),
                action: earlier.action.named(),
                said: earlier.said.as_deref().map(PlainText::from),
                rows: diff::diff(&earlier.payload, payload)
                    .into_iter()
                    .map(|(place, before, after)| (place.into(), before.into(), after.into()))
                    .collect(),
            })
            .collect()
    }

    /// Questions and answers.
    pub(crate) fn questions(&self, names: &RecordNames, now: Timestamp) -> Vec<QuestionView> {
        self.questions
            .iter()
            .map(|one| QuestionView {
                id: one.id.to_string(),
                by: names.named(one.person_id.as_str()).name,
                at: When::new(one.asked_at, now),
                question: PlainText::from(&one.question),
                answer: one.answer.as_deref().map(|answer| {
                    let at = one.answered_at.unwrap_or(one.asked_at);
                    (PlainText::from(answer), When::new(at, now))
                }),
            })
            .collect()
    }
}

/// Who has decided, what is missing, and who could give it.
pub(crate) async fn approvals_view(
    tx: &mut ReadTx,
    approvals: &Approvals,
    action: &ActionRow,
    envelope: &Envelope,
) -> Result<ApprovalsView, Error> {
    let (case, now) = (approvals.case(action, envelope), tx.ctx().now());
    let deciders = tx.all_deciders().await?;
    let policies = &approvals.policies;
    let missing = approvals.missing(&case).into_iter().map(|one| {
        let of_group = |policy: &crate::policy::Policy, member| {
            let mut groups = policy.decide_rule(&case.risk_input).1.groups.iter();
            groups.any(|group| group.name == one.group && group.has(member))
        };
        let mut who_could: Vec<PlainText> = deciders
            .iter()
            .filter(|member| policies.each().any(|policy| of_group(policy, member)))
            .filter(|member| policies.would_help(&approvals.approvers, member, &case))
            .map(|member| PlainText::from(&member.person.name))
            .collect();
        let more = who_could.len().saturating_sub(COULD);
        who_could.truncate(COULD);
        if more > 0 {
            who_could.push(format!("{more} more").into());
        }
        MissingView {
            group: PlainText::from(&one.group),
            approvals: one.approvals,
            who_could,
        }
    });
    let missing = missing.collect();
    let (today, then) = (policies.today.version, policies.then.version);
    Ok(ApprovalsView {
        rule: PlainText::from(&policies.today.decide_rule(&case.risk_input).1.name),
        versions: (today, (then != today).then_some(then)),
        given: approvals
            .given
            .iter()
            .filter_map(|approval| {
                let member = approvals
                    .approvers
                    .iter()
                    .find(|one| one.person.id == approval.person_id)?;
                Some((
                    PlainText::from(&member.person.name),
                    When::new(approval.decided_at, now),
                ))
            })
            .collect(),
        missing,
    })
}

/// What an action of high risk waives, closes or opens, a line for each record, and what it creates.
pub(crate) fn stakes(change_set: &ChangeSet, names: &RecordNames) -> Vec<PlainText> {
    let mut lines = Vec::new();
    for update in change_set.updates() {
        let named = names.named(&update.id);
        let record = match named.key {
            Some(key) => format!("{} {key}: {}", update.kind.word(), named.name),
            None => format!("{} {}", update.kind.word(), named.name),
        };
        let status = update.fields.iter().find(|one| one.field == "status");
        lines.push(
            match status.map(|one| (one.before.as_str(), one.after.as_str())) {
                Some((before, Some(after))) => format!(
                    "{} {record} ({} → {})",
                    verb(after),
                    before.unwrap_or("nothing").replace('_', " "),
                    after.replace('_', " ")
                ),
                _ => format!("Changes {record}"),
            }
            .into(),
        );
    }
    let created = preview::summary(change_set, "");
    lines.push(created.into());
    lines
}

fn verb(status: &str) -> &'static str {
    match status {
        "accepted" => "Waives",
        "open" | "in_progress" => "Opens",
        "requested" => "Asks for",
        "resolved" | "fixed" | "false_positive" | "suppressed" | "done" | "cancelled" | "granted" => "Closes",
        _ => "Changes",
    }
}
