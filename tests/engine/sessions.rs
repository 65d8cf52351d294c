//! Sessions of browsers: who sees and ends which, and what the log says about it.

use crate::world::{TenantRecords, World, text};
use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::{Error, RequestOrigin, Switch};
use loopiq_testing::fixtures::{asserted, browser_session, new_session};
use serde_json::json;

const END: Timestamp = Timestamp(4_102_444_800_000_000);

/// Stores a session of a person. Its digest is what [`World::person_of`] takes as the session of this role.
async fn session(world: &World, n: u128, of: &TenantRecords, role: &str, digest: &str) -> SessionId {
    let mut session = browser_session(n, Some((of.tenant.clone(), of.person(role).id)));
    session.sign_in.subject = of.person(role).email.to_string();
    session.address = Some("192.0.2.9".to_owned());
    session.agent = Some("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0".to_owned());
    session.seen_at = Timestamp(i64::try_from(n).expect("small"));
    let store = world.engine.store();
    assert!(
        store
            .create_session(new_session(digest, &session, END), "{}")
            .await
            .expect("stored")
    );
    session.id
}

async fn open(world: &World, ctx: &Ctx) -> Vec<(String, bool)> {
    let page = world.engine.sessions_page(ctx).await.expect("a page");
    page.sessions.into_iter().map(|one| (one.id, one.here)).collect()
}

#[tokio::test]
async fn people_see_and_end_their_own_sessions_and_no_others() {
    let world = World::new().await;
    let reviewer = world.person("reviewer");
    let here = session(&world, 1, &world.acme, "reviewer", "session of reviewer").await;
    let phone = session(&world, 2, &world.acme, "reviewer", "phone").await;
    let leads = session(&world, 3, &world.acme, "lead", "session of lead").await;
    let foreign = session(&world, 4, &world.globex, "reviewer", "globex").await;
    let expected = vec![(phone.to_string(), false), (here.to_string(), true)];
    assert_eq!(open(&world, &reviewer).await, expected);
    let page = world.engine.sessions_page(&reviewer).await.expect("a page");
    assert_eq!(
        (page.sessions[0].program.as_str(), page.sessions[0].address.as_str()),
        ("Firefox on Linux", "192.0.2.9")
    );

    // A session of another person, of another tenant, and one that does not exist get the same answer.
    let absent = SessionId::from_bits(99);
    for id in [leads.as_str(), foreign.as_str(), absent.as_str(), "", "ses_x", "per_x"] {
        let refused = world.engine.end_session(&reviewer, id).await;
        assert!(
            matches!(
                &refused,
                Err(Error::NotFound {
                    kind: RecordKind::Session,
                    ..
                })
            ),
            "{id}: {refused:?}"
        );
    }
    assert_eq!(world.count("sessions").await, 4);

    let outcome = world
        .engine
        .end_session(&reviewer, phone.as_str())
        .await
        .expect("ended");
    assert_eq!(outcome.message.as_str(), "1 session was ended.");
    assert_eq!(open(&world, &reviewer).await, [(here.to_string(), true)]);
    let again = world.engine.end_session(&reviewer, phone.as_str()).await;
    assert!(matches!(again, Err(Error::NotFound { .. })), "{again:?}");
    let [entry] = world.entries("session.ended").await.try_into().expect("one entry");
    assert_eq!(text(&entry["actor"], "email"), "reviewer@acme.example");
    assert_eq!(entry["records"], json!([phone, world.acme.person("reviewer").id]));
    assert_eq!(entry["details"]["by"], "person");
    assert_eq!(entry["details"]["session"], "phone");
}

