//! Tampering with the audit log by somebody who can write the whole database and knows how it is hashed, but has neither the keys nor the
//! checkpoint that an auditor kept.

use crate::audit_bundle;
use crate::world::World;
use loopiq::context::Ctx;
use loopiq::engine::{AuditReport, Error, ExportError, Signed};
use loopiq_audit_log::{Hash, Leaf, Note, canonical, content_hash};
use serde_json::Value;
use sqlx::{AnyConnection, AssertSqlSafe, Executor, Row};

/// A log with a checkpoint that an auditor kept, and entries after it.
struct Kept {
    world: World,
    note: Note,
    /// The number of entries that the checkpoint covers.
    size: i64,
    /// The number of entries.
    head: i64,
    /// An executed action from before the checkpoint.
    executed: String,
    connection: AnyConnection,
}

impl Kept {
    async fn new() -> Self {
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
    async fn verify(&self) -> AuditReport {
        let kept = std::slice::from_ref(&self.note);
        let report = self.world.engine.verify_audit(&self.world.acme.tenant, kept).await;
        report.expect("a report")
    }

    async fn run(&mut self, sql: &str) -> u64 {
        let done = self.connection.execute(AssertSqlSafe(sql.to_owned())).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}")).rows_affected()
    }

    async fn number(&mut self, sql: &str) -> i64 {
        let row = self.connection.fetch_one(AssertSqlSafe(sql.to_owned())).await;
        row.expect("a row").get(0)
    }

    /// The first entry of an event.
    async fn first(&mut self, event: &str) -> i64 {
        self.number(&format!(
            "SELECT MIN(seq) FROM audit_entries WHERE tenant = 'acme' AND event = '{event}'"
        ))
        .await
    }

