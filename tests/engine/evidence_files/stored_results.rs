//! Proposals, pages and approvals use the stored result. Executions hash the files.

use super::{entries, entry, file_of, files, operator, overwrite, scrub, scrub_a_day_later, sql, state};
use crate::world::{World, text};
use loopiq::domain::{CheckCode, FileState, State, Timestamp, Verdict};
use loopiq::engine::{ScrubReport, Visit};
use loopiq_testing::on_postgres;
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor, Row};

async fn bytes_of(world: &World, sha256: &str) -> Vec<u8> {
    let row = sqlx::query("SELECT bytes FROM evidence_files WHERE tenant = 'acme' AND sha256 = $1")
        .bind(sha256.to_owned())
        .fetch_one(&mut world.database.connect().await)
        .await;
    row.expect("a file").get(0)
}

/// The check of the action's page that has this code, if the page shows one.
async fn shown(world: &World, id: &str, code: CheckCode) -> Option<Verdict> {
    let page = world
        .engine
        .action_page(&world.person("auditor"), id, Visit::Unrecorded)
        .await
        .expect("a page");
    page.checks
        .iter()
        .find(|check| check.code == code)
        .map(|check| check.verdict)
}

/// Pages and proposals do not read the bytes. The scrub finds the modified file, and from then on they show it.
#[tokio::test]
async fn the_scrub_finds_a_modified_file_and_pages_show_it_from_then_on() {
    let world = World::new().await;
    let sha256 = file_of(&world).await;
    let (pending, digest) = world.proposed("k1").await;
    overwrite(&world, &sha256, b"other bytes").await;
    assert_eq!(
        shown(&world, &pending, CheckCode::EvidencePassed).await,
        Some(Verdict::Pass)
    );
    let (later, _) = world.story(1).await;
    assert_eq!(
        shown(&world, &later, CheckCode::EvidencePassed).await,
        Some(Verdict::Pass)
    );
    let (approved, of_approved) = world.story(2).await;
    world
        .approve("reviewer", &approved, &of_approved)
        .await
        .expect("approved by the stored result");

    let report = scrub_a_day_later(&world).await;
    let files = files(&world).await;
    assert_eq!(
        (report.files, report.damaged, report.unreadable),
        (files, 1, 0),
        "of both tenants"
    );
    assert_eq!(state(&world, &sha256).await, FileState::Changed);
    for id in [&pending, &later] {
        assert_eq!(
            shown(&world, id, CheckCode::EvidenceChanged).await,
            Some(Verdict::Block)
        );
    }
    let page = world
        .engine
        .action_page(&world.person("auditor"), &approved, Visit::Unrecorded)
        .await
        .expect("a page");
    let new = page.since.expect("changes since the approval").new;
    assert!(
        new.iter().any(|check| check.code == CheckCode::EvidenceChanged),
        "{new:?}"
    );
    let refused = world
        .approve("reviewer", &pending, &digest)
        .await
        .expect_err("it is blocked");
    assert!(
        refused.to_string().contains("have changed since the import"),
        "{refused}"
    );
    let proposed = world.propose(world.package("k2")).await.expect("an answer").structured;
    assert!(
        proposed["checks"].to_string().contains("evidence.changed"),
        "{proposed}"
    );

    let entry = entry(&world, "evidence.changed").await;
    assert_eq!(entry["records"], json!([world.acme.evidence]));
    assert_eq!(
        (&entry["details"]["sha256"], &entry["details"]["foundBy"]),
        (&json!(sha256), &json!("scrub"))
    );
    assert_eq!(entry["actor"], json!({ "kind": "system" }));

    // Later passes verify the file again and again, and report the damage only as a number.
    for _ in 0..2 {
        world.advance_clock(11 * Timestamp::MINUTE);
        let again = scrub(&world).await;
        assert_eq!((again.files, again.damaged), (1, 1));
    }
    assert_eq!(entries(&world, "evidence.changed").await, 1);
}