#[tokio::test]
async fn operators_see_and_end_the_sessions_of_their_tenant() {
    let world = World::new().await;
    let (operator, other) = (world.person("operator"), world.person_of(&world.globex, "operator"));
    let reviewer = world.acme.person("reviewer").id;
    for n in 1..=3 {
        session(&world, n, &world.acme, "reviewer", &format!("{n}")).await;
    }
    session(&world, 4, &world.globex, "reviewer", "globex").await;
    let page = world
        .engine
        .people_list(&operator, "REVIEWER@", "")
        .await
        .expect("a page");
    let [row] = page.people.try_into().expect("one person");
    assert_eq!(
        (row.id.as_str(), row.sessions, row.roles),
        (reviewer.as_str(), 3, vec![Role::Reviewer])
    );
    let page = world
        .engine
        .person_page(&operator, reviewer.as_str())
        .await
        .expect("a page");
    assert_eq!(page.sessions.len(), 3);

    // Nobody else: not without the role, and not in another tenant.
    for role in ["reviewer", "lead", "auditor", "developer"] {
        let ctx = world.person(role);
        let page = world
            .engine
            .access_page(&ctx, "", "")
            .await
            .expect("the table of commands");
        assert!(page.people.is_none() && !page.rights.is_empty(), "{role}");
        let refused = world.engine.people_list(&ctx, "", "").await;
        assert!(
            matches!(refused, Err(Error::NotAuthorized { .. })),
            "{role}: {refused:?}"
        );
        let refused = world.engine.person_page(&ctx, reviewer.as_str()).await;
        assert!(
            matches!(refused, Err(Error::NotAuthorized { .. })),
            "{role}: {refused:?}"
        );
        let refused = world.engine.end_sessions_of(&ctx, reviewer.as_str()).await;
        assert!(
            matches!(refused, Err(Error::NotAuthorized { .. })),
            "{role}: {refused:?}"
        );
    }
    for refused in [
        world.engine.end_sessions_of(&other, reviewer.as_str()).await.map(drop),
        world.engine.person_page(&other, reviewer.as_str()).await.map(drop),
        world
            .engine
            .end_session(&other, SessionId::from_bits(1).as_str())
            .await
            .map(drop),
        world.engine.end_sessions_of(&operator, "per_x").await.map(drop),
    ] {
        assert!(matches!(refused, Err(Error::NotFound { .. })), "{refused:?}");
    }
    assert!(
        world
            .engine
            .people_list(&other, "", "")
            .await
            .expect("a page")
            .people
            .iter()
            .all(|one| one.id != reviewer.as_str())
    );
    assert_eq!(world.count("sessions").await, 4);

    let one = SessionId::from_bits(1);
    world.engine.end_session(&operator, one.as_str()).await.expect("ended");
    let outcome = world
        .engine
        .end_sessions_of(&operator, reviewer.as_str())
        .await
        .expect("ended");
    assert_eq!(outcome.message.as_str(), "2 sessions were ended.");
    let outcome = world
        .engine
        .end_sessions_of(&operator, reviewer.as_str())
        .await
        .expect("none left");
    assert_eq!(outcome.message.as_str(), "There was no session to end.");
    assert_eq!(world.count("sessions").await, 1, "that of the other tenant");
    let entries = world.entries("session.ended").await;
    assert_eq!(entries.len(), 3);
    for entry in entries {
        assert_eq!(
            (&entry["details"]["by"], &entry["actor"]["email"]),
            (&json!("operator"), &json!("operator@acme.example"))
        );
        assert_eq!(entry["details"]["person"]["email"], "reviewer@acme.example");
    }
}

#[tokio::test]
async fn the_console_ends_sessions_of_a_person_by_address() {
    let world = World::new().await;
    session(&world, 1, &world.acme, "lead", "1").await;
    let console = Ctx::command(world.acme.tenant.clone(), world.engine.runtime());
    let lead = world.acme.person("lead").id;
    let found = world.engine.accounts_named(&console, "Lead@acme.example").await;
    assert_eq!(found.expect("a person"), std::slice::from_ref(&lead));
    // A second account with the address, as after a change of the identity provider.
    let moved = asserted("https://new.example", "lead@acme.example", &[Role::Lead]);
    let (_, second) = world
        .engine
        .sign_in("acme", moved, &RequestOrigin::default())
        .await
        .expect("signed in");
    let found = world.engine.accounts_named(&console, "lead@acme.example").await;
    let found: std::collections::BTreeSet<_> = found.expect("two accounts").into_iter().collect();
    assert_eq!(found, [lead.clone(), second.id.clone()].into());
    let only = world.engine.accounts_named(&console, second.id.as_str()).await;
    assert_eq!(only.expect("an account"), [second.id]);
    for nobody in ["lead@globex.example", "per_00000000000000000000000001", ""] {
        let refused = world.engine.accounts_named(&console, nobody).await;
        assert!(matches!(refused, Err(Error::NotFound { .. })), "{nobody}: {refused:?}");
    }
    world
        .engine
        .end_sessions_of(&console, lead.as_str())
        .await
        .expect("ended");
    let [entry] = world.entries("session.ended").await.try_into().expect("one entry");
    assert_eq!(
        (&entry["actor"]["kind"], &entry["source"]["kind"]),
        (&json!("system"), &json!("command"))
    );
    assert_eq!(entry["details"]["by"], "operator");
    // The console has no sessions of its own.
    let refused = world.engine.sessions_page(&console).await;
    assert!(matches!(refused, Err(Error::NotAuthorized { .. })), "{refused:?}");
}

