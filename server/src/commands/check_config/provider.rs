//! The identity provider: reachable, with usable metadata, with the same time, and with this client and its redirect URL.

use super::report::Report;
use crate::oidc::{Answer, Oidc, OidcError, ProviderFacts};
use loopiq::context::Runtime;
use std::error::Error as _;

/// From this many seconds on, the provider's clock makes sign-ins fail: the service refuses tokens from the future.
const TOO_FAR_AHEAD: i64 = 60;
/// From this many seconds on, a clock that is behind makes sign-ins fail with providers whose tokens are valid for five minutes.
const TOO_FAR_BEHIND: i64 = -300;
/// From this many seconds on, a difference is worth a warning.
const NOTICEABLE: i64 = 15;

/// Checks it.
pub(super) async fn check(oidc: &Oidc, runtime: &Runtime, report: &mut Report) {
    let now = || runtime.now().0.div_euclid(1_000_000);
    report.ok(
        "redirect URL",
        format!("register exactly {} at the identity provider", oidc.redirect_url()),
    );
    let facts = match oidc.facts(now()).await {
        Ok(facts) => facts,
        Err(error) => return unusable(oidc, &error, report),
    };
    discovery(oidc, &facts, report);
    clock(&facts, report);
    match oidc.knows_client(now()).await {
        Ok(Answer::Yes) => report.ok("client", "the provider accepts client ID and secret"),
        Ok(Answer::No(says)) => report.problem(
            "client",
            format!("the provider refuses client ID or secret: {says}"),
            "compare LOOPIQ_OIDC_CLIENT_ID and the client's secret with the registration; the secret may have expired",
        ),
        Ok(Answer::Unclear(says)) => report.warning(
            "client",
            format!("the provider does not say whether it accepts client ID and secret: {says}"),
            "sign in once to see it",
        ),
        Err(error) => report.warning(
            "client",
            cause(&error),
            "sign in once to see whether the provider accepts the client",
        ),
    }
    match oidc.knows_redirect_url(now()).await {
        Ok(Answer::Yes) => report.ok("redirect URL", "the provider redirects to it"),
        Ok(Answer::No(says)) => report.problem(
            "redirect URL",
            format!("the provider does not redirect to {}: {says}", oidc.redirect_url()),
            "register exactly this URL for the client, and allow the authorization code flow",
        ),
        Ok(Answer::Unclear(says)) => report.warning(
            "redirect URL",
            format!(
                "the provider does not say whether {} is registered: {says}",
                oidc.redirect_url()
            ),
            "sign in once to see it",
        ),
        Err(error) => report.warning(
            "redirect URL",
            cause(&error),
            "sign in once to see whether it is registered",
        ),
    }
}

fn unusable(oidc: &Oidc, error: &OidcError, report: &mut Report) {
    let why = cause(error);
    let (check, fix) = match error {
        OidcError::Unreachable { .. } => (
            "provider",
            format!(
                "open {}/.well-known/openid-configuration from this machine; check name resolution, firewall, proxy and the trusted \
                 certificates (ca-certificates, SSL_CERT_FILE). The service starts without the provider, and nobody can sign in",
                oidc.issuer().trim_end_matches('/')
            ),
        ),
        _ if why.contains("unexpected issuer") => (
            "discovery",
            "set LOOPIQ_OIDC_ISSUER to the issuer that the provider names, character by character (mind a slash at the end)".to_owned(),
        ),
        _ => (
            "discovery",
            "change the provider's configuration, or use one that supports OpenID Connect with a client secret and PKCE (S256)".to_owned(),
        ),
    };
    report.problem(check, format!("{}: {why}", oidc.issuer()), fix);
}

fn discovery(oidc: &Oidc, facts: &ProviderFacts, report: &mut Report) {
    report.ok("provider", format!("{} answers", oidc.issuer()));
    if facts.keys == 0 {
        report.problem(
            "discovery",
            "the provider publishes no keys",
            "create a signing key at the provider",
        );
        return;
    }
    let challenge = if facts.says_s256 {
        "PKCE with S256"
    } else {
        "it does not say whether it supports PKCE with S256"
    };
    report.ok(
        "discovery",
        format!(
            "people sign in at {}, tokens come from {}; keys: {}, with {}; {challenge}",
            facts.authorization_endpoint,
            facts.token_endpoint,
            facts.keys,
            facts.algorithms.join(", ")
        ),
    );
}

fn clock(facts: &ProviderFacts, report: &mut Report) {
    let Some(ahead) = facts.clock_ahead else {
        return report.warning(
            "clock",
            "the provider does not tell its time",
            "let a time service synchronise this machine's clock",
        );
    };
    let difference = match ahead {
        0 => "the provider has the same time".to_owned(),
        1.. => format!("the provider's clock is {ahead} s ahead of this machine's"),
        _ => format!("the provider's clock is {} s behind this machine's", -ahead),
    };
    let fix = "let a time service synchronise this machine's clock (`timedatectl set-ntp true`)";
    match ahead {
        _ if ahead > TOO_FAR_AHEAD || ahead < TOO_FAR_BEHIND => {
            report.problem("clock", format!("{difference}, so sign-ins are refused"), fix);
        }
        _ if ahead.abs() > NOTICEABLE => report.warning("clock", difference, fix),
        _ => report.ok("clock", difference),
    }
}

/// The causes of an error, which its own message leaves out, because it is for the person who signs in.
pub(super) fn cause(error: &OidcError) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(one) = cause {
        let text = one.to_string();
        // Many errors repeat their cause in their own message.
        if !causes.iter().any(|known| known.contains(&text)) {
            causes.push(text);
        }
        cause = one.source();
    }
    if causes.is_empty() {
        error.to_string()
    } else {
        causes.join(": ")
    }
}