/// An execution hashes the cited files itself, even if an attacker has also written a stored result.
#[tokio::test]
async fn an_execution_finds_a_modified_file_that_the_stored_result_calls_intact() {
    let world = World::new().await;
    let sha256 = file_of(&world).await;
    let (id, digest) = world.story(1).await;
    let (other, _) = world.story(2).await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    overwrite(&world, &sha256, b"other bytes").await;
    let forged = format!(
        "UPDATE evidence_verifications SET state = 'intact', verified_at = {0}, due_at = {0} WHERE tenant = 'acme' AND sha256 = '{sha256}'",
        operator(&world).now().plus(300 * Timestamp::DAY).0
    );
    sql(&world, &forged).await;
    assert_eq!(
        shown(&world, &other, CheckCode::EvidencePassed).await,
        Some(Verdict::Pass)
    );

    let before = world.count("work_items").await;
    let outcome = world
        .execute(&world.person("lead"), &id)
        .await
        .expect("a committed outcome");
    assert!(!outcome.done);
    assert!(
        outcome.message.as_str().contains("have changed since the import"),
        "{:?}",
        outcome.message
    );
    let ended = world.get(&id).await;
    assert_eq!(
        (&ended["status"], &ended["reasonCodes"]),
        (&json!("failed"), &json!(["evidence"]))
    );
    assert_eq!(world.count("work_items").await, before);

    assert_eq!(state(&world, &sha256).await, FileState::Changed);
    assert_eq!(
        shown(&world, &other, CheckCode::EvidenceChanged).await,
        Some(Verdict::Block)
    );
    let entry = entry(&world, "evidence.changed").await;
    assert_eq!(entry["details"]["foundBy"], json!("execution"));
    assert_eq!(entry["actor"]["kind"], json!("person"));
    assert_eq!(scrub(&world).await.damaged, 1);
    let checked = world
        .engine
        .verify_audit(&world.acme.tenant, &[])
        .await
        .expect("a report");
    assert!(checked.bad.is_none(), "{checked:?}");
}

/// A node that starts adds results that are gone, so that the scrub hashes the files. It leaves unfinished imports alone.
#[tokio::test]
async fn a_file_without_a_stored_result_is_verified_after_a_start() {
    let world = World::new().await;
    let sha256 = file_of(&world).await;
    let (id, _) = world.story(1).await;
    scrub(&world).await;
    assert_eq!(world.engine.add_lost_results().await.expect("added"), 0);
    overwrite(&world, &sha256, b"other bytes").await;
    sql(
        &world,
        &format!("DELETE FROM evidence_verifications WHERE tenant = 'acme' AND sha256 = '{sha256}'"),
    )
    .await;
    for change in ["DELETE FROM evidence_verifications", "UPDATE evidence SET complete = 0"] {
        sql(
            &world,
            &format!("{change} WHERE tenant = 'globex' AND sha256 = '{sha256}'"),
        )
        .await;
    }
    world.advance_clock(Timestamp::HOUR);
    assert_eq!(
        shown(&world, &id, CheckCode::EvidenceNotStored).await,
        Some(Verdict::Unknown)
    );
    assert_eq!(
        scrub(&world).await,
        ScrubReport::default(),
        "the scrub reads only results"
    );
    assert_eq!(world.engine.add_lost_results().await.expect("added"), 1);
    let report = scrub(&world).await;
    assert_eq!((report.files, report.damaged), (1, 1));
    assert!(report.delay < Timestamp::SECOND, "{report:?}");
    assert_eq!(
        shown(&world, &id, CheckCode::EvidenceChanged).await,
        Some(Verdict::Block)
    );
    assert_eq!(entries(&world, "evidence.changed").await, 1);
}

