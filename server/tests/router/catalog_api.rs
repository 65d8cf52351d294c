//! The catalog over the API, and the search of the audit log.

use crate::evidence_api::{PAY, problem};
use crate::support::{Answer, Browser, Service};
use reqwest::Method;
use serde_json::{Value, json};

const CATALOG: &str = "/api/v1/catalog";
const YAML: &str = "application/yaml";

async fn put(service: &Service, token: &str, query: &str, kind: &str, body: &str) -> Answer {
    let mut browser = service.browser();
    let request = browser
        .program(Method::PUT, &format!("{CATALOG}{query}"))
        .bearer_auth(token);
    browser
        .send(request.header("content-type", kind).body(body.to_owned()))
        .await
}

async fn put_by_session(person: &mut Browser, site: &str, body: &str) -> Answer {
    let request = person.program(Method::PUT, CATALOG).header("content-type", YAML);
    person
        .send(request.header("sec-fetch-site", site).body(body.to_owned()))
        .await
}

async fn get(service: &Service, token: &str, path: &str) -> Answer {
    let mut browser = service.browser();
    let request = browser.program(Method::GET, path).bearer_auth(token);
    browser.send(request).await
}

fn parsed(answer: &Answer) -> Value {
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "application/json"),
        "{}",
        answer.text
    );
    serde_json::from_str(&answer.text).unwrap()
}

