//! What people decide about releases: their status, and granting or refusing a certification. Agents can only request a certification.

use crate::audit::{Event, Place};
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::decision::why_not_identified;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error, audit_entries};
use crate::store::{Entry, ListFilter, ReadTx, WriteTx};
use crate::views::{Label, Outcome};
use serde_json::json;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;
/// The most blockers that a message names.
const MOST_BLOCKERS: usize = 5;

impl Engine {
    /// Sets the status of the release with this key or ID. It is certified, and released, only if all its certifications are granted; a release without
    /// certifications can be released, but not certified.
    pub async fn set_release_status(&self, ctx: &Ctx, key: &str, status: ReleaseStatus) -> Result<Outcome, Error> {
        self.authorize(ctx, Permission::Certify).await?;
        let (key, policies) = (key.to_owned(), self.policies.clone());
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    may_certify(tx, &policies).await?;
                    let release = release(tx, &key).await?;
                    if release.status == status {
                        return Ok(Outcome::new(
                            true,
                            format!("{} is {} already.", release.key, status.label().to_lowercase()),
                        ));
                    }
                    if matches!(status, ReleaseStatus::Certified | ReleaseStatus::Released) {
                        all_granted(tx, &release, status).await?;
                    }
                    change_status(tx, &release, status, None).await?;
                    Ok(Outcome::new(
                        true,
                        format!("{} is {} now.", release.key, status.label().to_lowercase()),
                    ))
                })
            })
            .await
    }

    /// Grants the certification with this key or ID, for a reason. Open blockers of its release prevent it.
    pub async fn grant_certification(&self, ctx: &Ctx, key: &str, reason: &str) -> Result<Outcome, Error> {
        self.decide_certification(ctx, key, CertificationStatus::Granted, reason)
            .await
    }

    /// Refuses the certification with this key or ID, for a reason. A certified release goes back to work.
    pub async fn refuse_certification(&self, ctx: &Ctx, key: &str, reason: &str) -> Result<Outcome, Error> {
        self.decide_certification(ctx, key, CertificationStatus::Refused, reason)
            .await
    }

    async fn decide_certification(
        &self,
        ctx: &Ctx,
        key: &str,
        status: CertificationStatus,
        reason: &str,
    ) -> Result<Outcome, Error> {
        self.authorize(ctx, Permission::Certify).await?;
        let (key, reason, policies) = (key.to_owned(), checked(reason)?, self.policies.clone());
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    may_certify(tx, &policies).await?;
                    let Some(certification) = tx.certification_named(&key).await? else {
                        return Err(missing(RecordKind::Certification, &key));
                    };
                    let word = status.label().to_lowercase();
                    if certification.status == status {
                        return Ok(Outcome::new(true, format!("{} is {word} already.", certification.key)));
                    }
                    let release = release(tx, certification.release_id.as_str()).await?;
                    if status == CertificationStatus::Granted {
                        no_blockers(tx, &release, &certification).await?;
                    }
                    decide(tx, &release, &certification, status, reason).await?;
                    let mut message = format!("{} is {word} now.", certification.key);
                    if status == CertificationStatus::Refused && release.status == ReleaseStatus::Released {
                        message.push_str(&format!(" {} stays released.", release.key));
                    }
                    Ok(Outcome::new(true, message))
                })
            })
            .await
    }
}

fn missing(kind: RecordKind, key: &str) -> Error {
    Error::NotFound {
        kind,
        id: text::visible(key),
    }
}

fn setting(message: String) -> Error {
    Error::Setting { message }
}

/// The reason for a decision.
fn checked(reason: &str) -> Result<String, Error> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        return Err(setting(format!(
            "a reason has 1 to {LONGEST_REASON} characters. Write why."
        )));
    }
    match text::forbidden_in(&json!(reason)).into_iter().next() {
        Some(error) => Err(setting(format!("the reason {}.", error.message))),
        None => Ok(reason.to_owned()),
    }
}

/// Checks the person at the time of the change, because a session can be older: identified, with roles that were asserted lately and that the
/// policy does not exclude from deciding together.
async fn may_certify(tx: &mut WriteTx, policies: &PolicyCache) -> Result<(), Error> {
    let (person, now) = (tx.ctx().principal.person().cloned(), tx.ctx().now());
    match why_not_certify(tx, policies, person.as_ref(), now).await? {
        Some(why) => Err(Error::NotAuthorized { why }),
        None => Ok(()),
    }
}

/// Why this person cannot decide about releases and certifications now. The console, which is no person, can.
pub(crate) async fn why_not_certify(
    tx: &mut ReadTx,
    policies: &PolicyCache,
    person: Option<&Person>,
    now: Timestamp,
) -> Result<Option<String>, Error> {
    let Some(person) = person else { return Ok(None) };
    if let Some(why) = why_not_identified(tx, policies, &person.id, now).await? {
        return Ok(Some(why));
    }
    let me = tx.deciders_by_id(&[person.id.as_str()]).await?.pop();
    match me.filter(|me| me.person.has_any(&[Role::Lead])) {
        Some(me) => Ok(policies.today(tx).await?.excludes(&me)),
        None => Ok(Some(
            "You need the role lead to decide about releases and certifications.".to_owned(),
        )),
    }
}

