//! `loopiq serve`.

use super::{demo_marker, installation, print_line};
use crate::auth::Seal;
use crate::demo_idp::{DemoIdp, DemoPerson};
use crate::net::{self, ConnectionArgs, Edge, Limits, RateArgs, RequestTimeout};
use crate::oidc::{DEFAULT_ROLES_CLAIM, DEFAULT_TENANT_CLAIM, Oidc, OidcSettings};
use crate::ops::{self, drain, metrics};
use crate::secret::SecretArgs;
use crate::settings::{Installation, is_loopback, public_url};
use crate::site::Site;
use crate::{App, demo, http, private};
use anyhow::{Context, Result, bail};
use loopiq::context::Runtime;
use loopiq::domain::DEMO_ISSUER;
use loopiq::domain::canonical::hex;
use loopiq::engine::Engine;
use loopiq::store::Store;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What `loopiq serve` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    installation: Installation,
    /// Where to listen.
    #[arg(long, env = "LOOPIQ_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDR:PORT", value_parser = address)]
    listen: SocketAddr,
    /// Where browsers and clients reach the service. Without it, http:// and the address listened on.
    #[arg(long, env = "LOOPIQ_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Demo: an identity provider without passwords, and tenants with records. On loopback only.
    #[arg(long, env = "LOOPIQ_DEMO", value_parser = clap::builder::FalseyValueParser::new())]
    demo: bool,
    #[command(flatten)]
    oidc: OidcArgs,
    #[command(flatten)]
    secret: SecretArgs,
    #[command(flatten)]
    rates: RateArgs,
    #[command(flatten)]
    connections: ConnectionArgs,
}

/// The identity provider. Needed without `--demo`.
#[derive(Debug, Clone, clap::Args)]
struct OidcArgs {
    /// Issuer of the identity provider, as its discovery document writes it.
    #[arg(long, env = "LOOPIQ_OIDC_ISSUER", value_name = "URL")]
    oidc_issuer: Option<String>,
    /// The client that the identity provider knows this service by.
    #[arg(long, env = "LOOPIQ_OIDC_CLIENT_ID", value_name = "ID")]
    oidc_client_id: Option<String>,
    /// That client's secret. Better in the environment: other users of the machine see flags.
    #[arg(
        long,
        env = "LOOPIQ_OIDC_CLIENT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    oidc_client_secret: Option<String>,
    /// The ID token's claim that names the tenant.
    #[arg(long, env = "LOOPIQ_OIDC_TENANT_CLAIM", default_value = DEFAULT_TENANT_CLAIM, value_name = "CLAIM")]
    oidc_tenant_claim: String,
    /// The ID token's claim that lists the roles.
    #[arg(long, env = "LOOPIQ_OIDC_ROLES_CLAIM", default_value = DEFAULT_ROLES_CLAIM, value_name = "CLAIM")]
    oidc_roles_claim: String,
    /// Domains, with commas between them, in which the issuer's addresses count as verified where its ID tokens do not say whether they are
    /// (`email_verified`). An address that is not verified identifies nobody: no policy and no command can name it.
    #[arg(long, env = "LOOPIQ_OIDC_VERIFIED_DOMAINS", value_delimiter = ',', value_name = "DOMAIN,...", value_parser = domain)]
    oidc_verified_domains: Vec<String>,
}

