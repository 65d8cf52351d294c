//! Pauses on the page, over the API, at the console, and what agents and reviewers get.

use crate::command_line::loopiq;
use crate::evidence_api::{PAY, problem};
use crate::support::{Answer, Browser, Service};
use reqwest::Method;
use serde_json::{Value, json};

const OPERATOR: &str = "operator@acme.example";
const LEAD: &str = "lead@acme.example";
const REVIEWER: &str = "reviewer@acme.example";

/// Sends JSON by session, from a page of the service.
async fn send(person: &mut Browser, method: Method, target: &str, body: Option<&Value>) -> Answer {
    let request = person.program(method, &format!("/api/v1/pauses/{target}"));
    let request = request.header("sec-fetch-site", "same-origin");
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    person.send(request).await
}

async fn listed(person: &mut Browser) -> Value {
    let answer = person.send(person.program(Method::GET, "/api/v1/pauses")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_str::<Value>(&answer.text).unwrap()["items"].clone()
}

/// Calls a tool over MCP with arguments that only a pause, which is looked up first, refuses before their own mistakes.
async fn call(service: &Service, token: &str, tool: &str, arguments: Value) -> Value {
    let request = service.browser().program(Method::POST, "/mcp").bearer_auth(token);
    let request = request.header("accept", "application/json, text/event-stream");
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments } });
    let answer = service.browser().send(request.json(&call)).await;
    let start = answer.text.find('{').expect("JSON");
    let body = answer.text[start..].lines().next().expect("a line");
    serde_json::from_str::<Value>(body).unwrap()["result"].clone()
}

#[tokio::test]
async fn a_lead_pauses_on_the_page_and_an_operator_resumes_without_javascript() {
    let service = Service::start().await;
    let (mut lead, mut operator) = (service.signed_in(LEAD).await, service.signed_in(OPERATOR).await);
    let empty = lead
        .post("/do/pause-agents", &[("target", "agents"), ("reason", "")])
        .await;
    assert_eq!((empty.status, empty.location()), (303, "/settings/pauses"));
    assert!(
        lead.get("/settings/pauses")
            .await
            .text
            .contains("write why you pause it")
    );
    let reason = "Nonsense <b>since noon</b>";
    let form = [("target", "agents"), ("reason", reason)];
    assert_eq!(lead.post("/do/pause-agents", &form).await.status, 303);
    let page = lead.get("/settings/pauses").await.text;
    assert!(
        page.contains("Nonsense &lt;b&gt;since noon&lt;/b&gt;") && page.contains("All agents"),
        "{page}"
    );
    assert!(!page.contains("action=\"/do/resume-agents\""), "a lead cannot resume");
    let inbox = service.signed_in(REVIEWER).await.get("/").await.text;
    assert!(
        inbox.contains("All agents are paused since") && inbox.contains("Nonsense &lt;b&gt;"),
        "{inbox}"
    );
    let refused = lead.post("/do/resume-agents", &[("target", "agents")]).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("You need the role operator"), "{}", refused.text);
    assert!(
        operator
            .get("/settings/pauses")
            .await
            .text
            .contains("action=\"/do/resume-agents\"")
    );
    operator.post("/do/resume-agents", &[("target", "agents")]).await;
    let page = operator.get("/settings/pauses").await.text;
    assert!(
        page.contains("All agents work again.") && page.contains("Nothing is paused."),
        "{page}"
    );
}

