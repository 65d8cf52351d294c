//! Step-up authentication over the real routes, with the demo's identity provider: the redirect before an approval, and the way back.

mod provider;

use crate::support::{Answer, Browser, Service};
use loopiq::context::Ctx;
use loopiq::domain::{TenantId, Timestamp};
use loopiq::engine::Error;
use loopiq::store::PolicyRow;
use loopiq_testing::{Agent, fixtures};
use reqwest::Method;
use serde_json::{Value, json};

const REVIEWER: &str = "reviewer@acme.example";
const LEAD: &str = "lead@acme.example";
const BOTH: &str = "both@many.example";
const POLICY: &str = "[[risk]]\ntool = \"loopiq_create_work_item\"\nclass = \"high\"\n[step_up]\nrisk = [\"high\"]\n";

/// Activates a policy and proposes a story of high risk. Returns the action's ID.
async fn proposed(service: &Service, policy: &str) -> String {
    let runtime = &service.state.runtime;
    let (team, release) = (runtime.id(), runtime.id());
    let ctx = Ctx::system(TenantId::parse("acme").unwrap(), runtime);
    let arguments = json!({
        "idempotencyKey": "story", "releaseId": release, "teamId": team, "kind": "story", "description": "Found by the scanner.",
        "title": "Parameterize the SQL query in routes/login.ts", "reason": "A scanner reported it for this release.",
    });
    let row = PolicyRow {
        version: 2,
        source: policy.to_owned(),
        note: String::new(),
        person_id: None,
        created_at: runtime.now(),
    };
    let written = service.state.store.write::<_, Error, _>(&ctx, |tx| {
        Box::pin(async move {
            tx.insert_policy(&row).await?;
            tx.insert_team(&fixtures::team(&team, "checkout", "Checkout")).await?;
            let shop = fixtures::release(&release, "SHOP-2026.12", "Shop 2026.12");
            Ok(tx.insert_release(&shop, &[&team]).await?)
        })
    });
    written.await.unwrap();
    service.signed_in(LEAD).await;
    // The lead is the caller, so that reviewers decide.
    let mut agent = Agent::connect(&service.url, &service.token(LEAD).await).await.unwrap();
    let answer = agent.call("loopiq_create_work_item", &arguments).await.unwrap();
    answer["actionId"].as_str().unwrap().to_owned()
}

/// The attribute of a tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()
}

/// The fields of the approval on the confirmation page: name, value, and whether it is ticked.
fn fields(page: &str) -> Vec<(String, String, bool)> {
    let form = page.split("action=\"/do/approve\"").nth(1).expect("a form");
    let form = form.split("</form>").next().unwrap();
    let inputs = form.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap());
    inputs
        .map(|tag| {
            let value = |name| attribute(tag, name).unwrap_or_default().to_owned();
            (value("name"), value("value"), tag.contains(" checked"))
        })
        .collect()
}

/// The fields of a complete approval, as the confirmation page of this person has them.
async fn approval(browser: &mut Browser, action: &str) -> Vec<(String, String)> {
    assert_eq!(browser.get(&format!("/actions/{action}")).await.status, 200);
    let page = browser.get(&format!("/actions/{action}/confirm")).await;
    let fields = fields(&page.text).into_iter();
    fields
        .map(|(name, value, _)| {
            if name == "typed" {
                (name, "shop-2026.12".to_owned())
            } else {
                (name, value)
            }
        })
        .collect()
}

async fn approve(browser: &mut Browser, form: &[(String, String)]) -> Answer {
    let form: Vec<(&str, &str)> = form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    browser.post("/do/approve", &form).await
}

/// A person who signed in half an hour ago, whose approval was refused until the person signs in again.
async fn refused(service: &Service, email: &str, action: &str) -> Browser {
    let mut browser = service.signed_in(email).await;
    service.advance_clock(30 * Timestamp::MINUTE);
    let form = approval(&mut browser, action).await;
    let answer = approve(&mut browser, &form).await;
    assert_eq!(
        (answer.status, answer.location()),
        (303, ask_url(action).as_str()),
        "{}",
        answer.text
    );
    browser
}

