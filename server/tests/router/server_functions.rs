//! The middleware of server functions: what they accept, and how they refuse.

use crate::support::{Answer, Browser, Service};
use loopiq_server::pages::function_paths;
use reqwest::Method;
use serde_json::Value;

const FORM: &str = "application/x-www-form-urlencoded";

async fn send(browser: &mut Browser, html: bool, path: &str, kind: Option<&str>, body: &[u8]) -> Answer {
    let request = if html {
        browser.request(Method::POST, path)
    } else {
        browser.program(Method::POST, path).header("accept", "application/json")
    };
    let request = match kind {
        Some(kind) => request.header("content-type", kind),
        None => request,
    };
    let request = request.header("sec-fetch-site", "same-origin");
    browser.send(request.body(body.to_vec())).await
}

#[tokio::test]
async fn an_invalid_form_is_refused() {
    let service = Service::start().await;
    let mut browser = service.signed_in("reviewer@acme.example").await;
    let bodies: [&[u8]; 5] = [b"id[a][b]=x", b"id=x&id=y", b"id=\xff", b"id=%ff", b"id[[[=x"];
    for path in ["/do/approve", "/do/execute", "/do/ask"] {
        for body in bodies {
            for html in [true, false] {
                let answer = send(&mut browser, html, path, Some(FORM), body).await;
                let shown = String::from_utf8_lossy(body);
                // A body that one parser accepts as text is refused by the engine, with the same statuses.
                assert!(
                    matches!(answer.status, 400 | 404),
                    "{path} {shown}: {} {}",
                    answer.status,
                    answer.text
                );
                assert!(!answer.location().contains("__err"), "{}", answer.location());
            }
        }
        let answer = send(&mut browser, true, path, Some(FORM), bodies[0]).await;
        assert_eq!(answer.status, 400);
        assert!(
            answer.text.contains("Invalid form") && answer.text.contains("nothing was changed"),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn only_one_content_type_is_accepted() {
    let service = Service::start().await;
    let mut browser = service.signed_in("reviewer@acme.example").await;
    for path in function_paths() {
        for kind in [
            None,
            Some("text/plain"),
            Some("application/json"),
            Some("application/cbor"),
            Some("multipart/form-data; boundary=x"),
            Some("application/x-www-form-urlencoded2"),
        ] {
            for html in [true, false] {
                let answer = send(&mut browser, html, &path, kind, b"id=x").await;
                // The draft of a catalog has files, but this is no such form.
                let has_files = path.contains("catalog") && kind.is_some_and(|kind| kind.starts_with("multipart"));
                let status = if has_files { 400 } else { 415 };
                assert_eq!((answer.status, answer.location()), (status, ""), "{path} {kind:?}");
            }
        }
    }
    for kind in [FORM, "Application/X-WWW-Form-Urlencoded; charset=UTF-8"] {
        let answer = send(&mut browser, false, "/do/execute", Some(kind), b"id=x").await;
        assert_eq!(answer.status, 404, "{kind}: {}", answer.text);
    }
}

#[tokio::test]
async fn no_redirect_goes_to_the_referer() {
    let service = Service::start().await;
    let mut browser = service.signed_in("reviewer@acme.example").await;
    for path in function_paths() {
        for body in ["", "id=x", "id[a][b]=x", "source=%5B&base=1"] {
            let request = browser
                .request(Method::POST, &path)
                .header("sec-fetch-site", "same-origin")
                .header("referer", "http://evil.example/page")
                .header("content-type", FORM)
                .body(body);
            let answer = browser.send(request).await;
            let to = answer.location();
            assert!(!to.contains("evil") && !to.contains("__err"), "{path} {body}: {to}");
            assert_eq!(
                answer.status == 303,
                !to.is_empty(),
                "{path} {body}: {} {to}",
                answer.status
            );
            assert_ne!(answer.status, 500, "{path} {body}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_refusal_has_a_status_and_a_message() {
    let service = Service::start().await;
    let unknown = "act_00000000000000000000000000";
    for (email, path, form, status) in [
        // A reviewer may do this, but there is no such action.
        ("reviewer@acme.example", "/do/execute", format!("id={unknown}"), 404),
        (
            "reviewer@acme.example",
            "/do/approve",
            format!("id={unknown}&digest=x"),
            404,
        ),
        (
            "reviewer@acme.example",
            "/do/action-status",
            "id=nonsense".to_owned(),
            404,
        ),
        // Operators cannot decide, and reviewers cannot activate a policy.
        (
            "operator@acme.example",
            "/do/approve",
            format!("id={unknown}&digest=x"),
            403,
        ),
        (
            "reviewer@acme.example",
            "/do/switch-policy",
            "source=&base=1".to_owned(),
            403,
        ),
        ("reviewer@acme.example", "/do/check-policy", "source=".to_owned(), 403),
        // The operator's policy is invalid.
        (
            "operator@acme.example",
            "/do/switch-policy",
            "source=%5B&base=1".to_owned(),
            400,
        ),
    ] {
        let mut browser = service.signed_in(email).await;
        let answer = send(&mut browser, false, path, Some(FORM), form.as_bytes()).await;
        assert_eq!(answer.status, status, "{path} as {email}: {}", answer.text);
        // Islands read the same JSON for each status.
        let outcome: Value = serde_json::from_str(&answer.text).unwrap();
        assert!(outcome["done"] == false || outcome.get("done").is_none(), "{outcome}");
        let words = outcome.get("message").or(outcome.get("words")).unwrap();
        assert!(words.as_str().is_some_and(|words| !words.is_empty()), "{outcome}");
        assert_eq!(answer.location(), "");
        if matches!(status, 403 | 404) && path != "/do/action-status" {
            let page = send(&mut browser, true, path, Some(FORM), form.as_bytes()).await;
            assert_eq!((page.status, page.location()), (status, ""), "{path} as {email}");
            assert!(
                page.text.contains(&format!("Status {status}")) && page.header("content-type").starts_with("text/html"),
                "{}",
                page.text
            );
        }
    }
}

#[tokio::test]
async fn u0000_is_refused_in_paths_queries_and_forms() {
    let service = Service::start().await;
    let mut browser = service.signed_in("reviewer@acme.example").await;
    for path in [
        "/actions/%00",
        "/audit?q=a%00b",
        "/?text=%00",
        "/login?return_to=/%00",
        "/nothing%00",
        "/favicon.svg%00",
        "/mcp?x=%00",
        "/settings/policy?version=%00",
    ] {
        assert_eq!(browser.get(path).await.status, 400, "{path}");
    }
    for path in function_paths() {
        for body in ["text=a%00b", "id=x&text=%00", "a%00=x", "source=\0"] {
            for html in [true, false] {
                let answer = send(&mut browser, html, &path, Some(FORM), body.as_bytes()).await;
                assert_eq!(answer.status, 400, "{path} {body:?}");
                assert!(answer.text.contains("U+0000"), "{}", answer.text);
            }
        }
    }
    // The session is unchanged.
    assert_eq!(browser.get("/").await.status, 200);
    // An encoded percent sign with two zeros behind it is ordinary text.
    let answer = send(&mut browser, false, "/do/execute", Some(FORM), b"id=100%2500").await;
    assert_eq!(answer.status, 404);
}
