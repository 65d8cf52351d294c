//! `/healthz`, `/readyz` and `/metrics`.

use crate::support::Service;
use loopiq::context::Ctx;
use loopiq::domain::{TenantId, Timestamp};
use loopiq::engine::Error;
use loopiq_server::operations::background;
use reqwest::Method;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower_sessions::session::Id;

#[tokio::test]
async fn alive_ready_and_draining() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let alive = browser.get("/healthz").await;
    assert_eq!((alive.status, alive.text.as_str()), (200, "ok\n"));
    let ready = browser.get("/readyz").await;
    assert_eq!((ready.status, ready.text.as_str()), (200, "{\"status\":\"ready\"}"));
    service.state.draining.store(true, Ordering::Relaxed);
    let draining = browser.get("/readyz").await;
    assert_eq!(draining.status, 503);
    assert!(draining.text.contains("draining"));
    assert_eq!(
        browser.get("/healthz").await.status,
        200,
        "alive until the process ends"
    );
}

#[tokio::test]
async fn without_its_database_the_service_is_not_ready_and_gives_no_details() {
    let service = Service::start().await;
    service.state.store.close().await;
    let mut browser = service.browser();
    let answer = browser.get("/readyz").await;
    assert_eq!(answer.status, 503);
    assert!(
        answer.text.contains("the database cannot be used") && !answer.text.contains("Pool"),
        "{}",
        answer.text
    );
    // Starting a sign-in needs no database. A request with a session does.
    assert_eq!(browser.get("/login").await.status, 303);
    browser.cookie = Some(format!("loopiq_session={}", Id::default()));
    let page = browser.get("/").await;
    assert_eq!(page.status, 503);
    assert!(
        page.text.contains("The database is unavailable") && page.text.contains("Status 503"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn requests_are_counted_by_route_and_not_by_path() {
    let service = Service::start().await;
    let mut browser = service.browser();
    browser.get("/actions/act_secret").await;
    browser.get("/made-up-path").await;
    let metrics = browser.get("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    let line = "http_request_duration_seconds_count{route=\"/actions/{id}\",method=\"GET\",status=\"303\"}";
    assert!(metrics.text.contains(line), "{}", metrics.text);
    assert!(
        !metrics.text.contains("act_secret") && !metrics.text.contains("made-up-path"),
        "{}",
        metrics.text
    );
}

#[tokio::test]
async fn metrics_are_only_for_this_machine() {
    let service = Service::start().await;
    let mut browser = service.browser();
    assert_eq!(browser.get("/metrics").await.status, 200);
    // A proxy on this machine forwards the requests of strangers.
    for (name, value) in [
        ("x-forwarded-for", "198.51.100.7"),
        ("forwarded", "for=198.51.100.7"),
        ("via", "1.1 proxy"),
        ("x-real-ip", "198.51.100.7"),
    ] {
        let request = browser.request(Method::GET, "/metrics").header(name, value);
        let answer = browser.send(request).await;
        assert_eq!(answer.status, 404, "{name}");
        assert!(!answer.text.contains("http_request_duration"), "{name}");
    }
}

/// Starts the background tasks until the metrics contain this line, and stops them.
async fn run_until(service: &Service, line: &str) {
    let stop = CancellationToken::new();
    let running = tokio::spawn(background::run(service.state.clone(), stop.clone()));
    let mut browser = service.browser();
    let reported = async {
        while !browser.get("/metrics").await.text.lines().any(|found| found == line) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let reported = tokio::time::timeout(Duration::from_secs(30), reported).await;
    reported.unwrap_or_else(|_| panic!("no line {line}"));
    stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(10), running).await;
    ended.expect("they end when they are told to").expect("no panic");
}

#[tokio::test]
async fn damaged_evidence_is_a_metric() {
    let service = Service::start().await;
    let ctx = Ctx::system(TenantId::parse("acme").unwrap(), &service.state.runtime);
    let stored = service.state.store.write::<_, Error, _>(&ctx, |tx| {
        Box::pin(async move {
            tx.keep_file("a hash of other bytes", b"bytes").await?;
            let now = tx.ctx().now();
            Ok(tx.keep_import_result("a hash of other bytes", now).await?)
        })
    });
    run_until(&service, "loopiq_evidence_damaged_files 0").await;
    stored.await.unwrap();
    service.advance_clock(Timestamp::MINUTE);
    run_until(&service, "loopiq_evidence_damaged_files 1").await;
    let metrics = service.browser().get("/metrics").await.text;
    assert!(
        metrics.contains("loopiq_evidence_scrub_delay_seconds 60\n"),
        "{metrics}"
    );
    assert!(
        metrics.contains("loopiq_evidence_scrubbed_bytes_total 5\n"),
        "{metrics}"
    );
}
