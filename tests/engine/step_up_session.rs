//! The session of a person who signed in again before an approval: a new secret and a new sign-in, and the rest stays.

use crate::world::{TenantRecords, World};
use loopiq::domain::*;
use loopiq::engine::{Error, SignedInAgain};
use loopiq::store::NewSession;
use loopiq_testing::fixtures::browser_session;
use serde_json::json;

const END: Timestamp = Timestamp(4_102_444_800_000_000);

#[tokio::test]
async fn a_new_sign_in_replaces_the_session_of_the_same_person_in_the_same_tenant() {
    let world = World::new().await;
    let store = world.engine.store();
    let mut session = browser_session(1, Some((world.acme.tenant.clone(), world.acme.person("reviewer").id)));
    session.sign_in.subject = "reviewer@acme.example".to_owned();
    let old = session.id.clone();
    let new = NewSession {
        digest: "old".to_owned(),
        session,
        expires: END,
    };
    let data = "{\"draft\":\"kept\"}";
    assert!(store.create_session(new, data).await.expect("stored"));
    let action = ActionId::from_bits(7);
    let again = |from: &str, to: &str, of: &TenantRecords, role: &str, subject: &str| {
        let person = of.person(role);
        let mut session = browser_session(99, Some((of.tenant.clone(), person.id.clone())));
        session.sign_in.subject = subject.to_owned();
        session.sign_in.authenticated_at = Some(Timestamp(5));
        session.sign_in.acr = Some("mfa".to_owned());
        let new = NewSession {
            digest: to.to_owned(),
            session,
            expires: END,
        };
        let ctx = match of.tenant == world.acme.tenant {
            true => world.in_session(role, to),
            false => world.person_of(of, role),
        };
        let again = SignedInAgain {
            from: from.to_owned(),
            new,
            action: action.clone(),
        };
        (ctx, again)
    };
    // Another person, another tenant, another subject of the provider, and a session that does not exist.
    let (acme, globex) = (&world.acme, &world.globex);
    for (from, of, role, subject) in [
        ("old", acme, "lead", "lead@acme.example"),
        ("old", globex, "reviewer", "reviewer@acme.example"),
        ("old", acme, "reviewer", "somebody else"),
        ("ended", acme, "reviewer", "reviewer@acme.example"),
    ] {
        let (ctx, again) = again(from, "new", of, role, subject);
        let refused = world.engine.continue_session(&ctx, again).await;
        assert!(matches!(refused, Err(Error::NotAuthorized { .. })), "{refused:?}");
        let kept = store.session("old", Timestamp(0)).await.expect("read");
        assert!(kept.is_some() && world.count("sessions").await == 1, "nothing changed");
    }

    let (ctx, again) = again("old", "new", acme, "reviewer", "reviewer@acme.example");
    world
        .engine
        .continue_session(&ctx, again.clone())
        .await
        .expect("replaced");
    assert!(store.session("old", Timestamp(0)).await.expect("read").is_none());
    let new = store.session("new", Timestamp(0)).await.expect("read").expect("stored");
    assert_eq!(new.data, data);
    assert_eq!(new.session.sign_in.authenticated_at, Some(Timestamp(5)));
    let entry = world.entries("session.signed_in").await.pop().expect("an entry");
    let step_up = &entry["details"]["stepUp"];
    assert_eq!(
        (&step_up["actionId"], &step_up["replacedSession"], &step_up["acr"]),
        (&json!(action), &json!(old), &json!("mfa"))
    );
    // The same callback twice: the session that it would replace is gone.
    let refused = world.engine.continue_session(&ctx, again).await;
    assert!(matches!(refused, Err(Error::NotAuthorized { .. })), "{refused:?}");
}
