//! Successful sign-ins, and callbacks that do not belong to one.

use super::*;
use loopiq::domain::Timestamp;

#[tokio::test]
async fn a_person_signs_in() {
    let provider = Provider::serve().await;
    let oidc = provider.oidc();
    let begun = oidc.start("/audit?q=a", START).await.unwrap();
    assert_eq!(begun.pending.return_to, "/audit?q=a");
    // A sign-in is serialized into a cookie.
    let stored = serde_json::to_string(&begun.pending).unwrap();
    let pending: PendingSignIn = serde_json::from_str(&stored).unwrap();
    let callback = provider.press(&begun.authorize_url, "person", "chief").await;
    let assertion = provider.finish(&oidc, pending, &callback).await.unwrap();
    assert_eq!(
        assertion,
        Assertion {
            sign_in: ProviderSignIn {
                issuer: provider.issuer.clone(),
                subject: "chief".to_owned(),
                sid: None,
                issued_at: Timestamp(START * 1_000_000),
                authenticated_at: Some(Timestamp(START * 1_000_000)),
                prompted: false,
                acr: Some(crate::demo_idp::ONE_FACTOR.to_owned()),
                id_token: assertion.sign_in.id_token.clone(),
            },
            tenants: vec!["globex".to_owned()],
            roles: Some(vec!["lead".to_owned(), "auditor".to_owned()]),
            groups: Vec::new(),
            email: Email::verified("chief@globex.example"),
            name: "The chief".to_owned(),
        }
    );
    assert_eq!(assertion.sign_in.id_token.unwrap().split('.').count(), 3);
    assert_eq!(oidc.end_session_url(None, None, START).await, None);
    assert_eq!(provider.discoveries.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_callback_of_another_sign_in_is_refused() {
    let provider = Provider::serve().await;
    let oidc = provider.oidc();
    let (pending, callback) = provider.sign_in(&oidc).await;
    let code = callback.get("code");
    let wrong_state = oidc.finish(pending.clone(), code, "other", None, START).await;
    assert!(matches!(wrong_state, Err(OidcError::StateMismatch)));
    let state = callback.get("state");
    for iss in [None, Some("http://127.0.0.1/demo-idp"), Some("")] {
        let wrong_issuer = oidc.finish(pending.clone(), code, state, iss, START).await;
        assert!(matches!(wrong_issuer, Err(OidcError::WrongIssuer { .. })), "{iss:?}");
    }
    let late = oidc.finish(pending.clone(), code, state, None, START + 601).await;
    assert!(matches!(late, Err(OidcError::Expired)));
    let early = oidc.finish(pending.clone(), code, state, None, START - 301).await;
    assert!(matches!(early, Err(OidcError::Expired)));
    // The refused callbacks did not use up the code.
    provider.finish(&oidc, pending, &callback).await.unwrap();
}

#[tokio::test]
async fn a_code_works_once_for_its_client_and_expires() {
    let provider = Provider::serve().await;
    let oidc = provider.oidc();
    let refused = |outcome: Result<Assertion, OidcError>| match outcome {
        Err(OidcError::Refused { error, .. }) => error,
        other => panic!("{other:?}"),
    };

    let (pending, callback) = provider.sign_in(&oidc).await;
    provider.finish(&oidc, pending.clone(), &callback).await.unwrap();
    assert_eq!(
        refused(provider.finish(&oidc, pending, &callback).await),
        "invalid_grant"
    );

    let (mut pending, callback) = provider.sign_in(&oidc).await;
    pending.pkce_verifier = "x".repeat(43);
    assert_eq!(
        refused(provider.finish(&oidc, pending, &callback).await),
        "invalid_grant"
    );

    let (pending, callback) = provider.sign_in(&oidc).await;
    provider.now.fetch_add(60, Ordering::Relaxed);
    assert_eq!(
        refused(provider.finish(&oidc, pending, &callback).await),
        "invalid_grant"
    );

    let wrong_secret = Oidc::new(OidcSettings {
        client_secret: "guess".to_owned(),
        ..provider.settings()
    });
    let wrong_secret = wrong_secret.unwrap();
    let (pending, callback) = provider.sign_in(&wrong_secret).await;
    assert_eq!(
        refused(provider.finish(&wrong_secret, pending, &callback).await),
        "invalid_client"
    );
}

#[tokio::test]
async fn a_token_for_another_sign_in_or_time_is_not_trusted() {
    let provider = Provider::serve().await;
    let oidc = provider.oidc();
    let (mut pending, callback) = provider.sign_in(&oidc).await;
    pending.nonce.push('x');
    let error = provider.finish(&oidc, pending, &callback).await.unwrap_err();
    assert!(matches!(error, OidcError::InvalidToken { .. }));
    assert!(cause(&error).contains("nonce"), "{}", cause(&error));

    // The provider's clock is first behind by more than a token's lifetime, and then ahead.
    for (skew, reason) in [(301, "xpired"), (-301, "future")] {
        let (pending, callback) = provider.sign_in(&oidc).await;
        let (code, state, iss) = (callback.get("code"), callback.get("state"), callback.get("iss"));
        let pending = PendingSignIn {
            started_at: START + skew,
            ..pending
        };
        let outcome = oidc.finish(pending, code, state, Some(iss), START + skew).await;
        let error = outcome.unwrap_err();
        assert!(cause(&error).contains(reason), "{}", cause(&error));
    }
}

#[tokio::test]
async fn the_provider_refuses() {
    let provider = Provider::serve().await;
    let oidc = provider.oidc();
    let begun = oidc.start("/", START).await.unwrap();
    let callback = provider.press(&begun.authorize_url, "cancel", "yes").await;
    let (error, text) = (callback.get("error"), callback.get("error_description"));
    let refusal = begun.pending.refusal(error, Some(text), callback.get("state"), START);
    assert!(matches!(&refusal, OidcError::Refused { error, .. } if error == "access_denied"));
    assert!(refusal.to_string().contains("No person was chosen"), "{refusal}");
    let forged = begun.pending.refusal("x", Some("Call 555-0100"), "other", START);
    assert!(matches!(forged, OidcError::StateMismatch));
    let bare = begun
        .pending
        .refusal("a\u{202e}b\"", Some(" \n"), callback.get("state"), START);
    assert!(bare.to_string().contains("refused the sign-in: ab. Start"), "{bare}");
}
