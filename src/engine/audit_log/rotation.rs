//! Replacing the key that signs the log: a request of one operator, which another one confirms.

use super::keys;
use crate::audit::{Content, Event};
use crate::context::Ctx;
use crate::domain::{OperatorChange, Permission};
use crate::engine::admin::operator_requests::{ask, operator};
use crate::engine::{Asked, Engine, Error, audit_entries};
use crate::store::{Entry, RequestRow, WriteTx};
use serde_json::json;

impl Engine {
    /// Asks for a new key. Another operator confirms the request.
    pub async fn request_key_rotation(&self, ctx: &Ctx, reason: &str) -> Result<Asked, Error> {
        self.authorize(ctx, Permission::Configure).await?;
        let reason = reason.trim().to_owned();
        if reason.is_empty() || reason.chars().count() > 1_000 {
            return Err(Error::Setting {
                message: "say why the key has to be replaced, in 1 to 1,000 characters".to_owned(),
            });
        }
        let policies = self.policies.clone();
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    let maker = operator(tx, &policies).await?;
                    let summary = format!("Replace the key that signs the audit log: {reason}");
                    ask(tx, maker.as_ref(), OperatorChange::RotateLogKey { reason }, summary).await
                })
            })
            .await
    }
}

/// Replaces the key. The entry about it is the first one with a seal of the new key. If the transaction fails, the new key is in use without
/// such an entry; entries of both keys are valid.
pub(crate) fn rotate(tx: &mut WriteTx, row: &RequestRow, reason: &str) -> Result<String, Error> {
    let keys = keys(tx)?;
    let old = keys.signing().public().to_string();
    let seed = tx.ctx().runtime.random::<32>();
    keys.rotate(&seed).map_err(|message| Error::Setting { message })?;
    let new = keys.signing().public().to_string();
    let content = Content {
        records: vec![row.id.to_string()],
        note: Some(reason.to_owned()),
        details: json!({ "requestId": row.id, "oldKey": old, "newKey": new }),
        ..audit_entries::content(tx.ctx())
    };
    tx.record(Entry {
        event: Event::KeyRotated,
        action_id: None,
        content,
    });
    Ok(format!(
        "The audit log is signed with the key {new} from now on. Give it to the people who verify exports."
    ))
}
