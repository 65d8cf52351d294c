//! The site's static files, and unknown paths.

use crate::support::Service;
use loopiq_testing::SITE_SCRIPT;
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn files_with_a_hash_are_cached_for_ever_and_sent_compressed() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let plain = browser.get(SITE_SCRIPT).await;
    assert_eq!((plain.status, plain.text.as_str()), (200, "export default 1;"));
    assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(plain.header("vary"), "accept-encoding");

    let request = browser
        .request(Method::GET, SITE_SCRIPT)
        .header("accept-encoding", "gzip, br");
    let packed = browser.send(request).await;
    assert_eq!(
        (packed.header("content-encoding"), packed.text.as_str()),
        ("br", "packed js")
    );
    assert!(packed.header("content-type").contains("javascript"));
    assert_eq!(packed.header("cache-control"), "public, max-age=31536000, immutable");

    let wasm = browser.get(&SITE_SCRIPT.replace(".js", ".wasm")).await;
    assert_eq!(wasm.header("content-type"), "application/wasm");
}

#[tokio::test]
async fn other_files_are_cached_for_an_hour() {
    let service = Service::start().await;
    let icon = service.browser().get("/favicon.svg").await;
    assert_eq!(
        (icon.status, icon.header("cache-control")),
        (200, "public, max-age=3600")
    );
}

#[tokio::test]
async fn files_of_the_build_are_not_public() {
    let service = Service::start().await;
    for path in [
        "/hash.txt",
        "/%68ash.txt",
        "/./hash.txt",
        "//hash.txt",
        "/hash.txt/",
        "/pkg/../hash.txt",
        "/pkg/%2e%2e/hash.txt",
        "/HASH.TXT",
    ] {
        let answer = raw(&service, path).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(!answer.contains("0123456789abcdef\ncss"), "{path}: {answer}");
    }
}

/// Requests a path without normalization, which HTTP clients would do.
async fn raw(service: &Service, path: &str) -> String {
    let host = service.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn unknown_paths_get_a_404_page() {
    let service = Service::start().await;
    for mut browser in [service.browser(), service.signed_in("lead@acme.example").await] {
        for path in [
            "/nothing",
            "/pkg/nothing.js",
            "/pkg/",
            "/do/nothing",
            "/..%2f..%2fetc%2fpasswd",
            "/demo-idp/nothing",
        ] {
            let answer = browser.get(path).await;
            assert_eq!(answer.status, 404, "{path}");
            assert_ne!(
                answer.header("cache-control"),
                "public, max-age=31536000, immutable",
                "{path}"
            );
        }
        let page = browser.get("/nothing").await;
        assert!(page.text.contains("Page not found") && page.text.contains("/pkg/loopiq.0123456789abcdef.css"));
    }
    let mut browser = service.browser();
    let text = browser.send(browser.program(Method::GET, "/nothing")).await;
    assert!(text.header("content-type").starts_with("text/plain") && text.text.starts_with("Page not found."));
}

#[tokio::test]
async fn a_wrong_method_gets_405() {
    let service = Service::start().await;
    let answer = service.browser().post("/login", &[]).await;
    assert_eq!(answer.status, 405);
    assert!(
        answer.text.contains("does not accept the method POST"),
        "{}",
        answer.text
    );
}
