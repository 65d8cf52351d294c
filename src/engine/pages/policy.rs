//! The policy page: shows, checks, compares and activates policies.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::text::prose;
use crate::domain::*;
use crate::engine::admin::operator_requests::{self, Asked};
use crate::engine::pages::policy_impact;
use crate::engine::{Engine, Error, audit_entries, policy_cache};
use crate::policy::{self, Policy, Rules, loosens};
use crate::store::{Entry, PolicyRow, ReadTx, RequestRow, WriteTx};
use crate::views::{DiffLine, PolicyPage, PolicyReport, PolicyVersion, When};
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

/// The longest note with a new version, in characters; a longer one is refused.
const NOTE: usize = 500;

/// The result of switching a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Switched {
    /// The policy is in force as this version.
    InForce(i64),
    /// The text equals that of this version, which is in force.
    Same(i64),
    /// A second operator has to confirm. With the request, and what the policy loosens, in sentences.
    Waits(Asked, Vec<String>),
}

impl Engine {
    /// The page of a version, by default today's, and its difference from another version.
    pub async fn policy_page(
        &self,
        ctx: &Ctx,
        version: Option<i64>,
        compare: Option<i64>,
    ) -> Result<PolicyPage, Error> {
        self.authorize(ctx, Permission::ReadPolicy).await?;
        let (today, source, other, rows, people, waiting) = {
            let tx = &mut self.store.read(ctx).await?;
            let today = tx.policy_version().await?;
            let source = source(tx, version.unwrap_or(today)).await?;
            let other = match compare {
                Some(version) => Some(self::source(tx, version).await?),
                None => None,
            };
            let rows = tx.policy_versions(i64::MAX).await?;
            let ids: Vec<&str> = rows
                .iter()
                .filter_map(|row| Some(row.person_id.as_ref()?.as_str()))
                .collect();
            let people = tx.people(&ids).await?;
            let waiting = waiting(tx).await?;
            (today, source, other, rows, people, waiting)
        };
        let now = ctx.now();
        let name = |id: &Option<PersonId>| match id {
            None => "an operator at the console".into(),
            Some(id) => people
                .iter()
                .find(|person| person.id == *id)
                .map_or_else(PlainText::default, |person| PlainText::from(&person.name)),
        };
        let mut versions: Vec<PolicyVersion> = rows
            .iter()
            .map(|row| PolicyVersion {
                version: row.version,
                by: name(&row.person_id),
                at: Some(When::new(row.created_at, now)),
                note: PlainText::from(&row.note),
            })
            .collect();
        versions.push(PolicyVersion {
            version: Policy::FIRST,
            by: "built-in".into(),
            at: None,
            note: PlainText::default(),
        });
        Ok(PolicyPage {
            today,
            version: version.unwrap_or(today),
            difference: other.map_or_else(Vec::new, |other| difference(&other, &source)),
            source,
            versions,
            may_change: allows(&ctx.principal, Permission::Configure),
            waiting,
        })
    }

    /// Checks a policy that is not in force: its mistakes, its difference from today's policy, and its impact on the
    /// last 30 days.
    pub async fn check_policy(&self, ctx: &Ctx, source: &str) -> Result<PolicyReport, Error> {
        self.authorize(ctx, Permission::Configure).await?;
        let rules = match policy_cache::read(source) {
            Ok(rules) => rules,
            Err(mistakes) => {
                return Ok(PolicyReport {
                    mistakes: mistakes.iter().map(|mistake| mistake.to_string().into()).collect(),
                    ..PolicyReport::default()
                });
            }
        };
        let (now, since) = (ctx.now(), ctx.now().plus(-policy_impact::DAYS * Timestamp::DAY));
        let tx = &mut self.store.read(ctx).await?;
        let today = self.policies.today(tx).await?;
        let was = self::source(tx, today.version).await?;
        let (mistakes, notes) = against_people(tx, &rules).await?;
        let mut report = PolicyReport {
            mistakes: mistakes.into_iter().map(Into::into).collect(),
            notes: notes.into_iter().map(Into::into).collect(),
            loosens: loosens(&today.rules, &rules).iter().map(PlainText::from).collect(),
            difference: difference(&was, source),
            effects: None,
        };
        if report.mistakes.is_empty() {
            let next = Policy {
                version: today.version + 1,
                rules,
            };
            report.effects = Some(policy_impact::on_past_actions(tx, &next, &today, since, now).await?);
        }
        Ok(report)
    }