#[tokio::test]
async fn signing_out_everywhere_ends_the_sessions_in_every_tenant() {
    let world = World::new().await;
    let email = "reviewer@acme.example";
    let there = asserted("https://idp.example", email, &[Role::Lead]);
    let origin = RequestOrigin::default();
    let (_, account) = world.engine.sign_in("globex", there, &origin).await.expect("signed in");
    session(&world, 1, &world.acme, "reviewer", "session of reviewer").await;
    let mut foreign = browser_session(2, Some((world.globex.tenant.clone(), account.id.clone())));
    foreign.sign_in.subject = email.to_owned();
    let mut undecided = browser_session(3, None);
    undecided.sign_in.subject = email.to_owned();
    // The same subject at another provider is another person.
    let mut stranger = browser_session(4, None);
    stranger.sign_in = ProviderSignIn {
        issuer: "https://other.example".to_owned(),
        ..undecided.sign_in.clone()
    };
    for (digest, session) in [("2", &foreign), ("3", &undecided), ("4", &stranger)] {
        assert!(
            world
                .engine
                .store()
                .create_session(new_session(digest, session, END), "{}")
                .await
                .expect("stored")
        );
    }
    session(&world, 5, &world.acme, "lead", "5").await;
    let outcome = world
        .engine
        .sign_out_everywhere(&world.person("reviewer"))
        .await
        .expect("signed out");
    assert_eq!(
        outcome.message.as_str(),
        "You are signed out everywhere. 3 sessions were ended."
    );
    assert_eq!(world.count("sessions WHERE id_digest IN ('4', '5')").await, 2);
    assert_eq!(world.count("sessions").await, 2);
    let [own] = world.entries("session.ended").await.try_into().expect("one entry");
    assert_eq!(own["actor"]["id"], json!(world.acme.person("reviewer").id));
    let [other] = world
        .entries_of(&world.globex.tenant, "session.ended")
        .await
        .try_into()
        .expect("one entry");
    assert_eq!(
        other["actor"]["id"],
        json!(account.id),
        "the log names the person's account of that tenant"
    );
    assert_eq!(other["details"]["by"], "person");
}

#[tokio::test]
async fn a_long_list_of_people_has_pages_and_a_search() {
    let world = World::new().await;
    let operator = world.person("operator");
    for n in 0..60 {
        let mut person = asserted("https://idp.example", &format!("p{n:02}@many.example"), &[]);
        // Two people with the same name are both on the list.
        person.name = format!("Same name {}", n / 2);
        world
            .engine
            .sign_in("acme", person, &RequestOrigin::default())
            .await
            .expect("stored");
    }
    let first = world
        .engine
        .people_list(&operator, " many.example ", "")
        .await
        .expect("a page");
    let next = first.next.expect("more people");
    let second = world
        .engine
        .people_list(&operator, "many.example", &next)
        .await
        .expect("a page");
    assert_eq!((first.people.len(), second.people.len(), second.next), (50, 10, None));
    let ids: std::collections::BTreeSet<_> = first.people.iter().chain(&second.people).map(|one| &one.id).collect();
    assert_eq!(ids.len(), 60);
    assert!(
        world
            .engine
            .people_list(&operator, "zzz", "")
            .await
            .expect("a page")
            .people
            .is_empty()
    );
    let long = "x".repeat(201);
    for (search, after) in [("a\0", ""), (long.as_str(), ""), ("", "per_x")] {
        let refused = world.engine.people_list(&operator, search, after).await;
        assert!(
            matches!(refused, Err(Error::Invalid { .. })),
            "{search} {after}: {refused:?}"
        );
    }
}

/// A session of the human who is the reviewer of acme and has an account in globex too.
async fn of_two_tenants(world: &World) -> (BrowserSession, Ctx) {
    let email = "reviewer@acme.example";
    let there = asserted("https://idp.example", email, &[Role::Lead]);
    let named = ["acme", "globex"].map(str::to_owned);
    let origin = RequestOrigin::default();
    let accounts = world
        .engine
        .sign_in_to(&named, there, &origin)
        .await
        .expect("signed in");
    let [(acme, here), (globex, person)] = accounts.try_into().expect("two accounts");
    let mut session = browser_session(7, Some((acme.clone(), here.id)));
    session.sign_in.subject = email.to_owned();
    session.sign_in.id_token = Some("the token".to_owned());
    session.tenants = vec![acme, globex.clone()];
    let principal = Principal::Person {
        tenant: globex,
        person,
        session: "new".to_owned(),
    };
    let ctx = origin.context(principal, &world.person("reviewer").runtime);
    (session, ctx)
}

fn to_globex() -> Switch {
    Switch {
        from: "old".to_owned(),
        to: "new".to_owned(),
        idle: Timestamp::HOUR,
    }
}

