//! The page of operators' requests in the browsers of two operators and of people with other roles.

use crate::support::{Browser, Service};
use loopiq::domain::{Email, Role};
use loopiq::store::Asserted;
use reqwest::Method;

const PAGE: &str = "/settings/requests";
const LOOSE: &str = "[separation]\ncaller_may_decide = true\n";

async fn page(browser: &mut Browser) -> String {
    let answer = browser.get(PAGE).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for inline in [" style=", "<style", " onclick=", "javascript:"] {
        assert!(!answer.text.contains(inline), "{inline}");
    }
    answer.text
}

/// Sends a form; the response redirects to the page.
async fn send(browser: &mut Browser, path: &str, form: &[(&str, &str)]) -> String {
    let answer = browser.post(path, form).await;
    assert_eq!((answer.status, answer.location()), (303, PAGE), "{}", answer.text);
    page(browser).await
}

/// The hidden view in the form that confirms this request.
async fn carried(browser: &mut Browser, id: &str) -> String {
    let shown = page(browser).await;
    let form = shown
        .split("/do/confirm-request")
        .find(|form| form.contains(&format!("value=\"{id}\"")))
        .expect("a form");
    let view = form.split("name=\"view\"").nth(1).expect("a value");
    view.split('"').nth(1).expect("a value").to_owned()
}

async fn asked(browser: &mut Browser, source: &str, note: &str) -> String {
    let form = [("source", source), ("note", note), ("base", "1")];
    let answer = browser.post("/do/switch-policy", &form).await;
    assert_eq!(answer.location(), "/settings/policy");
    let shown = page(browser).await;
    let id = shown
        .split("<code>req_")
        .nth(1)
        .expect("a request")
        .split('<')
        .next()
        .unwrap();
    format!("req_{id}")
}

