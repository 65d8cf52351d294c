//! Fetches of metadata documents, from a server on loopback.

use super::cimd::{Documents, FetchError};
use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use loopiq::domain::Timestamp;
use loopiq_testing::fixtures::TestClock;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Publisher {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Publisher {
    /// Publishes a document at each path. A document of null counts as the wrong one of its path.
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let (base, seen) = (url.clone(), requests.clone());
        let document = move |path: &str, change: Value| {
            let mut metadata = json!({
                "client_id": format!("{base}{path}"), "client_name": "Helix", "redirect_uris": ["http://127.0.0.1/cb"],
            });
            metadata
                .as_object_mut()
                .unwrap()
                .extend(change.as_object().unwrap().clone());
            let (text, seen) = (metadata.to_string(), seen.clone());
            get(move || {
                seen.fetch_add(1, Ordering::SeqCst);
                let text = text.clone();
                async move { text }
            })
        };
        let router = Router::new()
            .route(
                "/good",
                document("/good", json!({ "token_endpoint_auth_method": "none" })),
            )
            .route("/other", document("/good", json!({})))
            .route("/secret", document("/secret", json!({ "client_secret": "x" })))
            .route(
                "/method",
                document(
                    "/method",
                    json!({ "token_endpoint_auth_method": "client_secret_basic" }),
                ),
            )
            .route("/large", document("/large", json!({ "x": "x".repeat(65 << 10) })))
            .route("/redirect", get(async || Redirect::temporary("/good")))
            .route("/text", get(async || "no JSON"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, requests }
    }
}

fn documents(clock: &TestClock, allow_loopback: bool) -> Documents {
    Documents::new(clock.runtime(), allow_loopback).unwrap()
}

#[tokio::test]
async fn a_document_is_fetched_checked_and_kept_for_some_minutes() {
    let (publisher, clock) = (Publisher::start().await, TestClock::still("2026-11-26T09:00:00Z"));
    let documents = documents(&clock, true);
    let fetch = async |path: &str| documents.fetch(&format!("{}{path}", publisher.url)).await;
    assert_eq!(fetch("/good").await.unwrap().client().unwrap().name, "Helix");
    fetch("/good").await.unwrap();
    assert_eq!(publisher.requests.load(Ordering::SeqCst), 1, "kept");
    clock.advance_clock(11 * Timestamp::MINUTE);
    fetch("/good").await.unwrap();
    assert_eq!(publisher.requests.load(Ordering::SeqCst), 2);
    for (path, error) in [
        ("/other", FetchError::OtherClient),
        ("/secret", FetchError::NotPublicClient),
        ("/method", FetchError::NotPublicClient),
        ("/large", FetchError::TooLarge),
        ("/redirect", FetchError::Status(307)),
        ("/text", FetchError::NotMetadata),
        ("/absent", FetchError::Status(404)),
    ] {
        assert_eq!(fetch(path).await.unwrap_err(), error, "{path}");
    }
}

#[tokio::test]
async fn nothing_is_fetched_from_a_private_network() {
    let (publisher, clock) = (Publisher::start().await, TestClock::still("2026-11-26T09:00:00Z"));
    let documents = documents(&clock, false);
    let port = publisher.url.rsplit(':').next().unwrap();
    for url in [
        "https://127.0.0.1/client",
        "https://10.0.0.1/client",
        "https://192.168.0.1:8443/client",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/client",
        "https://[fd00::1]/client",
        "https://[::ffff:7f00:1]/client",
        // Names are checked after they are resolved.
        &format!("https://localhost:{port}/good"),
    ] {
        let refused = documents.fetch(url).await.unwrap_err();
        assert!(matches!(refused, FetchError::NotPublic(_)), "{url}: {refused}");
    }
    for url in [
        &format!("{}/good", publisher.url),
        "http://app.example/client",
        "https://app.example",
        "https://app.example/",
        "https://app.example/client#x",
        "https://user@app.example/client",
        "https://app.example/a/../client",
        "https://APP.example/client",
        "https://app.example:443/client",
        "https://2130706433/client",
        "https://0x7f000001/client",
        "https:///client",
        "https://",
    ] {
        let refused = documents.fetch(url).await.unwrap_err();
        assert_eq!(refused, FetchError::Url, "{url}");
    }
    assert_eq!(publisher.requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn all_clients_together_cause_few_fetches() {
    let clock = TestClock::still("2026-11-26T09:00:00Z");
    let documents = documents(&clock, true);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut outcomes = Vec::new();
    for n in 0..61 {
        outcomes.push(
            documents
                .fetch(&format!("http://127.0.0.1:{port}/{n}"))
                .await
                .unwrap_err(),
        );
    }
    assert!(
        matches!(outcomes[0], FetchError::Unreachable { .. }),
        "{:?}",
        outcomes[0]
    );
    assert_eq!(outcomes[60], FetchError::TooMany);
}