    /// Switches to another policy. `base` is the version that the policy was derived from; if another version is in
    /// force, nothing is changed. An operator's policy that loosens nothing is in force at once. A policy that loosens
    /// something, or comes from the console, becomes a request.
    pub async fn switch_policy(&self, ctx: &Ctx, source: &str, note: &str, base: i64) -> Result<Switched, Error> {
        self.authorize(ctx, Permission::Configure).await?;
        let rules = policy_cache::read(source).map_err(|mistakes| wrong(mistakes[0].to_string()))?;
        let note = note.trim().to_owned();
        if note.chars().count() > NOTE || !text::forbidden_in(&json!(note)).is_empty() {
            return Err(wrong(format!(
                "the note is longer than {NOTE} characters, or hides some."
            )));
        }
        let (source, policy_cache) = (source.to_owned(), self.policies.clone());
        let switched = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    let operator = operator_requests::operator(tx, &policy_cache).await?;
                    let today = still_in_force(tx, base).await?;
                    no_mistakes(tx, &rules).await?;
                    if self::source(tx, today).await? == source {
                        return Ok(Switched::Same(today));
                    }
                    let loosens = loosens(&policy_cache.version(tx, today).await?.rules, &rules);
                    if let Some(operator) = operator.as_ref().filter(|_| loosens.is_empty()) {
                        let by = Some(&operator.person.id);
                        let version = put_in_force(tx, &source, &note, base, by, Value::Null).await?;
                        return Ok(Switched::InForce(version));
                    }
                    let summary = match loosens.len() {
                        0 => format!("Replace policy version {base}. Loosens nothing."),
                        1 => format!("Replace policy version {base}. Loosens 1 thing."),
                        count => format!("Replace policy version {base}. Loosens {count} things."),
                    };
                    let change = OperatorChange::Policy {
                        source,
                        note,
                        base,
                        loosens: loosens.clone(),
                    };
                    let asked = operator_requests::ask(tx, operator.as_ref(), change, summary).await?;
                    Ok(Switched::Waits(asked, loosens))
                })
            })
            .await;
        if let Err(error @ Error::NotAuthorized { .. }) = &switched {
            self.deny(ctx, Permission::Configure, None, error).await?;
        }
        switched
    }
}

/// Pending requests for another policy, newest first.
async fn waiting(tx: &mut ReadTx) -> Result<Vec<String>, Error> {
    let now = tx.ctx().now();
    let waits = |row: &RequestRow| {
        matches!(row.change, OperatorChange::Policy { .. }) && row.status_at(now) == RequestStatus::Pending
    };
    let open = tx.open_requests(100).await?;
    Ok(open.into_iter().filter(waits).map(|row| row.id.to_string()).collect())
}

/// Today's version, if it is the one that the policy was derived from.
async fn still_in_force(tx: &mut ReadTx, base: i64) -> Result<i64, Error> {
    let today = tx.policy_version().await?;
    if today == base {
        return Ok(today);
    }
    Err(Error::Refused {
        code: ReasonCode::AlreadyDecided,
        message: format!(
            "Nothing was changed: version {today} was activated after you started from version {base}. Compare your text \
             with it, then try again."
        ),
    })
}

async fn no_mistakes(tx: &mut ReadTx, rules: &Rules) -> Result<(), Error> {
    let (mistakes, _) = against_people(tx, rules).await?;
    mistakes.first().map_or(Ok(()), |mistake| Err(wrong(mistake.as_str())))
}

