//! The search over audit entries and its index, which is beside the database and can be lost, damaged or of another database.

use crate::world::World;
use loopiq::audit::Event;
use loopiq::context::Ctx;
use loopiq::domain::ActionId;
use loopiq::engine::{Engine, Error};
use loopiq::search::AuditIndex;
use loopiq::store::{Entry, Store};
use loopiq_testing::on_postgres;
use std::path::Path;

/// An engine on the world's database, with an index in files.
async fn node(world: &World, folder: &Path) -> Engine {
    on(world, &world.database.url, folder).await
}

async fn on(world: &World, url: &str, folder: &Path) -> Engine {
    let store = Store::open(url).await.expect("the database");
    let index = AuditIndex::in_folder(folder).with_batches_of(8);
    Engine::new(store, world.engine.runtime().clone(), "").with_audit_index(index)
}

/// The numbers of all entries that match.
async fn found(world: &World, engine: &Engine, query: &str) -> Vec<i64> {
    let (auditor, mut after, mut seqs) = (world.person("auditor"), String::new(), Vec::new());
    loop {
        let page = engine.search_audit(&auditor, query, &after).await.expect("a page");
        assert!(page.errors.is_empty(), "{query}: {:?}", page.errors);
        seqs.extend(page.rows.iter().map(|row| row.seq));
        match page.next {
            Some(next) => after = next,
            None => return seqs,
        }
    }
}

async fn propose(world: &World, keys: std::ops::Range<usize>) {
    for n in keys {
        world.proposed(&format!("k{n}")).await;
    }
}

#[tokio::test]
async fn a_search_sees_every_entry_that_was_committed_before_it() {
    let world = World::new().await;
    let folder = world.database.folder.path().join("search");
    let engine = node(&world, &folder).await;
    for n in 0..20 {
        propose(&world, n..n + 1).await;
        let proposed = found(&world, &engine, "event:action.proposed").await;
        assert_eq!(proposed.len(), n + 1);
        assert_eq!(found(&world, &engine, &format!("key:k{n}")).await, proposed[..1]);
        if n % 3 == 0 {
            engine.index_audit_logs().await.expect("indexed");
        }
    }
    let last = found(&world, &engine, "").await;
    assert_eq!(last, (1..=last[0]).rev().collect::<Vec<i64>>(), "the whole log");
}

#[tokio::test]
async fn a_node_that_starts_again_goes_on_with_its_index() {
    let world = World::new().await;
    let folder = world.database.folder.path().join("search");
    propose(&world, 0..20).await;
    let engine = node(&world, &folder).await;
    engine.index_audit_logs().await.expect("indexed");
    let before = found(&world, &engine, "event:action.proposed").await;
    assert_eq!(before.len(), 20);
    drop(engine);
    propose(&world, 20..23).await;
    let engine = node(&world, &folder).await;
    let after = found(&world, &engine, "event:action.proposed").await;
    assert_eq!((after.len(), &after[3..]), (23, &before[..]));
    assert!(!folder.join("2").exists(), "the folder is used again");
}

#[tokio::test]
async fn a_lost_or_damaged_index_is_built_again_and_the_search_is_right_meanwhile() {
    let world = World::new().await;
    let folder = world.database.folder.path().join("search");
    propose(&world, 0..20).await;
    let engine = node(&world, &folder).await;
    engine.index_audit_logs().await.expect("indexed");
    let expected = found(&world, &engine, "event:action.proposed findings").await;
    assert_eq!(expected.len(), 20);
    drop(engine);
    for damage in ["lost", "cut off"] {
        if damage == "lost" {
            std::fs::remove_dir_all(&folder).expect("removed");
        } else {
            for entry in std::fs::read_dir(folder.join("1")).expect("a folder") {
                let file = entry.expect("an entry").path();
                let half = file.metadata().expect("a file").len() / 2;
                let opened = std::fs::File::options().write(true).open(&file).expect("opened");
                opened.set_len(half).expect("cut off");
            }
        }
        let engine = node(&world, &folder).await;
        let again = found(&world, &engine, "event:action.proposed findings").await;
        assert_eq!(again, expected, "{damage}");
        engine.index_audit_logs().await.expect("indexed");
        assert!(folder.join("1/meta.json").exists(), "{damage}");
    }
}

#[tokio::test]
async fn a_search_reads_the_log_while_the_index_is_built() {
    let world = World::new().await;
    let folder = world.database.folder.path().join("search");
    let (id, _) = world.proposed("k").await;
    let ctx = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    let written = world.engine.store().write::<_, Error, _>(&ctx, move |tx| {
        Box::pin(async move {
            let id = ActionId::parse(&id).expect("an ID");
            let template = tx.audit_of_action(&id).await?.swap_remove(0);
            for n in 0..1_500 {
                let mut content = template.content.clone();
                content.idempotency_key = Some(format!("copy-{}", n % 1_000));
                let event = if n % 3 == 0 { Event::Viewed } else { Event::Asked };
                tx.record(Entry {
                    event,
                    action_id: None,
                    content,
                });
            }
            Ok(())
        })
    });
    written.await.expect("written");
    let unindexed = node(&world, &folder).await;
    let queries = [
        "event:action.viewed",
        "key:copy-7",
        "event:action.asked key:copy-6",
        "key:none",
        "event:action.proposed",
    ];
    let mut read = Vec::new();
    for query in queries {
        read.push(found(&world, &unindexed, query).await);
    }
    assert!(!folder.exists(), "the index was not built by the searches");
    let counts: Vec<usize> = read.iter().map(Vec::len).collect();
    assert_eq!(counts, [500, 2, 1, 0, 1]);
    let indexed = node(&world, &folder).await;
    indexed.index_audit_logs().await.expect("indexed");
    for (query, read) in queries.iter().zip(read) {
        assert_eq!(found(&world, &indexed, query).await, read, "{query}");
    }
}

