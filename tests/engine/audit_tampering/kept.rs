//! A log that an auditor has a checkpoint of, and what an attacker does to it.

use crate::audit_bundle;
use crate::world::World;
use loopiq::engine::{AuditReport, Signed};
use loopiq_audit_log::{Hash, Leaf, Note, canonical, content_hash};
use serde_json::Value;
use sqlx::{AnyConnection, AssertSqlSafe, Executor, Row};

/// A log with a checkpoint that an auditor kept, and entries after it.
pub(super) struct Kept {
    pub(super) world: World,
    pub(super) note: Note,
    /// The number of entries that the checkpoint covers.
    pub(super) size: i64,
    /// The number of entries.
    pub(super) head: i64,
    /// An executed action from before the checkpoint.
    pub(super) executed: String,
    pub(super) connection: AnyConnection,
}

impl Kept {
    pub(super) async fn new() -> Self {
        let world = World::new().await;
        let mut executed = String::new();
        for n in 0..5 {
            let (id, digest) = if n == 0 {
                world.proposed("k1").await
            } else {
                world.story(n).await
            };
            world.approve("reviewer", &id, &digest).await.expect("approved");
            let done = world.execute(&world.person("lead"), &id).await.expect("an outcome");
            assert!(done.done, "{done:?}");
            executed = id;
        }
        let Signed::New(checkpoint) = world.engine.sign_checkpoint(&world.acme.tenant).await.expect("signed") else {
            panic!("nothing new");
        };
        world.story(7).await;
        let connection = unprotected(&world).await;
        let mut kept = Self {
            note: checkpoint.note,
            size: checkpoint.size as i64,
            head: 0,
            executed,
            connection,
            world,
        };
        let report = kept.verify().await;
        assert_eq!(report.bad, None);
        assert!(report.signed as i64 == kept.size && report.actions == 6 && report.entries > kept.size);
        kept.head = report.entries;
        kept
    }

    /// Verifies with the checkpoint that the auditor kept.
    pub(super) async fn verify(&self) -> AuditReport {
        let kept = std::slice::from_ref(&self.note);
        let report = self.world.engine.verify_audit(&self.world.acme.tenant, kept).await;
        report.expect("a report")
    }

