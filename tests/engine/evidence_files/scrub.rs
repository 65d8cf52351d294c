//! The passes of the scrub: what is due, what a pass finds and stores.

use super::{entries, file_of, files, operator, overwrite, scrub, scrub_a_day_later, sql, state, stored};
use crate::world::{World, sarif};
use loopiq::context::Ctx;
use loopiq::domain::{FileState, Timestamp, canonical};
use loopiq::engine::{Engine, Error, ScrubReport};
use loopiq::store::{PART, Store};
use loopiq_testing::on_postgres;
use serde_json::json;

const MIB: usize = 1 << 20;

/// Stores a file as an import does, in parts if it is large. Returns the file's hash.
async fn keep(world: &World, bytes: Vec<u8>) -> String {
    let sha256 = canonical::sha256_hex(&bytes);
    let (file, ctx) = (sha256.clone(), operator(world));
    let kept = world.engine.store().write::<_, Error, _>(&ctx, move |tx| {
        Box::pin(async move {
            tx.keep_file(&file, &bytes).await?;
            if bytes.len() > PART {
                for (n, part) in bytes.chunks(PART).enumerate() {
                    tx.keep_part(&file, n as i64, part).await?;
                }
            }
            let now = tx.ctx().now();
            Ok(tx.keep_import_result(&file, now).await?)
        })
    });
    kept.await.expect("stored");
    sha256
}

#[tokio::test]
async fn an_import_stores_the_first_result() {
    let world = World::new().await;
    world.advance_clock(Timestamp::HOUR);
    let before = operator(&world).now();
    let scan = sarif(json!([]));
    let sha256 = canonical::sha256_hex(&scan);
    world
        .engine
        .import(&operator(&world), "SHOP-1", "new.sarif", scan, None, None)
        .await
        .expect("an import");
    let result = stored(&world, &sha256).await;
    assert_eq!(result.state, FileState::Intact);
    assert!(result.verified_at > before, "{result:?}");
    // The import has hashed the bytes that it read. The next pass hashes the stored bytes, and after that a day passes.
    let report = scrub(&world).await;
    assert_eq!((report.files, report.damaged), (files(&world).await, 0));
    let read_back = stored(&world, &sha256).await;
    assert!(read_back.verified_at > result.verified_at, "{read_back:?}");
    assert_eq!(read_back.due_at.since(read_back.verified_at), Timestamp::DAY);
    assert_eq!(scrub(&world).await, ScrubReport::default());
}

/// The bytes of an interrupted import may be modified before the import continues. The next pass finds them.
#[tokio::test]
async fn the_scrub_hashes_the_stored_bytes_soon_after_an_import() {
    let world = World::new().await;
    let scan = sarif(json!([]));
    let (sha256, ctx) = (canonical::sha256_hex(&scan), operator(&world));
    let file = sha256.clone();
    let begun = world.engine.store().write::<_, Error, _>(&ctx, move |tx| {
        Box::pin(async move { Ok(tx.keep_file(&file, b"other bytes").await?) })
    });
    begun.await.expect("stored");
    let imported = world.engine.import(&ctx, "SHOP-1", "new.sarif", scan, None, None).await;
    imported.expect("an import");
    assert_eq!(scrub(&world).await.damaged, 1);
    assert_eq!(state(&world, &sha256).await, FileState::Changed);
}

/// Each kind of change of a file in parts gives another hash.
#[tokio::test]
async fn the_scrub_hashes_all_parts_of_a_large_file() {
    let world = World::new().await;
    let file = keep(&world, vec![7; 9 * MIB]).await;
    let report = scrub_a_day_later(&world).await;
    assert_eq!((report.files, report.damaged), (files(&world).await, 0));
    assert!(report.bytes > 9 * MIB as u64, "{report:?}");
    let parts = |change: &str| format!("{change} WHERE tenant = 'acme' AND sha256 = '{file}' AND part = 2");
    sql(&world, &parts("UPDATE evidence_parts SET part = 3")).await;
    scrub_a_day_later(&world).await;
    assert_eq!(state(&world, &file).await, FileState::Changed);
    let back = format!("UPDATE evidence_parts SET part = 2 WHERE tenant = 'acme' AND sha256 = '{file}' AND part = 3");
    sql(&world, &back).await;
    scrub_a_day_later(&world).await;
    assert_eq!(state(&world, &file).await, FileState::Intact);
}

