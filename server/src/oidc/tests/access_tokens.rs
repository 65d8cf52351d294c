//! Access tokens of the provider: what is accepted at the MCP endpoint, and what is not.

use super::tokens::own_key;
use super::*;
use crate::mcp::tests::service::TestService;
use loopiq::domain::{Role, Timestamp};
use loopiq::engine::RequestOrigin;
use loopiq_testing::fixtures;

const RESOURCE: &str = "https://loopiq.example/mcp";

/// A provider that publishes [`own_key`], and a relying party that accepts its access tokens.
async fn provider() -> (Provider, Oidc) {
    let provider = Provider::serve().await;
    provider.tamper("/jwks", |keys| {
        keys["keys"] = json!([own_key().public()]);
    });
    let settings = OidcSettings {
        access_tokens: true,
        ..provider.settings()
    };
    (provider, Oidc::new(settings).unwrap())
}

fn signed(header: &Value, claims: &Value) -> String {
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encoded(header), encoded(claims));
    format!("{message}.{}", own_key().signature(&message))
}

fn header() -> Value {
    json!({ "alg": "ES256", "typ": "at+jwt", "kid": own_key().public()["kid"] })
}

fn claims(provider: &Provider, resource: &str, now: i64) -> Value {
    json!({
        "iss": provider.issuer, "aud": resource, "iat": now, "exp": now + 300, "sub": "developer@acme.example", "client_id": "build-agent",
        "scope": "openid loopiq:read", "tenant": "acme",
    })
}

#[tokio::test]
async fn an_access_token_names_person_client_tenant_and_scopes() {
    let (provider, oidc) = provider().await;
    let token = signed(&header(), &claims(&provider, RESOURCE, START));
    assert!(oidc.may_be_access_token(&token) && !oidc.may_be_access_token("loopiq_abc"));
    assert!(!provider.oidc().may_be_access_token(&token), "opt-in");
    let (read, name) = oidc.access_token(&token, RESOURCE, START).await.unwrap();
    assert_eq!(
        (read.subject.as_str(), read.client.as_str(), read.scopes.to_string()),
        ("developer@acme.example", "build-agent", "loopiq:read".to_owned())
    );
    assert_eq!(read.tenants, ["acme"]);
    assert!(name.starts_with("jwt_") && name.len() == 20, "{name}");
    // As Entra ID and Okta write it.
    let mut other = claims(&provider, RESOURCE, START);
    for name in ["client_id", "scope", "tenant", "iat"] {
        other.as_object_mut().unwrap().remove(name);
    }
    other["azp"] = "app".into();
    other["scp"] = json!(["loopiq:read", "loopiq:propose"]);
    other["aud"] = json!(["other", RESOURCE]);
    let header = json!({ "alg": "ES256", "typ": "JWT" });
    let (read, _) = oidc
        .access_token(&signed(&header, &other), RESOURCE, START)
        .await
        .unwrap();
    assert_eq!(
        (read.client.as_str(), read.scopes.to_string()),
        ("app", "loopiq:read loopiq:propose".to_owned())
    );
    assert!(read.tenants.is_empty());
}

