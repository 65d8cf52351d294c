//! Measures the audit search on logs of several lengths, with the index in the service's data directory.
//!
//! `loopiq-bench search BINARY SITE [ENTRIES...]`. The entries are those of an action that was proposed, read, approved and executed, with other
//! IDs, people, titles and words. A million of them need 8 GB of disk and some minutes.

use crate::audit_log;
use crate::backlog::title;
use crate::fill::{self, runtime};
use crate::load::{self, now};
use crate::{machine, targets};
use anyhow::{Context, Result, bail, ensure};
use loopiq::audit::{Content, EVENTS, Event};
use loopiq::context::{Ctx, Runtime};
use loopiq::domain::{ActionId, Actor, ApprovalId, TenantId};
use loopiq::engine::Error;
use loopiq::store::{AuditRecord, Entry, Store};
use loopiq_testing::{Agent, Database, Person, Service, package};
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

/// Entries in one transaction.
const BATCH: i64 = 500;

/// Fills a log up to each of these lengths, and measures there.
pub(crate) async fn measure(bin: &Path, site: &Path, lengths: &[i64]) -> Result<()> {
    let database = Database::sqlite();
    let data = database.folder.path();
    fill::share_key(data)?;
    let service = Service::start(bin, site, data, &database.url, "127.0.0.1:0")?;
    let listen = service.url.trim_start_matches("http://").to_owned();
    let action = run_an_action(&service).await?;
    service.stop()?;
    // The median of each query on the first log.
    let mut first = HashMap::new();
    for length in lengths {
        let began = now();
        let store = Store::open(&database.url).await?;
        fill_log(&store, &action, *length).await?;
        store.close().await;
        println!("## {length} entries, written in {:.0} s", began.elapsed().as_secs_f64());
        println!("Targets: {}. `x` is the ratio to the first log.", targets::LOG);

        // The index is built while the service starts with none.
        let _ = std::fs::remove_dir_all(data.join("search"));
        let began = now();
        let service = Service::start(bin, site, data, &database.url, &listen)?;
        let mut auditor = Person::sign_in(&service.url, "auditor@acme.example").await?;
        let last = format!("/audit?q=key%3Abulk-{length}");
        while auditor.get(&last).await.is_ok_and(|reply| reply.status != 200) {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let (wall, cpu) = (began.elapsed().as_secs_f64(), machine::cpu_time(service.pid()));
        let entries = *length as f64;
        println!(
            "index built in {wall:.1} s ({:.0} entries/s), {:.0} µs CPU per entry, {:.1} MB in files, peak memory {:.0} MB",
            entries / wall,
            cpu / entries * 1e6,
            size(&data.join("search/1"))? as f64 / 1e6,
            machine::peak_memory(service.pid()),
        );
        let middle = format!("event:action.proposed key:bulk-{}", length / 2);
        for (what, query) in [
            ("no condition", ""),
            ("one term, common", "event:action.viewed"),
            ("one word, common", "query"),
            ("two terms, common", "event:action.proposed query"),
            ("two words, one rarer", "query f77"),
            ("two terms that never meet", "event:action.viewed event:action.executed"),
            (
                "one person's executions",
                "person:developer7@acme.example event:action.executed",
            ),
            ("one rare term", "key:bulk-4242"),
            ("common and rare", middle.as_str()),
            ("nothing matches", "key:none"),
        ] {
            let path = format!(
                "/audit?q={}",
                query.replace(':', "%3A").replace(' ', "+").replace('@', "%40")
            );
            let person = tokio::sync::Mutex::new(&mut auditor);
            let times = load::one_by_one(100, |_| async {
                let reply = person.lock().await.get(&path).await?;
                ensure!(reply.status == 200, "{path}: {}", reply.status);
                Ok(())
            })
            .await?;
            let base = *first.entry(what).or_insert(times.median());
            println!("{what}: {}, {:.1} x", times.describe(), times.median() / base);
        }
        println!(
            "peak memory after the searches {:.0} MB",
            machine::peak_memory(service.pid())
        );
        service.stop()?;
        audit_log::measure(&database).await?;
    }
    Ok(())
}

fn size(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder).context("the index")? {
        sum += entry?.metadata()?.len();
    }
    Ok(sum)
}

