//! Providers that do not authenticate the person as the service asks.

use super::{POLICY, REVIEWER, approval, approve, ask_url, proposed, refused, start_url};
use crate::support::Service;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use loopiq::domain::Timestamp;
use loopiq_server::demo_idp::DemoIdp;
use loopiq_server::net::RequestSettings;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};

/// Changes the claims of the provider's tokens, and its metadata.
type Change = Arc<Mutex<Option<(DemoIdp, fn(&mut Map<String, Value>))>>>;

/// A service whose provider changes the claims of its tokens before it signs them, and its metadata.
async fn with_another_provider() -> (Service, Change) {
    let change = Change::default();
    let hook = change.clone();
    let service = Service::behind(RequestSettings::default(), move |router| {
        router.layer(from_fn(move |request: Request, next: Next| {
            let change = hook.lock().unwrap().clone();
            async move {
                let path = request.uri().path().to_owned();
                let response = next.run(request).await;
                match (path.as_str(), change) {
                    ("/demo-idp/token" | "/demo-idp/.well-known/openid-configuration", Some((idp, change))) => {
                        changed(response, &idp, change).await
                    }
                    _ => response,
                }
            }
        }))
    })
    .await;
    (service, change)
}

async fn changed(response: Response, idp: &DemoIdp, change: fn(&mut Map<String, Value>)) -> Response {
    let (mut parts, body) = response.into_parts();
    let mut tokens: Value = serde_json::from_slice(&to_bytes(body, 1 << 20).await.unwrap()).unwrap();
    match tokens["id_token"].as_str().and_then(|token| token.split('.').nth(1)) {
        Some(payload) => {
            let claims = URL_SAFE_NO_PAD.decode(payload).unwrap();
            let mut claims: Map<String, Value> = serde_json::from_slice(&claims).unwrap();
            change(&mut claims);
            tokens["id_token"] = idp.sign(&Value::Object(claims)).unwrap().into();
        }
        None => change(tokens.as_object_mut().unwrap()),
    }
    parts.headers.remove("content-length");
    Response::from_parts(parts, Body::from(tokens.to_string()))
}

#[tokio::test]
async fn a_provider_that_ignores_the_request_is_found_out() {
    let (service, change) = with_another_provider().await;
    let policy = format!("{POLICY}acr = [\"demo:two-factors\"]");
    let action = proposed(&service, &policy).await;
    let mut browser = refused(&service, REVIEWER, &action).await;
    let idp = service.state.demo_idp.clone().unwrap();
    let ignoring: [(fn(&mut Map<String, Value>), &str); 4] = [
        // As if the person had removed max_age from the URL: the provider says that it can send auth_time.
        (
            |claims| {
                claims.remove("auth_time");
            },
            "did not say when you signed in",
        ),
        (
            |claims| {
                let issued = claims["iat"].as_i64().unwrap();
                claims.insert("auth_time".to_owned(), json!(issued - 1_800));
            },
            "you signed in 30 minutes ago",
        ),
        (
            |claims| {
                claims.insert("acr".to_owned(), json!("demo:one-factor"));
            },
            "yours was of the kind demo:one-factor",
        ),
        (
            |claims| {
                claims.remove("acr");
            },
            "did not say of which kind",
        ),
    ];
    for (claims, says) in ignoring {
        *change.lock().unwrap() = Some((idp.clone(), claims));
        let before = browser.cookie.clone();
        let page = browser.sign_in(REVIEWER, &start_url(&action)).await;
        assert_eq!(page.status, 403, "{says}: {}", page.text);
        for part in [
            "does not meet the policy",
            says,
            "Nothing was approved",
            &start_url(&action),
            "Back to the action",
        ] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        assert_ne!(browser.cookie, before, "the sign-in itself is valid");
        let form = approval(&mut browser, &action).await;
        assert!(
            form.iter()
                .any(|(name, value)| name == "typed" && value == "shop-2026.12"),
            "{form:?}"
        );
        assert_eq!(
            approve(&mut browser, &form).await.location(),
            ask_url(&action),
            "{says}"
        );
    }
    assert!(service.entries("action.approved").await.is_empty());
}

#[tokio::test]
async fn a_provider_without_auth_time_is_believed_only_after_it_was_asked_to_authenticate() {
    let (service, change) = with_another_provider().await;
    let action = proposed(&service, POLICY).await;
    let silent: fn(&mut Map<String, Value>) = |document| {
        document.remove("auth_time");
        if let Some(claims) = document.get_mut("claims_supported").and_then(Value::as_array_mut) {
            claims.retain(|claim| claim != "auth_time");
        }
    };
    let idp = service.state.demo_idp.clone().unwrap();
    *change.lock().unwrap() = Some((idp, silent));
    // The metadata are discovered again after an hour.
    service.advance_clock(2 * Timestamp::HOUR);
    let mut browser = service.signed_in(REVIEWER).await;
    let form = approval(&mut browser, &action).await;
    assert_eq!(
        approve(&mut browser, &form).await.location(),
        ask_url(&action),
        "an ordinary sign-in says nothing"
    );
    let ask = browser.get(&ask_url(&action)).await.text;
    assert!(ask.contains("did not say when you signed in"), "{ask}");
    let back = browser.sign_in(REVIEWER, &start_url(&action)).await;
    assert_eq!(back.location(), format!("/actions/{action}"), "{}", back.text);
    let form = approval(&mut browser, &action).await;
    assert_eq!(
        approve(&mut browser, &form).await.location(),
        format!("/actions/{action}")
    );
    let [approved] = service.entries("action.approved").await.try_into().unwrap();
    assert_eq!(approved["details"]["stepUp"]["authenticatedBy"], "iat");
    let mut connection = service.database.connect().await;
    let sql = "SELECT prompted FROM sessions WHERE authenticated_at IS NULL";
    let prompted: Vec<i64> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
    assert_eq!(prompted, [1]);
}