fn ask_url(action: &str) -> String {
    format!("/auth/step-up?action={action}")
}

fn start_url(action: &str) -> String {
    format!("/auth/step-up/start?action={action}")
}

#[tokio::test]
async fn an_approval_without_a_script_leads_to_the_sign_in_and_back() {
    let service = Service::start().await;
    let action = proposed(&service, POLICY).await;
    let page_url = format!("/actions/{action}");
    let mut browser = service.signed_in(REVIEWER).await;
    let page = browser.get(&page_url).await.text;
    assert!(
        page.contains("Your approval requires a recent sign-in. Yours counts until"),
        "{page}"
    );
    service.advance_clock(30 * Timestamp::MINUTE);
    let page = browser.get(&page_url).await.text;
    assert!(
        page.contains("you will be asked to sign in again") && page.contains("you signed in 30 minutes ago"),
        "{page}"
    );
    let form = approval(&mut browser, &action).await;
    assert!(form.iter().any(|(name, _)| name == "acknowledged[]"), "{form:?}");
    let answer = approve(&mut browser, &form).await;
    assert_eq!(
        (answer.status, answer.location()),
        (303, ask_url(&action).as_str()),
        "{}",
        answer.text
    );
    let [denied] = service.entries("access.denied").await.try_into().unwrap();
    assert_eq!(denied["details"]["code"], "step_up_required");

    // The page has a link, because the provider can be on another site, to which no form may lead.
    let ask = browser.get(answer.location()).await;
    assert_eq!(ask.status, 200);
    assert!(
        ask.text.contains("Nothing is approved yet") && ask.text.contains("30 minutes ago"),
        "{}",
        ask.text
    );
    assert!(
        ask.text.contains(&format!("href=\"{}\"", start_url(&action))),
        "{}",
        ask.text
    );

    let redirect = browser.get(&start_url(&action)).await;
    let asked = redirect.location();
    assert!(asked.contains("prompt=login") && asked.contains("max_age=0"), "{asked}");
    assert!(!asked.contains("acr_values"), "{asked}");
    let before = browser.cookie.clone();
    let callback = browser.choose(&start_url(&action), ("person", REVIEWER)).await;
    let back = browser.get(&callback).await;
    assert_eq!(
        (back.status, back.location()),
        (303, page_url.as_str()),
        "{}",
        back.text
    );

    // The session has a new secret, and the previous one opens nothing.
    assert_ne!(browser.cookie, before);
    let mut thief = service.browser();
    thief.cookie = before;
    assert_eq!(thief.get("/").await.status, 303);
    let entries = service.entries("session.signed_in").await;
    let entry = entries.last().unwrap();
    assert_eq!(entry["details"]["stepUp"]["actionId"], action);
    assert_eq!(entry["details"]["stepUp"]["acr"], "demo:one-factor");
    assert!(
        entry["details"]["stepUp"]["replacedSession"]
            .as_str()
            .unwrap()
            .starts_with("ses_"),
        "{entry}"
    );

    // What the person entered is still there, and nothing is approved.
    let page = browser.get(&page_url).await.text;
    assert!(page.contains("You signed in again. Nothing is approved yet"), "{page}");
    assert!(page.contains("Pending approval"), "{page}");
    let confirm = browser.get(&format!("{page_url}/confirm")).await.text;
    let kept = fields(&confirm);
    let typed = kept.iter().find(|(name, ..)| name == "typed").unwrap();
    assert_eq!(typed.1, "shop-2026.12");
    let ticks = || kept.iter().filter(|(name, ..)| name == "acknowledged[]");
    assert!(ticks().count() > 0 && ticks().all(|(.., ticked)| *ticked), "{kept:?}");
    let form: Vec<(String, String)> = kept
        .iter()
        .map(|(name, value, _)| (name.clone(), value.clone()))
        .collect();
    let answer = approve(&mut browser, &form).await;
    assert_eq!(
        (answer.status, answer.location()),
        (303, page_url.as_str()),
        "{}",
        answer.text
    );
    let page = browser.get(&page_url).await.text;
    assert!(
        page.contains("You approved it.") && !page.contains("You signed in again"),
        "{page}"
    );
    let [approved] = service.entries("action.approved").await.try_into().unwrap();
    assert_eq!(approved["details"]["stepUp"]["authenticatedBy"], "auth_time");
    assert_eq!(approved["details"]["stepUp"]["acr"], "demo:one-factor");
}

