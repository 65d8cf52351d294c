//! Measures the service over HTTP and MCP.

use crate::load::{self, AsyncWork, Times, now, rate};
use crate::table::{Row, Table};
use crate::{backlog, fill, floor, machine};
use anyhow::{Context, Result, bail};
use loopiq::engine::Engine;
use loopiq::store::Store;
use loopiq_testing::{Agent, Database, Person, Service, fresh, package};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Mutex;

/// The intended figures for one database.
struct Targets {
    proposal: &'static str,
    proposals: &'static str,
    wide: &'static str,
    run: &'static str,
    inbox: &'static str,
    audit: &'static str,
}

/// Measures everything on one database.
pub(crate) async fn measure(
    name: &'static str,
    bin: &Path,
    site: &Path,
    database: &Database,
    floor: &floor::Floor,
    table: &mut Table,
) -> Result<()> {
    let targets = if name == "SQLite" {
        Targets {
            proposal: "1.5 ms",
            proposals: "1500/s",
            wide: "20 ms",
            run: "4 ms",
            inbox: "1000/s",
            audit: "10 ms",
        }
    } else {
        Targets {
            proposal: "4 ms",
            proposals: "700/s",
            wide: "",
            run: "",
            inbox: "",
            audit: "",
        }
    };
    let mut add = |what: &str, figure: String, target, floor: String, ratio| {
        eprintln!("{name}: {what}: {figure} (floor {floor})");
        table.0.push(Row {
            database: name,
            what: what.to_owned(),
            figure,
            floor,
            ratio,
            target,
        });
    };
    // Write the demo's records and the backlog first, and then start the service on the filled database.
    let data = database.folder.path();
    let service = Service::start(bin, site, data, &database.url, "127.0.0.1:0")?;
    let store = Store::open(&database.url).await?;
    fill::raise_limits(&store).await?;
    let mut agent = Agent::connect(&service.url, &service.token("developer@acme.example")?).await?;
    let mut arguments = package(&mut agent, 3).await?;
    let id = |field: &str| Ok::<_, anyhow::Error>(arguments[field].as_str().context("an ID")?.to_owned());
    let (release, team) = (id("releaseId")?, id("teamId")?);
    let action = propose(&mut agent, &mut arguments, "first").await?;
    let began = now();
    fill::fill(&store, &action.0).await?;
    let free = Arc::new(backlog::fill(&store, &release, &team).await?);
    // The background tasks would update the search index and the statistics within a minute.
    Engine::new(store.clone(), fill::runtime(), "")
        .index_audit_logs()
        .await?;
    store.close().await;
    eprintln!(
        "{name}: {} actions and entries written in {:.1} s",
        fill::MANY,
        began.elapsed().as_secs_f64()
    );
    if name == "PostgreSQL" {
        sqlx::Executor::execute(&mut database.connect().await, "ANALYZE").await?;
    }
    let listen = service.url.trim_start_matches("http://").to_owned();
    service.stop()?;
    let service = Service::start(bin, site, data, &database.url, &listen)?;
    let ready = service.ready_after.as_secs_f64() * 1e3;
    add(
        "ready after start",
        format!("{ready:.0} ms"),
        "150 ms",
        String::new(),
        f64::NAN,
    );

    let (insert, inserts) = floor::insert(database).await?;
    let (tool, (tools, pages)) = (floor.tool().await?, floor.rates().await?);
    let url = service.url.as_str();
    let token = service.token("developer@acme.example")?;

    // A proposal, by one client and by many.
    let agent = Mutex::new((Agent::connect(url, &token).await?, arguments.clone()));
    let (began, proposals) = (machine::cpu_time(service.pid()), AtomicUsize::new(0));
    let times = load::one_by_one(500, |n| {
        let (agent, free) = (&agent, &free);
        proposals.fetch_add(1, Ordering::Relaxed);
        async move {
            let (agent, arguments) = &mut *agent.lock().await;
            let mut arguments = backlog::about(arguments, free, n);
            propose(agent, &mut arguments, &format!("alone-{n}")).await.map(drop)
        }
    })
    .await?;
    // The background tasks index the last entries within this time.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let cpu = (machine::cpu_time(service.pid()) - began) / proposals.into_inner() as f64 * 1e3;
    let bare = insert.median() + tool.median();
    let floor_text = format!(
        "{:.2} ms (INSERT {:.2} + empty tool {:.2})",
        bare,
        insert.median(),
        tool.median()
    );
    add(
        "proposal over MCP, 3 children",
        times.describe(),
        targets.proposal,
        floor_text,
        times.median() / bare,
    );
    let what = "processor time for a proposal, indexing included";
    add(what, format!("{cpu:.2} ms"), "1.2 ms", String::new(), f64::NAN);
    let mut agents = Vec::new();
    for _ in 0..32 {
        agents.push((Agent::connect(url, &token).await?, arguments.clone(), free.clone()));
    }
    let rates = load::at_once(agents, 2.0, Propose).await?;
    let floor_text = format!("{:.0}/s INSERT, {:.0}/s empty tool", inserts[1], tools[1]);
    let bare = 1.0 / (1.0 / inserts[1] + 1.0 / tools[1]);
    add(
        "proposals by 32 clients",
        rate(rates),
        targets.proposals,
        floor_text,
        bare / rates[1],
    );

    // A proposal of fifty children, each with its own finding, judged by every check against the backlog.
    let fifty = backlog::package(&arguments, &free[free.len() - 50..]);
    let times = load::one_by_one(100, |n| {
        let (agent, fifty) = (&agent, &fifty);
        async move {
            let mut arguments = fifty.clone();
            arguments["parent"]["title"] = loopiq_testing::unlike(1_000_000 + n).into();
            let key = format!("wide-{n}");
            propose(&mut agent.lock().await.0, &mut arguments, &key).await.map(drop)
        }
    })
    .await?;
    let what = "proposal, 50 children, all checks, 100,000 work items";
    add(what, times.describe(), targets.wide, String::new(), f64::NAN);

    // Approve and execute a package of 1 + 12 items.
    let twelve = package(&mut agent.lock().await.0, 12).await?;
    let reviewer = Mutex::new(Person::sign_in(url, "reviewer@acme.example").await?);
    let mut proposed = Vec::new();
    for n in 0..111 {
        let mut package = fresh(&twelve, n);
        let (id, digest) = propose(&mut agent.lock().await.0, &mut package, &format!("run-{n}")).await?;
        // The page is opened before the clock starts.
        let marks = reviewer.lock().await.warnings(&id).await?;
        proposed.push((id, digest, marks));
    }
    let halves = Mutex::new((Vec::new(), Vec::new()));
    let times = load::one_by_one(100, |n| {
        let (reviewer, proposed, halves) = (&reviewer, &proposed, &halves);
        async move {
            let mut reviewer = reviewer.lock().await;
            let (id, digest, marks) = &proposed[n];
            let began = now();
            done(reviewer.decide("approve", id, digest, marks).await?)?;
            let approved = began.elapsed();
            done(reviewer.decide("execute", id, digest, &[]).await?)?;
            let mut halves = halves.lock().await;
            halves.0.push(approved);
            halves.1.push(began.elapsed() - approved);
            Ok(())
        }
    })
    .await?;
    let (approve, execute) = halves.into_inner();
    let (approve, execute) = (Times::new(approve), Times::new(execute));
    let bare = 2.0 * insert.median();
    let what = format!(
        "approve ({:.2} ms) and execute ({:.2} ms) 1 + 12 items",
        approve.median(),
        execute.median()
    );
    add(
        &what,
        times.describe(),
        targets.run,
        format!("{bare:.2} ms (2 INSERT)"),
        times.median() / bare,
    );

    // The page of a pending action, next to all records and actions written so far.
    let waiting = propose(&mut agent.lock().await.0, &mut arguments, "looked-at").await?.0;
    let path = format!("/actions/{waiting}");
    let times = load::one_by_one(100, |_| async { page(&mut *reviewer.lock().await, &path).await }).await?;
    add(
        "page of a waiting action",
        times.describe(),
        "",
        String::new(),
        f64::NAN,
    );

    // The inbox: one page, and the throughput.
    let times = load::one_by_one(200, |_| async { page(&mut *reviewer.lock().await, "/?tab=all").await }).await?;
    add("inbox page, alone", times.describe(), "", String::new(), f64::NAN);
    let mut readers = Vec::new();
    for _ in 0..16 {
        readers.push(reviewer.lock().await.again(url).await?);
    }
    let rates = load::at_once(readers, 2.0, Page("/")).await?;
    let floor_text = format!("{:.0}/s bare Leptos page", pages[1]);
    add(
        "inbox pages, 50 of 100,000",
        rate(rates),
        targets.inbox,
        floor_text,
        pages[1] / rates[1],
    );

    // The audit search: two words, a field, and a rare record.
    let auditor = Mutex::new(Person::sign_in(url, "auditor@acme.example").await?);
    for (what, path) in [
        ("audit search: two words", "/audit?q=finding+%22module%22+4242"),
        ("audit search: an event", "/audit?q=event%3Aaction.proposed"),
        ("audit search: a rare record", "/audit?q=key%3Afill-4242"),
    ] {
        let times = load::one_by_one(100, |_| async { page(&mut *auditor.lock().await, path).await }).await?;
        add(what, times.describe(), targets.audit, String::new(), f64::NAN);
    }
    let memory = machine::peak_memory(service.pid());
    add(
        "resident memory, at its peak",
        format!("{memory:.0} MB"),
        "150 MB",
        String::new(),
        f64::NAN,
    );
    service.stop()
}

