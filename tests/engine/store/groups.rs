//! Writes that share a transaction: each one sees what those before it wrote, their audit entries included.

use crate::world::World;
use loopiq::context::Ctx;
use loopiq::domain::State;
use loopiq::engine::{ApprovalRequest, Error};
use std::sync::mpsc;
use tokio::sync::oneshot;

/// Sends an approval and an execution while another write of the database is running, so that both wait for the next transaction.
#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_shares_the_transaction_of_its_approval_succeeds() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k").await;
    let reviewer = world.person("reviewer");
    let view = world.opened(&reviewer, &id).await;
    let consent = ApprovalRequest {
        view: view.clone(),
        ..world.consent(&id, &digest).await
    };
    let (release, released) = mpsc::channel::<()>();
    let (begin, begun) = oneshot::channel::<()>();
    let system = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    let store = world.engine.store().clone();
    let running = tokio::spawn(async move {
        store
            .write::<_, Error, _>(&system, move |_| {
                Box::pin(async move {
                    begin.send(()).expect("a test that waits");
                    released.recv().expect("a release");
                    Ok(())
                })
            })
            .await
    });
    begun.await.expect("a write that has begun");
    let (approved, executed, ()) = tokio::join!(
        world.engine.approve(&reviewer, &id, consent),
        world.engine.execute(&reviewer, &id, &view),
        async move { release.send(()).expect("a write that waits") },
    );
    running.await.expect("not a panic").expect("the write before them");
    assert_eq!(approved.expect("approved").state, Some(State::Approved));
    // PostgreSQL can run the execution first, which then refuses an action that is not approved. It must not damage the action.
    let executed = match executed {
        Ok(outcome) => outcome,
        Err(_) => world.execute(&reviewer, &id).await.expect("executed"),
    };
    assert_eq!(executed.state, Some(State::Executed));
}
