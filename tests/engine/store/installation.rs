//! The kind of an installation, demo or production: the first start decides the kind, and every sign-in and every token is checked against it.

use crate::world::{START, World};
use loopiq::domain::{DEMO_ISSUER, InstallationKind, PersonId, Role, TenantId, Timestamp};
use loopiq::engine::{Authentication, Error};
use loopiq::store::{Asserted, Store};
use loopiq_testing::{Database, fixtures};
use sqlx::Executor;

const AUDIENCE: &str = "http://127.0.0.1:3000/mcp";

fn person(issuer: &str) -> Asserted {
    Asserted {
        issuer: issuer.to_owned(),
        subject: "mallory".to_owned(),
        email: "mallory@acme.example".to_owned().into(),
        name: "Mallory".to_owned(),
        roles: Some(vec![Role::Operator]),
        groups: Vec::new(),
    }
}

#[tokio::test]
async fn the_first_start_decides_the_kind_for_ever() {
    let database = Database::new().await;
    let store = Store::open(&database.url).await.expect("a database");
    assert_eq!(store.installation().await.expect("a look"), None);
    let decide = async |kind| store.decide_installation(kind, Timestamp(7)).await.expect("decided");
    assert_eq!(decide(InstallationKind::Production).await, InstallationKind::Production);
    assert_eq!(decide(InstallationKind::Demo).await, InstallationKind::Production);
    let again = Store::open(&database.url).await.expect("a database");
    let kind = again.installation().await.expect("a look");
    assert_eq!(kind, Some(InstallationKind::Production));
    // Triggers also refuse the change to the schema's owner.
    let mut owner = database.connect().await;
    for sql in ["UPDATE installation SET kind = 'demo'", "DELETE FROM installation"] {
        assert!(owner.execute(sql).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn concurrent_first_starts_agree_on_the_kind() {
    let database = Database::new().await;
    let mut nodes = Vec::new();
    for n in 0..8 {
        let store = Store::open(&database.url).await.expect("a database");
        nodes.push(tokio::spawn(async move {
            let wanted = if n % 2 == 0 {
                InstallationKind::Demo
            } else {
                InstallationKind::Production
            };
            store.decide_installation(wanted, Timestamp(n)).await.expect("decided")
        }));
    }
    let mut decided = Vec::new();
    for node in nodes {
        decided.push(node.await.expect("a node"));
    }
    assert!(decided.windows(2).all(|pair| pair[0] == pair[1]), "{decided:?}");
    assert_eq!(database.count("installation").await, 1);
}

/// The engine refuses rows that were copied by hand from a demo into a production database, and from production into a demo.
#[tokio::test]
async fn people_sessions_and_tokens_of_the_other_kind_are_refused() {
    let demo = format!("http://127.0.0.1:3000{DEMO_ISSUER}");
    for (kind, own, foreign) in [
        (InstallationKind::Production, "https://idp.example", demo.as_str()),
        (InstallationKind::Demo, demo.as_str(), "https://idp.example"),
    ] {
        let world = World::new().await;
        let (engine, store) = (&world.engine, world.engine.store());
        store.decide_installation(kind, Timestamp(1)).await.expect("decided");
        let origin = loopiq::engine::RequestOrigin::default();
        let refused = engine.sign_in("acme", person(foreign), &origin).await;
        assert!(matches!(refused, Err(Error::NotAuthorized { .. })), "{refused:?}");
        engine.sign_in("acme", person(own), &origin).await.expect("signed in");

        // A session and a token of that person, written without the engine.
        let row = |table: &str| format!("{table} WHERE email = 'mallory@acme.example'");
        assert_eq!(world.count(&row("people")).await, 1);
        let mut owner = world.database.connect().await;
        let id: String = sqlx::Row::get(
            &owner
                .fetch_one("SELECT id FROM people WHERE email = 'mallory@acme.example'")
                .await
                .expect("a person"),
            0,
        );
        let person = PersonId::parse(&id).expect("an ID");
        let session = fixtures::browser_session(1, Some((TenantId::parse("acme").expect("a tenant"), person)));
        store
            .create_session(fixtures::new_session("digest", &session, Timestamp(i64::MAX)), "{}")
            .await
            .expect("a session");
        let digest = engine.runtime().digest_key().of_token("secret");
        let grant = "INSERT INTO grants (tenant, id, kind, client_id, person_id, scopes, name, created_at, expires_at) \
             VALUES ('acme', 'grt_00000000000000000000000001', 'service', $1, $2, '[]', 'Helix', 0, $3)";
        sqlx::query(grant)
            .bind(world.acme.client.id.as_str().to_owned())
            .bind(id)
            .bind(i64::MAX)
            .execute(&mut owner)
            .await
            .expect("a grant");
        let insert = "INSERT INTO tokens (secret_digest, tenant, id, grant_id, kind, audience, created_at, expires_at) \
             VALUES ($1, 'acme', 'tok_00000000000000000000000001', 'grt_00000000000000000000000001', 'access', $2, 0, $3)";
        sqlx::query(insert)
            .bind(digest)
            .bind(AUDIENCE)
            .bind(i64::MAX)
            .execute(&mut owner)
            .await
            .expect("a token");
        let now = Timestamp::parse(START).expect("a time");
        let holds = async || {
            let session = store.session("digest", now).await.expect("a look").expect("a session");
            let token = engine.authenticate("secret", AUDIENCE).await.expect("a look");
            (session.person.is_some(), matches!(token, Authentication::Accepted(..)))
        };
        assert_eq!(holds().await, (true, true), "{kind:?}: its own people come in");
        sqlx::query("UPDATE people SET issuer = $1 WHERE email = 'mallory@acme.example'")
            .bind(foreign.to_owned())
            .execute(&mut owner)
            .await
            .expect("moved");
        assert_eq!(holds().await, (false, false), "{kind:?}: {foreign}");
    }
}

#[tokio::test]
async fn only_a_demo_issues_tokens() {
    let world = World::new().await;
    let issue = async || {
        let tenant = world.acme.tenant.clone();
        world
            .engine
            .issue_token(&tenant, "developer@acme.example", "Helix", AUDIENCE)
            .await
    };
    let undecided = issue().await;
    assert!(matches!(undecided, Err(Error::Setting { .. })), "{undecided:?}");
    let store = world.engine.store();
    store
        .decide_installation(InstallationKind::Production, Timestamp(1))
        .await
        .expect("decided");
    let production = issue().await;
    assert!(matches!(production, Err(Error::Setting { .. })), "{production:?}");
    assert_eq!(world.count("tokens").await, 0);
}
