//! The registry of open connections, which limits their number in total and for each address.
//!
//! At a limit, a new connection evicts an old one that waits for its client (see [`ConnectionState::evictable_since`]): at the limit of an
//! address, one of the same address; at the total limit, one of the address with the most connections. A client that holds many connections
//! open therefore loses its own, and other requests from its address are still answered. A new connection is refused only while the service
//! works on a request of every other one.

use super::client_address::TrustedProxies;
use super::connection_state::ConnectionState;
use loopiq::domain::address_group;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The open connections of a listener.
#[derive(Debug)]
pub(super) struct ConnectionRegistry {
    /// The limits from the settings.
    max: usize,
    max_per_address: usize,
    proxies: TrustedProxies,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next_id: u64,
    count: usize,
    /// The current total limit: lower than that of the settings while the system is short of resources.
    max: usize,
    /// The connections by address group. `None`: those of trusted proxies, which forward requests of many clients.
    groups: HashMap<Option<IpAddr>, HashMap<u64, Arc<ConnectionState>>>,
}

/// One registered connection. Dropping it removes the connection from the registry.
#[derive(Debug)]
pub(super) struct Registration {
    registry: Arc<ConnectionRegistry>,
    group: Option<IpAddr>,
    id: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.table().remove(self.group, self.id);
    }
}