#[tokio::test]
async fn people_pause_and_resume_over_the_api_and_no_token_does() {
    let service = Service::start().await;
    service.apply_catalog(PAY).await;
    let token = service.client_token(LEAD, "loopiq:read loopiq:propose").await;
    let (mut operator, mut reviewer) = (service.signed_in(OPERATOR).await, service.signed_in(REVIEWER).await);
    let why = json!({ "reason": "Too many duplicates" });
    let tool = "tool:loopiq_create_work_item";
    let done = send(&mut operator, Method::PUT, tool, Some(&why)).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(
        send(&mut operator, Method::PUT, tool, Some(&why)).await.status,
        200,
        "once more"
    );
    let items = listed(&mut reviewer).await;
    assert_eq!(items.as_array().unwrap().len(), 1);
    assert_eq!(
        (&items[0]["target"], &items[0]["reason"]),
        (&json!(tool), &why["reason"])
    );

    let story = json!({ "releaseId": "rel", "teamId": "team", "kind": "story", "priority": "high", "title": "A title of a story here",
        "description": "d", "reason": "A scanner reported it.", "idempotencyKey": "k-1" });
    let refused = call(&service, &token, "loopiq_create_work_item", story).await;
    assert_eq!(
        (&refused["isError"], &refused["structuredContent"]["error"]),
        (&json!(true), &json!("paused")),
        "{refused}"
    );
    let text = refused["content"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("Too many duplicates") && text.contains("Do not try again"),
        "{text}"
    );
    let read = call(&service, &token, "loopiq_list_releases", json!({})).await;
    assert!(read["structuredContent"]["items"].is_array(), "{read}");

    let by_token = service
        .browser()
        .program(Method::GET, "/api/v1/pauses")
        .bearer_auth(&token);
    let by_token = service.browser().send(by_token).await;
    assert!(
        by_token.status == 200 && by_token.text.contains(tool),
        "{}",
        by_token.text
    );
    let (status, code, _) = problem(&send(&mut reviewer, Method::PUT, "agents", Some(&why)).await);
    assert_eq!((status, code.as_str()), (403, "not_authorized"));
    let (status, code, detail) = problem(&send(&mut operator, Method::PUT, "everything", Some(&why)).await);
    assert_eq!((status, code.as_str()), (400, "invalid_arguments"));
    assert!(detail.contains("\"everything\" cannot be paused"), "{detail}");
    for token in [
        token,
        service.program_token("loopiq:import loopiq:catalog loopiq:audit").await,
    ] {
        let program = service
            .browser()
            .program(Method::PUT, "/api/v1/pauses/agents")
            .bearer_auth(token);
        let (status, code, _) = problem(&service.browser().send(program.json(&why)).await);
        assert_eq!((status, code.as_str()), (403, "not_authorized"));
    }
    assert_eq!(send(&mut operator, Method::DELETE, tool, None).await.status, 200);
    assert_eq!(listed(&mut operator).await, json!([]));
}

#[tokio::test]
async fn evidence_of_a_paused_program_is_refused_before_it_is_received() {
    let service = Service::start().await;
    service.apply_catalog(PAY).await;
    let token = service.program_token("loopiq:import").await;
    let mut operator = service.signed_in(OPERATOR).await;
    let page = operator.get("/settings/pauses").await.text;
    let start = page.find("client:cli_").expect("the program is a client");
    let target = page[start..].split('"').next().unwrap().to_owned();
    let why = json!({ "reason": "Sends scans of another branch" });
    assert_eq!(send(&mut operator, Method::PUT, &target, Some(&why)).await.status, 200);
    let request = service
        .browser()
        .program(Method::POST, "/api/v1/evidence?release=PAY-1");
    let request = request
        .bearer_auth(token)
        .header("content-type", "application/octet-stream");
    let (status, code, detail) = problem(&service.browser().send(request.body("{}")).await);
    assert_eq!((status, code.as_str()), (409, "paused"));
    assert!(
        detail.contains("another branch") && detail.contains("Nothing was stored"),
        "{detail}"
    );
}

#[tokio::test]
async fn the_console_pauses_lists_and_resumes() {
    let service = Service::start().await;
    let temp = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let mut command = loopiq(temp.path());
        command.args(args).args(["--tenant", "acme"]);
        command.env("LOOPIQ_DATABASE_URL", &service.database.url);
        command.env("LOOPIQ_AUDIT_KEY", loopiq::log_keys::LogKeys::not_secret().to_secret());
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let (done, paused, error) = run(&[
        "agents",
        "pause",
        "--tool",
        "loopiq_accept_risk",
        "--reason",
        "Audit\nagents  since now",
    ]);
    assert!(
        done && paused.contains("The tool loopiq_accept_risk is paused"),
        "{paused} {error}"
    );
    let (done, listed, error) = run(&["agents", "paused"]);
    assert!(
        done && listed.starts_with("tool:loopiq_accept_risk  since ")
            && listed.ends_with(": Audit agents since now")
            && listed.lines().count() == 1,
        "{listed} {error}"
    );
    let (done, _, error) = run(&["agents", "pause", "--tool", "loopiq_approve", "--reason", "x"]);
    assert!(!done && error.contains("cannot be paused"), "{error}");
    let (done, resumed, error) = run(&["agents", "resume", "--tool", "loopiq_accept_risk"]);
    assert!(done && resumed.contains("works again"), "{resumed} {error}");
    let (done, listed, _) = run(&["agents", "paused", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert!(done && listed["pauses"] == json!([]), "{listed}");
}
