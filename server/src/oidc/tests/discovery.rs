//! Discovery: providers that are unreachable, move, change their keys or send endless responses.

use super::*;

#[tokio::test]
async fn a_rotated_key_is_fetched_and_a_forged_one_is_not_trusted() {
    let provider = Provider::serve().await;
    let oidc = provider.oidc();
    let (pending, callback) = provider.sign_in(&oidc).await;
    provider.finish(&oidc, pending, &callback).await.unwrap();
    provider.restart();
    let (pending, callback) = provider.sign_in(&oidc).await;
    provider.finish(&oidc, pending, &callback).await.unwrap();
    assert_eq!(provider.discoveries.load(Ordering::Relaxed), 2);

    // A provider that signs with a key that is never in its JWKS.
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
async fn concurrent_sign_ins_share_one_discovery_also_if_it_fails() {
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
    // The metadata expires after an hour.
    oidc.start("/", START + 3_599).await.unwrap();
    assert_eq!(provider.discoveries.load(Ordering::Relaxed), 2);
    oidc.start("/", START + 3_600).await.unwrap();
    assert_eq!(provider.discoveries.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_failing_token_endpoint_is_discovered_again() {
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

#[tokio::test]
async fn the_size_of_a_response_is_limited() {
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
