//! Browser sessions: how long they live, and how they are stored.

use crate::support::{Browser, Service};
use loopiq::domain::Timestamp;
use loopiq_server::auth::Sessions;
use tower_sessions::SessionStore as _;
use tower_sessions::session::{Id, Record};

const REVIEWER: &str = "reviewer@acme.example";

#[tokio::test]
async fn a_session_ends_eight_hours_after_its_last_use() {
    let service = Service::start().await;
    let mut browser = service.signed_in(REVIEWER).await;
    for _ in 0..3 {
        service.advance_clock(7 * Timestamp::HOUR);
        assert_eq!(browser.get("/").await.status, 200);
    }
    service.advance_clock(8 * Timestamp::HOUR);
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn reading_writes_no_session() {
    let service = Service::start().await;
    let mut browser = service.signed_in(REVIEWER).await;
    service.advance_clock(Timestamp::MINUTE);
    assert_eq!(browser.get("/").await.header("set-cookie"), "");
    service.advance_clock(15 * Timestamp::MINUTE);
    assert!(browser.get("/").await.header("set-cookie").contains("loopiq_session="));
}

#[tokio::test]
async fn a_deleted_person_is_signed_out() {
    let service = Service::start().await;
    let sessions = Sessions::new(service.state.store.clone(), service.state.runtime.clone());
    let deleted = loopiq::domain::PersonId::from_bits(7);
    let user = serde_json::json!({ "tenant": "acme", "person": deleted, "seen": service.state.runtime.now().0 });
    let mut browser = with_session(&service, &sessions, user).await;
    let answer = browser.get("/").await;
    assert_eq!((answer.status, answer.location()), (303, "/login"));
    assert_eq!(browser.cookie, None, "the cookie is removed");
}

#[tokio::test]
async fn a_session_of_another_version_counts_as_signed_out() {
    let service = Service::start().await;
    let sessions = Sessions::new(service.state.store.clone(), service.state.runtime.clone());
    let mut browser = with_session(&service, &sessions, serde_json::json!({ "user": 7 })).await;
    assert_eq!(browser.get("/").await.status, 303);
}

async fn with_session(service: &Service, sessions: &Sessions, user: serde_json::Value) -> Browser {
    let mut record = record();
    record.data.insert("who".to_owned(), user);
    sessions.create(&mut record).await.unwrap();
    let mut browser = service.browser();
    browser.cookie = Some(format!("loopiq_session={}", record.id));
    browser
}

#[tokio::test]
async fn sessions_are_stored_under_a_digest_and_stay_deleted() {
    let service = Service::start().await;
    let sessions = Sessions::new(service.state.store.clone(), service.state.runtime.clone());
    let mut first = record();
    sessions.create(&mut first).await.unwrap();
    let mut second = Record {
        id: first.id,
        ..record()
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
        ..record()
    };
    assert!(
        sessions.create(&mut without_user).await.is_err(),
        "nobody is signed in there"
    );
}

fn record() -> Record {
    let user = serde_json::json!({ "tenant": "acme", "person": "per_x", "seen": 0 });
    Record {
        id: Id::default(),
        data: [("who".to_owned(), user)].into(),
        expiry_date: time::OffsetDateTime::UNIX_EPOCH,
    }
}