#[tokio::test]
async fn one_operator_asks_and_another_one_confirms() {
    let service = Service::start().await;
    let mut one = service.signed_in("operator@acme.example").await;
    let mut two = service.signed_in("operator2@acme.example").await;
    assert!(page(&mut one).await.contains("No pending requests."));
    let id = asked(&mut one, LOOSE, "<b>Why</b>").await;
    let shown = page(&mut one).await;
    assert!(
        shown.contains("action=\"/do/withdraw-request\"") && !shown.contains("/do/confirm-request"),
        "{shown}"
    );
    assert!(shown.contains("another operator has to confirm it"), "{shown}");
    // A denial has its own status, also as the response to a plain form.
    let refused = one.post("/do/confirm-request", &[("id", &id)]).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert!(
        refused.text.contains("another operator has to confirm it"),
        "{}",
        refused.text
    );

    let shown = page(&mut two).await;
    for part in [
        "The person an action was proposed for may decide it.",
        "Added: </span><ins>caller_may_decide = true</ins>",
        "Name of operator@acme.example (operator@acme.example)",
        "&lt;b&gt;Why&lt;/b&gt;",
        "action=\"/do/confirm-request\"",
        "action=\"/do/decline-request\"",
        "aria-current=\"page\"",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(
        !shown.contains("<b>") && !shown.contains("/do/withdraw-request"),
        "{shown}"
    );
    let shown = send(&mut two, "/do/decline-request", &[("id", &id), ("text", "")]).await;
    assert!(shown.contains("write why you decline it"), "{shown}");
    let shown = send(&mut two, "/do/confirm-request", &[("id", &id)]).await;
    assert!(
        shown.contains("open /settings/requests in this session first"),
        "{shown}"
    );
    let view = carried(&mut two, &id).await;
    let mut elsewhere = service.signed_in("operator2@acme.example").await;
    let shown = send(&mut elsewhere, "/do/confirm-request", &[("id", &id), ("view", &view)]).await;
    assert!(
        shown.contains("open /settings/requests in this session first"),
        "another session's value: {shown}"
    );
    let shown = send(&mut two, "/do/confirm-request", &[("id", &id), ("view", &view)]).await;
    assert!(
        shown.contains("role=\"status\"") && shown.contains("Policy version 2 is now active."),
        "{shown}"
    );
    assert!(shown.contains("History") && shown.contains("Confirmed"), "{shown}");
    assert!(!page(&mut two).await.contains("role=\"status\""), "it is said once");
}

#[tokio::test]
async fn operators_decide_whether_two_accounts_are_one_person() {
    let service = Service::start().await;
    service.signed_in("reviewer@acme.example").await;
    let asserted = Asserted {
        issuer: "https://new-idp.example/<i>/demo-idp".to_owned(),
        subject: "s-1".to_owned(),
        email: Email::verified("reviewer@acme.example"),
        name: "Rita <script>".to_owned(),
        roles: Some(vec![Role::Reviewer]),
        groups: Vec::new(),
    };
    let newcomer = service
        .state
        .engine
        .sign_in("acme", asserted, &loopiq::engine::RequestOrigin::default())
        .await
        .unwrap()
        .1
        .id
        .to_string();
    let mut one = service.signed_in("operator@acme.example").await;
    let mut two = service.signed_in("operator2@acme.example").await;
    let shown = page(&mut one).await;
    for part in [
        "Accounts that can't decide yet",
        "https://new-idp.example/&lt;i&gt;/demo-idp",
        "Rita &lt;script&gt;",
        "s-1",
        &newcomer,
        "value=\"different\"",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("Rita <script") && !shown.contains("<i>"), "{shown}");
    let known = shown
        .split("name=\"other\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let form = [
        ("one", &*newcomer),
        ("other", &*known),
        ("whose", ""),
        ("text", "By phone."),
    ];
    let refused = send(&mut one, "/do/link-people", &form).await;
    assert!(
        refused.contains("Nothing was changed: choose whether the accounts belong"),
        "{refused}"
    );
    assert!(refused.contains("No pending requests."), "{refused}");
    let form = [
        ("one", &*newcomer),
        ("other", &*known),
        ("whose", "same"),
        ("text", "By phone."),
    ];
    let shown = send(&mut one, "/do/link-people", &form).await;
    assert!(shown.contains("waiting for a second operator"), "{shown}");
    let shown = page(&mut two).await;
    let id = shown
        .split("<code>req_")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap()
        .to_owned();
    let id = format!("req_{id}");
    let view = carried(&mut two, &id).await;
    let shown = send(&mut two, "/do/confirm-request", &[("id", &id), ("view", &view)]).await;
    assert!(shown.contains("are accounts of one person now"), "{shown}");
    assert!(!shown.contains("Accounts that can't decide yet"), "{shown}");
}

#[tokio::test]
async fn other_roles_see_and_close_no_requests() {
    let service = Service::start().await;
    let mut operator = service.signed_in("operator@acme.example").await;
    let id = asked(&mut operator, LOOSE, "").await;
    for email in ["reviewer@acme.example", "lead@acme.example"] {
        let mut browser = service.signed_in(email).await;
        let answer = browser.get(PAGE).await;
        assert_eq!(answer.status, 403, "{}", answer.text);
        assert!(!answer.text.contains(&id), "{}", answer.text);
        let policy = browser.get("/settings/policy").await.text;
        assert!(!policy.contains("href=\"/settings/requests"), "{policy}");
        for path in [
            "/do/confirm-request",
            "/do/decline-request",
            "/do/withdraw-request",
            "/do/link-people",
        ] {
            let form = [
                ("id", &*id),
                ("text", "no"),
                ("one", "x"),
                ("other", "y"),
                ("whose", "same"),
            ];
            let answer = browser.send(browser.program(Method::POST, path).form(&form)).await;
            assert!(answer.text.contains("\"done\":false"), "{path}: {}", answer.text);
            assert!(
                answer.text.contains("You need the role operator"),
                "{path}: {}",
                answer.text
            );
        }
    }
    let mut second = service.signed_in("operator2@acme.example").await;
    for wrong in [
        "",
        "req_x",
        "act_00000000000000000000000001",
        "req_00000000000000000000000001",
    ] {
        let answer = second
            .send(
                second
                    .program(Method::POST, "/do/confirm-request")
                    .form(&[("id", wrong)]),
            )
            .await;
        assert!(answer.text.contains("\"done\":false"), "{wrong}: {}", answer.text);
    }
    assert!(
        page(&mut second).await.contains("/do/confirm-request"),
        "it waits all the same"
    );
}
