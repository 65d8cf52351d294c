//! No statement may read all rows of a tenant. The test records every statement of the use cases, and asks SQLite for the query plan.
//! Other tests have tables of ten rows, and do not show a scan that is slow with a hundred thousand rows.

use crate::world::{World, confirm};
use loopiq::domain::ReasonCode;
use loopiq::views::{InboxQuery, Tab};
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Steps that may read all rows of one tenant, or of all tenants: a part of the step, a part of the statement, and the reason.
const MAY: [(&str, &str, &str); 17] = [
    (
        "SEARCH p USING PRIMARY KEY",
        "FROM pauses p",
        "the pauses in force, of which a tenant has few",
    ),
    (
        "SEARCH c USING PRIMARY KEY",
        "FROM audit_checkpoints c",
        "the last one, or all of them for a verification",
    ),
    (
        "audit_deliveries USING PRIMARY KEY",
        "FROM audit_deliveries",
        "one row for each witness",
    ),
    (
        "",
        "INSERT INTO people",
        "rows that name a person: read only if a foreign key is violated in this transaction (`OP_FkIfZero` skips them)",
    ),
    ("evidence_incomplete", "", "imports that are under way"),
    ("SCAN tenants", "", "all tenants are meant"),
    ("audit_heads USING", "", "one row"),
    ("SCAN installation", "", "one row"),
    ("policies_1", "", "the last entry of the index"),
    (
        "SEARCH p USING",
        "FROM people p LEFT JOIN",
        "who could decide: a tenant's people, cut off",
    ),
    ("SEARCH teams USING", "", "a filter's choices, cut off"),
    ("releases_2", "", "a filter's choices, in order and cut off"),
    (
        "SEARCH r USING",
        "CROSS JOIN controls",
        "the releases of a tenant, in each of which a key is looked up",
    ),
    (
        "action_counts",
        "",
        "a state and caller a row: this is what saves counting",
    ),
    (
        "person_addresses",
        "",
        "accounts that operators have to identify: a tenant's people",
    ),
    ("generic_words", "", "words that people have written down"),
    // A foreign key to the table of an inserted row: SQLite reads the referencing table only while references are deferred.
    ("audit_entries USING", "INSERT INTO audit_heads", "of a new head"),
];

/// The executed statements, as the store reports them.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<BTreeSet<String>>>);

