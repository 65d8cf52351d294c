//! Faults of the identity provider.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_the_provider_is_named_with_its_fix() {
    let database = Database::new().await;
    let check = async |issuer: &str| report(check_config(&database, issuer)).await;

    says(
        &check("http://127.0.0.1:1").await,
        "provider",
        "problem",
        "Connection refused",
        "openid-configuration",
    );
    says(
        &check("http://idp.example").await,
        "provider settings",
        "problem",
        "neither https",
        "write LOOPIQ_OIDC_ISSUER with https://",
    );
    let issuer = honest_provider().await;
    let slash = check(&format!("{issuer}/")).await;
    says(
        &slash,
        "discovery",
        "problem",
        "unexpected issuer",
        "LOOPIQ_OIDC_ISSUER",
    );
    says(
        &check(&issuer.replace("/idp", "/other")).await,
        "discovery",
        "problem",
        "404",
        "not with the metadata of a provider",
    );
    says(&check(&format!("{issuer} ")).await, "provider", "ok", "answers", "");

    let cases: [(Change, &str, &str, &str, &str); 7] = [
        (
            |_, _, value| value["code_challenge_methods_supported"] = json!(["plain"]),
            "discovery",
            "problem",
            "S256",
            "PKCE",
        ),
        (
            |_, _, value| value["token_endpoint_auth_methods_supported"] = json!(["private_key_jwt"]),
            "discovery",
            "problem",
            "no client secret",
            "client secret",
        ),
        (
            |path, _, value| {
                if path.ends_with("/openid-configuration") {
                    value["jwks_uri"] = json!("http://keys.example/jwks");
                }
            },
            "provider",
            "problem",
            "keys.example",
            "",
        ),
        (
            |path, _, value| {
                if path.ends_with("/jwks") {
                    *value = json!({ "keys": [] });
                }
            },
            "discovery",
            "problem",
            "no keys",
            "signing key",
        ),
        (
            |_, response, _| date(response, 600),
            "clock",
            "problem",
            "ahead",
            "set-ntp",
        ),
        (
            |_, response, _| date(response, -600),
            "clock",
            "problem",
            "behind",
            "set-ntp",
        ),
        (
            |_, response, _| date(response, 30),
            "clock",
            "warning",
            "ahead",
            "set-ntp",
        ),
    ];
    for (change, about, status, message, fix) in cases {
        let issuer = provider(CALLBACK, change).await;
        says(&check(&issuer).await, about, status, message, fix);
    }

    // Another client secret, and another redirect URL than the registered one.
    let mut command = check_config(&database, &issuer);
    command.env("LOOPIQ_OIDC_CLIENT_SECRET", "another");
    says(
        &report(command).await,
        "client",
        "problem",
        "invalid_client",
        "may have expired",
    );
    let mut command = check_config(&database, &issuer);
    command.env("LOOPIQ_PUBLIC_URL", "https://other.example");
    says(
        &report(command).await,
        "redirect URL",
        "problem",
        "https://other.example/auth/callback",
        "register exactly",
    );
}

/// Moves the time of a response by seconds.
fn date(response: &mut Response, seconds: i64) {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    #[expect(
        clippy::disallowed_methods,
        reason = "the provider tells a time near the machine's own"
    )]
    let now = time::OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
    response
        .headers_mut()
        .insert("date", now.format(format).unwrap().parse().unwrap());
}
