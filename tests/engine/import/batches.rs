//! Large files come in batches: others write between them, and an import that breaks off is finished by the next.

use super::operator;
use crate::world::World;
use loopiq::context::{Ctx, Runtime};
use loopiq::domain::Timestamp;
use loopiq::engine::{Engine, Error, ImportFile, ImportReport, ImportStep};
use loopiq::store::Store;
use loopiq_testing::{catalog, junit};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// More than a batch holds, and not a multiple of anything.
const MANY: usize = 1_203;

fn file(bytes: Vec<u8>) -> ImportFile {
    ImportFile {
        name: "large".into(),
        bytes,
        format: None,
        collected_at: None,
    }
}

async fn import(engine: &Engine, ctx: &Ctx, bytes: Vec<u8>) -> Result<(ImportReport, Vec<ImportStep>), Error> {
    let mut steps = Vec::new();
    let report = engine
        .import_file(ctx, "SHOP-1", file(bytes), |step| steps.push(step))
        .await?;
    Ok((report, steps))
}

/// Breaks off after this many batches, as a process does that is killed between two of them.
async fn break_off(world: &World, bytes: Vec<u8>, after: usize) {
    let (engine, ctx) = (world.engine.clone(), operator(world));
    let task = tokio::spawn(async move {
        let mut batches = 0;
        engine
            .import_file(&ctx, "SHOP-1", file(bytes), |_| {
                batches += 1;
                assert!(batches <= after, "broken off");
            })
            .await
    });
    assert!(task.await.is_err(), "it did not break off");
}

async fn entries(world: &World, event: &str) -> i64 {
    world.count(&format!("audit_entries WHERE event = '{event}'")).await
}

async fn read(world: &World, tool: &str, arguments: Value) -> Value {
    let answer = world
        .engine
        .call_tool(&world.client("developer"), tool, arguments)
        .await;
    answer.expect("a read").structured
}

#[tokio::test]
async fn a_file_that_fits_is_one_transaction_with_one_entry() {
    let world = World::new().await;
    let before = world.count("audit_entries").await;
    let (report, steps) = import(&world.engine, &operator(&world), junit(500, "small"))
        .await
        .expect("an import");
    assert_eq!((report.new_findings, steps.len()), (500, 0));
    assert_eq!(world.count("audit_entries").await, before + 1);
    assert_eq!(entries(&world, "evidence.import_started").await, 0);
}

#[tokio::test]
async fn a_larger_file_comes_in_batches_and_is_all_there_at_the_end() {
    let world = World::new().await;
    let blockers = world.count("blockers").await;
    let (report, steps) = import(&world.engine, &operator(&world), junit(MANY, "large"))
        .await
        .expect("an import");
    assert_eq!((report.new_findings, report.known_findings), (MANY, 0));
    assert!(steps.len() > 3, "{steps:?}");
    assert!(
        steps.windows(2).all(|pair| pair[1].done - pair[0].done <= 500),
        "{steps:?}"
    );
    assert_eq!(
        steps.last(),
        Some(&ImportStep {
            done: MANY,
            total: MANY
        })
    );
    assert_eq!(world.count("blockers").await, blockers + report.blockers);
    assert_eq!(world.count("imports").await, 0);
    assert_eq!(world.count("evidence WHERE complete = 0").await, 0);
    assert_eq!(entries(&world, "evidence.import_started").await, 1);
    let found = read(&world, "loopiq_search_evidence", json!({ "text": "large" })).await;
    assert_eq!(found["items"][0]["key"], json!(report.evidence_ids[0]));

    let (again, _) = import(&world.engine, &operator(&world), junit(MANY, "large"))
        .await
        .expect("an import");
    assert!(again.unchanged);
    let checked = world.engine.verify_audit(&world.acme.tenant).await.expect("a report");
    assert!(checked.bad.is_none(), "{checked:?}");
}

