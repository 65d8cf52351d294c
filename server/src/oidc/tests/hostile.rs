//! Providers that are away, that change their keys, and whoever writes tokens in their place.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::*;
use crate::demo_idp::keys::SigningKey;

#[tokio::test]
async fn a_key_that_is_new_is_fetched_and_a_forged_one_is_not_trusted() {
    let provider = Provider::serve().await;
    let oidc = provider.oidc();
    let (pending, callback) = provider.sign_in(&oidc).await;
    provider.finish(&oidc, pending, &callback).await.unwrap();
    provider.restart();
    let (pending, callback) = provider.sign_in(&oidc).await;
    provider.finish(&oidc, pending, &callback).await.unwrap();
    assert_eq!(provider.discoveries.load(Ordering::Relaxed), 2);

    // A provider that signs with a key which its own JWKS never has.
    let jwks = || async { axum::Json(serde_json::json!({ "keys": [] })) };
    let honest = provider.app.lock().unwrap().clone();
    provider.restart();
    let forged = provider.app.lock().unwrap().clone();
    provider.exchange_routes(
        Router::new()
            .route("/demo-idp/jwks", axum::routing::get(jwks))
            .fallback_service(forged),
    );
    let (pending, callback) = provider.sign_in(&oidc).await;
    let error = provider.finish(&oidc, pending, &callback).await.unwrap_err();
    assert!(matches!(error, OidcError::InvalidToken { .. }), "{error:?}");
    provider.exchange_routes(honest);
}

