//! Every page and every server function requires a sign-in. The lists come from the router, so that they include new ones.

use crate::support::Service;
use loopiq_server::pages::{function_paths, page_paths};
use reqwest::Method;

/// A path with a value for each parameter.
fn example(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { "x" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

#[tokio::test]
async fn every_page_redirects_to_the_sign_in() {
    let service = Service::start().await;
    let pages = page_paths();
    assert!(pages.len() >= 7, "{pages:?}");
    assert!(pages.iter().any(|page| page == "/settings/requests"), "{pages:?}");
    for page in pages {
        let path = example(&page);
        for cookie in [
            None,
            Some("loopiq_session=AAAAAAAAAAAAAAAAAAAAAA"),
            Some("loopiq_session=%00"),
        ] {
            let mut browser = service.browser();
            browser.cookie = cookie.map(str::to_owned);
            let answer = browser.get(&path).await;
            assert_eq!(answer.status, 303, "{path} with {cookie:?}");
            assert!(answer.location().starts_with("/login"), "{path}: {}", answer.location());
            assert!(answer.text.is_empty(), "{path}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn every_server_function_answers_401() {
    let service = Service::start().await;
    let functions = function_paths();
    assert!(functions.len() >= 15, "{functions:?}");
    for name in [
        "confirm-request",
        "decline-request",
        "withdraw-request",
        "link-people",
        "end-session",
        "end-sessions",
    ] {
        assert!(functions.iter().any(|path| path == &format!("/do/{name}")), "{name}");
    }
    for path in functions {
        assert!(path.starts_with("/do/"), "{path}");
        let mut browser = service.browser();
        let answer = browser.send(browser.program(Method::POST, &path)).await;
        assert_eq!((answer.status, answer.location()), (401, ""), "{path}");
        assert!(
            answer
                .text
                .starts_with("You're signed out. You were signed out before this was saved."),
            "{path}: {}",
            answer.text
        );
        for method in [Method::GET, Method::PUT] {
            let answer = browser.send(browser.program(method.clone(), &path)).await;
            assert!(matches!(answer.status, 401 | 405), "{method} {path}: {}", answer.status);
        }
    }
}

#[tokio::test]
async fn no_server_function_accepts_another_site_s_request() {
    let service = Service::start().await;
    let mut browser = service.signed_in("reviewer@acme.example").await;
    for path in function_paths() {
        let request = browser
            .request(Method::POST, &path)
            .header("sec-fetch-site", "cross-site");
        let request = request.header("origin", "https://evil.example").form(&[("id", "x")]);
        assert_eq!(browser.send(request).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn signed_in_every_page_responds_and_forbids_caching() {
    let service = Service::start().await;
    for email in ["lead@acme.example", "operator@acme.example"] {
        let mut browser = service.signed_in(email).await;
        for page in page_paths() {
            let answer = browser.get(&example(&page)).await;
            // Only operators may see operators' requests, and other people's sessions.
            let of_operators = ["/settings/requests", "/settings/access/"];
            let closed = of_operators.iter().any(|path| page.starts_with(path)) && email.starts_with("lead");
            let fits = matches!(answer.status, 200 | 400 | 404) && !closed;
            assert!(fits || (closed && answer.status == 403), "{page}: {}", answer.status);
            assert_eq!(answer.header("cache-control"), "no-store", "{page}");
        }
    }
}

#[tokio::test]
async fn a_prefetch_starts_no_sign_in() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let request = browser
        .request(Method::GET, "/")
        .header("sec-purpose", "prefetch;prerender");
    let answer = browser.send(request).await;
    assert_eq!((answer.status, answer.location()), (401, ""));
}

/// The service records no view for a prefetched page, so its forms could not decide. The browser has to request the page again.
#[tokio::test]
async fn an_action_cannot_be_prefetched() {
    let service = Service::start().await;
    let mut browser = service.signed_in("lead@acme.example").await;
    for (purpose, status) in [("prefetch", 403), ("Prefetch;prerender", 403), ("", 404)] {
        let request = browser
            .request(Method::GET, "/actions/act_01m88ccw31e1dak5afwfkxb3n4")
            .header("sec-purpose", purpose);
        assert_eq!(browser.send(request).await.status, status, "{purpose}");
    }
    let request = browser.request(Method::GET, "/").header("sec-purpose", "prefetch");
    assert_eq!(browser.send(request).await.status, 200);
}
