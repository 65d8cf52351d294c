//! Requests that schemathesis generates from the description of the API, valid and invalid ones, with a session and with tokens.

use crate::evidence_api::PAY;
use crate::support::Service;
use loopiq::domain::TenantId;
use loopiq_server::net::{EvidenceLimits, Rate, RateLimits, RequestSettings};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The seconds that the requests of one caller may take.
const TIME: &str = "10";

/// Checks that a correct service fails: a wrong session next to a valid token does not count, and the description cannot say every rule of the tools,
/// of queries and of files, so that valid requests are refused, too.
const NOT_HERE: &str =
    "ignored_auth,positive_data_acceptance,use_after_free,ensure_resource_availability,object_level_authorization";
/// The same with a session: the missing header of a token is no mistake then. The response says that the person may not.
const NOT_WITH_SESSION: &str = "missing_required_header";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generated_requests_get_what_the_description_says() {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/schemathesis/bin/schemathesis");
    if !program.exists() {
        eprintln!("SKIPPED: schemathesis is not installed; `scripts/setup test` installs it");
        return;
    }
    let service = Service::with(RequestSettings {
        rate_limits: RateLimits::new(Rate::OFF, Rate::OFF, Rate::OFF),
        evidence: EvidenceLimits::new(1 << 20, Duration::from_secs(20)),
        ..RequestSettings::default()
    })
    .await;
    service.apply_catalog(PAY).await;
    let tenant = TenantId::parse("acme").unwrap();
    service.state.engine.sign_checkpoint(&tenant).await.unwrap();
    let mut callers = Vec::new();
    for email in ["lead@acme.example", "operator@acme.example"] {
        let person = service.signed_in(email).await;
        let cookie = format!("Cookie: {}", person.cookie.clone().unwrap());
        let headers = vec![cookie, "Sec-Fetch-Site: same-origin".to_owned()];
        callers.push((email, headers, format!("{NOT_HERE},{NOT_WITH_SESSION}")));
    }
    let of_tenant = service.program_token("loopiq:import loopiq:catalog loopiq:audit").await;
    let of_person = service
        .client_token("lead@acme.example", "loopiq:read loopiq:propose loopiq:audit")
        .await;
    for (caller, token) in [
        ("a program of the tenant", of_tenant),
        ("a client of a person", of_person),
    ] {
        let headers = vec![format!("Authorization: Bearer {token}")];
        callers.push((caller, headers, NOT_HERE.to_owned()));
    }
    for (caller, headers, not_here) in callers {
        let mut command = Command::new(&program);
        let line = format!(
            "run {url}/api/openapi.json --url {url} --phases examples,coverage,fuzzing --max-examples 15 --max-time {TIME} --seed 17 --no-shrink \
             --continue-on-failure --generation-database none --checks all --exclude-checks {not_here} --no-color --warnings off --request-timeout 25",
            url = service.url
        );
        command
            .current_dir(service.database.folder.path())
            .args(line.split_whitespace())
            .env("NO_PROXY", "127.0.0.1");
        for header in &headers {
            command.args(["-H", header]);
        }
        let done = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(
            done.status.success(),
            "{caller}:\n{text}\n{}",
            String::from_utf8_lossy(&done.stderr)
        );
        // It has tried the whole API.
        assert!(text.contains("18 / 18") || text.contains("18 selected"), "{text}");
    }
}
