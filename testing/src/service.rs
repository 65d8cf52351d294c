//! The service's binary with a demo, an agent that uses MCP, and a person in a browser without JavaScript.

use crate::http::{Connection, Reply};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running service.
pub struct Service {
    /// The service's address.
    pub url: String,
    /// The time from start to ready.
    pub ready_after: Duration,
    bin: PathBuf,
    data_dir: PathBuf,
    database: String,
    child: Child,
}

impl Service {
    /// Starts the demo on this database. `listen` is `127.0.0.1:0` for any free port.
    ///
    /// # Errors
    /// The service ended before it was ready; stderr has its messages.
    pub fn start(bin: &Path, site: &Path, data_dir: &Path, database: &str, listen: &str) -> Result<Self> {
        Self::start_with(bin, site, data_dir, database, listen, &[])
    }

    /// Starts the demo with further settings.
    ///
    /// # Errors
    /// See [`Service::start`].
    pub fn start_with(
        bin: &Path,
        site: &Path,
        data_dir: &Path,
        database: &str,
        listen: &str,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        Self::spawn(bin, site, data_dir, database, listen, settings, Stdio::inherit())
    }

    /// Starts the demo with further settings, and with its log in a file.
    ///
    /// # Errors
    /// See [`Service::start`]. The file cannot be created.
    pub fn start_logging(
        bin: &Path,
        site: &Path,
        data_dir: &Path,
        database: &str,
        listen: &str,
        settings: &[(&str, &str)],
        log: &Path,
    ) -> Result<Self> {
        let log = std::fs::File::create(log).with_context(|| log.display().to_string())?;
        Self::spawn(bin, site, data_dir, database, listen, settings, log.into())
    }

