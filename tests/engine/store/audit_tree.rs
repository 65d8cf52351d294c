//! The stored tree gives the same proofs as a tree in memory, and no entry without a seal is written.

use crate::world::World;
use loopiq::audit::Event;
use loopiq::context::Ctx;
use loopiq::engine::{Error, Signed};
use loopiq::store::Entry;
use loopiq_audit_log::{Hash, Tree};

fn system(world: &World) -> Ctx {
    Ctx::system(world.acme.tenant.clone(), world.engine.runtime())
}

fn entry(ctx: &Ctx) -> Entry {
    let content = serde_json::json!({
        "version": 1, "actor": { "kind": "system" }, "requestId": ctx.request_id, "traceId": ctx.trace_id,
    });
    Entry {
        event: Event::Configured,
        action_id: None,
        content: serde_json::from_value(content).expect("a content"),
    }
}

#[tokio::test]
async fn every_size_has_its_root_and_its_proofs() {
    let world = World::new().await;
    let (store, ctx) = (world.engine.store(), system(&world));
    // Transactions with one entry and with many, across the borders of 16 and 256 entries.
    for entries in [1, 3, 20, 1, 260, 15, 2] {
        let write = store.write::<_, Error, _>(&ctx, move |tx| {
            Box::pin(async move {
                for _ in 0..entries {
                    tx.record(entry(tx.ctx()));
                }
                Ok(())
            })
        });
        write.await.expect("written");
    }
    let tx = &mut store.read(&ctx).await.expect("a read");
    let records = tx.audit_stretch(0, 1_000).await.expect("entries");
    let head = records.len() as u64;
    assert!(head > 300 && head == tx.audit_head().await.expect("a head") as u64);
    let (mut tree, mut roots) = (Tree::default(), Vec::new());
    let mut nodes = Vec::new();
    for record in &records {
        let leaf: Hash = record.leaf_hash.parse().expect("a hash");
        tree.push(leaf, |node, hash| nodes.push((node, hash)));
        roots.push(tree.root());
    }
    assert_eq!(tx.differing_node(&nodes).await.expect("nodes"), None);
    for size in [1, 2, 15, 16, 17, 31, 32, 255, 256, 257, 271, 272, head - 1, head] {
        let root = roots[size as usize - 1];
        assert_eq!(tx.audit_root(size).await.expect("a root"), root, "{size}");
        let grown = tx.audit_tree(size).await.expect("a tree");
        assert_eq!((grown.size(), grown.root()), (size, root));
        let seqs: Vec<u64> = (1..=size).step_by(7).chain([size]).collect();
        for proof in tx.audit_inclusion(&seqs, size).await.expect("proofs") {
            let record = &records[proof.seq as usize - 1];
            let leaf = record.leaf(&world.acme.tenant).bytes().expect("canonical");
            assert_eq!(proof.verify(leaf.as_bytes(), &root), Ok(()), "{} of {size}", proof.seq);
        }
        let proof = tx
            .audit_consistency(size, head)
            .await
            .expect("a read")
            .expect("a proof");
        assert_eq!(proof.verify(&root, &roots[head as usize - 1]), Ok(()));
    }
    assert_eq!(tx.audit_consistency(0, head).await.expect("a read"), None);
    assert_eq!(tx.audit_consistency(head + 1, head).await.expect("a read"), None);
}

#[tokio::test]
async fn checkpoints_follow_what_happens_and_no_one_else_s_log() {
    let world = World::new().await;
    let (engine, tenant) = (&world.engine, &world.acme.tenant);
    let Signed::New(first) = engine.sign_checkpoint(tenant).await.expect("signed") else {
        panic!("a log with entries");
    };
    assert_eq!(
        engine.sign_checkpoint(tenant).await.expect("signed"),
        Signed::UpToDate(first.clone())
    );
    world.proposed("k1").await;
    // Two nodes sign at once.
    let (one, two) = tokio::join!(engine.sign_checkpoint(tenant), engine.sign_checkpoint(tenant));
    for signed in [one, two] {
        signed.expect("signed");
    }
    let auditor = world.person("auditor");
    let latest = engine
        .checkpoint(&auditor, None)
        .await
        .expect("a read")
        .expect("a checkpoint");
    assert!(latest.size > first.size);
    assert_eq!(
        engine
            .checkpoint(&auditor, Some(first.size))
            .await
            .expect("a read")
            .map(|one| one.size),
        Some(first.size)
    );
    assert_eq!(
        engine.checkpoint(&auditor, Some(first.size + 1)).await.expect("a read"),
        None
    );
    let proof = engine.audit_proof(&auditor, 1).await.expect("a proof");
    assert_eq!(proof.inclusion.map(|proof| proof.size), Some(latest.size));
    let newest = engine
        .store()
        .read(&system(&world))
        .await
        .expect("a read")
        .audit_head()
        .await
        .expect("a head");
    let proof = engine.audit_proof(&auditor, newest).await.expect("not covered yet");
    assert_eq!((proof.inclusion, proof.checkpoint), (None, None));

    let reviewer = world.person("reviewer");
    let refused = engine.audit_proof(&reviewer, 1).await.expect_err("no auditor");
    assert_eq!(refused.code(), "not_authorized");
    assert!(
        engine.checkpoint(&reviewer, None).await.is_err() && engine.audit_consistency(&reviewer, 1, 2).await.is_err()
    );
    let other = world.person_of(&world.globex, "auditor");
    assert_eq!(
        engine.checkpoint(&other, None).await.expect("a read"),
        None,
        "another tenant's log"
    );
}

#[tokio::test]
async fn without_keys_nothing_is_written() {
    let world = World::new().await;
    let runtime = loopiq::context::Runtime::new(|| loopiq::domain::Timestamp(1), |bytes| bytes.fill(1));
    let ctx = Ctx::system(world.acme.tenant.clone(), &runtime);
    let before = world.count("audit_entries").await;
    let write = world.engine.store().write::<_, Error, _>(&ctx, |tx| {
        Box::pin(async move {
            tx.record(entry(tx.ctx()));
            Ok(())
        })
    });
    let error = write.await.expect_err("no keys");
    assert!(format!("{error:?}").contains("NoLogKeys"), "{error:?}");
    assert_eq!(world.count("audit_entries").await, before);
}
