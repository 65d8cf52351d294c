//! `loopiq audit`: the audit trail.

mod export;
mod verify_export;

pub use export::{AuditExportArgs, ExportFormat};
pub use verify_export::VerifyExportArgs;

use super::{find_tenant, open_engine, print_line};
use crate::installation::Installation;
use anyhow::{Context, Result, bail};
use loopiq::context::Runtime;
use loopiq::engine::Signed;
use loopiq_audit_log::Note;
use std::path::{Path, PathBuf};

/// The commands on the audit trail.
#[derive(Debug, clap::Subcommand)]
pub enum AuditCommand {
    /// Check every entry of the log, that none is missing, that the log continues every signed checkpoint, and that actions and decisions fit
    /// their entries. With --export: verify a bundle, without an installation.
    Verify(AuditVerifyArgs),
    /// Write the log to a file that others can verify.
    Export(AuditExportArgs),
    /// Sign a checkpoint of the log now, and print it.
    Checkpoint(AuditCheckpointArgs),
    /// Print the public keys that verify checkpoints, the one that signs first.
    Keys(AuditKeysArgs),
}

/// The arguments of `loopiq audit verify`.
#[derive(Debug, clap::Args)]
pub struct AuditVerifyArgs {
    #[command(flatten)]
    installation: Installation,
    /// The tenant. Default: all tenants.
    #[arg(long)]
    tenant: Option<String>,
    #[command(flatten)]
    export: VerifyExportArgs,
    /// A checkpoint that you have kept elsewhere, as a witness or `loopiq audit checkpoint` wrote it, or a list of them, as a folder has it: the
    /// log must continue each; of a bundle, the newest. Needs --tenant or --export.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Print one JSON object for each tenant.
    #[arg(long)]
    json: bool,
}

/// The arguments of `loopiq audit checkpoint`.
#[derive(Debug, clap::Args)]
pub struct AuditCheckpointArgs {
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
}

/// The arguments of `loopiq audit keys`.
#[derive(Debug, clap::Args)]
pub struct AuditKeysArgs {
    #[command(flatten)]
    installation: Installation,
}

/// Runs the command.
///
/// # Errors
/// An entry is invalid, and the line names the first one; or there is no such tenant.
pub async fn run(command: AuditCommand, runtime: Runtime) -> Result<()> {
    match command {
        AuditCommand::Verify(args) => verify(args, runtime).await,
        AuditCommand::Export(args) => export::run(args, runtime).await,
        AuditCommand::Checkpoint(args) => checkpoint(args, runtime).await,
        AuditCommand::Keys(args) => {
            let keys = args.installation.audit_key.load(&args.installation.data_dir)?;
            keys.public().iter().try_for_each(|key| print_line(&key.to_string()))
        }
    }
}

async fn checkpoint(args: AuditCheckpointArgs, runtime: Runtime) -> Result<()> {
    let engine = open_engine(&args.installation, &runtime).await?;
    let tenant = find_tenant(&engine, &args.tenant).await?;
    match engine.sign_checkpoint(&tenant).await? {
        Signed::New(checkpoint) | Signed::UpToDate(checkpoint) => print_line(checkpoint.note.to_string().trim_end()),
        Signed::Empty => bail!("the audit log of {tenant} is empty"),
    }
}

async fn verify(args: AuditVerifyArgs, runtime: Runtime) -> Result<()> {
    if args.tenant.is_none() && args.export.export.is_none() && !args.checkpoint.is_empty() {
        bail!("--checkpoint needs --tenant or --export: a checkpoint belongs to one log");
    }
    let mut kept: Vec<Note> = Vec::new();
    for file in &args.checkpoint {
        kept.extend(read_notes(file)?);
    }
    if let Some(export) = &args.export.export {
        return args.export.run(export, &kept, args.json);
    }
    let engine = open_engine(&args.installation, &runtime).await?;
    let tenants = match args.tenant {
        Some(name) => vec![find_tenant(&engine, &name).await?],
        None => engine.store().tenants().await?,
    };
    let mut bad = Vec::new();
    for tenant in tenants {
        let report = match engine.verify_audit(&tenant, &kept).await {
            Ok(report) => report,
            // The other tenants' logs are verified all the same.
            Err(error) => {
                if args.json {
                    print_line(&serde_json::json!({ "tenant": tenant, "error": error.to_string() }).to_string())?;
                }
                bad.push(format!("{tenant}: {error}"));
                continue;
            }
        };
        let (tenant, entries, signed, actions) = (&report.tenant, report.entries, report.signed, report.actions);
        if args.json {
            print_line(&serde_json::to_string(&report)?)?;
        }
        match &report.bad {
            Some((0, why)) => bad.push(format!("{tenant}: {why}")),
            Some((seq, why)) => bad.push(format!("{tenant}: entry {seq} {why}")),
            None if args.json => {}
            None => print_line(&format!(
                "{tenant}: {entries} entries, all valid; {signed} of them are signed; {}{}",
                match actions {
                    1 => "1 action fits its entries".to_owned(),
                    more => format!("{more} actions fit their entries"),
                },
                match kept.len() {
                    0 => String::new(),
                    1 => "; the log continues the given checkpoint".to_owned(),
                    given => format!("; the log continues the {given} given checkpoints"),
                }
            ))?,
        }
    }
    if bad.is_empty() {
        Ok(())
    } else {
        bail!(
            "{}. Change nothing yet: docs/audit-log.md says what this can mean and what to do",
            bad.join("; ").trim_end_matches('.')
        )
    }
}

/// The checkpoints in a file: one, or the list that a witness's folder has.
fn read_notes(file: &Path) -> Result<Vec<Note>> {
    let cannot = || format!("the checkpoint in {} cannot be used", file.display());
    // A mail program or an editor may have changed the line ends.
    let text = std::fs::read_to_string(file)
        .with_context(cannot)?
        .replace("\r\n", "\n");
    // An empty line stands between the text and the signatures of a note, and between two notes.
    let parts: Vec<&str> = text.trim_end().split("\n\n").collect();
    let note = |parts: &[&str]| parts.join("\n\n") + "\n";
    let notes = parts.chunks(2).map(|parts| note(parts).parse());
    notes.collect::<Result<_, _>>().with_context(cannot)
}
