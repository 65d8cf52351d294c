//! Restores a damaged file: if the service has found that the stored bytes are not those of the import, importing the file again stores
//! them again.

use crate::context::Ctx;
use crate::domain::FileState;
use crate::engine::admin::import::plan::Plan;
use crate::engine::evidence_files::{self, FoundBy};
use crate::engine::{Engine, Error};
use crate::store::Verified;
use std::sync::Arc;

impl Engine {
    /// Stores the bytes of the file again if the stored file is known to be damaged. Returns whether it was.
    pub(crate) async fn restore_if_damaged(&self, ctx: &Ctx, plan: &Arc<Plan>) -> Result<bool, Error> {
        let stored = {
            let tx = &mut self.store.read(ctx).await?;
            tx.stored_results([plan.key.sha256.as_str()]).await?.pop()
        };
        if stored.is_none_or(|stored| stored.state == FileState::Intact) {
            return Ok(false);
        }
        let work = plan.clone();
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    let parts = work.parts();
                    let whole = if parts > 0 { &[] } else { work.file.bytes.as_slice() };
                    Ok::<_, Error>(tx.restore_file(&work.key.sha256, whole, parts).await?)
                })
            })
            .await?;
        for part in 0..plan.parts() {
            let work = plan.clone();
            self.store
                .write(ctx, move |tx| {
                    Box::pin(
                        async move { Ok::<_, Error>(tx.restore_part(&work.key.sha256, part, work.part(part)).await?) },
                    )
                })
                .await?;
        }
        let sha256 = plan.key.sha256.clone();
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    let found = tx.hash_file(&sha256).await?.state;
                    let stored = tx.stored_results([sha256.as_str()]).await?;
                    let results: Vec<Verified> = stored.into_iter().map(|before| Verified { before, found }).collect();
                    evidence_files::keep(tx, &results, FoundBy::Import).await
                })
            })
            .await?;
        Ok(true)
    }
}
