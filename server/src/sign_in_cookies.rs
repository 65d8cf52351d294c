//! Unfinished sign-ins, each in an encrypted cookie of the browser that began it. A client without a session therefore writes nothing to
//! the database.
//!
//! A cookie is encrypted and authenticated (AES-256-GCM) with a key that all nodes of a service share, and bound to its own name, which is
//! derived from the sign-in's state. The callback removes it, and a sign-in expires after ten minutes.

use crate::oidc::PendingSignIn;
use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, CookieJar, Key, SameSite};
use loopiq::domain::canonical::sha256_hex;

/// The prefix of the cookies' names.
const PREFIX: &str = "loopiq_signin_";
/// The prefix over https: browsers then accept the cookie from this host only.
const HOST_PREFIX: &str = "__Host-loopiq_signin_";
/// The number of unfinished sign-ins in one browser; the oldest is dropped beyond it. Each of several restored tabs begins one.
const MAX_PENDING: usize = 5;
/// The browser deletes the cookie after this time. The service refuses the sign-in earlier.
const LIFETIME: time::Duration = time::Duration::minutes(15);

/// Encrypts and decrypts the cookies.
#[derive(Clone)]
pub struct SignInCookies(Key);

impl std::fmt::Debug for SignInCookies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignInCookies")
    }
}

impl SignInCookies {
    /// Derives the key from this secret.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(Key::derive_from(secret))
    }

    /// The `Set-Cookie` values that store a sign-in and remove the oldest ones beyond the limit.
    pub(crate) fn store(
        &self,
        state: &str,
        pending: &PendingSignIn,
        headers: &HeaderMap,
        https: bool,
    ) -> Vec<HeaderValue> {
        let mut jar = self.received(headers, https);
        let Ok(value) = serde_json::to_string(pending) else {
            return Vec::new();
        };
        let mut others: Vec<(i64, String)> = self
            .sign_ins(&jar)
            .map(|(name, pending)| (pending.map_or(i64::MIN, |pending| pending.started_at), name))
            .collect();
        others.sort();
        let too_many = (others.len() + 1).saturating_sub(MAX_PENDING);
        for (_, name) in others.into_iter().take(too_many) {
            jar.remove(cookie(name, String::new(), https));
        }
        jar.private_mut(&self.0).add(cookie(name(state, https), value, https));
        changes(&jar)
    }

    /// The sign-in with this state, if this browser began it, and the `Set-Cookie` values that remove it: a sign-in accepts one callback,
    /// whatever its outcome.
    pub(crate) fn take(
        &self,
        state: &str,
        headers: &HeaderMap,
        https: bool,
    ) -> Option<(PendingSignIn, Vec<HeaderValue>)> {
        let mut jar = self.received(headers, https);
        let name = name(state, https);
        let pending = self.decrypt(&jar, &name)?;
        jar.remove(cookie(name, String::new(), https));
        Some((pending, changes(&jar)))
    }

    fn decrypt(&self, jar: &CookieJar, name: &str) -> Option<PendingSignIn> {
        let decrypted = jar.private(&self.0).get(name)?;
        serde_json::from_str(decrypted.value()).ok()
    }

    /// The sign-in cookies of a request.
    fn received(&self, headers: &HeaderMap, https: bool) -> CookieJar {
        let mut jar = CookieJar::new();
        let lines = headers.get_all(header::COOKIE).iter();
        for cookie in lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| Cookie::split_parse(line.to_owned()))
            .flatten()
            .filter(|cookie| cookie.name().starts_with(prefix(https)))
        {
            jar.add_original(cookie);
        }
        jar
    }

    fn sign_ins<'a>(&'a self, jar: &'a CookieJar) -> impl Iterator<Item = (String, Option<PendingSignIn>)> + 'a {
        jar.iter()
            .map(|cookie| (cookie.name().to_owned(), self.decrypt(jar, cookie.name())))
    }
}

fn prefix(https: bool) -> &'static str {
    if https { HOST_PREFIX } else { PREFIX }
}

/// The cookie's name contains part of the state's hash, because the state itself is a secret.
fn name(state: &str, https: bool) -> String {
    let hash = sha256_hex(state.as_bytes());
    format!("{}{}", prefix(https), hash.get(..16).unwrap_or(&hash))
}

fn cookie(name: String, value: String, https: bool) -> Cookie<'static> {
    Cookie::build((name, value))
        .path("/")
        .http_only(true)
        // With `Strict` the browser would not send the cookie to the callback, which the provider's page leads to.
        .same_site(SameSite::Lax)
        .secure(https)
        .max_age(LIFETIME)
        .build()
}

/// The `Set-Cookie` values for what has changed in the jar.
fn changes(jar: &CookieJar) -> Vec<HeaderValue> {
    jar.delta()
        .filter_map(|cookie| HeaderValue::try_from(cookie.to_string()).ok())
        .collect()
}
