//! The audit log of a tenant: in order, without gaps, and never changed.

use crate::world::World;
use loopiq::audit::Event;
use loopiq::context::Ctx;
use loopiq::engine::Error;
use loopiq::store::Entry;

async fn head(world: &World, ctx: &Ctx) -> i64 {
    let mut tx = world.engine.store().read(ctx).await.expect("a transaction");
    tx.audit_head().await.expect("a head")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_entries_are_numbered_without_gaps() {
    let world = World::new().await;
    let ctx = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    let before = head(&world, &ctx).await;
    let template = {
        let mut tx = world.engine.store().read(&ctx).await.expect("a transaction");
        let first = tx.audit_record(1).await.expect("read");
        first.expect("an entry").content
    };
    let mut tasks = Vec::new();
    for n in 0..40 {
        let (store, ctx, content) = (world.engine.store().clone(), ctx.clone(), template.clone());
        tasks.push(tokio::spawn(async move {
            let work = move |tx: &mut loopiq::store::WriteTx, fails: bool| {
                for _ in 0..=n % 3 {
                    tx.record(Entry {
                        event: Event::SignedIn,
                        action_id: None,
                        content: content.clone(),
                    });
                }
                if fails {
                    Err(Error::internal("a write that breaks off takes no number"))
                } else {
                    Ok(())
                }
            };
            let fails = n % 5 == 0;
            // Writes that take the tenant's lock, and writes that do not.
            let outcome = if n % 2 == 0 {
                store
                    .write(&ctx, move |tx| Box::pin(async move { work(tx, fails) }))
                    .await
            } else {
                store
                    .add(&ctx, move |tx| Box::pin(async move { work(tx, fails) }))
                    .await
            };
            assert_eq!(outcome.is_err(), fails);
            if fails { 0 } else { i64::from(n % 3 + 1) }
        }));
    }
    let mut written = 0;
    for task in tasks {
        written += task.await.expect("no panic");
    }
    assert_eq!(head(&world, &ctx).await, before + written);
    let report = world
        .engine
        .verify_audit(&world.acme.tenant, &[])
        .await
        .expect("a report");
    assert_eq!((report.bad, report.entries), (None, before + written));
}
