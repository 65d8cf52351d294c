//! What people decide about releases: status, and granting or refusing a certification.

use crate::world::{World, refused};
use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::Error;

async fn release(world: &World) -> (ReleaseStatus, CertificationStatus) {
    let ctx = world.person("auditor");
    let mut tx = world.engine.store().read(&ctx).await.expect("a transaction");
    let release = tx
        .releases(&[world.acme.release.as_str()])
        .await
        .expect("releases")
        .remove(0);
    let certification = tx
        .certification_by_key("SOC2-1")
        .await
        .expect("read")
        .expect("a certification");
    (release.status, certification.status)
}

/// Resolves all blockers of the world, as if their work was done.
pub(crate) async fn resolve_blockers(world: &World) {
    let mut database = world.database.connect().await;
    sqlx::query("UPDATE blockers SET status = 'resolved'")
        .execute(&mut database)
        .await
        .expect("resolved");
}

#[tokio::test]
async fn a_lead_grants_a_certification_and_certifies_the_release() {
    let world = World::new().await;
    let (engine, lead) = (&world.engine, world.person("lead"));
    let blocked = refused(engine.grant_certification(&lead, "SOC2-1", "All controls pass.").await);
    assert!(
        blocked.contains("open blockers of SHOP-1 prevent SOC2-1: BLK-1"),
        "{blocked}"
    );
    let early = refused(
        engine
            .set_release_status(&lead, "SHOP-1", ReleaseStatus::Certified)
            .await,
    );
    assert!(
        early.contains("SHOP-1 is certified when these are granted: SOC2-1"),
        "{early}"
    );
    let early = refused(
        engine
            .set_release_status(&lead, "SHOP-1", ReleaseStatus::Released)
            .await,
    );
    assert!(
        early.contains("SHOP-1 is released when these are granted: SOC2-1"),
        "{early}"
    );
    let none = refused(
        engine
            .set_release_status(&lead, "SHOP-2", ReleaseStatus::Certified)
            .await,
    );
    assert!(none.contains("SHOP-2 has no certification"), "{none}");

    resolve_blockers(&world).await;
    engine
        .grant_certification(&lead, "SOC2-1", "All controls pass.")
        .await
        .expect("granted");
    let again = engine
        .grant_certification(&lead, "SOC2-1", "Again.")
        .await
        .expect("known");
    assert!(again.message.contains("is granted already"), "{}", again.message);
    engine
        .set_release_status(&lead, "SHOP-1", ReleaseStatus::Certified)
        .await
        .expect("certified");
    assert_eq!(
        release(&world).await,
        (ReleaseStatus::Certified, CertificationStatus::Granted)
    );

    // Who refuses it later takes the release back to work.
    engine
        .refuse_certification(&lead, "SOC2-1", "A control fails.")
        .await
        .expect("refused");
    assert_eq!(
        release(&world).await,
        (ReleaseStatus::InProgress, CertificationStatus::Refused)
    );
    let rows = world.dump().await;
    let events: Vec<&str> = ["certification.granted", "release.status_set", "certification.refused"]
        .into_iter()
        .flat_map(|event| {
            rows.iter()
                .filter(move |row| row.contains(&format!("event={event}|")))
                .map(move |_| event)
        })
        .collect();
    assert_eq!(
        events,
        [
            "certification.granted",
            "release.status_set",
            "release.status_set",
            "certification.refused"
        ]
    );
}

#[tokio::test]
async fn the_console_decides_too_and_other_people_do_not() {
    let world = World::new().await;
    resolve_blockers(&world).await;
    let engine = &world.engine;
    for who in ["developer", "reviewer", "auditor", "operator", "nobody"] {
        let ctx = world.person(who);
        let denied = engine.grant_certification(&ctx, "SOC2-1", "r").await;
        assert!(matches!(denied, Err(Error::NotAuthorized { .. })), "{who}");
        let denied = engine.set_release_status(&ctx, "SHOP-1", ReleaseStatus::Released).await;
        assert!(matches!(denied, Err(Error::NotAuthorized { .. })), "{who}");
    }
    let denied = engine.grant_certification(&world.client("lead"), "SOC2-1", "r").await;
    assert!(
        matches!(denied, Err(Error::NotAuthorized { .. })),
        "an agent certifies nothing"
    );
    let elsewhere = engine
        .grant_certification(&world.person_of(&world.globex, "lead"), "SOC2-2", "r")
        .await;
    assert!(matches!(elsewhere, Err(Error::NotFound { .. })));
    let console = Ctx::command(world.acme.tenant.clone(), engine.runtime());
    engine
        .grant_certification(&console, "SOC2-1", "Audited on site.")
        .await
        .expect("granted");
    engine
        .set_release_status(&console, "SHOP-1", ReleaseStatus::Released)
        .await
        .expect("released");
    assert_eq!(
        release(&world).await,
        (ReleaseStatus::Released, CertificationStatus::Granted)
    );
}

#[tokio::test]
async fn a_decision_needs_a_plain_reason() {
    let world = World::new().await;
    let lead = world.person("lead");
    let before = world.dump().await;
    for (reason, says) in [
        (" ".to_owned(), "a reason has 1 to 500 characters"),
        ("x".repeat(501), "a reason has 1 to 500 characters"),
        ("a\u{202E}b".to_owned(), "U+202E"),
    ] {
        let message = refused(world.engine.refuse_certification(&lead, "SOC2-1", &reason).await);
        assert!(message.contains(says), "{message}");
    }
    let unknown = refused(world.engine.refuse_certification(&lead, "SO\u{202E}C", "r").await);
    assert!(unknown.contains("⟦U+202E⟧"), "{unknown}");
    assert_eq!(world.dump().await, before);
}
