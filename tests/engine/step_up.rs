//! Step-up authentication: an approval that requires a recent sign-in of the approver.

use crate::world::{World, text};
use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::{Error, Visit};
use loopiq::store::NewSession;
use loopiq::views::Outcome;
use loopiq_testing::fixtures::browser_session;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const LATER: Timestamp = Timestamp(4_102_444_800_000_000);
const RISKY: &str = "[[risk]]\ntool = \"loopiq_create_remediation_work_package\"\nclass = \"high\"\n";
const STEP_UP: &str = "[step_up]\nrisk = [\"high\"]\n";

/// A world in which approvals of work packages have high risk and require a sign-in, with these further lines of the policy.
async fn world(more: &str) -> World {
    let world = World::new().await;
    world.policy(&format!("{RISKY}{STEP_UP}{more}")).await;
    world
}

/// A sign-in some time ago.
#[derive(Clone, Copy, Default)]
struct SignIn {
    /// Microseconds since the authentication; `None`: the provider does not say when.
    age: Option<i64>,
    prompted: bool,
    acr: Option<&'static str>,
}

fn ago(age: i64) -> SignIn {
    SignIn {
        age: Some(age),
        ..SignIn::default()
    }
}

/// Stores the session of this role with a sign-in, in the place of an earlier one.
async fn signed_in(world: &World, role: &str, digest: &str, sign_in: SignIn) {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let holder = (world.acme.tenant.clone(), world.acme.person(role).id);
    let mut session = browser_session(u128::from(NUMBER.fetch_add(1, Ordering::Relaxed)), Some(holder));
    let now = world.engine.runtime().now();
    session.sign_in.issued_at = now;
    session.sign_in.authenticated_at = sign_in.age.map(|age| now.plus(-age));
    session.sign_in.prompted = sign_in.prompted;
    session.sign_in.acr = sign_in.acr.map(str::to_owned);
    let store = world.engine.store();
    store.delete_session(digest).await.expect("deleted");
    let new = NewSession {
        digest: digest.to_owned(),
        session,
        expires: LATER,
    };
    assert!(store.create_session(new, "{}").await.expect("stored"));
}

async fn reviewer(world: &World, sign_in: SignIn) {
    signed_in(world, "reviewer", "session of reviewer", sign_in).await;
}

/// Why the person has to sign in again.
#[track_caller]
fn asked(outcome: Result<Outcome, Error>) -> String {
    match outcome {
        Err(error) => {
            assert!(error.asks_to_sign_in_again(), "{error:?}");
            assert_eq!(error.code(), "step_up_required");
            error.to_string()
        }
        Ok(outcome) => panic!("{outcome:?}"),
    }
}

#[tokio::test]
async fn an_old_sign_in_approves_nothing_and_a_new_one_does() {
    let world = world("").await;
    let (id, digest) = world.proposed("k1").await;
    reviewer(&world, ago(25 * Timestamp::MINUTE)).await;
    let why = asked(world.approve("reviewer", &id, &digest).await);
    assert!(
        why.contains("a sign-in within the last 10 minutes, and you signed in 25 minutes ago")
            && why.contains("Sign in again"),
        "{why}"
    );
    assert_eq!(world.get(&id).await["status"], "pending_approval");
    assert_eq!(world.count("decisions").await, 0);
    let [denied] = world.entries("access.denied").await.try_into().expect("one entry");
    assert_eq!(denied["details"]["code"], "step_up_required");
    assert_eq!(text(&denied["actor"], "email"), "reviewer@acme.example");
    assert!(text(&denied, "note").contains("25 minutes ago"), "{denied}");

    reviewer(
        &world,
        SignIn {
            acr: Some("mfa"),
            ..ago(Timestamp::MINUTE)
        },
    )
    .await;
    assert!(world.approve("reviewer", &id, &digest).await.expect("approved").done);
    let [approved] = world.entries("action.approved").await.try_into().expect("one entry");
    let step_up = &approved["details"]["stepUp"];
    assert_eq!(
        (&step_up["authenticatedBy"], &step_up["acr"], &step_up["maxAgeMinutes"]),
        (&json!("auth_time"), &json!("mfa"), &json!(10))
    );
    assert!(text(step_up, "authenticatedAt").starts_with("2026-11-22T"), "{step_up}");
    // The same approval again is the same answer, with any sign-in.
    reviewer(&world, ago(Timestamp::DAY)).await;
    let again = world.approve("reviewer", &id, &digest).await.expect("the same");
    assert!(again.message.contains("nothing was done twice"), "{again:?}");
}

