//! Signing in, through the demo's identity provider: the same code as with any other.

use crate::support::{Browser, Service};
use loopiq::domain::{Role, Timestamp};
use loopiq_server::auth::Sessions;
use loopiq_server::http::{function_paths, page_paths};
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
    assert_eq!(browser.cookie, None, "nobody has a session before they are known");
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

    // An ID that was known before the sign-in is worth nothing.
    let before = format!("loopiq_session={before}");
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

/// How many rows the table of sessions has.
async fn sessions(service: &Service) -> i64 {
    let mut connection = service.database.connect().await;
    sqlx::query_scalar("SELECT COUNT(*) FROM sessions")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn whoever_is_not_signed_in_writes_nothing_to_the_database() {
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
    // The demo's provider said no, and yes to somebody who may do nothing here.
    let mut browser = service.browser();
    let cancelled = browser.choose("/login", ("cancel", "yes")).await;
    assert_eq!(browser.get(&cancelled).await.status, 400);
    assert_eq!(browser.sign_in("guest@acme.example", "/login").await.status, 403);
    assert_eq!(sessions(&service).await, 0);

    service.signed_in(REVIEWER).await;
    assert_eq!(sessions(&service).await, 1);
}

#[tokio::test]
async fn a_sign_in_under_way_is_sealed_in_a_cookie_of_this_browser() {
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
        "browsers take no larger one"
    );

    // Changed, under another name, or sealed by another installation: none of them is an answer to anything.
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
    let flipped = if value.ends_with('A') { "B" } else { "A" };
    let changed = format!("{flipped}{}", &value[1..]);
    for wrong in [changed.as_str(), &foreign, &another, "", "%00", "x"] {
        let mut thief = service.browser();
        thief.others.insert(name.clone(), wrong.to_owned());
        assert_eq!(thief.get(&callback).await.status, 400, "{wrong}");
    }
    let again = browser.others.clone();
    assert_eq!(browser.get(&callback).await.status, 303);
    assert!(browser.others.is_empty(), "it is taken back with the answer");
    // Whoever kept the cookie and the address: the provider takes no code twice.
    let mut replayed = service.browser();
    replayed.others = again;
    assert_eq!(replayed.get(&callback).await.status, 400);
    assert_eq!(replayed.cookie, None);
}

#[tokio::test]
async fn a_browser_keeps_five_sign_ins_at_most() {
    let service = Service::start().await;
    let mut browser = service.browser();
    let first = browser.choose("/login?return_to=/first", ("person", REVIEWER)).await;
    for n in 0..8 {
        service.pass(Timestamp::SECOND);
        browser.get(&format!("/login?return_to=/{n}")).await;
        assert!(browser.others.len() <= 5, "{:?}", browser.others);
    }
    assert_eq!(browser.others.len(), 5);
    assert_eq!(browser.get(&first).await.status, 400, "the oldest one made room");
    let last = browser.choose("/login?return_to=/last", ("person", REVIEWER)).await;
    assert_eq!(browser.get(&last).await.location(), "/last");
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
    let sessions = Sessions::new(service.app.store.clone(), service.app.runtime.clone());
    let nobody = loopiq::domain::PersonId::from_bits(7);
    let who = serde_json::json!({ "tenant": "acme", "person": nobody, "seen": service.app.runtime.now().0 });
    let mut browser = with_session(&service, &sessions, who).await;
    let answer = browser.get("/").await;
    assert_eq!((answer.status, answer.location()), (303, "/login"));
    assert_eq!(browser.cookie, None, "the cookie is taken back");
}

#[tokio::test]
async fn a_session_of_another_version_is_none() {
    let service = Service::start().await;
    let sessions = Sessions::new(service.app.store.clone(), service.app.runtime.clone());
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
    let sessions = Sessions::new(service.app.store.clone(), service.app.runtime.clone());
    let mut first = record();
    sessions.create(&mut first).await.unwrap();
    let mut second = Record {
        id: first.id,
        ..record()
    };
    sessions.create(&mut second).await.unwrap();
    assert_ne!(first.id, second.id, "a taken ID is not given out twice");

    let now = service.app.runtime.now();
    assert_eq!(
        service.app.store.session(&first.id.to_string(), now).await.unwrap(),
        None
    );
    assert!(sessions.load(&first.id).await.unwrap().is_some());
    sessions.delete(&first.id).await.unwrap();
    // A request that was under way when the session ended.
    sessions.save(&first).await.unwrap();
    assert!(sessions.load(&first.id).await.unwrap().is_none());

    let mut nobody_s = Record {
        data: Default::default(),
        ..record()
    };
    assert!(
        sessions.create(&mut nobody_s).await.is_err(),
        "nobody is signed in there"
    );
}

fn record() -> Record {
    let who = serde_json::json!({ "tenant": "acme", "person": "per_x", "seen": 0 });
    Record {
        id: Id::default(),
        data: [("who".to_owned(), who)].into(),
        expiry_date: time::OffsetDateTime::UNIX_EPOCH,
    }
}