#[tokio::test]
async fn a_database_that_was_restored_from_a_backup_is_indexed_again() {
    if on_postgres() {
        eprintln!("skipped: the backup of PostgreSQL is pg_dump, which tests do not need");
        return;
    }
    let world = World::new().await;
    let folder = world.database.folder.path().join("search");
    propose(&world, 0..10).await;
    let file = world.database.folder.path().join("backup.db");
    let file = file.to_str().expect("a path");
    world.engine.store().backup(file).await.expect("a backup");
    propose(&world, 10..20).await;
    let engine = node(&world, &folder).await;
    engine.index_audit_logs().await.expect("indexed");
    assert_eq!(found(&world, &engine, "key:k15").await.len(), 1);
    drop(engine);

    // The backup has fewer entries than the index, and later as many, but others.
    let url = format!("sqlite://{file}");
    let restored = on(&world, &url, &folder).await;
    assert_eq!(found(&world, &restored, "key:k15").await, Vec::<i64>::new());
    assert_eq!(found(&world, &restored, "key:k5").await.len(), 1);
    for n in 0..15 {
        let key = format!("other{n}");
        let (client, tool) = (world.client("developer"), "loopiq_create_remediation_work_package");
        let call = restored.call_tool(&client, tool, world.package(&key)).await;
        call.expect("a proposal");
    }
    restored.index_audit_logs().await.expect("indexed");
    assert_eq!(found(&world, &restored, "key:k15").await, Vec::<i64>::new());
    assert_eq!(found(&world, &restored, "key:other14").await.len(), 1);
    assert_eq!(found(&world, &restored, "event:action.proposed").await.len(), 25);
    drop(restored);

    // Back to the first database, with the index of the restored one, which has entries of the same numbers.
    let engine = node(&world, &folder).await;
    assert_eq!(found(&world, &engine, "key:other3").await, Vec::<i64>::new());
    assert_eq!(found(&world, &engine, "key:k15").await.len(), 1);
}

#[tokio::test]
async fn an_index_of_another_database_is_not_used() {
    let (one, two) = (World::new().await, World::new().await);
    let folder = one.database.folder.path().join("search");
    propose(&one, 0..20).await;
    for n in 0..20 {
        two.story(n).await;
    }
    let engine = node(&one, &folder).await;
    engine.index_audit_logs().await.expect("indexed");
    drop(engine);
    let engine = node(&two, &folder).await;
    assert_eq!(found(&two, &engine, "key:k3").await, Vec::<i64>::new());
    assert_eq!(found(&two, &engine, "key:story-3").await.len(), 1);
}

#[tokio::test]
async fn purged_content_is_neither_indexed_nor_shown() {
    use sqlx::Executor;
    let world = World::new().await;
    let folder = world.database.folder.path().join("search");
    propose(&world, 0..60).await;
    let engine = node(&world, &folder).await;
    let before = found(&world, &engine, "event:action.proposed").await;
    let purged = [before[0], before[30], before[59]];
    // There is no command that purges yet.
    let mut connection = world.database.connect().await;
    let trigger = if on_postgres() {
        "ALTER TABLE audit_contents DISABLE TRIGGER ALL"
    } else {
        "DROP TRIGGER audit_contents_no_delete"
    };
    connection.execute(trigger).await.expect("disabled");
    for seq in purged {
        let delete = format!("DELETE FROM audit_contents WHERE tenant = 'acme' AND seq = {seq}");
        connection.execute(sqlx::AssertSqlSafe(delete)).await.expect("purged");
    }
    let left: Vec<i64> = before.iter().filter(|seq| !purged.contains(seq)).copied().collect();
    assert_eq!(found(&world, &engine, "event:action.proposed").await, left, "not shown");
    let new = node(&world, &folder.join("new")).await;
    assert_eq!(found(&world, &new, "event:action.proposed").await, left, "not indexed");
    propose(&world, 60..61).await;
    assert_eq!(found(&world, &new, "key:k60").await.len(), 1, "the log goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_and_writes_at_once_agree() {
    let world = std::sync::Arc::new(World::new().await);
    let folder = world.database.folder.path().join("search");
    let engine = node(&world, &folder).await;
    let indexing = tokio::spawn({
        let engine = engine.clone();
        async move {
            for _ in 0..30 {
                engine.index_audit_logs().await.expect("indexed");
                tokio::task::yield_now().await;
            }
        }
    });
    let searching = tokio::spawn({
        let (world, engine) = (world.clone(), engine.clone());
        async move {
            let mut least = 0;
            for _ in 0..30 {
                let seqs = found(&world, &engine, "event:action.proposed").await;
                assert!(
                    seqs.len() >= least && seqs.windows(2).all(|pair| pair[0] > pair[1]),
                    "{seqs:?}"
                );
                least = seqs.len();
            }
        }
    });
    propose(&world, 0..30).await;
    assert_eq!(found(&world, &engine, "event:action.proposed").await.len(), 30);
    indexing.await.expect("no panic");
    searching.await.expect("no panic");
}
