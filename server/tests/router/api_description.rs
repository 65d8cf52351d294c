//! The description of the API: served, printed and checked in, and as the router is.

use crate::command_line::loopiq;
use crate::support::Service;
use reqwest::Method;
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;

fn checked_in() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json")).unwrap()
}

#[tokio::test]
async fn it_is_served_printed_and_checked_in() {
    let temp = TempDir::new().unwrap();
    let printed = loopiq(temp.path()).arg("openapi").output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(
        printed == checked_in(),
        "docs/openapi.json is not what `loopiq openapi` prints; write it there: loopiq openapi > docs/openapi.json"
    );
    let service = Service::start().await;
    let served = service.browser().get("/api/openapi.json").await;
    assert_eq!(
        (served.status, served.header("content-type")),
        (200, "application/json")
    );
    let (served, printed): (Value, Value) = (
        serde_json::from_str(&served.text).unwrap(),
        serde_json::from_str(&printed).unwrap(),
    );
    assert_eq!(served, printed);
    assert!(
        printed["openapi"].as_str().unwrap().starts_with("3.1"),
        "{}",
        printed["openapi"]
    );
}

#[tokio::test]
async fn every_operation_refuses_a_parameter_that_it_does_not_have() {
    let service = Service::start().await;
    let mut lead = service.signed_in("lead@acme.example").await;
    let api: Value = serde_json::from_str(&checked_in()).unwrap();
    for (path, methods) in api["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            // Without credentials, only the method and the path count.
            if operation["security"] == serde_json::json!([{}]) {
                continue;
            }
            let url = path
                .replace("{id}", "act_1")
                .replace("{seq}", "1")
                .replace("{target}", "agents");
            let request = lead.program(
                Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(),
                &format!("{url}?release=X&unknown=1"),
            );
            let request = request
                .header("sec-fetch-site", "same-origin")
                .json(&serde_json::json!({}));
            let answer = lead.send(request).await;
            assert_eq!(answer.status, 400, "{method} {path}: {}", answer.text);
            assert!(
                answer.text.contains("unknown field"),
                "{method} {path}: {}",
                answer.text
            );
        }
    }
    for body in ["[\"why\"]", "null", "\"why\""] {
        let request = lead.program(Method::PUT, "/api/v1/pauses/agents").body(body);
        let request = request
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json");
        let answer = lead.send(request).await;
        assert!(
            answer.status == 400 && answer.text.contains("must be an object"),
            "{body}: {}",
            answer.text
        );
    }
    let listed = lead.send(lead.program(Method::GET, "/api/v1/pauses")).await;
    assert_eq!(listed.text, r#"{"items":[]}"#, "nothing was paused");
}

#[tokio::test]
async fn every_operation_exists_and_says_who_may_call_it() {
    let service = Service::start().await;
    let api: Value = serde_json::from_str(&checked_in()).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in api["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push(format!("{method} {path}"));
            let mut browser = service.browser();
            let url = path.replace("{id}", "act_1").replace("{seq}", "1");
            let request = browser.program(Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(), &url);
            let answer = browser.send(request).await;
            let anyone = operation["security"] == serde_json::json!([{}]);
            assert_eq!(answer.status, if anyone { 200 } else { 401 }, "{method} {path}");
            for status in ["4XX", "5XX"] {
                let kinds = &operation["responses"][status]["content"];
                assert!(
                    kinds.get("application/problem+json").is_some(),
                    "{method} {path} {status}"
                );
            }
            // A method that the path does not have is refused as a method, not as a path.
            let request = browser.program(Method::PATCH, &url);
            assert_eq!(browser.send(request).await.status, 405, "{path}");
        }
    }
    operations.sort();
    let expected = [
        "delete /api/v1/pauses/{target}",
        "get /api/v1/actions",
        "get /api/v1/actions/{id}",
        "get /api/v1/audit",
        "get /api/v1/audit/checkpoint",
        "get /api/v1/audit/consistency",
        "get /api/v1/audit/key-rotations",
        "get /api/v1/audit/keys",
        "get /api/v1/audit/{seq}/proof",
        "get /api/v1/catalog",
        "get /api/v1/pauses",
        "post /api/v1/actions",
        "post /api/v1/actions/{id}/approve",
        "post /api/v1/actions/{id}/execute",
        "post /api/v1/actions/{id}/reject",
        "post /api/v1/evidence",
        "put /api/v1/catalog",
        "put /api/v1/pauses/{target}",
    ];
    assert_eq!(operations, expected);
    // The description of an import's report is written apart from the report.
    let report = loopiq::engine::ImportReport {
        restored: true,
        dated_in_future: true,
        ..Default::default()
    };
    let report = serde_json::to_value(report).unwrap();
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(
        keys(&api["components"]["schemas"]["Imported"]["properties"]),
        keys(&report)
    );
    // Decisions are for people.
    for path in ["approve", "reject", "execute"] {
        let operation = &api["paths"][format!("/api/v1/actions/{{id}}/{path}")]["post"];
        assert_eq!(operation["security"], serde_json::json!([{ "session": [] }]), "{path}");
    }
}