/// Proposes with an idempotency key. Returns the action and its digest.
async fn propose(agent: &mut Agent, arguments: &mut Value, key: &str) -> Result<(String, String)> {
    arguments["idempotencyKey"] = key.into();
    let answer = agent.call("loopiq_create_remediation_work_package", arguments).await?;
    let text = |field: &str| Ok::<_, anyhow::Error>(answer[field].as_str().context("a field")?.to_owned());
    Ok((text("actionId")?, text("digest")?))
}

fn done(outcome: Value) -> Result<()> {
    if outcome["done"] == true {
        return Ok(());
    }
    bail!("not done: {outcome}")
}

async fn page(person: &mut Person, path: &str) -> Result<()> {
    let reply = person.get(path).await?;
    if reply.status != 200 || reply.body.len() < 5_000 {
        bail!("{path}: {} {}", reply.status, reply.text());
    }
    Ok(())
}

#[derive(Clone)]
struct Propose;

impl AsyncWork<(Agent, Value, Arc<Vec<(String, String)>>)> for Propose {
    async fn run(&self, (agent, arguments, free): &mut (Agent, Value, Arc<Vec<(String, String)>>)) -> Result<()> {
        // After the numbers of the single proposals.
        static NEXT: AtomicUsize = AtomicUsize::new(600);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut arguments = backlog::about(arguments, free, n);
        propose(agent, &mut arguments, &format!("many-{n}")).await.map(drop)
    }
}

#[derive(Clone)]
struct Page(&'static str);

impl AsyncWork<Person> for Page {
    async fn run(&self, person: &mut Person) -> Result<()> {
        page(person, self.0).await
    }
}