impl Visit for Statements {
    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "statement" {
            self.0.lock().expect("statements").insert(value.trim().to_owned());
        }
    }
}

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "loopiq::sql"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Runs every use case of people and agents once.
pub(crate) async fn story(world: &World) {
    let engine = &world.engine;
    let (reviewer, auditor, operator) = (
        world.person("reviewer"),
        world.person("auditor"),
        world.person("operator"),
    );
    let words = "A reason.";
    let (id, digest) = world.proposed("k1").await;
    world.proposed("k1").await;
    engine.ask(&reviewer, &id, "Why?").await.expect("asked");
    let question = world.get(&id).await["questions"][0]["id"].clone();
    let answer = json!({ "actionId": id, "questionId": question, "answer": words });
    let client = world.client("developer");
    let call = async |tool: &str, arguments| engine.call_tool(&client, tool, arguments).await;
    call("loopiq_answer_question", answer).await.expect("answered");
    let pruned = engine
        .prune(&reviewer, &id, &digest, &["one".to_owned()], words, "")
        .await;
    let pruned = pruned.expect("pruned").successor.expect("a revision");
    let page = engine
        .action_page(&reviewer, &pruned, loopiq::engine::Visit::Opened)
        .await
        .expect("a page");
    world
        .approve("reviewer", &pruned, &page.digest)
        .await
        .expect("approved");
    world.execute(&reviewer, &pruned).await.expect("executed");

    let (declined, digest) = world.proposed("k2").await;
    let codes = [ReasonCode::Declined];
    engine
        .reject(&reviewer, &declined, &digest, &codes, words, "")
        .await
        .expect("rejected");
    let mut again = world.package("k2");
    again["idempotencyKey"] = json!("k3");
    world.propose(again).await.expect_err("declined before");
    let (revoked, digest) = world.story(4).await;
    world.approve("reviewer", &revoked, &digest).await.expect("approved");
    engine.revoke(&reviewer, &revoked, words, "").await.expect("revoked");
    let (withdrawn, _) = world.proposed("k5").await;
    let withdraw = json!({ "actionId": withdrawn, "reason": words });
    call("loopiq_withdraw_action", withdraw).await.expect("withdrawn");
    let (old, _) = world.proposed("k6").await;
    let mut next = world.package("k7");
    next["supersedesActionId"] = json!(old);
    world.propose(next).await.expect("a revision");
    world.proposed("k8").await;
    world.advance_clock(90 * loopiq::domain::Timestamp::DAY);
    engine.sweep().await.expect("swept");

    for (tab, ..) in Tab::ALL {
        let query = InboxQuery {
            tab,
            ..InboxQuery::default()
        };
        engine.inbox(&reviewer, &query).await.expect("an inbox");
    }
    engine.flush_reads().await.expect("kept");
    engine.index_audit_logs().await.expect("indexed");
    for q in [
        "finding",
        "event:action.proposed",
        "key:k1",
        "after:2026-01-01 finding remove",
    ] {
        engine.search_audit(&auditor, q, "").await.expect("entries");
    }
    engine.audit_entry(&auditor, 1).await.expect("an entry");
    engine.policy_page(&operator, None, None).await.expect("a page");
    engine
        .check_policy(&operator, "[evidence]\nmax_age_days = 7")
        .await
        .expect("a report");
    let looser = "[evidence]\nmax_age_days = 70";
    world.policy(looser).await;
    let ids = ["reviewer", "reviewer2"].map(|who| world.acme.person(who).id.to_string());
    for same in [false, true] {
        let asked = engine
            .request_link(&operator, &ids[0], &ids[1], Some(same), words)
            .await
            .expect("asked");
        let second = world.person("operator2");
        engine.request(&second, asked.id.as_str()).await.expect("a request");
        confirm(engine, &second, asked.id.as_str()).await.expect("confirmed");
    }
    engine.switch_policy(&operator, "", words, 2).await.expect("asked");
    engine.requests_page(&operator).await.expect("a page");
    world.advance_clock(8 * loopiq::domain::Timestamp::DAY);
    engine.sweep().await.expect("swept");
    call("loopiq_list_actions", json!({})).await.expect("a list");
    call("loopiq_list_releases", json!({})).await.expect("a list");
    for tool in [
        "loopiq_get_release",
        "loopiq_get_release_certification",
        "loopiq_get_release_certification_evidence_graph",
        "loopiq_list_blockers",
        "loopiq_list_controls",
        "loopiq_list_findings",
        "loopiq_list_work_items",
        "loopiq_search_evidence",
    ] {
        let release = json!({ "releaseId": world.acme.release });
        call(tool, release).await.expect("a read");
    }
    let title = json!({ "title": "Harden the login" });
    call("loopiq_find_similar_work_items", title).await.expect("a list");

    let system = loopiq::context::Ctx::system(world.acme.tenant.clone(), engine.runtime());
    let assessment = json!({ "assessment-results": {
        "metadata": { "title": "Own", "oscal-version": "1.1.2", "last-modified": "2026-11-01T00:00:00Z" },
        "results": [{ "title": "One", "findings": [
            { "title": "Not there", "target": { "target-id": "ac-3", "status": { "state": "not-satisfied" } } },
        ] }],
    } });
    for file in [
        assessment.to_string().into_bytes(),
        loopiq_testing::junit(3, "small"),
        loopiq_testing::junit(700, "large"),
        loopiq_testing::catalog(700),
    ] {
        let imported = engine.import(&system, "SHOP-1", "file", file, None, None).await;
        imported.expect("an import");
    }
    let evidence = world.acme.evidence.clone();
    let changed = engine.store().write::<_, loopiq::engine::Error, _>(&system, move |tx| {
        Box::pin(async move {
            let file = tx.evidence(&[evidence.as_str()]).await?.remove(0).sha256;
            tx.restore_file(&file, b"other bytes", 0).await?;
            Ok(tx.restore_part(&file, 0, b"other bytes").await?)
        })
    });
    changed.await.expect("changed");
    world.advance_clock(2 * loopiq::domain::Timestamp::DAY);
    assert_eq!(engine.scrub().await.expect("scrubbed").damaged, 1);
}

