//! Measures the service over HTTP and MCP.

use crate::floor::{Floor, Floors};
use crate::load::{self, Times, now, rate};
use crate::prepare::{Prepared, Setup};
use crate::requests::{Page, Propose, Proposed, Proposer, decide, page, propose};
use crate::table::{Row, Table};
use crate::targets::{self, Targets};
use crate::{backlog, machine};
use anyhow::Result;
use loopiq_testing::{Agent, Person, Service, fresh, package};
use std::time::Duration;
use tokio::sync::Mutex;

/// Actions, entries and work items in the database.
pub(crate) const MANY: usize = 100_000;

/// Fills the database and measures everything on it.
pub(crate) async fn measure<'a>(
    setup: Setup<'a>,
    targets: &Targets,
    floor: &Floor,
    table: &mut Table,
) -> Result<Prepared<'a>> {
    let prepared = Prepared::fill(setup, MANY).await?;
    let database = setup.database;
    let service = prepared.start()?;
    let floors = floor.measure(&database.all_seeing_url, database.folder.path()).await?;
    let mut measurement = Measurement::new(setup.name, &prepared, &service, targets, &floors, table).await?;
    let ready = service.ready_after.as_secs_f64() * 1e3;
    measurement.add("ready after start", format!("{ready:.0} ms"), targets::READY);
    measurement.proposal().await?;
    measurement.proposals().await?;
    measurement.wide().await?;
    measurement.run().await?;
    measurement.waiting().await?;
    measurement.inbox().await?;
    measurement.audit().await?;
    let memory = machine::peak_memory(service.pid());
    measurement.add_with_floor(
        "resident memory, at its peak",
        format!("{memory:.0} MB"),
        targets::MEMORY,
        format!("{:.0} MB (empty tool and bare page)", floors.memory),
        memory / floors.memory,
    );
    service.stop()?;
    Ok(prepared)
}

/// Measures what waits for the database, on the filled database with another URL.
pub(crate) async fn measure_at(
    name: &'static str,
    prepared: &Prepared<'_>,
    (url, all_seeing_url): (&str, &str),
    floor: &Floor,
    table: &mut Table,
) -> Result<()> {
    let service = prepared.start_on(url)?;
    let folder = prepared.setup.database.folder.path();
    let floors = floor.measure(all_seeing_url, folder).await?;
    let targets = &targets::POSTGRES_AWAY;
    let mut measurement = Measurement::new(name, prepared, &service, targets, &floors, table).await?;
    measurement.proposal().await?;
    measurement.run().await?;
    service.stop()
}

/// A running service and its clients.
struct Measurement<'a> {
    name: &'static str,
    prepared: &'a Prepared<'a>,
    service: &'a Service,
    targets: &'a Targets,
    floors: &'a Floors,
    table: &'a mut Table,
    token: String,
    proposer: Mutex<Proposer>,
    reviewer: Mutex<Person>,
}

impl<'a> Measurement<'a> {
    async fn new(
        name: &'static str,
        prepared: &'a Prepared<'a>,
        service: &'a Service,
        targets: &'a Targets,
        floors: &'a Floors,
        table: &'a mut Table,
    ) -> Result<Self> {
        let token = service.token("developer@acme.example")?;
        Ok(Self {
            name,
            prepared,
            service,
            targets,
            floors,
            table,
            proposer: Mutex::new(proposer(prepared, service, &token).await?),
            reviewer: Mutex::new(Person::sign_in(&service.url, "reviewer@acme.example").await?),
            token,
        })
    }

    fn add(&mut self, what: &str, figure: String, target: &'static str) {
        self.table.add(Row {
            database: self.name,
            what: what.to_owned(),
            figure,
            target,
            ..Row::default()
        });
    }

    fn add_with_floor(&mut self, what: &str, figure: String, target: &'static str, floor: String, ratio: f64) {
        self.table.add(Row {
            database: self.name,
            what: what.to_owned(),
            figure,
            floor,
            ratio: Some(ratio),
            target,
        });
    }

    /// A proposal by one client, and the processor time for it.
    async fn proposal(&mut self) -> Result<()> {
        let began = machine::cpu_time(self.service.pid());
        let times = load::one_by_one(500, |_| async { self.proposer.lock().await.propose().await.map(drop) }).await?;
        // The background tasks index the last entries within this time.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let runs = times.count() + times.count() / 10 + 1;
        let processor = (machine::cpu_time(self.service.pid()) - began) / runs as f64 * 1e3;
        let Floors { insert, tool, .. } = *self.floors;
        let (bare, empty) = (insert + tool, self.floors.processor);
        self.add_with_floor(
            "proposal over MCP, 3 children",
            times.describe(),
            self.targets.proposal,
            format!("{bare:.2} ms (INSERT {insert:.2} + empty tool {tool:.2})"),
            times.median() / bare,
        );
        self.add_with_floor(
            "processor time for a proposal, indexing included",
            format!("{processor:.2} ms"),
            targets::PROCESSOR,
            format!("{empty:.2} ms (empty tool)"),
            processor / empty,
        );
        Ok(())
    }

    async fn proposals(&mut self) -> Result<()> {
        let mut proposers = Vec::new();
        for _ in 0..32 {
            proposers.push(proposer(self.prepared, self.service, &self.token).await?);
        }
        let rates = load::at_once(proposers, 2.0, Propose).await?;
        let Floors { inserts, tools, .. } = *self.floors;
        let bare = 1.0 / (1.0 / inserts + 1.0 / tools);
        self.add_with_floor(
            "proposals by 32 clients",
            rate(rates),
            self.targets.proposals,
            format!("{bare:.0}/s ({inserts:.0}/s INSERT, {tools:.0}/s empty tool)"),
            bare / rates[1],
        );
        Ok(())
    }

