//! Sessions of people in browsers, as the service and the identity provider know them.

use super::{PersonId, SessionId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

/// A session of a browser. The ID in its cookie is a secret that only the browser has; [`BrowserSession::id`] is its public name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserSession {
    /// The session's name on pages, in commands and in audit entries. It opens nothing.
    pub id: SessionId,
    /// The tenant and the person's account there; `None` until a person of several tenants has chosen one.
    pub holder: Option<(TenantId, PersonId)>,
    /// The tenants that the person can choose: the provider asserted them at this sign-in, and the person has a role there.
    pub tenants: Vec<TenantId>,
    /// The sign-in at the identity provider.
    pub sign_in: ProviderSignIn,
    /// When the session started.
    pub started_at: Timestamp,
    /// About when the browser sent its last request: the service stores it at intervals.
    pub seen_at: Timestamp,
    /// When the session ends, even if it is used.
    pub ends_at: Timestamp,
    /// The network address of the browser at `seen_at`.
    pub address: Option<String>,
    /// The header `User-Agent` at `seen_at`, shortened.
    pub agent: Option<String>,
}

/// A sign-in, as the identity provider's ID token describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSignIn {
    /// The provider's issuer.
    pub issuer: String,
    /// The person's ID at the issuer.
    pub subject: String,
    /// The provider's own ID of its session (`sid`), if it sends one.
    pub sid: Option<String>,
    /// When the token was issued, by the provider's clock.
    pub issued_at: Timestamp,
    /// When the person last authenticated, by the provider's clock (`auth_time`); `None` if the provider does not say.
    pub authenticated_at: Option<Timestamp>,
    /// Whether the time of issue says when the person authenticated: the service asked the provider to authenticate the person again
    /// (`prompt=login`), and the provider is not known to send `auth_time`.
    pub prompted: bool,
    /// How the person authenticated (`acr`), if the provider says so.
    pub acr: Option<String>,
    /// The ID token itself. The provider gets it back when the person signs out (`id_token_hint`). Loaded only for that.
    pub id_token: Option<String>,
}

/// The tolerated difference between the clocks of the identity provider and of this service, in microseconds.
pub const PROVIDER_CLOCK_SKEW: i64 = Timestamp::MINUTE;

impl ProviderSignIn {
    /// When the person authenticated, by the provider's clock, if that is known. For a provider that cannot say when, the time when the token
    /// was issued counts only after a sign-in that asked for a new authentication ([`ProviderSignIn::prompted`]): a provider issues a new token
    /// also to a person who authenticated long before.
    pub fn authentication(&self) -> Option<Timestamp> {
        self.authenticated_at.or(self.prompted.then_some(self.issued_at))
    }
}

impl BrowserSession {
    /// Whether the session ends or ended by this time, if it is not used after `seen_at`. `idle`: microseconds.
    pub fn expires_at(&self, idle: i64) -> Timestamp {
        self.seen_at.plus(idle).min(self.ends_at)
    }
}