#[tokio::test]
async fn a_sign_in_counts_until_the_limit_with_the_tolerance_of_clocks() {
    let world = world("").await;
    let (id, digest) = world.proposed("k1").await;
    let limit = 10 * Timestamp::MINUTE + PROVIDER_CLOCK_SKEW;
    reviewer(&world, ago(limit)).await;
    asked(world.approve("reviewer", &id, &digest).await);
    reviewer(&world, ago(-PROVIDER_CLOCK_SKEW - Timestamp::MINUTE)).await;
    let why = asked(world.approve("reviewer", &id, &digest).await);
    assert!(why.contains("in the future"), "{why}");
    reviewer(&world, ago(limit - Timestamp::MINUTE)).await;
    assert!(world.approve("reviewer", &id, &digest).await.expect("approved").done);
}

#[tokio::test]
async fn a_provider_that_does_not_say_when_is_believed_only_after_it_was_asked_to_authenticate() {
    let world = world("").await;
    let (id, digest) = world.proposed("k1").await;
    let silent = SignIn::default();
    reviewer(&world, silent).await;
    let why = asked(world.approve("reviewer", &id, &digest).await);
    assert!(why.contains("did not say when you signed in"), "{why}");
    let prompted = SignIn {
        prompted: true,
        ..silent
    };
    reviewer(&world, prompted).await;
    assert!(world.approve("reviewer", &id, &digest).await.expect("approved").done);
    let [approved] = world.entries("action.approved").await.try_into().expect("one entry");
    assert_eq!(approved["details"]["stepUp"]["authenticatedBy"], "iat");
    assert_eq!(approved["details"]["stepUp"]["acr"], Value::Null);
}

#[tokio::test]
async fn one_of_the_accepted_ways_of_signing_in_is_required() {
    let world = world("acr = [\"mfa\", \"hwk\"]").await;
    let (id, digest) = world.proposed("k1").await;
    for (acr, says) in [
        (Some("pwd"), "yours was of the kind pwd"),
        (None, "did not say of which kind"),
    ] {
        reviewer(&world, SignIn { acr, ..ago(0) }).await;
        let why = asked(world.approve("reviewer", &id, &digest).await);
        assert!(why.contains("mfa or hwk (acr)") && why.contains(says), "{why}");
    }
    let request = world.engine.step_up(&world.person("reviewer"), &id).await;
    assert_eq!(request.expect("known").expect("required").acr, ["mfa", "hwk"]);
    let hwk = SignIn {
        acr: Some("hwk"),
        ..ago(0)
    };
    reviewer(&world, hwk).await;
    assert!(world.approve("reviewer", &id, &digest).await.expect("approved").done);
    let [approved] = world.entries("action.approved").await.try_into().expect("one entry");
    assert_eq!(approved["details"]["stepUp"]["acr"], "hwk");
    assert_eq!(approved["details"]["stepUp"]["acceptedAcr"], json!(["mfa", "hwk"]));
}

#[tokio::test]
async fn the_sign_in_of_another_session_or_person_does_not_count() {
    let world = world("").await;
    let (id, digest) = world.proposed("k1").await;
    reviewer(&world, ago(Timestamp::HOUR)).await;
    signed_in(&world, "reviewer", "phone", ago(0)).await;
    asked(world.approve("reviewer", &id, &digest).await);
    // A session that has ended, and a session of another person under the same digest.
    let consent = world.consent(&id, &digest).await;
    for (session, of) in [("ended", None), ("another's", Some("lead"))] {
        if let Some(role) = of {
            signed_in(&world, role, session, ago(0)).await;
        }
        let ctx = world.in_session("reviewer", session);
        let why = asked(world.consent_as(&ctx, &id, consent.clone()).await);
        assert!(why.contains("your session has ended"), "{why}");
    }
    let phone = world.in_session("reviewer", "phone");
    assert!(world.consent_as(&phone, &id, consent).await.expect("approved").done);
}

#[tokio::test]
async fn each_approval_requires_it_and_nothing_else_does() {
    let two = "[[decide]]\nname = \"Two\"\ngroups = [{ name = \"Any\", approvals = 2 }]\n";
    let world = world(two).await;
    let (id, digest) = world.proposed("k1").await;
    reviewer(&world, ago(0)).await;
    signed_in(&world, "lead", "session of lead", ago(Timestamp::HOUR)).await;
    let first = world
        .approve("reviewer", &id, &digest)
        .await
        .expect("the first approval");
    assert_eq!(first.state, Some(State::PendingApproval));
    asked(world.approve("lead", &id, &digest).await);
    let [endorsed] = world.entries("action.endorsed").await.try_into().expect("one entry");
    assert_eq!(endorsed["details"]["stepUp"]["authenticatedBy"], "auth_time");
    let lead = world.person("lead");
    let view = world.opened(&lead, &id).await;
    let rejected = world.engine.reject(&lead, &id, &digest, &[], "No.", &view).await;
    assert!(rejected.expect("rejected").done);
    // Actions of another class of risk do not require it.
    world.policy(&format!("{RISKY}{STEP_UP}")).await;
    let (story, digest) = world.story(1).await;
    assert!(world.approve("lead", &story, &digest).await.expect("approved").done);
    let [approved] = world.entries("action.approved").await.try_into().expect("one entry");
    assert_eq!(approved["details"].get("stepUp"), None);
}

