//! Signing out.

use crate::support::Service;
use loopiq_server::pages::function_paths;
use reqwest::Method;

#[tokio::test]
async fn signing_out_ends_the_session_itself() {
    let service = Service::start().await;
    let mut browser = service.signed_in("reviewer@acme.example").await;
    let stolen = browser.cookie.clone();

    let asked = browser.get("/logout").await;
    assert_eq!(asked.status, 200);
    assert!(
        asked.text.contains("method=\"post\" action=\"/logout\""),
        "{}",
        asked.text
    );
    assert_eq!(browser.get("/").await.status, 200, "opening the link does not sign out");

    let out = browser.post("/logout", &[]).await;
    assert_eq!(browser.cookie, None);
    for page in [out, browser.get("/logout").await] {
        assert!(page.status == 200 && page.text.contains("You&#39;re signed out") && page.text.contains("/login"));
    }
    assert_eq!(browser.get("/").await.status, 303);

    browser.cookie = stolen;
    assert_eq!(browser.get("/").await.status, 303, "the old cookie is useless");
    for path in function_paths() {
        assert_eq!(browser.post(&path, &[]).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn signing_out_without_a_session_succeeds() {
    let service = Service::start().await;
    let mut browser = service.browser();
    assert!(
        browser
            .post("/logout", &[])
            .await
            .text
            .contains("You&#39;re signed out")
    );
    assert!(browser.get("/logout").await.text.contains("You&#39;re signed out"));
}

#[tokio::test]
async fn another_site_cannot_sign_a_person_out() {
    let service = Service::start().await;
    let mut browser = service.signed_in("reviewer@acme.example").await;
    for header in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
    ] {
        let request = browser.request(Method::POST, "/logout").header(header.0, header.1);
        let answer = browser.send(request).await;
        assert_eq!(answer.status, 403, "{header:?}");
        assert!(answer.text.contains("Another site"), "{}", answer.text);
    }
    assert_eq!(browser.get("/").await.status, 200);
}
