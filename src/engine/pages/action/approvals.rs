//! Who has approved a pending action, what is missing, and what an action of high risk would do.

use crate::domain::*;
use crate::engine::Error;
use crate::engine::actions::approvals::Approvals;
use crate::engine::pages::record_names::RecordNames;
use crate::policy::Decider;
use crate::store::ReadTx;
use crate::views::{ApprovalsView, Label, MissingView, When, summary};

/// People named as those who could give a missing approval; further ones are counted.
const MAX_NAMED: usize = 8;

/// The approvals given, those that are missing, and who could give them.
pub(crate) async fn approvals_view(
    tx: &mut ReadTx,
    approvals: &Approvals,
    action: &Action,
    envelope: &Envelope,
) -> Result<ApprovalsView, Error> {
    let (input, now) = (approvals.policy_input(action, envelope), tx.ctx().now());
    let deciders = tx.all_deciders().await?;
    let policies = &approvals.policies;
    let missing = approvals.missing(&input).into_iter().map(|one| {
        let of_group = |policy: &crate::policy::Policy, member| {
            let mut groups = policy.decide_rule(&input.risk_input).1.groups.iter();
            groups.any(|group| group.name == one.group && group.has(member))
        };
        let is_me = |member: &&Decider| approvals.me.as_ref().is_some_and(|me| me.human == member.human);
        let (mine, others): (Vec<&Decider>, Vec<&Decider>) = deciders
            .iter()
            .filter(|member| policies.each().any(|policy| of_group(policy, member)))
            .filter(|member| policies.would_help(&approvals.approvers, member, &input))
            .partition(is_me);
        let names = others.iter().map(|member| PlainText::from(&member.person.name));
        let mut who_could: Vec<PlainText> = names.collect();
        let more = who_could.len().saturating_sub(MAX_NAMED);
        who_could.truncate(MAX_NAMED);
        if more > 0 {
            who_could.push(format!("{more} more").into());
        }
        if !mine.is_empty() {
            who_could.push("you".into());
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
        rule: PlainText::from(&policies.today.decide_rule(&input.risk_input).1.name),
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

/// What a high-risk action waives, closes or opens, one line for each record, and what it creates.
pub(crate) fn stakes(change_set: &ChangeSet, names: &RecordNames) -> Vec<PlainText> {
    let mut lines = Vec::new();
    for update in change_set.updates() {
        let named = names.named(&update.id);
        let record = match named.key {
            Some(key) => format!("{} {key}: {}", update.kind.label(), named.name),
            None => format!("{} {}", update.kind.label(), named.name),
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
    let created = summary(change_set, "");
    lines.push(created.into());
    lines
}

fn verb(status: &str) -> &'static str {
    match status {
        "accepted" => "Accepts the risk of",
        "open" | "in_progress" => "Opens",
        "requested" => "Requests",
        "resolved" | "fixed" | "false_positive" | "suppressed" | "done" | "cancelled" | "granted" => "Closes",
        _ => "Changes",
    }
}
