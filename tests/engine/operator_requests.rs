//! One operator alone cannot loosen a policy or grant a right: a second operator confirms the request.

use crate::identity::signs_in;
use crate::world::{World, confirm};
use loopiq::context::Ctx;
use loopiq::domain::{Email, RequestStatus, Role, Timestamp};
use loopiq::engine::{Asked, Error, Switched};
use loopiq::views::ChangeView;

const LOOSE: &str = "[separation]\ncaller_may_decide = true\n";
const STRICT: &str = "[separation]\napprover_may_execute = false\n";
const NEW: &str = "https://new-idp.example";

async fn in_force(world: &World) -> i64 {
    let page = world.engine.policy_page(&world.person("operator"), None, None).await;
    page.expect("a page").today
}

/// Requests a policy that a second operator has to confirm.
async fn asked(world: &World, ctx: &Ctx, source: &str) -> Asked {
    let base = in_force(world).await;
    match world.engine.switch_policy(ctx, source, "", base).await.expect("asked") {
        Switched::Waits(asked, _) => asked,
        other => panic!("in force: {other:?}"),
    }
}

fn console(world: &World) -> Ctx {
    Ctx::system(world.acme.tenant.clone(), world.engine.runtime())
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    outcome.expect_err("refused").to_string()
}

async fn events(world: &World, event: &str) -> usize {
    let query = format!("event:{event}");
    let page = world.engine.search_audit(&world.person("auditor"), &query, "").await;
    page.expect("entries").rows.len()
}

#[tokio::test]
async fn a_policy_that_loosens_waits_for_a_second_operator() {
    let world = World::new().await;
    let (first, second) = (world.person("operator"), world.person("operator2"));
    let report = world.engine.check_policy(&first, LOOSE).await.expect("a report");
    assert_eq!(report.loosens, ["The person an action was proposed for may decide it."]);
    let request = asked(&world, &first, LOOSE).await;
    assert_eq!(request.confirmers, ["operator2 of acme (operator2@acme.example)"]);
    assert_eq!(in_force(&world).await, 1);
    // A second request for the same policy is the same request.
    assert_eq!(asked(&world, &first, LOOSE).await, request);
    let page = world.engine.policy_page(&first, None, None).await.expect("a page");
    assert_eq!(page.waiting, [request.id.to_string()]);

    let own = refused(confirm(&world.engine, &first, request.id.as_str()).await);
    assert!(own.contains("another operator has to confirm it"), "{own}");
    assert!(refused(world.engine.decline_request(&first, request.id.as_str(), "no").await).contains("You made"));
    let console = refused(confirm(&world.engine, &console(&world), request.id.as_str()).await);
    assert!(console.contains("not at the console"), "{console}");
    for who in ["reviewer", "lead", "auditor", "developer"] {
        let denied = confirm(&world.engine, &world.person(who), request.id.as_str()).await;
        assert!(matches!(denied, Err(Error::NotAuthorized { .. })), "{who}");
        let denied = world.engine.requests_page(&world.person(who)).await;
        assert!(matches!(denied, Err(Error::NotAuthorized { .. })), "{who}");
    }
    let theirs = world.person_of(&world.globex, "operator");
    let denied = confirm(&world.engine, &theirs, request.id.as_str()).await;
    assert!(matches!(denied, Err(Error::NotFound { .. })), "{denied:?}");
    assert_eq!(in_force(&world).await, 1);

    let page = world.engine.requests_page(&second).await.expect("a page");
    let [view] = &page.waiting[..] else { panic!("{page:?}") };
    assert!(view.may_confirm && !view.may_withdraw && page.alone.is_none());
    let ChangeView::Policy {
        loosens, difference, ..
    } = &view.change
    else {
        panic!("{view:?}")
    };
    assert_eq!(loosens, &report.loosens);
    assert!(
        difference
            .iter()
            .any(|line| line.mark == '+' && line.text.contains("caller_may_decide = true"))
    );
    let outcome = confirm(&world.engine, &second, request.id.as_str())
        .await
        .expect("confirmed");
    assert!(outcome.message.contains("version 2"), "{}", outcome.message);
    assert_eq!(in_force(&world).await, 2);
    let again = confirm(&world.engine, &second, request.id.as_str())
        .await
        .expect("the same");
    assert!(again.message.contains("nothing was done twice"), "{}", again.message);
    assert_eq!(in_force(&world).await, 2);
    let view = world
        .engine
        .request(&first, request.id.as_str())
        .await
        .expect("a request");
    assert_eq!(view.status, RequestStatus::Confirmed);
    for (event, count) in [
        ("operator.requested", 1),
        ("operator.confirmed", 1),
        ("policy.switched", 1),
        // Two denials for each of four people without the permission, two for the operator who made the request, and one for the console.
        ("access.denied", 11),
    ] {
        assert_eq!(events(&world, event).await, count, "{event}");
    }
}

