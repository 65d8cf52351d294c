//! Rate limits for requests: by address for clients without authentication, by person, and by MCP client.

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;
use loopiq::domain::{ClientId, PersonId, TenantId};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// A rate limit: requests per minute, and requests at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(Option<(NonZeroU32, NonZeroU32)>);

impl Rate {
    /// No limit.
    pub const OFF: Self = Self(None);
}

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "must be PER_MINUTE/AT_ONCE with two numbers above 0, such as 300/200, or off";
        if text == "off" {
            return Ok(Self::OFF);
        }
        let (per_minute, burst) = text.split_once('/').ok_or(WRONG)?;
        let number = |text: &str| text.trim().parse::<NonZeroU32>().map_err(|_| WRONG);
        Ok(Self(Some((number(per_minute)?, number(burst)?))))
    }
}

/// The settings of the rate limits. `docs/limits.md` explains the defaults.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Rate limits (PER_MINUTE/AT_ONCE, or off)")]
pub struct RateLimitArgs {
    /// Requests without authentication from one address (IPv6: one /64): sign-ins, and pages and MCP calls without a valid session or
    /// token. A sign-in takes three of them, so 60 people of one office can sign in at once.
    #[arg(long, env = "LOOPIQ_RATE_ANONYMOUS", default_value = ANONYMOUS, value_name = "RATE")]
    rate_anonymous: Rate,
    /// Requests of one person in all their browsers. No person opens thirty pages a second.
    #[arg(long, env = "LOOPIQ_RATE_PERSON", default_value = PERSON, value_name = "RATE")]
    rate_person: Rate,
    /// MCP calls of one client for one person. An agent that reads and proposes a hundred actions in a row stays below this.
    #[arg(long, env = "LOOPIQ_RATE_CLIENT", default_value = CLIENT, value_name = "RATE")]
    rate_client: Rate,
    /// Proxies whose X-Forwarded-For or Forwarded header is trusted: addresses and networks, separated by commas. Default: none, so a
    /// client's address is that of its connection.
    #[arg(long, env = "LOOPIQ_TRUSTED_PROXIES", value_name = "IP|CIDR,...", value_delimiter = ',', value_parser = network)]
    trusted_proxies: Vec<IpNet>,
}

const ANONYMOUS: &str = "300/200";
const PERSON: &str = "1800/1200";
const CLIENT: &str = "6000/3000";
/// A program registers once, and some at each start. Not a setting.
const REGISTRATION: &str = "20/20";

impl RateLimitArgs {
    /// The limits.
    pub fn rate_limits(&self) -> RateLimits {
        RateLimits::new(self.rate_anonymous, self.rate_person, self.rate_client)
    }

    /// The trusted proxies.
    pub fn proxies(&self) -> super::TrustedProxies {
        super::TrustedProxies::new(self.trusted_proxies.clone())
    }
}

/// An address or a network: `10.0.0.1`, `10.0.0.0/8`, `2001:db8::/32`.
fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address.to_canonical()));
    }
    text.parse::<IpNet>()
        .map(|network| network.trunc())
        .map_err(|_| format!("{text} is not an address or a network, such as 10.0.0.1 or 10.0.0.0/8"))
}

/// The key by which requests are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RateKey<'a> {
    /// A client without authentication, by its address.
    Address(IpAddr),
    /// A person, in a browser.
    Person(&'a TenantId, &'a PersonId),
    /// A registration of an OAuth client, by the address of its sender.
    Registration(IpAddr),
    /// A program, and the person for whom it acts.
    Client(&'a TenantId, Option<&'a PersonId>, &'a ClientId),
}

impl RateKey<'_> {
    /// The value of the metric's label.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Address(_) => "address",
            Self::Person(..) => "person",
            Self::Registration(_) => "registration",
            Self::Client(..) => "client",
        }
    }
}

/// The rate limits. Clones share their counts. Each node of a service has its own counts.
#[derive(Debug, Clone)]
pub struct RateLimits(Arc<Limiters>);

#[derive(Debug)]
struct Limiters {
    address: Option<DefaultKeyedRateLimiter<IpAddr>>,
    registration: Option<DefaultKeyedRateLimiter<IpAddr>>,
    person: Option<DefaultKeyedRateLimiter<(TenantId, PersonId)>>,
    client: Option<DefaultKeyedRateLimiter<(TenantId, Option<PersonId>, ClientId)>>,
}

/// The number of keys of a limit at which a request itself removes idle keys, without waiting for [`RateLimits::remove_idle`].
const MAX_KEYS: usize = 100_000;

impl RateLimits {
    /// Creates the limits.
    pub fn new(anonymous: Rate, person: Rate, client: Rate) -> Self {
        Self(Arc::new(Limiters {
            address: limiter(anonymous),
            registration: match anonymous {
                Rate::OFF => None,
                _ => limiter(default_rate(REGISTRATION)),
            },
            person: limiter(person),
            client: limiter(client),
        }))
    }

