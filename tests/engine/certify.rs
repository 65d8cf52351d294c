//! What people decide about releases: status, and granting or refusing a certification.

use crate::world::{World, refused};
use loopiq::catalog::SourceFile;
use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::Error;
use loopiq::views::CatalogRelease;

async fn release(world: &World) -> (ReleaseStatus, CertificationStatus) {
    let ctx = world.person("auditor");
    let mut tx = world.engine.store().read(&ctx).await.expect("a transaction");
    let release = tx
        .releases(&[world.acme.release.as_str()])
        .await
        .expect("releases")
        .remove(0);
    let certification = tx
        .certification_named("SOC2-1")
        .await
        .expect("read")
        .expect("a certification");
    (release.status, certification.status)
}

/// The release on the catalog page.
async fn on_page(world: &World, key: &str) -> CatalogRelease {
    let page = world
        .engine
        .catalog_page(&world.person("lead"), key)
        .await
        .expect("a page");
    page.releases
        .shown
        .into_iter()
        .find(|one| one.key.as_str() == key)
        .expect("the release")
}

#[tokio::test]
async fn the_page_names_the_last_decision_until_another_status_replaces_it() {
    let world = World::new().await;
    resolve_blockers(&world).await;
    let (engine, lead) = (&world.engine, world.person("lead"));
    assert_eq!(on_page(&world, "SHOP-1").await.decision, None);
    engine
        .grant_certification(&lead, "SOC2-1", "All controls pass.")
        .await
        .expect("granted");
    engine
        .set_release_status(&lead, "SHOP-1", ReleaseStatus::Certified)
        .await
        .expect("certified");
    let shown = on_page(&world, "SHOP-1").await;
    let name = lead.principal.person().expect("a person").name.clone();
    let granted = shown.certifications[0].decision.clone().expect("a decision");
    assert_eq!(
        (granted.by.as_str(), granted.because.as_str()),
        (name.as_str(), "All controls pass.")
    );
    let certified = shown.decision.expect("a decision");
    assert_eq!((certified.by.as_str(), certified.because.as_str()), (name.as_str(), ""));

    engine
        .refuse_certification(&lead, "SOC2-1", "AC-3 fails.")
        .await
        .expect("refused");
    let shown = on_page(&world, "SHOP-1").await;
    let refused = shown.certifications[0].decision.clone().expect("a decision");
    assert_eq!(refused.because.as_str(), "AC-3 fails.");
    assert_eq!(
        shown.decision.expect("a decision").because.as_str(),
        "SOC2-1 was refused."
    );

    let console = Ctx::command(world.acme.tenant.clone(), engine.runtime());
    let file = SourceFile {
        name: "c.yaml".to_owned(),
        text: "releases: [{ key: SHOP-1, status: planned }]".to_owned(),
    };
    engine
        .apply_catalog(&console, &[file], false, None)
        .await
        .expect("applied");
    let shown = on_page(&world, "SHOP-1").await;
    assert_eq!((shown.status, shown.decision), (ReleaseStatus::Planned, None));
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
    assert!(
        blocked.contains("loopiq_update_finding_status") && blocked.contains("which agents propose"),
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
    assert_eq!(early.matches("othing was changed").count(), 1, "{early}");
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
    let shown = on_page(&world, "SHOP-1").await;
    let decision = shown.certifications[0].decision.clone().expect("a decision");
    assert_eq!(
        (decision.by.as_str(), decision.because.as_str()),
        ("", "Audited on site.")
    );
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

#[tokio::test]
async fn a_lead_decides_with_roles_of_the_day_that_the_policy_allows_together() {
    let world = World::new().await;
    let (engine, lead) = (&world.engine, world.person("lead"));
    world.advance_clock(31 * Timestamp::DAY);
    for refused in [
        engine.set_release_status(&lead, "PAY-1", ReleaseStatus::Planned).await,
        engine.refuse_certification(&lead, "SOC2-1", "No.").await,
    ] {
        let says = refused.expect_err("refused").to_string();
        assert!(says.contains("roles count for 30 days only"), "{says}");
    }
    let roles = loopiq_testing::fixtures::asserted(
        "https://idp.example",
        "lead@acme.example",
        &[Role::Lead, Role::Operator],
    );
    let signed_in = engine
        .sign_in("acme", roles, &loopiq::engine::RequestOrigin::default())
        .await;
    signed_in.expect("signed in");
    let refused = engine.refuse_certification(&lead, "SOC2-1", "No.").await;
    let says = refused.expect_err("refused").to_string();
    assert!(says.contains("excludes from deciding together"), "{says}");
    assert_eq!(
        release(&world).await,
        (ReleaseStatus::InProgress, CertificationStatus::Open)
    );
}

#[tokio::test]
async fn records_are_named_by_key_or_id_of_this_tenant_and_a_retired_release_stays_as_it_is() {
    let world = World::new().await;
    let (engine, lead) = (&world.engine, world.person("lead"));
    let foreign = world.person_of(&world.globex, "lead");
    let (release_id, certification_id) = (world.acme.release.to_string(), world.acme.certification.to_string());
    let outcome = engine.refuse_certification(&lead, &certification_id, "No.").await;
    assert!(outcome.expect("refused by ID").done);
    for refused in [
        engine.refuse_certification(&foreign, &certification_id, "No.").await,
        engine
            .set_release_status(&foreign, &release_id, ReleaseStatus::Planned)
            .await,
    ] {
        assert!(matches!(refused, Err(Error::NotFound { .. })), "{refused:?}");
    }
    sqlx::query("UPDATE releases SET retired_at = 1 WHERE id = $1")
        .bind(&release_id)
        .execute(&mut world.database.connect().await)
        .await
        .expect("retired");
    for refused in [
        engine
            .set_release_status(&lead, &release_id, ReleaseStatus::Planned)
            .await,
        engine.grant_certification(&lead, "SOC2-1", "Yes.").await,
    ] {
        let says = refused.expect_err("refused").to_string();
        assert!(
            says.contains("Nothing was changed: SHOP-1 is retired. Declare it in the catalog again first."),
            "{says}"
        );
    }
}