/// A domain without anything around it.
fn domain(text: &str) -> Result<String, String> {
    let domain = text.trim().trim_start_matches('@').to_ascii_lowercase();
    let fits = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    if domain.is_empty() || !domain.chars().all(fits) {
        return Err(format!("{text:?} is no domain; one is written as acme.example"));
    }
    Ok(domain)
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// One line, before anything is served: the data directory, the port, the site, the database or a setting cannot be
/// used.
pub async fn run(args: Args, runtime: Runtime) -> Result<()> {
    if args.demo && !args.listen.ip().is_loopback() {
        bail!(
            "--demo signs people in without a password, so it listens on loopback alone; {} is reached from elsewhere",
            args.listen
        );
    }
    let given_url = args.public_url.as_deref().map(public_url).transpose()?;
    if args.demo && given_url.as_deref().is_some_and(|url| !is_loopback(url)) {
        bail!("--demo signs people in without a password, so its public URL must be on loopback");
    }
    if !args.demo {
        args.oidc.must_be_complete()?;
    }
    let site = Site::find()?;
    let limits = args.connections.limits();
    args.installation.prepare()?;
    let database = args.installation.url()?;
    let listener = listen(args.listen).await?;
    let watched = match args.connections.metrics_listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let address = listener.local_addr().context("the address listened on")?;
    let url = given_url.unwrap_or_else(|| format!("http://{address}"));
    if !args.demo && !url.starts_with("https://") && !is_loopback(&url) {
        tracing::warn!(
            url,
            "the public URL is not https: cookies and pages can be read on the way"
        );
    }

    let store = Store::open(&database).await?;
    installation::stands_behind_the_wall(&store, args.demo).await?;
    let app = app(&args, &limits, store, runtime, &url, &site, address)?;
    // After the settings were looked at: a start that fails by them decides nothing.
    installation::start_as(&app.store, &args.installation, args.demo, &app.runtime).await?;
    mark_demo(&args, &app).await?;
    installation::warn_if_empty(&app.store).await?;
    let router = http::router(&app, &site)?;
    // Before anybody is told that the service is there, so that from then on it ends in order.
    let told_to_stop = drain::told_to_stop().context("the process cannot listen for signals")?;
    print_line(&format!("ready on {url}"))?;
    serve(listener, router, watched, limits, app, told_to_stop).await
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!("{address} is in use by another program; see --listen"),
        _ => anyhow::Error::new(error).context(format!("cannot listen on {address}")),
    })
}

/// The service on this store, with its identity provider.
fn app(
    args: &Args,
    limits: &Limits,
    store: Store,
    runtime: Runtime,
    url: &str,
    site: &Site,
    address: SocketAddr,
) -> Result<App> {
    let (oidc, demo_idp) = if args.demo {
        let (settings, idp) = demo_provider(url, &runtime, site.stylesheet(), demo::people())?;
        (settings, Some(idp))
    } else {
        (args.oidc.settings(url)?, None)
    };
    let shared = args.installation.file().is_none();
    let secret = args.secret.secret(&args.installation.data_dir, shared, &runtime)?;
    Ok(App {
        seal: Seal::new(&secret),
        edge: Edge {
            proxies: args.rates.proxies(),
            rates: args.rates.rates(),
            request_timeout: RequestTimeout(limits.request),
            metrics: args.connections.metrics_listen.is_none() && is_loopback(url),
        },
        engine: Engine::new(store.clone(), runtime.clone(), url),
        store,
        runtime,
        public_url: Arc::from(url),
        oidc: Oidc::new(oidc).map_err(|error| anyhow::anyhow!("{}", cause_of(&error)))?,
        demo_idp,
        leptos: site.leptos(address),
        bundle: site.bundle().clone(),
        stylesheet: Arc::from(site.stylesheet()),
        metrics: metrics::recorder()?,
        draining: Arc::default(),
    })
}

/// The demo's identity provider at this address, and how the service signs in with it. The client's secret is made anew
/// at each start: both sides are this process.
///
/// # Errors
/// The URL or the demo's people do not fit, which is a mistake of the program.
pub fn demo_provider(
    url: &str,
    runtime: &Runtime,
    stylesheet: &str,
    people: Vec<DemoPerson>,
) -> Result<(OidcSettings, DemoIdp)> {
    let settings = OidcSettings {
        issuer: format!("{url}{DEMO_ISSUER}"),
        client_id: "loopiq".to_owned(),
        client_secret: hex(&runtime.random::<32>()),
        redirect_url: format!("{url}/auth/callback"),
        tenant_claim: DEFAULT_TENANT_CLAIM.to_owned(),
        roles_claim: DEFAULT_ROLES_CLAIM.to_owned(),
        // The demo's provider says that its addresses are verified.
        verified_domains: Vec::new(),
    };
    let clock = runtime.clone();
    let idp = DemoIdp::new(
        &settings.issuer,
        &settings.client_id,
        &settings.client_secret,
        vec![settings.redirect_url.clone()],
        people,
        Arc::new(move || clock.now().0.div_euclid(1_000_000)),
    )?
    .with_stylesheet(Some(stylesheet.to_owned()));
    Ok((settings, idp))
}

