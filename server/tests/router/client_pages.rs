//! The page and the command for clients and tokens.

use crate::command_line::loopiq;
use crate::support::{Answer, Browser, Service};
use loopiq::domain::Role;
use reqwest::Method;

const OPERATOR: &str = "operator@acme.example";
const DEVELOPER: &str = "lead@acme.example";
const CREATE: &str = "/do/create-service-token";
const ACCEPT: &str = "/do/accept-service-token";

async fn page(browser: &mut Browser) -> String {
    let answer = browser.get("/settings/clients").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text
}

/// The secret on a page, if it shows one.
fn secret(answer: &Answer) -> Option<String> {
    let start = answer.text.find("<code>loopiq_")? + "<code>".len();
    answer.text[start..].split('<').next().map(str::to_owned)
}

fn grant(page: &str) -> String {
    let start = page.find("grt_").unwrap();
    page[start..start + 30].to_owned()
}

/// Calls the MCP endpoint with this token.
async fn status(service: &Service, token: &str) -> u16 {
    let request = service.browser().program(Method::POST, "/mcp").bearer_auth(token);
    let request = request.header("content-type", "application/json");
    let request = request.header("accept", "application/json, text/event-stream");
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    service.browser().send(request.body(body)).await.status
}

#[tokio::test]
async fn an_operator_creates_and_revokes_a_token_without_javascript() {
    let service = Service::start().await;
    let mut operator = service.signed_in(OPERATOR).await;
    assert!(page(&mut operator).await.contains(&format!("action=\"{CREATE}\"")));
    let form = [
        ("name", "Nightly <import>"),
        ("import", "on"),
        ("audit", "on"),
        ("days", "30"),
        ("person", ""),
    ];
    let created = operator.post(CREATE, &form).await;
    assert_eq!((created.status, created.header("cache-control")), (200, "no-store"));
    let token = secret(&created).expect("the secret");
    assert!(
        created.text.contains("Nightly &lt;import&gt; works until"),
        "{}",
        created.text
    );
    assert_eq!(status(&service, &token).await, 200);
    let listed = page(&mut operator).await;
    assert!(
        listed.contains("Nightly &lt;import&gt;") && !listed.contains(&token),
        "shown once"
    );
    let revoked = operator.post("/do/revoke-grant", &[("id", &grant(&listed))]).await;
    assert_eq!((revoked.status, revoked.location()), (303, "/settings/clients"));
    let listed = page(&mut operator).await;
    assert!(
        listed.contains("has no access any more") && listed.contains("Revoked"),
        "{listed}"
    );
    assert_eq!(status(&service, &token).await, 401);
}

#[tokio::test]
async fn the_person_accepts_a_token_that_an_operator_offers() {
    let service = Service::start().await;
    let mut operator = service.signed_in(OPERATOR).await;
    let mut person = service.signed_in(DEVELOPER).await;
    let form = [
        ("name", "Bot"),
        ("read", "on"),
        ("propose", "on"),
        ("days", "7"),
        ("person", DEVELOPER),
    ];
    let offered = operator.post(CREATE, &form).await;
    assert_eq!((offered.status, secret(&offered)), (200, None), "{}", offered.text);
    assert!(offered.text.contains("The token is offered"), "{}", offered.text);
    let listed = page(&mut person).await;
    assert!(
        listed.contains(&format!("action=\"{ACCEPT}\"")) && !listed.contains(CREATE),
        "{listed}"
    );
    let id = grant(&listed);
    assert_eq!(operator.post(ACCEPT, &[("id", &id)]).await.status, 404);
    let accepted = person.post(ACCEPT, &[("id", &id)]).await;
    let token = secret(&accepted).expect("the secret");
    assert_eq!(status(&service, &token).await, 200);
    let again = person.post(ACCEPT, &[("id", &id)]).await;
    assert_eq!((again.status, secret(&again)), (400, None), "{}", again.text);
}

