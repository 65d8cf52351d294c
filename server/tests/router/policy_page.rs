//! The policy page and its forms in the browsers of operators and of people with other roles.

use crate::support::{Browser, Service};
use loopiq::context::Ctx;
use loopiq::domain::TenantId;
use reqwest::Method;

const PAGE: &str = "/settings/policy";
const GOOD: &str = "# <b>Ours</b>\n[expiry_hours]\nhigh = 12\n";

/// A form as a browser sends it: the lines of a text area end with CR LF.
async fn send(browser: &mut Browser, path: &str, source: &str, base: &str) {
    let source = source.replace('\n', "\r\n");
    let form = [("source", &*source), ("note", "Faster."), ("base", base)];
    let answer = browser.post(path, &form).await;
    // The URL contains neither the draft nor the outcome.
    assert_eq!((answer.status, answer.location()), (303, PAGE), "{}", answer.text);
}

/// Requests the page, which must answer 200.
async fn page(browser: &mut Browser, path: &str) -> String {
    let answer = browser.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    for inline in [" style=", "<style", " onclick=", "javascript:"] {
        assert!(!answer.text.contains(inline), "{inline}");
    }
    answer.text
}

async fn in_force(service: &Service) -> (i64, String) {
    let ctx = Ctx::system(TenantId::parse("acme").unwrap(), &service.state.runtime);
    let page = service.state.engine.policy_page(&ctx, None, None).await.unwrap();
    (page.today, page.source)
}

/// Confirms the only pending request, on the page of requests.
async fn confirm(service: &Service, who: &str) -> String {
    let mut browser = service.signed_in(who).await;
    let shown = page(&mut browser, "/settings/requests").await;
    let id = shown.split("<code>req_").nth(1).unwrap().split('<').next().unwrap();
    let id = format!("req_{id}");
    let view = shown.split("name=\"view\"").nth(1).unwrap().split('"').nth(1).unwrap();
    let answer = browser
        .post("/do/confirm-request", &[("id", &*id), ("view", view)])
        .await;
    assert_eq!(
        (answer.status, answer.location()),
        (303, "/settings/requests"),
        "{}",
        answer.text
    );
    id
}

