//! Writes actions and audit entries through the store like the service, with many in each transaction.

use anyhow::{Context, Result};
use loopiq::audit::Event;
use loopiq::context::{Ctx, Runtime};
use loopiq::domain::{ActionId, Execution, ReasonCode, Refusal, Stage, TenantId, Timestamp};
use loopiq::engine::Error;
use loopiq::log_keys::LogKeys;
use loopiq::store::{Entry, PolicyRow, Store};
use std::path::Path;

/// The limits of pending actions: more than any measurement proposes.
const LIMIT: usize = 1_000_000;
/// Actions in one transaction.
const BATCH: usize = 500;

/// The machine's clock and random bytes.
pub(crate) fn runtime() -> Runtime {
    Runtime::new(
        || {
            #[expect(clippy::disallowed_methods, reason = "rows of today")]
            let now = time::OffsetDateTime::now_utc();
            Timestamp(i64::try_from(now.unix_timestamp_nanos() / 1_000).unwrap_or_default())
        },
        |bytes| getrandom::fill(bytes).unwrap_or_default(),
    )
    .with_log_keys(LogKeys::not_secret())
}

/// Gives the service the key of [`runtime`], before its first start, because both write entries of one log.
pub(crate) fn share_key(data_dir: &Path) -> Result<()> {
    let file = data_dir.join("audit-key");
    std::fs::write(&file, LogKeys::not_secret().to_secret())?;
    let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    Ok(std::fs::set_permissions(&file, owner_only)?)
}

/// Raises the limits of pending actions by a policy, before the first proposal, so that one version judges all of them.
pub(crate) async fn raise_limits(store: &Store) -> Result<()> {
    let ctx = Ctx::system(TenantId::parse("acme")?, &runtime());
    store
        .write::<_, Error, _>(&ctx, |tx| {
            Box::pin(async move {
                let policy = PolicyRow {
                    version: tx.policy_version().await? + 1,
                    source: format!("[limits]\npending_per_caller = {LIMIT}\npending_per_client = {LIMIT}\n"),
                    note: "For benchmarks.".to_owned(),
                    person_id: None,
                    created_at: tx.ctx().now(),
                };
                Ok(tx.insert_policy(&policy).await?)
            })
        })
        .await
        .context("the limits")
}

/// Fills the tenant acme with `count` copies of one of its actions and of that action's first entry, with other IDs,
/// keys, times and words.
pub(crate) async fn fill(store: &Store, action: &str, count: usize) -> Result<()> {
    let ctx = Ctx::system(TenantId::parse("acme")?, &runtime());
    let id = ActionId::parse(action)?;
    let (template, entry) = store
        .read_long::<_, Error, _>(&ctx, move |tx| {
            Box::pin(async move { Ok((tx.action(&id).await?, tx.audit_of_action(&id).await?.into_iter().next())) })
        })
        .await?;
    let (template, entry) = (template.context("the action")?, entry.context("its entry")?);
    for first in (0..count).step_by(BATCH) {
        let (template, content) = (template.clone(), entry.content.clone());
        store
            .write::<_, Error, _>(&ctx, move |tx| {
                Box::pin(async move {
                    for n in first..(first + BATCH).min(count) {
                        let runtime = tx.ctx().runtime.clone();
                        let mut copy = template.clone();
                        (copy.id, copy.approval_id) = (runtime.id(), runtime.id());
                        copy.proposal.idempotency_key = format!("fill-{n}");
                        copy.origin.created_at = template.origin.created_at.plus(-(n as i64) * Timestamp::MINUTE);
                        copy.judgement.expires_at = tx.ctx().now().plus(3 * Timestamp::DAY);
                        tx.insert_action(&copy, &[], &copy.proposal.headline.to_lowercase())
                            .await?;
                        // Of a hundred actions one is pending; the others are closed, a third in each final state.
                        if n % 100 != 0 {
                            tx.close(&copy, &closed(n, copy.origin.created_at)).await?;
                        }
                        let mut content = content.clone();
                        content.details = serde_json::Value::Null;
                        content.trace_id = loopiq::domain::canonical::hex(&runtime.random::<16>());
                        content.idempotency_key = Some(copy.proposal.idempotency_key.clone());
                        content.headline = Some(format!("Remove finding {} in module {}", n, n % 97));
                        tx.record(Entry {
                            event: Event::Proposed,
                            action_id: Some(copy.id),
                            content,
                        });
                    }
                    Ok(())
                })
            })
            .await?;
    }
    Ok(())
}

fn closed(n: usize, at: Timestamp) -> Stage {
    let refusal = |code: ReasonCode| Refusal {
        at,
        codes: vec![code],
        message: "For the measurement.".to_owned(),
    };
    match n % 3 {
        0 => Stage::Executed(Execution {
            at,
            result: serde_json::json!({ "createdIds": [] }),
        }),
        1 => Stage::Rejected(refusal(ReasonCode::Declined)),
        _ => Stage::Failed(refusal(ReasonCode::StaleTarget)),
    }
}