#[tokio::test]
async fn an_approval_that_runs_at_once_requires_it_and_a_later_execution_does_not() {
    let world = world("").await;
    let (id, digest) = world.proposed("k1").await;
    reviewer(&world, ago(Timestamp::HOUR)).await;
    let ctx = world.person("reviewer");
    let view = world.opened(&ctx, &id).await;
    let mut consent = world.consent(&id, &digest).await;
    consent.view = view.clone();
    let items = world.count("work_items").await;
    asked(world.engine.approve_and_execute(&ctx, &id, consent.clone()).await);
    assert_eq!(world.count("work_items").await, items);
    assert_eq!(world.get(&id).await["status"], "pending_approval");
    reviewer(&world, ago(0)).await;
    let done = world
        .engine
        .approve_and_execute(&ctx, &id, consent)
        .await
        .expect("executed");
    assert_eq!(done.state, Some(State::Executed));

    // An execution is not a consent: it applies what people approved, and judges the approvals again.
    let (other, digest) = world.proposed_elsewhere().await;
    world.approve("reviewer", &other, &digest).await.expect("approved");
    reviewer(&world, ago(Timestamp::DAY)).await;
    assert!(world.execute(&ctx, &other).await.expect("executed").done);
}

impl World {
    /// A package about other records than [`World::package`]: (action ID, digest).
    async fn proposed_elsewhere(&self) -> (String, String) {
        self.policy(&format!(
            "[[risk]]\ntool = \"loopiq_create_work_item\"\nclass = \"high\"\n{RISKY}{STEP_UP}"
        ))
        .await;
        self.story(77).await
    }
}

#[tokio::test]
async fn everything_else_is_checked_before_a_person_is_asked_to_sign_in() {
    let world = world("").await;
    let (id, digest) = world.proposed("k1").await;
    reviewer(&world, ago(Timestamp::HOUR)).await;
    let mut consent = world.consent(&id, &digest).await;
    let typed = std::mem::replace(&mut consent.typed, "something else".to_owned());
    let ctx = world.person("reviewer");
    let error = world.consent_as(&ctx, &id, consent.clone()).await.expect_err("refused");
    assert_eq!(error.code(), "policy_refused", "{error}");
    assert!(world.entries("access.denied").await.is_empty());
    consent.typed = typed;
    asked(world.consent_as(&ctx, &id, consent).await);
    // A person who may not approve is not asked to sign in again.
    let (developer, view) = (world.person("developer"), String::new());
    let refused = world
        .engine
        .approve(
            &developer,
            &id,
            loopiq::engine::ApprovalRequest {
                view,
                ..Default::default()
            },
        )
        .await;
    assert!(matches!(refused, Err(Error::NotAuthorized { .. })), "{refused:?}");
}

async fn note(world: &World, ctx: &Ctx, id: &str) -> Option<(bool, String)> {
    let page = world
        .engine
        .action_page(ctx, id, Visit::Unrecorded)
        .await
        .expect("a page");
    page.panel.step_up.map(|note| (note.again, note.message.to_string()))
}

#[tokio::test]
async fn the_page_says_beforehand_that_a_sign_in_follows() {
    let world = world("").await;
    let (id, digest) = world.proposed("k1").await;
    let ctx = world.person("reviewer");
    reviewer(&world, ago(Timestamp::HOUR)).await;
    let (again, says) = note(&world, &ctx, &id).await.expect("a note");
    assert!(
        again && says.contains("you will be asked to sign in again") && says.contains("60 minutes ago"),
        "{says}"
    );
    assert!(world.engine.step_up(&ctx, &id).await.expect("known").is_some());
    reviewer(&world, ago(0)).await;
    let (again, says) = note(&world, &ctx, &id).await.expect("a note");
    assert!(
        !again && says.contains("Yours counts until 2026-11-22 09:11 UTC"),
        "{says}"
    );
    assert_eq!(world.engine.step_up(&ctx, &id).await.expect("known"), None);
    // The proposer approves nothing, and after the decision nobody does.
    assert_eq!(note(&world, &world.person("auditor"), &id).await, None);
    world.approve("reviewer", &id, &digest).await.expect("approved");
    assert_eq!(note(&world, &ctx, &id).await, None);
    reviewer(&world, ago(Timestamp::HOUR)).await;
    assert_eq!(
        world.engine.step_up(&ctx, &id).await.expect("known"),
        None,
        "it is not pending"
    );
    for unknown in ["act_0000000000000000000000000z", "x", ""] {
        let answer = world.engine.step_up(&ctx, unknown).await;
        assert!(matches!(answer, Err(Error::NotFound { .. })), "{unknown}: {answer:?}");
    }
    let foreign = world.person_of(&world.globex, "reviewer");
    let answer = world.engine.step_up(&foreign, &id).await;
    assert!(matches!(answer, Err(Error::NotFound { .. })), "{answer:?}");
}