    /// Rewrites an entry with correct hashes, as somebody can who has read this program.
    async fn rewrite(&mut self, seq: i64, change: impl FnOnce(&mut Value), event: Option<&str>) {
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
    async fn renumber(&mut self, from: i64, to: i64) {
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
    async fn rebuild_nodes(&mut self) {
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
    async fn bad_in_bundle(&self) -> std::ops::RangeInclusive<i64> {
        audit_bundle::first_bad(&self.world, &self.note).await
    }

    /// Why the export says that the log was changed, in a bundle that ends before the change.
    async fn export_complains(&self) -> String {
        let (report, exported) = audit_bundle::verified(&self.world, &self.note)
            .await
            .expect("the bundle ends before the change");
        assert_eq!(report.entries as i64, self.size);
        exported.tampered.expect("a complaint")
    }

    async fn detected(&mut self, what: &str) -> (i64, String) {
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

#[tokio::test]
async fn a_changed_entry_is_named() {
    let mut kept = Kept::new().await;
    let seq = kept.first("action.approved").await;
    // Without new hashes.
    kept.run(&format!(
        "UPDATE audit_contents SET content = replace(content, 'reviewer', 'somebody') WHERE tenant = 'acme' AND seq = {seq}"
    ))
    .await;
    assert_eq!(kept.detected("a changed content").await.0, seq);
    assert_eq!(kept.bad_in_bundle().await, seq..=seq);

    let mut kept = Kept::new().await;
    let seq = kept.first("action.approved").await;
    kept.rewrite(seq, |content| content["actor"]["name"] = "Somebody Else".into(), None)
        .await;
    let (bad, why) = kept.detected("who approved").await;
    assert!(bad == seq && why.contains("not written by this service"), "{bad} {why}");
    assert_eq!(kept.bad_in_bundle().await, 1..=kept.size);

    let mut kept = Kept::new().await;
    let seq = kept.first("action.approved").await;
    kept.rewrite(seq, |_| (), Some("action.rejected")).await;
    assert_eq!(kept.detected("another event").await.0, seq);
    assert_eq!(kept.bad_in_bundle().await, 1..=kept.size);

    let mut kept = Kept::new().await;
    let (one, two) = (kept.first("action.approved").await, kept.first("action.executed").await);
    for (column, table) in [
        ("content", "contents"),
        ("salt", "contents"),
        ("content_hash", "entries"),
    ] {
        kept.run(&format!(
            "UPDATE audit_{table} SET {column} = (SELECT o.{column} FROM audit_{table} o WHERE o.tenant = 'acme' AND o.seq = {two}) \
             WHERE tenant = 'acme' AND seq = {one}"
        ))
        .await;
    }
    assert_eq!(kept.detected("another entry's content").await.0, one);
    assert_eq!(kept.bad_in_bundle().await, one..=one);
}

#[tokio::test]
async fn removed_entries_are_named() {
    let mut kept = Kept::new().await;
    let head = kept.head;
    for table in ["contents", "entries"] {
        kept.run(&format!(
            "DELETE FROM audit_{table} WHERE tenant = 'acme' AND seq = {head}"
        ))
        .await;
    }
    assert_eq!(kept.detected("the last entry, the head left").await.0, head);
    let why = kept.export_complains().await;
    assert!(why.contains(&format!("entry {head} is missing")), "{why}");

    let mut kept = Kept::new().await;
    let (size, first) = (kept.size, kept.size - 4);
    for table in ["contents", "entries"] {
        kept.run(&format!(
            "DELETE FROM audit_{table} WHERE tenant = 'acme' AND seq >= {first}"
        ))
        .await;
    }
    kept.run("DELETE FROM audit_checkpoints WHERE tenant = 'acme'").await;
    kept.run(&format!(
        "UPDATE audit_heads SET last_seq = {} WHERE tenant = 'acme'",
        first - 1
    ))
    .await;
    let (bad, why) = kept.detected("the last entries, and the head set back").await;
    assert!(
        bad == first && why.contains(&format!("covers {size} entries")),
        "{bad} {why}"
    );
    assert_eq!(kept.bad_in_bundle().await, first..=first);

    let mut kept = Kept::new().await;
    let (seq, head) = (kept.first("action.approved").await, kept.head);
    for table in ["contents", "entries"] {
        kept.run(&format!(
            "DELETE FROM audit_{table} WHERE tenant = 'acme' AND seq = {seq}"
        ))
        .await;
    }
    assert_eq!(kept.detected("a middle entry").await.0, seq);
    let renumbered = kept;
    let mut kept = Kept::new().await;
    for table in ["contents", "entries"] {
        kept.run(&format!(
            "DELETE FROM audit_{table} WHERE tenant = 'acme' AND seq = {seq}"
        ))
        .await;
    }
    assert_eq!(kept.bad_in_bundle().await, seq..=seq);
    let mut kept = renumbered;
    for from in seq + 1..=head {
        kept.renumber(from, from - 1).await;
    }
    kept.run(&format!(
        "UPDATE audit_heads SET last_seq = {} WHERE tenant = 'acme'",
        head - 1
    ))
    .await;
    assert_eq!(kept.detected("a middle entry, the rest renumbered").await.0, seq);
    assert_eq!(kept.bad_in_bundle().await, 1..=kept.size);

    for remove_head in [false, true] {
        let mut kept = Kept::new().await;
        for table in ["contents", "checkpoints", "entries", "nodes"] {
            kept.run(&format!("DELETE FROM audit_{table} WHERE tenant = 'acme'"))
                .await;
        }
        if remove_head {
            kept.run("DELETE FROM audit_heads WHERE tenant = 'acme'").await;
        } else {
            kept.run("UPDATE audit_heads SET last_seq = 0 WHERE tenant = 'acme'")
                .await;
        }
        let bad = kept.verify().await.bad.expect("the whole log is gone");
        assert_eq!(bad.0, 1);
        let outcome = audit_bundle::export(&kept.world).await;
        assert!(matches!(outcome, Err(ExportError::Empty)), "{outcome:?}");
    }
}

#[tokio::test]
async fn swapped_and_forged_entries_are_named() {
    let mut kept = Kept::new().await;
    let (one, two) = (kept.first("action.proposed").await, kept.first("action.approved").await);
    for (from, to) in [(one, -1), (two, one), (-1, two)] {
        kept.renumber(from, to).await;
    }
    assert_eq!(kept.detected("two swapped entries").await.0, one);
    assert_eq!(kept.bad_in_bundle().await, 1..=kept.size);

    // An approval that nobody gave, after the checkpoint: no checkpoint that was kept can show it, but it has no seal.
    let mut kept = Kept::new().await;
    let (model, new) = (kept.first("action.approved").await, kept.head + 1);
    for (table, columns) in [
        ("entries", "at, event, action_id, content_hash, leaf_hash, seal"),
        ("contents", "salt, content"),
    ] {
        kept.run(&format!(
            "INSERT INTO audit_{table} (tenant, seq, {columns}) SELECT tenant, {new}, {columns} FROM audit_{table} WHERE tenant = 'acme' AND seq = {model}"
        ))
        .await;
    }
    kept.rewrite(new, |_| (), None).await;
    kept.run(&format!(
        "UPDATE audit_heads SET last_seq = {new} WHERE tenant = 'acme'"
    ))
    .await;
    let (bad, why) = kept.detected("a forged approval").await;
    assert!(bad == new && why.contains("not written by this service"), "{bad} {why}");
    // The service does not sign it, either.
    let error = kept.world.engine.sign_checkpoint(&kept.world.acme.tenant).await.err();
    assert!(matches!(error, Some(Error::LogTampered { .. })), "{error:?}");
    let why = kept.export_complains().await;
    assert!(
        why.contains(&format!("entry {new} was not written by this service")),
        "{why}"
    );
}

#[tokio::test]
async fn a_rewritten_history_does_not_continue_the_kept_checkpoint() {
    // Somebody who has the keys as well, such as the operator, can seal and sign whatever they like, but not what others have kept.
    let mut kept = Kept::new().await;
    let seq = kept.first("action.approved").await;
    kept.rewrite(seq, |content| content["actor"]["name"] = "Somebody Else".into(), None)
        .await;
    kept.rebuild_nodes().await;
    let ctx = Ctx::system(kept.world.acme.tenant.clone(), kept.world.engine.runtime());
    let leaf: Hash = {
        let sql = format!("SELECT leaf_hash FROM audit_entries WHERE tenant = 'acme' AND seq = {seq}");
        let row = kept.connection.fetch_one(AssertSqlSafe(sql)).await.expect("a leaf");
        row.get::<String, _>(0).parse().expect("a hash")
    };
    let seal = ctx.runtime.log_keys().expect("keys").seal(&leaf);
    kept.run(&format!(
        "UPDATE audit_entries SET seal = '{seal}' WHERE tenant = 'acme' AND seq = {seq}"
    ))
    .await;
    kept.run("DELETE FROM audit_checkpoints WHERE tenant = 'acme'").await;
    let unnoticed = kept
        .world
        .engine
        .verify_audit(&kept.world.acme.tenant, &[])
        .await
        .expect("a report");
    assert_eq!(
        unnoticed.bad, None,
        "the keys and the database are enough, without a witness"
    );
    let bad = kept.verify().await.bad.expect("the kept checkpoint shows it");
    assert!(bad.1.contains("another root hash"), "{bad:?}");
    assert_eq!(kept.bad_in_bundle().await, 1..=kept.size);
}

#[tokio::test]
async fn tables_that_do_not_fit_their_entries_are_found() {
    for (what, sql) in [
        (
            "who decided",
            "UPDATE decisions SET person_id = (SELECT id FROM people WHERE tenant = 'acme' AND email LIKE 'lead%') WHERE action_id = '{id}'",
        ),
        (
            "an approval more",
            "UPDATE decisions SET kind = 'approve', digest = 'sha256:0' WHERE action_id = '{id}'",
        ),
        ("an approval less", "DELETE FROM decisions WHERE action_id = '{id}'"),
        (
            "the request",
            "UPDATE actions SET risk = 'high', tool_risk = 'high' WHERE id = '{id}'",
        ),
        (
            "for whom",
            "UPDATE actions SET caller_id = (SELECT MIN(id) FROM people WHERE tenant = 'acme' AND id <> caller_id) WHERE id = '{id}'",
        ),
    ] {
        let mut kept = Kept::new().await;
        let (id, sql) = (kept.executed.clone(), sql);
        kept.run(&sql.replace("{id}", &id)).await;
        let (_, why) = kept
            .verify()
            .await
            .bad
            .unwrap_or_else(|| panic!("not detected: {what}"));
        assert!(why.contains(&id), "{what}: {why}");
    }
}

#[tokio::test]
async fn stored_hashes_of_the_tree_and_stored_checkpoints_are_checked() {
    let mut kept = Kept::new().await;
    let other = Hash::of(b"other");
    assert!(
        kept.run(&format!(
            "UPDATE audit_nodes SET hash = '{other}' WHERE tenant = 'acme'"
        ))
        .await
            > 0
    );
    let (bad, why) = kept.verify().await.bad.expect("another node");
    assert!(bad == 16 && why.contains("stored hash"), "{bad} {why}");
    kept.rebuild_nodes().await;
    assert_eq!(kept.verify().await.bad, None);

    // A checkpoint that was signed with another key, or altered.
    let note = kept.note.to_string();
    for forged in [
        note.replacen(&kept.size.to_string(), &(kept.size - 1).to_string(), 1),
        note.replacen("loopiq.test", "loopiq.best", 2),
    ] {
        kept.run(&format!(
            "UPDATE audit_checkpoints SET note = '{forged}' WHERE tenant = 'acme'"
        ))
        .await;
        let (bad, why) = kept.verify().await.bad.expect("a forged checkpoint");
        assert!(bad == 0 && why.contains("is not valid"), "{bad} {why}");
        let error = kept.world.engine.sign_checkpoint(&kept.world.acme.tenant).await.err();
        assert!(matches!(error, Some(Error::LogTampered { .. })), "{error:?}");
    }
    // A checkpoint of another tenant's log.
    let globex = kept.world.globex.tenant.clone();
    let report = kept
        .world
        .engine
        .verify_audit(&globex, std::slice::from_ref(&kept.note))
        .await
        .expect("a report");
    assert!(report.bad.is_some_and(|(_, why)| why.contains("another log")));
}

#[tokio::test]
async fn entries_that_cannot_be_read_are_named_and_not_signed() {
    let mut kept = Kept::new().await;
    let seq = kept.head;
    kept.run(&format!(
        "UPDATE audit_contents SET content = '{{' WHERE tenant = 'acme' AND seq = {seq}"
    ))
    .await;
    let (bad, why) = kept.verify().await.bad.expect("an unreadable entry");
    assert!(bad == seq && why.contains("cannot be read"), "{bad} {why}");
    let error = kept.world.engine.sign_checkpoint(&kept.world.acme.tenant).await.err();
    assert!(matches!(error, Some(Error::LogTampered { .. })), "{error:?}");

    let mut kept = Kept::new().await;
    let (model, new) = (kept.head, kept.head + 1);
    kept.run(&format!(
        "INSERT INTO audit_entries (tenant, seq, at, event, action_id, content_hash, leaf_hash, seal) \
         SELECT tenant, {new}, at, event, action_id, content_hash, leaf_hash, seal FROM audit_entries WHERE tenant = 'acme' AND seq = {model}"
    ))
    .await;
    let (bad, why) = kept.verify().await.bad.expect("an entry beyond the head");
    assert!(bad == new && why.contains("beyond the end"), "{bad} {why}");
}
