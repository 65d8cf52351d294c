//! Replacing the key of the audit log: one operator asks, another one confirms, and what the old key signed stays valid.

use crate::world::{World, confirm};
use loopiq::context::Ctx;
use loopiq::engine::{Engine, Error, Signed};
use loopiq::log_keys::{KeyFile, LogKeys};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// A key file in memory, which can be full.
#[derive(Default)]
struct Memory {
    text: Mutex<String>,
    full: Mutex<bool>,
    notes: Mutex<HashMap<String, String>>,
}

impl KeyFile for Memory {
    fn read(&self) -> Result<String, String> {
        Ok(self.text.lock().expect("a lock").clone())
    }

    fn write(&self, text: &str) -> Result<(), String> {
        if *self.full.lock().expect("a lock") {
            return Err("no space left on device".to_owned());
        }
        text.clone_into(&mut self.text.lock().expect("a lock"));
        Ok(())
    }

    fn last_note(&self, tenant: &str) -> Option<String> {
        self.notes.lock().expect("a lock").get(tenant).cloned()
    }

    fn keep_note(&self, tenant: &str, note: &str) -> Result<(), String> {
        self.notes
            .lock()
            .expect("a lock")
            .insert(tenant.to_owned(), note.to_owned());
        Ok(())
    }
}

/// An engine on the world's database whose keys are in a file.
fn node(world: &World, file: &Arc<Memory>) -> Engine {
    let keys = LogKeys::not_secret().stored_in(file.clone());
    if file.read().is_ok_and(|text| text.is_empty()) {
        keys.store().expect("stored");
    }
    let runtime = world.engine.runtime().clone().with_log_keys(keys);
    Engine::new(world.engine.store().clone(), runtime, "")
}

fn on(engine: &Engine, ctx: &Ctx) -> Ctx {
    Ctx::new(ctx.principal.clone(), engine.runtime())
}

