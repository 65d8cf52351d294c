//! Identity: unverified addresses, one human under several subjects, and new accounts with the address of a known account.

use crate::world::{World, confirm, text};
use loopiq::context::Ctx;
use loopiq::domain::{Email, Person, Principal, Role, Timestamp};
use loopiq::engine::{Error, RequestOrigin, Visit};
use loopiq::store::Asserted;
use loopiq::views::{InboxQuery, Tab};

/// Signs a person in at an identity provider: the account, and the context of its browser session.
pub(crate) async fn signs_in(
    world: &World,
    issuer: &str,
    subject: &str,
    email: Email,
    roles: &[Role],
) -> (Person, Ctx) {
    let asserted = Asserted {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        email,
        name: format!("{subject} at {issuer}"),
        roles: Some(roles.to_vec()),
        groups: Vec::new(),
    };
    let (tenant, person) = world
        .engine
        .sign_in("acme", asserted, &RequestOrigin::default())
        .await
        .expect("a sign-in");
    let principal = Principal::Person {
        tenant,
        person: person.clone(),
        session: format!("session of {subject} at {issuer}"),
    };
    (person, Ctx::new(principal, world.engine.runtime()))
}

const NEW: &str = "https://new-idp.example";

fn verified(who: &str) -> Email {
    Email::verified(&format!("{who}@acme.example"))
}

/// Records whether two accounts belong to one person: one operator requests it, and another operator confirms the request.
async fn resolve(world: &World, account: &Person, other: &Person, same: bool) {
    let (first, second) = (world.person("operator"), world.person("operator2"));
    let asked = world
        .engine
        .request_link(
            &first,
            account.id.as_str(),
            other.id.as_str(),
            Some(same),
            "They told me in person.",
        )
        .await
        .expect("asked");
    let outcome = confirm(&world.engine, &second, asked.id.as_str()).await;
    assert!(outcome.expect("confirmed").done);
}

/// Sends a complete approval.
async fn approve(world: &World, ctx: &Ctx, id: &str, digest: &str) -> Result<loopiq::views::Outcome, Error> {
    world.engine.action_page(ctx, id, Visit::Opened).await?;
    world.consent_as(ctx, id, world.consent(id, digest).await).await
}

