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

#[tokio::test]
async fn a_form_of_another_tenant_changes_nothing_and_keeps_the_text() {
    let service = service().await;
    let mut browser = service.browser();
    browser.sign_in(BOTH, "/login").await;
    choose(&mut browser, "acme", "/").await;
    // Every form of the pages names the tenant.
    for path in ["/settings/catalog", "/settings/policy", "/settings/sessions"] {
        let page = browser.get(path).await;
        for form in page
            .text
            .split("<form ")
            .skip(1)
            .filter(|form| form.contains("action=\"/do/"))
        {
            let form = form.split("</form>").next().unwrap();
            assert!(form.contains("name=\"tenant\" value=\"acme\""), "{path}: {form}");
        }
    }
    choose(&mut browser, "globex", "/").await;
    let (source, note) = ("expiry_hours.low = 1 # <b>", "for acme only");
    for function in function_paths() {
        let form = [
            ("tenant", "acme"),
            ("source", source),
            ("note", note),
            ("base", "1"),
            ("id", "x"),
        ];
        let request = browser
            .request(Method::POST, &function)
            .header("sec-fetch-site", "same-origin")
            .header("referer", format!("{}/settings/policy?x=1", service.url))
            .form(&form);
        let answer = browser.send(request).await;
        assert_eq!(answer.status, 409, "{function}: {}", answer.text);
        for says in [
            "You opened this page in acme, and this browser works in globex now, so nothing was changed.",
            "Switch to acme",
            "name=\"return_to\" value=\"/settings/policy\"",
            "expiry_hours.low = 1 # &lt;b&gt;</textarea>",
            "for acme only</textarea>",
        ] {
            assert!(answer.text.contains(says), "{function} {says}: {}", answer.text);
        }
    }
    for wrong in ["", "a b", "<b>"] {
        let answer = browser
            .post("/do/check-policy", &[("tenant", wrong), ("source", source)])
            .await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text);
    }
    let right = browser
        .post(
            "/do/check-policy",
            &[("tenant", "globex"), ("source", source), ("base", "1")],
        )
        .await;
    assert_ne!(right.status, 409, "{}", right.text);
    // Without a session the text is kept too, and with a role that was taken away.
    let mut nobody = service.browser();
    let answer = nobody.post("/do/reject", &[("text", "Not in this <release>.")]).await;
    assert_eq!(answer.status, 401);
    assert!(
        answer.text.contains("Not in this &lt;release&gt;.</textarea>"),
        "{}",
        answer.text
    );
    let denied = browser
        .post("/do/switch-policy", &[("source", source), ("base", "1")])
        .await;
    assert!(
        denied.status == 403 && denied.text.contains("# &lt;b&gt;</textarea>"),
        "{}",
        denied.text
    );
}
