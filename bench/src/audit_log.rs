//! Measures the audit log itself: signing a checkpoint, proofs, and verification.

use crate::backlog::title;
use crate::fill::runtime;
use crate::load::{self, now};
use crate::machine;
use anyhow::{Result, bail, ensure};
use loopiq::audit::Event;
use loopiq::context::Ctx;
use loopiq::domain::{FindingId, TenantId};
use loopiq::engine::{Engine, Error, Signed};
use loopiq::store::{Entry, Store};
use loopiq_audit_log::{Hash, Tree};
use loopiq_testing::Database;
use serde_json::json;

/// Leaves of the tree in memory.
const LEAVES: u64 = 1_000_000;

/// Entries in one transaction of the fill.
const BATCH: i64 = 500;
/// Transactions with one entry that are measured.
const APPENDS: usize = 1_600;

/// `loopiq-bench log [ENTRIES]`: fills a log with entries as large as those of a proposal, measures how long an append takes, and then what
/// [`measure`] measures.
pub(crate) async fn run(mut words: impl Iterator<Item = String>) -> Result<()> {
    println!("{}", machine::describe());
    let entries: i64 = words.next().map_or(Ok(1_000_000), |word| word.parse())?;
    let database = Database::sqlite();
    let store = Store::open(&database.url).await?;
    let ctx = Ctx::system(TenantId::parse("acme")?, &runtime());
    let insert = store.write::<_, Error, _>(&ctx, |tx| Box::pin(async move { Ok(tx.insert_tenant("Acme").await?) }));
    insert.await?;
    let began = now();
    for first in (0..entries).step_by(BATCH as usize) {
        append(&store, &ctx, BATCH.min(entries - first)).await?;
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{entries} entries in {seconds:.0} s ({:.0} entries/s)",
        entries as f64 / seconds
    );

    // Every sixteenth entry also stores a hash of the tree.
    let (mut alone, mut with_node) = (Vec::new(), Vec::new());
    for n in 1..=APPENDS {
        let began = now();
        append(&store, &ctx, 1).await?;
        let times = if (entries as usize + n).is_multiple_of(16) {
            &mut with_node
        } else {
            &mut alone
        };
        times.push(began.elapsed());
    }
    let (alone, with_node) = (load::Times::new(alone), load::Times::new(with_node));
    println!("append in a transaction of its own: {}", alone.describe());
    println!("the same with a hash of the tree, one in 16: {}", with_node.describe());
    let more = (with_node.median() - alone.median()) / 16.0 / alone.median();
    println!("the tree adds {:.1} % to such a transaction on average", more * 100.0);
    store.close().await;
    measure(&database).await
}

async fn append(store: &Store, ctx: &Ctx, count: i64) -> Result<()> {
    let write = store.write::<_, Error, _>(ctx, move |tx| {
        Box::pin(async move {
            for _ in 0..count {
                let runtime = tx.ctx().runtime.clone();
                let content = json!({
                    "version": 1, "actor": { "kind": "system" }, "requestId": tx.ctx().request_id, "traceId": tx.ctx().trace_id,
                    "tool": "loopiq_create_remediation_work_package", "headline": title(7),
                    "records": (0..20).map(|_| runtime.id::<FindingId>().to_string()).collect::<Vec<_>>(),
                    "details": { "titles": (0..12).map(title).collect::<Vec<_>>() },
                });
                let content = serde_json::from_value(content).map_err(Error::internal)?;
                tx.record(Entry {
                    event: Event::Proposed,
                    action_id: Some(runtime.id()),
                    content,
                });
            }
            Ok(())
        })
    });
    Ok(write.await?)
}

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