fn why(outcome: Result<loopiq::views::Outcome, Error>) -> String {
    match outcome {
        Err(error @ (Error::NotAuthorized { .. } | Error::Refused { .. })) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn an_unverified_address_identifies_no_account() {
    let world = World::new().await;
    world
        .policy("[[decide]]\nname = \"Lead\"\ngroups = [{ name = \"Lead\", people = [\"LEAD@acme.example\"] }]")
        .await;
    let (id, digest) = world.proposed("k1").await;
    // Mallory is a reviewer, and claims the lead's address.
    let (mallory, session) = signs_in(
        &world,
        NEW,
        "mallory",
        Email::claimed("lead@acme.example"),
        &[Role::Reviewer],
    )
    .await;
    assert_eq!(mallory.email.as_str(), "lead@acme.example (not verified)");
    let refused = why(approve(&world, &session, &id, &digest).await);
    assert!(refused.contains("you are not among them"), "{refused}");
    let entries = world
        .engine
        .search_audit(
            &world.person("auditor"),
            "person:lead@acme.example event:access.denied",
            "",
        )
        .await;
    assert_eq!(
        entries.expect("entries").rows.len(),
        0,
        "what Mallory did is not the lead's"
    );

    // The unverified address names no owner of a work item either.
    let mut package = world.package("k2");
    package["parent"]["owner"] = mallory.email.as_str().into();
    assert!(matches!(world.propose(package).await, Err(Error::Invalid { .. })));
    // A policy can name Mallory by ID.
    let named = format!(
        "[[decide]]\nname = \"Mallory\"\ngroups = [{{ name = \"M\", people = [\"{}\"] }}]",
        mallory.id
    );
    world.policy(&named).await;
    let (id, digest) = world.proposed("k3").await;
    assert!(approve(&world, &session, &id, &digest).await.expect("approved").done);
    assert!(approve(&world, &world.person("lead"), &id, &digest).await.is_err());
}

#[tokio::test]
async fn an_account_with_a_known_address_can_read_but_not_decide() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let (person, session) = signs_in(
        &world,
        NEW,
        "s-1",
        verified("REVIEWER"),
        &[Role::Reviewer, Role::Auditor],
    )
    .await;
    let page = world
        .engine
        .action_page(&session, &id, Visit::Opened)
        .await
        .expect("they may read");
    assert!(!page.panel.approve && !page.panel.reject, "{:?}", page.panel);
    assert!(page.panel.why_not.as_ref().expect("why").contains("/settings/requests"));
    let keep = ["one".to_owned()];
    let engine = &world.engine;
    for refused in [
        why(approve(&world, &session, &id, &digest).await),
        why(engine.reject(&session, &id, &digest, &[], "no", "").await),
        why(engine.prune(&session, &id, &digest, &keep, "less", "").await),
        why(engine.ask(&session, &id, "Why?").await),
    ] {
        assert!(
            refused.contains("reviewer@acme.example") && refused.contains("Ask an operator"),
            "{refused}"
        );
    }
    let mine = InboxQuery {
        tab: Tab::Mine,
        ..InboxQuery::default()
    };
    assert!(engine.inbox(&session, &mine).await.expect("an inbox").rows.is_empty());
    // The older account still decides, and the new account can neither execute nor revoke what the older account has approved.
    assert!(world.approve("reviewer", &id, &digest).await.expect("approved").done);
    for refused in [
        why(world.execute(&session, &id).await),
        why(engine.revoke(&session, &id, "no", "").await),
    ] {
        assert!(refused.contains("Ask an operator"), "{refused}");
    }
    let denials = engine
        .search_audit(&world.person("auditor"), "event:access.denied", "")
        .await;
    assert_eq!(denials.expect("entries").rows.len(), 6);
    assert_eq!(text(&world.get(&id).await, "status"), "approved");

    // Operators see the two accounts, and confirm that they belong to two people.
    let page = engine.requests_page(&world.person("operator")).await.expect("a page");
    assert_eq!(page.resemblances.len(), 1);
    assert_eq!(page.resemblances[0].newcomer.id, person.id.as_str());
    assert_eq!(page.resemblances[0].newcomer.issuer, NEW);
    resolve(&world, &person, &world.acme.person("reviewer"), false).await;
    let page = engine.requests_page(&world.person("operator")).await.expect("a page");
    assert!(page.resemblances.is_empty());
    assert!(world.execute(&session, &id).await.expect("ran").done);
    let told = engine
        .search_audit(&world.person("auditor"), "event:person.told_apart", "")
        .await;
    assert_eq!(told.expect("entries").rows.len(), 1);
}

#[tokio::test]
async fn an_abandoned_address_stays_known() {
    let world = World::new().await;
    // The caller's account changes its address, and then a new account signs in with the old address.
    signs_in(
        &world,
        "https://idp.example",
        "developer@acme.example",
        verified("dana"),
        &[Role::Developer],
    )
    .await;
    let (_, session) = signs_in(&world, NEW, "d-2", verified("developer"), &[Role::Reviewer]).await;
    let (id, digest) = world.proposed("k1").await;
    let refused = why(approve(&world, &session, &id, &digest).await);
    assert!(refused.contains("developer@acme.example"), "{refused}");
    // An old account that takes over another account's address has to be identified too.
    let reviewer = "reviewer@acme.example";
    let (_, taken) = signs_in(
        &world,
        "https://idp.example",
        reviewer,
        verified("lead"),
        &[Role::Reviewer],
    )
    .await;
    let refused = why(approve(&world, &taken, &id, &digest).await);
    assert!(refused.contains("lead@acme.example"), "{refused}");
    assert!(world.approve("lead", &id, &digest).await.expect("approved").done);
}

#[tokio::test]
async fn one_human_under_two_subjects_is_one_person() {
    let world = World::new().await;
    let engine = &world.engine;
    let (id, digest) = world.proposed("k1").await;
    // Dana proposes with a token of the old account, and signs in to a browser with the new account.
    let (dana, session) = signs_in(&world, NEW, "dana", verified("developer"), &[Role::Reviewer]).await;
    resolve(&world, &dana, &world.acme.person("developer"), true).await;
    let refused = why(approve(&world, &session, &id, &digest).await);
    assert!(refused.contains("proposed on your behalf"), "{refused}");
    // The address still names the account that had it first, so proposals for that address stay valid.
    assert!(world.propose(world.package("k1b")).await.is_ok());
    let page = engine
        .action_page(&session, &id, Visit::Unrecorded)
        .await
        .expect("a page");
    assert!(page.panel.why_not.expect("why").contains("proposed on your behalf"));
    let mine = InboxQuery {
        tab: Tab::Mine,
        ..InboxQuery::default()
    };
    assert!(engine.inbox(&session, &mine).await.expect("an inbox").rows.is_empty());
    assert!(world.approve("reviewer", &id, &digest).await.expect("approved").done);
    let refused = why(world.execute(&session, &id).await);
    assert!(refused.contains("proposed on your behalf"), "{refused}");
    let linked = engine
        .search_audit(&world.person("auditor"), "event:person.linked", "")
        .await;
    assert_eq!(linked.expect("entries").rows.len(), 1);

    // Two accounts of one reviewer, with different addresses. Only operators know that the accounts belong together.
    let (again, other) = signs_in(&world, NEW, "r-2", verified("another"), &[Role::Reviewer]).await;
    resolve(&world, &again, &world.acme.person("reviewer"), true).await;
    world
        .policy("[[decide]]\nname = \"Two\"\ngroups = [{ name = \"Any\", approvals = 2 }]\n[separation]\napprover_may_execute = false\npruner_may_decide = false")
        .await;
    let (id, digest) = world.proposed("k2").await;
    world.approve("reviewer", &id, &digest).await.expect("a vote");
    let twice = approve(&world, &other, &id, &digest).await.expect("an answer");
    assert!(twice.message.contains("nothing was done twice"), "{}", twice.message);
    assert_eq!(world.count("decisions").await, 2, "one of each action");
    world.approve("reviewer2", &id, &digest).await.expect("the last vote");
    let refused = why(world.execute(&other, &id).await);
    assert!(refused.contains("You approved it"), "{refused}");
    assert!(world.execute(&world.person("lead"), &id).await.expect("ran").done);

    // The reviewer who pruned an action cannot decide the remaining action with any account.
    let (id, digest) = world.proposed("k3").await;
    let keep = ["one".to_owned()];
    let pruned = engine
        .prune(&world.person("reviewer"), &id, &digest, &keep, "less", "")
        .await;
    let next = pruned.expect("pruned").successor.expect("a revision");
    let same = engine
        .prune(&other, &id, &digest, &keep, "less", "")
        .await
        .expect("the same");
    assert_eq!(same.successor.as_ref(), Some(&next));
    let digest = engine
        .action_page(&other, &next, Visit::Opened)
        .await
        .expect("a page")
        .digest;
    let refused = why(engine.reject(&other, &next, &digest, &[], "no", "").await);
    assert!(refused.contains("You left parts of it out"), "{refused}");
}

#[tokio::test]
async fn roles_that_exclude_each_other_decide_nothing() {
    let world = World::new().await;
    let both = [Role::Operator, Role::Reviewer];
    let (_, session) = signs_in(&world, NEW, "o-r", verified("both"), &both).await;
    let (id, digest) = world.proposed("k1").await;
    let engine = &world.engine;
    for refused in [
        why(approve(&world, &session, &id, &digest).await),
        why(engine.reject(&session, &id, &digest, &[], "no", "").await),
        why(engine
            .prune(&session, &id, &digest, &["one".to_owned()], "less", "")
            .await),
    ] {
        assert!(
            refused.contains("operator and reviewer, which this policy excludes"),
            "{refused}"
        );
    }
    let page = engine
        .action_page(&session, &id, Visit::Unrecorded)
        .await
        .expect("a page");
    assert!(page.panel.why_not.expect("why").contains("operator and reviewer"));
    assert!(world.approve("reviewer", &id, &digest).await.expect("approved").done);
    assert!(why(world.execute(&session, &id).await).contains("operator and reviewer"));
    assert!(why(engine.revoke(&session, &id, "no", "").await).contains("operator and reviewer"));
    let denials = engine
        .search_audit(&world.person("auditor"), "event:access.denied", "")
        .await;
    assert_eq!(denials.expect("entries").rows.len(), 5);

    // A rule about roles counts the roles of all accounts of one human.
    let (operator, _) = signs_in(&world, NEW, "op", verified("op"), &[Role::Operator]).await;
    let (other, session) = signs_in(&world, NEW, "rev", verified("rev"), &[Role::Reviewer]).await;
    let (id, digest) = world.proposed("k2").await;
    assert!(engine.ask(&session, &id, "Why?").await.expect("asked").done);
    resolve(&world, &operator, &other, true).await;
    assert!(why(approve(&world, &session, &id, &digest).await).contains("operator and reviewer"));

    // Both policies must allow the decision: today's policy allows it, and the policy of the proposal still forbids it.
    world.policy("[roles]\nforbidden = []").await;
    assert!(why(approve(&world, &session, &id, &digest).await).contains("operator and reviewer"));
    let (id, digest) = world.proposed("k4").await;
    assert!(approve(&world, &session, &id, &digest).await.expect("approved").done);
}

#[tokio::test]
async fn claims_of_a_provider_have_limits() {
    let world = World::new().await;
    let long = "n".repeat(900_000);
    let (person, _) = signs_in(&world, NEW, "s", verified("long"), &[Role::Auditor]).await;
    let sign_in = async |subject: &str, email: Email, name: &str| {
        let asserted = Asserted {
            issuer: NEW.to_owned(),
            subject: subject.to_owned(),
            email,
            name: name.to_owned(),
            roles: Some(vec![Role::Auditor]),
            groups: Vec::new(),
        };
        world.engine.sign_in("acme", asserted, &RequestOrigin::default()).await
    };
    let (_, same) = sign_in("s", verified("long"), &long).await.expect("a sign-in");
    assert_eq!((same.id, same.name.as_str().chars().count()), (person.id, 200));
    let (_, hidden) = sign_in("h", verified("h"), "Eve\u{202E}\nX").await.expect("a sign-in");
    assert_eq!(hidden.name, "Eve⟦U+202E⟧ X");
    for (subject, email, name) in [
        (long.as_str(), verified("a"), "n"),
        ("s", Email::verified(&format!("{long}@x.example")), "n"),
        ("s\0", verified("a"), "n"),
        ("s", Email::claimed("a\0@x.example"), "n"),
        ("s", verified("a"), "n\0"),
    ] {
        let refused = sign_in(subject, email, name).await;
        assert!(matches!(refused, Err(Error::NotAuthorized { .. })), "{refused:?}");
    }
    world.advance_clock(Timestamp::DAY);
}

/// While operators have not identified an account, the person who may own it cannot decide the account's proposals with an older account,
/// and approvals of the account do not count.
#[tokio::test]
async fn proposals_and_approvals_of_an_unidentified_account_wait() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let (other, other_digest) = world.story(2).await;
    world.approve("lead", &other, &other_digest).await.expect("approved");
    let (idp, subject) = ("https://idp.example", "developer@acme.example");
    signs_in(&world, idp, subject, verified("reviewer"), &[Role::Developer]).await;
    let refused = |outcome: Result<loopiq::views::Outcome, Error>| match outcome {
        Err(Error::Refused { message, .. }) => message,
        other => panic!("{other:?}"),
    };
    let why = refused(world.approve("reviewer", &id, &digest).await);
    assert!(why.contains("/settings/requests"), "{why}");
    let why = refused(world.execute(&world.person("reviewer"), &other).await);
    assert!(why.contains("/settings/requests"), "{why}");
    let reviewer = world.person("reviewer");
    assert!(
        world
            .engine
            .reject(&reviewer, &id, &digest, &[], "Not yet.", "")
            .await
            .expect("rejected")
            .done
    );

    // The account has to be identified only after its approval.
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    world.approve("reviewer2", &id, &digest).await.expect("approved");
    signs_in(
        &world,
        idp,
        "reviewer2@acme.example",
        verified("lead"),
        &[Role::Reviewer],
    )
    .await;
    let outcome = world
        .execute(&world.person("reviewer"), &id)
        .await
        .expect("a committed refusal");
    assert!(
        !outcome.done && outcome.message.contains("lacks an approval"),
        "{outcome:?}"
    );
}
