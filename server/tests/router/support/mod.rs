//! A service for each test: a new database, a clock that only the test advances, and real sockets on loopback.

mod browser;

pub(crate) use browser::{Answer, Browser};

use axum::Router;
use loopiq::catalog::SourceFile;
use loopiq::context::Ctx;
use loopiq::domain::{InstallationKind, PersonId, Role, TenantId, Timestamp};
use loopiq::engine::{CatalogOutcome, Engine, Error, RequestOrigin};
use loopiq::store::Store;
use loopiq_server::demo::identity_provider;
use loopiq_server::demo_idp::DemoPerson;
use loopiq_server::net::{self, Limits, RequestSettings};
use loopiq_server::oauth::OAuth;
use loopiq_server::oidc::Oidc;
use loopiq_server::prometheus;
use loopiq_server::router::router;
use loopiq_server::sign_in_cookies::SignInCookies;
use loopiq_server::site::Site;
use loopiq_server::state::{AppParts, AppState};
use loopiq_testing::fixtures::{self, TestClock};
use loopiq_testing::{Database, insert_token, write_site};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A running service.
pub(crate) struct Service {
    pub(crate) state: AppState,
    pub(crate) url: String,
    clock: TestClock,
    pub(crate) database: Database,
}

impl Service {
    /// Starts a service with the tenant `acme`.
    pub(crate) async fn start() -> Self {
        Self::with(RequestSettings::default()).await
    }

    /// Starts a service with these settings.
    pub(crate) async fn with(requests: RequestSettings) -> Self {
        Self::behind(requests, |router| router).await
    }

