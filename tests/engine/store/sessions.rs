//! Browser sessions in the database.

use crate::world::World;
use loopiq::domain::{PersonId, TenantId, Timestamp};
use loopiq::store::Store;
use loopiq_testing::fixtures::{browser_session, new_session};

const NOW: Timestamp = Timestamp(1_000);
const LATER: Timestamp = Timestamp(2_000);

/// What pages keep in a session.
async fn data(store: &Store, digest: &str, now: Timestamp) -> Option<String> {
    let found = store.session(digest, now).await.expect("a look-up");
    found.map(|found| found.data)
}

#[tokio::test]
async fn sessions_are_kept_until_they_are_over() {
    let world = World::new().await;
    let store = world.engine.store();
    let [one, two, three] = [1, 2, 3].map(|n| browser_session(n, None));
    assert!(
        store
            .create_session(new_session("a", &one, LATER), "{}")
            .await
            .expect("kept")
    );
    let known = store.create_session(new_session("a", &two, LATER), "{\"x\":1}").await;
    assert!(!known.expect("known"), "a collision is told");
    assert_eq!(data(store, "a", NOW).await.as_deref(), Some("{}"));
    store.save_session("a", "{\"y\":\"ü\"}").await.expect("saved");
    assert_eq!(data(store, "a", NOW).await.as_deref(), Some("{\"y\":\"ü\"}"));
    assert_eq!(data(store, "a", LATER).await, None);
    store.save_session("b", "{}").await.expect("nothing");
    assert_eq!(data(store, "b", NOW).await, None, "what was ended stays ended");
    let soon = Timestamp(1_500);
    store
        .create_session(new_session("c", &three, soon), "{}")
        .await
        .expect("kept");
    assert_eq!(store.purge_sessions(Timestamp(1_600)).await.expect("purged"), 1);
    store.delete_session("a").await.expect("ended");
    assert_eq!(data(store, "a", NOW).await, None);
}

#[tokio::test]
async fn a_session_is_read_as_it_was_stored_and_used() {
    let world = World::new().await;
    let store = world.engine.store();
    let person = world.acme.person("reviewer");
    let mut session = browser_session(1, Some((world.acme.tenant.clone(), person.id.clone())));
    session.tenants.push(world.globex.tenant.clone());
    session.sign_in.sid = Some("provider's".to_owned());
    session.sign_in.authenticated_at = Some(Timestamp(7));
    session.sign_in.prompted = true;
    session.sign_in.acr = Some("urn:mfa".to_owned());
    session.sign_in.id_token = Some("a.b.c".to_owned());
    assert!(
        store
            .create_session(new_session("a", &session, LATER), "{}")
            .await
            .expect("kept")
    );
    let hint = session.sign_in.id_token.take();
    let found = store.session("a", NOW).await.expect("a look-up").expect("a session");
    assert_eq!((&found.session, found.person.as_ref()), (&session, Some(&person)));
    assert_eq!(store.session_id_token("a").await.expect("a look-up"), hint);
    assert_eq!(store.session_id_token("b").await.expect("a look-up"), None);

    session.seen_at = Timestamp(1_500);
    session.address = Some("192.0.2.1".to_owned());
    session.agent = Some("Browser/1".to_owned());
    store
        .touch_session("a", &session, Timestamp(3_000))
        .await
        .expect("touched");
    let found = store
        .session("a", LATER)
        .await
        .expect("a look-up")
        .expect("still a session");
    assert_eq!(found.session, session);
    // An older request that ends later does not set the session back.
    let older = browser_session(1, session.holder.clone());
    store.touch_session("a", &older, NOW).await.expect("nothing");
    let found = store
        .session("a", LATER)
        .await
        .expect("a look-up")
        .expect("still a session");
    assert_eq!(found.session, session);
}

#[tokio::test]
async fn nobody_is_looked_up_in_another_tenant() {
    let world = World::new().await;
    let store = world.engine.store();
    let person = world.acme.person("reviewer");
    let holder = |tenant: &TenantId| -> Option<(TenantId, PersonId)> { Some((tenant.clone(), person.id.clone())) };
    let cases = [
        ("own", holder(&world.acme.tenant), true),
        ("foreign", holder(&world.globex.tenant), false),
        ("none", None, false),
    ];
    for (n, (digest, holder, known)) in (1..).zip(cases) {
        let session = browser_session(n, holder);
        assert!(
            store
                .create_session(new_session(digest, &session, LATER), "{}")
                .await
                .expect("kept")
        );
        let found = store.session(digest, NOW).await.expect("a look-up").expect("a session");
        assert_eq!(found.person.is_some(), known, "{digest}");
    }
}