/// The release with this key or ID, unless it is retired.
async fn release(tx: &mut ReadTx, key: &str) -> Result<Release, Error> {
    let filter = ListFilter {
        release: Some(key.to_owned()),
        limit: 1,
        ..ListFilter::default()
    };
    let found = match key.is_empty() {
        true => None,
        false => tx.list_releases(&filter).await?.pop(),
    };
    let found = found.ok_or_else(|| missing(RecordKind::Release, key))?;
    match tx.is_release_retired(&found.id).await? {
        true => Err(setting(format!(
            "{} is retired. Declare it in the catalog again first.",
            found.key
        ))),
        false => Ok(found),
    }
}

async fn all_granted(tx: &mut ReadTx, release: &Release, status: ReleaseStatus) -> Result<(), Error> {
    let certifications = tx.certifications_of(&[release.id.as_str()]).await?;
    let open: Vec<&str> = certifications
        .iter()
        .filter(|one| one.status != CertificationStatus::Granted)
        .map(|one| one.key.as_str())
        .collect();
    match (certifications.is_empty(), open.as_slice()) {
        (true, _) if status == ReleaseStatus::Released => Ok(()),
        (true, _) => Err(setting(format!(
            "{} has no certification that could have been granted.",
            release.key
        ))),
        (false, []) => Ok(()),
        (false, open) => Err(setting(format!(
            "{} is {} when these are granted: {}.",
            release.key,
            status.label().to_lowercase(),
            open.join(", ")
        ))),
    }
}

async fn no_blockers(tx: &mut ReadTx, release: &Release, certification: &Certification) -> Result<(), Error> {
    let filter = ListFilter {
        release: Some(release.id.to_string()),
        status: Some(BlockerStatus::Open.as_str().to_owned()),
        limit: MOST_BLOCKERS as i64 + 1,
        ..ListFilter::default()
    };
    let open = tx.list_blockers(&filter).await?;
    if open.is_empty() {
        return Ok(());
    }
    let more = if open.len() > MOST_BLOCKERS { " and more" } else { "" };
    let keys: Vec<&str> = open
        .iter()
        .take(MOST_BLOCKERS)
        .map(|blocker| blocker.key.as_str())
        .collect();
    Err(setting(format!(
        "open blockers of {} prevent {}: {}{more}. They close when people approve an action that resolves their findings (loopiq_update_finding_status) or accepts the risk \
         (loopiq_accept_risk), which agents propose. Or refuse the certification.",
        release.key,
        certification.key,
        keys.join(", ")
    )))
}

fn place(release: &Release) -> Option<Place> {
    Some(Place {
        id: release.id.to_string(),
        key: release.key.clone(),
    })
}

/// Changes the status of a release, with its entry. `because`: the certification whose refusal causes it.
async fn change_status(
    tx: &mut WriteTx,
    release: &Release,
    status: ReleaseStatus,
    because: Option<&Certification>,
) -> Result<(), Error> {
    tx.set_release_status(&release.id, release.version, status).await?;
    let reason = because.map(|certification| format!("{} was refused.", certification.key));
    tx.keep_status_decision(RecordKind::Release, release.id.as_str(), reason.as_deref())
        .await?;
    tx.mark_targets_changed(None, &[release.id.to_string()]).await?;
    let mut content = audit_entries::content(tx.ctx());
    content.release = place(release);
    content.records = vec![release.id.to_string()];
    content.record_keys = vec![release.key.clone()];
    content.details = json!({ "before": release.status, "after": status });
    if let Some(certification) = because {
        content.records.push(certification.id.to_string());
        content.record_keys.push(certification.key.clone());
        content.details["because"] = json!({ "certificationRefused": certification.key });
    }
    tx.record(Entry {
        event: Event::ReleaseStatusSet,
        action_id: None,
        content,
    });
    Ok(())
}

async fn decide(
    tx: &mut WriteTx,
    release: &Release,
    certification: &Certification,
    status: CertificationStatus,
    reason: String,
) -> Result<(), Error> {
    let id = certification.id.to_string();
    let update = Update {
        kind: RecordKind::Certification,
        id: id.clone(),
        expected_version: certification.version,
        fields: vec![FieldChange {
            field: "status".into(),
            before: json!(certification.status),
            after: json!(status),
        }],
    };
    tx.apply(&ChangeSet(vec![Change::Update(update)])).await?;
    tx.keep_status_decision(RecordKind::Certification, &id, Some(&reason))
        .await?;
    tx.mark_targets_changed(None, std::slice::from_ref(&id)).await?;
    let mut content = audit_entries::content(tx.ctx());
    content.release = place(release);
    content.records = vec![id, release.id.to_string()];
    content.record_keys = vec![certification.key.clone(), release.key.clone()];
    content.note = Some(reason);
    content.details = match &certification.statement {
        None => json!({ "before": certification.status, "after": status }),
        Some(statement) => json!({ "before": certification.status, "after": status, "statement": statement }),
    };
    tx.record(Entry {
        event: match status {
            CertificationStatus::Granted => Event::CertificationGranted,
            _ => Event::CertificationRefused,
        },
        action_id: None,
        content,
    });
    if status == CertificationStatus::Refused && release.status == ReleaseStatus::Certified {
        change_status(tx, release, ReleaseStatus::InProgress, Some(certification)).await?;
    }
    Ok(())
}
