//! The limits on connections, as settings.

use clap::builder::RangedU64ValueParser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::SocketAddr;
use std::time::Duration;

/// The defaults.
const DEFAULTS: Limits = Limits {
    connections: 2_048,
    connections_per_address: 256,
    head: Duration::from_secs(10),
    idle: Duration::from_secs(75),
    send: Duration::from_secs(30),
    request: Duration::from_secs(30),
    head_bytes: 64 << 10,
};
/// How many files the process asks the system for, if it may have them.
const FILES: u64 = 16_384;

/// Connections and how long they may take. `docs/limits.md` says why each default is what it is.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Connections")]
pub struct ConnectionArgs {
    /// Most connections at a time. Default: 2048, or three quarters of the files that the process may open, if that is less. A new
    /// connection takes the place of one that waits for its client.
    #[arg(long, env = "LOOPIQ_MAX_CONNECTIONS", value_name = "N", value_parser = count())]
    max_connections: Option<u64>,
    /// Most connections from one address (IPv6: from one /64); trusted proxies have no such limit. The next one takes the place of
    /// one of the same address that waits for its client: browsers open six, and a whole office may share an address.
    #[arg(long, env = "LOOPIQ_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = DEFAULTS.connections_per_address as u64, value_name = "N", value_parser = count())]
    max_connections_per_address: u64,
    /// How long the head of a request may take from its first byte on. Heads come in one piece or two, over bad networks in seconds.
    #[arg(long, env = "LOOPIQ_HEAD_TIMEOUT", default_value_t = DEFAULTS.head.as_secs(), value_name = "SECONDS", value_parser = seconds())]
    head_timeout: u64,
    /// How long a connection may wait for its next request. More than the 60 seconds that proxies keep theirs, so that it is the
    /// proxy that closes them.
    #[arg(long, env = "LOOPIQ_IDLE_TIMEOUT", default_value_t = DEFAULTS.idle.as_secs(), value_name = "SECONDS", value_parser = seconds())]
    idle_timeout: u64,
    /// How long a client may take nothing of an answer. What moves is never cut off.
    #[arg(long, env = "LOOPIQ_SEND_TIMEOUT", default_value_t = DEFAULTS.send.as_secs(), value_name = "SECONDS", value_parser = seconds())]
    send_timeout: u64,
    /// How long a request may take from the end of its head to the head of its answer: to be sent, and to be answered.
    #[arg(long, env = "LOOPIQ_REQUEST_TIMEOUT", default_value_t = DEFAULTS.request.as_secs(), value_name = "SECONDS", value_parser = seconds())]
    request_timeout: u64,
    /// The largest head of a request, in bytes: request line and headers, of which there are 100 at most. Cookies and long searches
    /// fit many times over.
    #[arg(long, env = "LOOPIQ_MAX_HEAD_BYTES", default_value_t = DEFAULTS.head_bytes as u64, value_name = "BYTES", value_parser = RangedU64ValueParser::<u64>::new().range(8_192..=1_048_576))]
    max_head_bytes: u64,
    /// Where `/metrics`, `/healthz` and `/readyz` are served beside the service's own address. Without it, `/metrics` is there only
    /// while the public URL is on loopback, and only for loopback.
    #[arg(long, env = "LOOPIQ_METRICS_LISTEN", value_name = "ADDR:PORT")]
    pub(crate) metrics_listen: Option<SocketAddr>,
}

fn count() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..=1_000_000)
}

fn seconds() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..=3_600)
}

/// What a listener allows.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections in total.
    pub connections: usize,
    /// Connections from one address.
    pub connections_per_address: usize,
    /// For the head of a request, from its first byte on.
    pub head: Duration,
    /// For the next request.
    pub idle: Duration,
    /// For a client that takes nothing of an answer.
    pub send: Duration,
    /// For the body of a request and the head of its answer, together.
    pub request: Duration,
    /// The head of a request, in bytes.
    pub head_bytes: usize,
}

impl ConnectionArgs {
    /// The limits for this process. Asks the system for more files, if it gives them.
    pub fn limits(&self) -> Limits {
        let room = files() / 4 * 3;
        if let Some(asked) = self.max_connections.filter(|asked| *asked > room) {
            tracing::warn!(
                asked,
                room,
                "more connections are allowed than the system lets the process open; raise its limit of open files"
            );
        }
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Limits {
            connections: self
                .max_connections
                .map_or(DEFAULTS.connections.min(size(room)).max(1), size),
            connections_per_address: size(self.max_connections_per_address),
            head: Duration::from_secs(self.head_timeout),
            idle: Duration::from_secs(self.idle_timeout),
            send: Duration::from_secs(self.send_timeout),
            request: Duration::from_secs(self.request_timeout),
            head_bytes: size(self.max_head_bytes),
        }
    }
}

/// How many files the process may open, after it has asked for more.
fn files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let (now, most) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    let wish = most.min(FILES);
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
