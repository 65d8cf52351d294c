//! A service on a filled database.

use crate::backlog::Finding;
use crate::load::now;
use crate::requests::propose;
use crate::{backlog, fill};
use anyhow::{Context, Result};
use loopiq::engine::Engine;
use loopiq::store::Store;
use loopiq_testing::{Agent, Database, Service, package};
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The binary, the folder of its pages, and the database of a measurement.
#[derive(Clone, Copy)]
pub(crate) struct Setup<'a> {
    /// The name of the database, for people.
    pub(crate) name: &'static str,
    /// The service's binary.
    pub(crate) bin: &'a Path,
    /// The folder of the built pages.
    pub(crate) site: &'a Path,
    /// The database.
    pub(crate) database: &'a Database,
}

/// A filled database.
pub(crate) struct Prepared<'a> {
    /// The service's parts.
    pub(crate) setup: Setup<'a>,
    /// A package with three children, which cites records of the demo.
    pub(crate) arguments: Value,
    /// Findings without a work item.
    pub(crate) free: Arc<Vec<Finding>>,
    /// The address of the service. The URL of the demo's identity provider contains the port.
    listen: String,
    /// Numbers of proposals about the findings.
    pub(crate) numbers: Numbers,
    /// Numbers of proposals without findings.
    pub(crate) others: Numbers,
}

impl<'a> Prepared<'a> {
    /// Writes the demo's records, so many actions and audit entries, and a backlog of so many work items.
    pub(crate) async fn fill(setup: Setup<'a>, actions: usize) -> Result<Self> {
        let Setup { name, database, .. } = setup;
        fill::share_key(database.folder.path())?;
        let service = Service::start(
            setup.bin,
            setup.site,
            database.folder.path(),
            &database.url,
            "127.0.0.1:0",
        )?;
        let store = Store::open(&database.url).await?;
        fill::raise_limits(&store).await?;
        let mut agent = Agent::connect(&service.url, &service.token("developer@acme.example")?).await?;
        let mut arguments = package(&mut agent, 3).await?;
        let id = |field: &str| Ok::<_, anyhow::Error>(arguments[field].as_str().context("an ID")?.to_owned());
        let (release, team) = (id("releaseId")?, id("teamId")?);
        let action = propose(&mut agent, &mut arguments, "first").await?;
        let began = now();
        fill::fill(&store, &action.id, actions).await?;
        let free = Arc::new(backlog::fill(&store, &release, &team, actions).await?);
        // The background tasks would update the search index and the statistics within a minute.
        Engine::new(store.clone(), fill::runtime(), "")
            .index_audit_logs()
            .await?;
        store.close().await;
        let seconds = began.elapsed().as_secs_f64();
        eprintln!("{name}: {actions} actions, entries and work items written in {seconds:.1} s");
        if database.url.starts_with("postgres") {
            // PostgreSQL's background task does this within minutes. Without it, the indexes of pending actions still hold the closed ones.
            sqlx::Executor::execute(&mut database.connect().await, "VACUUM ANALYZE").await?;
        }
        let listen = service.url.trim_start_matches("http://").to_owned();
        service.stop()?;
        Ok(Self {
            setup,
            arguments,
            free,
            listen,
            numbers: Numbers::default(),
            others: Numbers::default(),
        })
    }

    /// Starts the service.
    pub(crate) fn start(&self) -> Result<Service> {
        self.start_on(&self.setup.database.url)
    }

    /// Starts the service with another URL of the same database.
    pub(crate) fn start_on(&self, url: &str) -> Result<Service> {
        let Setup {
            bin, site, database, ..
        } = self.setup;
        Service::start(bin, site, database.folder.path(), url, &self.listen)
    }

    /// Starts the service with these levels of its log, which is written to a file.
    pub(crate) fn start_logging(&self, levels: &str, log: &Path) -> Result<Service> {
        let Setup {
            bin, site, database, ..
        } = self.setup;
        let settings = [("LOOPIQ_LOG", levels)];
        let (folder, url) = (database.folder.path(), &database.url);
        let log = File::create(log).with_context(|| log.display().to_string())?;
        Service::start_with(bin, site, folder, url, &self.listen, &settings, log.into())
    }
}

/// Numbers of proposals. Each is used once, also after the service was started again.
#[derive(Clone, Default)]
pub(crate) struct Numbers(Arc<AtomicUsize>);

impl Numbers {
    /// The next number.
    pub(crate) fn next(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    /// How many were used.
    pub(crate) fn used(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}
