use super::service::{PROTOCOL, TestService, meta, read};
use serde_json::{Value, json};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn parent(trace: &str) -> String {
    format!("00-{trace}-b7ad6b7169203331-01")
}

async fn tools(service: &TestService, token: &str) -> Vec<Value> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let answer = read(service.send(token, body.to_string()).await).await;
    answer["result"]["tools"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_list_contains_the_caller_s_tools_with_annotations() {
    let service = TestService::start().await;
    let developers = tools(&service, &service.token("developer").await).await;
    assert!(
        tools(&service, &service.token("auditor").await).await.is_empty(),
        "an auditor reads in a browser"
    );
    let named = |name: &str| developers.iter().find(|tool| tool["name"] == name).unwrap();
    let propose = named("loopiq_create_remediation_work_package");
    // A hint that is left out has its default: not read-only.
    assert_eq!(
        propose["annotations"],
        json!({ "destructiveHint": false, "idempotentHint": true, "openWorldHint": false })
    );
    assert_eq!(
        named("loopiq_list_blockers")["annotations"],
        json!({ "readOnlyHint": true, "openWorldHint": false })
    );
    for tool in &developers {
        assert_eq!(
            (&tool["inputSchema"]["type"], &tool["outputSchema"]["type"]),
            (&json!("object"), &json!("object")),
            "{tool}"
        );
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
        let name = tool["name"].as_str().unwrap();
        assert!(
            !["approve", "reject", "execute"].iter().any(|verb| name.contains(verb)),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_read_returns_structured_content_and_the_same_as_text() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let result = service.call(&token, "loopiq_list_releases", json!({})).await;
    assert_eq!(
        (&result["isError"], &result["structuredContent"]["items"][0]["key"]),
        (&json!(false), &json!("PAY-1"))
    );
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, result["structuredContent"]);
    assert_eq!(result["resultType"], "complete");
}

#[tokio::test]
async fn a_proposal_is_a_success_that_says_what_to_do_next() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let result = service
        .call(&token, "loopiq_create_work_item", service.work_item("k-1"))
        .await;
    assert_eq!(result["isError"], false, "{result}");
    let (answer, content) = (&result["structuredContent"], result["content"].as_array().unwrap());
    assert_eq!(
        (&answer["status"], &answer["pollTool"]),
        (&json!("pending_approval"), &json!("loopiq_get_action"))
    );
    let line = content[0]["text"].as_str().unwrap();
    assert!(
        content.len() == 1 && !line.contains('\n') && line.contains(answer["actionId"].as_str().unwrap()),
        "{line}"
    );
    let again = service
        .call(&token, "loopiq_create_work_item", service.work_item("k-1"))
        .await;
    assert_eq!(again["structuredContent"]["actionId"], answer["actionId"]);
}

#[tokio::test]
async fn every_refusal_is_a_result_that_a_model_can_read() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let unknown = service.call(&token, "loopiq_approve_action", json!({})).await;
    assert_eq!(
        (&unknown["isError"], &unknown["structuredContent"]["error"]),
        (&json!(true), &json!("unknown_tool"))
    );
    assert_eq!(unknown["structuredContent"]["fields"], json!([]));
    assert_eq!(unknown["content"][0]["text"], unknown["structuredContent"]["message"]);

    let mut arguments = service.work_item("k-1");
    arguments["approved"] = json!(true);
    arguments["title"] = json!("");
    let invalid = service.call(&token, "loopiq_create_work_item", arguments).await;
    assert_eq!(
        (&invalid["isError"], &invalid["structuredContent"]["error"]),
        (&json!(true), &json!("invalid_arguments"))
    );
    let fields = invalid["structuredContent"]["fields"].as_array().unwrap();
    let pointers: Vec<&str> = fields.iter().map(|field| field["pointer"].as_str().unwrap()).collect();
    assert!(
        pointers.contains(&"/approved") && pointers.contains(&"/title"),
        "{pointers:?}"
    );
    assert!(fields.iter().all(|field| field["message"].is_string()));

    let auditor = service
        .call(
            &service.token("auditor").await,
            "loopiq_create_work_item",
            service.work_item("k-1"),
        )
        .await;
    assert_eq!(
        (&auditor["isError"], &auditor["structuredContent"]["error"]),
        (&json!(true), &json!("not_authorized"))
    );

    service
        .call(&token, "loopiq_create_work_item", service.work_item("k-2"))
        .await;
    let mut other = service.work_item("k-2");
    other["title"] = json!("Something else altogether under the same key");
    let conflict = service.call(&token, "loopiq_create_work_item", other).await;
    assert_eq!(conflict["structuredContent"]["error"], "idempotency_conflict");
}

