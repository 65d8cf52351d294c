//! Checkpoints in a folder: `TENANT.checkpoint` is the latest one, and `TENANT.checkpoints` has all of them.

use crate::file_permissions;
use loopiq::domain::TenantId;
use loopiq::engine::WitnessUpdate;
use loopiq_audit_log::{Checkpoint, Note};
use std::io::Write as _;
use std::path::Path;

/// Writes the checkpoint. The list gets it first, because the latest one says what was delivered.
pub(super) fn store(folder: &Path, tenant: &TenantId, update: &WitnessUpdate) -> Result<(), String> {
    let cannot = |error: std::io::Error| format!("{} cannot be written: {error}", folder.display());
    let note = update.checkpoint.note.to_string();
    file_permissions::create_dir(folder).map_err(cannot)?;
    let latest = folder.join(format!("{tenant}.checkpoint"));
    if let Some(known) = read(&latest)
        && (known.size > update.checkpoint.size
            || (known.size == update.checkpoint.size && !note.starts_with(&known.to_string())))
    {
        return Err(format!(
            "it has a checkpoint of {} entries that this log does not continue: {}",
            known.size,
            latest.display()
        ));
    }
    let mut list = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join(format!("{tenant}.checkpoints")))
        .map_err(cannot)?;
    // An empty line ends each note, as an empty line also separates its text from its signatures: a reader splits at the origin's line.
    list.write_all(format!("{note}\n").as_bytes())
        .and_then(|()| list.sync_data())
        .map_err(cannot)?;
    file_permissions::write(&latest, note.as_bytes()).map_err(cannot)
}

/// The checkpoint in a file; `None` if there is none.
fn read(file: &Path) -> Option<Checkpoint> {
    let note: Note = std::fs::read_to_string(file).ok()?.parse().ok()?;
    note.text.parse().ok()
}
