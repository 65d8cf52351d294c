//! Tampering with the audit log by a person who can write the whole database and knows how it is hashed, but has neither the keys nor the
//! checkpoint that an auditor kept.

mod kept;
mod tables;

use crate::audit_bundle;
use kept::Kept;
use loopiq::context::Ctx;
use loopiq::engine::{Error, ExportError};
use loopiq_audit_log::Hash;
use sqlx::{AssertSqlSafe, Executor, Row};

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