    /// Counts one request.
    ///
    /// # Errors
    /// The request exceeds the limit. The error is the time after which the next one is accepted.
    pub fn check(&self, key: &RateKey<'_>) -> Result<(), Duration> {
        let limiters = &*self.0;
        match key {
            RateKey::Address(address) => check(limiters.address.as_ref(), &loopiq::domain::address_group(*address)),
            RateKey::Registration(address) => {
                check(limiters.registration.as_ref(), &loopiq::domain::address_group(*address))
            }
            RateKey::Person(tenant, person) => check(limiters.person.as_ref(), &((*tenant).clone(), (*person).clone())),
            RateKey::Client(tenant, person, client) => check(
                limiters.client.as_ref(),
                &((*tenant).clone(), person.cloned(), (*client).clone()),
            ),
        }
    }

    /// Removes the keys whose limits are fully available again. The background task calls this, so that memory is bounded by recent
    /// requests.
    pub fn remove_idle(&self) {
        retain_recent(self.0.address.as_ref());
        retain_recent(self.0.registration.as_ref());
        retain_recent(self.0.person.as_ref());
        retain_recent(self.0.client.as_ref());
    }
}

impl Default for RateLimits {
    /// The defaults of the settings.
    fn default() -> Self {
        Self::new(default_rate(ANONYMOUS), default_rate(PERSON), default_rate(CLIENT))
    }
}

/// One of the constants of this module.
fn default_rate(text: &str) -> Rate {
    text.parse().unwrap_or(Rate::OFF)
}

fn limiter<K: std::hash::Hash + Eq + Clone>(rate: Rate) -> Option<DefaultKeyedRateLimiter<K>> {
    let (per_minute, burst) = rate.0?;
    Some(RateLimiter::keyed(Quota::per_minute(per_minute).allow_burst(burst)))
}

fn check<K: std::hash::Hash + Eq + Clone>(
    limiter: Option<&DefaultKeyedRateLimiter<K>>,
    key: &K,
) -> Result<(), Duration> {
    let Some(limiter) = limiter else { return Ok(()) };
    if limiter.len() > MAX_KEYS {
        limiter.retain_recent();
    }
    limiter
        .check_key(key)
        .map_err(|until| until.wait_time_from(DefaultClock::default().now()))
}

fn retain_recent<K: std::hash::Hash + Eq + Clone>(limiter: Option<&DefaultKeyedRateLimiter<K>>) {
    if let Some(limiter) = limiter {
        limiter.retain_recent();
        limiter.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_parsed_or_refused() {
        assert_eq!("off".parse(), Ok(Rate::OFF));
        assert!(ANONYMOUS.parse::<Rate>().is_ok() && PERSON.parse::<Rate>().is_ok() && CLIENT.parse::<Rate>().is_ok());
        for wrong in ["", "300", "0/10", "10/0", "a/b", "10/-1", "10/10/10"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
        assert_eq!(network(" 10.1.2.3/8 ").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(network("::1").unwrap().to_string(), "::1/128");
        assert!(network("10.0.0.0/33").is_err() && network("proxy.example").is_err());
    }

    #[test]
    fn each_key_has_a_limit_of_its_own_and_learns_how_long_to_wait() {
        let rates = RateLimits::new("6/3".parse().unwrap(), Rate::OFF, "60/1".parse().unwrap());
        let address = |text: &str| RateKey::Address(text.parse().unwrap());
        for n in 0..3 {
            // Addresses of one /64 share a limit.
            assert_eq!(rates.check(&address(&format!("2001:db8::{n}"))), Ok(()));
        }
        let wait = rates.check(&address("2001:db8::ffff")).unwrap_err();
        assert!(
            wait > Duration::from_secs(9) && wait <= Duration::from_secs(10),
            "{wait:?}"
        );
        assert_eq!(rates.check(&address("2001:db8:0:1::1")), Ok(()));

        let (acme, globex) = (TenantId::parse("acme").unwrap(), TenantId::parse("globex").unwrap());
        let person = PersonId::from_bits(1);
        let (helix, other) = (ClientId::from_bits(1), ClientId::from_bits(2));
        for _ in 0..10_000 {
            assert_eq!(rates.check(&RateKey::Person(&acme, &person)), Ok(()), "off");
        }
        assert_eq!(rates.check(&RateKey::Client(&acme, Some(&person), &helix)), Ok(()));
        assert!(rates.check(&RateKey::Client(&acme, Some(&person), &helix)).is_err());
        assert_eq!(rates.check(&RateKey::Client(&acme, Some(&person), &other)), Ok(()));
        assert_eq!(rates.check(&RateKey::Client(&globex, Some(&person), &helix)), Ok(()));
    }

    #[test]
    fn idle_keys_are_removed() {
        let rates = RateLimits::new("60000/1".parse().unwrap(), Rate::OFF, Rate::OFF);
        for n in 0..1_000_u32 {
            let _ = rates.check(&RateKey::Address(IpAddr::V4(n.into())));
        }
        std::thread::sleep(Duration::from_millis(20));
        rates.remove_idle();
        assert_eq!(rates.0.address.as_ref().unwrap().len(), 0);
    }
}
