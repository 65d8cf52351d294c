//! Evidence over HTTP: who may send it, what is refused, and what happens to files that are cut off or sent twice.

use crate::support::{Answer, Browser, Service};
use loopiq::domain::Timestamp;
use loopiq_server::net::{EvidenceLimits, RequestSettings};
use loopiq_testing::junit;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PATH: &str = "/api/v1/evidence?release=PAY-1&name=junit.xml";

fn post(browser: &Browser, path: &str, token: &str) -> RequestBuilder {
    browser.program(Method::POST, path).bearer_auth(token)
}

async fn send(service: &Service, path: &str, token: &str, body: Vec<u8>) -> Answer {
    let mut browser = service.browser();
    let request = post(&browser, path, token).body(body);
    browser.send(request).await
}

/// The parts of problem details that programs read.
pub(crate) fn problem(answer: &Answer) -> (u16, String, String) {
    assert_eq!(
        answer.header("content-type"),
        "application/problem+json",
        "{}",
        answer.text
    );
    let problem: Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(problem["status"], answer.status);
    let text = |name: &str| problem[name].as_str().unwrap().to_owned();
    (answer.status, text("code"), text("detail"))
}

fn report(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

#[tokio::test]
async fn a_program_imports_a_file_and_repeating_it_changes_nothing() {
    let service = Service::start().await;
    service.apply_catalog(PAY).await;
    let token = service.program_token("loopiq:import").await;
    let first = report(&send(&service, PATH, &token, junit(3, "nightly")).await);
    assert_eq!(
        (
            &first["release"],
            &first["format"],
            &first["newFindings"],
            &first["unchanged"]
        ),
        (&json!("PAY-1"), &json!("junit"), &json!(3), &json!(false))
    );
    let again = report(&send(&service, PATH, &token, junit(3, "nightly")).await);
    assert_eq!(again["unchanged"], true);
    assert_eq!(service.database.count("evidence").await, 1);
    let entries = service.entries("evidence.imported").await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["actor"]["kind"], "program");
    assert_eq!(entries[0]["headline"], "Import junit.xml");
}

/// A catalog with one release.
pub(crate) const PAY: &str =
    "teams: [{ key: payments, name: Payments }]\nreleases: [{ key: PAY-1, name: Payments 1, teams: [payments] }]\n";

#[tokio::test]
async fn only_a_program_of_the_tenant_may_import() {
    let service = Service::start().await;
    service.apply_catalog(PAY).await;
    let nobody = service.browser();
    let request = nobody.program(Method::POST, PATH).body("x");
    let answer = service.browser().send(request).await;
    assert_eq!(problem(&answer).0, 401);

    for email in ["reviewer@acme.example", "lead@acme.example", "operator@acme.example"] {
        let mut person = service.signed_in(email).await;
        let request = person
            .program(Method::POST, PATH)
            .header("sec-fetch-site", "same-origin")
            .body("x");
        assert_eq!(problem(&person.send(request).await).1, "not_authorized", "{email}");
        let request = person
            .program(Method::POST, PATH)
            .header("sec-fetch-site", "cross-site")
            .body("x");
        let (status, _, detail) = problem(&person.send(request).await);
        assert!(status == 403 && detail.contains("Another site"), "{detail}");
    }

    // A client that acts for a person imports nothing, whatever its scopes.
    let for_person = service
        .client_token("lead@acme.example", "loopiq:read loopiq:import")
        .await;
    assert_eq!(
        problem(&send(&service, PATH, &for_person, b"x".to_vec()).await).1,
        "not_authorized"
    );
    // A program without the scope learns which one it needs.
    let other = service.program_token("loopiq:audit").await;
    let answer = send(&service, PATH, &other, b"x".to_vec()).await;
    assert_eq!(problem(&answer).1, "insufficient_scope");
    let challenge = answer.header("www-authenticate");
    assert!(
        challenge.starts_with("Bearer error=\"insufficient_scope\", scope=\"loopiq:import loopiq:audit\""),
        "{challenge}"
    );
    // A wrong token is not replaced by a valid session.
    let mut operator = service.signed_in("operator@acme.example").await;
    for token in ["wrong", ""] {
        let request = operator
            .program(Method::GET, "/api/v1/audit/key-rotations")
            .header("authorization", format!("Bearer {token}"));
        let answer = operator.send(request).await;
        assert_eq!(problem(&answer).0, 401);
        let challenge = answer.header("www-authenticate");
        let metadata = format!("{}/.well-known/oauth-protected-resource/mcp", service.url);
        assert!(challenge.contains(&metadata), "{challenge}");
    }
    assert_eq!(operator.get("/api/v1/audit/key-rotations").await.status, 200);
    // With a valid one, the session does not count.
    let request = operator
        .program(Method::GET, "/api/v1/audit/key-rotations")
        .bearer_auth(&for_person);
    assert_eq!(operator.send(request).await.status, 403);

    let token = service.program_token("loopiq:import").await;
    service.advance_clock(2 * Timestamp::DAY);
    let (status, code, detail) = problem(&send(&service, PATH, &token, b"x".to_vec()).await);
    assert!(
        status == 401 && code == "unauthenticated" && detail.contains("expired"),
        "{detail}"
    );
    assert_eq!(service.database.count("evidence").await, 0);
}

