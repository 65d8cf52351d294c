//! The use cases, and the client that runs them.

use crate::prepare::{Numbers, Prepared};
use crate::requests::{Proposed, Proposer, decide, page, propose};
use anyhow::{Context, Result};
use loopiq_testing::{Agent, Person, Service, fresh, package};
use serde_json::Value;
use std::collections::VecDeque;

/// A use case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// An agent proposes a package with three children.
    Proposal,
    /// A reviewer approves a package of 1 + 12 items.
    Approve,
    /// The reviewer executes the package.
    Execute,
    /// A reviewer opens the page of a pending action.
    Page,
    /// A reviewer opens the inbox.
    Inbox,
    /// An auditor searches the audit log.
    Search,
}

/// All use cases, in the order of the table.
pub(super) const CASES: [Case; 6] = [
    Case::Proposal,
    Case::Approve,
    Case::Execute,
    Case::Page,
    Case::Inbox,
    Case::Search,
];

impl Case {
    /// The name of its files.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Proposal => "proposal",
            Self::Approve => "approve",
            Self::Execute => "execute",
            Self::Page => "page",
            Self::Inbox => "inbox",
            Self::Search => "search",
        }
    }

    /// What one request does.
    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::Proposal => "proposal, 3 children",
            Self::Approve => "approve 1 + 12 items",
            Self::Execute => "execute 1 + 12 items",
            Self::Page => "page of a pending action",
            Self::Inbox => "inbox, 50 actions",
            Self::Search => "audit search, two words",
        }
    }
}

/// An agent and people who run use cases one by one.
pub(super) struct Client {
    url: String,
    token: String,
    proposer: Proposer,
    reviewer: Person,
    auditor: Person,
    /// A package of 1 + 12 items.
    twelve: Value,
    others: Numbers,
    /// Actions to approve, with the marks of their warnings.
    pending: VecDeque<(Proposed, Vec<String>)>,
    /// Actions to execute.
    approved: VecDeque<Proposed>,
    /// The page of a pending action.
    path: String,
}

impl Client {
    /// Signs in.
    pub(super) async fn connect(service: &Service, prepared: &Prepared<'_>) -> Result<Self> {
        let (url, token) = (&service.url, service.token("developer@acme.example")?);
        let mut proposer = Proposer {
            agent: Agent::connect(url, &token).await?,
            arguments: prepared.arguments.clone(),
            free: prepared.free.clone(),
            numbers: prepared.numbers.clone(),
        };
        let waiting = proposer.propose().await?;
        Ok(Self {
            twelve: package(&mut proposer.agent, 12).await?,
            reviewer: Person::sign_in(url, "reviewer@acme.example").await?,
            auditor: Person::sign_in(url, "auditor@acme.example").await?,
            others: prepared.others.clone(),
            pending: VecDeque::new(),
            approved: VecDeque::new(),
            path: format!("/actions/{}", waiting.id),
            proposer,
            url: url.clone(),
            token,
        })
    }

    /// Does what has to be done before so many requests of a use case.
    pub(super) async fn prepare(&mut self, case: Case, count: usize) -> Result<()> {
        // The service closes connections that were idle while other use cases ran.
        self.proposer.agent = Agent::connect(&self.url, &self.token).await?;
        self.reviewer = self.reviewer.again(&self.url).await?;
        self.auditor = self.auditor.again(&self.url).await?;
        match case {
            Case::Approve => {
                while self.pending.len() < count {
                    self.propose_to_approve().await?;
                }
            }
            Case::Execute => {
                while self.approved.len() < count {
                    if self.pending.is_empty() {
                        self.propose_to_approve().await?;
                    }
                    self.run(Case::Approve).await?;
                }
            }
            Case::Proposal | Case::Page | Case::Inbox | Case::Search => {}
        }
        Ok(())
    }

    async fn propose_to_approve(&mut self) -> Result<()> {
        let n = self.others.next();
        let mut arguments = fresh(&self.twelve, n);
        let action = propose(&mut self.proposer.agent, &mut arguments, &format!("run-{n}")).await?;
        let marks = self.reviewer.warnings(&action.id).await?;
        self.pending.push_back((action, marks));
        Ok(())
    }

    /// Runs a use case so many times, one after the other.
    pub(super) async fn run_all(&mut self, case: Case, count: usize) -> Result<()> {
        for _ in 0..count {
            self.run(case).await?;
        }
        Ok(())
    }

    async fn run(&mut self, case: Case) -> Result<()> {
        match case {
            Case::Proposal => self.proposer.propose().await.map(drop),
            Case::Approve => {
                let (action, marks) = self.pending.pop_front().context("an action to approve")?;
                decide(&mut self.reviewer, "approve", &action, &marks).await?;
                self.approved.push_back(action);
                Ok(())
            }
            Case::Execute => {
                let action = self.approved.pop_front().context("an action to execute")?;
                decide(&mut self.reviewer, "execute", &action, &[]).await
            }
            Case::Page => page(&mut self.reviewer, &self.path).await,
            Case::Inbox => page(&mut self.reviewer, "/").await,
            Case::Search => page(&mut self.auditor, "/audit?q=finding+%22module%22+4242").await,
        }
    }
}