#[tokio::test]
async fn another_token_is_refused_with_the_reason() {
    let (provider, oidc) = provider().await;
    let without = |claims: &mut Value, name: &str| drop(claims.as_object_mut().unwrap().remove(name));
    let cases: Vec<(Box<dyn Fn(&mut Value)>, &str)> = vec![
        (Box::new(|claims| claims["iss"] = "https://other.example".into()), "iss"),
        (Box::new(|claims| claims["aud"] = "loopiq".into()), "aud"),
        (Box::new(|claims| claims["aud"] = json!([])), "aud"),
        (
            Box::new(|claims| claims["aud"] = "https://loopiq.example/mcp/".into()),
            "aud",
        ),
        (Box::new(|claims| claims["exp"] = (START - 61).into()), "expired"),
        (Box::new(|claims| claims["exp"] = "soon".into()), "expired"),
        (Box::new(move |claims| without(claims, "exp")), "no end"),
        (Box::new(|claims| claims["nbf"] = (START + 61).into()), "not valid yet"),
        (Box::new(|claims| claims["nbf"] = "now".into()), "not valid yet"),
        (Box::new(|claims| claims["iat"] = (START + 61).into()), "not valid yet"),
        (Box::new(move |claims| without(claims, "sub")), "no person"),
        (Box::new(|claims| claims["sub"] = "x".repeat(256).into()), "sub"),
        (Box::new(move |claims| without(claims, "client_id")), "no client"),
        (
            Box::new(|claims| claims["client_id"] = "x".repeat(201).into()),
            "too long",
        ),
    ];
    for (change, says) in cases {
        let mut changed = claims(&provider, RESOURCE, START);
        change(&mut changed);
        let refused = oidc.access_token(&signed(&header(), &changed), RESOURCE, START).await;
        let why = cause(&refused.unwrap_err());
        assert!(why.contains(says), "{changed}: {why}");
    }
    let fine = claims(&provider, RESOURCE, START);
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "ES256", "typ": "logout+jwt" }),
        json!({ "alg": "ES256", "crit": ["x"] }),
        json!({ "alg": "ES256", "kid": "another" }),
    ] {
        let refused = oidc.access_token(&signed(&header, &fine), RESOURCE, START).await;
        assert!(
            matches!(refused, Err(OidcError::InvalidToken { .. })),
            "{header}: {refused:?}"
        );
    }
    let message = signed(&header(), &fine);
    let (signed, _) = message.rsplit_once('.').unwrap();
    for forged in [
        format!("{signed}."),
        format!("{signed}.{}", own_key().signature("another")),
        signed.to_owned(),
    ] {
        assert!(oidc.access_token(&forged, RESOURCE, START).await.is_err(), "{forged}");
    }
}

#[tokio::test]
async fn the_endpoint_accepts_it_for_a_person_who_has_signed_in_lately() {
    let (provider, oidc) = provider().await;
    let service = TestService::accepting(Some(oidc)).await;
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let token = |name: &str, value: Value| {
        let now = service.engine.runtime().now().0 / 1_000_000;
        let mut claims = claims(&provider, &service.mcp_url(), now);
        claims[name] = value;
        signed(&header(), &claims)
    };
    let plain = || token("jti", json!("j1"));
    let refused = async |token: String| {
        let response = service.send(&token, list).await;
        assert_eq!(response.status(), 401);
        response.headers()["www-authenticate"].to_str().unwrap().to_owned()
    };
    // Nobody has signed in with this provider yet.
    let why = refused(plain()).await;
    assert!(why.contains("has not signed in here"), "{why}");
    let asserted = fixtures::asserted(&provider.issuer, "developer@acme.example", &[Role::Developer]);
    let origin = RequestOrigin::default();
    service.engine.sign_in("acme", asserted, &origin).await.unwrap();
    assert_eq!(service.send(&plain(), list).await.status(), 200);
    // With one tenant a token need not name it. With two, it has to.
    assert_eq!(service.send(&token("tenant", Value::Null), list).await.status(), 200);
    service.engine.create_tenant("globex", "Globex").await.unwrap();
    for tenant in [Value::Null, json!([])] {
        let why = refused(token("tenant", tenant)).await;
        assert!(why.contains("must name one tenant"), "{why}");
    }
    let both = json!(["acme", "globex", "nowhere"]);
    assert_eq!(
        service.send(&token("tenant", both.clone()), list).await.status(),
        200,
        "an account in one of them"
    );
    let elsewhere = fixtures::asserted(&provider.issuer, "developer@acme.example", &[Role::Developer]);
    service
        .engine
        .sign_in("globex", elsewhere, &RequestOrigin::default())
        .await
        .unwrap();
    let why = refused(token("tenant", both)).await;
    assert!(why.contains("must name one tenant"), "{why}");
    let why = refused(token("tenant", json!("nowhere"))).await;
    assert!(why.contains("has not signed in here"), "{why}");
    let why = refused(token("aud", json!("https://other.example/mcp"))).await;
    assert!(why.contains("another resource"), "{why}");
    // The scopes of the token count, as for tokens of this service.
    let proposing = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "loopiq_create_work_item", "arguments": service.work_item("k") } });
    assert_eq!(service.send(&plain(), proposing.to_string()).await.status(), 403);
    let both = token("scope", json!("loopiq:read loopiq:propose"));
    let proposed = service
        .call(&both, "loopiq_create_work_item", service.work_item("k"))
        .await;
    assert_eq!(
        proposed["structuredContent"]["status"], "pending_approval",
        "{proposed}"
    );
    service.advance_clock(31 * Timestamp::DAY);
    let why = refused(plain()).await;
    assert!(why.contains("has to sign in again"), "{why}");
}
