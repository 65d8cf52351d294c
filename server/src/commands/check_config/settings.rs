//! The settings that need neither network nor database: addresses, proxies, and the key of the cookies.

use super::report::Report;
use crate::commands::serve::{ServeArgs, unsafe_url};
use crate::urls::is_loopback_url;
use std::net::TcpListener;

/// The public URL of a service whose settings name none.
pub(super) fn default_url(serve: &ServeArgs) -> String {
    format!("http://{}", serve.listen)
}

/// Checks them. Returns the public URL, or the one that `serve` uses without the setting; `None` if the setting cannot be used.
pub(super) fn check(serve: &ServeArgs, report: &mut Report) -> Option<String> {
    let url = public_url(serve, report);
    listen(serve, report);
    proxies(serve, url.as_deref().unwrap_or_default(), report);
    if let Some(oddity) = serve.sessions.oddity() {
        report.warning(
            "sessions",
            oddity,
            "set a shorter LOOPIQ_SESSION_IDLE or a longer LOOPIQ_SESSION_LIFETIME",
        );
    }
    url
}

/// Checks the key of the cookies.
pub(super) fn secret_key(serve: &ServeArgs, report: &mut Report) {
    match serve.secret_key.existing(&serve.installation.data_dir) {
        Ok(Some(_)) => report.ok("secret key", "it can be read"),
        Ok(None) => report.ok("secret key", "the first start creates it in the data directory"),
        Err(error) => report.error(
            "secret key",
            &error,
            "let LOOPIQ_SECRET_KEY_FILE name a file with at least 32 random characters, such as the output of `openssl rand -hex 32`",
        ),
    }
}

fn public_url(serve: &ServeArgs, report: &mut Report) -> Option<String> {
    let default = default_url(serve);
    let https = "set LOOPIQ_PUBLIC_URL to the https address that browsers use, such as https://loopiq.example";
    let url = match serve.configured_url() {
        Ok(Some(url)) => url,
        Ok(None) if is_loopback_url(&default) => {
            report.warning(
                "public URL",
                format!("it is not set, so only browsers on this machine can use the service, at {default}"),
                https,
            );
            return Some(default);
        }
        Ok(None) => default,
        Err(error) => {
            report.error("public URL", &error, https);
            return None;
        }
    };
    match unsafe_url(&url).filter(|_| !serve.demo) {
        Some(why) => report.problem("public URL", format!("{url}: {why}"), https),
        None => report.ok("public URL", &url),
    }
    Some(url)
}

/// Whether the addresses are free. The listeners are closed at once.
fn listen(serve: &ServeArgs, report: &mut Report) {
    let addresses = [
        ("listen address", Some(serve.listen)),
        ("metrics address", serve.connections.metrics_listen),
    ];
    for (check, address) in addresses {
        let Some(address) = address else { continue };
        match TcpListener::bind(address) {
            Ok(_) => report.ok(check, format!("{address} is free")),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => report.warning(
                check,
                format!("{address} is in use"),
                "nothing, if that is the running service; otherwise set another address",
            ),
            Err(error) => report.problem(
                check,
                format!("{address}: {error}"),
                "choose an address of this machine and a port from 1024, and let a proxy listen on 443",
            ),
        }
    }
}

/// The service has no TLS of its own, so an https URL means that a proxy is in front of it.
fn proxies(serve: &ServeArgs, url: &str, report: &mut Report) {
    match (url.starts_with("https://"), serve.rate_limits.proxies().is_empty()) {
        (true, true) => report.warning(
            "proxies",
            "no proxy is trusted, so limits and the audit log name the address of the proxy instead of the person's",
            "set LOOPIQ_TRUSTED_PROXIES to the address of the proxy that ends TLS, such as 127.0.0.1",
        ),
        (true, false) => report.ok("proxies", "the addresses that trusted proxies report are used"),
        (false, _) => {}
    }
}