#[tokio::test]
async fn sqlite_statistics_are_restored_after_an_interruption() {
    let database = loopiq_testing::Database::sqlite();
    let count = async || {
        let rows = sqlx::query("SELECT COUNT(*) FROM sqlite_stat1 WHERE tbl = 'actions'")
            .fetch_one(&mut database.connect().await)
            .await;
        sqlx::Row::get::<i64, _>(&rows.expect("a count"), 0)
    };
    let open = async || {
        loopiq::store::Store::open(&database.url)
            .await
            .expect("a store")
            .close()
            .await
    };
    open().await;
    let first = count().await;
    assert!(first > 5, "{first}");
    let forgotten = sqlx::query("DELETE FROM sqlite_stat1")
        .execute(&mut database.connect().await)
        .await;
    forgotten.expect("forgotten");
    open().await;
    assert_eq!(count().await, first);
}

#[tokio::test]
async fn no_statement_reads_a_whole_tenant() {
    let world = World::new().await;
    if !world.database.url.starts_with("sqlite") {
        return;
    }
    let statements = Statements::default();
    tracing::subscriber::set_global_default(statements.clone()).expect("the only one in this process");
    story(&world).await;
    let statements = statements.0.lock().expect("statements").clone();
    assert!(statements.len() > 60, "{statements:#?}");
    let mut connection = world.database.connect().await;
    let (mut whole, mut every) = (Vec::new(), Vec::new());
    for statement in &statements {
        assert!(
            !statement.contains("LIMIT $"),
            "SQLite plans it again for each number: {statement}"
        );
        let sql = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let steps = sqlx::query(sql).fetch_all(&mut connection).await.expect("a plan");
        let steps: Vec<String> = steps.iter().map(|step| sqlx::Row::get(step, "detail")).collect();
        if statement.contains("UPPER(") {
            let looked_up = "controls_by_upper_key (tenant=? AND release_id=? AND <expr>=?)";
            assert!(
                steps.iter().any(|step| step.contains(looked_up)),
                "{steps:#?}\n{statement}"
            );
        }
        // A scan of a subquery's result reads only as many rows as the subquery returns.
        let own = |step: &str| {
            let name = step.trim_start_matches("SCAN ").split(' ').next().unwrap_or_default();
            step.contains("VIRTUAL TABLE")
                || [format!("CO-ROUTINE {name}"), format!("MATERIALIZE {name}")]
                    .iter()
                    .any(|made| steps.contains(made))
        };
        for step in &steps {
            // These indexes hold all pending actions of a caller or a client. Only the count, which ends at the limit, may read so many.
            assert!(
                !step.contains("actions_pending_by_") || statement.contains("AS of_caller"),
                "{step}\n{statement}"
            );
            // All actions of a client and a caller, without the key.
            assert!(
                !step.contains("(tenant=? AND client_id=? AND caller_id=?)"),
                "{step}\n{statement}"
            );
            let all = step.contains("(tenant=?)") || (step.starts_with("SCAN") && !own(step));
            let may = |(part, of, _): &(&str, &str, &str)| step.contains(part) && statement.contains(of);
            if all && !MAY.iter().any(may) {
                whole.push(format!("{step}\n    {statement}"));
            }
        }
        every.extend(steps);
    }
    assert!(whole.is_empty(), "{}", whole.join("\n"));
    let by_key = "(tenant=? AND client_id=? AND caller_id=? AND idempotency_key=?)";
    assert!(
        every.iter().any(|step| step.contains(by_key)),
        "a key is looked up in its own index"
    );
}
