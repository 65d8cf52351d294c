//! The address of the client that sent a request.

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;
use loopiq::domain::address_group;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The number of addresses read from a header, which a client can make arbitrarily long. Real chains of proxies are shorter.
const MAX_HOPS: usize = 32;

/// The address of the connection's other end, in the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The result of [`client_address`], in the request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The address group that limits count.
    pub fn group(self) -> IpAddr {
        address_group(self.0)
    }
}

/// The proxies whose headers about the client's address are trusted.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// These proxies.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks.into())
    }

    /// Whether no proxy is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the address belongs to a trusted proxy.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The address of the client that sent a request: the peer's own, or, where the peer is a trusted proxy, the last address in
/// `X-Forwarded-For` or `Forwarded` that is not a trusted proxy.
///
/// Both headers are read from the right, because each proxy appends the address that it saw. Everything to the left of the first untrusted
/// address could be written by the client. If an address cannot be parsed, or the two headers disagree because the client has sent the one
/// that its proxy does not write, the result is the peer's address.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> IpAddr {
    let peer = peer.to_canonical();
    if !trusted.contains(peer) {
        return peer;
    }
    let by_header = |name: HeaderName, read: fn(&str) -> Option<IpAddr>| {
        headers
            .contains_key(&name)
            .then(|| last_untrusted(headers, &name, read, trusted))
    };
    match (
        by_header(X_FORWARDED_FOR, with_port),
        by_header(header::FORWARDED, forwarded_for),
    ) {
        (Some(one), Some(other)) if one == other => one,
        (Some(one), None) | (None, Some(one)) => one,
        _ => None,
    }
    .unwrap_or(peer)
}

/// The last address of a header that is not a trusted proxy, or the first address if all are trusted. `None` if an address cannot
/// be parsed.
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
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')).take(MAX_HOPS) {
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

/// The `for` parameter in one element of `Forwarded` (RFC 7239): `for="[2001:db8::1]:443";proto=https`. Obfuscated identifiers (`_hidden`,
/// `unknown`) give no address.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = element.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim())
    });
    let value = found.next()?;
    // With two parameters in one element, it is unknown which one the proxy wrote.
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

    /// The client's address with these proxies, peer and headers.
    fn client(trusted: &[&str], peer: &str, headers: &[(&'static str, &str)]) -> String {
        let trusted = TrustedProxies::new(trusted.iter().map(|text| text.parse().unwrap()).collect());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        client_address(peer.parse().unwrap(), &map, &trusted).to_string()
    }

    const PROXY: &[&str] = &["10.0.0.0/8", "2001:db8:ffff::/48"];

    #[test]
    fn only_headers_of_a_trusted_proxy_count() {
        for header in ["x-forwarded-for", "forwarded"] {
            for value in ["198.51.100.7", "for=198.51.100.7"] {
                assert_eq!(client(&[], "192.0.2.1", &[(header, value)]), "192.0.2.1");
                assert_eq!(client(PROXY, "192.0.2.1", &[(header, value)]), "192.0.2.1");
            }
        }
        assert_eq!(client(PROXY, "10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(
            client(PROXY, "10.0.0.1", &[("x-forwarded-for", "198.51.100.7")]),
            "198.51.100.7"
        );
        assert_eq!(
            client(
                PROXY,
                "10.0.0.1",
                &[("forwarded", "For=\"198.51.100.7:1234\";proto=https")]
            ),
            "198.51.100.7"
        );
    }

    #[test]
    fn addresses_that_the_client_wrote_are_ignored() {
        for spoofed in [
            "203.0.113.9",
            "10.0.0.9",
            "not an address",
            "",
            "127.0.0.1, ::1",
            "\u{e9}",
        ] {
            let list = format!("{spoofed}, 198.51.100.7, 10.0.0.2");
            assert_eq!(client(PROXY, "10.0.0.1", &[("x-forwarded-for", &list)]), "198.51.100.7");
            // A proxy may add another header instead of appending to the existing one.
            let lines = [("x-forwarded-for", spoofed), ("x-forwarded-for", "198.51.100.7")];
            assert_eq!(client(PROXY, "10.0.0.1", &lines), "198.51.100.7");
            let list = format!("for=\"{spoofed}\", for=198.51.100.7");
            assert_eq!(client(PROXY, "10.0.0.1", &[("forwarded", &list)]), "198.51.100.7");
        }
    }

    #[test]
    fn the_header_that_the_proxy_does_not_write_changes_nothing() {
        let both = [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=203.0.113.9")];
        assert_eq!(client(PROXY, "10.0.0.1", &both), "10.0.0.1");
        let same = [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=198.51.100.7")];
        assert_eq!(client(PROXY, "10.0.0.1", &same), "198.51.100.7");
    }

    #[test]
    fn an_unreadable_address_gives_the_peer_s() {
        for bad in [
            "nonsense",
            "198.51.100.7,",
            "198.51.100.7, _hidden",
            "999.1.1.1",
            "1.2.3.4:port",
            "for=1.2.3.4",
        ] {
            assert_eq!(
                client(PROXY, "10.0.0.1", &[("x-forwarded-for", bad)]),
                "10.0.0.1",
                "{bad}"
            );
        }
        for bad in [
            "198.51.100.7",
            "for=unknown",
            "for=_x",
            "by=198.51.100.7",
            "for=1.1.1.1;for=2.2.2.2",
            "for=\"1.1.1.1, for=2.2.2.2\"",
        ] {
            assert_eq!(client(PROXY, "10.0.0.1", &[("forwarded", bad)]), "10.0.0.1", "{bad}");
        }
        let long = vec!["10.0.0.3"; 200].join(",");
        assert_eq!(client(PROXY, "10.0.0.1", &[("x-forwarded-for", &long)]), "10.0.0.3");
    }

    #[test]
    fn addresses_are_canonical_and_grouped_by_network() {
        assert_eq!(client(PROXY, "::ffff:192.0.2.1", &[]), "192.0.2.1");
        assert_eq!(
            client(PROXY, "::ffff:10.0.0.1", &[("x-forwarded-for", "[2001:db8::7]:443")]),
            "2001:db8::7"
        );
        let group = |text: &str| address_group(text.parse().unwrap()).to_string();
        assert_eq!(group("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(group("2001:db8:1:2:ffff::1"), "2001:db8:1:2::");
        assert_ne!(group("2001:db8:1:3::1"), group("2001:db8:1:2::1"));
        assert_eq!(group("192.0.2.1"), "192.0.2.1");
        assert_eq!(group("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
