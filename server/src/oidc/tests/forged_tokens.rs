//! ID tokens that must not be trusted: forged, for another client, or of another time.

use super::tokens::{outcome, own_key, rewritten, sign_with_own_key};
use super::*;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

#[tokio::test]
async fn a_forged_token_is_not_trusted() {
    fn text(tokens: &Value) -> &str {
        tokens["id_token"].as_str().unwrap()
    }
    let provider = Provider::serve().await;
    let forgeries: [(fn(&mut Value), &str); 6] = [
        // Another role with the old signature.
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
        // Another nonce with the old signature.
        (
            |tokens| {
                let forged = rewritten(text(tokens), None, |c| c["nonce"] = "n".into(), |_, old| old.to_owned());
                tokens["id_token"] = forged.into();
            },
            "ignature",
        ),
        // No signature.
        (
            |tokens| {
                let header = json!({ "alg": "none", "typ": "JWT" });
                tokens["id_token"] = rewritten(text(tokens), Some(header), |_| (), |_, _| String::new()).into();
            },
            "ignature",
        ),
        // Signed with the client's secret.
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
async fn a_valid_signature_is_not_enough() {
    let provider = Provider::serve().await;
    let cases: [(fn(&mut Value), &str); 7] = [
        (|tokens| sign_with_own_key(tokens, |_| ()), ""),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["nonce"] = "n".into()),
            "nonce",
        ),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["aud"] = "other".into()),
            "audience",
        ),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["aud"] = json!(["loopiq", "b"])),
            "audience",
        ),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["azp"] = "other".into()),
            "azp",
        ),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["iss"] = "https://b.example".into()),
            "issuer",
        ),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["exp"] = START.into()),
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
async fn a_token_of_another_time_or_without_a_subject_is_refused() {
    let cases: [(fn(&mut Value), &str); 8] = [
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["nbf"] = (START + 60).into()),
            "",
        ),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["nbf"] = (START + 61).into()),
            "nbf",
        ),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["nbf"] = (START + 3_600).into()),
            "nbf",
        ),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["nbf"] = "tomorrow".into()),
            "nbf",
        ),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["iat"] = (START - 600).into()),
            "",
        ),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["iat"] = (START - 601).into()),
            "too long ago",
        ),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["iat"] = (START - 7 * 86_400).into()),
            "too long ago",
        ),
        (
            |tokens| sign_with_own_key(tokens, |claims| claims["iat"] = (START + 61).into()),
            "future",
        ),
    ];
    for (n, (change, reason)) in cases.into_iter().enumerate() {
        match outcome(change, &[]).await {
            Ok(_) => assert_eq!(reason, "", "case {n}"),
            Err(error @ (OidcError::InvalidToken { .. } | OidcError::ClockDiffers { .. })) => {
                assert!(
                    !reason.is_empty() && cause(&error).contains(reason),
                    "case {n}: {}",
                    cause(&error)
                );
            }
            Err(other) => panic!("case {n}: {other:?}"),
        }
    }
    let without_subject: [fn(&mut Value); 3] = [
        |tokens| sign_with_own_key(tokens, |claims| drop(claims.as_object_mut().unwrap().remove("sub"))),
        |tokens| sign_with_own_key(tokens, |claims| claims["sub"] = " ".into()),
        |tokens| sign_with_own_key(tokens, |claims| claims["sub"] = 7.into()),
    ];
    for change in without_subject {
        let error = outcome(change, &[]).await.unwrap_err();
        assert!(
            matches!(&error, OidcError::MissingClaim { claim, .. } if claim == "sub"),
            "{error:?}"
        );
    }
    // An unreadable token does not count as an unreachable provider.
    let error = outcome(|tokens| tokens["id_token"] = "a.b.c".into(), &[])
        .await
        .unwrap_err();
    assert!(matches!(error, OidcError::InvalidToken { .. }), "{error:?}");
}
