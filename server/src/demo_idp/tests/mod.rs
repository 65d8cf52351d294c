//! The provider over HTTP, with valid and invalid requests.

mod authorize;
mod token;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use openidconnect::url::Url;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;

use super::{DemoIdp, DemoIdpError, DemoPerson, router};

const CALLBACK: &str = "http://127.0.0.1:3000/auth/callback";
/// The verifier and challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn person(tenant: &str, subject: &str, name: &str) -> DemoPerson {
    DemoPerson {
        tenant: tenant.to_owned(),
        subject: subject.to_owned(),
        email: format!("{subject}@{tenant}.example"),
        name: name.to_owned(),
        roles: vec!["reviewer".to_owned(), "lead".to_owned()],
    }
}

struct Provider {
    issuer: String,
    idp: DemoIdp,
    now: Arc<AtomicI64>,
    http: Client,
}

impl Provider {
    async fn serve() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}/demo-idp", listener.local_addr().unwrap());
        let now = Arc::new(AtomicI64::new(1_800_000_000));
        let clock = Arc::clone(&now);
        let idp = DemoIdp::new(
            issuer.clone(),
            "loopiq",
            "s3cret+/=",
            vec![CALLBACK.to_owned()],
            vec![
                person("acme", "rae", "Rae <b>\"O'Neil\" & co"),
                person("globex", "gil", "Gil"),
                person("acme", "ada", "Ada"),
            ],
            Arc::new(move || clock.load(Ordering::Relaxed)),
        )
        .unwrap()
        .with_stylesheet(Some("/pkg/loopiq.css?a=1&b=2".to_owned()));
        let app = Router::new().nest("/demo-idp", router(idp.clone()));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let http = crate::http_client::builder()
            .unwrap()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { issuer, idp, now, http }
    }

    async fn ask(&self, changes: &[(&str, Option<&str>)]) -> Response {
        let query = request(changes);
        let url = format!("{}/authorize", self.issuer);
        self.http.get(url).query(&query).send().await.unwrap()
    }

    async fn choose(&self, changes: &[(&str, Option<&str>)], person: &str) -> Response {
        let mut form = request(changes);
        form.push(("person".to_owned(), person.to_owned()));
        let url = format!("{}/authorize", self.issuer);
        self.http.post(url).form(&form).send().await.unwrap()
    }

    async fn code(&self) -> String {
        let answer = redirect_params(&self.choose(&[], "rae").await);
        assert_eq!(answer.get("state"), Some("a state"));
        assert_eq!(answer.get("iss"), Some(self.issuer.as_str()));
        answer.get("code").unwrap().to_owned()
    }

    async fn redeem(&self, code: &str, changes: &[(&str, Option<&str>)]) -> (StatusCode, Value) {
        let form = changed(
            &[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", CALLBACK),
                ("code_verifier", VERIFIER),
                ("client_id", "loopiq"),
                ("client_secret", "s3cret+/="),
            ],
            changes,
        );
        let url = format!("{}/token", self.issuer);
        let response = self.http.post(url).form(&form).send().await.unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        (response.status(), response.json().await.unwrap())
    }
}

fn request(changes: &[(&str, Option<&str>)]) -> Vec<(String, String)> {
    changed(
        &[
            ("response_type", "code"),
            ("client_id", "loopiq"),
            ("redirect_uri", CALLBACK),
            ("scope", "openid email"),
            ("state", "a state"),
            ("nonce", "a nonce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ],
        changes,
    )
}

/// The pairs with changed, removed (`None`) and added values.
fn changed(pairs: &[(&str, &str)], changes: &[(&str, Option<&str>)]) -> Vec<(String, String)> {
    let kept = pairs
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name))
        .copied();
    let new = changes.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
    kept.chain(new)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

struct RedirectParams(Vec<(String, String)>);

impl RedirectParams {
    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

fn redirect_params(response: &Response) -> RedirectParams {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let location = response.headers()["location"].to_str().unwrap();
    assert!(location.starts_with(&format!("{CALLBACK}?")), "{location}");
    RedirectParams(Url::parse(location).unwrap().query_pairs().into_owned().collect())
}

#[test]
fn an_invalid_provider_is_not_created() {
    let make = |issuer: &str, callback: &str, subjects: &[&str]| {
        let people = subjects.iter().map(|subject| person("acme", subject, "x")).collect();
        DemoIdp::new(issuer, "c", "s", vec![callback.to_owned()], people, Arc::new(|| 0)).err()
    };
    let issuer = "http://127.0.0.1/demo-idp";
    assert!(make(issuer, CALLBACK, &["a", "b"]).is_none());
    assert!(matches!(make("demo-idp", CALLBACK, &[]), Some(DemoIdpError::Issuer(_))));
    assert!(matches!(
        make("http://h/?a", CALLBACK, &[]),
        Some(DemoIdpError::Issuer(_))
    ));
    assert!(matches!(make(issuer, "/auth", &[]), Some(DemoIdpError::RedirectUri(_))));
    assert!(matches!(
        make(issuer, "http://h/#a", &[]),
        Some(DemoIdpError::RedirectUri(_))
    ));
    assert!(matches!(
        make(issuer, CALLBACK, &["a", "a"]),
        Some(DemoIdpError::SharedSubject(_))
    ));
}