impl ConnectionRegistry {
    pub(super) fn new(max: usize, max_per_address: usize, proxies: TrustedProxies) -> Self {
        Self {
            max,
            max_per_address,
            proxies,
            table: Mutex::new(Table {
                max,
                ..Table::default()
            }),
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // No code panics in the middle of a change, so a poisoned table is consistent.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a connection, and evicts another one at a limit. `None` if the service works on a request of every other connection.
    pub(super) fn register(self: &Arc<Self>, address: IpAddr, state: &Arc<ConnectionState>) -> Option<Registration> {
        let address = address.to_canonical();
        let group = (!self.proxies.contains(address)).then(|| address_group(address));
        let mut table = self.table();
        if group.is_some()
            && table.groups.get(&group).map_or(0, HashMap::len) >= self.max_per_address
            && !table.evict_from(group)
        {
            return None;
        }
        if table.count >= table.max && !table.evict_any() {
            return None;
        }
        let id = table.next_id;
        table.next_id += 1;
        table.count += 1;
        table.groups.entry(group).or_default().insert(id, state.clone());
        Some(Registration {
            registry: self.clone(),
            group,
            id,
        })
    }

    /// Lowers the limit to nine tenths of the open connections, because the process has no file descriptor or memory left to accept
    /// another. The rest of the service needs some too.
    pub(super) fn shrink(&self) {
        let mut table = self.table();
        table.max = (table.count / 10 * 9).max(1);
        while table.count > table.max && table.evict_any() {}
    }

    /// Restores the limit of the settings, because the shortage may be over.
    pub(super) fn restore(&self) {
        self.table().max = self.max;
    }
}

impl Table {
    /// Removes a connection. `None` if it was evicted before.
    fn remove(&mut self, group: Option<IpAddr>, id: u64) -> Option<Arc<ConnectionState>> {
        let states = self.groups.get_mut(&group)?;
        let removed = states.remove(&id)?;
        if states.is_empty() {
            self.groups.remove(&group);
        }
        self.count -= 1;
        Some(removed)
    }

    fn evict(&mut self, found: Option<(Option<IpAddr>, u64)>) -> bool {
        let removed = found.and_then(|(group, id)| self.remove(group, id));
        if let Some(state) = &removed {
            state.evict();
        }
        removed.is_some()
    }

    /// Evicts the connection of this group that has waited longest for its client.
    fn evict_from(&mut self, group: Option<IpAddr>) -> bool {
        let states = self.groups.get(&group).into_iter().flatten();
        let oldest = states
            .filter_map(|(id, state)| Some((state.evictable_since()?, *id)))
            .min();
        self.evict(oldest.map(|(_, id)| (group, id)))
    }

    /// Evicts a connection of the largest group; one of a proxy only if no other can be evicted.
    fn evict_any(&mut self) -> bool {
        let all = self.groups.iter().flat_map(|(group, states)| {
            let order = (group.is_none(), Reverse(states.len()));
            states
                .iter()
                .filter_map(move |(id, state)| Some((order, state.evictable_since()?, *id, *group)))
        });
        let chosen = all.min();
        self.evict(chosen.map(|(_, _, id, group)| (group, id)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection_state::Phase;
    use super::*;
    use tokio::time::Instant;

    struct Connections {
        registry: Arc<ConnectionRegistry>,
        began: Instant,
    }

    impl Connections {
        fn new(max: usize, max_per_address: usize) -> Self {
            let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
            Self {
                registry: Arc::new(ConnectionRegistry::new(max, max_per_address, proxies)),
                began: Instant::now(),
            }
        }

        fn connect(&self, address: &str) -> Option<(Arc<ConnectionState>, Registration)> {
            let state = Arc::new(ConnectionState::new(self.began));
            let registration = self.registry.register(address.parse().unwrap(), &state)?;
            Some((state, registration))
        }
    }

    /// Whether the connection was evicted. Returns true once.
    fn evicted(state: &ConnectionState) -> bool {
        use std::task::{Context, Waker};
        std::pin::pin!(state.evicted())
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    #[test]
    fn an_address_at_its_limit_loses_its_own_connections() {
        let connections = Connections::new(100, 3);
        let other = connections.connect("192.0.2.2").unwrap();
        let mut mine = Vec::new();
        for _ in 0..3 {
            mine.push(connections.connect("192.0.2.1").unwrap());
            std::thread::sleep(std::time::Duration::from_millis(3));
        }
        // The first has a request in progress and the second an incomplete head. The third is idle, and is evicted.
        mine[0].0.enter(Phase::Working);
        mine[1].0.received();
        mine.push(connections.connect("192.0.2.1").unwrap());
        assert_eq!(
            mine.iter().map(|(state, _)| evicted(state)).collect::<Vec<_>>(),
            [false, false, true, false]
        );
        // The newest has a request in progress too, so the one with the incomplete head is evicted.
        mine[3].0.enter(Phase::Working);
        mine.push(connections.connect("192.0.2.1").unwrap());
        assert!(evicted(&mine[1].0));
        mine[4].0.enter(Phase::Working);
        assert!(
            connections.connect("192.0.2.1").is_none(),
            "every connection has a request in progress"
        );
        assert!(!evicted(&other.0));
        // One is closed, so a new one is accepted.
        mine.remove(0);
        assert!(connections.connect("192.0.2.1").is_some());
    }

    #[test]
    fn the_largest_group_loses_a_connection_and_a_proxy_only_last() {
        let connections = Connections::new(6, 4);
        let proxy: Vec<_> = (0..2).map(|_| connections.connect("10.1.2.3").unwrap()).collect();
        let lone = connections.connect("192.0.2.2").unwrap();
        let many: Vec<_> = (0..3)
            .map(|n| connections.connect(&format!("2001:db8::{n}")).unwrap())
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(3));
        let new = connections.connect("198.51.100.1").unwrap();
        assert_eq!(many.iter().filter(|(state, _)| evicted(state)).count(), 1);
        for kept in proxy.iter().chain([&lone, &new]) {
            assert!(!evicted(&kept.0));
        }
        for (state, _) in many.iter().chain([&lone, &new]) {
            state.enter(Phase::Working);
        }
        assert!(connections.connect("198.51.100.2").is_some());
        assert_eq!(proxy.iter().filter(|(state, _)| evicted(state)).count(), 1);
    }

    #[test]
    fn a_shortage_of_the_system_lowers_the_limit_for_a_while() {
        let connections = Connections::new(100, 100);
        let held: Vec<_> = (0..40).map(|_| connections.connect("192.0.2.1").unwrap()).collect();
        let gone =
            |held: &[(Arc<ConnectionState>, Registration)]| held.iter().filter(|(state, _)| evicted(state)).count();
        connections.registry.shrink();
        assert_eq!(gone(&held), 4);
        let more: Vec<_> = (0..5).map(|_| connections.connect("192.0.2.2").unwrap()).collect();
        assert_eq!(gone(&held), 5, "new connections evict old ones");
        connections.registry.restore();
        let last = connections.connect("192.0.2.3").unwrap();
        assert_eq!(gone(&held) + gone(&more) + usize::from(evicted(&last.0)), 0);
    }

    #[test]
    fn a_proxy_has_no_limit_of_its_own() {
        let connections = Connections::new(100, 2);
        let kept: Vec<_> = (0..10).map(|_| connections.connect("10.0.0.1").unwrap()).collect();
        assert!(kept.iter().all(|(state, _)| !evicted(state)));
    }
}