/// Proposes, reads, approves and executes a work package with three children.
async fn run_an_action(service: &Service) -> Result<String> {
    let mut agent = Agent::connect(&service.url, &service.token("developer@acme.example")?).await?;
    let mut arguments = package(&mut agent, 3).await?;
    arguments["idempotencyKey"] = "template".into();
    let answer = agent.call("loopiq_create_remediation_work_package", &arguments).await?;
    let text = |field: &str| Ok::<_, anyhow::Error>(answer[field].as_str().context("a field")?.to_owned());
    let (id, digest) = (text("actionId")?, text("digest")?);
    let mut reviewer = Person::sign_in(&service.url, "reviewer@acme.example").await?;
    let marks = reviewer.warnings(&id).await?;
    for what in ["approve", "execute"] {
        let outcome = reviewer.decide(what, &id, &digest, &marks).await?;
        if outcome["done"] != true {
            bail!("not done: {outcome}");
        }
    }
    Ok(id)
}

/// Adds entries until the log of acme has this length.
async fn fill_log(store: &Store, action: &str, length: i64) -> Result<()> {
    let ctx = Ctx::system(TenantId::parse("acme")?, &runtime());
    let id = ActionId::parse(action)?;
    let (templates, mut last) = {
        let tx = &mut store.read(&ctx).await?;
        (tx.audit_of_action(&id).await?, tx.audit_head().await?)
    };
    while last < length {
        let until = (last + BATCH).min(length);
        let templates = templates.clone();
        store
            .write::<_, Error, _>(&ctx, move |tx| {
                Box::pin(async move {
                    let runtime = tx.ctx().runtime.clone();
                    for n in last + 1..=until {
                        tx.record(entry(&templates, n as usize, &runtime));
                    }
                    Ok(())
                })
            })
            .await?;
        last = until;
    }
    Ok(())
}

fn entry(templates: &[AuditRecord], n: usize, runtime: &Runtime) -> Entry {
    let template = &templates[n % templates.len()];
    let event = EVENTS.iter().find(|(_, name)| *name == template.event);
    let content = &template.content;
    let text = |text: &str| Some(text.to_owned());
    let varied = |id: &String, of: usize| match id.split_once('_') {
        Some((kind, _)) => format!("{kind}_{:026}", (n * 31 + of * 7) % 10_000),
        None => format!("{id}-{}", n % 10_000),
    };
    Entry {
        event: event.map_or(Event::Viewed, |(event, _)| *event),
        action_id: Some(runtime.id()),
        content: Content {
            actor: actor(&content.actor, n),
            trace_id: loopiq::domain::canonical::hex(&runtime.random::<16>()),
            approval_id: Some(runtime.id::<ApprovalId>().to_string()),
            idempotency_key: text(&format!("bulk-{n}")),
            headline: text(&title(n)),
            records: content
                .records
                .iter()
                .enumerate()
                .map(|(of, id)| varied(id, of))
                .collect(),
            record_keys: content.record_keys.iter().map(|key| varied(key, 0)).collect(),
            details: titled(&content.details, &mut (n * 5)),
            ..content.clone()
        },
    }
}

/// The same kind of actor, one of fifty.
fn actor(actor: &Actor, n: usize) -> Actor {
    let number = n * 7 % 50;
    let (name, email) = (
        format!("Dora Developer{number}"),
        format!("developer{number}@acme.example"),
    );
    match actor.clone() {
        Actor::Person { id, .. } => Actor::Person { id, name, email },
        Actor::Client {
            id,
            name: client,
            caller_id,
            ..
        } => Actor::Client {
            id,
            name: client,
            caller_id,
            caller_name: name,
            caller_email: email,
        },
        other @ (Actor::Program { .. } | Actor::System) => other,
    }
}

/// The same details with other titles.
fn titled(value: &Value, n: &mut usize) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| titled(item, n)).collect(),
        Value::Object(fields) => {
            let mut change = |name: &String, value: &Value| match value {
                Value::String(_) if name == "title" => {
                    *n += 1;
                    title(*n).into()
                }
                Value::Array(titles) if name == "titles" => {
                    *n += titles.len();
                    (*n - titles.len()..*n).map(title).collect()
                }
                other => titled(other, n),
            };
            fields
                .iter()
                .map(|(name, value)| (name.clone(), change(name, value)))
                .collect()
        }
        other => other.clone(),
    }
}