#[tokio::test]
async fn what_breaks_off_shows_no_evidence_and_is_finished_by_the_same_file() {
    let world = World::new().await;
    let imported = entries(&world, "evidence.imported").await;
    let bytes = junit(MANY, "large");
    break_off(&world, bytes.clone(), 3).await;

    // Findings are there, each true by itself; the evidence is seen by nobody, nor from a finding, and nothing cites it.
    let kept = world.count("findings WHERE rule LIKE 'large%'").await;
    assert!(kept > 0 && kept < MANY as i64, "{kept}");
    assert_eq!(world.count("evidence WHERE complete = 0").await, 1);
    assert_eq!(entries(&world, "evidence.imported").await, imported);
    let found = read(&world, "loopiq_search_evidence", json!({ "text": "large" })).await;
    assert_eq!(found["items"], json!([]));
    let findings = read(&world, "loopiq_list_findings", json!({ "text": "large", "limit": 5 })).await;
    assert_eq!(findings["items"][0]["evidenceIds"], json!([]), "{findings}");
    let mut owner = world.database.connect().await;
    let row = sqlx::query("SELECT id FROM evidence WHERE complete = 0")
        .fetch_one(&mut owner)
        .await;
    let id: String = sqlx::Row::get(&row.expect("evidence"), 0);
    let link = json!({
        "idempotencyKey": "cite", "reason": "It shows it.", "evidenceId": id, "controlId": world.acme.control,
    });
    let refused = world
        .engine
        .call_tool(&world.client("developer"), "loopiq_link_evidence", link)
        .await;
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    let newest = json!({
        "idempotencyKey": "newest", "reason": "It is newer.", "releaseId": world.acme.release, "provider": "JUnit", "kind": "junit",
    });
    let refused = world
        .engine
        .call_tool(&world.client("developer"), "loopiq_refresh_release_evidence", newest)
        .await;
    assert!(refused.is_err(), "{refused:?}");

    // The same file goes on from there, and the totals are those of the whole.
    let (report, steps) = import(&world.engine, &operator(&world), bytes).await.expect("finished");
    assert_eq!(steps[0].done as i64, kept, "it goes on where it was");
    assert_eq!((report.new_findings, report.known_findings), (MANY, 0));
    assert_eq!(world.count("findings WHERE rule LIKE 'large%'").await, MANY as i64);
    let seen = format!("sightings WHERE evidence_id = '{id}'");
    assert_eq!(world.count(&seen).await, MANY as i64);
    assert_eq!(entries(&world, "evidence.import_started").await, 1);
    assert_eq!(entries(&world, "evidence.imported").await, imported + 1);
    assert_eq!(world.count("imports").await, 0);
    let findings = read(&world, "loopiq_list_findings", json!({ "text": "large", "limit": 5 })).await;
    assert_eq!(findings["items"][0]["evidenceIds"], json!([id]));
}

/// The bytes of a large file are written part by part, and still give the hash that was recorded.
#[tokio::test]
async fn a_file_of_many_bytes_is_kept_in_parts_and_stays_intact() {
    let world = World::new().await;
    let mut bytes = junit(3, "wide");
    bytes.splice(0..0, format!("<!--{}-->", "x".repeat(9 << 20)).into_bytes());
    let size = bytes.len() as i64;
    let (report, steps) = import(&world.engine, &operator(&world), bytes.clone())
        .await
        .expect("an import");
    assert_eq!((report.new_findings, steps.last().map(|step| step.done)), (3, Some(3)));
    assert_eq!(world.count("evidence_parts").await, 3);
    let mut owner = world.database.connect().await;
    let row = sqlx::query("SELECT CAST(SUM(LENGTH(bytes)) AS BIGINT) AS bytes FROM evidence_parts")
        .fetch_one(&mut owner)
        .await;
    assert_eq!(sqlx::Row::get::<i64, _>(&row.expect("a sum"), 0), size);
    // The same bytes for another release are kept once.
    let ctx = operator(&world);
    let again = world
        .engine
        .import_file(&ctx, "SHOP-2", file(bytes), |_| {})
        .await
        .expect("an import");
    assert!(!again.unchanged);
    assert_eq!(world.count("evidence_parts").await, 3);

    // The check that hashes what is cited holds it to be intact, and not once a part was changed.
    let found = read(
        &world,
        "loopiq_search_evidence",
        json!({ "text": "large", "releaseId": world.acme.release }),
    )
    .await;
    let link = |key: &str| {
        json!({
            "idempotencyKey": key, "reason": "It shows it.", "evidenceId": found["items"][0]["id"], "controlId": world.acme.control,
            "dryRun": true,
        })
    };
    let checks = async |key: &str| read(&world, "loopiq_link_evidence", link(key)).await["checks"].to_string();
    let damaged = |checks: &str| checks.contains("does not give the hash") || checks.contains("\"block\"");
    assert!(!damaged(&checks("one").await), "{}", checks("one").await);
    sqlx::query("UPDATE evidence_parts SET bytes = $1 WHERE part = 1")
        .bind(b"other bytes".to_vec())
        .execute(&mut owner)
        .await
        .expect("changed");
    assert!(damaged(&checks("two").await), "{}", checks("two").await);
}

#[tokio::test]
async fn what_another_version_began_is_begun_anew_and_nothing_is_doubled() {
    let world = World::new().await;
    let bytes = junit(MANY, "large");
    break_off(&world, bytes.clone(), 3).await;
    let mut owner = world.database.connect().await;
    let changed = sqlx::query("UPDATE imports SET plan = 'of another version', done = 1200")
        .execute(&mut owner)
        .await;
    assert_eq!(changed.expect("changed").rows_affected(), 1);
    let (report, steps) = import(&world.engine, &operator(&world), bytes).await.expect("finished");
    assert_eq!(steps[0].done, 0);
    assert_eq!(report.new_findings + report.known_findings, MANY);
    assert_eq!(world.count("findings WHERE rule LIKE 'large%'").await, MANY as i64);
}

