//! Which address a request came from.

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The most hops that are read: no real chain of proxies is as long.
const MOST_HOPS: usize = 32;

/// The other end of the connection that a request came on, in the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The client's address, in the request's extensions: what [`client_address`] answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// What limits count by.
    pub fn group(self) -> IpAddr {
        group_of(self.0)
    }
}

/// The proxies whose word about a client's address is taken.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// These proxies.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks.into())
    }

    /// Whether the address belongs to one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The address of the client that sent a request: the peer's own, or, where the peer is a trusted proxy, the last address in
/// `X-Forwarded-For` or `Forwarded` that is no trusted proxy.
///
/// Both headers are read from the right, because each proxy appends the address that it saw: everything to the left of the first
/// address that is not trusted was written by somebody who is not trusted. Where an address that has to be read cannot be, or the
/// two headers disagree (a client sends the one that its proxy does not write), the peer's address counts.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> IpAddr {
    let peer = peer.to_canonical();
    if !trusted.contains(peer) {
        return peer;
    }
    let by_list = |name: HeaderName, read: fn(&str) -> Option<IpAddr>| {
        headers
            .contains_key(&name)
            .then(|| last_untrusted(headers, &name, read, trusted))
    };
    match (
        by_list(X_FORWARDED_FOR, with_port),
        by_list(header::FORWARDED, forwarded_for),
    ) {
        (Some(one), Some(other)) if one == other => one,
        (Some(one), None) | (None, Some(one)) => one,
        _ => None,
    }
    .unwrap_or(peer)
}

/// What counts as one client: an IPv4 address, or the /64 of an IPv6 address, which one subscriber has for themselves.
pub fn group_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            const NETWORK: u128 = !(u64::MAX as u128);
            Ipv6Addr::from_bits(address.to_bits() & NETWORK).into()
        }
    }
}

/// The last address of a list that no trusted proxy has; where all are trusted, the first one of the list. `None`: it cannot be read.
fn last_untrusted(
    headers: &HeaderMap,
    name: &HeaderName,
    read: fn(&str) -> Option<IpAddr>,
    trusted: &TrustedProxies,
) -> Option<IpAddr> {
    let mut found = None;
    let lines: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')).take(MOST_HOPS) {
        let address = read(hop.trim())?.to_canonical();
        found = Some(address);
        if !trusted.contains(address) {
            break;
        }
    }
    found
}

/// `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1` or `[2001:db8::1]:443`.
fn with_port(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// The `for` of one element of `Forwarded` (RFC 7239): `for="[2001:db8::1]:443";proto=https`. Names that hide an address
/// (`_hidden`, `unknown`) cannot be counted by.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = element.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim())
    });
    let value = found.next()?;
    // Twice in one element: it cannot be told which one the proxy has written.
    if found.next().is_some() {
        return None;
    }
    let unquoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value);
    with_port(unquoted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    /// The client's address, with these proxies, peer and headers.
    fn of(trusted: &[&str], peer: &str, headers: &[(&'static str, &str)]) -> String {
        let trusted = TrustedProxies::new(trusted.iter().map(|text| text.parse().unwrap()).collect());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        client_address(peer.parse().unwrap(), &map, &trusted).to_string()
    }

    const PROXY: &[&str] = &["10.0.0.0/8", "2001:db8:ffff::/48"];

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        for header in ["x-forwarded-for", "forwarded"] {
            for value in ["198.51.100.7", "for=198.51.100.7"] {
                assert_eq!(of(&[], "192.0.2.1", &[(header, value)]), "192.0.2.1");
                assert_eq!(of(PROXY, "192.0.2.1", &[(header, value)]), "192.0.2.1");
            }
        }
        assert_eq!(of(PROXY, "10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(
            of(PROXY, "10.0.0.1", &[("x-forwarded-for", "198.51.100.7")]),
            "198.51.100.7"
        );
        assert_eq!(
            of(
                PROXY,
                "10.0.0.1",
                &[("forwarded", "For=\"198.51.100.7:1234\";proto=https")]
            ),
            "198.51.100.7"
        );
    }

    #[test]
    fn what_a_client_writes_itself_stands_to_the_left_and_is_not_read() {
        for spoofed in [
            "203.0.113.9",
            "10.0.0.9",
            "not an address",
            "",
            "127.0.0.1, ::1",
            "\u{e9}",
        ] {
            let list = format!("{spoofed}, 198.51.100.7, 10.0.0.2");
            assert_eq!(of(PROXY, "10.0.0.1", &[("x-forwarded-for", &list)]), "198.51.100.7");
            // The proxy may append a line of its own.
            let lines = [("x-forwarded-for", spoofed), ("x-forwarded-for", "198.51.100.7")];
            assert_eq!(of(PROXY, "10.0.0.1", &lines), "198.51.100.7");
            let list = format!("for=\"{spoofed}\", for=198.51.100.7");
            assert_eq!(of(PROXY, "10.0.0.1", &[("forwarded", &list)]), "198.51.100.7");
        }
    }

    #[test]
    fn the_header_that_the_proxy_does_not_write_changes_nothing() {
        let both = [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=203.0.113.9")];
        assert_eq!(of(PROXY, "10.0.0.1", &both), "10.0.0.1");
        let same = [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=198.51.100.7")];
        assert_eq!(of(PROXY, "10.0.0.1", &same), "198.51.100.7");
    }

    #[test]
    fn what_cannot_be_read_is_the_peer_s() {
        for bad in [
            "nonsense",
            "198.51.100.7,",
            "198.51.100.7, _hidden",
            "999.1.1.1",
            "1.2.3.4:port",
            "for=1.2.3.4",
        ] {
            assert_eq!(of(PROXY, "10.0.0.1", &[("x-forwarded-for", bad)]), "10.0.0.1", "{bad}");
        }
        for bad in [
            "198.51.100.7",
            "for=unknown",
            "for=_x",
            "by=198.51.100.7",
            "for=1.1.1.1;for=2.2.2.2",
            "for=\"1.1.1.1, for=2.2.2.2\"",
        ] {
            assert_eq!(of(PROXY, "10.0.0.1", &[("forwarded", bad)]), "10.0.0.1", "{bad}");
        }
        let long = vec!["10.0.0.3"; 200].join(",");
        assert_eq!(of(PROXY, "10.0.0.1", &[("x-forwarded-for", &long)]), "10.0.0.3");
    }

    #[test]
    fn addresses_are_written_in_one_way_and_counted_by_network() {
        assert_eq!(of(PROXY, "::ffff:192.0.2.1", &[]), "192.0.2.1");
        assert_eq!(
            of(PROXY, "::ffff:10.0.0.1", &[("x-forwarded-for", "[2001:db8::7]:443")]),
            "2001:db8::7"
        );
        let group = |text: &str| group_of(text.parse().unwrap()).to_string();
        assert_eq!(group("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(group("2001:db8:1:2:ffff::1"), "2001:db8:1:2::");
        assert_ne!(group("2001:db8:1:3::1"), group("2001:db8:1:2::1"));
        assert_eq!(group("192.0.2.1"), "192.0.2.1");
        assert_eq!(group("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
