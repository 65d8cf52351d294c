//! An import reads a large file in batches: other processes write between the batches, and a second import completes an interrupted one.

use super::operator;
use crate::world::World;
use loopiq::context::{Ctx, Runtime};
use loopiq::domain::{Principal, Scopes, Timestamp};
use loopiq::engine::{Engine, Error, ImportFile, ImportReport, ImportStep};
use loopiq::log_keys::LogKeys;
use loopiq::store::Store;
use loopiq_testing::fixtures::{browser_session, new_session};
use loopiq_testing::{catalog, junit};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// More findings than one batch holds, and no multiple of the batch size.
const MANY: usize = 1_203;

fn file(bytes: Vec<u8>) -> ImportFile {
    ImportFile {
        name: "large".into(),
        bytes,
        format: None,
        collected_at: None,
        component: None,
    }
}

async fn import(engine: &Engine, ctx: &Ctx, bytes: Vec<u8>) -> Result<(ImportReport, Vec<ImportStep>), Error> {
    let mut steps = Vec::new();
    let report = engine
        .import_file(ctx, "SHOP-1", file(bytes), |step| steps.push(step))
        .await?;
    Ok((report, steps))
}

/// Interrupts an import after this many batches, like a process that is killed between two batches.
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
async fn a_larger_file_is_imported_completely_in_batches() {
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
    let checked = world
        .engine
        .verify_audit(&world.acme.tenant, &[])
        .await
        .expect("a report");
    assert!(checked.bad.is_none(), "{checked:?}");
}

#[tokio::test]
async fn an_import_stops_when_its_client_is_paused_and_goes_on_afterwards() {
    let world = World::new().await;
    let client = world.acme.client.clone();
    let target = format!("client:{}", client.id);
    let principal = Principal::Program {
        tenant: world.acme.tenant.clone(),
        client,
        scopes: Scopes::parse("loopiq:import").0,
    };
    let program = Ctx::new(principal, world.engine.runtime());
    let bytes = junit(MANY, "large");
    let imported = entries(&world, "evidence.imported").await;
    // The progress is reported between two batches, where other writes take their turn.
    let (engine, by, paused) = (world.engine.clone(), world.person("operator"), target.clone());
    let (handle, mut is_paused) = (tokio::runtime::Handle::current(), false);
    let stopped = {
        let (engine, bytes) = (engine.clone(), bytes.clone());
        let program = program.clone();
        tokio::task::spawn_blocking(move || {
            let pause = |step: ImportStep| {
                if step.done > 0 && !std::mem::replace(&mut is_paused, true) {
                    handle
                        .block_on(engine.pause(&by, &paused, "Another branch"))
                        .expect("paused");
                }
            };
            futures::executor::block_on(async {
                let _guard = handle.enter();
                engine.import_file(&program, "SHOP-1", file(bytes), pause).await
            })
        })
    };
    let error = stopped.await.expect("no panic").expect_err("stopped");
    assert_eq!(error.code(), "paused", "{error}");
    assert_eq!(entries(&world, "evidence.imported").await, imported);
    let kept = world.count("findings WHERE rule LIKE 'large%'").await;
    assert!(kept > 0 && kept < MANY as i64, "{kept}");
    world
        .engine
        .resume(&world.person("operator"), &target)
        .await
        .expect("resumed");
    let (report, _) = import(&world.engine, &program, bytes).await.expect("completed");
    assert_eq!(report.new_findings, MANY, "the report counts the whole import");
}

#[tokio::test]
async fn an_interrupted_import_shows_no_evidence_and_is_completed_by_the_same_file() {
    let world = World::new().await;
    let imported = entries(&world, "evidence.imported").await;
    let bytes = junit(MANY, "large");
    break_off(&world, bytes.clone(), 3).await;

    // Findings of the complete batches exist. Searches, findings and tools do not show the incomplete evidence, and no proposal can cite it.
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

    // A second import of the file continues after the last complete batch, and reports the totals of the whole file.
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

/// The import writes the bytes of a large file in parts, and the parts together have the recorded hash.
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
    // An import of the same bytes for another release stores the bytes only once.
    let ctx = operator(&world);
    let again = world
        .engine
        .import_file(&ctx, "SHOP-2", file(bytes), |_| {})
        .await
        .expect("an import");
    assert!(!again.unchanged);
    assert_eq!(world.count("evidence_parts").await, 3);

    // The check passes while all parts are intact, and fails after the scrub has found that a part was changed.
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
    world.advance_clock(2 * Timestamp::DAY);
    assert_eq!(world.engine.scrub().await.expect("a pass").damaged, 1);
    assert!(damaged(&checks("two").await), "{}", checks("two").await);
}

#[tokio::test]
async fn an_import_of_another_version_restarts_without_duplicates() {
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
async fn two_concurrent_imports_of_one_file_share_the_work() {
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

/// An import creates the blockers before the evidence is visible, including blockers that an earlier import did not create.
#[tokio::test]
async fn blockers_are_created_before_the_evidence_is_visible() {
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

/// A catalog declares many controls, and an assessment finds each control by its key in upper or lower case.
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

/// While an import reads a large file, another process writes repeatedly, and does not wait for the end of the import.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_processes_write_between_the_batches() {
    let world = World::new().await;
    // The world's clock ticks only when it is read, and the import measures the duration of batches, so this test needs a real clock.
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
    )
    .with_log_keys(LogKeys::not_secret());
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
                    .create_session(
                        new_session(
                            &format!("session {n}"),
                            &browser_session(n as u128, None),
                            Timestamp(i64::MAX),
                        ),
                        "{}",
                    )
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
    // The waiting process can write in most pauses between batches.
    assert!(
        taken * 3 >= batches,
        "{taken} of {batches} pauses were used: {between:?}"
    );
}
