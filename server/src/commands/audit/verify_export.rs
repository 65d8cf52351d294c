//! `loopiq audit verify --export`: verifies a bundle with what the person who verifies has, without an installation.

use super::export::progress_bar;
use crate::commands::print_line;
use anyhow::{Context, Result, bail};
use loopiq_audit_log::bundle::{self, Fault, Trust, read_keys};
use loopiq_audit_log::{Checkpoint, NotAKey, Note};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The arguments of `loopiq audit verify` that are about a bundle.
#[derive(Debug, clap::Args)]
pub struct VerifyExportArgs {
    /// A bundle of `loopiq audit export`, which is verified without an installation.
    #[arg(long, value_name = "PATH", requires = "key", conflicts_with = "tenant")]
    pub export: Option<PathBuf>,
    /// The public keys of the log, one in each line, from elsewhere than the bundle.
    #[arg(long, value_name = "FILE", requires = "export")]
    key: Option<PathBuf>,
    /// The public keys of witnesses, one in each line. Each of them must have signed a checkpoint of the bundle, or the given one.
    #[arg(long, value_name = "FILE", requires = "export")]
    witness: Option<PathBuf>,
}

impl VerifyExportArgs {
    /// Verifies the bundle and prints what was verified.
    ///
    /// # Errors
    /// The bundle is not valid, and the line names the first bad entry; or a file cannot be used.
    pub fn run(&self, export: &Path, checkpoints: &[Note], json: bool) -> Result<()> {
        let size = |note: &&Note| note.text.parse().map_or(0, |checkpoint: Checkpoint| checkpoint.size);
        let trust = Trust {
            keys: keys_of(self.key.as_deref())?,
            witnesses: keys_of(self.witness.as_deref())?,
            // The newest includes the others.
            checkpoint: checkpoints.iter().max_by_key(size).map(Note::to_string),
        };
        let name = export.display();
        let file = File::open(export).with_context(|| format!("{name} cannot be read"))?;
        let bar = progress_bar()?;
        let verified = bundle::verify(BufReader::with_capacity(1 << 20, file), &trust, |done, of| {
            bar.set_length(of);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        let report = match verified {
            Ok(report) => report,
            Err(fault) => {
                if json {
                    print_line(&bad(&fault).to_string())?;
                }
                bail!("{name} is not valid: {fault}");
            }
        };
        if !report.verifier_is_known {
            eprintln!("loopiq: verify.py in {name} is not that of this version; use one from a place that you trust");
        }
        print_line(&if json {
            serde_json::to_string(&report)?
        } else {
            report.to_string()
        })
    }
}

/// A fault as JSON: the entries among which the first bad one is, and the reason.
fn bad(fault: &Fault) -> serde_json::Value {
    let entries = fault.entries().map(|entries| [*entries.start(), *entries.end()]);
    serde_json::json!({ "bad": { "entries": entries, "reason": fault.to_string() } })
}

fn text(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

fn keys_of<K: FromStr<Err = NotAKey>>(file: Option<&Path>) -> Result<Vec<K>> {
    file.map_or(Ok(Vec::new()), |file| {
        read_keys(&text(file)?).with_context(|| format!("the keys in {} cannot be used", file.display()))
    })
}
