//! Limits on every request, and headers of every response.

use crate::support::Service;
use loopiq_server::pages::function_paths;
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TOO_MUCH: usize = (1 << 20) + 1;

#[tokio::test]
async fn a_body_over_one_mebibyte_is_refused() {
    let service = Service::start().await;
    let mut browser = service.signed_in("reviewer@acme.example").await;
    let mut paths = function_paths();
    // `/mcp` authenticates first, and has its own limit and tests.
    paths.extend(["/logout", "/demo-idp/token", "/nothing"].map(str::to_owned));
    for path in paths {
        let declared = browser.request(Method::POST, &path).body(vec![b'x'; TOO_MUCH]);
        let answer = browser.send(declared).await;
        assert_eq!(answer.status, 413, "{path}");
    }
    assert!(
        chunked(&service, TOO_MUCH).await.starts_with("HTTP/1.1 413"),
        "a body without a declared length"
    );
    assert!(chunked(&service, 10).await.starts_with("HTTP/1.1 401"));
    assert_eq!(browser.get("/").await.status, 200);
}

/// Sends a body without a declared length, and returns the response.
async fn chunked(service: &Service, length: usize) -> String {
    let host = service.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.unwrap();
    let head =
        format!("POST /do/approve HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n");
    let body = format!("{length:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(length));
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn every_response_has_security_headers() {
    let service = Service::start().await;
    let mut browser = service.signed_in("reviewer@acme.example").await;
    for path in [
        "/",
        "/nothing",
        "/login",
        "/logout",
        "/healthz",
        "/favicon.svg",
        "/actions/x",
    ] {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'self'",
            "'wasm-unsafe-eval'",
            "style-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{part} for {path} in {policy}");
        }
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("strict-dynamic"),
            "{policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert!(!answer.header("permissions-policy").is_empty(), "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "not over http");
    }
}

#[tokio::test]
async fn the_only_inline_script_has_the_nonce_of_the_header() {
    let service = Service::start().await;
    let mut browser = service.signed_in("reviewer@acme.example").await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..2 {
        let page = browser.get("/").await;
        assert_eq!(page.status, 200, "{}", page.text);
        let policy = page.header("content-security-policy");
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert!(nonce.len() >= 22, "{nonce}");
        assert!(seen.insert(nonce.to_owned()), "a nonce is used once");
        let scripts: Vec<&str> = page
            .text
            .split("<script")
            .skip(1)
            .map(|rest| rest.split('>').next().unwrap())
            .collect();
        assert!(!scripts.is_empty());
        for script in scripts {
            assert!(
                script.contains(&format!("nonce=\"{nonce}\"")) || script.contains("src="),
                "<script{script}>"
            );
        }
        for inline in [" style=", "<style", " onclick=", "javascript:"] {
            assert!(!page.text.contains(inline), "{inline}");
        }
    }
}

#[tokio::test]
async fn a_request_gets_an_id_of_the_service_whatever_the_client_sends() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let request = browser
        .request(Method::GET, "/healthz")
        .header("x-request-id", "from-the-proxy-17");
    let mut seen = vec![browser.send(request).await.header("x-request-id").to_owned()];
    for hostile in ["a b c; drop everything".to_owned(), "x".repeat(20_000), seen[0].clone()] {
        let request = browser.request(Method::GET, "/healthz").header("x-request-id", hostile);
        seen.push(browser.send(request).await.header("x-request-id").to_owned());
    }
    assert!(
        seen.iter()
            .all(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())),
        "{seen:?}"
    );
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 4, "each request has an ID of its own");
}

#[tokio::test]
async fn a_demo_answers_only_to_names_of_loopback() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let port = service.url.rsplit(':').next().unwrap();
    let request = browser
        .request(Method::GET, "/healthz")
        .header("host", "rebound.example");
    let answer = browser.send(request).await;
    assert_eq!(answer.status, 421);
    let request = browser
        .request(Method::GET, "/audit?q=x")
        .header("host", format!("localhost:{port}"));
    let answer = browser.send(request).await;
    assert_eq!(
        (answer.status, answer.location()),
        (307, format!("{}/audit?q=x", service.url).as_str())
    );
    let request = browser.program(Method::GET, "/healthz");
    assert_eq!(
        browser
            .send(request.header("host", format!("localhost:{port}")))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn pages_are_compressed_for_clients_that_accept_it() {
    let service = Service::start().await;
    let mut browser = service.signed_in("reviewer@acme.example").await;
    let request = browser.request(Method::GET, "/").header("accept-encoding", "br");
    assert_eq!(browser.send(request).await.header("content-encoding"), "br");
    assert_eq!(browser.get("/").await.header("content-encoding"), "");
}