    pub(super) async fn run(&mut self, sql: &str) -> u64 {
        let done = self.connection.execute(AssertSqlSafe(sql.to_owned())).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}")).rows_affected()
    }

    pub(super) async fn number(&mut self, sql: &str) -> i64 {
        let row = self.connection.fetch_one(AssertSqlSafe(sql.to_owned())).await;
        row.expect("a row").get(0)
    }

    /// The first entry of an event.
    pub(super) async fn first(&mut self, event: &str) -> i64 {
        self.number(&format!(
            "SELECT MIN(seq) FROM audit_entries WHERE tenant = 'acme' AND event = '{event}'"
        ))
        .await
    }

    /// Rewrites an entry with correct hashes, as a person who has read this program can do.
    pub(super) async fn rewrite(&mut self, seq: i64, change: impl FnOnce(&mut Value), event: Option<&str>) {
        let sql = format!(
            "SELECT e.at, e.event, e.action_id, c.salt, c.content FROM audit_entries e JOIN audit_contents c ON c.tenant = e.tenant AND c.seq = e.seq \
             WHERE e.tenant = 'acme' AND e.seq = {seq}"
        );
        let row = self.connection.fetch_one(AssertSqlSafe(sql)).await.expect("an entry");
        let mut content: Value = serde_json::from_str(row.get("content")).expect("JSON");
        change(&mut content);
        let content = canonical(&content).expect("canonical");
        let hash = content_hash(row.get("salt"), &content).to_string();
        let event = event.map_or_else(|| row.get("event"), str::to_owned);
        let action: Option<String> = row.get("action_id");
        let leaf = leaf(seq, row.get("at"), &event, action.as_deref(), &hash);
        self.run(&format!(
            "UPDATE audit_contents SET content = '{}' WHERE tenant = 'acme' AND seq = {seq}",
            content.replace('\'', "''")
        ))
        .await;
        self.run(&format!(
            "UPDATE audit_entries SET event = '{event}', content_hash = '{hash}', leaf_hash = '{leaf}' WHERE tenant = 'acme' AND seq = {seq}"
        ))
        .await;
    }

    /// Gives entry `from` the number `to`, with a correct leaf hash.
    pub(super) async fn renumber(&mut self, from: i64, to: i64) {
        let sql = format!(
            "SELECT at, event, action_id, content_hash FROM audit_entries WHERE tenant = 'acme' AND seq = {from}"
        );
        let row = self.connection.fetch_one(AssertSqlSafe(sql)).await.expect("an entry");
        let action: Option<String> = row.get("action_id");
        let leaf = leaf(
            to,
            row.get("at"),
            row.get("event"),
            action.as_deref(),
            row.get("content_hash"),
        );
        self.run(&format!(
            "UPDATE audit_entries SET seq = {to}, leaf_hash = '{leaf}' WHERE tenant = 'acme' AND seq = {from}"
        ))
        .await;
        self.run(&format!(
            "UPDATE audit_contents SET seq = {to} WHERE tenant = 'acme' AND seq = {from}"
        ))
        .await;
    }

    /// Computes all stored nodes again, as an attacker would.
    pub(super) async fn rebuild_nodes(&mut self) {
        self.run("DELETE FROM audit_nodes WHERE tenant = 'acme'").await;
        let rows = self
            .connection
            .fetch_all("SELECT leaf_hash FROM audit_entries WHERE tenant = 'acme' ORDER BY seq")
            .await
            .expect("leaves");
        let mut tree = loopiq_audit_log::Tree::default();
        let mut nodes = Vec::new();
        for row in rows {
            let leaf: Hash = row.get::<String, _>(0).parse().expect("a hash");
            tree.push(leaf, |node, hash| nodes.push((node, hash)));
        }
        for (node, hash) in nodes
            .into_iter()
            .filter(|(node, _)| node.level > 0 && node.level % 4 == 0)
        {
            let number = (i64::from(node.level) << 48) + node.index as i64;
            self.run(&format!(
                "INSERT INTO audit_nodes (tenant, node, hash) VALUES ('acme', {number}, '{hash}')"
            ))
            .await;
        }
    }

    /// The entries among which a verifier of a bundle says the first bad one is, by the checkpoint that the auditor kept.
    pub(super) async fn bad_in_bundle(&self) -> std::ops::RangeInclusive<i64> {
        audit_bundle::first_bad(&self.world, &self.note).await
    }

    /// Why the export says that the log was changed, in a bundle that ends before the change.
    pub(super) async fn export_complains(&self) -> String {
        let (report, exported) = audit_bundle::verified(&self.world, &self.note)
            .await
            .expect("the bundle ends before the change");
        assert_eq!(report.entries as i64, self.size);
        exported.tampered.expect("a complaint")
    }

    pub(super) async fn detected(&mut self, what: &str) -> (i64, String) {
        let with_old_nodes = self.verify().await.bad;
        self.rebuild_nodes().await;
        let bad = self.verify().await.bad;
        assert!(with_old_nodes.is_some(), "{what}");
        bad.unwrap_or_else(|| panic!("not detected: {what}"))
    }
}

fn leaf(seq: i64, at: i64, event: &str, action: Option<&str>, content_hash: &str) -> Hash {
    let leaf = Leaf {
        version: 1,
        tenant: "acme",
        seq,
        at,
        event,
        action_id: action,
        content_hash,
    };
    leaf.hash().expect("canonical")
}

/// A connection of the database's owner, who has removed what protects the log.
async fn unprotected(world: &World) -> AnyConnection {
    let mut connection = world.database.connect().await;
    let mut sql = Vec::new();
    for table in ["entries", "contents", "nodes", "checkpoints"] {
        if loopiq_testing::on_postgres() {
            sql.push(format!("DROP TRIGGER audit_{table}_no_change ON audit_{table}"));
        } else {
            sql.extend(["update", "delete"].map(|what| format!("DROP TRIGGER audit_{table}_no_{what}")));
        }
    }
    if loopiq_testing::on_postgres() {
        let query = "SELECT conrelid::regclass::text, conname::text FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text LIKE 'audit_%'";
        for row in connection.fetch_all(query).await.expect("constraints") {
            let (table, name): (String, String) = (row.get(0), row.get(1));
            sql.push(format!("ALTER TABLE {table} DROP CONSTRAINT {name}"));
        }
    } else {
        sql.push("PRAGMA foreign_keys = OFF".to_owned());
    }
    for statement in sql {
        connection.execute(AssertSqlSafe(statement)).await.expect("dropped");
    }
    connection
}
