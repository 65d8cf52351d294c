//! A person in a browser without JavaScript.

use crate::http::{Connection, Reply};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::collections::BTreeMap;

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