#[tokio::test]
async fn a_provider_that_is_away_is_looked_for_once_and_found_when_it_is_back() {
    let provider = Provider::serve().await;
    let oidc = provider.oidc();
    let away = || async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        StatusCode::SERVICE_UNAVAILABLE
    };
    provider.exchange_routes(Router::new().fallback(away));
    let attempts = || {
        tokio::spawn({
            let oidc = oidc.clone();
            async move { oidc.start("/", START).await.err() }
        })
    };
    let crowd: Vec<_> = (0..8).map(|_| attempts()).collect();
    for attempt in crowd {
        let error = attempt.await.unwrap().unwrap();
        assert!(matches!(error, OidcError::Unreachable { .. }));
        assert!(cause(&error).contains("503"), "{}", cause(&error));
    }
    assert_eq!(provider.discoveries.load(Ordering::Relaxed), 1);
    provider.restart();
    let crowd: Vec<_> = (0..8).map(|_| attempts()).collect();
    for attempt in crowd {
        assert!(attempt.await.unwrap().is_none());
    }
    assert_eq!(provider.discoveries.load(Ordering::Relaxed), 2);
    // An hour later it is asked again.
    oidc.start("/", START + 3_599).await.unwrap();
    assert_eq!(provider.discoveries.load(Ordering::Relaxed), 2);
    oidc.start("/", START + 3_600).await.unwrap();
    assert_eq!(provider.discoveries.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_token_endpoint_that_breaks_is_looked_for_again() {
    let provider = Provider::serve().await;
    let oidc = provider.oidc();
    let (pending, callback) = provider.sign_in(&oidc).await;
    provider.exchange_routes(Router::new().fallback(|| async { (StatusCode::BAD_GATEWAY, "secret body") }));
    let error = provider.finish(&oidc, pending, &callback).await.unwrap_err();
    assert!(matches!(error, OidcError::Unreachable { .. }));
    assert!(!format!("{error:?}").contains("secret body"));
    provider.restart();
    provider.sign_in(&oidc).await;
    assert_eq!(provider.discoveries.load(Ordering::Relaxed), 2);
}

/// The token with its claims changed, under another header and signed anew by `sign`.
fn rewritten(
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

#[tokio::test]
async fn a_token_that_somebody_else_wrote_is_not_trusted() {
    fn text(tokens: &Value) -> &str {
        tokens["id_token"].as_str().unwrap()
    }
    let provider = Provider::serve().await;
    let forgeries: [(fn(&mut Value), &str); 6] = [
        // Another role, under the old signature.
        (
            |tokens| {
                let forged = rewritten(
                    text(tokens),
                    None,
                    |c| c["roles"] = json!(["operator"]),
                    |_, old| old.to_owned(),
                );
                tokens["id_token"] = forged.into();
            },
            "ignature",
        ),
        // Another nonce, likewise.
        (
            |tokens| {
                let forged = rewritten(text(tokens), None, |c| c["nonce"] = "n".into(), |_, old| old.to_owned());
                tokens["id_token"] = forged.into();
            },
            "ignature",
        ),
        // No signature at all.
        (
            |tokens| {
                let header = json!({ "alg": "none", "typ": "JWT" });
                tokens["id_token"] = rewritten(text(tokens), Some(header), |_| (), |_, _| String::new()).into();
            },
            "ignature",
        ),
        // A shared secret, which whoever knows the client's secret can sign with.
        (
            |tokens| {
                let header = json!({ "alg": "HS256", "typ": "JWT" });
                let sign = |message: &str, _: &str| {
                    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
                    mac.update(message.as_bytes());
                    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
                };
                tokens["id_token"] = rewritten(text(tokens), Some(header), |_| (), sign).into();
            },
            "ignature",
        ),
        (|tokens| tokens["access_token"] = "another".into(), "at_hash"),
        (
            |tokens| {
                tokens.as_object_mut().unwrap().remove("id_token");
            },
            "no ID token",
        ),
    ];
    for (forge, reason) in forgeries {
        provider.restart();
        provider.tamper("/openid-configuration", |metadata| {
            metadata["id_token_signing_alg_values_supported"] = json!(["ES256", "HS256", "none"]);
        });
        provider.tamper("/token", forge);
        let oidc = provider.oidc();
        let (pending, callback) = provider.sign_in(&oidc).await;
        let error = provider.finish(&oidc, pending, &callback).await.unwrap_err();
        assert!(matches!(error, OidcError::InvalidToken { .. }), "{error:?}");
        assert!(cause(&error).contains(reason), "{reason}: {}", cause(&error));
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let provider = Provider::serve().await;
    provider.tamper("/jwks", |keys| keys["padding"] = "x".repeat(2 << 20).into());
    let Err(error) = provider.oidc().start("/", START).await else {
        panic!("two megabytes of keys were read");
    };
    assert!(matches!(error, OidcError::Unreachable { .. }), "{error:?}");
    let why = error
        .source()
        .and_then(std::error::Error::source)
        .map(ToString::to_string);
    assert!(
        why.as_ref().is_some_and(|why| why.contains("more than 1048576 bytes")),
        "{why:?}"
    );
}

/// A P-256 key for a provider of the tests' own.
fn own_key() -> SigningKey {
    SigningKey::of(&[7; 32]).unwrap()
}

/// Signs the ID token anew with [`own_key`], its claims changed. The key has to be published for it.
fn sign_anew(tokens: &mut Value, change: fn(&mut Value)) {
    let header = json!({ "alg": "ES256", "typ": "JWT" });
    let sign = |message: &str, _: &str| own_key().signature(message);
    let token = rewritten(tokens["id_token"].as_str().unwrap(), Some(header), change, sign);
    tokens["id_token"] = token.into();
}

#[tokio::test]
async fn a_right_signature_is_not_enough() {
    let provider = Provider::serve().await;
    let cases: [(fn(&mut Value), &str); 7] = [
        (|tokens| sign_anew(tokens, |_| ()), ""),
        (
            |tokens| sign_anew(tokens, |claims| claims["nonce"] = "n".into()),
            "nonce",
        ),
        (
            |tokens| sign_anew(tokens, |claims| claims["aud"] = "other".into()),
            "audience",
        ),
        (
            |tokens| sign_anew(tokens, |claims| claims["aud"] = json!(["loopiq", "b"])),
            "audience",
        ),
        (
            |tokens| sign_anew(tokens, |claims| claims["azp"] = "other".into()),
            "azp",
        ),
        (
            |tokens| sign_anew(tokens, |claims| claims["iss"] = "https://b.example".into()),
            "issuer",
        ),
        (
            |tokens| sign_anew(tokens, |claims| claims["exp"] = START.into()),
            "xpired",
        ),
    ];
    for (change, reason) in cases {
        provider.restart();
        provider.tamper("/jwks", |keys| {
            keys["keys"] = json!([own_key().public()]);
        });
        provider.tamper("/token", change);
        let oidc = provider.oidc();
        let (pending, callback) = provider.sign_in(&oidc).await;
        match provider.finish(&oidc, pending, &callback).await {
            Ok(_) => assert_eq!(reason, ""),
            Err(error) => {
                assert!(matches!(error, OidcError::InvalidToken { .. }), "{error:?}");
                assert!(
                    !reason.is_empty() && cause(&error).contains(reason),
                    "{reason}: {}",
                    cause(&error)
                );
            }
        }
    }
}

#[tokio::test]
async fn claims_come_in_many_shapes() {
    let provider = Provider::serve().await;
    provider.tamper("/jwks", |keys| {
        keys["keys"] = json!([own_key().public()]);
    });
    provider.tamper("/token", |tokens| {
        sign_anew(tokens, |claims| {
            claims["name"] = " ".into();
            claims["preferred_username"] = "rae".into();
            claims["organization"] = json!({ "acme.id": ["acme"] });
            claims["https://loopiq.example/roles"] = "reviewer,lead".into();
            claims["azp"] = "loopiq".into();
            claims["extra"] = json!({ "n": null, "f": 1.5, "b": [true] });
        });
    });
    let settings = OidcSettings {
        tenant_claim: "organization.acme.id".to_owned(),
        roles_claim: "https://loopiq.example/roles".to_owned(),
        ..provider.settings()
    };
    let oidc = Oidc::new(settings).unwrap();
    let (pending, callback) = provider.sign_in(&oidc).await;
    let assertion = provider.finish(&oidc, pending, &callback).await.unwrap();
    assert_eq!((assertion.tenant.as_str(), assertion.name.as_str()), ("acme", "rae"));
    assert_eq!(assertion.roles, ["reviewer", "lead"]);
}

/// A provider that signs whatever the test wants.
async fn signing(change: fn(&mut Value)) -> Provider {
    let provider = Provider::serve().await;
    provider.tamper("/jwks", |keys| {
        keys["keys"] = json!([own_key().public()]);
    });
    provider.tamper("/token", change);
    provider
}

async fn outcome(change: fn(&mut Value), domains: &[&str]) -> Result<Assertion, OidcError> {
    let provider = signing(change).await;
    let settings = OidcSettings {
        verified_domains: domains.iter().map(|&domain| domain.to_owned()).collect(),
        ..provider.settings()
    };
    let oidc = Oidc::new(settings).unwrap();
    let (pending, callback) = provider.sign_in(&oidc).await;
    provider.finish(&oidc, pending, &callback).await
}

#[tokio::test]
async fn an_address_is_verified_if_the_provider_says_so_or_else_the_settings() {
    let cases: [(fn(&mut Value), &[&str], bool); 8] = [
        (
            |tokens| sign_anew(tokens, |claims| claims["email_verified"] = true.into()),
            &[],
            true,
        ),
        (
            |tokens| sign_anew(tokens, |claims| claims["email_verified"] = "true".into()),
            &[],
            true,
        ),
        (
            |tokens| sign_anew(tokens, |claims| claims["email_verified"] = false.into()),
            &["acme.example"],
            false,
        ),
        (
            |tokens| sign_anew(tokens, |claims| claims["email_verified"] = "false".into()),
            &["acme.example"],
            false,
        ),
        (
            |tokens| {
                sign_anew(tokens, |claims| {
                    drop(claims.as_object_mut().unwrap().remove("email_verified"))
                })
            },
            &[],
            false,
        ),
        (
            |tokens| {
                sign_anew(tokens, |claims| {
                    drop(claims.as_object_mut().unwrap().remove("email_verified"))
                })
            },
            &["x.example", "acme.example"],
            true,
        ),
        // A part of a domain is another domain.
        (
            |tokens| {
                sign_anew(tokens, |claims| {
                    claims.as_object_mut().unwrap().remove("email_verified");
                    claims["email"] = "lead@acme.example@evil-acme.example".into();
                });
            },
            &["acme.example"],
            false,
        ),
        (
            |tokens| {
                sign_anew(tokens, |claims| {
                    claims.as_object_mut().unwrap().remove("email_verified");
                    claims["email"] = "Reviewer@ACME.example".into();
                });
            },
            &["acme.EXAMPLE"],
            true,
        ),
    ];
    for (n, (change, domains, verified)) in cases.into_iter().enumerate() {
        let email = outcome(change, domains).await.unwrap().email;
        assert_eq!(email.address().is_some(), verified, "case {n}: {email}");
        assert_eq!(email.is("reviewer@acme.example"), verified, "case {n}: {email}");
    }
    assert!(matches!(
        outcome(
            |tokens| sign_anew(tokens, |claims| claims["email_verified"] = "perhaps".into()),
            &[]
        )
        .await,
        Err(OidcError::InvalidToken { .. })
    ));
}

#[tokio::test]
async fn a_token_of_another_time_or_about_nobody_is_not_taken() {
    let cases: [(fn(&mut Value), &str); 8] = [
        (
            |tokens| sign_anew(tokens, |claims| claims["nbf"] = (START + 60).into()),
            "",
        ),
        (
            |tokens| sign_anew(tokens, |claims| claims["nbf"] = (START + 61).into()),
            "nbf",
        ),
        (
            |tokens| sign_anew(tokens, |claims| claims["nbf"] = (START + 3_600).into()),
            "nbf",
        ),
        (
            |tokens| sign_anew(tokens, |claims| claims["nbf"] = "tomorrow".into()),
            "nbf",
        ),
        (
            |tokens| sign_anew(tokens, |claims| claims["iat"] = (START - 600).into()),
            "",
        ),
        (
            |tokens| sign_anew(tokens, |claims| claims["iat"] = (START - 601).into()),
            "too long ago",
        ),
        (
            |tokens| sign_anew(tokens, |claims| claims["iat"] = (START - 7 * 86_400).into()),
            "too long ago",
        ),
        (
            |tokens| sign_anew(tokens, |claims| claims["iat"] = (START + 61).into()),
            "future",
        ),
    ];
    for (n, (change, reason)) in cases.into_iter().enumerate() {
        match outcome(change, &[]).await {
            Ok(_) => assert_eq!(reason, "", "case {n}"),
            Err(error @ OidcError::InvalidToken { .. }) => {
                assert!(
                    !reason.is_empty() && cause(&error).contains(reason),
                    "case {n}: {}",
                    cause(&error)
                );
            }
            Err(other) => panic!("case {n}: {other:?}"),
        }
    }
    let about_nobody: [fn(&mut Value); 3] = [
        |tokens| sign_anew(tokens, |claims| drop(claims.as_object_mut().unwrap().remove("sub"))),
        |tokens| sign_anew(tokens, |claims| claims["sub"] = " ".into()),
        |tokens| sign_anew(tokens, |claims| claims["sub"] = 7.into()),
    ];
    for change in about_nobody {
        let error = outcome(change, &[]).await.unwrap_err();
        assert!(
            matches!(&error, OidcError::MissingClaim { claim } if claim == "sub"),
            "{error:?}"
        );
    }
    // What cannot be read at all is no provider that is away.
    let error = outcome(|tokens| tokens["id_token"] = "a.b.c".into(), &[])
        .await
        .unwrap_err();
    assert!(matches!(error, OidcError::InvalidToken { .. }), "{error:?}");
}
