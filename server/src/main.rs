//! The binary `loopiq`.

use clap::Parser;
use loopiq::context::Runtime;
use loopiq::domain::Timestamp;
use loopiq_server::cli::Cli;
use loopiq_server::commands::one_line;
use loopiq_server::{file_permissions, operations};
use std::process::ExitCode;

/// A request allocates many small values in one thread and frees them in another. The system's allocator takes a lock for each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    file_permissions::set_umask();
    let cli = Cli::parse();
    let outcome = operations::log::start(&cli.log).and_then(|()| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(cli.run(machine()))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loopiq: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// The machine's clock and random number generator. No other code reads them.
fn machine() -> Runtime {
    Runtime::new(
        || {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place that reads the clock; other code is given the time"
            )]
            let now = time::OffsetDateTime::now_utc();
            Timestamp(i64::try_from(now.unix_timestamp_nanos() / 1_000).unwrap_or_default())
        },
        |bytes| {
            if let Err(error) = getrandom::fill(bytes) {
                // Without random bytes, secrets and IDs would be predictable.
                eprintln!("loopiq: the system gives no random bytes: {error}");
                std::process::abort();
            }
        },
    )
}