/// Brings the demo's records in, and leaves the URL that commands reach it by; without `--demo` takes that away.
async fn mark_demo(args: &Args, app: &App) -> Result<()> {
    let marker = demo_marker(&args.installation.data_dir);
    if let Some(idp) = &app.demo_idp {
        demo::seed(&app.engine, idp.issuer())
            .await
            .context("the demo's records could not be written")?;
        return private::write(&marker, format!("{}\n", app.public_url).as_bytes())
            .with_context(|| format!("{} cannot be written", marker.display()));
    }
    match std::fs::remove_file(&marker) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", marker.display()))
        }
        _ => Ok(()),
    }
}

async fn serve(
    listener: TcpListener,
    router: axum::Router,
    watched: Option<TcpListener>,
    limits: Limits,
    app: App,
    told_to_stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let stop = CancellationToken::new();
    let signal = tokio::spawn({
        let (app, stop) = (app.clone(), stop.clone());
        async move {
            told_to_stop.await;
            drain::begin(&app);
            stop.cancel();
        }
    });
    let chores = tokio::spawn(drain::chores(app.clone(), stop.clone()));
    if let Some(watched) = watched {
        let router = ops::own_router(&app);
        tokio::spawn(net::serve(
            watched,
            router,
            limits.clone(),
            Default::default(),
            stop.clone(),
        ));
    }
    tokio::select! {
        () = net::serve(listener, router, limits, app.edge.proxies.clone(), stop.clone()) => {}
        () = async {
            stop.cancelled().await;
            tokio::time::sleep(drain::PATIENCE).await;
        } => tracing::warn!("requests under way were given up after {} seconds", drain::PATIENCE.as_secs()),
    }
    stop.cancel();
    signal.abort();
    let _ = chores.await;
    drain::end(&app).await;
    Ok(())
}

impl OidcArgs {
    fn needed(&self) -> [(&'static str, &'static str, Option<&String>); 3] {
        [
            ("LOOPIQ_OIDC_ISSUER", "--oidc-issuer", self.oidc_issuer.as_ref()),
            (
                "LOOPIQ_OIDC_CLIENT_ID",
                "--oidc-client-id",
                self.oidc_client_id.as_ref(),
            ),
            (
                "LOOPIQ_OIDC_CLIENT_SECRET",
                "--oidc-client-secret",
                self.oidc_client_secret.as_ref(),
            ),
        ]
    }

    fn must_be_complete(&self) -> Result<()> {
        for (variable, flag, value) in self.needed() {
            if value.is_none_or(|value| value.trim().is_empty()) {
                bail!(
                    "{variable} (or {flag}) is not set; the service needs an identity provider, or --demo to bring its own"
                );
            }
        }
        Ok(())
    }

    fn settings(&self, url: &str) -> Result<OidcSettings> {
        self.must_be_complete()?;
        let [issuer, client_id, client_secret] = self.needed().map(|(_, _, value)| value.cloned().unwrap_or_default());
        Ok(OidcSettings {
            issuer,
            client_id,
            client_secret,
            redirect_url: format!("{url}/auth/callback"),
            tenant_claim: self.oidc_tenant_claim.clone(),
            roles_claim: self.oidc_roles_claim.clone(),
            verified_domains: self.oidc_verified_domains.clone(),
        })
    }
}

/// What is wrong with the settings: the error's own text is for the person who signs in.
fn cause_of(error: &crate::oidc::OidcError) -> String {
    let cause = std::error::Error::source(error);
    format!(
        "the identity provider's settings cannot be used: {}",
        cause.map_or_else(|| error.to_string(), ToString::to_string)
    )
}

/// An address to listen on: `127.0.0.1:3000`, `[::1]:3000` or `localhost:3000`.
fn address(text: &str) -> Result<SocketAddr, String> {
    let mut found = text
        .to_socket_addrs()
        .map_err(|_| "must be ADDR:PORT, such as 127.0.0.1:3000".to_owned())?;
    found.next().ok_or_else(|| "this name has no address".to_owned())
}