    fn spawn(
        bin: &Path,
        site: &Path,
        data_dir: &Path,
        database: &str,
        listen: &str,
        settings: &[(&str, &str)],
        log: Stdio,
    ) -> Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "measures how long a start takes")]
        let began = Instant::now();
        let mut child = clean(bin)
            .args(["serve", "--demo", "--listen", listen, "--data-dir"])
            .arg(data_dir)
            .env("LOOPIQ_DATABASE_URL", database)
            .env("LOOPIQ_LOG", "warn")
            // One address sends more requests here than a hundred people. Rate limits have tests of their own.
            .envs([
                ("LOOPIQ_RATE_ANONYMOUS", "off"),
                ("LOOPIQ_RATE_PERSON", "off"),
                ("LOOPIQ_RATE_CLIENT", "off"),
            ])
            .envs(settings.iter().copied())
            .env("LEPTOS_SITE_ROOT", site)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", bin.display()))?;
        let mut ready = String::new();
        let out = child.stdout.take().context("its output")?;
        BufReader::new(out).read_line(&mut ready)?;
        let Some(url) = ready.trim().strip_prefix("ready on ") else {
            let status = child.wait()?;
            bail!("the service ended with {status} before it was ready");
        };
        Ok(Self {
            url: url.to_owned(),
            ready_after: began.elapsed(),
            bin: bin.to_owned(),
            data_dir: data_dir.to_owned(),
            database: database.to_owned(),
            child,
        })
    }

    /// The process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills the process, like a power cut: no cleanup runs.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Stops the service and waits for its end.
    ///
    /// # Errors
    /// The service ended with an error.
    pub fn stop(mut self) -> Result<()> {
        Command::new("kill").args(["-TERM", &self.pid().to_string()]).status()?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the service ended with {status}");
        }
        Ok(())
    }

    /// Runs a command of the binary on the same installation and returns its output.
    ///
    /// # Errors
    /// The command failed; the error contains its messages.
    pub fn command(&self, arguments: &[&str]) -> Result<String> {
        let output = clean(&self.bin)
            .args(arguments)
            .arg("--data-dir")
            .arg(&self.data_dir)
            .env("LOOPIQ_DATABASE_URL", &self.database)
            .output()?;
        if !output.status.success() {
            bail!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// A bearer token for an agent that acts for a person of acme.
    ///
    /// # Errors
    /// See [`Service::command`].
    pub fn token(&self, email: &str) -> Result<String> {
        self.command(&["token", "--tenant", "acme", "--as", email])
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary without inherited settings.
fn clean(bin: &Path) -> Command {
    let mut command = Command::new(bin);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LOOPIQ_")) {
        command.env_remove(name);
    }
    command
}

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

/// A person in a browser without JavaScript.
pub struct Person {
    connection: Connection,
    cookies: BTreeMap<String, String>,
    /// The form value of each opened action's page, by action.
    views: BTreeMap<String, String>,
}

impl Person {
    /// Signs in with the demo's identity provider and opens the inbox.
    ///
    /// # Errors
    /// A step of the sign-in gave an unexpected response.
    pub async fn sign_in(url: &str, email: &str) -> Result<Self> {
        let mut person = Self {
            connection: Connection::open(url).await?,
            cookies: BTreeMap::new(),
            views: BTreeMap::new(),
        };
        let away = person.get("/login").await?;
        let (path, query) = local(url, &away)?;
        person.get(&format!("{path}?{query}")).await?;
        let form = format!("{query}&person={}", email.replace('@', "%40"));
        let back = person.post("/demo-idp/authorize", form).await?;
        let (path, query) = local(url, &back)?;
        let entered = person.get(&format!("{path}?{query}")).await?;
        if entered.status != 303 {
            bail!("the sign-in ended with {}: {}", entered.status, entered.text());
        }
        Ok(person)
    }

    /// The same session on another connection.
    ///
    /// # Errors
    /// The connection is refused.
    pub async fn again(&self, url: &str) -> Result<Self> {
        Ok(Self {
            connection: Connection::open(url).await?,
            cookies: self.cookies.clone(),
            views: self.views.clone(),
        })
    }

    /// Opens a page.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn get(&mut self, path: &str) -> Result<Reply> {
        self.send("GET", path, String::new(), "text/html,*/*").await
    }

    /// Sends a form like a page without JavaScript.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn post(&mut self, path: &str, form: String) -> Result<Reply> {
        self.send("POST", path, form, "text/html,*/*").await
    }

    /// The marks of the warnings that the action's page asks to acknowledge.
    ///
    /// # Errors
    /// The connection is gone, or the page does not exist.
    pub async fn warnings(&mut self, action: &str) -> Result<Vec<String>> {
        let reply = self.get(&format!("/actions/{action}")).await?;
        ensure!(reply.status == 200, "{action}: {} {}", reply.status, reply.text());
        let page = reply.text();
        let view = page
            .split("name=\"view\"")
            .nth(1)
            .and_then(|rest| rest.split('"').nth(1));
        if let Some(view) = view {
            self.views.insert(action.to_owned(), view.to_owned());
        }
        let mut marks = Vec::new();
        for input in page.split("name=\"acknowledged[]\"").skip(1) {
            let value = input.split("value=\"").nth(1).and_then(|rest| rest.split('"').next());
            marks.push(value.context("a mark")?.to_owned());
        }
        Ok(marks)
    }

    /// Sends a decision like the island: `approve`, `execute` or `approve-and-run`, with the form value of the page
    /// that [`Person::warnings`] opened last. Returns the outcome.
    ///
    /// # Errors
    /// The connection is gone, or the response is not an outcome.
    pub async fn decide(&mut self, what: &str, action: &str, digest: &str, acknowledged: &[String]) -> Result<Value> {
        let mut form = format!("id={action}&digest={}", digest.replace(':', "%3A"));
        if let Some(view) = self.views.get(action) {
            form.push_str(&format!("&view={view}"));
        }
        for (n, mark) in acknowledged.iter().enumerate() {
            form.push_str(&format!("&acknowledged[{n}]={}", mark.replace(':', "%3A")));
        }
        let reply = self
            .send("POST", &format!("/do/{what}"), form, "application/json")
            .await?;
        serde_json::from_slice(&reply.body).with_context(|| format!("{what}: {} {}", reply.status, reply.text()))
    }

    async fn send(&mut self, method: &str, path: &str, form: String, accept: &str) -> Result<Reply> {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookies = cookies.join("; ");
        let headers = [
            ("accept", accept),
            ("cookie", cookies.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        let reply = self.connection.send(method, path, &headers, form).await?;
        for cookie in reply.headers.get_all("set-cookie") {
            let pair = cookie.to_str()?.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap_or_default();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(reply)
    }
}

/// The path and the query of a redirect to this service.
fn local(url: &str, reply: &Reply) -> Result<(String, String)> {
    let location = reply.header("location");
    let local = location.strip_prefix(url).unwrap_or(location);
    let (path, query) = local
        .split_once('?')
        .with_context(|| format!("{} leads to \"{location}\": {}", reply.status, reply.text()))?;
    Ok((path.to_owned(), query.to_owned()))
}

/// A work package of one story and `children` tasks for the demo's release SHOP-2026.12, which cites existing records.
/// The caller sets the idempotency key.
///
/// # Errors
/// The service gives no response.
pub async fn package(agent: &mut Agent, children: usize) -> Result<Value> {
    let first = |value: Value| value["items"][0].clone();
    let release = agent
        .call("loopiq_list_releases", &json!({ "text": "SHOP" }))
        .await
        .map(first)?;
    let here = json!({ "releaseId": release["id"], "limit": 1 });
    let blocker = agent.call("loopiq_list_blockers", &here).await.map(first)?;
    let evidence = agent.call("loopiq_search_evidence", &here).await.map(first)?;
    let whole = agent
        .call("loopiq_get_release", &json!({ "releaseId": release["id"] }))
        .await?;
    let tasks: Vec<Value> = (0..children)
        .map(|n| {
            json!({
                "clientRef": format!("t{n}"), "title": format!("Parameterize the query in routes/login.ts:{}", 30 + n),
                "description": "The query is built from what a visitor typed.", "controlIds": [],
                "findingIds": blocker["findingId"].as_str().into_iter().collect::<Vec<_>>(), "evidenceIds": [evidence["id"]],
            })
        })
        .collect();
    Ok(json!({
        "reason": format!("Blocker {} keeps the release from its certification.", blocker["id"].as_str().unwrap_or_default()),
        "releaseId": release["id"], "teamId": whole["teams"][0]["id"], "blockerIds": [blocker["id"]],
        "parent": { "title": "Remove the injection findings in login", "description": "Found by the scanner.",
                    "priority": "high", "acceptanceCriteria": ["No finding is left."] },
        "children": tasks,
    }))
}

/// The same package with other titles and without findings, so that it is no duplicate and can be executed next to
/// others. `n` distinguishes such packages.
pub fn fresh(package: &Value, n: usize) -> Value {
    let mut package = package.clone();
    package["parent"]["title"] = unlike(n * 100).into();
    for (child, task) in package["children"].as_array_mut().into_iter().flatten().enumerate() {
        task["title"] = unlike(n * 100 + child + 1).into();
        task["findingIds"] = json!([]);
    }
    package
}

/// Four random words, different for each `n`.
pub fn unlike(n: usize) -> String {
    let mut state = n as u64 + 1;
    let mut word = || {
        // SplitMix64, so that neighbouring numbers give unrelated words.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (0..8)
            .map(|_| {
                bits = bits.rotate_left(7);
                char::from(b'a' + (bits % 26) as u8)
            })
            .collect::<String>()
    };
    [word(), word(), word(), word()].join(" ")
}