#[tokio::test]
async fn a_release_of_another_tenant_is_like_one_that_does_not_exist() {
    let service = Service::start().await;
    service.apply_catalog(PAY).await;
    service.create_tenant("globex", "Globex").await;
    let foreign = service.program_token_of("globex", "loopiq:import").await;
    let own = service.program_token("loopiq:import").await;
    let foreign = send(&service, PATH, &foreign, junit(1, "x")).await;
    let absent = send(&service, &PATH.replace("PAY-1", "PAY-9"), &own, junit(1, "x")).await;
    assert_eq!(problem(&foreign).1, "not_found");
    assert_eq!(foreign.text, absent.text.replace("PAY-9", "PAY-1"));
    assert_eq!(service.database.count("evidence").await, 0);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said() {
    let service = Service::start().await;
    service.apply_catalog(PAY).await;
    let token = service.program_token("loopiq:import").await;
    let long = format!("/api/v1/evidence?release=PAY-1&name={}", "x".repeat(256));
    let valid = String::from_utf8(junit(1, "x")).unwrap();
    let cases = [
        (
            "/api/v1/evidence",
            valid.as_str(),
            "invalid_arguments",
            "release: name the release",
        ),
        (
            "/api/v1/evidence?release=",
            &valid,
            "invalid_arguments",
            "release: name the release",
        ),
        (
            "/api/v1/evidence?release=PAY-1&collected_at=2026-11-22",
            &valid,
            "invalid_request",
            "unknown field `collected_at`",
        ),
        (
            "/api/v1/evidence?release=PAY-1&release=PAY-1",
            &valid,
            "invalid_request",
            "duplicate field",
        ),
        (
            "/api/v1/evidence?release=PAY-1&format=pdf",
            &valid,
            "invalid_arguments",
            "sarif, osv, cyclonedx, junit, oscal, openvex, csaf, spdx, trx, github, gitlab",
        ),
        (
            "/api/v1/evidence?release=PAY-1&format=sarif",
            &valid,
            "invalid_arguments",
            "Nothing was imported",
        ),
        (
            "/api/v1/evidence?release=PAY-1&collectedAt=yesterday",
            &valid,
            "invalid_arguments",
            "RFC 3339",
        ),
        (
            "/api/v1/evidence?release=PAY-1&name=",
            &valid,
            "invalid_arguments",
            "1 to 255",
        ),
        (&long, &valid, "invalid_arguments", "1 to 255"),
        (PATH, "", "invalid_request", "The body is empty"),
        (PATH, "no format at all", "invalid_arguments", "junit.xml"),
        (PATH, &valid[..valid.len() / 2], "invalid_arguments", "junit.xml"),
        ("/api/v1/evidence?release=PAY-1%00", &valid, "invalid_request", "U+0000"),
    ];
    for (path, body, code, says) in cases {
        let (status, found, detail) = problem(&send(&service, path, &token, body.as_bytes().to_vec()).await);
        assert!(
            status == 400 && found == code && detail.contains(says),
            "{path}: {status} {found} {detail}"
        );
    }
    let mut browser = service.browser();
    for (name, value) in [
        ("content-type", "multipart/form-data; boundary=x"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-encoding", "gzip"),
    ] {
        let request = post(&browser, PATH, &token).header(name, value).body(valid.clone());
        let answer = browser.send(request).await;
        assert_eq!(problem(&answer).1, "unsupported_media_type", "{value}");
    }
    let request = browser.program(Method::GET, PATH).bearer_auth(&token);
    assert_eq!(problem(&browser.send(request).await).1, "method_not_allowed");
    let request = browser.program(Method::GET, "/api/v1/nothing").bearer_auth(&token);
    assert_eq!(problem(&browser.send(request).await).1, "not_found");
    assert_eq!(service.database.count("evidence").await, 0);
}

#[tokio::test]
async fn a_file_beyond_the_limits_is_refused() {
    let service = Service::with(RequestSettings {
        evidence: EvidenceLimits::new(10 << 10, Duration::from_secs(60)),
        ..RequestSettings::default()
    })
    .await;
    service.apply_catalog(PAY).await;
    let token = service.program_token("loopiq:import").await;
    let large = junit(200, "large");
    assert!(large.len() > 10 << 10);
    let (status, code, detail) = problem(&send(&service, PATH, &token, large.clone()).await);
    assert!(
        status == 413 && code == "too_large" && detail.contains("10 KiB"),
        "{detail}"
    );
    // Without a declared size, the service counts.
    let mut stream = connect(&service, &token, "Transfer-Encoding: chunked").await;
    for chunk in large.chunks(1_000) {
        stream
            .write_all(format!("{:x}\r\n", chunk.len()).as_bytes())
            .await
            .unwrap();
        stream.write_all(chunk).await.unwrap();
        stream.write_all(b"\r\n").await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let answer = read(stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");

    let budget = &service.state.requests.evidence.budget;
    let others = budget.try_acquire_many(20 << 10).unwrap();
    let answer = send(&service, PATH, &token, junit(1, "busy")).await;
    assert_eq!((problem(&answer).0, answer.header("retry-after")), (503, "5"));
    assert_eq!(service.database.count("evidence").await, 0);
    drop(others);
    report(&send(&service, PATH, &token, junit(1, "busy")).await);
    assert_eq!(budget.available_permits(), 20 << 10);
}

/// A connection on which the head of a request was sent.
async fn connect(service: &Service, token: &str, framing: &str) -> TcpStream {
    let host = service.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{framing}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn read(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

/// Waits until the memory of all files is returned.
async fn until_idle(service: &Service) {
    let budget = &service.state.requests.evidence.budget;
    let all = 2 * service.state.requests.evidence.max_bytes;
    for _ in 0..1_000 {
        if budget.available_permits() == all {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} of {all}", budget.available_permits());
}

#[tokio::test]
async fn a_file_that_is_cut_off_leaves_nothing_behind() {
    let service = Service::with(RequestSettings {
        timeout: Duration::from_secs(1),
        ..RequestSettings::default()
    })
    .await;
    service.apply_catalog(PAY).await;
    let token = service.program_token("loopiq:import").await;
    let file = junit(50, "cut");
    let framing = format!("Content-Length: {}", file.len());
    // The client closes the connection.
    let mut stream = connect(&service, &token, &framing).await;
    stream.write_all(&file[..file.len() / 2]).await.unwrap();
    drop(stream);
    // The client says that nothing more comes.
    let mut stream = connect(&service, &token, &framing).await;
    stream.write_all(&file[..file.len() / 2]).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = read(stream).await;
    assert!(
        answer.is_empty() || answer.contains("ended before it was complete"),
        "{answer}"
    );
    // The client stops sending.
    let mut stream = connect(&service, &token, &framing).await;
    stream.write_all(&file[..file.len() / 2]).await.unwrap();
    let answer = read(stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 408 ") && answer.contains("did not arrive in time"),
        "{answer}"
    );
    until_idle(&service).await;
    assert_eq!(service.database.count("evidence").await, 0);
    assert_eq!(service.database.count("findings").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_sent_twice_at_once_is_imported_once() {
    let service = Service::start().await;
    service.apply_catalog(PAY).await;
    let token = service.program_token("loopiq:import").await;
    // One transaction, and many.
    for (run, failures) in [("small", 20), ("large", 1_500)] {
        let file = junit(failures, run);
        let (one, two) = tokio::join!(
            send(&service, PATH, &token, file.clone()),
            send(&service, PATH, &token, file)
        );
        let (one, two) = (report(&one), report(&two));
        let whole = [&one, &two].into_iter().filter(|report| report["unchanged"] == false);
        let whole: Vec<_> = whole.collect();
        assert_eq!(whole.len(), 1, "{run}: {one} {two}");
        assert_eq!(
            (&whole[0]["newFindings"], &whole[0]["knownFindings"]),
            (&json!(failures), &json!(0)),
            "{run}"
        );
    }
    assert_eq!(service.database.count("findings").await, 1_520);
    assert_eq!(service.database.count("evidence WHERE complete = 1").await, 2);
    assert_eq!(service.entries("evidence.imported").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_is_finished_also_if_its_client_goes_away() {
    let service = Service::start().await;
    service.apply_catalog(PAY).await;
    let token = service.program_token("loopiq:import").await;
    let file = junit(2_000, "away");
    let mut stream = connect(&service, &token, &format!("Content-Length: {}", file.len())).await;
    stream.write_all(&file).await.unwrap();
    for _ in 0..1_000 {
        if service.database.count("imports").await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(stream);
    until_idle(&service).await;
    assert_eq!(service.database.count("findings").await, 2_000);
    let again = report(&send(&service, PATH, &token, file).await);
    assert_eq!(again["unchanged"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_takes_too_long_goes_on() {
    let service = Service::with(RequestSettings {
        evidence: EvidenceLimits::new(4 << 20, Duration::from_secs(1)),
        ..RequestSettings::default()
    })
    .await;
    service.apply_catalog(PAY).await;
    let token = service.program_token("loopiq:import").await;
    let file = junit(20_000, "slow");
    let answer = send(&service, PATH, &token, file).await;
    let (status, _, detail) = problem(&answer);
    assert!(status == 503 && detail.contains("The import goes on"), "{detail}");
    assert_eq!(answer.header("retry-after"), "15");
    until_idle(&service).await;
    assert_eq!(service.database.count("findings").await, 20_000);
    assert_eq!(service.database.count("evidence WHERE complete = 1").await, 1);
}
