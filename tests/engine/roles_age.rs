//! Roles count for a limited time after the identity provider asserted them.

use crate::world::World;
use loopiq::domain::{ReasonCode, Role, Timestamp};
use loopiq::engine::Error;

/// A tenant in which roles count for an hour.
async fn world() -> World {
    let mut world = World::new().await;
    world.engine = world.engine.clone().with_roles_max_age(Timestamp::HOUR);
    world
}

#[tokio::test]
async fn nobody_decides_with_roles_that_were_asserted_too_long_ago() {
    let world = world().await;
    let (id, digest) = world.proposed("old").await;
    world.advance_clock(Timestamp::HOUR - Timestamp::MINUTE);
    let (other, other_digest) = world.proposed("in time").await;
    world.approve("reviewer", &other, &other_digest).await.expect("in time");
    world.advance_clock(2 * Timestamp::MINUTE);
    let reviewer = world.person("reviewer");
    for outcome in [
        world.approve("reviewer", &id, &digest).await,
        world.engine.reject(&reviewer, &id, &digest, &[], "No.", "").await,
        world.execute(&reviewer, &other).await,
    ] {
        let error = outcome.expect_err("refused");
        assert!(matches!(error, Error::NotAuthorized { .. }), "{error:?}");
        let says = error.to_string();
        assert!(
            says.contains("confirmed your roles on") && says.contains("for 1 hour only"),
            "{says}"
        );
    }
    world.sign_in_again("reviewer", Role::Reviewer).await;
    world
        .approve("reviewer", &id, &digest)
        .await
        .expect("after the sign-in");
}

#[tokio::test]
async fn an_approval_counts_again_when_its_person_has_signed_in() {
    let world = world().await;
    let (id, digest) = world.proposed("k").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    world.advance_clock(2 * Timestamp::HOUR);
    world.sign_in_again("lead", Role::Lead).await;
    let lead = world.person("lead");
    let error = world.execute(&lead, &id).await.expect_err("refused");
    let Error::Refused { code, message } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*code, ReasonCode::PolicyRefused);
    assert!(
        message.starts_with("Nothing was done.") && message.contains("counts again as soon as"),
        "{message}"
    );
    assert_eq!(world.get(&id).await["status"], "approved", "the action waits");
    // Without the role it does not count after the sign-in either.
    world.sign_in_again("reviewer", Role::Reviewer).await;
    let outcome = world.execute(&lead, &id).await.expect("executed");
    assert!(outcome.done, "{outcome:?}");
}

#[tokio::test]
async fn a_person_who_signs_in_without_the_role_approves_nothing_more() {
    let world = world().await;
    let (id, digest) = world.proposed("k").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    world.advance_clock(2 * Timestamp::HOUR);
    world.sign_in_again("lead", Role::Lead).await;
    world.sign_in_again("reviewer", Role::Auditor).await;
    let outcome = world
        .execute(&world.person("lead"), &id)
        .await
        .expect("a committed refusal");
    let says = outcome.message.as_str();
    assert!(!outcome.done && says.contains("may not approve any more"), "{says}");
}
