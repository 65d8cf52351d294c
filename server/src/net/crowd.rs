//! How many connections there are, in total and from one address, and which one makes room for another.
//!
//! A new connection is never refused because others wait: an address that is at its limit loses the connection of its own that can
//! be missed best (see [`State::dispensable`]), and where the service is at its limit, the address with the most connections loses
//! one. So somebody who holds connections open takes the room from themselves, and a request that comes from the very same address
//! is answered all the same. Refused is only who comes while all the others are being worked for.

use super::client::TrustedProxies;
use super::client::group_of;
use super::state::State;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The connections of a listener.
#[derive(Debug)]
pub(super) struct Crowd {
    /// As the settings have it.
    most: usize,
    most_per_address: usize,
    proxies: TrustedProxies,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    next: u64,
    count: usize,
    /// The limit now: less than the settings have while the system gives less.
    most: usize,
    /// By what they count as. `None`: trusted proxies, whose connections are those of many clients.
    groups: HashMap<Option<IpAddr>, HashMap<u64, Arc<State>>>,
}

/// The place of one connection; giving it up makes room.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Arc<Crowd>,
    group: Option<IpAddr>,
    id: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.members().remove(self.group, self.id);
    }
}

impl Crowd {
    pub(super) fn new(most: usize, most_per_address: usize, proxies: TrustedProxies) -> Self {
        Self {
            most,
            most_per_address,
            proxies,
            members: Mutex::new(Members {
                most,
                ..Members::default()
            }),
        }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        // Nothing that holds it can leave it half-changed.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection in, if need be in the place of another one, which is told to close. `None`: there is no place, because
    /// every other one is being worked for.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr, state: &Arc<State>) -> Option<Place> {
        let address = address.to_canonical();
        let group = (!self.proxies.contains(address)).then(|| group_of(address));
        let mut members = self.members();
        if group.is_some()
            && members.groups.get(&group).map_or(0, HashMap::len) >= self.most_per_address
            && !members.dismiss_from(group)
        {
            return None;
        }
        if members.count >= members.most && !members.dismiss_any() {
            return None;
        }
        let id = members.next;
        members.next += 1;
        members.count += 1;
        members.groups.entry(group).or_default().insert(id, state.clone());
        Some(Place {
            crowd: self.clone(),
            group,
            id,
        })
    }

    /// The process has nothing left to accept another with: keeps a tenth fewer connections than there are now, so that the rest of
    /// the service has something to work with.
    pub(super) fn shrink(&self) {
        let mut members = self.members();
        members.most = (members.count / 10 * 9).max(1);
        while members.count > members.most && members.dismiss_any() {}
    }

    /// Keeps as many again as the settings have. What was short may be there now.
    pub(super) fn restore(&self) {
        self.members().most = self.most;
    }
}

impl Members {
    /// Removes one, if it is still there: one that was dismissed is not.
    fn remove(&mut self, group: Option<IpAddr>, id: u64) -> Option<Arc<State>> {
        let states = self.groups.get_mut(&group)?;
        let removed = states.remove(&id)?;
        if states.is_empty() {
            self.groups.remove(&group);
        }
        self.count -= 1;
        Some(removed)
    }

    fn dismiss(&mut self, found: Option<(Option<IpAddr>, u64)>) -> bool {
        let removed = found.and_then(|(group, id)| self.remove(group, id));
        if let Some(state) = &removed {
            state.dismiss();
        }
        removed.is_some()
    }

    /// Lets the one of this group go that can be missed best.
    fn dismiss_from(&mut self, group: Option<IpAddr>) -> bool {
        let states = self.groups.get(&group).into_iter().flatten();
        let best = states.filter_map(|(id, state)| Some((state.dispensable()?, *id))).min();
        self.dismiss(best.map(|(_, id)| (group, id)))
    }

