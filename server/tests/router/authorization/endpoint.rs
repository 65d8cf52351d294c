//! An endpoint of the table: who may call it, and a request to it.

use super::callers::{Caller, Credentials};
use super::records::Records;
use crate::support::Answer;
use loopiq::domain::Permission;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// Where an endpoint is, which decides what authenticates a request and what a refusal looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Surface {
    /// A page: a session; without one the browser is redirected to the sign-in.
    Page,
    /// A form of a page: a session; without one the response is 401.
    Form,
    /// The API: a token, otherwise a session.
    Api,
    /// MCP: a token.
    Mcp,
}

/// Who may call an endpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Access {
    /// Anyone on the network.
    Anyone,
    /// A person with a session, with or without a role.
    Session,
    /// Who knows the secret of the demo's relying party, which is the service itself.
    RelyingParty,
    /// Every principal with a valid token.
    Token,
    /// Who has all of these permissions.
    Needs(Surface, Vec<Permission>),
}

/// The body of a request.
#[derive(Clone)]
pub(super) enum Body {
    None,
    Form(Vec<(&'static str, &'static str)>),
    Json(Value),
    Text(&'static str, String),
    /// The arguments of an MCP tool, or the parameters of another MCP method.
    Mcp(&'static str, Value),
}

/// An endpoint with a request. A name in angle brackets, such as `<action>`, stands for the ID of a record.
#[derive(Clone)]
pub(super) struct Endpoint {
    /// `GET /actions/{id}` as the router writes it; the name of a tool.
    pub(super) name: &'static str,
    pub(super) access: Access,
    method: Method,
    target: String,
    body: Body,
    /// Whether the request names records that exist. Others name absent ones, so that a permitted request changes nothing.
    pub(super) exists: bool,
    /// Whether the request ends the caller's session.
    pub(super) ends_session: bool,
}

impl Endpoint {
    pub(super) fn new(name: &'static str, access: Access) -> Self {
        let (method, path) = name.split_once(' ').unwrap_or(("POST", "/mcp"));
        let method = if method == "ANY" { "GET" } else { method };
        Self {
            name,
            access,
            method: method.parse().unwrap(),
            target: path.to_owned(),
            body: Body::None,
            exists: method == "GET",
            ends_session: false,
        }
    }

    /// With this path and query instead of the route's.
    pub(super) fn at(self, target: impl Into<String>) -> Self {
        let target = target.into();
        Self { target, ..self }
    }

    pub(super) fn form(self, fields: &[(&'static str, &'static str)]) -> Self {
        self.with(Body::Form(fields.to_vec()))
    }

    pub(super) fn json(self, value: Value) -> Self {
        self.with(Body::Json(value))
    }

    pub(super) fn with(self, body: Body) -> Self {
        Self { body, ..self }
    }

    /// With records that exist.
    pub(super) fn on_records(self) -> Self {
        Self { exists: true, ..self }
    }

    pub(super) fn ending_the_session(self) -> Self {
        Self {
            ends_session: true,
            ..self
        }
    }

    pub(super) fn is_tool(&self) -> bool {
        !self.name.contains(' ')
    }

    /// Whether the request is an MCP message that calls no tool.
    pub(super) fn is_mcp_method(&self) -> bool {
        matches!(self.body, Body::Mcp(method, _) if method != "tools/call")
    }

    pub(super) fn is_form(&self) -> bool {
        matches!(self.access, Access::Needs(Surface::Form, _))
    }

    /// The names of the records in the request.
    pub(super) fn records(&self) -> Vec<&'static str> {
        let body = match &self.body {
            Body::None => String::new(),
            Body::Form(fields) => format!("{fields:?}"),
            Body::Json(value) | Body::Mcp(_, value) => value.to_string(),
            Body::Text(_, text) => text.clone(),
        };
        let all = format!("{} {body}", self.target);
        let named = Records::NAMES.iter().filter(|name| all.contains(&format!("<{name}>")));
        named.copied().collect()
    }

    /// Sends the request as this caller. `html`: as a browser without scripts sends it.
    pub(super) async fn send(&self, caller: &mut Caller, records: &Records, html: bool) -> Answer {
        let request = self.request(caller, records, html);
        caller.browser.send(request).await
    }

    fn request(&self, caller: &Caller, records: &Records, html: bool) -> RequestBuilder {
        let target = records.fill(&self.target);
        let browser = &caller.browser;
        let mut request = match html || matches!(self.access, Access::Needs(Surface::Page, _)) {
            true => browser.request(self.method.clone(), &target),
            false => {
                let request = browser.program(self.method.clone(), &target);
                request.header("accept", "application/json, text/event-stream")
            }
        };
        if self.method != Method::GET {
            request = request.header("sec-fetch-site", "same-origin");
        }
        if let Credentials::Token(token) = &caller.credentials {
            request = request.bearer_auth(token);
        }
        if self.name == "POST /api/v1/actions" {
            request = request.header("idempotency-key", "matrix");
        }
        match &self.body {
            Body::None => request,
            Body::Form(fields) => {
                let fields: Vec<(&str, String)> = fields
                    .iter()
                    .map(|(name, value)| (*name, records.fill(value)))
                    .collect();
                request.form(&fields)
            }
            Body::Json(value) => request
                .header("content-type", "application/json")
                .body(records.fill(&value.to_string())),
            Body::Text(kind, text) => request.header("content-type", *kind).body(records.fill(text)),
            Body::Mcp(method, parameters) => mcp(request, method, self.name, &records.fill(&parameters.to_string())),
        }
    }
}

fn mcp(request: RequestBuilder, method: &str, tool: &str, parameters: &str) -> RequestBuilder {
    const PROTOCOL: &str = "2026-07-28";
    let parameters: Value = serde_json::from_str(parameters).unwrap();
    let mut params = match method {
        "tools/call" => json!({ "name": tool, "arguments": parameters }),
        _ => parameters,
    };
    // A client that declares tasks gets another response to a proposal.
    let capabilities = match method.starts_with("tasks/") {
        true => json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } }),
        false => json!({}),
    };
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": PROTOCOL,
        "io.modelcontextprotocol/clientInfo": { "name": "matrix", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    });
    let named = match method {
        "tools/call" => Some(tool.to_owned()),
        _ => ["taskId", "uri"]
            .iter()
            .find_map(|field| params[field].as_str().map(str::to_owned)),
    };
    let request = match named {
        Some(name) => request.header("mcp-name", name),
        None => request,
    };
    request
        .header("content-type", "application/json")
        .header("mcp-protocol-version", PROTOCOL)
        .header("mcp-method", method)
        .body(json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string())
}
