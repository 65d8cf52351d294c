//! The MCP client: connects, calls tools, and reads what they answer.

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

/// What a page of a list holds at most.
const PAGE: i64 = 200;
/// Pages of one list before it is taken for endless.
const MAX_PAGES: usize = 500;

/// A connection to the service.
pub(super) struct Agent {
    service: RunningService<RoleClient, ClientConfig>,
    /// One trace for the whole run: so a reviewer sees all that was read before a proposal.
    traceparent: String,
}

/// A tool's refusal.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Refused {
    /// The stable code.
    pub code: String,
    message: String,
}

impl Agent {
    /// Connects to the door at this address.
    ///
    /// # Errors
    /// Nobody answers there, or the token is refused.
    pub(super) async fn connect(url: &str, token: &str, runtime: &Runtime) -> Result<Self> {
        let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(token);
        let identity = Implementation::new("helix", env!("CARGO_PKG_VERSION")).with_title("Helix (demo agent)");
        let lifecycle = ClientLifecycleMode::Discover {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        };
        // The door leads nowhere else, and a connection of its own for each call spares the delay of a reused one.
        let http = http_client::builder()?
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let service = ClientConfig::new(ClientCapabilities::default(), identity)
            .serve_with_lifecycle(StreamableHttpClientTransport::with_client(http, config), lifecycle)
            .await
            .map_err(|error| match error.auth_challenge() {
                Some(challenge) => anyhow!("{url} refused the token: {}", described(challenge)),
                None => anyhow!(
                    "no connection to {url}; is the service running there? ({})",
                    root(&error)
                ),
            })?;
        let (trace, parent) = (hex(&runtime.random::<16>()), hex(&runtime.random::<8>()));
        Ok(Self {
            service,
            traceparent: format!("00-{trace}-{parent}-01"),
        })
    }

    /// The trace of this run.
    pub(super) fn trace(&self) -> &str {
        self.traceparent.split('-').nth(1).unwrap_or_default()
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// [`Refused`], or what became of the connection.
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
                Some(challenge) => anyhow!("{tool}: the token was refused: {}", described(challenge)),
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
            return Err(anyhow!(Refused { code, message }));
        }
        Ok(structured)
    }

    /// Calls a tool whose answer has a known form.
    ///
    /// # Errors
    /// As [`call`](Self::call), or the answer has another form.
    pub(super) async fn read<T: DeserializeOwned>(&self, tool: &'static str, arguments: Value) -> Result<T> {
        let answer = self.call(tool, object(arguments)).await?;
        serde_json::from_value(answer).with_context(|| format!("{tool} answered in a form that is not known here"))
    }

    /// Every item of a list, page by page.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(super) async fn list<T: DeserializeOwned>(&self, tool: &'static str, arguments: Value) -> Result<Vec<T>> {
        let (mut items, mut arguments) = (Vec::new(), object(arguments));
        arguments.insert("limit".into(), json!(PAGE));
        for _ in 0..MAX_PAGES {
            let page: Page<T> = self.read(tool, Value::Object(arguments.clone())).await?;
            items.extend(page.items);
            let Some(next) = page.next_cursor else { return Ok(items) };
            arguments.insert("cursor".into(), json!(next));
        }
        bail!("{tool} has no end after {MAX_PAGES} pages");
    }

    /// Ends the connection.
    pub(super) async fn close(self) {
        // Nothing is kept on the other side, so nothing can be lost.
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

/// What lies at the bottom of it; rmcp's own text is mostly names of its types.
fn root(error: &ClientInitializeError) -> String {
    let mut cause: &dyn std::error::Error = match error {
        ClientInitializeError::TransportError { error, .. } => error.error.as_ref(),
        _ => error,
    };
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// What a challenge says in words (RFC 6750, 3).
fn described(challenge: &str) -> &str {
    let described = challenge
        .split_once("error_description=\"")
        .and_then(|(_, rest)| rest.split('"').next());
    described.unwrap_or("it asks for a bearer token")
}
