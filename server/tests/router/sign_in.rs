//! Signing in through the demo's identity provider.

use crate::support::Service;
use loopiq::domain::{Role, Timestamp};
use loopiq_server::pages::{function_paths, page_paths};
use tower_sessions::session::Id;

const REVIEWER: &str = "reviewer@acme.example";

#[tokio::test]
async fn after_the_sign_in_the_requested_page_opens() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let redirect = browser.get("/audit?q=actor%3Ax").await;
    assert_eq!(redirect.status, 303);
    assert_eq!(redirect.location(), "/login?return_to=%2Faudit%3Fq%3Dactor%253Ax");

    let callback = browser.choose(redirect.location(), ("person", REVIEWER)).await;
    assert_eq!(browser.cookie, None, "no session exists before the sign-in");
    let before = Id::default();
    browser.cookie = Some(format!("loopiq_session={before}"));
    let entered = browser.get(&callback).await;
    assert_eq!(
        (entered.status, entered.location()),
        (303, "/audit?q=actor%3Ax"),
        "{}",
        entered.text
    );
    let cookies = entered.headers.get_all("set-cookie").iter();
    let cookie = cookies
        .filter_map(|cookie| cookie.to_str().ok())
        .find(|cookie| cookie.starts_with("loopiq_session="))
        .unwrap();
    for part in ["loopiq_session=", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(!cookie.contains("Secure"), "a demo on http could not send it back");

    let inbox = browser.get("/").await;
    assert_eq!(inbox.status, 200);
    assert!(inbox.text.contains("Name of reviewer@acme.example"), "{}", inbox.text);

    // A session ID from before the sign-in is useless (session fixation).
    let before = format!("loopiq_session={before}");
    assert_ne!(browser.cookie.as_ref(), Some(&before));
    let mut thief = service.browser();
    thief.cookie = Some(before);
    assert_eq!(thief.get("/").await.status, 303);
}

#[tokio::test]
async fn a_callback_works_once_and_only_in_the_browser_that_started_the_sign_in() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let callback = browser.choose("/login", ("person", REVIEWER)).await;

    let elsewhere = service.browser().get(&callback).await;
    assert_eq!(elsewhere.status, 400);
    assert!(
        elsewhere
            .text
            .contains("does not belong to a sign-in that was started in this browser"),
        "{}",
        elsewhere.text
    );
    assert!(elsewhere.text.contains("Sign in again"));

    let other_state = callback.replace("state=", "state=x");
    assert_eq!(browser.get(&other_state).await.status, 400);

    assert_eq!(browser.get(&callback).await.status, 303);
    assert_eq!(browser.get(&callback).await.status, 400, "a second time");
    assert_eq!(browser.get("/").await.status, 200, "the session remains");
}

/// The number of stored sessions.
async fn sessions(service: &Service) -> i64 {
    let mut connection = service.database.connect().await;
    sqlx::query_scalar("SELECT COUNT(*) FROM sessions")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_client_that_is_not_signed_in_writes_nothing_to_the_database() {
    let service = Service::start().await;
    let paths = page_paths()
        .into_iter()
        .map(|path| path.replace("{id}", "x").replace("{seq}", "1"));
    for path in paths.chain(["/logout", "/nothing", "/auth/callback?code=a&state=b"].map(str::to_owned)) {
        service.browser().get(&path).await;
    }
    for path in function_paths() {
        service.browser().post(&path, &[("id", "x")]).await;
    }
    for n in 0..100 {
        let answer = service.browser().get(&format!("/login?return_to=/audit?q={n}")).await;
        assert_eq!(answer.status, 303);
        assert!(
            answer.location().contains("/demo-idp/authorize"),
            "{}",
            answer.location()
        );
    }
    // A cancelled sign-in, and a person without a role.
    let mut browser = service.browser();
    let cancelled = browser.choose("/login", ("cancel", "yes")).await;
    assert_eq!(browser.get(&cancelled).await.status, 400);
    assert_eq!(browser.sign_in("guest@acme.example", "/login").await.status, 403);
    assert_eq!(sessions(&service).await, 0);

    service.signed_in(REVIEWER).await;
    assert_eq!(sessions(&service).await, 1);
}

#[tokio::test]
async fn an_unfinished_sign_in_is_in_an_encrypted_cookie() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let answer = browser.get("/login?return_to=/audit").await;
    let cookie = answer.header("set-cookie");
    for part in ["loopiq_signin_", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=900"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    let state = answer
        .location()
        .split("state=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    assert!(!cookie.contains(state) && !cookie.contains("audit"), "{cookie}");
    let long = format!("/login?return_to=/{}", "%22".repeat(1_023));
    let longest = service.browser().get(&long).await;
    assert!(
        longest.header("set-cookie").len() < 4_096,
        "browsers accept no larger cookie"
    );

    // A cookie that was changed, has another name, or comes from another installation is useless.
    let mut browser = service.browser();
    let callback = browser.choose("/login", ("person", REVIEWER)).await;
    let (name, value) = browser
        .others
        .first_key_value()
        .map(|(name, value)| (name.clone(), value.clone()))
        .unwrap();
    let elsewhere = Service::start().await;
    let mut there = elsewhere.browser();
    there.choose("/login", ("person", REVIEWER)).await;
    let foreign = there.others.values().next().unwrap().clone();
    let mut other = service.browser();
    other.choose("/login", ("person", REVIEWER)).await;
    let another = other.others.values().next().unwrap().clone();
    let flipped = if value.starts_with('A') { "B" } else { "A" };
    let changed = format!("{flipped}{}", &value[1..]);
    for wrong in [changed.as_str(), &foreign, &another, "", "%00", "x"] {
        let mut thief = service.browser();
        thief.others.insert(name.clone(), wrong.to_owned());
        assert_eq!(thief.get(&callback).await.status, 400, "{wrong}");
    }
    let again = browser.others.clone();
    assert_eq!(browser.get(&callback).await.status, 303);
    assert!(browser.others.is_empty(), "the callback removes the cookie");
    // A replay of cookie and callback fails, because the provider accepts a code only once.
    let mut replayed = service.browser();
    replayed.others = again;
    assert_eq!(replayed.get(&callback).await.status, 400);
    assert_eq!(replayed.cookie, None);
}

#[tokio::test]
async fn a_browser_has_at_most_five_unfinished_sign_ins() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let first = browser.choose("/login?return_to=/first", ("person", REVIEWER)).await;
    for n in 0..8 {
        service.advance_clock(Timestamp::SECOND);
        browser.get(&format!("/login?return_to=/{n}")).await;
        assert!(browser.others.len() <= 5, "{:?}", browser.others);
    }
    assert_eq!(browser.others.len(), 5);
    assert_eq!(browser.get(&first).await.status, 400, "the oldest was removed");
    let last = browser.choose("/login?return_to=/last", ("person", REVIEWER)).await;
    assert_eq!(browser.get(&last).await.location(), "/last");
}

#[tokio::test]
async fn several_tabs_can_sign_in_at_the_same_time() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let first = browser.choose("/login?return_to=/audit", ("person", REVIEWER)).await;
    let second = browser
        .choose("/login?return_to=/actions/x", ("person", REVIEWER))
        .await;
    assert_eq!(browser.get(&first).await.location(), "/audit");
    assert_eq!(browser.get(&second).await.location(), "/actions/x");
}

