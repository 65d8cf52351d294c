//! The limits on connections, and their settings.

use clap::builder::RangedU64ValueParser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::SocketAddr;
use std::time::Duration;

/// The defaults of the settings.
const DEFAULTS: Limits = Limits {
    connections: 2_048,
    connections_per_address: 256,
    head: Duration::from_secs(10),
    idle: Duration::from_secs(75),
    send: Duration::from_secs(30),
    request: Duration::from_secs(30),
    head_bytes: 64 << 10,
};
/// The number of open files that the process requests from the system, within the system's hard limit.
const WANTED_FILES: u64 = 16_384;

/// The settings of the limits on connections. `docs/limits.md` explains the defaults.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Connections")]
pub struct ConnectionArgs {
    /// Maximum number of connections. Default: 2048, or three quarters of the files that the process may open if that is less. At the
    /// limit, a new connection replaces one that waits for its client.
    #[arg(long, env = "LOOPIQ_MAX_CONNECTIONS", value_name = "N", value_parser = count())]
    max_connections: Option<u64>,
    /// Maximum number of connections from one address (IPv6: one /64), except trusted proxies. At the limit, a new connection replaces one
    /// of the same address that waits for its client. Browsers open six, and a whole office may share an address.
    #[arg(long, env = "LOOPIQ_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = DEFAULTS.connections_per_address as u64, value_name = "N", value_parser = count())]
    max_connections_per_address: u64,
    /// Time limit for the head of a request, from its first byte. A head takes a few packets, which bad networks deliver within seconds.
    #[arg(long, env = "LOOPIQ_HEAD_TIMEOUT", default_value_t = DEFAULTS.head.as_secs(), value_name = "SECONDS", value_parser = seconds())]
    head_timeout: u64,
    /// Time limit of a connection without a request. Longer than the 60 seconds of common proxies, so that the proxy closes an idle
    /// connection first.
    #[arg(long, env = "LOOPIQ_IDLE_TIMEOUT", default_value_t = DEFAULTS.idle.as_secs(), value_name = "SECONDS", value_parser = seconds())]
    idle_timeout: u64,
    /// Time limit for a client that accepts no data of a response. A slow but steady transfer is not interrupted.
    #[arg(long, env = "LOOPIQ_SEND_TIMEOUT", default_value_t = DEFAULTS.send.as_secs(), value_name = "SECONDS", value_parser = seconds())]
    send_timeout: u64,
    /// Time limit of a request from the end of its head to the head of the response: sending the body and handling.
    #[arg(long, env = "LOOPIQ_REQUEST_TIMEOUT", default_value_t = DEFAULTS.request.as_secs(), value_name = "SECONDS", value_parser = seconds())]
    request_timeout: u64,
    /// Maximum size of a request's head: the request line and up to 100 headers. Cookies and long searches fit many times over.
    #[arg(long, env = "LOOPIQ_MAX_HEAD_BYTES", default_value_t = DEFAULTS.head_bytes as u64, value_name = "BYTES", value_parser = RangedU64ValueParser::<u64>::new().range(8_192..=1_048_576))]
    max_head_bytes: u64,
    /// An additional address for `/metrics`, `/healthz` and `/readyz`. Without it, the service's own address serves `/metrics` only if the
    /// public URL is on loopback, and only to loopback.
    #[arg(long, env = "LOOPIQ_METRICS_LISTEN", value_name = "ADDR:PORT")]
    pub(crate) metrics_listen: Option<SocketAddr>,
}

fn count() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..=1_000_000)
}

fn seconds() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..=3_600)
}

/// The limits of a listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The number of connections.
    pub connections: usize,
    /// The number of connections from one address.
    pub connections_per_address: usize,
    /// The time for the head of a request, from its first byte.
    pub head: Duration,
    /// The time until the next request.
    pub idle: Duration,
    /// The time for which a client may accept no data of a response.
    pub send: Duration,
    /// The time from the end of a request's head to the head of the response.
    pub request: Duration,
    /// The size of a request's head, in bytes.
    pub head_bytes: usize,
}

impl ConnectionArgs {
    /// The limits of this process. Raises the process's limit of open files where the system allows it.
    pub fn limits(&self) -> Limits {
        // A quarter of the files is left for the database and other needs.
        let available = raise_file_limit() / 4 * 3;
        if let Some(asked) = self.max_connections.filter(|asked| *asked > available) {
            tracing::warn!(
                asked,
                available,
                "the setting allows more connections than the system lets the process open; raise the limit of open files"
            );
        }
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Limits {
            connections: self
                .max_connections
                .map_or(DEFAULTS.connections.min(size(available)).max(1), size),
            connections_per_address: size(self.max_connections_per_address),
            head: Duration::from_secs(self.head_timeout),
            idle: Duration::from_secs(self.idle_timeout),
            send: Duration::from_secs(self.send_timeout),
            request: Duration::from_secs(self.request_timeout),
            head_bytes: size(self.max_head_bytes),
        }
    }
}

/// Raises the limit of open files as far as the system allows, and returns it.
fn raise_file_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let (now, most) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    let wish = most.min(WANTED_FILES);
    if now >= wish {
        return now;
    }
    let asked = Rlimit {
        current: Some(wish),
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, asked) {
        Ok(()) => wish,
        Err(_) => now,
    }
}

impl Default for Limits {
    /// The defaults of the settings.
    fn default() -> Self {
        DEFAULTS
    }
}
