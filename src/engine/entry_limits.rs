//! Limits on audit entries that a sender could cause again and again. Each process counts for itself, in memory.

use crate::domain::{TenantId, Timestamp, address_group};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Failed sign-ins that are recorded for one source address in [`FAILURE_WINDOW`].
const MAX_FAILURES: u32 = 10;
/// Denials, and refused proposals, that are recorded for one principal in [`FAILURE_WINDOW`]: more than a person or a working agent causes.
const MAX_REFUSALS: u32 = 200;
/// The time in which failures are counted, in microseconds.
const FAILURE_WINDOW: i64 = 10 * Timestamp::MINUTE;
/// A person's search is recorded again after this time, in microseconds.
const SEARCH_WINDOW: i64 = 10 * Timestamp::MINUTE;
/// Entries of a map after which outdated ones are removed. A map that is still full afterwards is cleared: the limit then begins again.
const MAX_KEYS: usize = 10_000;

/// The failures of one address, or what one principal was refused.
#[derive(Debug, Clone, Copy)]
struct Failures {
    since: Timestamp,
    recorded: u32,
    /// Failures that were not recorded since the last one that was.
    dropped: u32,
}

/// What was recorded recently. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct EntryLimits {
    failures: Arc<Mutex<HashMap<String, Failures>>>,
    searches: Arc<Mutex<HashMap<Search, Timestamp>>>,
}

/// A search: tenant, the ID of the person or program, and query.
pub(crate) type Search = (TenantId, String, String);

fn lock<T>(map: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock was held leaves a complete map: the lock only guards single changes.
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes room for a new key.
fn prune<K, V>(map: &mut HashMap<K, V>, is_current: impl Fn(&V) -> bool) {
    if map.len() >= MAX_KEYS {
        map.retain(|_, value| is_current(value));
        if map.len() >= MAX_KEYS {
            map.clear();
        }
    }
}

impl EntryLimits {
    /// Counts a failed sign-in from this address. Returns the number of failures that were not recorded since the last one that was; `None`
    /// if this one must not be recorded either.
    pub(crate) fn record_failure(&self, address: &str, now: Timestamp) -> Option<u32> {
        let network = address.parse().map(address_group);
        let key = network.map_or_else(|_| address.to_owned(), |network| network.to_string());
        self.count(format!("address {key}"), MAX_FAILURES, now)
    }

    /// Counts what a principal was refused. `what` tells principals and kinds of entries apart. The result is that of
    /// [`EntryLimits::record_failure`].
    pub(crate) fn record_refusal(&self, what: &str, now: Timestamp) -> Option<u32> {
        self.count(format!("refusal {what}"), MAX_REFUSALS, now)
    }

    fn count(&self, key: String, most: u32, now: Timestamp) -> Option<u32> {
        let mut failures = lock(&self.failures);
        let is_current = |one: &Failures| one.since.plus(FAILURE_WINDOW) > now;
        prune(&mut failures, is_current);
        let new = Failures {
            since: now,
            recorded: 0,
            dropped: 0,
        };
        let known = failures.entry(key).or_insert(new);
        if !is_current(known) {
            *known = Failures {
                dropped: known.dropped,
                ..new
            };
        }
        if known.recorded >= most {
            known.dropped = known.dropped.saturating_add(1);
            return None;
        }
        known.recorded += 1;
        Some(std::mem::take(&mut known.dropped))
    }
}

impl EntryLimits {
    /// Whether this search was not recorded in the last ten minutes.
    pub(crate) fn is_search_due(&self, search: &Search, now: Timestamp) -> bool {
        let searches = lock(&self.searches);
        searches.get(search).is_none_or(|at| at.plus(SEARCH_WINDOW) <= now)
    }

    /// Remembers that this search was recorded.
    pub(crate) fn search_recorded(&self, search: Search, now: Timestamp) {
        let mut searches = lock(&self.searches);
        prune(&mut searches, |at| at.plus(SEARCH_WINDOW) > now);
        searches.insert(search, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_records_ten_failures_in_ten_minutes_and_counts_the_others() {
        let limits = EntryLimits::default();
        let at = |minute: i64| Timestamp(minute * Timestamp::MINUTE);
        for _ in 0..10 {
            assert_eq!(limits.record_failure("192.0.2.1", at(0)), Some(0));
        }
        for minute in 0..5 {
            assert_eq!(limits.record_failure("192.0.2.1", at(minute)), None);
        }
        assert_eq!(limits.record_failure("192.0.2.2", at(5)), Some(0), "another address");
        assert_eq!(limits.record_failure("192.0.2.1", at(10)), Some(5));
        assert_eq!(limits.record_failure("192.0.2.1", at(10)), Some(0));
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_together() {
        let limits = EntryLimits::default();
        for n in 0..10 {
            assert_eq!(
                limits.record_failure(&format!("2001:db8:0:1::{n:x}"), Timestamp(0)),
                Some(0)
            );
        }
        assert_eq!(limits.record_failure("2001:db8:0:1:ffff::1", Timestamp(0)), None);
        assert_eq!(limits.record_failure("2001:db8:0:2::1", Timestamp(0)), Some(0));
    }

    #[test]
    fn many_addresses_use_a_bounded_amount_of_memory() {
        let limits = EntryLimits::default();
        for n in 0..3 * MAX_KEYS {
            limits.record_failure(&n.to_string(), Timestamp(0));
        }
        assert!(lock(&limits.failures).len() <= MAX_KEYS);
    }
}
