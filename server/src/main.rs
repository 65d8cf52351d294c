//! The binary `loopiq`.

use clap::Parser;
use loopiq::context::Runtime;
use loopiq::domain::Timestamp;
use loopiq_server::settings::Cli;
use loopiq_server::{commands, ops, private};
use std::process::ExitCode;

/// A request makes many small values in one thread and drops them in another; the system's allocator takes locks for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    private::begin();
    let cli = Cli::parse();
    let outcome = ops::log::start(&cli.log).and_then(|()| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(commands::run(cli, machine()))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loopiq: {}", commands::one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// The machine's clock and its source of randomness: the only place where they are asked.
fn machine() -> Runtime {
    Runtime::new(
        || {
            #[expect(
                clippy::disallowed_methods,
                reason = "the clock of the service; everybody else is given it"
            )]
            let now = time::OffsetDateTime::now_utc();
            Timestamp(i64::try_from(now.unix_timestamp_nanos() / 1_000).unwrap_or_default())
        },
        |bytes| {
            if let Err(error) = getrandom::fill(bytes) {
                // Secrets and IDs would be known beforehand: better nothing than that.
                eprintln!("loopiq: the system gives no random bytes: {error}");
                std::process::abort();
            }
        },
    )
}
