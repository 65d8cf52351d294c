//! The MCP client: connects, calls tools and decodes their results.

use crate::http_client;
use anyhow::{Context, Result, anyhow, bail};
use loopiq::context::Runtime;
use loopiq::domain::canonical::hex;
use rmcp::model::{
    CallToolRequestParams, ClientCapabilities, ClientConfig, Implementation, ProtocolVersion, RequestMetaObject,
};
use rmcp::service::{ClientInitializeError, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt, RoleClient};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// The number of items in one page of a list.
const PAGE_SIZE: i64 = 200;
/// The number of pages of one list; beyond it the agent gives up, because a server could return cursors without end.
const MAX_PAGES: usize = 500;

/// A connection to the service.
pub(super) struct Agent {
    service: RunningService<RoleClient, ClientConfig>,
    /// One trace for the whole run, so that a reviewer sees every read before a proposal.
    traceparent: String,
}

/// The error result of a tool.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct ToolRefusal {
    /// The stable code.
    pub code: String,
    message: String,
}

impl Agent {
    /// Connects to the MCP endpoint at this URL.
    ///
    /// # Errors
    /// No service answers there, or it refuses the token.
    pub(super) async fn connect(url: &str, token: &str, runtime: &Runtime) -> Result<Self> {
        let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(token);
        let identity = Implementation::new("helix", env!("CARGO_PKG_VERSION")).with_title("Helix (demo agent)");
        let lifecycle = ClientLifecycleMode::Discover {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        };
        // The MCP endpoint never redirects. A new connection for each call avoids the delay that reused ones showed.
        let http = http_client::builder()?
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let service = ClientConfig::new(ClientCapabilities::default(), identity)
            .serve_with_lifecycle(StreamableHttpClientTransport::with_client(http, config), lifecycle)
            .await
            .map_err(|error| match error.auth_challenge() {
                Some(challenge) => anyhow!("{url} refused the token: {}", error_description(challenge)),
                None => anyhow!(
                    "cannot connect to {url}; is the service running there? ({})",
                    root_cause(&error)
                ),
            })?;
        let (trace, parent) = (hex(&runtime.random::<16>()), hex(&runtime.random::<8>()));
        Ok(Self {
            service,
            traceparent: format!("00-{trace}-{parent}-01"),
        })
    }

    /// The trace ID of this run.
    pub(super) fn trace(&self) -> &str {
        self.traceparent.split('-').nth(1).unwrap_or_default()
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// [`ToolRefusal`], or the connection failed.
    pub(super) async fn call(&self, tool: &'static str, arguments: Map<String, Value>) -> Result<Value> {
        let mut request = CallToolRequestParams::new(tool).with_arguments(arguments);
        let mut meta = RequestMetaObject::default();
        meta.0.set_traceparent(&self.traceparent);
        request.meta = Some(meta);
        let result = self
            .service
            .call_tool(request)
            .await
            .map_err(|error| match error.auth_challenge() {
                Some(challenge) => anyhow!("{tool}: the token was refused: {}", error_description(challenge)),
                None => anyhow!(error).context(tool),
            })?;
        let structured = result.structured_content.unwrap_or_default();
        if result.is_error == Some(true) {
            let text = result
                .content
                .first()
                .and_then(|block| block.as_text())
                .map(|text| text.text.clone());
            let message = text.unwrap_or_else(|| "refused without a reason".to_owned());
            let code = structured["error"].as_str().unwrap_or_default().to_owned();
            return Err(anyhow!(ToolRefusal { code, message }));
        }
        Ok(structured)
    }

    /// Calls a tool and decodes its result.
    ///
    /// # Errors
    /// As [`call`](Self::call), or the result has another form.
    pub(super) async fn read<T: DeserializeOwned>(&self, tool: &'static str, arguments: Value) -> Result<T> {
        let answer = self.call(tool, object(arguments)).await?;
        serde_json::from_value(answer).with_context(|| format!("{tool} returned an unknown format"))
    }

    /// Reads all pages of a list.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(super) async fn list<T: DeserializeOwned>(&self, tool: &'static str, arguments: Value) -> Result<Vec<T>> {
        let (mut items, mut arguments) = (Vec::new(), object(arguments));
        arguments.insert("limit".into(), json!(PAGE_SIZE));
        for _ in 0..MAX_PAGES {
            let page: Page<T> = self.read(tool, Value::Object(arguments.clone())).await?;
            items.extend(page.items);
            let Some(next) = page.next_cursor else { return Ok(items) };
            arguments.insert("cursor".into(), json!(next));
        }
        bail!("{tool} returned more than {MAX_PAGES} pages");
    }

    /// Closes the connection.
    pub(super) async fn close(self) {
        // The service keeps no session, so an error here loses nothing.
        let _ = self.service.cancel().await;
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    items: Vec<T>,
    #[serde(default)]
    next_cursor: Option<String>,
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The innermost cause, because rmcp's own messages consist mostly of type names.
fn root_cause(error: &ClientInitializeError) -> String {
    let mut cause: &dyn std::error::Error = match error {
        ClientInitializeError::TransportError { error, .. } => error.error.as_ref(),
        _ => error,
    };
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// The `error_description` of a challenge (RFC 6750, 3).
fn error_description(challenge: &str) -> &str {
    let description = challenge
        .split_once("error_description=\"")
        .and_then(|(_, rest)| rest.split('"').next());
    description.unwrap_or("it asks for a bearer token")
}
