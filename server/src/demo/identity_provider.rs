//! The demo's identity provider, and the settings with which the service uses it.

use crate::demo_idp::{DemoIdp, DemoPerson};
use crate::oidc::{DEFAULT_GROUPS_CLAIM, DEFAULT_ROLES_CLAIM, DEFAULT_TENANT_CLAIM, OidcSettings, RoleMapping};
use anyhow::Result;
use loopiq::context::Runtime;
use loopiq::domain::DEMO_ISSUER;
use loopiq::domain::canonical::hex;
use std::sync::Arc;

/// An identity provider with these people, below the service's public URL. Each start creates a new client secret, because provider and
/// client are the same process.
///
/// # Errors
/// The URL or the people are invalid, which is a programming error.
pub fn identity_provider(
    public_url: &str,
    runtime: &Runtime,
    stylesheet: &str,
    people: Vec<DemoPerson>,
) -> Result<(OidcSettings, DemoIdp)> {
    let settings = OidcSettings {
        issuer: format!("{public_url}{DEMO_ISSUER}"),
        client_id: "loopiq".to_owned(),
        client_secret: hex(&runtime.random::<32>()),
        redirect_url: format!("{public_url}/auth/callback"),
        tenant_claim: DEFAULT_TENANT_CLAIM.to_owned(),
        roles_claim: DEFAULT_ROLES_CLAIM.to_owned(),
        groups_claim: DEFAULT_GROUPS_CLAIM.to_owned(),
        role_mapping: RoleMapping::default(),
        // The ID tokens of the demo's provider contain `email_verified`.
        verified_domains: Vec::new(),
        access_tokens: false,
    };
    let clock = runtime.clone();
    let idp = DemoIdp::new(
        &settings.issuer,
        &settings.client_id,
        &settings.client_secret,
        vec![settings.redirect_url.clone()],
        people,
        Arc::new(move || clock.now().0.div_euclid(1_000_000)),
    )?
    .with_stylesheet(Some(stylesheet.to_owned()));
    Ok((settings, idp))
}