/// Without its row, the stored result of a modified file is unknown. The execution hashes the file all the same.
#[tokio::test]
async fn an_execution_needs_no_stored_result() {
    let world = World::new().await;
    let sha256 = file_of(&world).await;
    let (id, _) = world.story(1).await;
    sql(
        &world,
        &format!("DELETE FROM evidence_verifications WHERE tenant = 'acme' AND sha256 = '{sha256}'"),
    )
    .await;
    assert_eq!(
        shown(&world, &id, CheckCode::EvidenceNotStored).await,
        Some(Verdict::Unknown)
    );
    let digest = text(&world.get(&id).await, "digest");
    world
        .approve("reviewer", &id, &digest)
        .await
        .expect("approved with the warning acknowledged");
    overwrite(&world, &sha256, b"other bytes").await;
    let outcome = world
        .execute(&world.person("lead"), &id)
        .await
        .expect("a committed outcome");
    assert!(
        !outcome.done && outcome.message.as_str().contains("have changed"),
        "{:?}",
        outcome.message
    );
}

#[tokio::test]
async fn a_file_whose_bytes_are_gone_is_reported() {
    let world = World::new().await;
    let sha256 = file_of(&world).await;
    let (id, digest) = world.story(1).await;
    let (other, _) = world.story(2).await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    let mut connection = world.database.connect().await;
    let unbound = if on_postgres() {
        "SET session_replication_role = replica"
    } else {
        "PRAGMA foreign_keys = OFF"
    };
    connection.execute(unbound).await.expect("no foreign keys");
    let gone = format!("DELETE FROM evidence_files WHERE tenant = 'acme' AND sha256 = '{sha256}'");
    connection.execute(AssertSqlSafe(gone)).await.expect("deleted");
    scrub_a_day_later(&world).await;
    assert_eq!(state(&world, &sha256).await, FileState::Missing);
    assert_eq!(
        shown(&world, &other, CheckCode::EvidenceNotStored).await,
        Some(Verdict::Unknown)
    );
    assert_eq!(
        entry(&world, "evidence.changed").await["details"]["found"],
        json!("missing")
    );
    let outcome = world
        .execute(&world.person("lead"), &id)
        .await
        .expect("a committed outcome");
    assert!(
        !outcome.done && outcome.message.as_str().contains("not stored here"),
        "{:?}",
        outcome.message
    );
}

#[tokio::test]
async fn the_scrub_finds_a_restored_file() {
    let world = World::new().await;
    let sha256 = file_of(&world).await;
    let bytes = bytes_of(&world, &sha256).await;
    let (pending, digest) = world.proposed("k1").await;
    overwrite(&world, &sha256, b"other bytes").await;
    scrub_a_day_later(&world).await;
    overwrite(&world, &sha256, &bytes).await;
    assert_eq!(scrub(&world).await.files, 0, "a damaged file is due after ten minutes");
    world.advance_clock(11 * Timestamp::MINUTE);
    let report = scrub(&world).await;
    assert_eq!((report.files, report.damaged), (1, 0));
    assert_eq!(state(&world, &sha256).await, FileState::Intact);
    let entry = entry(&world, "evidence.intact").await;
    assert_eq!(
        (&entry["details"]["before"], &entry["details"]["found"]),
        (&json!("changed"), &json!("intact"))
    );
    assert_eq!(
        shown(&world, &pending, CheckCode::EvidencePassed).await,
        Some(Verdict::Pass)
    );
    world.approve("reviewer", &pending, &digest).await.expect("approved");
}

#[tokio::test]
async fn an_execution_finds_a_restored_file() {
    let world = World::new().await;
    let sha256 = file_of(&world).await;
    let bytes = bytes_of(&world, &sha256).await;
    let (id, digest) = world.story(1).await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    overwrite(&world, &sha256, b"other bytes").await;
    scrub_a_day_later(&world).await;
    overwrite(&world, &sha256, &bytes).await;
    let outcome = world.execute(&world.person("lead"), &id).await.expect("executed");
    assert_eq!(outcome.state, Some(State::Executed), "{:?}", outcome.message);
    assert_eq!(state(&world, &sha256).await, FileState::Intact);
    assert_eq!(
        entry(&world, "evidence.intact").await["details"]["foundBy"],
        json!("execution")
    );
}
