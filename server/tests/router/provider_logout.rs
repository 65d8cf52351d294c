//! Signing out at the identity provider: our link to it, and its messages to us.

use crate::support::{Answer, Service};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use loopiq::domain::Timestamp;
use loopiq_server::net::RequestSettings;
use reqwest::Method;
use serde_json::{Value, json};

const REVIEWER: &str = "reviewer@acme.example";

/// The claims of a logout token about this person.
fn claims(service: &Service, subject: &str) -> Value {
    json!({
        "iss": service.state.oidc.issuer(), "aud": "loopiq", "iat": service.state.now_seconds(), "exp": service.state.now_seconds() + 120,
        "jti": "1", "sub": subject, "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    })
}

/// Sends a logout token as the provider does: without cookies, and without the headers of a browser.
async fn send(service: &Service, token: &str) -> Answer {
    let mut provider = service.browser();
    let request = provider.program(Method::POST, "/auth/backchannel-logout");
    let answer = provider.send(request.form(&[("logout_token", token)])).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    answer
}

fn sign(service: &Service, claims: &Value) -> String {
    service.state.demo_idp.as_ref().unwrap().sign(claims).unwrap()
}

#[tokio::test]
async fn the_provider_ends_the_sessions_of_a_person() {
    let service = Service::start().await;
    let mut one = service.signed_in(REVIEWER).await;
    let mut two = service.signed_in(REVIEWER).await;
    let mut lead = service.signed_in("lead@acme.example").await;
    let token = sign(&service, &claims(&service, REVIEWER));
    let answer = send(&service, &token).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!((one.get("/").await.status, two.get("/").await.status), (303, 303));
    assert_eq!(lead.get("/").await.status, 200);
    let entries = service.entries("session.ended").await;
    assert_eq!(entries.len(), 2);
    for entry in entries {
        assert_eq!(
            (&entry["details"]["by"], &entry["actor"]["kind"]),
            (&"identity_provider".into(), &"system".into())
        );
        assert_eq!(entry["source"]["address"], "127.0.0.1");
        assert_eq!(entry["details"]["person"]["email"], REVIEWER);
    }
    // Sent again after a new sign-in, the token ends nothing: it is about sign-ins before its issue.
    service.advance_clock(2 * Timestamp::SECOND);
    let mut again = service.signed_in(REVIEWER).await;
    assert_eq!(send(&service, &token).await.status, 200);
    assert_eq!(again.get("/").await.status, 200);
    // A token about a person who is not here gets the same response.
    let stranger = sign(&service, &claims(&service, "stranger"));
    assert_eq!(send(&service, &stranger).await.status, 200);
}

#[tokio::test]
async fn a_message_that_is_not_the_provider_s_ends_nothing() {
    let service = Service::start().await;
    let mut reviewer = service.signed_in(REVIEWER).await;
    let mut other = claims(&service, REVIEWER);
    other["aud"] = "other".into();
    let valid = sign(&service, &claims(&service, REVIEWER));
    for (token, says) in [
        (sign(&service, &other), "aud"),
        (format!("{valid}x"), ""),
        (String::new(), "three parts"),
        ("a.b.c".to_owned(), ""),
    ] {
        let answer = send(&service, &token).await;
        assert_eq!(answer.status, 400, "{token}");
        assert!(
            answer.text.contains("\"invalid_request\"") && answer.text.contains(says),
            "{}",
            answer.text
        );
    }
    let mut browser = service.browser();
    let empty = browser
        .send(browser.program(Method::POST, "/auth/backchannel-logout"))
        .await;
    assert_eq!(empty.status, 400, "{}", empty.text);
    assert_eq!(browser.get("/auth/backchannel-logout").await.status, 405);
    // A page of another site cannot send it with a person's browser.
    let request = browser
        .request(Method::POST, "/auth/backchannel-logout")
        .header("sec-fetch-site", "cross-site");
    assert_eq!(
        browser.send(request.form(&[("logout_token", &valid)])).await.status,
        403
    );
    assert_eq!(reviewer.get("/").await.status, 200);
    assert!(service.entries("session.ended").await.is_empty());
}

#[tokio::test]
async fn a_logout_token_names_a_person_as_a_sign_in_does() {
    let service = Service::start().await;
    let token = |change: &dyn Fn(&mut Value)| {
        let mut claims = claims(&service, REVIEWER);
        change(&mut claims);
        sign(&service, &claims)
    };
    let names_nobody = "names neither a person (sub) nor a session (sid)";
    for (change, says) in [
        (json!({ "sub": "  " }), names_nobody),
        (json!({ "sub": "", "sid": "" }), names_nobody),
        (json!({ "sub": null, "sid": "x".repeat(300) }), names_nobody),
        (json!({ "sub": "a\u{0}b" }), "a name that no sign-in has"),
        (json!({ "sub": "x".repeat(256) }), "a name that no sign-in has"),
    ] {
        let token = token(&|claims| {
            claims
                .as_object_mut()
                .unwrap()
                .extend(change.as_object().unwrap().clone())
        });
        let answer = send(&service, &token).await;
        assert_eq!(answer.status, 400, "{change}: {}", answer.text);
        assert!(answer.text.contains(says), "{change}: {}", answer.text);
    }
    // The sessions of this provider have no `sid`, so a token with one is about all of the person's.
    let mut reviewer = service.signed_in(REVIEWER).await;
    let mut lead = service.signed_in("lead@acme.example").await;
    let spaced = token(&|claims| {
        claims["sub"] = format!(" {REVIEWER} ").into();
        claims["sid"] = "unknown".into();
    });
    assert_eq!(send(&service, &spaced).await.status, 200);
    assert_eq!((reviewer.get("/").await.status, lead.get("/").await.status), (303, 200));
}

#[tokio::test]
async fn only_refused_logout_tokens_are_counted() {
    let limits =
        loopiq_server::net::RateLimits::new("60/3".parse().unwrap(), "off".parse().unwrap(), "off".parse().unwrap());
    let settings = RequestSettings {
        rate_limits: limits,
        ..RequestSettings::default()
    };
    let service = Service::behind(settings, |router| router).await;
    let token = sign(&service, &claims(&service, "stranger"));
    for _ in 0..10 {
        assert_eq!(send(&service, &token).await.status, 200);
    }
    let mut refused = Vec::new();
    for _ in 0..4 {
        refused.push(send(&service, "a.b.c").await);
    }
    let statuses: Vec<u16> = refused.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [400, 400, 400, 429]);
    assert!(!refused[3].header("retry-after").is_empty(), "{}", refused[3].text);
    assert_eq!(send(&service, &token).await.status, 200);
}

/// Adds a sign-out page to the provider's metadata.
async fn with_sign_out_page(request: Request, next: Next) -> Response {
    let is_it = request.uri().path().ends_with("/openid-configuration");
    let mut response = next.run(request).await;
    if is_it {
        let body = to_bytes(std::mem::take(response.body_mut()), usize::MAX).await.unwrap();
        let mut metadata: Value = serde_json::from_slice(&body).unwrap();
        metadata["end_session_endpoint"] = format!("{}/bye", metadata["issuer"].as_str().unwrap()).into();
        response.headers_mut().remove("content-length");
        *response.body_mut() = Body::from(metadata.to_string());
    }
    response
}

#[tokio::test]
async fn signing_out_offers_the_provider_s_own_sign_out() {
    let wrap = |router: Router| router.layer(from_fn(with_sign_out_page));
    let service = Service::behind(RequestSettings::default(), wrap).await;
    let mut browser = service.signed_in(REVIEWER).await;
    let out = browser.post("/logout", &[]).await;
    assert_eq!((out.status, browser.cookie.as_ref()), (200, None), "{}", out.text);
    let link = out.text.split("href=\"").find(|part| part.contains("/bye?")).unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    let url = openidconnect::url::Url::parse(&link).unwrap();
    let parameter = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    assert_eq!(parameter("client_id").as_deref(), Some("loopiq"));
    assert_eq!(
        parameter("post_logout_redirect_uri"),
        Some(format!("{}/logout", service.url))
    );
    let hint = parameter("id_token_hint").unwrap();
    assert_eq!(hint.split('.').count(), 3);
    assert!(
        !url.as_str()
            .contains(browser.cookie.as_deref().unwrap_or("loopiq_session"))
    );
    // Where the provider returns to, and without a session: the same page without the token.
    let page = browser.get("/logout").await;
    assert!(
        page.text.contains("/bye?") && !page.text.contains("id_token_hint"),
        "{}",
        page.text
    );
    assert_eq!(browser.get("/").await.status, 303);
    // The provider sends the state back, so that the page does not offer the same sign-out again.
    let state = parameter("state").expect("a state");
    let page = browser.get(&format!("/logout?state={state}")).await;
    assert!(
        page.text.contains("sent you back after its own sign-out") && !page.text.contains("/bye?"),
        "{}",
        page.text
    );
    let mut other = service.signed_in(REVIEWER).await;
    let page = other.get(&format!("/logout?state={state}")).await;
    assert!(
        page.text.contains("You are signed in as"),
        "a link signs nobody out: {}",
        page.text
    );
}

#[tokio::test]
async fn people_who_are_refused_can_sign_out_of_the_provider() {
    let wrap = |router: Router| router.layer(from_fn(with_sign_out_page));
    let service = Service::behind(RequestSettings::default(), wrap).await;
    for email in ["stranger@nowhere.example", "guest@acme.example", "painter@acme.example"] {
        let refused = service.browser().sign_in(email, "/login").await;
        assert_eq!(refused.status, 403, "{email}");
        for part in [
            "/bye?",
            "id_token_hint=",
            "Sign out of the identity provider too",
            "Sign in again",
        ] {
            assert!(refused.text.contains(part), "{email} {part}: {}", refused.text);
        }
    }
    // A person who lost the roles still has a session here.
    let mut reviewer = service.signed_in(REVIEWER).await;
    service.assert_roles(REVIEWER, &[]).await;
    let refused = reviewer.get("/").await;
    assert!(refused.text.contains("href=\"/logout\""), "{}", refused.text);
}