/// Puts a policy in force after `base`, if `base` is still in force and the policy still matches the tenant's teams.
/// `proof` is the request that caused it. Returns the new version.
pub(crate) async fn put_in_force(
    tx: &mut WriteTx,
    source: &str,
    note: &str,
    base: i64,
    by: Option<&PersonId>,
    proof: Value,
) -> Result<i64, Error> {
    let rules = policy_cache::read(source).map_err(|mistakes| wrong(mistakes[0].to_string()))?;
    let today = still_in_force(tx, base).await?;
    no_mistakes(tx, &rules).await?;
    let row = PolicyRow {
        version: today + 1,
        source: source.to_owned(),
        note: note.to_owned(),
        person_id: by.cloned(),
        created_at: tx.ctx().now(),
    };
    tx.insert_policy(&row).await?;
    let mut content = audit_entries::content(tx.ctx());
    content.note = (!row.note.is_empty()).then(|| row.note.clone());
    content.policy_version = Some(row.version);
    content.details = json!({
        "policyVersion": row.version, "before": today,
        "sha256": canonical::sha256_hex(row.source.as_bytes()), "source": row.source, "request": proof,
    });
    tx.record(Entry {
        event: Event::PolicySwitched,
        action_id: None,
        content,
    });
    Ok(row.version)
}

fn wrong(message: impl Into<String>) -> Error {
    Error::Setting {
        message: message.into(),
    }
}

pub(crate) async fn source(tx: &mut ReadTx, version: i64) -> Result<String, Error> {
    let missing = || wrong(format!("there is no version {version} of the policy."));
    tx.policy_source(version).await?.ok_or_else(missing)
}

/// Compares a policy with the tenant's teams and people. An unknown team is a mistake. Too few matching people is only
/// a note, because people are known from their first sign-in.
async fn against_people(tx: &mut ReadTx, rules: &Rules) -> Result<(Vec<String>, Vec<String>), Error> {
    let teams = tx.team_keys().await?;
    let deciders = tx.all_deciders().await?;
    let (mut mistakes, mut notes) = (Vec::new(), Vec::new());
    for rule in &rules.decide {
        for group in &rule.groups {
            for team in group.teams.iter().filter(|team| !teams.contains(team)) {
                mistakes.push(format!(
                    "rule \"{}\", group \"{}\": unknown team {}; teams: {}",
                    rule.name,
                    group.name,
                    prose::quoted(team),
                    teams.join(", ")
                ));
            }
            let fitting = deciders.iter().filter(|member| group.has(member)).count();
            if fitting < group.approvals {
                notes.push(format!(
                    "Rule \"{}\": the group \"{}\" needs {}, and {fitting} of the people who have signed in so far belong to it.",
                    rule.name, group.name, group.approvals
                ));
            }
        }
        // One person fills one slot, so that enough people for each group may be too few for all groups.
        let missing = rule.missing(&deciders);
        if !missing.is_empty()
            && rule
                .groups
                .iter()
                .all(|group| deciders.iter().filter(|m| group.has(m)).count() >= group.approvals)
        {
            notes.push(format!(
                "Rule \"{}\": the people who have signed in so far can't fill all its groups at the same time.",
                rule.name
            ));
        }
    }
    Ok((mistakes, notes))
}

pub(crate) fn difference(old: &str, new: &str) -> Vec<DiffLine> {
    let diff = TextDiff::configure()
        .timeout(std::time::Duration::from_millis(200))
        .diff_lines(old, new);
    let mut lines = Vec::new();
    for (n, group) in diff.grouped_ops(2).iter().enumerate() {
        if n > 0 {
            lines.push(DiffLine {
                mark: '…',
                text: PlainText::default(),
            });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            lines.push(DiffLine {
                mark: match change.tag() {
                    ChangeTag::Equal => ' ',
                    ChangeTag::Delete => '-',
                    ChangeTag::Insert => '+',
                },
                text: PlainText::from(change.value().trim_end_matches('\n')),
            });
        }
    }
    lines
}

/// The mistakes of a policy's text, without a tenant.
pub fn mistakes(source: &str) -> Vec<policy::Mistake> {
    policy_cache::read(source).err().unwrap_or_default()
}
