//! Where the time of a request goes: `loopiq-bench profile BINARY SITE FOLDER` (`make profile`).
//!
//! For each use case, requests run one by one on a filled SQLite database, once for each kind of figure, because each
//! way of measuring slows the service down differently: processor time without a tool, frames of the write-ahead log,
//! a flame graph with `perf`, system calls with `strace`, and last the statements, which the service logs after another start.
//! Every figure includes the background tasks that follow a request, such as indexing its audit entries.

mod cases;
mod flame;
mod fold;
mod perf;
mod report;
mod statements;
mod strace;
mod tool;
mod wal;

use crate::machine::{self, Cpu};
use crate::prepare::{Prepared, Setup};
use anyhow::{Context, Result, bail};
use cases::{CASES, Case, Client};
use loopiq_testing::{Database, Service};
use report::Figures;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Requests before the first measurement of a service.
const WARM: usize = 20;
/// Seconds of processor time to measure. Linux counts it in hundredths of a second.
const ENOUGH: f64 = 1.0;
/// The requests are repeated until they have used that time, but not more often than this.
const ROUNDS: usize = 8;
/// The log's levels with which the service reports each statement. See `src/store/db/query.rs`.
const LEVELS: &str = "json,warn,loopiq::sql=trace";

const USAGE: &str =
    "usage: loopiq-bench profile BINARY SITE FOLDER [--actions N] [--requests N] [--call-graph fp|dwarf]";

/// The arguments of the command.
struct Options {
    bin: PathBuf,
    site: PathBuf,
    folder: PathBuf,
    /// Actions, entries and work items in the database.
    actions: usize,
    /// Requests for processor time and flame graph. The other figures are exact counts and need a tenth of them.
    requests: usize,
    /// How `perf` finds the callers.
    call_graph: String,
}

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut path = || words.next().map(PathBuf::from).context(USAGE);
        let mut options = Self {
            bin: path()?,
            site: path()?,
            folder: path()?,
            actions: crate::service::MANY,
            requests: 500,
            call_graph: "fp".to_owned(),
        };
        while let Some(name) = words.next() {
            let value = words.next().context(USAGE)?;
            let number = || value.parse::<usize>().ok().filter(|number| *number > 0);
            match name.as_str() {
                "--actions" => options.actions = number().context("--actions is not a number")?,
                "--requests" => options.requests = number().context("--requests is not a number")?,
                "--call-graph" => options.call_graph = value,
                _ => bail!("{name} is unknown\n{USAGE}"),
            }
        }
        Ok(options)
    }

    fn counted(&self) -> usize {
        self.requests.div_ceil(10)
    }
}

/// Profiles all use cases. Prints the table, and writes it with its details and the flame graphs to a folder.
pub(crate) async fn run(words: impl Iterator<Item = String>) -> Result<()> {
    let options = Options::parse(words)?;
    std::fs::create_dir_all(&options.folder)?;
    let tools = [tool::PERF, tool::STRACE];
    let [perf, strace] = tools.map(|tool| tool.is_here());
    let database = Database::sqlite();
    let setup = Setup {
        name: "SQLite",
        bin: &options.bin,
        site: &options.site,
        database: &database,
    };
    let prepared = Prepared::fill(setup, options.actions).await?;
    let mut figures: Vec<Figures> = CASES.map(Figures::new).into();

    let service = prepared.start()?;
    let mut client = Client::connect(&service, &prepared).await?;
    warm(&mut client).await?;
    for figures in &mut figures {
        eprintln!("{}", figures.case.name());
        figures.cpu = Some(processor(&mut client, &service, figures.case, options.requests).await?);
        figures.wal = Some(frames(&mut client, &database, figures.case, options.counted()).await?);
        if perf {
            let graph = graph(&mut client, &service, figures.case, &options).await;
            figures.shares = report_error("perf", graph);
        }
        if strace {
            let calls = system_calls(&mut client, &service, figures.case, &options).await;
            figures.calls = report_error("strace", calls);
        }
    }
    service.stop()?;
    statements_of(&mut figures, &prepared, &options).await?;
    let (cited, free) = (prepared.numbers.used() * 3, prepared.free.len());
    if cited > free {
        eprintln!(
            "proposals cited {free} findings {cited} times, and report duplicates: fewer --requests or more --actions avoid this"
        );
    }
    let mut pages = figures
        .iter()
        .filter_map(|figures| figures.wal.as_ref())
        .flat_map(wal::Written::pages);
    let names = wal::names(&mut database.connect().await, &mut pages).await?;

    let machine = machine::describe();
    let head = format!(
        "{machine}. SQLite, {} actions, entries and work items.\n",
        options.actions
    );
    let table = report::table(&figures);
    println!("{head}\n{table}");
    let details = report::details(&figures, &names);
    let file = options.folder.join("report.md");
    std::fs::write(&file, format!("{head}\n{table}{details}"))?;
    println!("Frames by table, system calls and statements: {}", file.display());
    if perf {
        println!("Flame graphs: {}/*.svg", options.folder.display());
    }
    Ok(())
}