#[tokio::test]
async fn only_the_persons_own_page_creates_accepts_and_revokes() {
    let service = Service::start().await;
    let mut lead = service.signed_in(DEVELOPER).await;
    let form = [("name", "Bot"), ("import", "on"), ("days", "7")];
    assert_eq!(lead.post(CREATE, &form).await.status, 403);
    let mut operator = service.signed_in(OPERATOR).await;
    for path in [CREATE, ACCEPT] {
        let cross_site = operator
            .request(Method::POST, path)
            .header("sec-fetch-site", "cross-site")
            .header("origin", "https://evil.example")
            .form(&form);
        assert_eq!(operator.send(cross_site).await.status, 403, "{path}");
        let signed_out = service.browser().post(path, &form).await;
        assert_eq!(signed_out.status, 401, "{path}");
        let twice = operator
            .request(Method::POST, path)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("id=x&id=y&name=a&name=b");
        assert_eq!(operator.send(twice).await.status, 400, "{path}");
        assert_eq!(operator.get(path).await.status, 405, "{path}");
    }
    for (form, says) in [
        (
            vec![("name", ""), ("import", "on"), ("days", "7")],
            "a name of 1 to 100",
        ),
        (vec![("name", "Bot"), ("days", "7")], "at least one scope"),
        (
            vec![("name", "Bot"), ("import", "on"), ("days", "soon")],
            "1 to 365 days",
        ),
    ] {
        let refused = operator.post(CREATE, &form).await;
        assert!(refused.status == 400 && refused.text.contains(says), "{}", refused.text);
    }
    // A token does not authenticate pages, and a session does not authenticate the MCP endpoint.
    let token = {
        service.assert_roles("developer@acme.example", &[Role::Developer]).await;
        service.token("developer@acme.example").await
    };
    let with_token = service
        .browser()
        .program(Method::GET, "/settings/clients")
        .bearer_auth(&token);
    assert_eq!(
        service.browser().send(with_token).await.status,
        303,
        "a redirect to the sign-in"
    );
    let with_session = operator.program(Method::POST, "/mcp").body("{}");
    assert_eq!(operator.send(with_session).await.status, 401);
}

#[tokio::test]
async fn the_command_creates_lists_and_revokes() {
    let service = Service::start().await;
    service.signed_in(DEVELOPER).await;
    let temp = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let mut command = loopiq(temp.path());
        command.args(args).args(["--tenant", "acme"]);
        command.env("LOOPIQ_DATABASE_URL", &service.database.url);
        command.env("LOOPIQ_SECRET_KEY", "x".repeat(40));
        command.env("LOOPIQ_AUDIT_KEY", loopiq::log_keys::LogKeys::not_secret().to_secret());
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let create = [
        "service-token",
        "create",
        "--name",
        "Build",
        "--public-url",
        "http://127.0.0.1:3000",
    ];
    let with = |more: &[&'static str]| run(&create.iter().chain(more).copied().collect::<Vec<_>>());
    let (done, token, error) = with(&["--scope", "loopiq:import,loopiq:audit"]);
    assert!(done && token.starts_with("loopiq_"), "{token} {error}");
    let (done, offered, error) = with(&["--scope", "loopiq:read", "--person", DEVELOPER]);
    assert!(
        done && offered.contains("waits for Name of lead@acme.example"),
        "{offered} {error}"
    );
    let (done, _, error) = with(&["--scope", "loopiq:everything"]);
    assert!(!done && error.contains("loopiq:everything is no scope"), "{error}");
    let (done, listed, error) = run(&["service-token", "list"]);
    assert!(
        done && listed.lines().count() == 2 && listed.contains("Build (active), for the tenant"),
        "{listed} {error}"
    );
    let id = grant(&listed);
    let (done, revoked, error) = run(&["service-token", "revoke", &id]);
    assert!(done && revoked.contains("no access any more"), "{revoked} {error}");
    let (done, _, error) = run(&["service-token", "revoke", "grt_x"]);
    assert!(!done && error.contains("There is no grant grt_x"), "{error}");
}