    /// Starts a service with these settings, whose router the test wraps.
    pub(crate) async fn behind(requests: RequestSettings, wrap: impl FnOnce(Router) -> Router) -> Self {
        let database = Database::new().await;
        let root = database.folder.path().join("site");
        write_site(&root);
        let site = Site::at(&root).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}");
        let clock = TestClock::still("2026-11-22T21:00:00Z");
        let runtime = clock.runtime();
        let store = Store::open(&database.url).await.unwrap();
        let kind = store.decide_installation(InstallationKind::Demo, runtime.now()).await;
        assert_eq!(kind.unwrap(), InstallationKind::Demo);
        let ctx = Ctx::system(TenantId::parse("acme").unwrap(), &runtime);
        store
            .write(&ctx, |tx| {
                Box::pin(async move { Ok::<_, Error>(tx.insert_tenant("Acme").await?) })
            })
            .await
            .unwrap();
        let (oidc, idp) = identity_provider(&url, &runtime, site.stylesheet(), people()).unwrap();
        let state = AppState::from(AppParts {
            checkpoints: Default::default(),
            sessions: Default::default(),
            oauth: OAuth::new(&runtime.random::<32>(), &runtime, true).unwrap(),
            sign_in_cookies: SignInCookies::new(&runtime.random::<32>()),
            requests: RequestSettings {
                serve_metrics: true,
                ..requests
            },
            engine: Engine::new(store.clone(), runtime.clone(), &url),
            store,
            runtime,
            public_url: Arc::from(url.as_str()),
            oidc: Oidc::new(oidc).unwrap(),
            demo_idp: Some(idp),
            leptos: site.leptos_options(address),
            bundle: site.bundle().clone(),
            stylesheet: Arc::from(site.stylesheet()),
            metrics: prometheus::recorder().unwrap(),
            draining: Arc::default(),
        });
        let router = wrap(router(&state, &site).unwrap());
        tokio::spawn(net::serve(
            listener,
            router,
            Limits::default(),
            state.requests.proxies.clone(),
            CancellationToken::new(),
        ));
        Self {
            state,
            url,
            clock,
            database,
        }
    }

    /// A browser without cookies.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// A browser in which this person has signed in.
    pub(crate) async fn signed_in(&self, email: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(email, "/login").await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }

    /// Creates another tenant.
    pub(crate) async fn create_tenant(&self, key: &str, name: &'static str) {
        let ctx = Ctx::system(TenantId::parse(key).unwrap(), &self.state.runtime);
        let created = self.state.store.write(&ctx, move |tx| {
            Box::pin(async move { Ok::<_, Error>(tx.insert_tenant(name).await?) })
        });
        created.await.unwrap();
    }

    /// A bearer token for an agent that acts for a person who has signed in before.
    pub(crate) async fn token(&self, email: &str) -> String {
        let tenant = TenantId::parse("acme").unwrap();
        let audience = self.state.mcp_audience();
        let token = self.state.engine.issue_token(&tenant, email, "Helix", &audience);
        token.await.unwrap()
    }

    /// A bearer token of the tenant `acme`, valid for a day, for a program that acts for no person.
    pub(crate) async fn program_token(&self, scopes: &str) -> String {
        self.program_token_of("acme", scopes).await
    }

    /// A bearer token of a tenant.
    pub(crate) async fn program_token_of(&self, tenant: &str, scopes: &str) -> String {
        self.insert_token(tenant, None, scopes).await
    }

    /// A bearer token for a client that acts for a person with these scopes.
    pub(crate) async fn client_token(&self, email: &str, scopes: &str) -> String {
        self.signed_in(email).await;
        let sql = "SELECT id FROM people WHERE tenant = 'acme' AND email = $1";
        let id: String = sqlx::query_scalar(sql)
            .bind(email)
            .fetch_one(&mut self.database.connect().await)
            .await
            .unwrap();
        self.insert_token("acme", Some(PersonId::parse(&id).unwrap()), scopes)
            .await
    }

    /// A bearer token of a tenant, for a client that acts for this person, or for a program that acts for nobody.
    pub(crate) async fn insert_token(&self, tenant: &str, person: Option<PersonId>, scopes: &str) -> String {
        let ctx = Ctx::system(TenantId::parse(tenant).unwrap(), &self.state.runtime);
        let (engine, audience) = (&self.state.engine, self.state.mcp_audience());
        insert_token(engine, &ctx, person, scopes, &audience, Timestamp::DAY)
            .await
            .secret
    }

    /// Applies a catalog in `acme`.
    pub(crate) async fn apply_catalog(&self, text: &str) {
        self.apply_catalog_of("acme", text).await;
    }

    /// Applies a catalog in a tenant.
    pub(crate) async fn apply_catalog_of(&self, tenant: &str, text: &str) {
        let ctx = Ctx::command(TenantId::parse(tenant).unwrap(), &self.state.runtime);
        let file = SourceFile {
            name: "catalog.yaml".to_owned(),
            text: text.to_owned(),
        };
        let applied = self.state.engine.apply_catalog(&ctx, &[file], false, None).await;
        assert!(matches!(applied, Ok(CatalogOutcome::Report(_))), "{applied:?}");
    }

    /// The contents of all audit entries of this event, oldest first.
    pub(crate) async fn entries(&self, event: &str) -> Vec<serde_json::Value> {
        let sql = "SELECT c.content FROM audit_entries e JOIN audit_contents c ON c.tenant = e.tenant AND c.seq = e.seq \
                   WHERE e.event = $1 ORDER BY e.tenant, e.seq";
        let contents: Vec<String> = sqlx::query_scalar(sql)
            .bind(event)
            .fetch_all(&mut self.database.connect().await)
            .await
            .unwrap();
        contents
            .iter()
            .map(|content| serde_json::from_str(content).unwrap())
            .collect()
    }

    /// Advances the clock.
    pub(crate) fn advance_clock(&self, micros: i64) {
        self.clock.advance_clock(micros);
    }

    /// Signs a person in with these roles, without a browser.
    pub(crate) async fn assert_roles(&self, email: &str, roles: &[Role]) -> PersonId {
        let asserted = fixtures::asserted(&format!("{}/demo-idp", self.url), email, roles);
        let origin = RequestOrigin::default();
        let signed_in = self.state.engine.sign_in("acme", asserted, &origin).await;
        signed_in.unwrap().1.id
    }
}

/// The people who can sign in.
fn people() -> Vec<DemoPerson> {
    let person = |tenant: &str, email: &str, roles: &[&str]| DemoPerson {
        tenant: tenant.to_owned(),
        subject: email.to_owned(),
        email: email.to_owned(),
        name: format!("Name of {email}"),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    };
    vec![
        person("acme", "reviewer@acme.example", &["reviewer"]),
        person("acme", "lead@acme.example", &["lead"]),
        person("acme", "auditor@acme.example", &["auditor"]),
        person("acme", "operator@acme.example", &["operator"]),
        person("acme", "operator2@acme.example", &["operator"]),
        person("acme", "developer@acme.example", &["developer"]),
        person("acme", "former@acme.example", &["reviewer"]),
        person("globex", "developer@globex.example", &["developer"]),
        person("globex", "reviewer@globex.example", &["reviewer"]),
        person("globex", "operator@globex.example", &["operator"]),
        person("acme", "guest@acme.example", &[]),
        person("acme", "painter@acme.example", &["painter"]),
        person("nowhere", "stranger@nowhere.example", &["reviewer"]),
        person("acme globex nowhere", "both@many.example", &["reviewer"]),
        person("globex acme", "none@many.example", &["painter"]),
        person("acme nowhere", "one@many.example", &["lead"]),
    ]
}
