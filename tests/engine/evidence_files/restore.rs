//! Importing a damaged file again restores it.

use super::{entry, operator, scrub_a_day_later, sql, state};
use crate::world::World;
use loopiq::domain::{FileState, canonical};
use loopiq::engine::ImportFile;
use loopiq_testing::on_postgres;
use serde_json::json;

const MIB: usize = 1 << 20;

/// The check says to import the file again; the import stores the bytes again.
#[tokio::test]
async fn importing_a_damaged_file_again_restores_it() {
    let world = World::new().await;
    let mut large = loopiq_testing::junit(3, "large");
    large.splice(0..0, format!("<!--{}-->", "x".repeat(9 * MIB)).into_bytes());
    let import = async |bytes: &[u8]| {
        let file = ImportFile {
            name: "again".into(),
            bytes: bytes.to_vec(),
            format: None,
            collected_at: None,
            component: None,
        };
        let imported = world
            .engine
            .import_file(&operator(&world), "SHOP-1", file, |_| {})
            .await;
        imported.expect("an import")
    };
    let small = loopiq_testing::junit(3, "small");
    for (bytes, changes) in [
        (
            small.clone(),
            vec!["UPDATE evidence_files SET bytes = {other} WHERE tenant = 'acme' AND sha256 = '{sha256}'"],
        ),
        (
            large,
            vec![
                "UPDATE evidence_parts SET bytes = {other} WHERE sha256 = '{sha256}' AND part = 1",
                "INSERT INTO evidence_parts (tenant, sha256, part, bytes) VALUES ('acme', '{sha256}', 3, {other})",
                "DELETE FROM evidence_parts WHERE sha256 = '{sha256}' AND part = 0",
                "UPDATE evidence_files SET bytes = {other} WHERE tenant = 'acme' AND sha256 = '{sha256}'",
            ],
        ),
    ] {
        let sha256 = canonical::sha256_hex(&bytes);
        assert!(!import(&bytes).await.restored);
        let other = if on_postgres() { r"'\x6f'::bytea" } else { "x'6f'" };
        for change in changes {
            sql(&world, &change.replace("{sha256}", &sha256).replace("{other}", other)).await;
            let before = world.count("evidence").await;
            scrub_a_day_later(&world).await;
            assert_eq!(state(&world, &sha256).await, FileState::Changed, "{change}");
            let report = import(&bytes).await;
            assert!(report.restored && report.unchanged, "{change}: {report:?}");
            assert!(report.to_string().contains("restored"), "{report}");
            assert_eq!(state(&world, &sha256).await, FileState::Intact, "{change}");
            assert_eq!(
                entry(&world, "evidence.intact").await["details"]["foundBy"],
                json!("import")
            );
            assert_eq!(world.count("evidence").await, before, "{change}");
            assert!(!import(&bytes).await.restored);
        }
    }
}
