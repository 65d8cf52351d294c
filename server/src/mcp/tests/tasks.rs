//! The Tasks extension and the MCP App over a real socket.

use super::service::{PROTOCOL, TestService, meta, read};
use serde_json::{Value, json};

/// Sends a message of a client that declares tasks and, if `forms`, that can put a form before a person.
async fn send(service: &TestService, token: &str, method: &str, mut params: Value, forms: bool) -> Value {
    params["_meta"] = meta();
    let mut capabilities = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    if forms {
        capabilities["elicitation"] = json!({});
    }
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    answer(service, token, method, &params).await
}

async fn answer(service: &TestService, token: &str, method: &str, params: &Value) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let mut request = service
        .post()
        .bearer_auth(token)
        .header("mcp-protocol-version", PROTOCOL);
    request = request.header("mcp-method", method);
    if let Some(name) = ["name", "taskId", "uri"]
        .iter()
        .find_map(|field| params[field].as_str())
    {
        request = request.header("mcp-name", name);
    }
    read(request.body(body.to_string()).send().await.unwrap()).await
}

async fn propose(service: &TestService, token: &str, key: &str) -> Value {
    let params = json!({ "name": "loopiq_create_work_item", "arguments": service.work_item(key) });
    send(service, token, "tools/call", params, false).await["result"].clone()
}

#[tokio::test]
async fn a_client_that_declares_tasks_gets_the_action_as_a_task() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let created = propose(&service, &token, "k").await;
    assert_eq!(
        (&created["resultType"], &created["status"], &created["ttlMs"]),
        (&json!("task"), &json!("working"), &json!(null))
    );
    assert!(created["pollIntervalMs"].as_u64().unwrap() >= 1_000);
    let task = json!({ "taskId": created["taskId"] });
    let action = service
        .call(&token, "loopiq_get_action", json!({ "actionId": created["taskId"] }))
        .await;
    assert_eq!(
        action["structuredContent"]["status"], "pending_approval",
        "the task is the action: {action}"
    );
    assert_eq!(
        propose(&service, &token, "k").await["taskId"],
        created["taskId"],
        "the same key gives the same task"
    );

    let polled = send(&service, &token, "tasks/get", task.clone(), false).await["result"].clone();
    assert_eq!(
        (&polled["resultType"], &polled["status"]),
        (&json!("complete"), &json!("working"))
    );
    assert_eq!(polled["createdAt"], action["structuredContent"]["createdAt"]);
    let cancelled = send(&service, &token, "tasks/cancel", task.clone(), false).await;
    assert_eq!(cancelled["result"]["resultType"], "complete", "{cancelled}");
    let ended = send(&service, &token, "tasks/get", task.clone(), false).await["result"].clone();
    assert_eq!(
        (&ended["status"], &ended["result"]["isError"]),
        (&json!("completed"), &json!(true))
    );
    assert_eq!(
        ended["result"]["structuredContent"]["reasonCodes"],
        json!(["withdrawn"])
    );
    let text = ended["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("Rejected (withdrawn)"), "{text}");
    assert_eq!(
        propose(&service, &token, "k").await["status"],
        "completed",
        "the task of a closed action"
    );
}

#[tokio::test]
async fn other_clients_and_other_calls_see_no_tasks() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let plain = service
        .call(&token, "loopiq_create_work_item", service.work_item("k"))
        .await;
    assert_eq!(
        (&plain["resultType"], &plain["structuredContent"]["status"]),
        (&json!("complete"), &json!("pending_approval"))
    );
    let action = plain["structuredContent"]["actionId"].clone();
    // The extension does not exist in older protocols.
    let old = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "loopiq_create_work_item", "arguments": service.work_item("k"),
        "_meta": { "io.modelcontextprotocol/clientCapabilities": { "extensions": { "io.modelcontextprotocol/tasks": {} } } },
    } });
    let old = read(service.send(&token, old.to_string()).await).await;
    assert_eq!(old["result"]["structuredContent"]["actionId"], action, "{old}");
    let old = json!({ "jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {
        "taskId": action,
        "_meta": { "io.modelcontextprotocol/clientCapabilities": { "extensions": { "io.modelcontextprotocol/tasks": {} } } },
    } });
    let old = read(service.send(&token, old.to_string()).await).await;
    assert_eq!(old["error"]["code"], -32021, "{old}");

    let mut dry = service.work_item("dry");
    dry["dryRun"] = json!(true);
    for (name, arguments) in [
        ("loopiq_create_work_item", dry),
        ("loopiq_create_work_item", json!({})),
        ("loopiq_list_releases", json!({})),
        ("loopiq_get_action", json!({ "actionId": action })),
    ] {
        let params = json!({ "name": name, "arguments": arguments });
        let result = send(&service, &token, "tools/call", params, false).await["result"].clone();
        assert_eq!(result["resultType"], "complete", "{name}: {result}");
    }
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let params = json!({ "taskId": action, "inputResponses": {}, "_meta": meta() });
        let refused = answer(&service, &token, method, &params).await;
        assert_eq!(refused["error"]["code"], -32021, "{method}: {refused}");
        let needed = &refused["error"]["data"]["requiredCapabilities"]["extensions"];
        assert!(needed["io.modelcontextprotocol/tasks"].is_object(), "{refused}");
    }
}

