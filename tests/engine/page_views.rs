//! Page views: a reviewer decides with a page that the reviewer has opened in the same session.

use crate::world::World;
use loopiq::domain::*;
use loopiq::engine::{Error, Visit};

#[tokio::test]
async fn a_view_is_stored_once_per_person_digest_and_session() {
    let world = World::new().await;
    let (id, _) = world.proposed("k1").await;
    let reviewer = world.person("reviewer");
    world
        .engine
        .action_page(&reviewer, &id, Visit::Unrecorded)
        .await
        .expect("a prefetch");
    assert_eq!(world.count("page_views").await, 0);
    for _ in 0..3 {
        world
            .engine
            .action_page(&reviewer, &id, Visit::Opened)
            .await
            .expect("a page");
    }
    assert_eq!(world.count("page_views").await, 1);
    world
        .engine
        .action_page(&world.person("reviewer2"), &id, Visit::Opened)
        .await
        .expect("a page");
    assert_eq!(world.count("page_views").await, 2);
}

/// An approval and an execution need a recorded view of the page by the same person, in the same session, with the same digest.
#[tokio::test]
async fn a_decision_needs_a_page_that_was_opened() {
    let world = World::new().await;
    let (id, digest) = world.story(1).await;
    let (other, _) = world.story(2).await;
    let (reviewer, lead) = (world.person("reviewer"), world.person("lead"));
    let elsewhere = world.in_session("reviewer", "another browser");
    let mut consent = world.consent(&id, &digest).await;
    let refused = |outcome: Result<loopiq::views::Outcome, Error>| {
        matches!(
            outcome,
            Err(Error::Refused {
                code: ReasonCode::NotOpened,
                ..
            })
        )
    };
    assert!(
        refused(world.engine.approve(&reviewer, &id, consent.clone()).await),
        "never opened"
    );
    // Views of other pages, people and sessions, and a view that was not recorded.
    let unseen = world
        .engine
        .action_page(&reviewer, &id, Visit::Unrecorded)
        .await
        .expect("a page")
        .view;
    assert_eq!(unseen, None, "no value without a record");
    let mut wrong = vec!["0".repeat(32)];
    for (ctx, page) in [(&reviewer, &other), (&lead, &id), (&elsewhere, &id)] {
        wrong.push(world.opened(ctx, page).await);
    }
    for view in wrong {
        consent.view = view;
        let outcome = world.engine.approve(&reviewer, &id, consent.clone()).await;
        assert!(refused(outcome), "{}", consent.view);
    }
    let right = world.opened(&reviewer, &id).await;
    for (ctx, whose) in [(&lead, "another person's"), (&elsewhere, "another session's")] {
        consent.view = right.clone();
        assert!(
            refused(world.engine.approve(ctx, &id, consent.clone()).await),
            "{whose}"
        );
    }
    // A rejection may carry no view, but a view that it carries must be the right one.
    assert!(refused(
        world
            .engine
            .reject(&reviewer, &id, &digest, &[], "No.", &consent.view[1..])
            .await
    ));
    assert!(
        world
            .engine
            .approve(&reviewer, &id, consent.clone())
            .await
            .expect("approved")
            .done
    );
    assert!(refused(world.engine.execute(&lead, &id, "").await), "nor is it run");
    assert!(refused(world.engine.execute(&lead, &id, &right).await));
    assert!(world.engine.execute(&reviewer, &id, &right).await.expect("ran").done);
    let (third, digest) = world.story(3).await;
    assert!(
        world
            .engine
            .reject(&reviewer, &third, &digest, &[], "No.", "")
            .await
            .expect("rejected")
            .done
    );
}