#[tokio::test]
async fn a_policy_that_loosens_nothing_takes_effect_at_once_except_from_the_console() {
    let world = World::new().await;
    let first = world.person("operator");
    let switched = world
        .engine
        .switch_policy(&first, STRICT, "", 1)
        .await
        .expect("switched");
    assert_eq!(switched, Switched::InForce(2));
    assert_eq!(
        world.engine.switch_policy(&first, STRICT, "", 2).await.expect("same"),
        Switched::Same(2)
    );
    // A return to the earlier policy loosens the strict one.
    asked(&world, &first, "").await;
    let stricter = format!("{STRICT}pruner_may_decide = false\n");
    let request = asked(&world, &console(&world), &stricter).await;
    assert_eq!(request.confirmers.len(), 2, "{:?}", request.confirmers);
    assert_eq!(in_force(&world).await, 2);
    // The console made the request, so one operator in a browser is the second party.
    assert!(
        confirm(&world.engine, &first, request.id.as_str())
            .await
            .expect("confirmed")
            .done
    );
    assert_eq!(in_force(&world).await, 3);
}

#[tokio::test]
async fn a_request_ends_once_and_only_while_it_applies() {
    let world = World::new().await;
    let (first, second) = (world.person("operator"), world.person("operator2"));
    let engine = &world.engine;
    let stale = asked(&world, &first, LOOSE).await;
    engine.switch_policy(&second, STRICT, "", 1).await.expect("stricter");
    let why = refused(confirm(engine, &second, stale.id.as_str()).await);
    assert!(why.contains("version 2 was activated after"), "{why}");
    let view = engine.request(&second, stale.id.as_str()).await.expect("a request");
    assert!(!view.may_confirm && view.why_not.expect("why").contains("version 2"));
    assert!(refused(engine.withdraw_request(&second, stale.id.as_str()).await).contains("not yours"));
    assert!(
        engine
            .withdraw_request(&first, stale.id.as_str())
            .await
            .expect("withdrawn")
            .done
    );
    let why = refused(confirm(engine, &second, stale.id.as_str()).await);
    assert!(why.contains("withdrawn already"), "{why}");

    let unwanted = asked(&world, &first, LOOSE).await;
    assert!(refused(engine.decline_request(&second, unwanted.id.as_str(), " ").await).contains("write why"));
    assert!(
        engine
            .decline_request(&second, unwanted.id.as_str(), "Not now.")
            .await
            .expect("declined")
            .done
    );

    let late = asked(&world, &first, LOOSE).await;
    world.advance_clock(7 * Timestamp::DAY + 1);
    let why = refused(confirm(engine, &second, late.id.as_str()).await);
    assert!(why.contains("expired on"), "{why}");
    let forgotten = asked(&world, &first, LOOSE).await;
    world.advance_clock(7 * Timestamp::DAY + 1);
    engine.sweep().await.expect("swept");
    assert_eq!(
        engine
            .request(&first, forgotten.id.as_str())
            .await
            .expect("a request")
            .status,
        RequestStatus::Expired
    );
    assert_eq!(in_force(&world).await, 2);
    for (event, count) in [
        ("operator.withdrawn", 1),
        ("operator.declined", 1),
        ("operator.expired", 2),
        ("operator.confirmed", 0),
    ] {
        assert_eq!(events(&world, event).await, count, "{event}");
    }
    let page = engine.requests_page(&first).await.expect("a page");
    assert_eq!((page.waiting.len(), page.history.len()), (0, 4));
}

#[tokio::test]
async fn an_operator_cannot_confirm_their_own_request_with_another_account() {
    let world = World::new().await;
    let engine = &world.engine;
    let (first, second) = (world.person("operator"), world.person("operator2"));
    let operator = Email::verified("operator@acme.example");
    let (again, other) = signs_in(&world, NEW, "olga", operator, &[Role::Operator]).await;
    let request = asked(&world, &first, LOOSE).await;
    // Operators have not identified the account yet.
    let why = refused(confirm(engine, &other, request.id.as_str()).await);
    assert!(why.contains("Ask an operator"), "{why}");
    assert!(refused(engine.switch_policy(&other, STRICT, "", 1).await).contains("Ask an operator"));
    let known = world.acme.person("operator").id;
    let link = async |ctx: &Ctx, same: bool| {
        engine
            .request_link(ctx, again.id.as_str(), known.as_str(), Some(same), "She said so.")
            .await
    };
    // No operator has confirmed that the two accounts belong to two people.
    assert!(refused(link(&first, false).await).contains("one of these two people"));
    let apart = link(&second, false).await.expect("asked");
    let why = refused(confirm(engine, &first, apart.id.as_str()).await);
    assert!(why.contains("one of these two people"), "{why}");
    let same = link(&second, true).await.expect("asked");
    assert!(confirm(engine, &first, same.id.as_str()).await.expect("linked").done);
    let why = refused(confirm(engine, &other, request.id.as_str()).await);
    assert!(why.contains("You made the request"), "{why}");
    assert!(refused(link(&second, false).await).contains("accounts of one person already"));
    assert!(
        engine
            .withdraw_request(&other, request.id.as_str())
            .await
            .expect("her own")
            .done
    );
}

