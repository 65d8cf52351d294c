//! One person in several tenants: the choice after the sign-in, and the switch.

use crate::support::{Browser, Service};
use loopiq::domain::Timestamp;
use loopiq_server::pages::function_paths;
use reqwest::Method;

const BOTH: &str = "both@many.example";

async fn service() -> Service {
    let service = Service::start().await;
    service.create_tenant("globex", "Globex <b>").await;
    service
}

/// Chooses a tenant, which must succeed.
async fn choose(browser: &mut Browser, tenant: &str, return_to: &str) {
    let chosen = browser
        .post("/auth/tenant", &[("tenant", tenant), ("return_to", return_to)])
        .await;
    assert_eq!((chosen.status, chosen.location()), (303, return_to), "{}", chosen.text);
}

/// The tenant in the header of a page.
async fn shown(browser: &mut Browser) -> String {
    let page = browser.get("/").await;
    assert_eq!(page.status, 200, "{}", page.text);
    let header = page.text.split("class=\"tenant\"").nth(1).unwrap();
    let header = header.split("class=\"person\"").next().unwrap();
    ["acme", "globex"]
        .into_iter()
        .find(|tenant| header.contains(&format!(">{tenant}<")) || header.contains(tenant))
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_person_of_two_tenants_chooses_one_and_comes_to_the_wanted_page() {
    let service = service().await;
    let mut browser = service.browser();
    let signed_in = browser.sign_in(BOTH, "/login?return_to=/settings/policy").await;
    assert_eq!(
        (signed_in.status, signed_in.location()),
        (303, "/auth/tenant?return_to=%2Fsettings%2Fpolicy")
    );
    let page = browser.get(signed_in.location()).await;
    assert_eq!(page.status, 200);
    for says in ["Acme (acme)", "Globex &lt;b&gt; (globex)", "value=\"/settings/policy\""] {
        assert!(page.text.contains(says), "{says}: {}", page.text);
    }
    assert!(!page.text.contains("nowhere"), "{}", page.text);
    assert!(
        service.entries("session.signed_in").await.is_empty(),
        "nobody works anywhere yet"
    );

    // Nothing but the choice and the sign-out is open.
    let open = browser.get("/settings/sessions").await;
    assert_eq!(
        (open.status, open.location()),
        (303, "/auth/tenant?return_to=%2Fsettings%2Fsessions")
    );
    for path in function_paths() {
        assert_eq!(browser.post(&path, &[("id", "x")]).await.status, 403, "{path}");
    }
    assert_eq!(browser.get("/api/v1/audit/checkpoint").await.status, 403);
    assert!(
        browser
            .get("/logout")
            .await
            .text
            .contains("not chosen an organisation yet")
    );

    for wrong in ["nowhere", "other", "", "ACME"] {
        let refused = browser.post("/auth/tenant", &[("tenant", wrong)]).await;
        assert!(
            refused.status == 403 && refused.text.contains("did not name this organisation"),
            "{wrong}: {}",
            refused.text
        );
    }
    let before = browser.cookie.clone();
    choose(&mut browser, "globex", "/settings/policy").await;
    assert_ne!(browser.cookie, before, "the session has a new secret");
    assert_eq!(shown(&mut browser).await, "globex");
    let [entry] = service.entries("session.signed_in").await.try_into().unwrap();
    assert_eq!(entry["actor"]["email"], BOTH);
    let mut thief = service.browser();
    thief.cookie = before;
    assert_eq!(thief.get("/").await.status, 303);
}

#[tokio::test]
async fn switching_starts_a_new_session_and_mixes_nothing() {
    let service = service().await;
    let mut browser = service.browser();
    browser.sign_in(BOTH, "/login").await;
    choose(&mut browser, "acme", "/").await;
    let page = browser.get("/").await.text;
    assert!(
        page.contains("href=\"/auth/tenant\"") && page.contains("Switch"),
        "{page}"
    );
    // A message that waits for the next page stays behind.
    assert_eq!(browser.post("/do/discard-policy-draft", &[]).await.status, 303);
    service.advance_clock(Timestamp::HOUR);
    let in_acme = browser.cookie.clone();
    choose(&mut browser, "globex", "/").await;
    assert_eq!(shown(&mut browser).await, "globex");
    let mut old = service.browser();
    old.cookie = in_acme;
    assert_eq!(old.get("/").await.status, 303, "the session in acme has ended");
    let row: (i64, i64, String) = sqlx::query_as("SELECT COUNT(*), MAX(ends_at - seen_at), MAX(data) FROM sessions")
        .fetch_one(&mut service.database.connect().await)
        .await
        .unwrap();
    assert_eq!(
        row,
        (1, 11 * Timestamp::HOUR, "{}".to_owned()),
        "no longer life, and no data of the other tenant"
    );
    // Another window that still has the previous session: it has ended, and nothing is recorded.
    let mut window = service.browser();
    window.cookie = old.cookie.clone();
    let late = window.post("/auth/tenant", &[("tenant", "globex")]).await;
    assert_eq!((late.status, late.location()), (303, "/login"), "{}", late.text);
    // The current tenant again changes nothing.
    let cookie = browser.cookie.clone();
    choose(&mut browser, "globex", "/").await;
    assert_eq!(browser.cookie, cookie);
    let [out] = service.entries("session.signed_out").await.try_into().unwrap();
    let [first, second] = service.entries("session.signed_in").await.try_into().unwrap();
    assert_eq!(out["source"]["session"], first["source"]["session"]);
    assert_ne!(
        first["actor"]["id"], second["actor"]["id"],
        "an account for each tenant"
    );

    // A role that was taken away in one tenant closes that one only.
    let reviewer = second["actor"]["id"].as_str().unwrap().to_owned();
    assert!(reviewer.starts_with("per_"));
    sqlx::query("UPDATE people SET roles = '[]' WHERE tenant = 'acme' AND email = 'both@many.example'")
        .execute(&mut service.database.connect().await)
        .await
        .unwrap();
    let closed = browser.post("/auth/tenant", &[("tenant", "acme")]).await;
    assert!(
        closed.status == 403 && closed.text.contains("no role"),
        "{}",
        closed.text
    );
    assert_eq!(shown(&mut browser).await, "globex");
}

#[tokio::test]
async fn one_tenant_that_exists_needs_no_choice_and_no_role_anywhere_is_said() {
    let service = service().await;
    let mut browser = service.browser();
    let signed_in = browser.sign_in("one@many.example", "/login?return_to=/audit").await;
    assert_eq!((signed_in.status, signed_in.location()), (303, "/audit"));
    let page = browser.get("/").await.text;
    assert!(!page.contains("Switch"), "{page}");
    let mut browser = service.browser();
    let refused = browser.sign_in("none@many.example", "/login").await;
    assert!(
        refused.status == 403 && refused.text.contains("no role"),
        "{}",
        refused.text
    );
    assert_eq!(browser.cookie, None);
    assert_eq!(
        service.entries("session.sign_in_failed").await.len(),
        2,
        "one in each tenant"
    );
}

#[tokio::test]
async fn the_choice_needs_a_session_and_this_site() {
    let service = service().await;
    let mut browser = service.browser();
    assert_eq!(browser.get("/auth/tenant").await.location(), "/login");
    assert_eq!(
        browser.post("/auth/tenant", &[("tenant", "acme")]).await.location(),
        "/login"
    );
    browser.sign_in(BOTH, "/login").await;
    let foreign = browser
        .request(Method::POST, "/auth/tenant")
        .header("sec-fetch-site", "cross-site");
    assert_eq!(browser.send(foreign.form(&[("tenant", "acme")])).await.status, 403);
    let elsewhere = browser
        .post("/auth/tenant", &[("tenant", "acme"), ("return_to", "//evil.example")])
        .await;
    assert_eq!((elsewhere.status, elsewhere.location()), (303, "/"));
    let out = browser.post("/logout", &[]).await;
    assert!(out.status == 200 && browser.cookie.is_none());
}
