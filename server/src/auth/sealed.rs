//! Sign-ins under way: each in a sealed cookie of the browser that began it, so that nobody who only begins one writes anything
//! to the database.
//!
//! A cookie is encrypted and authenticated (AES-256-GCM) under a key that the nodes of a service share, and bound to its own name,
//! which is derived from the sign-in's state. It is taken back with the answer, and worth nothing after some minutes.

use crate::oidc::PendingSignIn;
use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, CookieJar, Key, SameSite};
use loopiq::domain::canonical::sha256_hex;

/// What the names of these cookies begin with.
const PREFIX: &str = "loopiq_signin_";
/// How many sign-ins one browser may have under way: tabs that were restored together each begin one.
const MOST_PENDING: usize = 5;
/// How long the browser keeps one. The sign-in itself is refused earlier.
const LIFETIME: time::Duration = time::Duration::minutes(15);

/// Seals sign-ins and opens them again.
#[derive(Clone)]
pub struct Seal(Key);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// A seal with keys derived from this secret.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(Key::derive_from(secret))
    }

    /// The cookies that keep a sign-in, and take back those that are too many.
    pub(super) fn keep(
        &self,
        state: &str,
        pending: &PendingSignIn,
        headers: &HeaderMap,
        https: bool,
    ) -> Vec<HeaderValue> {
        let mut jar = self.known(headers);
        let Ok(value) = serde_json::to_string(pending) else {
            return Vec::new();
        };
        let mut others: Vec<(i64, String)> = self
            .sign_ins(&jar)
            .map(|(name, pending)| (pending.map_or(i64::MIN, |pending| pending.started_at), name))
            .collect();
        others.sort();
        let too_many = (others.len() + 1).saturating_sub(MOST_PENDING);
        for (_, name) in others.into_iter().take(too_many) {
            jar.remove(cookie(name, String::new(), https));
        }
        jar.private_mut(&self.0).add(cookie(name(state), value, https));
        written(&jar)
    }

    /// The sign-in with this state, if this browser began it, and the cookies that take it back: it is good for one answer,
    /// whatever that is.
    pub(super) fn take(
        &self,
        state: &str,
        headers: &HeaderMap,
        https: bool,
    ) -> Option<(PendingSignIn, Vec<HeaderValue>)> {
        let mut jar = self.known(headers);
        let pending = self.open(&jar, &name(state))?;
        jar.remove(cookie(name(state), String::new(), https));
        Some((pending, written(&jar)))
    }

    fn open(&self, jar: &CookieJar, name: &str) -> Option<PendingSignIn> {
        let sealed = jar.private(&self.0).get(name)?;
        serde_json::from_str(sealed.value()).ok()
    }

    /// The cookies of sign-ins that came with a request.
    fn known(&self, headers: &HeaderMap) -> CookieJar {
        let mut jar = CookieJar::new();
        let lines = headers.get_all(header::COOKIE).iter();
        for cookie in lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| Cookie::split_parse(line.to_owned()))
            .flatten()
            .filter(|cookie| cookie.name().starts_with(PREFIX))
        {
            jar.add_original(cookie);
        }
        jar
    }

    fn sign_ins<'a>(&'a self, jar: &'a CookieJar) -> impl Iterator<Item = (String, Option<PendingSignIn>)> + 'a {
        jar.iter()
            .map(|cookie| (cookie.name().to_owned(), self.open(jar, cookie.name())))
    }
}

/// The state itself is a secret; part of its hash tells sign-ins apart.
fn name(state: &str) -> String {
    let hash = sha256_hex(state.as_bytes());
    format!("{PREFIX}{}", hash.get(..16).unwrap_or(&hash))
}

fn cookie(name: String, value: String, https: bool) -> Cookie<'static> {
    Cookie::build((name, value))
        .path("/")
        .http_only(true)
        // Strict would keep the cookie from the callback, which comes from the provider's page.
        .same_site(SameSite::Lax)
        .secure(https)
        .max_age(LIFETIME)
        .build()
}

fn written(jar: &CookieJar) -> Vec<HeaderValue> {
    jar.delta()
        .filter_map(|cookie| HeaderValue::try_from(cookie.to_string()).ok())
        .collect()
}