#[tokio::test]
async fn policies_without_a_common_way_of_signing_in_are_named() {
    let world = world("acr = [\"old\"]").await;
    let (id, digest) = world.proposed("k1").await;
    world.policy(&format!("{RISKY}{STEP_UP}acr = [\"new\"]")).await;
    let new = SignIn {
        acr: Some("new"),
        ..ago(0)
    };
    reviewer(&world, new).await;
    let error = world.approve("reviewer", &id, &digest).await.expect_err("refused");
    assert!(!error.asks_to_sign_in_again(), "{error:?}");
    assert!(
        error.to_string().contains("accept no common way of signing in"),
        "{error}"
    );
    assert_eq!(
        world
            .engine
            .step_up(&world.person("reviewer"), &id)
            .await
            .expect("known"),
        None
    );
    let (_, says) = note(&world, &world.person("reviewer"), &id).await.expect("a note");
    assert!(says.starts_with("Can't be approved"), "{says}");
}

#[tokio::test]
async fn removing_or_weakening_it_needs_a_second_operator() {
    let world = world("max_age_minutes = 5\nacr = [\"mfa\"]").await;
    let operator = world.person("operator");
    for (policy, says) in [
        (RISKY.to_owned(), "approved without a recent sign-in"),
        (
            format!("{RISKY}{STEP_UP}max_age_minutes = 6\nacr = [\"mfa\"]"),
            "up to 6 minutes after the sign-in, not 5",
        ),
        (format!("{RISKY}{STEP_UP}max_age_minutes = 5"), "every kind of sign-in"),
        (
            format!("{RISKY}{STEP_UP}max_age_minutes = 5\nacr = [\"mfa\", \"pwd\"]"),
            "of the kind pwd",
        ),
    ] {
        let report = world.engine.check_policy(&operator, &policy).await.expect("a report");
        let loosens: Vec<String> = report.loosens.iter().map(ToString::to_string).collect();
        assert!(loosens.iter().any(|one| one.contains(says)), "{loosens:?}");
    }
    let stricter = format!("{RISKY}[step_up]\nrisk = [\"high\", \"low\"]\nmax_age_minutes = 4\nacr = [\"mfa\"]");
    let report = world.engine.check_policy(&operator, &stricter).await.expect("a report");
    assert!(report.loosens.is_empty(), "{:?}", report.loosens);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_that_races_with_the_policy_is_judged_by_one_of_both() {
    let world = Arc::new(World::new().await);
    for round in 0..8 {
        world.policy(RISKY).await;
        let (id, digest) = world.story(round).await;
        reviewer(&world, ago(Timestamp::HOUR)).await;
        let mut consent = world.consent(&id, &digest).await;
        consent.view = world.opened(&world.person("reviewer"), &id).await;
        let strict = format!("{RISKY}[step_up]\nrisk = [\"low\", \"medium\", \"high\"]\n# {round}");
        let base = world
            .engine
            .policy_page(&world.person("operator"), None, None)
            .await
            .expect("a page")
            .today;
        let (one, other) = (world.clone(), world.clone());
        let approval = {
            let id = id.clone();
            tokio::spawn(async move { one.engine.approve(&one.person("reviewer"), &id, consent).await })
        };
        let switch = tokio::spawn(async move {
            let operator = other.person("operator");
            other.engine.switch_policy(&operator, &strict, "", base).await
        });
        let (approval, switched) = (approval.await.expect("no panic"), switch.await.expect("no panic"));
        switched.expect("switched");
        match approval {
            Ok(outcome) => {
                assert!(outcome.done);
                let entries = world.entries("action.approved").await;
                let entry = entries.last().expect("an entry");
                assert_eq!(
                    entry["details"]["policyVersion"],
                    json!(base),
                    "judged before the switch: {entry}"
                );
            }
            Err(error) => {
                assert!(error.asks_to_sign_in_again(), "{error:?}");
                assert_eq!(world.get(&id).await["status"], "pending_approval");
            }
        }
    }
}
