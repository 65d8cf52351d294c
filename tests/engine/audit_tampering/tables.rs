//! Tampering with what the log is compared with: tables, stored hashes, checkpoints, and rows that cannot be read.

use super::kept::Kept;
use loopiq::engine::Error;
use loopiq_audit_log::Hash;

#[tokio::test]
async fn tables_that_do_not_fit_their_entries_are_found() {
    for (what, sql, says) in [
        (
            "who decided",
            "UPDATE decisions SET person_id = (SELECT id FROM people WHERE tenant = 'acme' AND email LIKE 'lead%') WHERE action_id = '{id}'",
            "the person of the decision",
        ),
        (
            "an approval more",
            "UPDATE decisions SET kind = 'approve', digest = 'sha256:0' WHERE action_id = '{id}'",
            "the digest of the decision",
        ),
        (
            "an approval less",
            "DELETE FROM decisions WHERE action_id = '{id}'",
            "the tables do not have this decision",
        ),
        (
            "the words of a decision",
            "UPDATE decisions SET reason = 'It is fine.' WHERE action_id = '{id}'",
            "the text of the decision",
        ),
        (
            "what was read",
            "UPDATE decisions SET opened_sections = '[\"all\"]' WHERE action_id = '{id}'",
            "the opened sections of the decision",
        ),
        (
            "the risk",
            "UPDATE actions SET risk = 'high', tool_risk = 'high' WHERE id = '{id}'",
            "the risk of the proposal",
        ),
        (
            "the headline",
            "UPDATE actions SET headline = 'Harmless' WHERE id = '{id}'",
            "the headline of the proposal",
        ),
        (
            "why",
            "UPDATE actions SET reason = 'The boss wants it.' WHERE id = '{id}'",
            "the reason of the proposal",
        ),
        (
            "the key that keeps it from running twice",
            "UPDATE actions SET idempotency_key = 'other' WHERE id = '{id}'",
            "the idempotency key of the proposal",
        ),
        (
            "when",
            "UPDATE actions SET created_at = created_at - 86400000000 WHERE id = '{id}'",
            "the time of the proposal",
        ),
        (
            "the records that an execution wrote",
            "UPDATE actions SET result = '{}' WHERE id = '{id}'",
            "the result of its end",
        ),
        (
            "for whom",
            "UPDATE actions SET caller_id = (SELECT MIN(id) FROM people WHERE tenant = 'acme' AND id <> caller_id) WHERE id = '{id}'",
            "the sender of the proposal",
        ),
        (
            "a row that nobody can read",
            "UPDATE actions SET checks = 'x' WHERE id = '{id}'",
            "cannot be read in the tables",
        ),
    ] {
        let mut kept = Kept::new().await;
        let id = kept.executed.clone();
        assert_eq!(kept.run(&sql.replace("{id}", &id)).await, 1, "{what}");
        let bad = kept.verify().await.bad;
        let (seq, why) = bad.unwrap_or_else(|| panic!("not detected: {what}"));
        assert!(why.contains(&id) && why.contains(says), "{what}: {why}");
        // The entry that says something else is one of the action's.
        let named = format!("SELECT COUNT(*) FROM audit_entries WHERE seq = {seq} AND action_id = '{id}'");
        assert!(seq == 0 || kept.number(&named).await == 1, "{what}: {seq}");
    }
}

#[tokio::test]
async fn a_hash_of_the_tree_that_nobody_can_read_is_named() {
    let mut kept = Kept::new().await;
    kept.run("UPDATE audit_nodes SET hash = 'x' WHERE tenant = 'acme'")
        .await;
    let (_, why) = kept.verify().await.bad.expect("detected");
    assert!(why.contains("hash of the tree that cannot be read"), "{why}");
}

#[tokio::test]
async fn a_deleted_action_is_found_by_the_entry_of_its_proposal() {
    let mut kept = Kept::new().await;
    let id = kept.executed.clone();
    let seq = kept
        .number(&format!(
            "SELECT seq FROM audit_entries WHERE action_id = '{id}' AND event = 'action.proposed'"
        ))
        .await;
    if loopiq_testing::on_postgres() {
        // Without the foreign keys, as on the connection to SQLite.
        kept.run("SET session_replication_role = replica").await;
    }
    kept.run(&format!("DELETE FROM actions WHERE id = '{id}'")).await;
    let (bad, why) = kept.verify().await.bad.expect("detected");
    assert_eq!(bad, seq, "{why}");
    assert!(why.contains(&id) && why.contains("do not have this action"), "{why}");
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