    /// Lets one go: of the group that has the most, and of a proxy last.
    fn dismiss_any(&mut self) -> bool {
        let all = self.groups.iter().flat_map(|(group, states)| {
            let order = (group.is_none(), Reverse(states.len()));
            states
                .iter()
                .filter_map(move |(id, state)| Some((order, state.dispensable()?, *id, *group)))
        });
        let best = all.min();
        self.dismiss(best.map(|(_, _, id, group)| (group, id)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::Phase;
    use super::*;
    use tokio::time::Instant;

    struct Connections {
        crowd: Arc<Crowd>,
        began: Instant,
    }

    impl Connections {
        fn new(most: usize, most_per_address: usize) -> Self {
            let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
            Self {
                crowd: Arc::new(Crowd::new(most, most_per_address, proxies)),
                began: Instant::now(),
            }
        }

        fn connect(&self, address: &str) -> Option<(Arc<State>, Place)> {
            let state = Arc::new(State::new(self.began));
            let place = self.crowd.admit(address.parse().unwrap(), &state)?;
            Some((state, place))
        }
    }

    /// Whether it was told to close. Asks once.
    fn dismissed(state: &State) -> bool {
        use std::task::{Context, Waker};
        std::pin::pin!(state.dismissed())
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    #[test]
    fn an_address_at_its_limit_takes_the_room_from_itself() {
        let connections = Connections::new(100, 3);
        let other = connections.connect("192.0.2.2").unwrap();
        let mut mine = Vec::new();
        for _ in 0..3 {
            mine.push(connections.connect("192.0.2.1").unwrap());
            std::thread::sleep(std::time::Duration::from_millis(3));
        }
        // The first one has a request under way, the second one half a head: the third one is idle and goes.
        mine[0].0.enter(Phase::Working);
        mine[1].0.received();
        mine.push(connections.connect("192.0.2.1").unwrap());
        assert_eq!(
            mine.iter().map(|(state, _)| dismissed(state)).collect::<Vec<_>>(),
            [false, false, true, false]
        );
        // The newest one works as well now; half a head is what can be missed.
        mine[3].0.enter(Phase::Working);
        mine.push(connections.connect("192.0.2.1").unwrap());
        assert!(dismissed(&mine[1].0));
        mine[4].0.enter(Phase::Working);
        assert!(connections.connect("192.0.2.1").is_none(), "all are being worked for");
        assert!(!dismissed(&other.0));
        // One is done, and there is room again.
        mine.remove(0);
        assert!(connections.connect("192.0.2.1").is_some());
    }

    #[test]
    fn the_one_that_has_most_makes_room_for_others_and_a_proxy_last() {
        let connections = Connections::new(6, 4);
        let proxy: Vec<_> = (0..2).map(|_| connections.connect("10.1.2.3").unwrap()).collect();
        let lone = connections.connect("192.0.2.2").unwrap();
        let many: Vec<_> = (0..3)
            .map(|n| connections.connect(&format!("2001:db8::{n}")).unwrap())
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(3));
        let new = connections.connect("198.51.100.1").unwrap();
        assert_eq!(many.iter().filter(|(state, _)| dismissed(state)).count(), 1);
        for kept in proxy.iter().chain([&lone, &new]) {
            assert!(!dismissed(&kept.0));
        }
        for (state, _) in many.iter().chain([&lone, &new]) {
            state.enter(Phase::Working);
        }
        assert!(connections.connect("198.51.100.2").is_some());
        assert_eq!(proxy.iter().filter(|(state, _)| dismissed(state)).count(), 1);
    }

    #[test]
    fn where_the_system_gives_less_there_are_fewer_for_a_while() {
        let connections = Connections::new(100, 100);
        let held: Vec<_> = (0..40).map(|_| connections.connect("192.0.2.1").unwrap()).collect();
        let gone = |held: &[(Arc<State>, Place)]| held.iter().filter(|(state, _)| dismissed(state)).count();
        connections.crowd.shrink();
        assert_eq!(gone(&held), 4);
        let more: Vec<_> = (0..5).map(|_| connections.connect("192.0.2.2").unwrap()).collect();
        assert_eq!(gone(&held), 5, "the next ones take places");
        connections.crowd.restore();
        let last = connections.connect("192.0.2.3").unwrap();
        assert_eq!(gone(&held) + gone(&more) + usize::from(dismissed(&last.0)), 0);
    }

    #[test]
    fn a_proxy_has_no_limit_of_its_own() {
        let connections = Connections::new(100, 2);
        let kept: Vec<_> = (0..10).map(|_| connections.connect("10.0.0.1").unwrap()).collect();
        assert!(kept.iter().all(|(state, _)| !dismissed(state)));
    }
}
