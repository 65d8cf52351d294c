//! The edge of the service: who connects from where, how many at a time, and for how long.
//!
//! A connection is accepted by [`listener`], counted by [`crowd`] and watched by [`connection`]. Requests carry the address of
//! their peer ([`Peer`]); the address of the client behind it comes from one function, [`client_address`].

mod client;
mod connection;
mod crowd;
mod listener;
mod rates;
mod settings;
mod state;

pub use client::{ClientAddress, Peer, TrustedProxies, client_address, group_of};
pub use listener::serve;
pub use rates::{Rate, RateArgs, Rates, Whose};
pub use settings::{ConnectionArgs, Limits};

use std::time::Duration;

/// What the doors need to know of the edge.
#[derive(Debug, Clone, Default)]
pub struct Edge {
    /// Whose word about a client's address is taken.
    pub proxies: TrustedProxies,
    /// How much somebody may ask for.
    pub rates: Rates,
    /// How long a request may take.
    pub request_timeout: RequestTimeout,
    /// Whether `/metrics` is on the service's own address.
    pub metrics: bool,
}

/// How long a request may take from the end of its head to the head of its answer.
#[derive(Debug, Clone, Copy)]
pub struct RequestTimeout(pub Duration);

impl Default for RequestTimeout {
    fn default() -> Self {
        Self(Limits::default().request)
    }
}