    /// A proposal of fifty children, each with its own finding, judged by every check against the backlog.
    async fn wide(&mut self) -> Result<()> {
        let free = &self.prepared.free;
        let fifty = backlog::package(&self.prepared.arguments, &free[free.len() - 50..]);
        let times = load::one_by_one(100, |n| {
            let (proposer, mut arguments) = (&self.proposer, fifty.clone());
            arguments["parent"]["title"] = loopiq_testing::unlike(1_000_000_000 + n).into();
            async move {
                let agent = &mut proposer.lock().await.agent;
                propose(agent, &mut arguments, &format!("wide-{n}")).await.map(drop)
            }
        })
        .await?;
        let Floors { insert, tool, .. } = *self.floors;
        let bare = insert + tool;
        self.add_with_floor(
            "proposal, 50 children, all checks, 100,000 work items",
            times.describe(),
            self.targets.wide,
            format!("{bare:.2} ms (INSERT {insert:.2} + empty tool {tool:.2})"),
            times.median() / bare,
        );
        Ok(())
    }

    /// Approve and execute a package of 1 + 12 items.
    async fn run(&mut self) -> Result<()> {
        let twelve = package(&mut self.proposer.lock().await.agent, 12).await?;
        let mut proposed = Vec::new();
        for _ in 0..111 {
            let n = self.prepared.others.next();
            let agent = &mut self.proposer.lock().await.agent;
            let action = propose(agent, &mut fresh(&twelve, n), &format!("run-{n}")).await?;
            // The page is opened before the clock starts.
            let marks = self.reviewer.lock().await.warnings(&action.id).await?;
            proposed.push((action, marks));
        }
        let halves = Mutex::new((Vec::new(), Vec::new()));
        let times = load::one_by_one(100, |n| {
            let (reviewer, proposed, halves) = (&self.reviewer, &proposed, &halves);
            async move {
                let mut reviewer = reviewer.lock().await;
                let (action, marks): &(Proposed, Vec<String>) = &proposed[n];
                let began = now();
                decide(&mut reviewer, "approve", action, marks).await?;
                let approved = began.elapsed();
                decide(&mut reviewer, "execute", action, &[]).await?;
                let mut halves = halves.lock().await;
                halves.0.push(approved);
                halves.1.push(began.elapsed() - approved);
                Ok(())
            }
        })
        .await?;
        let (approve, execute) = halves.into_inner();
        let (approve, execute) = (Times::new(approve).median(), Times::new(execute).median());
        let bare = 2.0 * self.floors.insert;
        self.add_with_floor(
            &format!("approve ({approve:.2} ms) and execute ({execute:.2} ms) 1 + 12 items"),
            times.describe(),
            self.targets.run,
            format!("{bare:.2} ms (2 INSERT)"),
            times.median() / bare,
        );
        Ok(())
    }

    /// The page of a pending action, next to all records and actions written so far.
    async fn waiting(&mut self) -> Result<()> {
        let mut arguments = self.prepared.arguments.clone();
        let waiting = propose(&mut self.proposer.lock().await.agent, &mut arguments, "looked-at").await?;
        let path = format!("/actions/{}", waiting.id);
        self.page("page of a pending action", &path, 100, self.targets.page)
            .await
    }

    /// The inbox: one page, and the throughput.
    async fn inbox(&mut self) -> Result<()> {
        self.page("inbox page, alone", "/?tab=all", 200, "").await?;
        let mut readers = Vec::new();
        for _ in 0..16 {
            readers.push(self.reviewer.lock().await.again(&self.service.url).await?);
        }
        let rates = load::at_once(readers, 2.0, Page("/")).await?;
        let bare = self.floors.pages;
        self.add_with_floor(
            "inbox pages, 50 of 100,000",
            rate(rates),
            self.targets.inbox,
            format!("{bare:.0}/s bare Leptos page"),
            bare / rates[1],
        );
        Ok(())
    }

    /// The audit search: two words, a field, and a rare record.
    async fn audit(&mut self) -> Result<()> {
        let auditor = Person::sign_in(&self.service.url, "auditor@acme.example").await?;
        let reviewer = std::mem::replace(&mut self.reviewer, Mutex::new(auditor));
        for (what, path) in [
            ("audit search: two words", "/audit?q=finding+%22module%22+4242"),
            ("audit search: an event", "/audit?q=event%3Aaction.proposed"),
            ("audit search: a rare record", "/audit?q=key%3Afill-4242"),
        ] {
            self.page(what, path, 100, self.targets.audit).await?;
        }
        self.reviewer = reviewer;
        Ok(())
    }

    async fn page(&mut self, what: &str, path: &str, count: usize, target: &'static str) -> Result<()> {
        let times = load::one_by_one(count, |_| async { page(&mut *self.reviewer.lock().await, path).await }).await?;
        let bare = self.floors.page;
        let floor = format!("{bare:.2} ms (bare Leptos page)");
        self.add_with_floor(what, times.describe(), target, floor, times.median() / bare);
        Ok(())
    }
}

async fn proposer(prepared: &Prepared<'_>, service: &Service, token: &str) -> Result<Proposer> {
    Ok(Proposer {
        agent: Agent::connect(&service.url, token).await?,
        arguments: prepared.arguments.clone(),
        free: prepared.free.clone(),
        numbers: prepared.numbers.clone(),
    })
}