/// A figure that a tool cannot give is left out, with one line that says why.
fn report_error<T>(tool: &str, figure: Result<T>) -> Option<T> {
    figure
        .inspect_err(|error| eprintln!("{tool}: {error:#}; its figures are left out"))
        .ok()
}

async fn warm(client: &mut Client) -> Result<()> {
    for case in CASES {
        client.prepare(case, WARM).await?;
        client.run_all(case, WARM).await?;
    }
    Ok(())
}

/// Waits until the background tasks have indexed the last entries.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// Processor time in milliseconds for a request.
async fn processor(client: &mut Client, service: &Service, case: Case, count: usize) -> Result<Cpu> {
    let (mut sum, mut requests) = (Cpu::default(), 0);
    for _ in 0..ROUNDS {
        client.prepare(case, count).await?;
        settle().await;
        let began = machine::cpu(service.pid());
        client.run_all(case, count).await?;
        settle().await;
        let ended = machine::cpu(service.pid());
        sum.user += ended.user - began.user;
        sum.kernel += ended.kernel - began.kernel;
        requests += count;
        if sum.user + sum.kernel >= ENOUGH {
            break;
        }
    }
    let each = 1e3 / requests as f64;
    Ok(Cpu {
        user: sum.user * each,
        kernel: sum.kernel * each,
    })
}

/// The frames of the write-ahead log that requests write.
async fn frames(client: &mut Client, database: &Database, case: Case, count: usize) -> Result<wal::Written> {
    let file = database.folder.path().join("loopiq.db-wal");
    // SQLite can begin the log from its start at the first write, although a transaction is open that reads the database.
    for _ in 0..3 {
        client.prepare(case, count).await?;
        settle().await;
        let open = wal::Reading::begin(database).await?;
        let before = wal::read(&file)?;
        client.run_all(case, count).await?;
        settle().await;
        let after = wal::read(&file)?;
        open.end().await?;
        if let Some(written) = wal::Written::between(&before, &after, count) {
            return Ok(written);
        }
    }
    bail!("SQLite began {} from its start each time", file.display())
}

async fn graph(client: &mut Client, service: &Service, case: Case, options: &Options) -> Result<fold::Shares> {
    let file = |end: &str| options.folder.join(format!("{}.{end}", case.name()));
    let data = file("perf");
    client.prepare(case, options.requests).await?;
    settle().await;
    let recording = perf::record(service.pid(), &options.call_graph, &data)?;
    client.run_all(case, options.requests).await?;
    settle().await;
    recording.stop()?;
    let stacks = fold::fold(&perf::script(&data)?);
    if stacks.is_empty() {
        bail!("no samples");
    }
    std::fs::write(file("folded"), fold::text(&stacks))?;
    let title = format!("{}: processor time of {} requests", case.what(), options.requests);
    std::fs::write(file("svg"), flame::svg(&title, &stacks))?;
    std::fs::remove_file(data)?;
    Ok(fold::Shares::of(&stacks))
}

async fn system_calls(client: &mut Client, service: &Service, case: Case, options: &Options) -> Result<strace::Calls> {
    let (file, count) = (options.folder.join("strace.txt"), options.counted());
    client.prepare(case, count).await?;
    settle().await;
    let tracing = strace::attach(service.pid(), &file)?;
    client.run_all(case, count).await?;
    settle().await;
    tracing.stop()?;
    let calls = strace::parse(&std::fs::read_to_string(&file)?, count)?;
    std::fs::remove_file(file)?;
    Ok(calls)
}

/// Starts the service with its statements in a log, and counts them.
async fn statements_of(figures: &mut [Figures], prepared: &Prepared<'_>, options: &Options) -> Result<()> {
    let (log, count) = (options.folder.join("statements.log"), options.counted());
    let service = prepared.start_logging(LEVELS, &log)?;
    let mut client = Client::connect(&service, prepared).await?;
    warm(&mut client).await?;
    for figures in figures {
        client.prepare(figures.case, count).await?;
        settle().await;
        let start = length(&log)?;
        client.run_all(figures.case, count).await?;
        settle().await;
        let lines = std::fs::read(&log)?.split_off(start);
        figures.statements = statements::parse(&String::from_utf8_lossy(&lines), count)?;
    }
    service.stop()?;
    Ok(std::fs::remove_file(log)?)
}

fn length(file: &Path) -> Result<usize> {
    Ok(usize::try_from(std::fs::metadata(file)?.len())?)
}