#[tokio::test]
async fn results_and_refusals_match_the_declared_schema() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let declared = tools(&service, &token).await;
    for (tool, arguments, is_error) in [
        ("loopiq_get_context", json!({}), false),
        ("loopiq_list_findings", json!({}), false),
        ("loopiq_list_findings", json!({ "limit": 0 }), true),
        ("loopiq_create_work_item", service.work_item("k-1"), false),
        ("loopiq_create_work_item", json!({}), true),
        ("loopiq_withdraw_action", json!({}), true),
    ] {
        let schema = &declared.iter().find(|known| known["name"] == tool).unwrap()["outputSchema"];
        let result = service.call(&token, tool, arguments).await;
        assert_eq!(result["isError"], is_error, "{result}");
        let (answer, refusal) = (&result["structuredContent"], ["error", "message", "fields"]);
        // This crate has no JSON Schema library: each field is declared.
        let fields = answer.as_object().unwrap();
        let declared = |name: &String| schema["properties"].get(name).is_some() || !has_properties(schema);
        assert!(fields.keys().all(declared), "{tool}: {answer}");
        let has = |names: Vec<&str>| names.iter().all(|name| !answer[*name].is_null());
        assert_eq!(has(refusal.to_vec()), is_error, "{answer}");
    }
}

/// Whether the schema describes more than a refusal.
fn has_properties(schema: &Value) -> bool {
    schema["properties"].as_object().unwrap().len() > 3
}

/// Proposes an action and returns the trace ID that its record has from the client, or else the service's.
async fn trace_of(service: &TestService, token: &str, key: &str, more: Value, header: Option<&str>) -> String {
    let mut arguments = service.work_item(key);
    arguments["title"] = json!(format!("Rotate the signing keys of gateway {key}"));
    let proposed = service
        .call_with(token, "loopiq_create_work_item", arguments, more, header)
        .await;
    let id = proposed["structuredContent"]["actionId"]
        .as_str()
        .unwrap_or_else(|| panic!("{proposed}"))
        .to_owned();
    let (named, own) = service.trace_of(&id).await;
    assert!(own.len() == 32 && named.as_ref() != Some(&own), "{own}");
    named.unwrap_or(own)
}

#[tokio::test]
async fn the_trace_is_that_of_the_message_or_the_header_or_new() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let other = "1".repeat(32);
    let own = json!({ "traceparent": parent(TRACE) });
    assert_eq!(
        trace_of(&service, &token, "k-1", own, Some(&parent(&other))).await,
        TRACE
    );
    assert_eq!(
        trace_of(&service, &token, "k-2", json!({}), Some(&parent(TRACE))).await,
        TRACE
    );
    let wrong = json!({ "traceparent": parent(&"0".repeat(32)) });
    assert_eq!(
        trace_of(&service, &token, "k-3", wrong.clone(), Some(&parent(&other))).await,
        other,
        "the next that is one"
    );
    let fresh = trace_of(&service, &token, "k-4", wrong, Some("garbage")).await;
    assert!(
        fresh.len() == 32 && fresh != TRACE && fresh.bytes().any(|byte| byte != b'0'),
        "{fresh}"
    );
}

#[tokio::test]
async fn a_whole_number_is_an_integer_in_every_notation() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"loopiq_list_findings","arguments":{"limit":2.0}}}"#;
    let answer = read(service.send(&token, body).await).await;
    assert_eq!(
        answer["result"]["structuredContent"]["items"].as_array().unwrap().len(),
        2,
        "{answer}"
    );
}

#[tokio::test]
async fn a_message_of_this_protocol_needs_its_headers() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let body = json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/list", "params": { "_meta": meta() } }).to_string();
    let send = |method: Option<&str>, version: Option<&str>| {
        let mut request = service.post().bearer_auth(&token).body(body.clone());
        if let Some(method) = method {
            request = request.header("mcp-method", method);
        }
        if let Some(version) = version {
            request = request.header("mcp-protocol-version", version);
        }
        request.send()
    };
    let good = send(Some("tools/list"), Some(PROTOCOL)).await.unwrap();
    assert!(!good.headers().contains_key("mcp-session-id"));
    let good = read(good).await;
    assert_eq!(
        (&good["result"]["cacheScope"], &good["result"]["ttlMs"]),
        (&json!("private"), &json!(0)),
        "{good}"
    );
    for wrong in [
        send(Some("tools/call"), Some(PROTOCOL)),
        send(None, Some(PROTOCOL)),
        send(Some("tools/list"), None),
    ] {
        let response = wrong.await.unwrap();
        assert_eq!(response.status(), 400);
        assert_eq!(read(response).await["error"]["code"], -32020);
    }
    let future = send(Some("tools/list"), Some("2099-01-01")).await.unwrap();
    assert_eq!(future.status(), 400);
}
