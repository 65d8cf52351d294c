//! Clients and models as they are: the schemas that providers accept, arguments as models send them, and refusals that teach.

use super::service::{TestService, read};
use serde_json::{Value, json};

async fn list(service: &TestService, token: &str) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    read(service.send(token, body.to_string()).await).await["result"].clone()
}

/// Calls the function with every schema inside a schema.
fn each_schema(schema: &Value, look: &mut impl FnMut(&Value)) {
    look(schema);
    for (_, property) in schema["properties"].as_object().into_iter().flatten() {
        each_schema(property, look);
    }
    for inner in schema["anyOf"]
        .as_array()
        .into_iter()
        .flatten()
        .chain(schema.get("items"))
    {
        each_schema(inner, look);
    }
}

#[tokio::test]
async fn every_model_provider_accepts_the_tools() {
    let service = TestService::start().await;
    let listed = list(&service, &service.token("developer").await).await;
    let size = listed.to_string().len();
    // Models read the list in each session.
    assert!(size <= 25_000, "tools/list has {size} bytes");
    for tool in listed["tools"].as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        // OpenAI: at most 64 characters of these; Gemini: at most 64, beginning with a letter.
        assert!(
            name.len() <= 64 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{name}"
        );
        // OpenAI: at most 1024 characters.
        assert!(tool["description"].as_str().unwrap().len() <= 1024, "{name}");
        for schema in [&tool["inputSchema"], &tool["outputSchema"]] {
            each_schema(schema, &mut |schema| {
                let fields = schema.as_object().unwrap();
                // Also what OpenAI's strict form does not document: lengths of texts, and limits of objects.
                for word in [
                    "minLength",
                    "maxLength",
                    "minProperties",
                    "uniqueItems",
                    "const",
                    "oneOf",
                    "allOf",
                    "not",
                    "if",
                    "default",
                    "$ref",
                    "$defs",
                    "format",
                    "patternProperties",
                ] {
                    assert!(!fields.contains_key(word), "{name}: {word} in {schema}");
                }
                assert!(
                    !schema["type"].is_array() && schema["type"] != "null",
                    "{name}: {schema}"
                );
                assert!(
                    schema["type"] != "object" || schema["properties"].is_object(),
                    "{name}: {schema}"
                );
                let words = schema["enum"].as_array().into_iter().flatten();
                assert!(words.clone().all(Value::is_string), "{name}: {schema}");
            });
        }
        assert!(tool["inputSchema"]["properties"].is_object(), "{name}");
    }
}

#[tokio::test]
async fn null_and_empty_text_mean_that_an_argument_is_left_out() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let empty = json!({ "releaseId": null, "status": "", "severity": null, "text": "", "cursor": "", "limit": null });
    let listed = service.call(&token, "loopiq_list_findings", empty).await;
    assert_eq!(listed["isError"], false, "{listed}");
    let mut plain = service.work_item("k1");
    let first = service.call(&token, "loopiq_create_work_item", plain.clone()).await;
    for (name, value) in [
        ("parentId", json!("")),
        ("owner", json!(null)),
        ("workflow", json!("")),
        ("findingIds", json!(null)),
        ("dryRun", json!(null)),
        ("supersedesActionId", json!("")),
    ] {
        plain[name] = value;
    }
    let again = service.call(&token, "loopiq_create_work_item", plain.clone()).await;
    assert_eq!(
        again["structuredContent"]["actionId"], first["structuredContent"]["actionId"],
        "the same proposal: {again}"
    );
    plain["title"] = json!(null);
    plain["idempotencyKey"] = json!("k2");
    let refused = service.call(&token, "loopiq_create_work_item", plain).await;
    assert_eq!(
        refused["structuredContent"]["fields"][0]["pointer"], "/title",
        "it is required: {refused}"
    );
}

