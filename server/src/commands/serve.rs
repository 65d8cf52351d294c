//! `loopiq serve`: runs the service.

use super::print_line;
use crate::installation::{self, Installation, demo_url_file};
use crate::net::{self, ConnectionArgs, EvidenceArgs, Limits, RateLimitArgs, RequestSettings};
use crate::oauth::OAuth;
use crate::oidc::{Oidc, OidcArgs, OidcError};
use crate::operations::{self, background, shutdown};
use crate::router::router;
use crate::secret_key::SecretKeyArgs;
use crate::session_settings::SessionArgs;
use crate::sign_in_cookies::SignInCookies;
use crate::site::Site;
use crate::state::{AppParts, AppState};
use crate::urls::{is_loopback_url, public_url};
use crate::witnesses::CheckpointArgs;
use crate::{demo, file_permissions, prometheus};
use anyhow::{Context, Result, anyhow, bail};
use axum::Router;
use loopiq::context::{Ctx, Runtime};
use loopiq::digest_key::DigestKey;
use loopiq::engine::Engine;
use loopiq::search::AuditIndex;
use loopiq::store::Store;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The arguments of `loopiq serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct ServeArgs {
    #[command(flatten)]
    pub(super) installation: Installation,
    /// The address to listen on.
    #[arg(long, env = "LOOPIQ_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDR:PORT", value_parser = address)]
    pub(super) listen: SocketAddr,
    /// The URL at which browsers and MCP clients reach the service. Default: http:// and the listen address.
    #[arg(long, env = "LOOPIQ_PUBLIC_URL", value_name = "URL")]
    pub(super) public_url: Option<String>,
    /// Run as a demo, on loopback only: with an identity provider without passwords, and with tenants and records.
    #[arg(long, env = "LOOPIQ_DEMO", value_parser = clap::builder::FalseyValueParser::new())]
    pub(super) demo: bool,
    #[command(flatten)]
    pub(super) oidc: OidcArgs,
    #[command(flatten)]
    pub(super) secret_key: SecretKeyArgs,
    #[command(flatten)]
    pub(super) sessions: SessionArgs,
    #[command(flatten)]
    pub(super) checkpoints: CheckpointArgs,
    #[command(flatten)]
    pub(super) rate_limits: RateLimitArgs,
    #[command(flatten)]
    pub(super) connections: ConnectionArgs,
    #[command(flatten)]
    pub(super) evidence: EvidenceArgs,
}

impl ServeArgs {
    /// The public URL of the settings; `None` if it follows from the address. A demo is on loopback only.
    ///
    /// # Errors
    /// One line: the URL cannot be used, or other machines could reach a demo.
    pub(super) fn configured_url(&self) -> Result<Option<String>> {
        if self.demo && !self.listen.ip().is_loopback() {
            bail!(
                "--demo signs people in without a password, so it listens on loopback only; other machines can reach {}",
                self.listen
            );
        }
        let configured = self.public_url.as_deref().map(public_url).transpose()?;
        if self.demo && configured.as_deref().is_some_and(|url| !is_loopback_url(url)) {
            bail!("--demo signs people in without a password, so its public URL must be on loopback");
        }
        Ok(configured)
    }
}

/// Why the public URL is not safe, if it is not.
pub(super) fn unsafe_url(url: &str) -> Option<&'static str> {
    let is_safe = url.starts_with("https://") || is_loopback_url(url);
    (!is_safe).then_some("the public URL is not https: others on the network can read cookies and pages")
}

/// Fails if other keys than these signed a log.
///
/// # Errors
/// One line that names the tenant, or the database cannot be read.
pub(super) async fn require_own_log(engine: &Engine) -> Result<()> {
    if let Some(tenant) = engine.log_of_other_keys().await? {
        bail!(
            "the key of the audit log is another one than the one that signed the log of {tenant}; nothing was changed. Start with the right \
             key: LOOPIQ_AUDIT_KEY_FILE, or the file audit-key of the data directory"
        );
    }
    Ok(())
}

/// An address to listen on: `127.0.0.1:3000`, `[::1]:3000` or `localhost:3000`.
fn address(text: &str) -> Result<SocketAddr, String> {
    let mut found = text
        .to_socket_addrs()
        .map_err(|_| "must be ADDR:PORT, such as 127.0.0.1:3000".to_owned())?;
    found.next().ok_or_else(|| "this name has no address".to_owned())
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// One line, before the service accepts requests: data directory, port, site, database or a setting cannot be used.
pub async fn run(args: ServeArgs, runtime: Runtime) -> Result<()> {
    let configured_url = args.configured_url()?;
    if !args.demo {
        args.oidc.must_be_complete()?;
    }
    let site = Site::find()?;
    let limits = args.connections.limits();
    args.installation.prepare()?;
    let database = args.installation.url()?;
    let listener = listen(args.listen).await?;
    let metrics_listener = match args.connections.metrics_listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let address = listener.local_addr().context("the listen address")?;
    let url = configured_url.unwrap_or_else(|| format!("http://{address}"));
    if let Some(why) = unsafe_url(&url).filter(|_| !args.demo) {
        tracing::warn!(url, "{why}");
    }

    if let Some(oddity) = args.sessions.oddity() {
        tracing::warn!("{oddity}");
    }

    let store = Store::open(&database).await?;
    installation::require_tenant_isolation(&store, args.demo).await?;
    args.installation.must_be(&store, args.demo).await?;
    let has_entries = has_audit_entries(&store, &runtime).await?;
    let installation = &args.installation;
    let keys = installation
        .audit_key
        .load_or_new(&installation.data_dir, &url, has_entries, &runtime)?;
    let runtime = runtime.with_log_keys(keys.keys().clone());
    let state = build_state(&args, &limits, store, runtime, &url, &site, address)?;
    require_own_log(&state.engine).await?;
    // After the settings are checked, so that a start with wrong settings does not decide the installation's kind.
    args.installation
        .start_as(&state.store, args.demo, &state.runtime)
        .await?;
    keys.store()?;
    if !has_entries {
        args.installation
            .audit_key
            .forget_checkpoints(&args.installation.data_dir)?;
    }
    prepare_demo(&args, &state).await?;
    installation::warn_if_empty(&state.store).await?;
    let router = router(&state, &site)?;
    // Signals are handled before `ready` is printed: a supervisor may stop the service right after that line.
    let told_to_stop = shutdown::told_to_stop().context("the process cannot listen for signals")?;
    print_line(&format!("ready on {url}"))?;
    serve(listener, router, metrics_listener, limits, state, told_to_stop).await
}

/// Whether a tenant's audit log has entries.
pub(super) async fn has_audit_entries(store: &Store, runtime: &Runtime) -> Result<bool> {
    for tenant in store.tenants().await? {
        if store.read(&Ctx::system(tenant, runtime)).await?.audit_head().await? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow!("{address} is in use by another program; see --listen"),
        _ => anyhow::Error::new(error).context(format!("cannot listen on {address}")),
    })
}

/// Builds the state of the service, with its identity provider.
fn build_state(
    args: &ServeArgs,
    limits: &Limits,
    store: Store,
    runtime: Runtime,
    url: &str,
    site: &Site,
    address: SocketAddr,
) -> Result<AppState> {
    let (oidc, demo_idp) = if args.demo {
        let (settings, idp) = demo::identity_provider(url, &runtime, site.stylesheet(), demo::people())?;
        (settings, Some(idp))
    } else {
        (args.oidc.settings(url)?, None)
    };
    let secret = args.secret_key.of(&args.installation, &runtime)?;
    let runtime = runtime.with_digest_key(DigestKey::derive(&secret));
    let parts = AppParts {
        sessions: args.sessions.settings(),
        oauth: OAuth::new(&secret, &runtime, args.demo)?,
        sign_in_cookies: SignInCookies::new(&secret),
        checkpoints: args.checkpoints.settings(),
        requests: RequestSettings {
            proxies: args.rate_limits.proxies(),
            rate_limits: args.rate_limits.rate_limits(),
            timeout: limits.request,
            serve_metrics: args.connections.metrics_listen.is_none() && is_loopback_url(url),
            evidence: args.evidence.limits(),
        },
        engine: Engine::new(store.clone(), runtime.clone(), url)
            .with_roles_max_age(args.sessions.roles_max_age())
            .with_audit_index(AuditIndex::in_folder(&args.installation.search_folder())),
        store,
        runtime,
        public_url: Arc::from(url),
        oidc: Oidc::new(oidc).map_err(|error| settings_error(&error))?,
        demo_idp,
        leptos: site.leptos_options(address),
        bundle: site.bundle().clone(),
        stylesheet: Arc::from(site.stylesheet()),
        metrics: prometheus::recorder()?,
        draining: Arc::default(),
    };
    Ok(parts.into())
}

/// The error of wrong provider settings, from its cause: the error's own message is for the person who signs in.
pub(super) fn settings_error(error: &OidcError) -> anyhow::Error {
    let cause = std::error::Error::source(error);
    anyhow!(
        "the identity provider's settings cannot be used: {}",
        cause.map_or_else(|| error.to_string(), ToString::to_string)
    )
}

/// In a demo: writes its records, and the URL at which commands reach it. In production: removes such a URL.
async fn prepare_demo(args: &ServeArgs, state: &AppState) -> Result<()> {
    let url_file = demo_url_file(&args.installation.data_dir);
    if let Some(idp) = &state.demo_idp {
        demo::seed(&state.engine, idp.issuer())
            .await
            .context("the demo's records could not be written")?;
        return file_permissions::write(&url_file, format!("{}\n", state.public_url).as_bytes())
            .with_context(|| format!("{} cannot be written", url_file.display()));
    }
    match std::fs::remove_file(&url_file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", url_file.display()))
        }
        _ => Ok(()),
    }
}

async fn serve(
    listener: TcpListener,
    router: Router,
    metrics_listener: Option<TcpListener>,
    limits: Limits,
    state: AppState,
    told_to_stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let stop = CancellationToken::new();
    let signal = tokio::spawn({
        let (state, stop) = (state.clone(), stop.clone());
        async move {
            told_to_stop.await;
            shutdown::begin(&state);
            stop.cancel();
        }
    });
    let background = tokio::spawn(background::run(state.clone(), stop.clone()));
    if let Some(metrics_listener) = metrics_listener {
        let router = operations::metrics_router(&state);
        tokio::spawn(net::serve(
            metrics_listener,
            router,
            limits.clone(),
            Default::default(),
            stop.clone(),
        ));
    }
    tokio::select! {
        () = net::serve(listener, router, limits, state.requests.proxies.clone(), stop.clone()) => {}
        () = async {
            stop.cancelled().await;
            tokio::time::sleep(shutdown::MAX_WAIT).await;
        } => tracing::warn!("requests in progress were aborted after {} seconds", shutdown::MAX_WAIT.as_secs()),
    }
    stop.cancel();
    signal.abort();
    let _ = background.await;
    shutdown::finish(&state).await;
    Ok(())
}
