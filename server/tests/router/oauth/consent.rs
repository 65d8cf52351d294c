//! The consent page: who is asked, what it says, and who can answer.

use super::{LEAD, TestClient, answer, parameters, sealed};
use crate::support::Service;
use loopiq::domain::Timestamp;
use reqwest::Method;
use serde_json::json;

const EVERY: &str = "loopiq:read loopiq:propose loopiq:import loopiq:catalog loopiq:audit";

#[tokio::test]
async fn a_client_gets_no_more_than_the_roles_of_its_person() {
    let service = Service::start().await;
    let client = TestClient::registered(&service, "Helix").await;
    let mut lead = service.signed_in(LEAD).await;
    let page = lead.get(&client.request(&[("scope", EVERY)])).await;
    assert!(
        page.text
            .contains("Your roles don&#39;t permit: loopiq:import, loopiq:catalog"),
        "{}",
        page.text
    );
    let code = parameters(answer(&mut lead, &page, "allow").await.location())["code"].clone();
    let (_, tokens) = client.exchange(&code, &[]).await;
    assert_eq!(tokens["scope"], "loopiq:read loopiq:propose loopiq:audit");

    let mut auditor = service.signed_in("auditor@acme.example").await;
    let refused = auditor.get(&client.request(&[])).await;
    let refused = parameters(refused.location());
    assert_eq!(
        (refused["error"].as_str(), refused["state"].as_str()),
        ("access_denied", "of the client")
    );
    assert!(
        refused["error_description"].contains("roles") && refused["iss"] == service.url,
        "{refused:?}"
    );
    let mut guest = service.browser();
    let login = guest.get(&client.request(&[])).await;
    let no_role = guest.sign_in("guest@acme.example", login.location()).await;
    assert_eq!(no_role.status, 403);
}

#[tokio::test]
async fn a_person_who_says_no_sends_the_client_away() {
    let service = Service::start().await;
    let client = TestClient::registered(&service, "Helix").await;
    let mut browser = service.signed_in(LEAD).await;
    let page = browser.get(&client.request(&[])).await;
    let denied = parameters(answer(&mut browser, &page, "deny").await.location());
    assert_eq!((denied["error"].as_str(), denied.get("code")), ("access_denied", None));
    let page = browser.get(&client.request(&[])).await;
    service.advance_clock(11 * Timestamp::MINUTE);
    let late = parameters(answer(&mut browser, &page, "allow").await.location());
    assert_eq!(late["error"], "access_denied");
    assert!(service.entries("client.allowed").await.is_empty());
}

#[tokio::test]
async fn only_the_session_that_was_asked_answers() {
    let service = Service::start().await;
    let client = TestClient::registered(&service, "Helix").await;
    let mut browser = service.signed_in(LEAD).await;
    let page = browser.get(&client.request(&[])).await;
    let question = sealed(&page);
    let form = [("request", question.as_str()), ("decision", "allow")];
    let mut other = service.signed_in(LEAD).await;
    let refused = other.post("/oauth/authorize", &form).await;
    assert!(
        refused.status == 400 && refused.text.contains("in another session"),
        "{}",
        refused.text
    );
    let cross_site = browser
        .request(Method::POST, "/oauth/authorize")
        .header("sec-fetch-site", "cross-site")
        .header("origin", "https://evil.example")
        .form(&form);
    assert_eq!(browser.send(cross_site).await.status, 403);
    assert_eq!(service.browser().post("/oauth/authorize", &form).await.status, 401);
    for (request, decision) in [
        ("", "allow"),
        (&question[1..], "allow"),
        (client.id.as_str(), "allow"),
        (&question, "maybe"),
        (&question, ""),
    ] {
        let refused = browser
            .post("/oauth/authorize", &[("request", request), ("decision", decision)])
            .await;
        assert_eq!((refused.status, refused.location()), (400, ""), "{request} {decision}");
    }
    assert!(service.entries("client.allowed").await.is_empty());
}

#[tokio::test]
async fn the_page_lets_its_form_lead_to_the_client_and_nowhere_else() {
    let service = Service::start().await;
    let client = TestClient::registered(&service, "<b>Helix</b>\u{202E}").await;
    let mut browser = service.signed_in(LEAD).await;
    let page = browser.get(&client.request(&[])).await;
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("form-action 'self' http://127.0.0.1:51234;"),
        "{policy}"
    );
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert_eq!(
        (page.header("x-frame-options"), page.header("cache-control")),
        ("DENY", "no-store")
    );
    assert!(page.text.contains("&lt;b&gt;Helix&lt;/b&gt;⟦U+202E⟧"), "{}", page.text);
}

#[tokio::test]
async fn a_person_of_several_tenants_sees_which_one_and_can_choose_another() {
    let service = Service::start().await;
    service.create_tenant("globex", "Globex").await;
    let client = TestClient::registered(&service, "Helix").await;
    let mut browser = service.browser();
    let request = client.request(&[]);
    let login = browser.get(&request).await;
    let back = browser.sign_in("both@many.example", login.location()).await;
    assert!(
        back.location().starts_with("/auth/tenant?return_to="),
        "{}",
        back.location()
    );
    let chosen = browser
        .post("/auth/tenant", &[("tenant", "globex"), ("return_to", &request)])
        .await;
    assert_eq!(chosen.location(), request);
    let page = browser.get(&request).await;
    assert!(
        page.text.contains("Globex (globex)") && page.text.contains("Another organisation"),
        "{}",
        page.text
    );
    answer(&mut browser, &page, "allow").await;
    let allowed = service.entries("client.allowed").await.pop().expect("an entry");
    assert_eq!(allowed["details"]["person"]["email"], json!("both@many.example"));
}
