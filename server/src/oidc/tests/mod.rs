//! Complete sign-ins over HTTP with the demo provider.

mod access_tokens;
mod claims;
mod discovery;
mod forged_tokens;
mod inspect;
mod logout;
mod settings;
mod sign_in;
mod tokens;

use std::error::Error as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::url::Url;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::demo_idp::{self, DemoIdp, DemoPerson};

const CALLBACK: &str = "http://127.0.0.1:3000/auth/callback";
/// A secret with characters that must be encoded in a header and in a form.
const SECRET: &str = "s3cret+/= ü";
const START: i64 = 1_800_000_000;

/// A demo provider on a port of its own, whose routes a test can replace while it runs.
struct Provider {
    issuer: String,
    now: Arc<AtomicI64>,
    app: Arc<Mutex<Router>>,
    discoveries: Arc<AtomicU64>,
    browser: Client,
}

impl Provider {
    async fn serve() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self {
            issuer: format!("http://{}/demo-idp", listener.local_addr().unwrap()),
            now: Arc::new(AtomicI64::new(START)),
            app: Arc::default(),
            discoveries: Arc::default(),
            browser: crate::http_client::builder()
                .unwrap()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
        };
        provider.restart();
        let (app, discoveries) = (Arc::clone(&provider.app), Arc::clone(&provider.discoveries));
        let service = Router::new().fallback(async move |request: Request| {
            if request.uri().path().ends_with("/openid-configuration") {
                discoveries.fetch_add(1, Ordering::Relaxed);
            }
            let app = app.lock().unwrap().clone();
            app.oneshot(request).await
        });
        tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        provider
    }

    /// Replaces the provider by a new one at the same address, with a new key and without the old codes.
    fn restart(&self) {
        let clock = Arc::clone(&self.now);
        let idp = DemoIdp::new(
            self.issuer.clone(),
            "loopiq",
            SECRET,
            vec![CALLBACK.to_owned()],
            vec![
                person("acme", "reviewer", &["reviewer"]),
                person("globex", "chief", &["lead", "auditor"]),
            ],
            Arc::new(move || clock.load(Ordering::Relaxed)),
        );
        self.exchange_routes(Router::new().nest("/demo-idp", demo_idp::router(idp.unwrap())));
    }

    fn exchange_routes(&self, routes: Router) {
        *self.app.lock().unwrap() = routes;
    }

    /// Changes the JSON of all further responses at a path.
    fn tamper(&self, path: &'static str, change: fn(&mut Value)) {
        let honest = self.app.lock().unwrap().clone();
        let tampering = async move |request: Request| {
            let is_it = request.uri().path().ends_with(path);
            let mut response = honest.oneshot(request).await.unwrap();
            if is_it {
                let body = std::mem::take(response.body_mut());
                let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                let mut value = serde_json::from_slice(&bytes).unwrap();
                change(&mut value);
                response.headers_mut().remove("content-length");
                *response.body_mut() = value.to_string().into();
            }
            response
        };
        self.exchange_routes(Router::new().fallback(tampering));
    }

    fn settings(&self) -> OidcSettings {
        OidcSettings {
            issuer: self.issuer.clone(),
            client_id: "loopiq".to_owned(),
            client_secret: SECRET.to_owned(),
            redirect_url: CALLBACK.to_owned(),
            tenant_claim: DEFAULT_TENANT_CLAIM.to_owned(),
            roles_claim: DEFAULT_ROLES_CLAIM.to_owned(),
            groups_claim: DEFAULT_GROUPS_CLAIM.to_owned(),
            role_mapping: RoleMapping::default(),
            verified_domains: Vec::new(),
            access_tokens: false,
        }
    }

    fn oidc(&self) -> Oidc {
        Oidc::new(self.settings()).unwrap()
    }

    fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Opens the provider's page and presses a button. Returns the parameters of the callback.
    async fn press(&self, authorize_url: &str, name: &str, value: &str) -> Callback {
        let page = self.browser.get(authorize_url).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK);
        let page = page.text().await.unwrap();
        assert!(page.contains(&format!("name=\"{name}\" value=\"{value}\"")), "{page}");
        let mut form: Vec<(String, String)> = page
            .lines()
            .filter_map(|line| line.strip_prefix("<input type=\"hidden\" name=\""))
            .map(|rest| rest.trim_end_matches("\">").split_once("\" value=\"").unwrap())
            .map(|(name, value)| (name.to_owned(), value.replace("&amp;", "&")))
            .collect();
        form.push((name.to_owned(), value.to_owned()));
        let action = Url::parse(authorize_url).unwrap().join("authorize").unwrap();
        let answer = self.browser.post(action).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let location = answer.headers()["location"].to_str().unwrap();
        assert!(location.starts_with(CALLBACK));
        Callback(Url::parse(location).unwrap().query_pairs().into_owned().collect())
    }

    async fn sign_in(&self, oidc: &Oidc) -> (PendingSignIn, Callback) {
        let begun = oidc.start("/actions/act_1?tab=2", self.now()).await.unwrap();
        let callback = self.press(&begun.authorize_url, "person", "reviewer").await;
        (begun.pending, callback)
    }

    async fn finish(&self, oidc: &Oidc, pending: PendingSignIn, callback: &Callback) -> Result<Assertion, OidcError> {
        let (code, state) = (callback.get("code"), callback.get("state"));
        oidc.finish(pending, code, state, Some(callback.get("iss")), self.now())
            .await
    }
}

struct Callback(Vec<(String, String)>);

impl Callback {
    fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }
}

fn person(tenant: &str, subject: &str, roles: &[&str]) -> DemoPerson {
    DemoPerson {
        tenant: tenant.to_owned(),
        subject: subject.to_owned(),
        email: format!("{subject}@{tenant}.example"),
        name: format!("The {subject}"),
        roles: roles.iter().map(|&role| role.to_owned()).collect(),
    }
}

fn cause(error: &OidcError) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}
