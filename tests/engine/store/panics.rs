//! A write that panics is lost, and nothing else is: not the writes that share its transaction, and not the writer.

use crate::world::World;
use futures::future::BoxFuture;
use loopiq::context::Ctx;
use loopiq::engine::Error;
use loopiq::store::WriteTx;

fn add_client(tx: &mut WriteTx, n: u32, breaks: bool) -> BoxFuture<'_, Result<(), Error>> {
    Box::pin(async move {
        tx.ensure_named_client(&format!("client {n}")).await?;
        assert!(!breaks, "in the middle of a write");
        Ok(())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_panics_loses_only_itself() {
    let world = World::new().await;
    let ctx = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    let before = world.count("clients").await;
    let mut tasks = Vec::new();
    for n in 0..30 {
        let (store, ctx) = (world.engine.store().clone(), ctx.clone());
        let breaks = n % 5 == 0;
        tasks.push(tokio::spawn(async move {
            // Writes that take the tenant's lock, and writes that do not.
            let outcome = match n % 2 {
                0 => store.write(&ctx, move |tx| add_client(tx, n, breaks)).await,
                _ => store.add(&ctx, move |tx| add_client(tx, n, breaks)).await,
            };
            assert_eq!(outcome.is_err(), breaks, "{n}: {outcome:?}");
        }));
    }
    for task in tasks {
        task.await.expect("the caller of a write that panics gets an error");
    }
    assert_eq!(world.count("clients").await, before + 24);
    world.proposed("k1").await;
}
