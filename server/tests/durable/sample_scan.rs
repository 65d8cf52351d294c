//! The two commands of the README, on the demo: the sample scan of the project is imported, and the demo agent proposes work for it.

use crate::demo_or_production::{loopiq, started, stopped};
use loopiq_testing::Database;
use serde_json::Value;
use std::path::Path;

/// The arguments of the README's commands that begin with these words.
fn command(words: &str) -> Vec<String> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).expect("the README");
    let line = readme.lines().map(str::trim).find(|line| line.starts_with(words));
    let arguments = line
        .unwrap_or_else(|| panic!("{words} is missing"))
        .split_whitespace()
        .skip(1);
    arguments.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_readme_lead_from_a_scan_to_proposals() {
    let database = Database::new().await;
    let service = started(loopiq(&database, &["serve", "--demo", "--listen", "127.0.0.1:0"]));
    let run = |words: &str| -> Value {
        let arguments = command(words);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["--json"]).collect();
        let output = loopiq(&database, &arguments)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .output()
            .expect("an end");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let imported = run("loopiq import examples/");
    assert_eq!(
        (&imported["results"], &imported["newFindings"]),
        (&4.into(), &4.into()),
        "{imported}"
    );
    let proposals = run("loopiq helix ")["proposals"]
        .as_array()
        .cloned()
        .expect("proposals");
    let titles: Vec<&str> = proposals.iter().filter_map(|one| one["title"].as_str()).collect();
    let worst = [
        "Fix in services/invoices: File name taken from the request",
        "Fix in services/payments: Webhook accepted without a signature",
    ];
    assert_eq!(titles.get(..2), Some(&worst[..]), "{titles:?}");
    let blocked = |one: &&Value| one["status"] != "pending_approval";
    assert_eq!(proposals.iter().find(blocked), None);
    stopped(service);
}