#[tokio::test]
async fn a_session_that_has_ended_does_not_continue_in_another_tenant() {
    let world = World::new().await;
    let (session, ctx) = of_two_tenants(&world).await;
    let (store, previous) = (world.engine.store(), world.person("reviewer"));
    let stored = new_session("old", &session, END);
    assert!(store.create_session(stored.clone(), "{\"a\":1}").await.expect("stored"));
    let switched = world.engine.switch_tenant(&ctx, Some(&previous), to_globex()).await;
    switched.expect("switched");
    let now = ctx.now();
    assert!(store.session("old", now).await.expect("read").is_none());
    let new = store.session("new", now).await.expect("read").expect("the new session");
    assert_eq!(new.session.holder.expect("a tenant").0, world.globex.tenant);
    assert_eq!(
        (new.data.as_str(), new.session.tenants),
        ("{}", session.tenants.clone())
    );
    assert_ne!(new.session.id, session.id);
    let token = store.session_id_token("new").await.expect("read");
    assert_eq!(token.as_deref(), Some("the token"));
    assert_eq!(
        world
            .count("audit_entries WHERE tenant = 'acme' AND event = 'session.signed_out'")
            .await,
        1
    );

    // The same switch again, as by a second window or after somebody ended the session.
    let entries = world.count("audit_entries").await;
    let again = Switch {
        to: "third".to_owned(),
        ..to_globex()
    };
    let refused = world.engine.switch_tenant(&ctx, Some(&previous), again).await;
    let says = refused.expect_err("refused").to_string();
    assert!(says.contains("Your session has ended"), "{says}");
    assert!(store.session("third", now).await.expect("read").is_none());
    assert_eq!(
        world.count("audit_entries").await,
        entries,
        "no sign-in and no sign-out is recorded"
    );

    // A digest that exists already: nothing is lost.
    let two = BrowserSession {
        id: SessionId::from_bits(8),
        ..session
    };
    assert!(
        store
            .create_session(new_session("old", &two, END), "{}")
            .await
            .expect("stored")
    );
    world
        .engine
        .switch_tenant(&ctx, None, to_globex())
        .await
        .expect_err("a conflict");
    assert!(store.session("old", now).await.expect("read").is_some());
}

#[tokio::test]
async fn ended_by_an_operator_a_person_cannot_switch_back() {
    let world = World::new().await;
    let (session, ctx) = of_two_tenants(&world).await;
    let store = world.engine.store();
    let globex = world.globex.tenant.clone();
    let undecided = BrowserSession {
        id: SessionId::from_bits(9),
        holder: None,
        ..session.clone()
    };
    for (digest, session) in [("old", &session), ("undecided", &undecided)] {
        assert!(
            store
                .create_session(new_session(digest, session, END), "{}")
                .await
                .expect("stored")
        );
    }
    let operator = world.person_of(&world.globex, "operator");
    let account = ctx.principal.person().expect("a person").id.clone();
    let ended = world
        .engine
        .end_sessions_of(&operator, account.as_str())
        .await
        .expect("ended");
    assert_eq!(ended.message.as_str(), "There was no session to end.");
    for digest in ["old", "undecided"] {
        let refused = world
            .engine
            .switch_tenant(
                &ctx,
                None,
                Switch {
                    from: digest.to_owned(),
                    ..to_globex()
                },
            )
            .await;
        let says = refused.expect_err("refused").to_string();
        assert!(
            says.contains("cannot switch to this organisation any more"),
            "{digest}: {says}"
        );
        let kept = store
            .session(digest, ctx.now())
            .await
            .expect("read")
            .expect("the session goes on");
        assert_eq!(
            kept.session.tenants,
            std::slice::from_ref(&world.acme.tenant),
            "{digest}"
        );
    }
    // A new sign-in names the tenant again, for the new session only.
    let new = BrowserSession {
        id: SessionId::from_bits(10),
        ..session.clone()
    };
    assert!(
        store
            .create_session(new_session("fresh", &new, END), "{}")
            .await
            .expect("stored")
    );
    let switched = world
        .engine
        .switch_tenant(
            &ctx,
            None,
            Switch {
                from: "fresh".to_owned(),
                ..to_globex()
            },
        )
        .await;
    switched.expect("switched");
    // If the provider names only acme now, earlier sessions keep only the tenant in which they work.
    let less = asserted("https://idp.example", "reviewer@acme.example", &[Role::Lead]);
    let signed_in = world.engine.sign_in("acme", less, &RequestOrigin::default()).await;
    signed_in.expect("signed in");
    let there = store.session("new", ctx.now()).await.expect("read").expect("a session");
    assert_eq!(there.session.tenants, [world.acme.tenant.clone(), globex]);
    let operators_only = world
        .engine
        .end_sessions_of(&world.person("lead"), account.as_str())
        .await;
    assert!(matches!(operators_only, Err(Error::NotAuthorized { .. })));
}
