//! What witnesses get: the latest checkpoint, and the proof that it continues the one that the witness has.

use crate::context::Ctx;
use crate::domain::TenantId;
use crate::engine::{Engine, Error};
use crate::store::{Delivery, StoredCheckpoint};
use loopiq_audit_log::{ConsistencyProof, Signature};

/// A checkpoint that a witness has not received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessUpdate {
    /// The latest checkpoint.
    pub checkpoint: StoredCheckpoint,
    /// The size of the checkpoint that the witness has; 0 for none.
    pub old: u64,
    /// The proof that the checkpoint continues the witness's. `None` if the witness has none.
    pub proof: Option<ConsistencyProof>,
}

impl Engine {
    /// The checkpoint that the witness has to get; `None` if it has the latest one. `has`: the size that the witness says it has, which
    /// counts more than the database.
    pub async fn witness_update(
        &self,
        tenant: &TenantId,
        witness: &str,
        has: Option<u64>,
    ) -> Result<Option<WitnessUpdate>, Error> {
        let ctx = Ctx::system(tenant.clone(), &self.runtime);
        let tx = &mut self.store.read(&ctx).await?;
        let Some(checkpoint) = tx.latest_checkpoint().await? else {
            return Ok(None);
        };
        let deliveries = tx.deliveries().await?;
        let delivered = deliveries.iter().find(|delivery| delivery.witness == witness);
        let known = delivered.map_or(0, |delivery| delivery.size);
        if known > checkpoint.size {
            return Err(Error::LogTampered {
                why: format!(
                    "the witness has a checkpoint of {known} entries, and the latest one here has {}",
                    checkpoint.size
                ),
            });
        }
        let old = has.unwrap_or(known);
        if old == checkpoint.size && delivered.is_some_and(|delivery| delivery.error.is_none()) {
            return Ok(None);
        }
        let proof = tx.audit_consistency(old, checkpoint.size).await?;
        Ok(Some(WitnessUpdate { checkpoint, old, proof }))
    }

    /// Stores that a witness has a checkpoint, with its signature if it gave one; or why it has not got it.
    pub async fn witness_answered(
        &self,
        tenant: &TenantId,
        witness: &str,
        size: u64,
        outcome: Result<Option<Signature>, String>,
    ) -> Result<(), Error> {
        let ctx = Ctx::system(tenant.clone(), &self.runtime);
        let witness = witness.to_owned();
        self.store
            .add(&ctx, move |tx| {
                Box::pin(async move {
                    match outcome {
                        Ok(signature) => {
                            if let Some(signature) = signature {
                                tx.insert_cosignature(size, &signature).await?;
                            }
                            tx.set_delivery(&witness, size, None).await?;
                        }
                        Err(why) => tx.set_delivery(&witness, 0, Some(&why)).await?,
                    }
                    Ok::<_, Error>(())
                })
            })
            .await
    }

    /// What each witness of a tenant has received.
    pub async fn deliveries(&self, tenant: &TenantId) -> Result<Vec<Delivery>, Error> {
        let ctx = Ctx::system(tenant.clone(), &self.runtime);
        let tx = &mut self.store.read(&ctx).await?;
        Ok(tx.deliveries().await?)
    }
}
