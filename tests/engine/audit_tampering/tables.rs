//! Tampering with what the log is compared with: tables, stored hashes, checkpoints, and rows that cannot be read.

use super::kept::Kept;
use loopiq::engine::Error;
use loopiq_audit_log::Hash;

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
            "the words of a decision",
            "UPDATE decisions SET reason = 'It is fine.' WHERE action_id = '{id}'",
        ),
        (
            "the records that an execution wrote",
            "UPDATE actions SET result = '{}' WHERE id = '{id}'",
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
