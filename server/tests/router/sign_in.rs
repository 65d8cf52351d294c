//! Signing in, through the demo's identity provider: the same code as with any other.

use crate::support::{Browser, Service};
use loopiq::domain::{Role, Timestamp};
use loopiq_server::auth::Sessions;
use tower_sessions::SessionStore as _;
use tower_sessions::session::{Id, Record};

const REVIEWER: &str = "reviewer@acme.example";

#[tokio::test]
async fn a_person_signs_in_and_comes_to_the_page_they_asked_for() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let door = browser.get("/audit?q=actor%3Ax").await;
    assert_eq!(door.status, 303);
    assert_eq!(door.location(), "/login?return_to=%2Faudit%3Fq%3Dactor%253Ax");

    let callback = browser.choose(door.location(), ("person", REVIEWER)).await;
    let before = browser.cookie.clone().unwrap();
    let entered = browser.get(&callback).await;
    assert_eq!(
        (entered.status, entered.location()),
        (303, "/audit?q=actor%3Ax"),
        "{}",
        entered.text
    );
    let cookie = entered.header("set-cookie");
    for part in ["loopiq_session=", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(!cookie.contains("Secure"), "a demo on http could not send it back");

    let inbox = browser.get("/").await;
    assert_eq!(inbox.status, 200);
    assert!(inbox.text.contains("Name of reviewer@acme.example"), "{}", inbox.text);

    // The session's ID from before the sign-in is worth nothing.
    assert_ne!(browser.cookie.as_ref(), Some(&before));
    let mut thief = service.browser();
    thief.cookie = Some(before);
    assert_eq!(thief.get("/").await.status, 303);
}

#[tokio::test]
async fn an_answer_counts_once_and_only_in_the_browser_that_asked() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let callback = browser.choose("/login", ("person", REVIEWER)).await;

    let elsewhere = service.browser().get(&callback).await;
    assert_eq!(elsewhere.status, 400);
    assert!(
        elsewhere
            .text
            .contains("does not belong to the sign-in begun in this browser"),
        "{}",
        elsewhere.text
    );
    assert!(elsewhere.text.contains("Sign in again"));

    let other_state = callback.replace("state=", "state=x");
    assert_eq!(browser.get(&other_state).await.status, 400);

    assert_eq!(browser.get(&callback).await.status, 303);
    assert_eq!(browser.get(&callback).await.status, 400, "a second time");
    assert_eq!(browser.get("/").await.status, 200, "and what was there stays");
}

#[tokio::test]
async fn tabs_that_were_restored_together_can_all_sign_in() {
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
async fn what_goes_wrong_is_said_and_can_be_begun_again() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let cancelled = browser.choose("/login?return_to=/audit", ("cancel", "yes")).await;
    let page = browser.get(&cancelled).await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("No person was chosen"), "{}", page.text);
    assert!(page.text.contains("/login?return_to=%2Faudit"), "{}", page.text);

    for unreadable in [
        "/auth/callback",
        "/auth/callback?code=a&code=b&state=c",
        "/auth/callback?code=a",
    ] {
        assert_eq!(browser.get(unreadable).await.status, 400, "{unreadable}");
    }

    let late = browser.choose("/login", ("person", REVIEWER)).await;
    service.pass(11 * Timestamp::MINUTE);
    let page = browser.get(&late).await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("took too long"), "{}", page.text);
    assert_eq!(browser.get("/").await.status, 303, "nobody is signed in");
}

#[tokio::test]
async fn a_stranger_s_text_is_shown_as_text_or_not_at_all() {
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
    // Without the right state it is not even shown.
    let page = browser
        .get("/auth/callback?error=x&error_description=call+0900&state=y")
        .await;
    assert!(!page.text.contains("0900"), "{}", page.text);
}

#[tokio::test]
async fn return_to_leads_nowhere_else() {
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
async fn who_may_do_nothing_here_is_told_so() {
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
async fn roles_count_as_they_were_asserted_last() {
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

#[tokio::test]
async fn a_session_ends_eight_hours_after_its_last_use() {
    let service = Service::start().await;
    let mut browser = service.signed_in(REVIEWER).await;
    for _ in 0..3 {
        service.pass(7 * Timestamp::HOUR);
        assert_eq!(browser.get("/").await.status, 200);
    }
    service.pass(8 * Timestamp::HOUR);
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn reading_writes_no_session() {
    let service = Service::start().await;
    let mut browser = service.signed_in(REVIEWER).await;
    service.pass(Timestamp::MINUTE);
    assert_eq!(browser.get("/").await.header("set-cookie"), "");
    service.pass(15 * Timestamp::MINUTE);
    assert!(browser.get("/").await.header("set-cookie").contains("loopiq_session="));
}

#[tokio::test]
async fn somebody_who_is_gone_is_signed_out() {
    let service = Service::start().await;
    let sessions = Sessions::new(service.app.store.clone(), service.app.ports.clone());
    let nobody = loopiq::domain::PersonId::from_bits(7);
    let who = serde_json::json!({ "tenant": "acme", "person": nobody, "seen": service.app.ports.now().0 });
    let mut browser = with_session(&service, &sessions, who).await;
    let answer = browser.get("/").await;
    assert_eq!((answer.status, answer.location()), (303, "/login"));
    assert_eq!(browser.cookie, None, "the cookie is taken back");
}

#[tokio::test]
async fn a_session_of_another_version_is_none() {
    let service = Service::start().await;
    let sessions = Sessions::new(service.app.store.clone(), service.app.ports.clone());
    let mut browser = with_session(&service, &sessions, serde_json::json!({ "user": 7 })).await;
    assert_eq!(browser.get("/").await.status, 303);
}

async fn with_session(service: &Service, sessions: &Sessions, who: serde_json::Value) -> Browser {
    let mut record = record();
    record.data.insert("who".to_owned(), who);
    sessions.create(&mut record).await.unwrap();
    let mut browser = service.browser();
    browser.cookie = Some(format!("loopiq_session={}", record.id));
    browser
}

#[tokio::test]
async fn sessions_are_kept_under_a_digest_and_never_come_back() {
    let service = Service::start().await;
    let sessions = Sessions::new(service.app.store.clone(), service.app.ports.clone());
    let mut first = record();
    sessions.create(&mut first).await.unwrap();
    let mut second = Record {
        id: first.id,
        ..record()
    };
    sessions.create(&mut second).await.unwrap();
    assert_ne!(first.id, second.id, "a taken ID is not given out twice");

    let now = service.app.ports.now();
    assert_eq!(
        service.app.store.session(&first.id.to_string(), now).await.unwrap(),
        None
    );
    assert!(sessions.load(&first.id).await.unwrap().is_some());
    sessions.delete(&first.id).await.unwrap();
    // A request that was under way when the session ended.
    sessions.save(&first).await.unwrap();
    assert!(sessions.load(&first.id).await.unwrap().is_none());

    service.pass(15 * Timestamp::MINUTE);
    assert!(
        sessions.load(&second.id).await.unwrap().is_none(),
        "nobody is signed in there: it ends early"
    );
}

fn record() -> Record {
    Record {
        id: Id::default(),
        data: Default::default(),
        expiry_date: time::OffsetDateTime::UNIX_EPOCH,
    }
}
