//! The intended figures.

/// The intended figures for one database. An empty text is none.
pub(crate) struct Targets {
    /// A proposal with three children.
    pub(crate) proposal: &'static str,
    /// Proposals by 32 clients.
    pub(crate) proposals: &'static str,
    /// A proposal with fifty children.
    pub(crate) wide: &'static str,
    /// Approve and execute 1 + 12 items.
    pub(crate) run: &'static str,
    /// The page of a waiting action.
    pub(crate) page: &'static str,
    /// The inbox, as pages per second.
    pub(crate) inbox: &'static str,
    /// The audit search.
    pub(crate) audit: &'static str,
}

/// The time from start to ready.
pub(crate) const READY: &str = "150 ms";
/// Processor time for a proposal.
pub(crate) const PROCESSOR: &str = "1.2 ms";
/// Resident memory, at its peak.
pub(crate) const MEMORY: &str = "200 MB";

/// The audit search by the length of the log.
pub(crate) const LOG: &str = "10 ms with 1,000,000 entries, and at most 2 x the time with 10,000";

/// The service with a SQLite file.
pub(crate) const SQLITE: Targets = Targets {
    proposal: "1.2 ms, 2.5 x",
    proposals: "1500/s",
    wide: "6 ms",
    run: "3 ms, 5 x",
    page: "2 ms",
    inbox: "3000/s",
    audit: "10 ms",
};

/// The service with PostgreSQL on the same machine.
pub(crate) const POSTGRES: Targets = Targets {
    proposal: "2.5 ms",
    proposals: "1000/s",
    wide: "",
    run: "7 ms",
    page: "",
    inbox: "",
    audit: "10 ms",
};

/// The service with PostgreSQL behind a round trip of 0.5 ms.
pub(crate) const POSTGRES_AWAY: Targets = Targets {
    proposal: "6 ms",
    proposals: "",
    wide: "",
    run: "15 ms",
    page: "",
    inbox: "",
    audit: "",
};
