use super::service::TestService;
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt};
use serde_json::json;

async fn use_all_features(service: &TestService, lifecycle: ClientLifecycleMode) -> String {
    let token = service.token("developer").await;
    let config = StreamableHttpClientTransportConfig::with_uri(service.mcp_url()).auth_header(token);
    let transport = StreamableHttpClientTransport::with_client(service.http().clone(), config);
    let client = ().serve_with_lifecycle(transport, lifecycle).await.unwrap();
    let info = client.peer_info().unwrap();
    assert_eq!(
        info.server_info.as_ref().map(|server| server.name.as_str()),
        Some("loopiq")
    );
    assert!(info.instructions.as_ref().unwrap().contains("loopiq_get_action"));
    let tools = client.list_all_tools().await.unwrap();
    assert!(tools.iter().any(|tool| tool.name == "loopiq_withdraw_action"));
    let call = |name: &'static str, arguments: serde_json::Value| {
        let request = CallToolRequestParams::new(name).with_arguments(arguments.as_object().unwrap().clone());
        client.call_tool(request)
    };
    let proposed = call("loopiq_create_work_item", service.work_item("k-1"))
        .await
        .unwrap()
        .structured_content
        .unwrap();
    let action = json!({ "actionId": proposed["actionId"], "reason": "A test." });
    let withdrawn = call("loopiq_withdraw_action", action)
        .await
        .unwrap()
        .structured_content
        .unwrap();
    let now = call("loopiq_get_action", json!({ "actionId": proposed["actionId"] }))
        .await
        .unwrap();
    assert_eq!(
        (&withdrawn["status"], &now.structured_content.unwrap()["status"]),
        (&json!("rejected"), &json!("rejected"))
    );
    let refused = call("loopiq_get_release", json!({ "release": "x" })).await.unwrap();
    assert_eq!(
        (refused.is_error, &refused.structured_content.unwrap()["error"]),
        (Some(true), &json!("invalid_arguments"))
    );
    let version = info.protocol_version.to_string();
    client.cancel().await.unwrap();
    version
}

#[tokio::test]
async fn clients_of_protocol_2026_and_2025_get_the_same_service() {
    let today = ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
    };
    assert_eq!(use_all_features(&TestService::start().await, today).await, "2026-07-28");
    let yesterday = use_all_features(&TestService::start().await, ClientLifecycleMode::Initialize).await;
    assert!(yesterday.starts_with("2025-"), "{yesterday}");
}
