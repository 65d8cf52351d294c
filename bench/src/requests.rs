//! The requests that are measured.

use crate::backlog::{self, Finding};
use crate::load::AsyncWork;
use crate::prepare::Numbers;
use anyhow::{Context, Result, bail};
use loopiq_testing::{Agent, Person};
use serde_json::Value;
use std::sync::Arc;

/// A proposed action.
pub(crate) struct Proposed {
    /// Its ID.
    pub(crate) id: String,
    /// The digest that a reviewer confirms.
    pub(crate) digest: String,
}

/// Proposes with an idempotency key.
pub(crate) async fn propose(agent: &mut Agent, arguments: &mut Value, key: &str) -> Result<Proposed> {
    arguments["idempotencyKey"] = key.into();
    let answer = agent.call("loopiq_create_remediation_work_package", arguments).await?;
    let text = |field: &str| Ok::<_, anyhow::Error>(answer[field].as_str().context("a field")?.to_owned());
    Ok(Proposed {
        id: text("actionId")?,
        digest: text("digest")?,
    })
}

/// Sends a decision that has to succeed.
pub(crate) async fn decide(person: &mut Person, what: &str, action: &Proposed, marks: &[String]) -> Result<()> {
    let outcome = person.decide(what, &action.id, &action.digest, marks).await?;
    if outcome["done"] == true {
        return Ok(());
    }
    bail!("not done: {outcome}")
}

/// Opens a page that has to contain a view, not only a message.
pub(crate) async fn page(person: &mut Person, path: &str) -> Result<()> {
    let reply = person.get(path).await?;
    if reply.status != 200 || reply.body.len() < 5_000 {
        bail!("{path}: {} {}", reply.status, reply.text());
    }
    Ok(())
}

/// A client that proposes packages about the next findings.
pub(crate) struct Proposer {
    /// The connection.
    pub(crate) agent: Agent,
    /// The package.
    pub(crate) arguments: Value,
    /// The findings.
    pub(crate) free: Arc<Vec<Finding>>,
    /// The number of the next proposal.
    pub(crate) numbers: Numbers,
}

impl Proposer {
    /// Proposes the package about the next findings.
    pub(crate) async fn propose(&mut self) -> Result<Proposed> {
        let n = self.numbers.next();
        let mut arguments = backlog::about(&self.arguments, &self.free, n);
        propose(&mut self.agent, &mut arguments, &format!("next-{n}")).await
    }
}

/// A proposal by each worker.
#[derive(Clone)]
pub(crate) struct Propose;

impl AsyncWork<Proposer> for Propose {
    async fn run(&self, proposer: &mut Proposer) -> Result<()> {
        proposer.propose().await.map(drop)
    }
}

/// A page for each worker.
#[derive(Clone)]
pub(crate) struct Page(pub(crate) &'static str);

impl AsyncWork<Person> for Page {
    async fn run(&self, person: &mut Person) -> Result<()> {
        page(person, self.0).await
    }
}