#[tokio::test]
async fn a_script_gets_the_refusal_as_an_outcome() {
    let service = Service::start().await;
    let action = proposed(&service, POLICY).await;
    let mut browser = service.signed_in(REVIEWER).await;
    service.advance_clock(30 * Timestamp::MINUTE);
    let form = approval(&mut browser, &action).await;
    for path in ["/do/approve", "/do/approve-and-run"] {
        let request = browser.program(Method::POST, path).header("accept", "application/json");
        let answer = browser
            .send(request.header("sec-fetch-site", "same-origin").form(&form))
            .await;
        assert_eq!((answer.status, answer.location()), (422, ""), "{}", answer.text);
        let outcome: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(
            (&outcome["done"], &outcome["sign_in_again"]),
            (&json!(false), &json!(true)),
            "{outcome}"
        );
        assert!(
            outcome["message"].as_str().unwrap().starts_with("Not approved yet: "),
            "{outcome}"
        );
    }
    browser.sign_in(REVIEWER, &start_url(&action)).await;
    let page = browser.get(&format!("/actions/{action}/confirm")).await.text;
    assert!(
        fields(&page)
            .iter()
            .any(|(name, value, _)| name == "typed" && value == "shop-2026.12"),
        "{page}"
    );
}

#[tokio::test]
async fn a_way_of_signing_in_is_asked_for_and_verified() {
    let service = Service::start().await;
    let policy = format!("{POLICY}acr = [\"gold\", \"demo:two-factors\"]");
    let action = proposed(&service, &policy).await;
    // The sign-in is recent, and of another kind than the policy accepts.
    let mut browser = service.signed_in(REVIEWER).await;
    let form = approval(&mut browser, &action).await;
    assert_eq!(approve(&mut browser, &form).await.location(), ask_url(&action));
    let redirect = browser.get(&start_url(&action)).await;
    assert!(
        redirect.location().contains("acr_values=gold+demo%3Atwo-factors"),
        "{}",
        redirect.location()
    );
    let provider = browser.get(redirect.location()).await;
    assert!(provider.text.contains("asks for two factors"), "{}", provider.text);
    let back = browser.sign_in(REVIEWER, &start_url(&action)).await;
    assert_eq!(back.location(), format!("/actions/{action}"), "{}", back.text);
    let form = approval(&mut browser, &action).await;
    assert_eq!(
        approve(&mut browser, &form).await.location(),
        format!("/actions/{action}")
    );
    let [approved] = service.entries("action.approved").await.try_into().unwrap();
    assert_eq!(approved["details"]["stepUp"]["acr"], "demo:two-factors");
}

#[tokio::test]
async fn the_way_back_is_only_ever_the_page_of_the_action() {
    let service = Service::start().await;
    let action = proposed(&service, POLICY).await;
    let mut browser = refused(&service, REVIEWER, &action).await;
    for path in ["/auth/step-up", "/auth/step-up/start"] {
        for hostile in [
            "",
            "?action=",
            "?action=https://evil.example/",
            "?action=//evil.example",
            "?action=/%5Cevil.example",
            "?action=act_x/../../evil",
            "?return_to=https://evil.example",
            &format!("?action={action}%0d%0aSet-Cookie:x=y"),
            &format!("?action={action}&action=//evil.example"),
        ] {
            let answer = browser.get(&format!("{path}{hostile}")).await;
            assert_eq!((answer.status, answer.location()), (303, "/"), "{path}{hostile}");
        }
        let unknown = "act_01m88ccw31e1dak5afwfkxb3n4";
        let answer = browser.get(&format!("{path}?action={unknown}")).await;
        assert_eq!(
            answer.location(),
            format!("/actions/{unknown}"),
            "the page says that there is none"
        );
        // A browser without a session signs in first.
        let answer = service.browser().get(&format!("{path}?action={action}")).await;
        assert_eq!(answer.location(), format!("/login?return_to=%2Factions%2F{action}"));
    }
    let hostile = format!("{}&return_to=https://evil.example", start_url(&action));
    let back = browser.sign_in(REVIEWER, &hostile).await;
    assert_eq!(back.location(), format!("/actions/{action}"));
    // Nothing more is required, so that nobody is led to the provider again.
    for url in [ask_url(&action), start_url(&action)] {
        assert_eq!(browser.get(&url).await.location(), format!("/actions/{action}"));
    }
}

