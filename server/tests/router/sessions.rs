//! Browser sessions: how long they live, and how they are stored.

use crate::support::{Browser, Service};
use loopiq::digest_key::DigestKey;
use loopiq::domain::{BrowserSession, Role, SessionId, TenantId, Timestamp};
use loopiq_server::auth::Sessions;
use loopiq_server::session_settings::SessionSettings;
use loopiq_testing::fixtures::{browser_session, new_session};
use reqwest::Method;
use tower_sessions::SessionStore as _;
use tower_sessions::session::{Id, Record};

const REVIEWER: &str = "reviewer@acme.example";

#[tokio::test]
async fn a_session_ends_eight_hours_after_its_last_use() {
    let service = Service::start().await;
    let mut browser = service.signed_in(REVIEWER).await;
    service.advance_clock(7 * Timestamp::HOUR);
    assert_eq!(browser.get("/").await.status, 200);
    service.advance_clock(8 * Timestamp::HOUR - Timestamp::MINUTE);
    assert_eq!(browser.get("/").await.status, 303, "twelve hours have passed");

    let mut browser = service.signed_in(REVIEWER).await;
    service.advance_clock(8 * Timestamp::HOUR);
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_whatever_its_use() {
    let service = Service::start().await;
    let mut browser = service.signed_in(REVIEWER).await;
    for _ in 0..11 {
        service.advance_clock(Timestamp::HOUR);
        assert_eq!(browser.get("/").await.status, 200);
    }
    service.advance_clock(Timestamp::HOUR);
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn the_use_of_a_session_is_stored_every_five_minutes() {
    let service = Service::start().await;
    let mut browser = service.signed_in(REVIEWER).await;
    let seen = async || {
        let sql = "SELECT seen_at - started_at FROM sessions WHERE address = '127.0.0.1' AND agent = 'Firefox'";
        let seen: Option<i64> = sqlx::query_scalar(sql)
            .fetch_optional(&mut service.database.connect().await)
            .await
            .unwrap();
        seen.map(|micros| micros / Timestamp::MINUTE)
    };
    for (minutes, stored) in [(4, None), (5, Some(5)), (9, Some(5)), (10, Some(10))] {
        let now = service.state.runtime.now().0 % Timestamp::HOUR / Timestamp::MINUTE;
        service.advance_clock((minutes - now) * Timestamp::MINUTE);
        let request = browser.request(Method::GET, "/").header("user-agent", "Firefox");
        let answer = browser.send(request).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (200, ""));
        assert_eq!(seen().await, stored, "after {minutes} minutes");
    }
}

#[tokio::test]
async fn a_deleted_person_is_signed_out() {
    let service = Service::start().await;
    let deleted = loopiq::domain::PersonId::from_bits(7);
    let holder = Some((TenantId::parse("acme").unwrap(), deleted));
    let mut browser = with_session(&service, browser_session(1, holder)).await;
    let answer = browser.get("/").await;
    assert_eq!((answer.status, answer.location()), (303, "/login"));
    assert_eq!(browser.cookie, None, "the cookie is removed");
}

#[tokio::test]
async fn a_session_that_was_inserted_without_the_key_signs_nobody_in() {
    let service = Service::start().await;
    let reviewer = service.assert_roles(REVIEWER, &[Role::Reviewer]).await;
    let holder = Some((TenantId::parse("acme").unwrap(), reviewer));
    let mut session = browser_session(1, holder);
    let mut own = with_session(&service, session.clone()).await;
    assert_eq!(own.get("/").await.status, 200, "with the key");

    let (id, end) = (Id::default(), Timestamp(i64::MAX));
    let attackers = DigestKey::derive(b"another key").of_session(&id.to_string());
    let plain = loopiq::domain::canonical::sha256_hex(id.to_string().as_bytes());
    for (n, digest) in (2..).zip([attackers, plain]) {
        session.id = SessionId::from_bits(n);
        let stored = service
            .state
            .store
            .create_session(new_session(&digest, &session, end), "{}")
            .await;
        assert!(stored.unwrap());
        let mut browser = service.browser();
        browser.cookie = Some(format!("loopiq_session={id}"));
        assert_eq!(browser.get("/").await.status, 303);
    }
}

async fn with_session(service: &Service, session: BrowserSession) -> Browser {
    let mut record = record(&session);
    sessions(service).create(&mut record).await.unwrap();
    let mut browser = service.browser();
    browser.cookie = Some(format!("loopiq_session={}", record.id));
    browser
}

fn sessions(service: &Service) -> Sessions {
    let state = &service.state;
    Sessions::new(
        state.store.clone(),
        state.runtime.clone(),
        SessionSettings {
            idle: i64::MAX / 4,
            ..state.sessions
        },
    )
}

#[tokio::test]
async fn sessions_are_stored_under_a_digest_and_stay_deleted() {
    let service = Service::start().await;
    let sessions = sessions(&service);
    let mut first = record(&browser_session(1, None));
    sessions.create(&mut first).await.unwrap();
    let mut second = Record {
        id: first.id,
        ..record(&browser_session(2, None))
    };
    sessions.create(&mut second).await.unwrap();
    assert_ne!(first.id, second.id, "an ID in use is not used again");

    let now = service.state.runtime.now();
    assert_eq!(
        service.state.store.session(&first.id.to_string(), now).await.unwrap(),
        None
    );
    assert!(sessions.load(&first.id).await.unwrap().is_some());
    sessions.delete(&first.id).await.unwrap();
    // A request that was in progress when the session ended.
    sessions.save(&first).await.unwrap();
    assert!(sessions.load(&first.id).await.unwrap().is_none());

    let mut without_user = Record {
        data: Default::default(),
        ..record(&browser_session(3, None))
    };
    assert!(
        sessions.create(&mut without_user).await.is_err(),
        "nobody is signed in there"
    );
}

fn record(session: &BrowserSession) -> Record {
    Record {
        id: Id::default(),
        data: [("session".to_owned(), serde_json::to_value(session).unwrap())].into(),
        expiry_date: time::OffsetDateTime::UNIX_EPOCH,
    }
}