#[tokio::test]
async fn after_a_provider_change_the_console_and_one_operator_can_link_accounts() {
    let world = World::new().await;
    let engine = &world.engine;
    let operator = Email::verified("operator@acme.example");
    let (again, session) = signs_in(&world, NEW, "olga", operator, &[Role::Operator]).await;
    let reviewer = Email::verified("reviewer@acme.example");
    let (rita, _) = signs_in(&world, NEW, "rita", reviewer, &[Role::Reviewer]).await;
    let link = async |account: &loopiq::domain::Person, other: &str, same: bool| {
        let other = world.acme.person(other).id;
        engine
            .request_link(
                &console(&world),
                account.id.as_str(),
                other.as_str(),
                Some(same),
                "New provider.",
            )
            .await
            .expect("asked")
    };
    // Only an operator with an identified account can confirm a request that grants a right.
    let apart = link(&rita, "reviewer", false).await;
    assert!(refused(confirm(engine, &session, apart.id.as_str()).await).contains("Ask an operator"));
    let request = asked(&world, &console(&world), LOOSE).await;
    assert!(refused(confirm(engine, &session, request.id.as_str()).await).contains("Ask an operator"));
    let own = link(&again, "operator", true).await;
    assert!(confirm(engine, &session, own.id.as_str()).await.expect("linked").done);
    assert!(
        confirm(engine, &session, apart.id.as_str())
            .await
            .expect("told apart")
            .done
    );
    assert!(
        confirm(engine, &session, request.id.as_str())
            .await
            .expect("confirmed")
            .done
    );
}

#[tokio::test]
async fn a_tenant_with_one_operator_is_told_how_to_add_another() {
    let world = World::new().await;
    let second = Email::verified("operator2@acme.example");
    signs_in(
        &world,
        "https://idp.example",
        "operator2@acme.example",
        second,
        &[Role::Auditor],
    )
    .await;
    let first = world.person("operator");
    let request = asked(&world, &first, LOOSE).await;
    assert!(request.confirmers.is_empty());
    assert!(
        request.next().contains("Give another person the role operator"),
        "{}",
        request.next()
    );
    let page = world.engine.requests_page(&first).await.expect("a page");
    assert!(page.alone.expect("alone").contains("Give another person"));
    // A person who has lost the role cannot confirm, even in a session from before.
    let gone = refused(confirm(&world.engine, &world.person("operator2"), request.id.as_str()).await);
    assert!(gone.contains("You need the role operator"), "{gone}");
}

#[tokio::test]
async fn two_concurrent_operators_close_a_request_once() {
    let world = World::new().await;
    let third = Email::verified("operator3@acme.example");
    let (_, three) = signs_in(&world, NEW, "o3", third, &[Role::Operator]).await;
    for round in 0..10 {
        let source = format!("[evidence]\nmax_age_days = {}\n", 20 + round);
        let request = asked(&world, &world.person("operator"), &source).await;
        let id = request.id.as_str();
        let (second, three) = (world.person("operator2"), three.clone());
        let before = in_force(&world).await;
        let (confirmed, declined) = tokio::join!(
            confirm(&world.engine, &second, id),
            world.engine.decline_request(&three, id, "no"),
        );
        assert!(
            confirmed.is_ok() != declined.is_ok(),
            "round {round}: {confirmed:?} {declined:?}"
        );
        assert_eq!(in_force(&world).await, before + i64::from(confirmed.is_ok()));
    }
}

#[tokio::test]
async fn authorization_comes_before_the_choice_between_same_and_different() {
    let world = World::new().await;
    let engine = &world.engine;
    let people = ["lead", "auditor"].map(|role| world.acme.person(role).id);
    let link = async |ctx| {
        let [one, other] = &people;
        engine
            .request_link(ctx, one.as_str(), other.as_str(), None, "By phone.")
            .await
    };
    let (reviewer, operator) = (world.person("reviewer"), world.person("operator"));
    let denied = link(&reviewer).await;
    assert!(matches!(denied, Err(Error::NotAuthorized { .. })), "{denied:?}");
    let unchosen = link(&operator).await;
    assert!(matches!(unchosen, Err(Error::Setting { .. })), "{unchosen:?}");
}