#[tokio::test]
async fn a_refusal_says_how_to_send_it_right() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let with = |name: &str, value: Value| {
        let mut arguments = service.work_item("k");
        arguments[name] = value;
        arguments
    };
    for (tool, arguments, pointer, says) in [
        (
            "loopiq_list_findings",
            json!({ "severity": "HIGH" }),
            "/severity",
            "must be written high; allowed: none, low",
        ),
        (
            "loopiq_list_blockers",
            json!({ "status": "blocking" }),
            "/status",
            "must be one of open, resolved, accepted",
        ),
        (
            "loopiq_list_work_items",
            json!({ "status": "Open" }),
            "/status",
            "must be written open",
        ),
        (
            "loopiq_search_evidence",
            json!({ "status": "SARIF" }),
            "/status",
            "must be written sarif",
        ),
        (
            "loopiq_list_actions",
            json!({ "text": "x" }),
            "/text",
            "is not a field of this tool",
        ),
        (
            "loopiq_list_actions",
            json!({ "status": "pending" }),
            "/status",
            "pending_approval",
        ),
        (
            "loopiq_list_controls",
            json!({ "limit": "5" }),
            "/limit",
            "send 5 without quotes",
        ),
        (
            "loopiq_get_context",
            json!({ "random_string": "x" }),
            "/random_string",
            "is not a field of this tool",
        ),
        (
            "loopiq_get_release",
            json!({ "releaseId": "PAY-1" }),
            "/releaseId",
            "as loopiq_list_releases gives it; PAY-1 is the key of rel_",
        ),
        (
            "loopiq_get_action",
            json!({ "actionId": "one" }),
            "/actionId",
            "must be the ID of an action",
        ),
        (
            "loopiq_create_work_item",
            with("findingIds", json!("[\"fnd_1\"]")),
            "/findingIds",
            "send [...] without quotes",
        ),
        (
            "loopiq_create_work_item",
            with("dryRun", json!("true")),
            "/dryRun",
            "send true without quotes",
        ),
        (
            "loopiq_create_work_item",
            with("kind", json!("Story")),
            "/kind",
            "must be written story",
        ),
        (
            "loopiq_create_work_item",
            with("idempotencyKey", json!("k\n")),
            "/idempotencyKey",
            "white space",
        ),
        (
            "loopiq_create_work_item",
            with("idempotencyKey", json!("   ")),
            "/idempotencyKey",
            "visible character",
        ),
    ] {
        let refused = service.call(&token, tool, arguments.clone()).await;
        assert_eq!(refused["isError"], true, "{tool} {arguments}: {refused}");
        let fields = refused["structuredContent"]["fields"].as_array().unwrap();
        let found = fields.iter().find(|field| field["pointer"] == pointer);
        let message = found.unwrap_or_else(|| panic!("{tool} {arguments}: {refused}"))["message"]
            .as_str()
            .unwrap();
        assert!(message.contains(says), "{tool} {arguments}: {message}");
        let text = refused["content"][0]["text"].as_str().unwrap();
        assert!(text.contains(message), "the text has it too: {text}");
    }
    // All mistakes, up to 20, are in the text.
    let mut arguments = service.work_item("k");
    arguments["findingIds"] = (0..30).map(|n| json!(format!("f{n}"))).collect();
    let refused = service.call(&token, "loopiq_create_work_item", arguments).await;
    let text = refused["content"][0]["text"].as_str().unwrap();
    assert_eq!(text.matches("must be the ID of a finding").count(), 20, "{text}");
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    for tool in ["releases", "blockers", "findings", "controls", "work_items", "actions"] {
        for cursor in [
            "zzz",
            "rel_1",
            "items:1",
            "5",
            &format!("{tool}:"),
            &format!("{tool}x:1"),
        ] {
            let refused = service
                .call(&token, &format!("loopiq_list_{tool}"), json!({ "cursor": cursor }))
                .await;
            assert_eq!(refused["isError"], true, "{tool} {cursor}: {refused}");
            assert_eq!(refused["structuredContent"]["fields"][0]["pointer"], "/cursor");
        }
    }
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "cursor": "x" } });
    let answer = read(service.send(&token, body.to_string()).await).await;
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
}

#[tokio::test]
async fn any_accept_header_that_permits_json_works_and_so_does_a_slash() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    for (path, accept, status) in [
        ("", Some("application/json"), 200),
        ("", Some("*/*"), 200),
        ("", None, 200),
        ("/", Some("application/json, text/event-stream"), 200),
        ("", Some("text/event-stream"), 406),
        ("", Some("text/html"), 406),
    ] {
        let request = service.http().post(format!("{}{path}", service.mcp_url()));
        let request = request
            .bearer_auth(&token)
            .header("content-type", "application/json")
            .body(body);
        let request = match accept {
            Some(accept) => request.header("accept", accept),
            None => request,
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{path} {accept:?}");
        let kind = if status == 200 {
            "application/json"
        } else {
            "application/problem+json"
        };
        assert_eq!(response.headers()["content-type"], kind);
    }
}

#[tokio::test]
async fn the_text_of_a_proposal_names_the_checks_to_look_at() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let mut vague = service.work_item("k");
    vague["title"] = json!("Fix issues");
    let proposed = service.call(&token, "loopiq_create_work_item", vague).await;
    let text = proposed["content"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("Checks to look at:") && text.contains("titles ("),
        "{text}"
    );
}
