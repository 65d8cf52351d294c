//! The state of a connection. The connection's task writes it, and the registry reads it to choose a connection to evict.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// What happens on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waits for a request, of which no byte has arrived.
    Idle,
    /// Waits for the rest of a request's head.
    Head,
    /// Waits for the rest of a request's body. No handler has run yet, because `http::limits` reads the whole body first.
    Body,
    /// Waits for the client to accept the response.
    Sending,
    /// The service handles the request.
    Working,
}

const PHASES: [Phase; 5] = [Phase::Idle, Phase::Head, Phase::Body, Phase::Sending, Phase::Working];
const PHASE_BITS: u32 = 3;

/// The state of a connection. Times are milliseconds since the listener started.
#[derive(Debug)]
pub(super) struct ConnectionState {
    listener_start: Instant,
    /// The phase in the lowest bits, and the time of its start in the others.
    phase: AtomicU64,
    /// The time since which the client accepts no data; 0 if it does.
    blocked: AtomicU64,
    /// Notified when the connection is evicted.
    evict: Notify,
}

impl ConnectionState {
    /// The state of a connection that was just accepted.
    pub(super) fn new(listener_start: Instant) -> Self {
        let state = Self {
            listener_start,
            phase: AtomicU64::default(),
            blocked: AtomicU64::default(),
            evict: Notify::new(),
        };
        state.enter(Phase::Idle);
        state
    }

    /// Milliseconds since the listener started, plus 1: `blocked` uses 0 for "not blocked".
    fn now(&self) -> u64 {
        u64::try_from(self.listener_start.elapsed().as_millis())
            .unwrap_or(u64::MAX >> PHASE_BITS)
            .saturating_add(1)
    }

    fn instant(&self, millis: u64) -> Instant {
        self.listener_start + Duration::from_millis(millis)
    }

    /// The phase and the time of its start.
    pub(super) fn phase(&self) -> (Phase, u64) {
        let bits = self.phase.load(Ordering::Relaxed);
        let index = (bits & ((1 << PHASE_BITS) - 1)) as usize;
        (PHASES.get(index).copied().unwrap_or(Phase::Working), bits >> PHASE_BITS)
    }

    /// Enters a phase.
    pub(super) fn enter(&self, phase: Phase) {
        self.phase
            .store(self.now() << PHASE_BITS | phase as u64, Ordering::Relaxed);
    }

    /// Enters the phase `to` if the current one is `from`.
    pub(super) fn transition(&self, from: Phase, to: Phase) {
        if self.phase().0 == from {
            self.enter(to);
        }
    }

    /// Records that bytes arrived.
    pub(super) fn received(&self) {
        match self.phase().0 {
            Phase::Idle => self.enter(Phase::Head),
            // Restarts the phase's time, so that a slow client is evicted after a silent one.
            Phase::Body => self.enter(Phase::Body),
            _ => {}
        }
    }

    /// Records whether the client accepted bytes.
    pub(super) fn sent(&self, accepted: bool) {
        if accepted {
            if self.blocked.load(Ordering::Relaxed) != 0 {
                self.blocked.store(0, Ordering::Relaxed);
            }
        } else if self.blocked.load(Ordering::Relaxed) == 0 {
            self.blocked.store(self.now(), Ordering::Relaxed);
        }
    }

    /// The time since which the client accepts no data.
    pub(super) fn blocked_since(&self) -> Option<Instant> {
        let since = self.blocked.load(Ordering::Relaxed);
        (since != 0).then(|| self.instant(since))
    }

    /// The phase and the time of its start, as an `Instant`.
    pub(super) fn phase_since(&self) -> (Phase, Instant) {
        let (phase, since) = self.phase();
        (phase, self.instant(since))
    }

    /// The time since which the connection waits for its client and may be evicted. `None` while the service handles a request or
    /// the client accepts the response.
    pub(super) fn evictable_since(&self) -> Option<u64> {
        match self.phase() {
            (Phase::Working, _) => None,
            (Phase::Sending, _) => match self.blocked.load(Ordering::Relaxed) {
                0 => None,
                since => Some(since),
            },
            (_, since) => Some(since),
        }
    }

    /// Tells the connection's task to close it.
    pub(super) fn evict(&self) {
        self.evict.notify_one();
    }

    /// Waits until the connection is evicted.
    pub(super) async fn evicted(&self) {
        self.evict.notified().await;
    }
}
