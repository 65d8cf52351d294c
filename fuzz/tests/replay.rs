//! Replays every stored input: seeds, regressions, and real files if they are available.

use loopiq_fuzz::TARGETS;
use std::path::{Path, PathBuf};

/// The files below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let (folders, mut files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| self::files(folder)));
    files
}

fn replay(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = files(&root.join("seeds").join(name));
    assert!(seeds.len() >= 3, "{name} has {} seeds", seeds.len());
    let mut inputs = seeds;
    inputs.extend(files(&root.join("regressions").join(name)));
    // Real files of scanners, which are not part of this repository.
    let data = std::env::var_os("LOOPIQ_TEST_DATA").map_or_else(|| root.join("../../shared/data"), PathBuf::from);
    let folders: &[&str] = match name {
        "sarif" => &["scans", "cases/sarif"],
        "osv" => &["osv", "cases/osv"],
        "cyclonedx" => &["cyclonedx", "cases/cyclonedx"],
        "junit" => &["junit", "cases/junit"],
        "oscal" => &["oscal"],
        "openvex" | "csaf" | "spdx" | "trx" => &["cases/other"],
        "detect" => &["cases"],
        _ => &[],
    };
    inputs.extend(folders.iter().flat_map(|folder| files(&data.join(folder))));
    for input in inputs {
        let bytes = std::fs::read(&input).expect("an input");
        // The target's panic says what failed; this says for which input.
        let outcome = std::panic::catch_unwind(|| target(&bytes));
        assert!(outcome.is_ok(), "{name} does not hold for {}", input.display());
    }
}

/// A test for each target. A target without a test fails `every_target_is_replayed`.
macro_rules! replayed {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name));
            }
        )*

        #[test]
        fn every_target_is_replayed() {
            assert_eq!(TARGETS.map(|(name, _)| name), [$(stringify!($name)),*]);
        }
    };
}

replayed!(sarif osv cyclonedx junit oscal openvex csaf spdx trx github gitlab detect query policy canonical payload verifier bundle catalog);

#[test]
fn every_target_is_a_program() {
    let manifest = include_str!("../Cargo.toml");
    for (name, _) in TARGETS {
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")),
            "{name}"
        );
    }
}
