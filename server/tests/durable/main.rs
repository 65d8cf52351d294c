//! The real binary, killed and starved: what was acknowledged is kept, and nothing happens twice.

mod crash;
mod faults;
mod imports;
mod kind;
mod reach;
#[path = "../router/support/site.rs"]
mod site;

use loopiq_testing::{Database, Service};
use std::path::Path;

/// An address that is free now, so that a service can be started on it again and again.
fn address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

/// Starts the demo on this database.
fn start(database: &Database, address: &str) -> Service {
    start_with(database, address, &[])
}

/// The same with settings of its own.
fn start_with(database: &Database, address: &str, settings: &[(&str, &str)]) -> Service {
    let site = database.folder.path().join("site");
    if !site.exists() {
        site::write(&site);
    }
    let bin = Path::new(env!("CARGO_BIN_EXE_loopiq"));
    Service::start_with(bin, &site, database.folder.path(), &database.url, address, settings).expect("a service")
}
