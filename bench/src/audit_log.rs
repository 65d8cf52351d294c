//! Measures the audit log itself: signing a checkpoint, proofs, and verification.

use crate::fill::runtime;
use crate::load::{self, now};
use anyhow::{Result, bail, ensure};
use loopiq::context::Ctx;
use loopiq::domain::TenantId;
use loopiq::engine::{Engine, Signed};
use loopiq::store::Store;
use loopiq_audit_log::{Hash, Tree};
use loopiq_testing::Database;

/// Leaves of the tree in memory.
const LEAVES: u64 = 1_000_000;

/// Signs a checkpoint of everything since the last one, proves 500 entries one by one, and verifies the whole log.
pub(crate) async fn measure(database: &Database) -> Result<()> {
    let (runtime, tenant) = (runtime(), TenantId::parse("acme")?);
    let engine = Engine::new(Store::open(&database.url).await?, runtime.clone(), "");
    let ctx = Ctx::system(tenant.clone(), &runtime);
    let began = now();
    let size = match engine.sign_checkpoint(&tenant).await? {
        Signed::New(checkpoint) | Signed::UpToDate(checkpoint) => checkpoint.size,
        Signed::Empty => bail!("an empty log"),
    };
    println!("checkpoint of {size} entries: {:.2} s", began.elapsed().as_secs_f64());

    let (store, ctx) = (engine.store(), &ctx);
    let times = load::one_by_one(500, |n| async move {
        let seq = 1 + (n as u64 * 7_919) % size;
        let proofs = store.read(ctx).await?.audit_inclusion(&[seq], size).await?;
        ensure!(proofs.len() == 1, "no proof of entry {seq}");
        Ok(())
    })
    .await?;
    println!("inclusion proof, of {size} entries: {}", times.describe());
    let times = load::one_by_one(200, |n| async move {
        let old = 1 + (n as u64 * 7_919) % size;
        let proof = store.read(ctx).await?.audit_consistency(old, size).await?;
        ensure!(proof.is_some(), "no proof from {old}");
        Ok(())
    })
    .await?;
    println!("consistency proof, of {size} entries: {}", times.describe());

    let began = now();
    let report = engine.verify_audit(&tenant, &[]).await?;
    ensure!(report.bad.is_none(), "{report:?}");
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "`audit verify` of {} entries: {seconds:.1} s ({:.0} entries/s)",
        report.entries,
        report.entries as f64 / seconds
    );

    let began = now();
    let mut tree = Tree::default();
    for n in 0..LEAVES {
        tree.push(Hash::of_leaf(&n.to_be_bytes()), |_, _| ());
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "tree of {LEAVES} leaves in memory: {:.0} leaves/s ({})",
        LEAVES as f64 / seconds,
        tree.root()
    );
    store.close().await;
    Ok(())
}