#[tokio::test]
async fn two_that_import_one_file_at_once_share_the_work() {
    let world = World::new().await;
    let bytes = junit(MANY, "large");
    let other = Store::open(&world.database.url).await.expect("a second process");
    let other = Engine::new(other, world.engine.runtime().clone(), "");
    let ctx = operator(&world);
    let (one, two) = tokio::join!(
        import(&world.engine, &ctx, bytes.clone()),
        import(&other, &ctx, bytes.clone())
    );
    let reports = [one.expect("an import").0, two.expect("an import").0];
    let done: Vec<_> = reports.iter().filter(|report| !report.unchanged).collect();
    assert_eq!(done.len(), 1, "{reports:?}");
    assert_eq!((done[0].new_findings, done[0].known_findings), (MANY, 0));
    assert_eq!(world.count("findings WHERE rule LIKE 'large%'").await, MANY as i64);
    assert_eq!(world.count("evidence WHERE name = 'large'").await, 1);
}

/// Blockers come before the evidence is seen, also of what an earlier import left without one.
#[tokio::test]
async fn everything_that_wants_a_blocker_has_one_before_the_evidence_is_seen() {
    let world = World::new().await;
    let mut owner = world.database.connect().await;
    let forgotten = sqlx::query("DELETE FROM blockers WHERE tenant = 'acme' AND control_id IS NULL")
        .execute(&mut owner)
        .await
        .expect("forgotten")
        .rows_affected();
    assert!(forgotten > 0);
    let (report, _) = import(&world.engine, &operator(&world), catalog(2))
        .await
        .expect("an import");
    assert_eq!(report.blockers, 1, "the finding of SHOP-1 that blocks it");
    sqlx::query("DELETE FROM blockers WHERE tenant = 'acme' AND control_id IS NULL")
        .execute(&mut owner)
        .await
        .expect("forgotten");
    let (report, _) = import(&world.engine, &operator(&world), catalog(MANY))
        .await
        .expect("an import");
    assert_eq!(report.blockers, 1);
    assert_eq!(report.new_controls, MANY as u64 - 2, "two are there already");
}

/// Many controls are declared and then assessed, each looked up by its key however it is written.
#[tokio::test]
async fn many_controls_are_declared_and_assessed() {
    let world = World::new().await;
    let ctx = operator(&world);
    let (report, _) = import(&world.engine, &ctx, catalog(5_000)).await.expect("an import");
    assert_eq!(report.new_controls, 5_000);
    let findings: Vec<Value> = (0..2_000)
        .map(|n| {
            let status = json!({ "state": if n % 2 == 0 { "satisfied" } else { "not-satisfied" } });
            json!({ "title": format!("f {n}"), "target": { "target-id": format!("Ctl-{n}"), "status": status } })
        })
        .collect();
    let metadata = json!({ "title": "Own", "oscal-version": "1.1.2", "last-modified": "2026-11-01T00:00:00Z" });
    let assessment = json!({ "assessment-results": { "metadata": metadata, "results": [{ "title": "One", "findings": findings }] } });
    let (report, _) = import(&world.engine, &ctx, assessment.to_string().into_bytes())
        .await
        .expect("an import");
    assert_eq!((report.changed_controls, report.new_findings), (2_000, 1_000));
    assert_eq!(
        world
            .count("controls WHERE status = 'failing' AND key LIKE 'CTL-%'")
            .await,
        1_000
    );
    assert_eq!(
        world
            .count("blockers WHERE tenant = 'acme' AND control_id IS NOT NULL")
            .await,
        1_000 + 1,
        "and the one that fails from the start"
    );
}

/// While a large file comes in, another process writes again and again. Before, it waited until the import had ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_write_between_the_batches() {
    let world = World::new().await;
    // The clock of the world moves by itself only where it is looked at; batches are measured by a real one.
    let random = world.engine.runtime().clone();
    let runtime = Runtime::new(
        || {
            #[expect(clippy::disallowed_methods, reason = "batches are as long as they take")]
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            Timestamp(now.expect("a time").as_micros() as i64)
        },
        move |bytes| {
            bytes
                .chunks_mut(16)
                .for_each(|some| some.copy_from_slice(&random.random::<16>()[..some.len()]))
        },
    );
    let store = Store::open(&world.database.url).await.expect("a second process");
    let importer = Engine::new(store, runtime.clone(), "");
    let ctx = Ctx::system(world.acme.tenant.clone(), &runtime);
    let (over, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let writing = tokio::spawn({
        let (store, over, written) = (world.engine.store().clone(), over.clone(), written.clone());
        async move {
            while !over.load(Ordering::SeqCst) {
                let n = written.load(Ordering::SeqCst);
                store
                    .create_session(&format!("session {n}"), "{}", Timestamp(i64::MAX))
                    .await
                    .expect("a session");
                written.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
    });
    let mut between = Vec::new();
    let report = importer
        .import_file(&ctx, "SHOP-1", file(junit(4_000, "large")), |_| {
            between.push(written.load(Ordering::SeqCst));
        })
        .await
        .expect("an import");
    over.store(true, Ordering::SeqCst);
    writing.await.expect("no panic");
    assert_eq!(report.new_findings, 4_000);
    let batches = between.len();
    let taken = between.windows(2).filter(|pair| pair[1] > pair[0]).count();
    // Who waits has its turn in nearly every pause.
    assert!(
        taken * 3 >= batches,
        "{taken} of {batches} pauses were used: {between:?}"
    );
}