#[tokio::test]
async fn another_person_gets_a_new_session_without_the_drafts() {
    let service = Service::start().await;
    let action = proposed(&service, POLICY).await;
    let mut browser = refused(&service, REVIEWER, &action).await;
    let before = browser.cookie.clone();
    let back = browser.sign_in("auditor@acme.example", &start_url(&action)).await;
    assert_eq!(
        (back.status, back.location()),
        (303, format!("/actions/{action}").as_str()),
        "{}",
        back.text
    );
    let page = browser.get(back.location()).await.text;
    assert!(page.contains("Name of auditor@acme.example"), "{page}");
    assert!(
        !page.contains("You signed in again") && !page.contains("shop-2026.12"),
        "{page}"
    );
    let mut thief = service.browser();
    thief.cookie = before;
    assert_eq!(thief.get("/").await.status, 303);
    let entries = service.entries("session.signed_in").await;
    assert_eq!(entries.last().unwrap()["details"].get("stepUp"), None, "{entries:?}");
    assert!(service.entries("action.approved").await.is_empty());
}

#[tokio::test]
async fn a_cancelled_sign_in_changes_nothing() {
    let service = Service::start().await;
    let action = proposed(&service, POLICY).await;
    let mut browser = refused(&service, REVIEWER, &action).await;
    let before = browser.cookie.clone();
    let callback = browser.choose(&start_url(&action), ("cancel", "yes")).await;
    let page = browser.get(&callback).await;
    assert_eq!(page.status, 400);
    for part in [
        "Nothing was approved",
        "No person was chosen",
        &ask_url(&action),
        "Back to the action",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert_eq!(browser.cookie, before);
    let confirm = browser.get(&format!("/actions/{action}/confirm")).await.text;
    assert!(
        fields(&confirm)
            .iter()
            .any(|(name, value, _)| name == "typed" && value == "shop-2026.12")
    );
    let page = browser.get(&format!("/actions/{action}")).await.text;
    assert!(
        page.contains("you will be asked to sign in again") && !page.contains("You signed in again"),
        "{page}"
    );
}

#[tokio::test]
async fn the_chosen_tenant_stays_chosen() {
    let service = Service::start().await;
    service.create_tenant("globex", "Globex").await;
    let action = proposed(&service, POLICY).await;
    let mut browser = service.browser();
    browser.sign_in(BOTH, "/login").await;
    let chosen = browser
        .post("/auth/tenant", &[("tenant", "acme"), ("return_to", "/")])
        .await;
    assert_eq!(chosen.status, 303);
    service.advance_clock(30 * Timestamp::MINUTE);
    let form = approval(&mut browser, &action).await;
    assert_eq!(approve(&mut browser, &form).await.location(), ask_url(&action));
    let back = browser.sign_in(BOTH, &start_url(&action)).await;
    assert_eq!(
        back.location(),
        format!("/actions/{action}"),
        "no choice of a tenant: {}",
        back.text
    );
    let form = approval(&mut browser, &action).await;
    assert_eq!(
        approve(&mut browser, &form).await.location(),
        format!("/actions/{action}")
    );
    // The other tenant can still be chosen, and what was entered in this one is not in it.
    let switched = browser
        .post("/auth/tenant", &[("tenant", "globex"), ("return_to", "/")])
        .await;
    assert_eq!(switched.status, 303, "{}", switched.text);
    assert_eq!(
        browser.get(&start_url(&action)).await.location(),
        format!("/actions/{action}")
    );
    assert_eq!(browser.get(&format!("/actions/{action}")).await.status, 404);
}
