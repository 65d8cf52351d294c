//! The size of the page that people open most often.

use crate::support::Service;
use loopiq::context::Ctx;
use loopiq::domain::TenantId;
use loopiq::engine::Error;
use loopiq_testing::{Agent, fixtures};
use serde_json::json;

/// The size of an inbox of 50 actions, in bytes of HTML before compression.
const INBOX: usize = 40_000;

/// What the proposed stories are about: titles as long as agents write them from findings of scanners.
const TITLES: [&str; 6] = [
    "Parameterize the SQL query that is built from the request body in routes/login.ts",
    "Escape the untrusted HTML that the template writes without encoding in frontend/src/app/score-board/score-board.component.ts",
    "Replace the hard-coded signing key with one from the vault in lib/insecurity.ts",
    "Validate the redirect target against the list of allowed hosts in server/middleware/authorization.ts",
    "Limit the size of the uploaded archive before it is unpacked in services/payments/webhook_handler.go",
    "Compare the authentication code in constant time in data/static/codefixes/loginAdminChallenge_1.ts",
];

#[tokio::test]
async fn an_inbox_of_fifty_actions_is_small() {
    let service = Service::start().await;
    let mut browser = service.signed_in("reviewer@acme.example").await;
    service.signed_in("lead@acme.example").await;
    propose(&service, 51).await;

    let page = browser.get("/").await;
    assert_eq!((page.status, page.header("content-encoding")), (200, ""));
    let html = page.text;
    assert_eq!(html.matches("<a href=\"/actions/act_").count(), 50, "{html}");
    for part in [
        TITLES[1],
        "Pending approval</span>",
        "Name of lead@acme.example via Helix",
        "Next page",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(html.len() <= INBOX, "{} bytes: {html}", html.len());
    // Icons are in the style sheet.
    assert!(!html.contains("<svg"), "{html}");

    // The reason why an auditor cannot decide is said once.
    let html = service.signed_in("auditor@acme.example").await.get("/").await.text;
    assert_eq!(html.matches("<a href=\"/actions/act_").count(), 50, "{html}");
    assert_eq!(html.matches("Only reviewers and leads can decide").count(), 1, "{html}");
    assert!(html.len() <= INBOX, "{} bytes: {html}", html.len());
}

/// Proposes so many stories for the release SHOP-2026.12, for the person `lead`.
async fn propose(service: &Service, count: usize) {
    let runtime = &service.state.runtime;
    let (team, release) = (runtime.id(), runtime.id());
    let arguments = json!({ "releaseId": release, "teamId": team, "kind": "story", "description": "Found by the scanner.",
                            "reason": "A scanner reported it for this release." });
    let ctx = Ctx::system(TenantId::parse("acme").unwrap(), runtime);
    service
        .state
        .store
        .write::<_, Error, _>(&ctx, |tx| {
            Box::pin(async move {
                tx.insert_team(&fixtures::team(&team, "checkout", "Checkout")).await?;
                let shop = fixtures::release(&release, "SHOP-2026.12", "Shop 2026.12");
                Ok(tx.insert_release(&shop, &[&team]).await?)
            })
        })
        .await
        .unwrap();
    let token = service.token("lead@acme.example").await;
    let mut agent = Agent::connect(&service.url, &token).await.unwrap();
    for n in 0..count {
        let mut arguments = arguments.clone();
        arguments["title"] = format!("{}:{n}", TITLES[n % TITLES.len()]).into();
        arguments["idempotencyKey"] = format!("story-{n}").into();
        agent.call("loopiq_create_work_item", &arguments).await.unwrap();
    }
}