#[tokio::test]
async fn a_question_is_a_form_and_its_answer_reaches_the_reviewer() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let id = propose(&service, &token, "k").await["taskId"]
        .as_str()
        .unwrap()
        .to_owned();
    service.ask(&id, "Which keys?").await;
    let task = json!({ "taskId": id });
    let asked = send(&service, &token, "tasks/get", task.clone(), true).await["result"].clone();
    assert_eq!(asked["status"], "input_required", "{asked}");
    let (question, form) = asked["inputRequests"].as_object().unwrap().iter().next().unwrap();
    assert_eq!(
        (&form["method"], &form["params"]["mode"]),
        (&json!("elicitation/create"), &json!("form"))
    );
    assert!(
        form["params"]["message"].as_str().unwrap().contains("Which keys?"),
        "{form}"
    );
    assert_eq!(form["params"]["requestedSchema"]["required"], json!(["answer"]));
    // The protocol forbids to send a form to a client that has none; the message says how to answer.
    let without = send(&service, &token, "tasks/get", task.clone(), false).await["result"].clone();
    assert_eq!(
        (&without["status"], &without["inputRequests"]),
        (&json!("input_required"), &json!({}))
    );
    let message = without["statusMessage"].as_str().unwrap();
    assert!(
        message.contains("Which keys?") && message.contains("loopiq_answer_question"),
        "{message}"
    );

    let respond = |response: Value| json!({ "taskId": id, "inputResponses": { question: response } });
    let declined = respond(json!({ "action": "decline" }));
    let ignored = send(&service, &token, "tasks/update", declined, true).await;
    assert_eq!(ignored["result"]["resultType"], "complete", "{ignored}");
    assert_eq!(
        send(&service, &token, "tasks/get", task.clone(), true).await["result"]["status"],
        "input_required"
    );
    let refused = respond(json!({ "action": "accept", "content": { "answer": "" } }));
    let refused = send(&service, &token, "tasks/update", refused, true).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    let accepted = respond(json!({ "action": "accept", "content": { "answer": "Those of the gateway." } }));
    let accepted = send(&service, &token, "tasks/update", accepted, true).await;
    assert_eq!(accepted["result"]["resultType"], "complete", "{accepted}");
    assert_eq!(
        send(&service, &token, "tasks/get", task, true).await["result"]["status"],
        "working"
    );
    let action = service
        .call(&token, "loopiq_get_action", json!({ "actionId": id }))
        .await;
    assert_eq!(
        action["structuredContent"]["questions"][0]["answer"],
        "Those of the gateway."
    );
}

#[tokio::test]
async fn an_unknown_task_and_a_foreign_one_are_invalid_parameters() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        for id in ["act_00000000000000000000000001", "x", ""] {
            let params = json!({ "taskId": id, "inputResponses": {} });
            let refused = send(&service, &token, method, params, true).await;
            assert_eq!(refused["error"]["code"], -32602, "{method} {id:?}: {refused}");
        }
    }
}

#[tokio::test]
async fn the_app_is_a_resource_that_every_proposing_tool_names() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let uri = "ui://loopiq/action.html";
    let with = |mut params: Value| {
        params["_meta"] = meta();
        params
    };
    let listed = answer(&service, &token, "resources/list", &with(json!({}))).await["result"]["resources"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(
        (&listed[0]["uri"], &listed[0]["mimeType"]),
        (&json!(uri), &json!("text/html;profile=mcp-app"))
    );
    let page =
        answer(&service, &token, "resources/read", &with(json!({ "uri": uri }))).await["result"]["contents"][0].clone();
    assert_eq!(
        (&page["uri"], &page["mimeType"]),
        (&json!(uri), &json!("text/html;profile=mcp-app"))
    );
    for holder in [&page, &listed[0]] {
        let policy = holder["_meta"]["ui"]["csp"].as_object().unwrap();
        assert!(
            policy.values().all(|origins| *origins == json!([])),
            "no network: {policy:?}"
        );
    }
    assert!(page["text"].as_str().unwrap().starts_with("<!doctype html>"));
    for other in [
        "ui://loopiq/other.html",
        "file:///etc/passwd",
        "ui://loopiq/action.html?x",
    ] {
        let refused = answer(&service, &token, "resources/read", &with(json!({ "uri": other }))).await;
        assert_eq!(refused["error"]["code"], -32602, "{other}: {refused}");
    }
    let tools = answer(&service, &token, "tools/list", &with(json!({}))).await["result"]["tools"].clone();
    for tool in tools.as_array().unwrap() {
        let proposes = tool["inputSchema"]["properties"]["idempotencyKey"].is_object();
        let named = tool["_meta"]["ui"]["resourceUri"] == uri;
        assert_eq!(proposes, named, "{}", tool["name"]);
    }
    let discovered =
        answer(&service, &token, "server/discover", &with(json!({}))).await["result"]["capabilities"].clone();
    for extension in ["io.modelcontextprotocol/tasks", "io.modelcontextprotocol/ui"] {
        assert!(discovered["extensions"][extension].is_object(), "{discovered}");
    }
}
