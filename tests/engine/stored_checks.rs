//! Stored check results that this version cannot read: pages and tool responses omit such results, and decisions need a new view.

use crate::world::World;
use loopiq::domain::ReasonCode;
use loopiq::engine::{ApprovalRequest, Error, Visit};
use loopiq::views::InboxQuery;
use sqlx::Executor;

async fn run(world: &World, statements: &[&'static str]) {
    let mut connection = world.database.connect().await;
    for statement in statements {
        connection.execute(*statement).await.expect("a statement");
    }
}

#[tokio::test]
async fn unreadable_results_are_left_out() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let (other, _) = world.story(7).await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    let known = world.get(&id).await["checks"].as_array().expect("checks").len();
    // An unknown check, an unknown code, and results without a code.
    run(
        &world,
        &[
            "UPDATE actions SET checks = REPLACE(checks, 'grounding.', 'grounding.unknown_')",
            "UPDATE decisions SET verdicts = REPLACE(verdicts, '\"code\":', '\"kind\":')",
            "UPDATE page_views SET snapshot = REPLACE(snapshot, '\"id\":\"text-safety\"', '\"id\":\"spelling\"')",
        ],
    )
    .await;
    let reviewer = world.person("reviewer");
    let left = world.get(&id).await["checks"].as_array().expect("checks").len();
    assert!(left > 0 && left < known, "{left} of {known}");
    for action in [&id, &other] {
        let page = world.engine.action_page(&reviewer, action, Visit::Unrecorded).await;
        assert!(!page.expect("a page").checks.is_empty());
    }
    let inbox = world.engine.inbox(&reviewer, &InboxQuery::default()).await;
    inbox.expect("a page");
    let executed = world.execute(&reviewer, &id).await.expect("an outcome");
    assert!(executed.done, "{executed:?}");
}

#[tokio::test]
async fn an_unreadable_view_does_not_count() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let reviewer = world.person("reviewer");
    let view = world.opened(&reviewer, &id).await;
    let consent = ApprovalRequest {
        view,
        ..world.consent(&id, &digest).await
    };
    run(&world, &["UPDATE page_views SET snapshot = '{}'"]).await;
    let refused = world.engine.approve(&reviewer, &id, consent.clone()).await;
    assert!(
        matches!(
            refused,
            Err(Error::Refused {
                code: ReasonCode::NotOpened,
                ..
            })
        ),
        "{refused:?}"
    );
    world
        .engine
        .action_page(&reviewer, &id, Visit::Opened)
        .await
        .expect("a page");
    assert!(
        world
            .engine
            .approve(&reviewer, &id, consent)
            .await
            .expect("approved")
            .done
    );
}
