//! `loopiq helix` (stand-in until it is written).

/// What `loopiq helix` takes.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub async fn run(_args: Args) -> anyhow::Result<()> {
    anyhow::bail!("this command is not written yet")
}