/// A pass ends after 16 MiB, and the next pass continues with the files that are due longest, also in another process.
#[tokio::test]
async fn a_pass_is_bounded_and_the_next_one_continues() {
    let world = World::new().await;
    let mut large = Vec::new();
    for n in 0..4_u8 {
        world.advance_clock(Timestamp::SECOND);
        large.push(keep(&world, vec![n; 9 * MIB]).await);
    }
    world.advance_clock(Timestamp::DAY);
    let began = operator(&world).now();
    let verified = async || {
        let mut verified = Vec::new();
        for file in &large {
            verified.push(stored(&world, file).await.verified_at > began);
        }
        verified
    };
    let first = scrub(&world).await;
    // The tenants' own files are small, and were imported before.
    let small = files(&world).await - 4;
    assert_eq!(first.files, small + 2, "{first:?}");
    assert!(
        first.bytes >= 18 * MIB as u64 && first.bytes < 19 * MIB as u64,
        "{first:?}"
    );
    assert!(first.delay > 0, "{first:?}");
    assert_eq!(verified().await, [true, true, false, false]);
    let store = Store::open(&world.database.url).await.expect("another process");
    let other = Engine::new(store, world.engine.runtime().clone(), "");
    assert_eq!(other.scrub().await.expect("a pass").files, 2);
    assert_eq!(verified().await, [true; 4]);
    assert_eq!(other.scrub().await.expect("a pass"), ScrubReport::default());

    // Many small files are bounded by their number.
    for n in 0..230 {
        keep(&world, format!("file {n}").into_bytes()).await;
    }
    world.advance_clock(2 * Timestamp::DAY);
    let passes = [
        scrub(&world).await.files,
        scrub(&world).await.files,
        scrub(&world).await.files,
    ];
    assert!(passes.iter().all(|files| *files <= 200), "{passes:?}");
    assert_eq!(passes.iter().sum::<u64>() + scrub(&world).await.files, small + 4 + 230);
}

/// Several nodes may scrub at the same time. The change is recorded once.
#[tokio::test]
async fn two_nodes_record_a_change_once() {
    let world = World::new().await;
    let sha256 = file_of(&world).await;
    overwrite(&world, &sha256, b"other bytes").await;
    world.advance_clock(Timestamp::DAY + Timestamp::HOUR);
    let store = Store::open(&world.database.url).await.expect("a second node");
    let other = Engine::new(store, world.engine.runtime().clone(), "");
    let (one, two) = tokio::join!(world.engine.scrub(), other.scrub());
    assert_eq!(one.expect("a pass").damaged.max(two.expect("a pass").damaged), 1);
    assert_eq!(state(&world, &sha256).await, FileState::Changed);
    assert_eq!(entries(&world, "evidence.changed").await, 1);
}

/// A file that the database cannot read does not keep the scrub from the others.
#[tokio::test]
async fn an_unreadable_file_is_postponed() {
    if on_postgres() {
        eprintln!("skipped: only SQLite stores a number in a column for bytes");
        return;
    }
    let world = World::new().await;
    let sha256 = file_of(&world).await;
    let number = format!("UPDATE evidence_files SET bytes = 12 WHERE tenant = 'acme' AND sha256 = '{sha256}'");
    sql(&world, &number).await;
    let report = scrub_a_day_later(&world).await;
    assert_eq!(
        (report.files, report.unreadable, report.damaged),
        (files(&world).await - 1, 1, 0)
    );
    assert_eq!(
        state(&world, &sha256).await,
        FileState::Intact,
        "nothing is known about its bytes"
    );
    assert_eq!(scrub(&world).await, ScrubReport::default());
    world.advance_clock(11 * Timestamp::MINUTE);
    assert_eq!(scrub(&world).await.unreadable, 1);
}

/// Two tenants may import the same bytes. Each tenant has its own file.
#[tokio::test]
async fn a_result_of_another_tenant_is_not_touched() {
    let world = World::new().await;
    let sha256 = file_of(&world).await;
    let both = [&world.acme, &world.globex].map(|records| Ctx::system(records.tenant.clone(), world.engine.runtime()));
    let states = async || {
        let mut states = Vec::new();
        for ctx in &both {
            let mut tx = world.engine.store().read(ctx).await.expect("a read");
            let stored = tx.stored_results([sha256.as_str()]).await.expect("results");
            states.extend(stored.into_iter().map(|stored| stored.state));
        }
        states
    };
    assert_eq!(states().await, [FileState::Intact; 2]);
    overwrite(&world, &sha256, b"other bytes").await;
    scrub_a_day_later(&world).await;
    assert_eq!(states().await, [FileState::Changed, FileState::Intact]);
}