#[tokio::test]
async fn an_error_has_a_message_and_a_link_to_start_again() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let cancelled = browser.choose("/login?return_to=/audit", ("cancel", "yes")).await;
    let page = browser.get(&cancelled).await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("No person was chosen"), "{}", page.text);
    assert!(page.text.contains("/login?return_to=%2Faudit"), "{}", page.text);

    for invalid in [
        "/auth/callback",
        "/auth/callback?code=a&code=b&state=c",
        "/auth/callback?code=a",
    ] {
        assert_eq!(browser.get(invalid).await.status, 400, "{invalid}");
    }

    let late = browser.choose("/login", ("person", REVIEWER)).await;
    service.advance_clock(11 * Timestamp::MINUTE);
    let page = browser.get(&late).await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("took too long"), "{}", page.text);
    assert_eq!(browser.get("/").await.status, 303, "not signed in");
}

#[tokio::test]
async fn text_from_the_callback_is_escaped_or_not_shown() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let callback = browser.choose("/login", ("cancel", "yes")).await;
    let evil = callback.replace("No+person+was+chosen.", "%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    assert_ne!(evil, callback);
    let page = browser.get(&evil).await;
    assert!(
        page.text.contains("&lt;script&gt;") && !page.text.contains("<script>"),
        "{}",
        page.text
    );
    // Without the right state it is not shown.
    let page = browser
        .get("/auth/callback?error=x&error_description=call+0900&state=y")
        .await;
    assert!(!page.text.contains("0900"), "{}", page.text);
}

#[tokio::test]
async fn return_to_accepts_only_local_paths() {
    let service = Service::start().await;
    for elsewhere in [
        "https://evil.example/",
        "//evil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
    ] {
        let mut browser = service.browser();
        let answer = browser
            .sign_in(REVIEWER, &format!("/login?return_to={elsewhere}"))
            .await;
        assert_eq!(answer.location(), "/", "{elsewhere}");
    }
}

#[tokio::test]
async fn people_without_tenant_or_role_get_an_explanation() {
    let service = Service::start().await;
    for (email, says) in [
        ("stranger@nowhere.example", "not set up here"),
        ("guest@acme.example", "no role"),
        ("painter@acme.example", "no role"),
    ] {
        let mut browser = service.browser();
        let answer = browser.sign_in(email, "/login").await;
        assert_eq!(answer.status, 403, "{email}");
        assert!(answer.text.contains(says), "{}", answer.text);
        assert_eq!(browser.get("/").await.status, 303, "{email} is not signed in");
    }
}

#[tokio::test]
async fn the_roles_of_the_last_sign_in_apply() {
    let service = Service::start().await;
    let mut browser = service.signed_in(REVIEWER).await;
    assert_eq!(browser.get("/").await.status, 200);
    service.assert_roles(REVIEWER, &[]).await;
    let page = browser.get("/").await;
    assert_eq!(page.status, 403);
    assert!(page.text.contains("no role"), "{}", page.text);
    service.assert_roles(REVIEWER, &[Role::Auditor]).await;
    assert_eq!(browser.get("/").await.status, 200);
}
