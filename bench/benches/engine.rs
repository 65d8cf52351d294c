//! Measures parts of the engine without HTTP: `cargo bench --package loopiq-bench`.

use divan::{Bencher, black_box};
use loopiq::context::{Ctx, Runtime};
use loopiq::domain::{FactsQuery, Principal, TenantId, Timestamp, canonical};
use loopiq::engine::{Engine, Error};
use loopiq::log_keys::LogKeys;
use loopiq::store::{PolicyRow, Store};
use loopiq::views::InboxQuery;
use loopiq_testing::{Cluster, Database, Durability};
use serde_json::{Value, json};
use std::sync::LazyLock;
use tokio::runtime::Runtime as Tokio;

fn main() {
    divan::main();
}

/// A work package of one story and `children` tasks on records of the demo.
fn package(world: &World, children: usize, key: &str) -> Value {
    let tasks: Vec<Value> = (0..children)
        .map(|n| {
            json!({
                "clientRef": format!("t{n}"), "title": format!("Parameterize the query in routes/login.ts:{n}"),
                "description": "The query is built from what a visitor typed.", "controlIds": [],
                "findingIds": [world.finding], "evidenceIds": [world.evidence],
            })
        })
        .collect();
    json!({
        "idempotencyKey": key, "reason": format!("Blocker {} keeps the release from its certification.", world.blocker),
        "releaseId": world.release, "teamId": world.team, "blockerIds": [world.blocker],
        "parent": { "title": "Remove the injection findings in login", "description": "Found by the scanner.",
                    "priority": "high", "acceptanceCriteria": ["No finding is left."] },
        "children": tasks,
    })
}

/// The demo in a database of its own.
struct World {
    engine: Engine,
    agent: Ctx,
    reviewer: Ctx,
    release: String,
    team: String,
    blocker: String,
    finding: String,
    evidence: String,
    _database: Database,
}

static RUNTIME: LazyLock<Tokio> = LazyLock::new(|| Tokio::new().expect("a runtime"));
static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| Cluster::start(Durability::Full).expect("a cluster"));
static SQLITE: LazyLock<World> = LazyLock::new(|| RUNTIME.block_on(world(Database::sqlite())));
static POSTGRES: LazyLock<World> = LazyLock::new(|| {
    let admin = CLUSTER.url("postgres");
    RUNTIME.block_on(async { world(Database::on_cluster(&admin).await).await })
});

const DATABASES: [&str; 2] = ["SQLite", "PostgreSQL"];

fn on(database: &str) -> &'static World {
    if database == "SQLite" { &SQLITE } else { &POSTGRES }
}

fn runtime() -> Runtime {
    Runtime::new(
        || {
            #[expect(clippy::disallowed_methods, reason = "the service's own clock is the machine's, too")]
            let now = time::OffsetDateTime::now_utc();
            Timestamp(i64::try_from(now.unix_timestamp_nanos() / 1_000).unwrap_or_default())
        },
        |bytes| getrandom::fill(bytes).expect("random bytes"),
    )
    .with_log_keys(LogKeys::not_secret())
}