async fn signed(engine: &Engine, world: &World) -> loopiq_audit_log::Note {
    match engine.sign_checkpoint(&world.acme.tenant).await.expect("signed") {
        Signed::New(checkpoint) => checkpoint.note,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_new_key_signs_and_the_old_one_stays_valid() {
    let world = World::new().await;
    let file = Arc::new(Memory::default());
    let (engine, other_node) = (node(&world, &file), node(&world, &file));
    let before = signed(&engine, &world).await;
    let (first, second) = (
        on(&engine, &world.person("operator")),
        on(&engine, &world.person("operator2")),
    );
    for role in ["reviewer", "lead", "auditor", "developer"] {
        let denied = engine
            .request_key_rotation(&on(&engine, &world.person(role)), "Why not")
            .await;
        assert!(matches!(denied, Err(Error::NotAuthorized { .. })), "{role}");
    }
    let long = "x".repeat(1_001);
    for reason in ["", "  ", long.as_str()] {
        let refused = engine.request_key_rotation(&first, reason).await;
        assert!(matches!(refused, Err(Error::Setting { .. })), "{reason}");
    }
    let asked = engine.request_key_rotation(&first, "Olga left.").await.expect("asked");
    assert!(
        confirm(&engine, &first, asked.id.as_str()).await.is_err(),
        "nobody confirms alone"
    );
    assert_eq!(engine.log_public_keys().len(), 1);

    // The keys cannot be stored: nothing changes, and the request waits.
    *file.full.lock().expect("a lock") = true;
    let refused = confirm(&engine, &second, asked.id.as_str())
        .await
        .expect_err("a full disk");
    assert!(refused.to_string().contains("no space left"), "{refused}");
    assert_eq!(engine.log_public_keys().len(), 1);
    *file.full.lock().expect("a lock") = false;

    let done = confirm(&engine, &second, asked.id.as_str()).await.expect("confirmed");
    let keys = engine.log_public_keys();
    assert!(
        done.done && keys.len() == 2 && done.message.contains(&keys[0]),
        "{done:?}"
    );
    let after = signed(&engine, &world).await;
    let public = |key: &String| key.parse::<loopiq_audit_log::PublicKey>().expect("a key");
    assert!(after.verify(&[public(&keys[0])]).is_ok() && after.verify(&[public(&keys[1])]).is_err());
    assert!(before.verify(&[public(&keys[1])]).is_ok());

    // The node that was not asked reads the file when it meets the new key's seals.
    let report = other_node
        .verify_audit(&world.acme.tenant, &[before])
        .await
        .expect("a report");
    assert_eq!((report.bad, other_node.log_public_keys()), (None, keys.clone()));
    let auditor = world.person("auditor");
    let entries = engine
        .search_audit(&auditor, "event:audit.key_rotated", "")
        .await
        .expect("entries");
    let seq = entries.rows.first().expect("an entry").seq;
    let entry = engine.audit_entry(&auditor, seq).await.expect("an entry");
    assert!(
        keys.iter().all(|key| entry.content.contains(key.as_str())),
        "{:?}",
        entry.content
    );
}

#[tokio::test]
async fn keys_of_a_setting_are_replaced_in_the_setting() {
    let world = World::new().await;
    let (first, second) = (world.person("operator"), world.person("operator2"));
    let asked = world
        .engine
        .request_key_rotation(&first, "Olga left.")
        .await
        .expect("asked");
    let refused = confirm(&world.engine, &second, asked.id.as_str())
        .await
        .expect_err("no file");
    assert!(refused.to_string().contains("LOOPIQ_AUDIT_KEY"), "{refused}");
    let page = world.engine.requests_page(&second).await.expect("a page");
    assert_eq!(page.waiting.len(), 1, "it can still be declined");
}

/// A database that was set back as a whole fits itself. The checkpoint beside the keys shows it.
#[tokio::test]
async fn a_database_that_was_set_back_is_noticed() {
    let world = World::new().await;
    let file = Arc::new(Memory::default());
    let engine = node(&world, &file);
    let tenant = &world.acme.tenant;
    signed(&engine, &world).await;
    let older = file.last_note("acme").expect("a note");
    world.proposed("k1").await;
    signed(&engine, &world).await;
    assert_eq!(engine.verify_audit(tenant, &[]).await.expect("a report").bad, None);
    let newer = file.last_note("acme").expect("a note");
    assert_ne!(older, newer);

    // The database as it was before: its latest checkpoint is the older one.
    let mut connection = world.database.connect().await;
    let sql = match loopiq_testing::on_postgres() {
        true => "DROP TRIGGER audit_checkpoints_no_change ON audit_checkpoints",
        false => "DROP TRIGGER audit_checkpoints_no_delete",
    };
    sqlx::Executor::execute(&mut connection, sql).await.expect("dropped");
    let sql = "DELETE FROM audit_checkpoints WHERE tenant = 'acme' AND size = (SELECT MAX(size) FROM audit_checkpoints WHERE tenant = 'acme')";
    sqlx::Executor::execute(&mut connection, sql).await.expect("deleted");
    let error = engine.sign_checkpoint(tenant).await.err();
    assert!(matches!(error, Some(Error::LogTampered { .. })), "{error:?}");
    let bad = engine.verify_audit(tenant, &[]).await.expect("a report").bad;
    assert!(bad.is_some_and(|(_, why)| why.contains("set back")));
    // A note that the keys did not sign says nothing.
    file.keep_note("acme", &newer.replace("loopiq.test", "loopiq.best"))
        .expect("kept");
    assert!(engine.sign_checkpoint(tenant).await.is_ok());
}

/// What other programs append and sign while an action runs is no tampering.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn actions_run_while_the_log_grows_and_is_signed() {
    let world = World::new().await;
    let file = Arc::new(Memory::default());
    let (engine, signs) = (node(&world, &file), node(&world, &file));
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_running = |stop: &std::sync::atomic::AtomicBool| !stop.load(std::sync::atomic::Ordering::Relaxed);
    let mut tasks = Vec::new();
    for n in 0..3 {
        let (engine, stop) = (node(&world, &file), stop.clone());
        let auditor = on(&engine, &world.person("auditor"));
        tasks.push(tokio::spawn(async move {
            let mut written = 0;
            while is_running(&stop) {
                // Each search is recorded, because each has another query.
                let page = engine.search_audit(&auditor, &format!("word{n}x{written}"), "").await;
                page.expect("a page");
                written += 1;
            }
            written
        }));
    }
    let (tenant, stopped) = (world.acme.tenant.clone(), stop.clone());
    let signing = tokio::spawn(async move {
        let mut signed = 0;
        while is_running(&stopped) {
            signs.sign_checkpoint(&tenant).await.expect("signed");
            signed += 1;
        }
        signed
    });
    for n in 0..12 {
        let (id, digest) = world.story(n).await;
        world.approve("reviewer", &id, &digest).await.expect("approved");
        let lead = world.person("lead");
        let view = world.opened(&lead, &id).await;
        let outcome = engine
            .execute(&on(&engine, &lead), &id, &view)
            .await
            .expect("an outcome");
        assert!(outcome.done, "{n}: {outcome:?}");
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(
        signing.await.expect("no panic") > 1,
        "nothing was signed in the meantime"
    );
    for task in tasks {
        assert!(task.await.expect("no panic") > 1, "nothing was written in the meantime");
    }
    let report = engine.verify_audit(&world.acme.tenant, &[]).await.expect("a report");
    assert_eq!(report.bad, None);
}
