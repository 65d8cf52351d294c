//! The journal of what agents read. Calls are queued in memory and written in batches, at the latest before the next
//! proposal.

use crate::context::Ctx;
use crate::domain::{Principal, TenantId, canonical, ids};
use crate::engine::{Engine, Error};
use crate::store::ReadCall;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The IDs of all records in a response: the requested records first, then the records they refer to.
fn returned(answer: &Value) -> Vec<String> {
    let items = answer.get("items").and_then(Value::as_array).into_iter().flatten();
    let asked = items
        .chain([answer])
        .filter_map(|item| item.get("id").and_then(Value::as_str));
    let text = answer.to_string();
    let mut seen = BTreeSet::new();
    asked
        .chain(ids::scan(&text))
        .filter(|id| seen.insert(*id))
        .map(str::to_owned)
        .collect()
}

impl Engine {
    /// Queues a call for the journal. If other nodes share the database, the next proposal may reach another node, so
    /// the call is written before the response is sent, together with calls that are answered at the same time.
    pub(in crate::engine) async fn note_read(
        &self,
        ctx: &Ctx,
        tool: &str,
        arguments: &Value,
        answer: &Value,
    ) -> Result<(), Error> {
        let Principal::Client {
            tenant, caller, client, ..
        } = &ctx.principal
        else {
            return Ok(());
        };
        let arguments = canonical::to_string(arguments).map_err(Error::internal)?;
        let call = ReadCall {
            client_id: client.id.to_string(),
            caller_id: caller.id.to_string(),
            trace_id: ctx.trace_id.clone(),
            request_id: ctx.request_id.clone(),
            tool: tool.to_owned(),
            arguments_digest: canonical::digest(arguments.as_bytes()),
            record_ids: returned(answer),
            at: ctx.now(),
        };
        self.queue().push((tenant.clone(), call));
        if self.store.is_shared() {
            self.flush_reads().await?;
        }
        Ok(())
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Vec<(TenantId, ReadCall)>> {
        // A panic while the lock was held cannot leave a partial list: the lock only guards a push or a take.
        self.journal.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Writes the queue to the journal. Only one task writes at a time; a task that waits for its turn returns after
    /// all earlier calls are written, so that a proposal sees every earlier read. Calls that could not be written
    /// return to the queue. The write runs in a task of its own, so that a cancelled request loses nothing.
    pub async fn flush_reads(&self) -> Result<(), Error> {
        let turn = self.flushing.clone().lock_owned().await;
        let calls = std::mem::take(&mut *self.queue());
        if calls.is_empty() {
            return Ok(());
        }
        let engine = self.clone();
        let written = tokio::spawn(async move {
            let _one_at_a_time = turn;
            engine.keep_reads(calls).await
        });
        written.await.unwrap_or_else(|broken| Err(Error::internal(broken)))
    }

    async fn keep_reads(&self, calls: Vec<(TenantId, ReadCall)>) -> Result<(), Error> {
        let mut by_tenant: BTreeMap<TenantId, Vec<ReadCall>> = BTreeMap::new();
        for (tenant, call) in calls {
            by_tenant.entry(tenant).or_default().push(call);
        }
        let mut outcome = Ok(());
        for (tenant, calls) in by_tenant {
            let ctx = Ctx::system(tenant.clone(), &self.runtime);
            let written = self
                .store
                .add(&ctx, {
                    let calls = calls.clone();
                    move |tx| Box::pin(async move { Ok::<_, Error>(tx.insert_reads(&calls).await?) })
                })
                .await;
            if let Err(error) = written {
                // The reads of other tenants are written nevertheless.
                self.queue()
                    .extend(calls.into_iter().map(|call| (tenant.clone(), call)));
                outcome = Err(error);
            }
        }
        outcome
    }
}