async fn world(database: Database) -> World {
    let store = Store::open(&database.url).await.expect("a database");
    let engine = Engine::new(store, runtime(), "http://127.0.0.1:3000");
    loopiq_server::demo::seed(&engine, "http://127.0.0.1:3000/demo-idp")
        .await
        .expect("the demo");
    let tenant = TenantId::parse("acme").expect("a tenant");
    let system = Ctx::system(tenant.clone(), engine.runtime());
    let found = engine.store().write::<_, Error, _>(&system, |tx| {
        Box::pin(async move {
            // The benchmarks propose more actions than the default policy allows.
            let limits = PolicyRow {
                version: tx.policy_version().await? + 1,
                source: "[limits]\npending_per_caller = 1000000\npending_per_client = 1000000\n".to_owned(),
                note: String::new(),
                person_id: None,
                created_at: tx.ctx().now(),
            };
            tx.insert_policy(&limits).await?;
            let people = tx
                .people_by_email(&["developer@acme.example", "reviewer@acme.example"])
                .await?;
            let client = tx.ensure_named_client("Helix").await?;
            Ok((people, client))
        })
    });
    let (people, client) = found.await.expect("people");
    let person = |name: &str| {
        people
            .iter()
            .find(|p| p.email.as_str().starts_with(name))
            .cloned()
            .expect("a person")
    };
    let agent = Ctx::new(
        Principal::Client {
            tenant: tenant.clone(),
            caller: person("developer"),
            client,
            scopes: loopiq::domain::Scopes::of_agents(),
        },
        engine.runtime(),
    );
    let reviewer = Ctx::new(
        Principal::Person {
            tenant,
            person: person("reviewer@"),
            session: "bench".into(),
        },
        engine.runtime(),
    );
    let first = async |tool: &str, arguments: Value| {
        let answer = engine.call_tool(&agent, tool, arguments).await.expect("an answer");
        answer.structured["items"][0].clone()
    };
    let release = first("loopiq_list_releases", json!({ "text": "SHOP" })).await;
    let here = json!({ "releaseId": release["id"], "limit": 1 });
    let blocker = first("loopiq_list_blockers", here.clone()).await;
    let evidence = first("loopiq_search_evidence", here).await;
    let context = engine
        .call_tool(&agent, "loopiq_get_context", json!({}))
        .await
        .expect("an answer");
    let text = |value: &Value| value.as_str().expect("an ID").to_owned();
    World {
        release: text(&release["id"]),
        team: text(&context.structured["teams"][0]["id"]),
        blocker: text(&blocker["id"]),
        finding: text(&blocker["findingId"]),
        evidence: text(&evidence["id"]),
        agent,
        reviewer,
        engine,
        _database: database,
    }
}

/// Planning and checks only: a dry run stores nothing.
#[divan::bench(args = [3, 50], consts = [0, 1], sample_count = 60)]
fn dry_run<const DATABASE: usize>(bencher: Bencher<'_, '_>, children: usize) {
    let world = on(DATABASES[DATABASE]);
    let mut arguments = package(world, children, "dry");
    arguments["dryRun"] = json!(true);
    bencher.bench_local(|| propose(world, arguments.clone()));
}

/// A whole proposal, stored and flushed to disk.
#[divan::bench(args = DATABASES, sample_count = 100)]
fn proposal(bencher: Bencher<'_, '_>, database: &str) {
    let world = on(database);
    let mut n = 0;
    bencher.bench_local(|| {
        n += 1;
        propose(
            world,
            package(world, 3, &format!("{database}-{n}-{}", world.engine.runtime().now().0)),
        )
    });
}

/// One statement for a dozen kinds of record.
#[divan::bench(args = DATABASES)]
fn facts_of_a_package(bencher: Bencher<'_, '_>, database: &str) {
    let world = on(database);
    let ids = [
        &world.release,
        &world.team,
        &world.blocker,
        &world.finding,
        &world.evidence,
    ];
    let query = FactsQuery::default().with(ids);
    bencher.bench_local(|| {
        let query = query.clone();
        let read = world
            .engine
            .store()
            .read_long::<_, Error, _>(&world.agent, |tx| Box::pin(async move { Ok(tx.facts(&query).await?) }));
        black_box(RUNTIME.block_on(read).expect("facts"))
    });
}

#[divan::bench(args = DATABASES)]
fn inbox(bencher: Bencher<'_, '_>, database: &str) {
    let world = on(database);
    let query = InboxQuery::default();
    bencher.bench_local(|| {
        black_box(
            RUNTIME
                .block_on(world.engine.inbox(&world.reviewer, &query))
                .expect("a page"),
        )
    });
}

#[divan::bench(args = [3, 50])]
fn canonical_json_and_digest(bencher: Bencher<'_, '_>, children: usize) {
    let payload = package(&SQLITE, children, "k");
    bencher.bench_local(|| {
        let text = canonical::to_string(black_box(&payload)).expect("canonical");
        black_box(canonical::digest(text.as_bytes()))
    });
}

fn propose(world: &World, arguments: Value) {
    let call = world
        .engine
        .call_tool(&world.agent, "loopiq_create_remediation_work_package", arguments);
    black_box(RUNTIME.block_on(call).expect("a proposal"));
}
