mod batches;
mod formats;
mod revisions;

use crate::world::{World, result, sarif};
use loopiq::context::Ctx;
use loopiq::domain::Timestamp;
use loopiq::engine::Error;
use serde_json::json;

fn operator(world: &World) -> Ctx {
    Ctx::system(world.acme.tenant.clone(), world.engine.runtime())
}

#[tokio::test]
async fn the_same_file_again_changes_nothing() {
    let world = World::new().await;
    let before = world.dump().await;
    let scan = sarif(json!([
        result("sql-injection", "routes/login.ts", 34),
        result("style", "a.ts", 1)
    ]));
    let report = world
        .engine
        .import(&operator(&world), "SHOP-1", "again.sarif", scan, None, None)
        .await
        .expect("an import");
    assert!(report.unchanged);
    assert_eq!(before, world.dump().await);
}

#[tokio::test]
async fn a_newer_scan_keeps_the_findings_it_shows_again() {
    let world = World::new().await;
    let findings = world.count("findings").await;
    // The same finding, and a new one of low severity.
    let scan = sarif(json!([
        result("sql-injection", "routes/login.ts", 34),
        result("style", "b.ts", 2)
    ]));
    let report = world
        .engine
        .import(&operator(&world), "SHOP-1", "next.sarif", scan, None, None)
        .await
        .expect("an import");
    assert_eq!((report.new_findings, report.known_findings, report.blockers), (1, 1, 0));
    assert_eq!(world.count("findings").await, findings + 1);
    let arguments = json!({ "releaseId": world.acme.release, "text": "routes/login" });
    let found = world
        .engine
        .call_tool(&world.client("developer"), "loopiq_list_findings", arguments)
        .await
        .expect("findings");
    assert_eq!(found.structured["items"][0]["id"], json!(world.acme.finding));
    assert_eq!(
        found.structured["items"][0]["evidenceIds"].as_array().map(Vec::len),
        Some(2)
    );
}

#[tokio::test]
async fn passes_are_no_findings_and_suppressed_ones_block_nothing() {
    let world = World::new().await;
    let mut pass = result("sql-injection", "routes/safe.ts", 1);
    pass["kind"] = json!("pass");
    let mut suppressed = result("sql-injection", "routes/old.ts", 5);
    suppressed["suppressions"] = json!([{ "kind": "inSource" }]);
    let report = world
        .engine
        .import(
            &operator(&world),
            "SHOP-1",
            "s.sarif",
            sarif(json!([pass, suppressed])),
            None,
            None,
        )
        .await
        .expect("an import");
    assert_eq!(
        (report.results, report.not_failures, report.suppressed, report.blockers),
        (2, 1, 1, 0)
    );
    let arguments = json!({ "releaseId": world.acme.release, "status": "suppressed" });
    let found = world
        .engine
        .call_tool(&world.client("developer"), "loopiq_list_findings", arguments)
        .await
        .expect("findings");
    assert_eq!(found.structured["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_broken_file_or_an_unknown_release_writes_nothing() {
    let world = World::new().await;
    let scan = sarif(json!([result("sql-injection", "routes/login.ts", 35)]));
    let before = world.dump().await;
    let cut = scan[..scan.len() / 2].to_vec();
    match world
        .engine
        .import(&operator(&world), "SHOP-1", "cut.sarif", cut, None, None)
        .await
    {
        Err(Error::Invalid { fields }) => assert!(fields[0].message.contains("cut.sarif"), "{fields:?}"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        world
            .engine
            .import(&operator(&world), "NOPE-1", "a.sarif", scan.clone(), None, None)
            .await,
        Err(Error::NotFound { .. })
    ));
    assert!(
        world
            .engine
            .import(&operator(&world), "SHOP-1", "a.sarif", b"hello".to_vec(), None, None)
            .await
            .is_err()
    );
    assert_eq!(before, world.dump().await);
    let refused = world
        .engine
        .import(&world.person("operator"), "SHOP-1", "a.sarif", scan, None, None)
        .await;
    assert!(matches!(refused, Err(Error::NotAuthorized { .. })));
}

#[tokio::test]
async fn evidence_says_where_its_time_comes_from() {
    let world = World::new().await;
    let bare = json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": "bare" } }, "results": [] }] });
    let told = Timestamp::parse("2026-11-01").expect("a time");
    for (name, at, from) in [("told.sarif", Some(told), "told"), ("import.sarif", None, "import")] {
        let mut scan = bare.clone();
        scan["runs"][0]["tool"]["driver"]["version"] = json!(name);
        let bytes = scan.to_string().into_bytes();
        world
            .engine
            .import(&operator(&world), "SHOP-1", name, bytes, None, at)
            .await
            .expect("an import");
        let found = world
            .engine
            .call_tool(
                &world.client("developer"),
                "loopiq_search_evidence",
                json!({ "text": name }),
            )
            .await
            .expect("evidence");
        assert_eq!(found.structured["items"][0]["collectedFrom"], from);
    }
}

/// The real file: 77 raw results, of which the critical and high ones block the release.
#[tokio::test]
async fn a_real_scan_becomes_findings_and_blockers() {
    let folder = std::env::var("LOOPIQ_TEST_DATA").unwrap_or_else(|_| "../shared/data".into());
    let path = std::path::Path::new(&folder).join("scans/semgrep-juice-shop.sarif");
    let Ok(bytes) = std::fs::read(&path) else {
        assert!(std::env::var_os("CI").is_none(), "{} is missing", path.display());
        eprintln!("skipped: {} is missing", path.display());
        return;
    };
    let world = World::new().await;
    let name = "semgrep-juice-shop.sarif";
    let report = world
        .engine
        .import(&operator(&world), "SHOP-2", name, bytes.clone(), None, None)
        .await
        .expect("an import");
    assert_eq!((report.results, report.new_findings, report.blockers), (77, 77, 35));
    let again = world
        .engine
        .import(&operator(&world), "SHOP-2", name, bytes, None, None)
        .await
        .expect("an import");
    assert!(again.unchanged);
}
