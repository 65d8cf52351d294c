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

/// Checks it. `knows_url`: whether the public URL can be used, from which the URLs to register follow.
pub(super) async fn check(oidc: &Oidc, knows_url: bool, runtime: &Runtime, report: &mut Report) {
    let now = || runtime.now().0.div_euclid(1_000_000);
    if knows_url {
        to_register(oidc, report);
    } else {
        let message = "the URLs to register follow from the public URL, which cannot be used";
        report.warning("redirect URL", message, "correct LOOPIQ_PUBLIC_URL first");
    }
    let facts = match oidc.facts(now()).await {
        Ok(facts) => facts,
        Err(error) => return unusable(oidc, &error, report),
    };
    discovery(oidc, &facts, report);
    step_up(&facts, report);
    clock(&facts, report);
    match oidc.accepts_client(now()).await {
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
    if knows_url {
        redirect_url(oidc, now(), report).await;
    }
}

/// The URLs that have to be registered at the provider.
fn to_register(oidc: &Oidc, report: &mut Report) {
    report.ok(
        "redirect URL",
        format!("register exactly {} at the identity provider", oidc.redirect_url()),
    );
    let origin = oidc.redirect_url().trim_end_matches("/auth/callback");
    report.ok(
        "sign-out URLs",
        format!(
            "register {origin}/logout as the URL after a sign-out, and, if the provider has it, {origin}/auth/backchannel-logout for \
             back-channel logout"
        ),
    );
}

async fn redirect_url(oidc: &Oidc, now: i64, report: &mut Report) {
    match oidc.accepts_redirect_url(now).await {
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
    let document = format!(
        "{}/.well-known/openid-configuration",
        oidc.issuer().trim_end_matches('/')
    );
    let is_there = matches!(error, OidcError::Misconfigured { .. });
    let (check, fix) = if why.contains("unexpected issuer") {
        (
            "discovery",
            "set LOOPIQ_OIDC_ISSUER to the issuer that the provider names, character by character (mind a slash at the end)".to_owned(),
        )
    } else if is_there {
        (
            "discovery",
            "change the provider's configuration, or use one that supports OpenID Connect with a client secret and PKCE (S256)".to_owned(),
        )
    } else if why.contains("certificate") {
        (
            "provider",
            "install the certificate authority of the provider on this machine, or name it in SSL_CERT_FILE".to_owned(),
        )
    } else if ["invalid response", "Failed to parse"]
        .iter()
        .any(|words| why.contains(words))
    {
        (
            "discovery",
            format!(
                "a server answers, but not with the metadata of a provider: compare LOOPIQ_OIDC_ISSUER with the provider, which has {document}"
            ),
        )
    } else {
        (
            "provider",
            format!(
                "let this machine reach {document}: check name resolution, firewall and proxy. The service starts without the provider, and \
                 nobody can sign in"
            ),
        )
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

/// What the provider says about the claims that step-up authentication needs. A policy without `[step_up]` needs none of them.
fn step_up(facts: &ProviderFacts, report: &mut Report) {
    let time = match facts.says_auth_time {
        Some(true) => "it names auth_time among its claims",
        Some(false) => "it does not name auth_time among its claims, so a sign-in counts from the issue of its token",
        None => "it lists no claims",
    };
    let acr = match &facts.acr {
        Some(values) if !values.is_empty() => format!("it knows the acr values {}", values.join(", ")),
        _ => "it lists no acr values".to_owned(),
    };
    report.ok("step-up", format!("for policies with [step_up]: {time}; {acr}"));
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
        _ if !(TOO_FAR_BEHIND..=TOO_FAR_AHEAD).contains(&ahead) => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc::{Cause, OidcSettings};

    #[test]
    fn the_fix_follows_from_the_cause() {
        let oidc = Oidc::new(OidcSettings {
            issuer: "https://idp.example/".to_owned(),
            client_id: "c".to_owned(),
            client_secret: "s".to_owned(),
            redirect_url: "https://loopiq.example/auth/callback".to_owned(),
            tenant_claim: "tenant".to_owned(),
            roles_claim: "roles".to_owned(),
            groups_claim: "groups".to_owned(),
            role_mapping: Default::default(),
            verified_domains: Vec::new(),
            access_tokens: false,
        })
        .unwrap();
        for (why, fix) in [
            ("invalid peer certificate: UnknownIssuer", "certificate authority"),
            (
                "dns error: no such host",
                "let this machine reach https://idp.example/.well-known/",
            ),
            ("operation timed out", "firewall and proxy"),
            ("Server returned invalid response: 302", "compare LOOPIQ_OIDC_ISSUER"),
        ] {
            let cause = Cause::from(Box::<dyn std::error::Error + Send + Sync>::from(why));
            let mut report = Report::default();
            unusable(&oidc, &OidcError::Unreachable { cause }, &mut report);
            let line = report.to_string();
            assert!(line.contains(why) && line.contains(fix), "{line}");
        }
    }
}