#[tokio::test]
async fn a_program_applies_what_its_dry_run_has_shown() {
    let service = Service::start().await;
    let token = service.program_token("loopiq:catalog").await;
    let dry = parsed(&put(&service, &token, "?dryRun=true", YAML, PAY).await);
    assert_eq!(
        (&dry["applied"], dry["steps"].as_array().unwrap().len()),
        (&json!(false), 2)
    );
    assert_eq!(service.database.count("releases").await, 0);

    let digest = dry["digest"].as_str().unwrap();
    let other = put(&service, &token, &format!("?digest={digest}0"), YAML, PAY).await;
    assert_eq!(problem(&other).1, "digest_mismatch");
    let applied = parsed(&put(&service, &token, &format!("?digest={digest}"), YAML, PAY).await);
    assert_eq!(
        (&applied["applied"], &applied["tenant"]),
        (&json!(true), &json!("acme"))
    );
    let files = json!({ "files": [
        { "name": "a.yaml", "text": PAY },
        { "name": "b.yaml", "text": "applications: [{ key: ledger, name: Ledger, team: payments }]" },
    ] });
    let more = parsed(&put(&service, &token, "", "application/json", &files.to_string()).await);
    assert_eq!((more["steps"].as_array().unwrap().len(), &more["left"]), (1, &json!(2)));

    let records = parsed(&get(&service, &token, CATALOG).await);
    let kinds: Vec<&Value> = records["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| &record["kind"])
        .collect();
    assert_eq!(kinds, ["team", "application", "release"], "{records}");
    let ledger = &records["items"][1];
    assert_eq!(
        (&ledger["key"], &ledger["fields"]["team"], &ledger["retired"]),
        (&json!("ledger"), &json!("payments"), &json!(false))
    );
    parsed(&put(&service, &token, "?prune=true", YAML, PAY).await);
    assert_eq!(
        parsed(&get(&service, &token, CATALOG).await)["items"][1]["retired"],
        true
    );
    assert_eq!(service.entries("catalog.applied").await.len(), 3);
}

#[tokio::test]
async fn every_mistake_is_named_with_its_place() {
    let service = Service::start().await;
    let token = service.program_token("loopiq:catalog").await;
    let wrong = "teams:\n  - key: payments\n    nam: Payments\n";
    let files = json!({ "files": [{ "name": "teams.yaml", "text": wrong }] });
    let answer = put(&service, &token, "", "application/json", &files.to_string()).await;
    assert_eq!(
        (problem(&answer).0, problem(&answer).1.as_str()),
        (422, "invalid_catalog")
    );
    let found = serde_json::from_str::<Value>(&answer.text).unwrap()["problems"].clone();
    assert_eq!(
        (&found[0]["file"], &found[0]["line"]),
        (&json!("teams.yaml"), &json!(3)),
        "{found}"
    );
    assert!(found[0]["field"].as_str().unwrap().contains("nam"), "{found}");
    for (query, kind, body, status) in [
        ("", "text/plain", PAY, 415),
        ("", "multipart/form-data; boundary=x", PAY, 415),
        ("", "application/json", PAY, 400),
        ("", "application/json", "{\"files\":[{\"name\":\"a\"}]}", 400),
        ("", "application/json", "{\"files\":[],\"more\":1}", 400),
        ("", YAML, "teams: [", 422),
        ("", YAML, "\u{0}", 422),
        ("?dryRun=yes", YAML, PAY, 400),
        ("?dry_run=true", YAML, PAY, 400),
    ] {
        let answer = put(&service, &token, query, kind, body).await;
        assert_eq!(problem(&answer).0, status, "{query} {kind} {body}: {}", answer.text);
    }
    let mut browser = service.browser();
    let request = browser
        .program(Method::PUT, CATALOG)
        .bearer_auth(&token)
        .header("content-type", YAML);
    let answer = browser.send(request.body(vec![b'a', 0xff])).await;
    assert!(problem(&answer).2.contains("not UTF-8"));
    for cursor in ["x", "-1", "99999999999999999999999"] {
        let answer = get(&service, &token, &format!("{CATALOG}?cursor={cursor}")).await;
        assert_eq!(problem(&answer).0, 400, "{cursor}");
    }
    assert_eq!(
        parsed(&get(&service, &token, &format!("{CATALOG}?cursor=18446744073709551615")).await)["items"],
        json!([])
    );
    assert_eq!(service.database.count("teams").await, 0);
}

#[tokio::test]
async fn only_operators_and_programs_with_the_scope_apply_catalogs() {
    let service = Service::start().await;
    let mut operator = service.signed_in("operator@acme.example").await;
    assert_eq!(problem(&put_by_session(&mut operator, "cross-site", PAY).await).0, 403);
    assert_eq!(service.database.count("releases").await, 0);
    parsed(&put_by_session(&mut operator, "same-origin", PAY).await);
    for email in ["reviewer@acme.example", "lead@acme.example", "auditor@acme.example"] {
        let mut person = service.signed_in(email).await;
        assert_eq!(
            problem(&put_by_session(&mut person, "same-origin", PAY).await).1,
            "not_authorized",
            "{email}"
        );
        assert_eq!(
            parsed(&person.get(CATALOG).await)["items"].as_array().unwrap().len(),
            2,
            "{email}"
        );
    }
    let other = service.program_token("loopiq:audit").await;
    for answer in [
        put(&service, &other, "", YAML, PAY).await,
        get(&service, &other, CATALOG).await,
    ] {
        assert_eq!(problem(&answer).1, "insufficient_scope");
    }
    let client = service.client_token("operator@acme.example", "loopiq:catalog").await;
    for answer in [
        put(&service, &client, "", YAML, PAY).await,
        get(&service, &client, CATALOG).await,
    ] {
        assert_eq!(problem(&answer).1, "not_authorized");
    }
    // A program gives nobody a role.
    let token = service.program_token("loopiq:catalog").await;
    let roles = "people: [{ email: dana@acme.example, roles: [operator] }]";
    assert_eq!(problem(&put(&service, &token, "", YAML, roles).await).0, 400);
    service.create_tenant("globex", "Globex").await;
    let foreign = service.program_token_of("globex", "loopiq:catalog").await;
    assert_eq!(parsed(&get(&service, &foreign, CATALOG).await)["items"], json!([]));
    let request = operator.program(Method::GET, CATALOG);
    operator.cookie = None;
    drop(request);
    let request = operator.program(Method::GET, CATALOG);
    assert_eq!(problem(&operator.send(request).await).0, 401);
}

#[tokio::test]
async fn auditors_and_programs_search_the_log() {
    let service = Service::start().await;
    service.apply_catalog(PAY).await;
    let mut auditor = service.signed_in("auditor@acme.example").await;
    let found = parsed(&auditor.get("/api/v1/audit?q=event:catalog.applied").await);
    assert_eq!(
        (found["items"].as_array().unwrap().len(), &found["items"][0]["event"]),
        (1, &json!("catalog.applied"))
    );
    assert_eq!(service.entries("audit.searched").await.len(), 1);

    let token = service.program_token("loopiq:audit").await;
    for _ in 0..2 {
        parsed(&get(&service, &token, "/api/v1/audit?q=event:catalog.applied").await);
    }
    let searches = service.entries("audit.searched").await;
    assert_eq!(searches.len(), 2, "one for each reader");
    assert_eq!(searches[1]["actor"]["kind"], "program");

    // Page by page, without gaps.
    for n in 0..60 {
        parsed(&get(&service, &token, &format!("/api/v1/audit?q=text{n}")).await);
    }
    let (mut seqs, mut path) = (Vec::new(), "/api/v1/audit".to_owned());
    loop {
        let page = parsed(&get(&service, &token, &path).await);
        seqs.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| entry["seq"].as_i64().unwrap()),
        );
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/audit?cursor={cursor}"),
            None => break,
        }
    }
    let all: Vec<i64> = (1..=seqs[0]).rev().collect();
    assert!(seqs.len() > 60 && seqs == all, "{seqs:?}");

    for query in [
        "q=event:",
        "q=(",
        "from=yesterday",
        "cursor=x",
        "cursor=-1",
        "after=1",
        "q=a&q=b",
    ] {
        let answer = get(&service, &token, &format!("/api/v1/audit?{query}")).await;
        assert_eq!(problem(&answer).0, 400, "{query}: {}", answer.text);
    }
    let wrong = get(&service, &token, "/api/v1/audit?q=event:").await;
    let fields = serde_json::from_str::<Value>(&wrong.text).unwrap()["fields"].clone();
    assert!(fields[0]["parameter"] == "q" && fields[0]["at"].is_u64(), "{fields}");
    let mut reviewer = service.signed_in("reviewer@acme.example").await;
    assert_eq!(problem(&reviewer.get("/api/v1/audit").await).1, "not_authorized");
    let importer = service.program_token("loopiq:import").await;
    assert_eq!(
        problem(&get(&service, &importer, "/api/v1/audit").await).1,
        "insufficient_scope"
    );
    let client = service.client_token("lead@acme.example", "loopiq:audit").await;
    parsed(&get(&service, &client, "/api/v1/audit").await);
    service.create_tenant("globex", "Globex").await;
    let foreign = service.program_token_of("globex", "loopiq:audit").await;
    assert_eq!(
        parsed(&get(&service, &foreign, "/api/v1/audit").await)["items"],
        json!([])
    );
}
