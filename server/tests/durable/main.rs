//! The real binary under failures: kills, full disks, lost databases, floods of connections. Acknowledged work is kept, and nothing happens
//! twice.

mod audit_bundle;
mod audit_key_file;
mod check_config;
mod connection_floods;
mod database_failures;
mod demo_or_production;
mod import_while_running;
mod kill_at_random;
mod proposals;
mod sample_scan;
#[cfg(unix)]
mod sqlite_files;

use loopiq_testing::{Database, Service, write_site};
use std::path::Path;
use std::process::Stdio;

/// A free address, on which a test can start a service several times.
fn address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

/// Starts a demo on this database.
fn start(database: &Database, address: &str) -> Service {
    start_with(database, address, &[])
}

/// Starts a demo with these settings.
fn start_with(database: &Database, address: &str, settings: &[(&str, &str)]) -> Service {
    start_on(Path::new(env!("CARGO_BIN_EXE_loopiq")), database, address, settings)
}

/// Starts a demo with this program.
fn start_on(bin: &Path, database: &Database, address: &str, settings: &[(&str, &str)]) -> Service {
    let site = database.folder.path().join("site");
    if !site.exists() {
        write_site(&site);
    }
    let folder = database.folder.path();
    Service::start_with(bin, &site, folder, &database.url, address, settings, Stdio::inherit()).expect("a service")
}
