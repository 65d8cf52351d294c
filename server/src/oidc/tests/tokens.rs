//! Creating ID tokens with changed claims, headers and signatures.

use super::*;
use crate::demo_idp::keys::SigningKey;

/// The token with changed claims and header, signed by `sign`.
pub(super) fn rewritten(
    token: &str,
    header: Option<Value>,
    change: fn(&mut Value),
    sign: impl Fn(&str, &str) -> String,
) -> String {
    let mut parts = token.split('.');
    let (old_header, payload) = (parts.next().unwrap(), parts.next().unwrap());
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    change(&mut claims);
    let header = header.map_or(old_header.to_owned(), |header| {
        URL_SAFE_NO_PAD.encode(header.to_string())
    });
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = sign(&message, parts.next().unwrap());
    format!("{message}.{signature}")
}

/// A P-256 key of the tests.
pub(super) fn own_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32]).unwrap()
}

/// Changes the claims of the ID token, and signs it with [`own_key`], which the provider has to publish.
pub(super) fn sign_with_own_key(tokens: &mut Value, change: fn(&mut Value)) {
    let header = json!({ "alg": "ES256", "typ": "JWT" });
    let sign = |message: &str, _: &str| own_key().signature(message);
    let token = rewritten(tokens["id_token"].as_str().unwrap(), Some(header), change, sign);
    tokens["id_token"] = token.into();
}

/// A provider whose token response the test changes.
async fn signing(change: fn(&mut Value)) -> Provider {
    let provider = Provider::serve().await;
    provider.tamper("/jwks", |keys| {
        keys["keys"] = json!([own_key().public()]);
    });
    provider.tamper("/token", change);
    provider
}

/// The result of a sign-in whose token response was changed, with these verified domains.
pub(super) async fn outcome(change: fn(&mut Value), domains: &[&str]) -> Result<Assertion, OidcError> {
    let provider = signing(change).await;
    let settings = OidcSettings {
        verified_domains: domains.iter().map(|&domain| domain.to_owned()).collect(),
        ..provider.settings()
    };
    let oidc = Oidc::new(settings).unwrap();
    let (pending, callback) = provider.sign_in(&oidc).await;
    provider.finish(&oidc, pending, &callback).await
}
