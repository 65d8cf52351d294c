//! An agent that uses MCP.

use crate::http::Connection;
use anyhow::{Result, bail};
use serde_json::{Value, json};

/// An agent that speaks MCP 2026-07-28, one message at a time.
pub struct Agent {
    connection: Connection,
    bearer: String,
}

impl Agent {
    /// Connects with a token.
    ///
    /// # Errors
    /// The connection is refused.
    pub async fn connect(url: &str, token: &str) -> Result<Self> {
        Ok(Self {
            connection: Connection::open(url).await?,
            bearer: format!("Bearer {token}"),
        })
    }

    /// Calls a tool and returns its structured response.
    ///
    /// # Errors
    /// The connection is gone, or the tool refused; the error contains the response.
    pub async fn call(&mut self, tool: &str, arguments: &Value) -> Result<Value> {
        const PROTOCOL: &str = "2026-07-28";
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": tool, "arguments": arguments, "_meta": {
                "io.modelcontextprotocol/protocolVersion": PROTOCOL,
                "io.modelcontextprotocol/clientInfo": { "name": "lean", "version": "1" },
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        } });
        let headers = [
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("authorization", self.bearer.as_str()),
            ("mcp-protocol-version", PROTOCOL),
            ("mcp-method", "tools/call"),
            ("mcp-name", tool),
        ];
        let reply = self.connection.send("POST", "/mcp", &headers, body.to_string()).await?;
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let result = &answer["result"];
        if reply.status != 200 || !result.is_object() || result["isError"] == true {
            bail!("{tool}: {} {}", reply.status, reply.text());
        }
        Ok(result["structuredContent"].clone())
    }
}
