//! The scrub hashes all stored evidence again and again, a part in each pass.
//!
//! A file is due at once after its import, then a day after its last verification, and after ten minutes while it is damaged. A pass takes
//! the files that are due longest, of all tenants, so that it continues where the last pass ended, on any node and after a restart. If two
//! nodes verify a file at the same time, the first result is kept.

use crate::context::Ctx;
use crate::domain::{Permission, TenantId};
use crate::engine::evidence_files::{self, FoundBy};
use crate::engine::{Engine, Error};
use crate::store::{StoredResult, Verified};
use std::collections::BTreeMap;

/// A pass that has hashed so many bytes takes no further file (16 MiB). A file has at most 64 MiB.
const ENOUGH: u64 = 16 << 20;
/// The most files of a pass.
const FILES: usize = 200;

/// What a pass of the scrub did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// The number of files that were hashed.
    pub files: u64,
    /// The number of bytes that were hashed.
    pub bytes: u64,
    /// The number of files that the database could not read. The scrub tries again after ten minutes.
    pub unreadable: u64,
    /// The number of files, after this pass, whose last verification did not find the imported bytes.
    pub damaged: u64,
    /// For how long the first file of this pass was due, in microseconds.
    pub delay: i64,
}

/// What a pass found about the files of a tenant.
#[derive(Default)]
struct Found {
    verified: Vec<Verified>,
    unreadable: Vec<String>,
}

impl Engine {
    /// Adds the results that some files do not have any more, so that the scrub finds the files. The service calls this when it starts,
    /// because this reads all evidence of all tenants.
    pub async fn add_lost_results(&self) -> Result<u64, Error> {
        let mut added = 0;
        for tenant in self.store.tenants().await? {
            let ctx = Ctx::system(tenant.clone(), &self.runtime);
            self.authorize(&ctx, Permission::Scrub).await?;
            let lost = self.store.write(&ctx, |tx| {
                Box::pin(async move { Ok::<_, Error>(tx.add_lost_results().await?) })
            });
            let lost = lost.await?;
            if lost > 0 {
                tracing::warn!(%tenant, files = lost, "stored evidence had no result of a verification");
            }
            added += lost;
        }
        Ok(added)
    }

    /// Runs a pass of the scrub: hashes some of the stored evidence that is due, of all tenants, and stores the results.
    pub async fn scrub(&self) -> Result<ScrubReport, Error> {
        let (due, mut damaged) = self.due_files().await?;
        let mut report = ScrubReport {
            delay: due.first().map_or(0, |(_, file)| self.runtime.now().since(file.due_at)),
            ..ScrubReport::default()
        };
        let mut found: BTreeMap<TenantId, Found> = BTreeMap::new();
        for (tenant, before) in due.into_iter().take(FILES) {
            if report.bytes >= ENOUGH {
                break;
            }
            let ctx = Ctx::system(tenant.clone(), &self.runtime);
            let of_tenant = found.entry(tenant.clone()).or_default();
            match self.verify_file(&ctx, before.clone()).await {
                Ok((verified, bytes)) => {
                    report.files += 1;
                    report.bytes += bytes;
                    of_tenant.verified.push(verified);
                }
                Err(error @ Error::Unavailable { .. }) => return Err(error),
                // The other files must not wait for a file that the database cannot read.
                Err(error) => {
                    tracing::error!(%tenant, sha256 = before.sha256, %error, "stored evidence could not be read");
                    report.unreadable += 1;
                    of_tenant.unreadable.push(before.sha256);
                }
            }
        }
        for (tenant, found) in found {
            let ctx = Ctx::system(tenant.clone(), &self.runtime);
            damaged.insert(tenant, self.keep_found(&ctx, found).await?);
        }
        report.damaged = damaged.values().sum();
        Ok(report)
    }

    /// The files that are due, the longest due first, and the number of damaged files of each tenant.
    async fn due_files(&self) -> Result<(Vec<(TenantId, StoredResult)>, BTreeMap<TenantId, u64>), Error> {
        let (mut due, mut damaged) = (Vec::new(), BTreeMap::new());
        for tenant in self.store.tenants().await? {
            let ctx = Ctx::system(tenant.clone(), &self.runtime);
            self.authorize(&ctx, Permission::Scrub).await?;
            let tx = &mut self.store.read(&ctx).await?;
            let (files, count) = (tx.due_files(FILES).await?, tx.damaged_files().await?);
            due.extend(files.into_iter().map(|file| (tenant.clone(), file)));
            damaged.insert(tenant, count);
        }
        due.sort_by_key(|(_, file)| file.due_at);
        Ok((due, damaged))
    }

    /// Hashes a file, on SQLite on a blocking thread. Returns the result and the number of bytes.
    async fn verify_file(&self, ctx: &Ctx, before: StoredResult) -> Result<(Verified, u64), Error> {
        self.store
            .read_long(ctx, |tx| {
                Box::pin(async move {
                    let hashed = tx.hash_file(&before.sha256).await?;
                    let found = hashed.state;
                    Ok((Verified { before, found }, hashed.bytes))
                })
            })
            .await
    }

    /// Stores what a pass found, and returns the number of damaged files of the tenant.
    async fn keep_found(&self, ctx: &Ctx, found: Found) -> Result<u64, Error> {
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    evidence_files::keep(tx, &found.verified, FoundBy::Scrub).await?;
                    if !found.unreadable.is_empty() {
                        tx.postpone_verification(&found.unreadable).await?;
                    }
                    Ok::<_, Error>(tx.damaged_files().await?)
                })
            })
            .await
    }
}
