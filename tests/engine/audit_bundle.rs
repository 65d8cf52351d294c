//! Bundles of the audit log: what an export contains, and that a verifier without the database accepts it or names what was changed.

use crate::world::World;
use loopiq::context::Ctx;
use loopiq::engine::{ExportError, Exported};
use loopiq_audit_log::bundle::{self, Fault, Report, Trust};
use loopiq_audit_log::{Note, SigningKey};

/// A bundle of acme's log.
pub(crate) async fn export(world: &World) -> Result<(Vec<u8>, Exported), ExportError> {
    let ctx = Ctx::command(world.acme.tenant.clone(), world.engine.runtime());
    world.engine.export_bundle(&ctx, Vec::new(), true, &[], |_, _| ()).await
}

/// What somebody has who verifies: the log's public key, and perhaps a checkpoint that they kept.
pub(crate) fn trust(world: &World, kept: Option<&Note>) -> Trust {
    let keys = world.engine.runtime().log_keys().expect("keys").public();
    Trust {
        keys,
        witnesses: Vec::new(),
        checkpoint: kept.map(ToString::to_string),
    }
}

/// Exports the log and verifies the bundle by the key and the checkpoint that somebody kept.
pub(crate) async fn verified(world: &World, kept: &Note) -> Result<(Report, Exported), Fault> {
    let (bundle, exported) = export(world).await.expect("an export");
    bundle::verify(bundle.as_slice(), &trust(world, Some(kept)), |_, _| ()).map(|report| (report, exported))
}

/// The entry or the entries among which the verifier says the first bad one is.
pub(crate) async fn first_bad(world: &World, kept: &Note) -> std::ops::RangeInclusive<i64> {
    let fault = verified(world, kept).await.expect_err("a bad bundle");
    let entries = fault.entries().unwrap_or_else(|| panic!("{fault}"));
    *entries.start() as i64..=*entries.end() as i64
}

#[tokio::test]
async fn a_bundle_contains_the_whole_log() {
    let world = World::new().await;
    let mut sizes = Vec::new();
    for n in 0..3 {
        world.story(n).await;
        let (bundle, exported) = export(&world).await.expect("an export");
        assert!(exported.tampered.is_none() && exported.written.fits);
        assert_eq!(exported.written.bytes, bundle.len() as u64);
        let report = bundle::verify(bundle.as_slice(), &trust(&world, None), |_, _| ()).expect("valid");
        assert_eq!(report.entries, exported.written.entries);
        assert_eq!((report.contents, report.older_checkpoints), (report.entries, n));
        assert!(report.verifier_is_known && report.tenant == "acme");
        sizes.push((report.entries, exported.written.digest));
    }
    assert!(sizes.is_sorted_by_key(|(size, _)| *size));
    // Each export is an entry.
    let ctx = Ctx::command(world.acme.tenant.clone(), world.engine.runtime());
    let mut tx = world.engine.store().read(&ctx).await.expect("a read");
    let entries = tx.audit_stretch(0, 1_000).await.expect("entries");
    let details: Vec<_> = entries.iter().filter(|entry| entry.event == "audit.exported").collect();
    let recorded: Vec<_> = details
        .iter()
        .map(|entry| &entry.content.details)
        .map(|details| (details["last"].as_u64().expect("a number"), details["digest"].clone()))
        .collect();
    let expected: Vec<_> = sizes
        .iter()
        .map(|(size, digest)| (*size, digest.to_string().into()))
        .collect();
    assert_eq!(recorded, expected);
    assert_eq!(details[0].content.actor, loopiq::domain::Actor::System);
}

#[tokio::test]
async fn bundles_without_contents_and_with_cosignatures() {
    let world = World::new().await;
    let witness = SigningKey::new("witness.example/w1", &[9; 32]).expect("a key");
    let ctx = Ctx::command(world.acme.tenant.clone(), world.engine.runtime());
    world.story(1).await;
    export(&world).await.expect("an export");
    let mut tx = world.engine.store().read(&ctx).await.expect("a read");
    let seen = tx.latest_checkpoint().await.expect("a read").expect("a checkpoint");
    drop(tx);
    let signature = seen.note.cosignature(&witness, 1_790_000_000);
    let tenant = &world.acme.tenant;
    let answered = world
        .engine
        .witness_answered(tenant, witness.public().name(), seen.size, Ok(Some(signature)));
    answered.await.expect("stored");
    world.story(2).await;
    let witnesses = [witness.cosigner()];
    let mut told = Vec::new();
    let progress = |done, of| told.push((done, of));
    let exported = world
        .engine
        .export_bundle(&ctx, Vec::new(), false, &witnesses, progress)
        .await;
    let (bundle, exported) = exported.expect("an export");
    let size = exported.written.entries;
    assert_eq!(told, [(0, size), (size, size)]);
    let trust = Trust {
        witnesses: witnesses.to_vec(),
        ..trust(&world, Some(&seen.note))
    };
    let report = bundle::verify(bundle.as_slice(), &trust, |_, _| ()).expect("valid");
    assert_eq!((report.contents, report.with_contents), (0, false));
    assert_eq!(report.witnesses[0].size, seen.size);
    assert!(report.earlier == Some(seen.size) && seen.size < size);
}

#[tokio::test]
async fn an_empty_log_has_no_bundle() {
    let world = World::new().await;
    let empty = Ctx::command("nobody".to_owned().try_into().expect("a name"), world.engine.runtime());
    let outcome = world
        .engine
        .export_bundle(&empty, Vec::new(), true, &[], |_, _| ())
        .await;
    assert!(matches!(outcome, Err(ExportError::Empty)), "{outcome:?}");
}
