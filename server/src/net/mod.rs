//! Connections: who may connect, how many connections are open, and for how long.
//!
//! [`listener`] accepts a connection, [`connection_registry`] counts it and [`connection`] serves it. Each request carries the
//! address of its peer ([`Peer`]). Only the function [`client_address`] determines the address of the client behind a proxy.

mod client_address;
mod connection;
mod connection_registry;
mod connection_state;
mod evidence_limits;
mod limits;
mod listener;
mod rate_limits;

pub use client_address::{ClientAddress, Peer, TrustedProxies, client_address};
pub use evidence_limits::{EvidenceArgs, EvidenceLimits};
pub use limits::{ConnectionArgs, Limits};
pub use listener::serve;
pub use rate_limits::{Rate, RateKey, RateLimitArgs, RateLimits};

use std::time::Duration;

/// The settings of the network that request handlers use.
#[derive(Debug, Clone)]
pub struct RequestSettings {
    /// The proxies whose headers about the client's address are trusted.
    pub proxies: TrustedProxies,
    /// The rate limits.
    pub rate_limits: RateLimits,
    /// The time from the end of a request's head to the head of the response.
    pub timeout: Duration,
    /// Whether the service's own address serves `/metrics`.
    pub serve_metrics: bool,
    /// The limits on evidence that programs send.
    pub evidence: EvidenceLimits,
}

impl Default for RequestSettings {
    fn default() -> Self {
        Self {
            proxies: TrustedProxies::default(),
            rate_limits: RateLimits::default(),
            timeout: Limits::default().request,
            serve_metrics: false,
            evidence: EvidenceLimits::default(),
        }
    }
}
