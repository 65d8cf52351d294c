//! The floors: what the machine achieves without the service. A plain INSERT, an MCP tool that does nothing, and a page
//! of one line, served by a separate process.

use crate::load::{self, AsyncWork, Times};
use crate::machine;
use anyhow::{Context, Result};
use axum::Router;
use axum::routing::{get, post_service};
use axum::serve::ListenerExt;
use leptos::prelude::*;
use loopiq_testing::{Agent, Connection};
use rmcp::handler::server::ServerHandler;
use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult, ServerCapabilities, ServerConfig};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer};
use serde_json::json;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, Connection as _, Executor};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tokio::sync::Mutex;

/// What the machine achieves without the service. Times are medians in milliseconds.
pub(crate) struct Floors {
    /// The insertion of one row.
    pub(crate) insert: f64,
    /// Insertions per second by 32 clients.
    pub(crate) inserts: f64,
    /// A call of a tool that does nothing.
    pub(crate) tool: f64,
    /// Such calls per second by 32 clients.
    pub(crate) tools: f64,
    /// A page of one line.
    pub(crate) page: f64,
    /// Such pages per second by 32 clients.
    pub(crate) pages: f64,
    /// The processor time of a call of a tool that does nothing.
    pub(crate) processor: f64,
    /// The peak memory of the process that serves the floors, in MiB.
    pub(crate) memory: f64,
}

/// The process that serves the floors.
pub(crate) struct Floor {
    url: String,
    child: Child,
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Floor {
    /// Starts the process.
    pub(crate) fn start() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("floor")
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()?;
        let mut url = String::new();
        BufReader::new(child.stdout.take().context("its output")?).read_line(&mut url)?;
        Ok(Self {
            url: url.trim().to_owned(),
            child,
        })
    }

    /// Measures the floors for a database with this URL.
    pub(crate) async fn measure(&self, url: &str, folder: &Path) -> Result<Floors> {
        let (insert, inserts) = insert(url, folder).await?;
        let began = machine::cpu_time(self.child.id());
        let tool = self.tool().await?;
        let calls = tool.count() + tool.count() / 10 + 1;
        let processor = (machine::cpu_time(self.child.id()) - began) / calls as f64 * 1e3;
        let page = self.page().await?;
        let (tools, pages) = self.rates().await?;
        Ok(Floors {
            insert: insert.median(),
            inserts: inserts[1],
            tool: tool.median(),
            tools: tools[1],
            page: page.median(),
            pages: pages[1],
            processor,
            memory: machine::peak_memory(self.child.id()),
        })
    }

    /// Measures an MCP tool that does nothing.
    async fn tool(&self) -> Result<Times> {
        let agent = Mutex::new(Agent::connect(&self.url, "none").await?);
        let call = json!({});
        load::one_by_one(1_000, |_| async {
            agent.lock().await.call("nothing", &call).await.map(drop)
        })
        .await
    }

    /// Measures a page of one line.
    async fn page(&self) -> Result<Times> {
        let reader = Mutex::new(Connection::open(&self.url).await?);
        load::one_by_one(1_000, |_| async {
            reader.lock().await.send("GET", "/", &[], "").await.map(drop)
        })
        .await
    }

    /// Measures many such calls at once, and many such pages.
    async fn rates(&self) -> Result<([f64; 3], [f64; 3])> {
        let (mut agents, mut readers) = (Vec::new(), Vec::new());
        for _ in 0..32 {
            agents.push(Agent::connect(&self.url, "none").await?);
            readers.push(Connection::open(&self.url).await?);
        }
        let tools = load::at_once(agents, 1.0, Nothing).await?;
        Ok((tools, load::at_once(readers, 1.0, Nothing).await?))
    }
}

#[derive(Clone)]
struct Nothing;

impl AsyncWork<Agent> for Nothing {
    async fn run(&self, agent: &mut Agent) -> Result<()> {
        agent.call("nothing", &json!({})).await.map(drop)
    }
}

impl AsyncWork<Connection> for Nothing {
    async fn run(&self, connection: &mut Connection) -> Result<()> {
        connection.send("GET", "/", &[], "").await.map(drop)
    }
}

/// Measures the insertion of one row that is flushed to disk: by one client, and by 32.
async fn insert(url: &str, folder: &Path) -> Result<(Times, [f64; 3])> {
    let is_file = url.starts_with("sqlite");
    let url = if is_file {
        format!("sqlite://{}?mode=rwc", folder.join("floor.db").display())
    } else {
        url.to_owned()
    };
    let pool = AnyPoolOptions::new()
        .max_connections(if is_file { 1 } else { 8 })
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if is_file {
                    connection
                        .execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
                        .await?;
                }
                Ok(())
            })
        })
        .connect(&url)
        .await?;
    pool.execute("CREATE TABLE IF NOT EXISTS floor (text TEXT NOT NULL)")
        .await?;
    let times = load::one_by_one(1_000, |_| one_row(&pool)).await?;
    let rates = load::at_once(vec![pool.clone(); 32], 1.0, OneRow).await?;
    pool.execute("DROP TABLE floor").await?;
    pool.close().await;
    Ok((times, rates))
}

/// Measures a statement that reads nothing, on one connection.
pub(crate) async fn round_trip(url: &str) -> Result<Times> {
    let connection = Mutex::new(sqlx::AnyConnection::connect(url).await?);
    load::one_by_one(500, |_| async {
        sqlx::query("SELECT 1").execute(&mut *connection.lock().await).await?;
        Ok(())
    })
    .await
}

async fn one_row(pool: &AnyPool) -> Result<()> {
    sqlx::query("INSERT INTO floor (text) VALUES ($1)")
        .bind("x".repeat(200))
        .execute(pool)
        .await?;
    Ok(())
}

#[derive(Clone)]
struct OneRow;

impl AsyncWork<AnyPool> for OneRow {
    async fn run(&self, pool: &mut AnyPool) -> Result<()> {
        one_row(pool).await
    }
}

#[derive(Clone)]
struct Empty;

impl ServerHandler for Empty {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok(CallToolResult::structured(json!({})).into())
    }
}

/// Serves the floors until the process is killed.
pub(crate) async fn serve() -> Result<()> {
    any_spawner::Executor::init_tokio()?;
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let mcp: StreamableHttpService<_, NeverSessionManager> =
        StreamableHttpService::new(|| Ok(Empty), Arc::default(), config);
    let page = leptos_axum::render_app_to_stream(|| {
        view! {
            <!DOCTYPE html>
            <html lang="en">
                <body>
                    <p>"One line."</p>
                </body>
            </html>
        }
    });
    let app = Router::new().route("/mcp", post_service(mcp)).route("/", get(page));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, app).await?)
}
