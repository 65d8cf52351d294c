//! Where a connection stands: what the connection itself writes, and whoever has to make room reads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// For a request: nothing of one has come.
    Idle,
    /// For the rest of a request's head.
    Head,
    /// For the rest of a request's body. Nothing has been done for it: bodies are read whole before anybody acts on them.
    Body,
    /// For the client to take the answer.
    Sending,
    /// For the service: the request is being answered.
    Working,
}

const PHASES: [Phase; 5] = [Phase::Idle, Phase::Head, Phase::Body, Phase::Sending, Phase::Working];
const PHASE_BITS: u32 = 3;

/// One connection's state. Times are milliseconds since the listener began.
#[derive(Debug)]
pub(super) struct State {
    began: Instant,
    /// The phase in the lowest bits, and above them since when.
    phase: AtomicU64,
    /// Since when the client takes nothing of what is sent to it; 0: it takes it.
    blocked: AtomicU64,
    /// Rung when the connection has to make room.
    close: Notify,
}

impl State {
    /// A connection that was just accepted.
    pub(super) fn new(began: Instant) -> Self {
        let state = Self {
            began,
            phase: AtomicU64::default(),
            blocked: AtomicU64::default(),
            close: Notify::new(),
        };
        state.enter(Phase::Idle);
        state
    }

    /// Milliseconds since the listener began; never 0, which stands for "not at all".
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis())
            .unwrap_or(u64::MAX >> PHASE_BITS)
            .saturating_add(1)
    }

    fn instant(&self, millis: u64) -> Instant {
        self.began + Duration::from_millis(millis)
    }

    /// The phase, and since when (in the listener's milliseconds).
    pub(super) fn phase(&self) -> (Phase, u64) {
        let bits = self.phase.load(Ordering::Relaxed);
        let index = (bits & ((1 << PHASE_BITS) - 1)) as usize;
        (PHASES.get(index).copied().unwrap_or(Phase::Working), bits >> PHASE_BITS)
    }

    /// Enters a phase now.
    pub(super) fn enter(&self, phase: Phase) {
        self.phase
            .store(self.now() << PHASE_BITS | phase as u64, Ordering::Relaxed);
    }

    /// Enters a phase now, out of another one alone.
    pub(super) fn leave(&self, from: Phase, to: Phase) {
        if self.phase().0 == from {
            self.enter(to);
        }
    }

    /// Bytes came.
    pub(super) fn received(&self) {
        match self.phase().0 {
            Phase::Idle => self.enter(Phase::Head),
            // Its time counts from the last progress: who sends slowly is not who sends nothing.
            Phase::Body => self.enter(Phase::Body),
            _ => {}
        }
    }

    /// The client took bytes, or would not.
    pub(super) fn sent(&self, taken: bool) {
        if taken {
            if self.blocked.load(Ordering::Relaxed) != 0 {
                self.blocked.store(0, Ordering::Relaxed);
            }
        } else if self.blocked.load(Ordering::Relaxed) == 0 {
            self.blocked.store(self.now(), Ordering::Relaxed);
        }
    }

    /// Since when the client takes nothing.
    pub(super) fn blocked(&self) -> Option<Instant> {
        let since = self.blocked.load(Ordering::Relaxed);
        (since != 0).then(|| self.instant(since))
    }

    /// Since when it is in its phase.
    pub(super) fn since(&self) -> (Phase, Instant) {
        let (phase, since) = self.phase();
        (phase, self.instant(since))
    }

    /// Since when this connection could be missed: it waits for its client. `None` while the service works for it, or the client
    /// takes its answer. What has waited longest can be missed best.
    pub(super) fn dispensable(&self) -> Option<u64> {
        match self.phase() {
            (Phase::Working, _) => None,
            (Phase::Sending, _) => match self.blocked.load(Ordering::Relaxed) {
                0 => None,
                since => Some(since),
            },
            (_, since) => Some(since),
        }
    }

    /// Tells the connection to close.
    pub(super) fn dismiss(&self) {
        self.close.notify_one();
    }

    /// Ends when the connection has to close.
    pub(super) async fn dismissed(&self) {
        self.close.notified().await;
    }
}