#[tokio::test]
async fn a_draft_is_kept_until_it_is_in_force() {
    let service = Service::start().await;
    let mut browser = service.signed_in("operator@acme.example").await;
    let first = page(&mut browser, PAGE).await;
    assert!(first.contains("Version 1, active"), "{first}");
    assert!(first.contains("formaction=\"/do/switch-policy\""), "{first}");

    // For a mistake, both buttons show its line and field, and keep the draft.
    let bad = "# <b>Ours</b>\n[expiry_hours]\nhigh = 0\n";
    for path in ["/do/check-policy", "/do/switch-policy"] {
        send(&mut browser, path, bad, "1").await;
        for path in [PAGE, "/", PAGE] {
            page(&mut browser, path).await;
        }
        let shown = page(&mut browser, PAGE).await;
        for part in [
            "role=\"alert\"",
            "line 3, expiry_hours.high: 0 is not between 1 and 720 hours",
            ">high = 0</code>",
            "# &lt;b&gt;Ours&lt;/b&gt;\n[expiry_hours]\nhigh = 0\n</textarea>",
            "value=\"Faster.\"",
        ] {
            assert!(shown.contains(part), "{part} after {path} in {shown}");
        }
        assert!(!shown.contains("<b>Ours"), "{shown}");
        assert_eq!(in_force(&service).await.0, 1);
    }

    // Without mistakes, the page shows the impact of the draft.
    send(&mut browser, "/do/check-policy", GOOD, "1").await;
    let shown = page(&mut browser, PAGE).await;
    for part in [
        ">Valid<",
        "Added: </span><ins># &lt;b&gt;Ours&lt;/b&gt;</ins>",
        "in the last ",
        "No actions were proposed in this period.",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert_eq!(in_force(&service).await.0, 1);

    // The page shows the source of an older version, and keeps the draft.
    let old = page(&mut browser, &format!("{PAGE}?version=1")).await;
    assert!(
        old.contains("Continue with your draft") && old.contains("One reviewer or lead"),
        "{old}"
    );

    send(&mut browser, "/do/switch-policy", GOOD, "1").await;
    let shown = page(&mut browser, PAGE).await;
    assert!(shown.contains("Version 2 is now active."), "{shown}");
    assert_eq!(in_force(&service).await, (2, GOOD.to_owned()));
    let shown = page(&mut browser, PAGE).await;
    assert!(!shown.contains("is now active."), "it is said once: {shown}");
    assert!(!shown.contains("Discard draft"), "{shown}");

    let compared = page(&mut browser, &format!("{PAGE}?version=2&compare=1")).await;
    assert!(compared.contains("Added: </span><ins>high = 12</ins>"), "{compared}");
    for wrong in [
        "?version=x",
        "?version=9",
        "?version=2&compare=9",
        "?version=99999999999999999999",
    ] {
        assert_eq!(browser.get(&format!("{PAGE}{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn an_operator_who_began_with_an_older_version_is_told_and_keeps_the_draft() {
    let service = Service::start().await;
    let mut one = service.signed_in("operator@acme.example").await;
    let mut other = service.signed_in("operator@acme.example").await;
    service.signed_in("operator2@acme.example").await;
    send(&mut one, "/do/check-policy", GOOD, "1").await;
    send(&mut other, "/do/switch-policy", "[expiry_hours]\nlow = 5\n", "1").await;
    send(&mut one, "/do/switch-policy", GOOD, "1").await;
    let shown = page(&mut one, PAGE).await;
    for part in ["Nothing was changed: version 2 was activated", "high = 12\n</textarea>"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert_eq!(in_force(&service).await.0, 2);
    // The page has shown the difference to version 2, so its form now names version 2.
    assert!(shown.contains("name=\"base\" value=\"2\""), "{shown}");
    // The draft loosens version 2, because actions of low risk expire later, so a second operator has to confirm it.
    send(&mut one, "/do/switch-policy", GOOD, "2").await;
    let shown = page(&mut one, PAGE).await;
    for part in [
        "waiting for a second operator",
        "Version 2 stays active until then",
        "operator2@acme.example",
        "Requests</a>",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert_eq!(in_force(&service).await.0, 2);
    let request = confirm(&service, "operator2@acme.example").await;
    assert!(
        shown.contains(&format!("<a href=\"/settings/requests#{request}\">")),
        "{shown}"
    );
    assert_eq!(in_force(&service).await, (3, GOOD.to_owned()));
    assert!(!page(&mut one, PAGE).await.contains("waiting for a second operator"));
    // The same policy again creates no new version, and a version that is not a number is refused.
    send(&mut one, "/do/switch-policy", GOOD, "3").await;
    assert!(page(&mut one, PAGE).await.contains("already active"));
    send(&mut one, "/do/switch-policy", "", "three").await;
    assert_eq!(in_force(&service).await.0, 3);
}

#[tokio::test]
async fn a_policy_that_is_too_long_is_refused_and_kept() {
    let service = Service::start().await;
    let mut browser = service.signed_in("operator@acme.example").await;
    let long = format!("{}\n", "# 長い\n".repeat(20_000));
    for path in ["/do/check-policy", "/do/switch-policy"] {
        send(&mut browser, path, &long, "1").await;
        let shown = page(&mut browser, PAGE).await;
        assert!(shown.contains("it has 180001 bytes; at most 65536 fit"), "{path}");
        assert!(shown.contains(&format!("{long}</textarea>")), "{path}");
    }
    assert_eq!(in_force(&service).await.0, 1);
    send(
        &mut browser,
        "/do/discard-policy-draft",
        "# Sent, because it is the same form.",
        "1",
    )
    .await;
    let shown = page(&mut browser, PAGE).await;
    assert!(
        shown.contains("Draft discarded.") && shown.contains("One reviewer or lead"),
        "{shown}"
    );
}

#[tokio::test]
async fn other_roles_read_the_policy_and_change_nothing() {
    let service = Service::start().await;
    for email in ["reviewer@acme.example", "lead@acme.example"] {
        let mut browser = service.signed_in(email).await;
        let shown = page(&mut browser, PAGE).await;
        assert!(shown.contains("One reviewer or lead"), "{shown}");
        assert!(
            shown.contains("<a href=\"/settings/policy\" aria-current=\"page\">"),
            "{shown}"
        );
        assert!(!shown.contains("<textarea") && !shown.contains("/do/"), "{shown}");
        for path in ["/do/check-policy", "/do/switch-policy"] {
            // A denial redirects nowhere, and the page does not show it afterwards.
            let form = [("source", GOOD), ("note", "Faster."), ("base", "1")];
            let denied = browser.post(path, &form).await;
            assert_eq!((denied.status, denied.location()), (403, ""), "{}", denied.text);
            assert!(
                denied.text.contains("You don&#39;t have access") && denied.text.contains("Status 403"),
                "{}",
                denied.text
            );
            let shown = page(&mut browser, PAGE).await;
            assert!(
                !shown.contains("role=\"alert\"") && !shown.contains("high = 12"),
                "{shown}"
            );
            let program = browser
                .program(Method::POST, path)
                .form(&[("source", GOOD), ("base", "1")]);
            let answer = browser.send(program).await;
            assert_eq!(answer.status, 403, "{}", answer.text);
            assert!(
                !answer.text.contains("\"done\":true") && !answer.text.contains("\"mistakes\""),
                "{}",
                answer.text
            );
        }
        assert_eq!(in_force(&service).await.0, 1);
    }
}

#[tokio::test]
async fn a_program_gets_json() {
    let service = Service::start().await;
    let mut browser = service.signed_in("operator@acme.example").await;
    let request = |browser: &Browser, path: &str, source: &str| {
        browser
            .program(Method::POST, path)
            .form(&[("source", source), ("note", ""), ("base", "1")])
    };
    let sent = request(&browser, "/do/check-policy", GOOD);
    let checked: serde_json::Value = serde_json::from_str(&browser.send(sent).await.text).unwrap();
    assert_eq!(checked["report"]["mistakes"], serde_json::json!([]));
    assert_eq!(checked["report"]["effects"]["looked"], 0);
    let sent = request(&browser, "/do/switch-policy", GOOD);
    let switched: serde_json::Value = serde_json::from_str(&browser.send(sent).await.text).unwrap();
    assert_eq!((&switched["done"], in_force(&service).await.0), (&true.into(), 2));
    // No outcome is left for the page to show.
    assert!(!page(&mut browser, PAGE).await.contains("flash"));
}
