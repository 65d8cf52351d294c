use super::service::{TestService, read};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn refused(service: &TestService, token: &str, body: &str) -> (u16, i64, String, Value) {
    let response = service.send(token, body.to_owned()).await;
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json");
    let answer = read(response).await;
    assert_eq!(answer["jsonrpc"], "2.0");
    let error = &answer["error"];
    (
        status,
        error["code"].as_i64().unwrap(),
        error["message"].as_str().unwrap().to_owned(),
        answer["id"].clone(),
    )
}

#[tokio::test]
async fn ambiguous_json_is_refused() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    for (body, cause) in [
        ("{\"jsonrpc\":", "EOF"),
        ("", "EOF"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}"#,
            "\"method\" occurs twice",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":1,"a":2}}}"#,
            "\"a\" occurs twice",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":9007199254740993}}}"#,
            "beyond 2^53",
        ),
    ] {
        let (status, code, message, id) = refused(&service, &token, body).await;
        assert_eq!((status, code, id), (400, -32700, Value::Null), "{body}");
        assert!(message.contains(cause), "{message}");
    }
}

#[tokio::test]
async fn json_that_is_not_a_message_is_refused_with_a_reason() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    for (body, cause, id) in [
        (
            json!([{ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }]),
            "batch",
            Value::Null,
        ),
        (json!("tools/list"), "jsonrpc", Value::Null),
        (json!({ "id": 7, "method": "tools/list" }), "jsonrpc", json!(7)),
        (json!({ "jsonrpc": "2.0", "id": "a" }), "method", json!("a")),
        (
            json!({ "jsonrpc": "2.0", "id": null, "method": "tools/list" }),
            "id must be",
            Value::Null,
        ),
        (
            json!({ "jsonrpc": "2.0", "id": 1.5, "method": "tools/list" }),
            "id must be",
            json!(1.5),
        ),
        (
            json!({ "jsonrpc": "2.0", "id": true, "method": "tools/list" }),
            "id must be",
            Value::Null,
        ),
        (
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "arguments": {} } }),
            "name",
            json!(1),
        ),
        (
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "x", "arguments": "{}" } }),
            "arguments",
            json!(1),
        ),
    ] {
        let (status, code, message, named) = refused(&service, &token, &body.to_string()).await;
        assert_eq!((status, code, named), (400, -32600, id), "{body}");
        assert!(message.contains(cause), "{message}");
    }
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_refused_with_and_without_a_declared_length() {
    let service = TestService::start().await;
    let token = service.token("developer").await;
    let large = format!("\"{}\"", "x".repeat(1 << 20));
    let plain = service.send(&token, large.clone()).await;
    assert_eq!(plain.status(), 413);
    assert!(read(plain).await["detail"].as_str().unwrap().contains("1 MiB"));
    assert!(chunked(&service, &token, &large).await.starts_with("HTTP/1.1 413 "));
    let fits = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list"}}{}"#,
        " ".repeat((1 << 20) - 46)
    );
    assert_eq!(fits.len(), 1 << 20);
    assert_eq!(service.send(&token, fits).await.status(), 200);
}

/// Sends a body without a declared length, and returns the head of the response.
async fn chunked(service: &TestService, token: &str, body: &str) -> String {
    let address = service.url.strip_prefix("http://").unwrap();
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    for chunk in body.as_bytes().chunks(1 << 16) {
        // The service may close the connection before the end. What it sent until then counts.
        let _ = socket.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).await;
        let _ = socket.write_all(chunk).await;
        let _ = socket.write_all(b"\r\n").await;
    }
    let _ = socket.write_all(b"0\r\n\r\n").await;
    let mut answer = vec![0; 64];
    let length = socket.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}
