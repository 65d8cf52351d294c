//! The claims of a sample: what the service reads from them, and why it would refuse the sign-in.

use super::CheckConfigArgs;
use super::provider::cause;
use super::report::Report;
use crate::oidc::{Assertion, Oidc, OidcError, claims_of};
use anyhow::{Context, Result, bail};
use loopiq::context::Runtime;
use loopiq::domain::{ProviderSignIn, Role, TenantId};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The maximum size of a sample, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// How many claims can be missing or of a wrong type: tenant, roles, groups, subject and address.
const REQUIRED: usize = 5;

/// Checks the sample that the arguments name, if they name one.
pub(super) async fn check(
    args: &CheckConfigArgs,
    oidc: &Oidc,
    tenants: Option<&[TenantId]>,
    runtime: &Runtime,
    report: &mut Report,
) {
    let claims = match (&args.sample_token, &args.claims) {
        (Some(file), _) => token(file, oidc, runtime, report).await,
        (None, Some(file)) => read(file).and_then(|text| {
            let claims = serde_json::from_str::<Map<String, Value>>(&text);
            claims.with_context(|| format!("{} is not a JSON object", file.display()))
        }),
        (None, None) => return,
    };
    match claims {
        Ok(claims) => asserted(args, oidc, claims, tenants, report),
        Err(error) => report.error(
            "sample",
            &error,
            "give an ID token (--sample-token) or its claims as a JSON object (--claims)",
        ),
    }
}

/// The claims of a token, after its signature was verified as for a sign-in. A bad signature is reported, and the claims are shown all the same.
async fn token(file: &Path, oidc: &Oidc, runtime: &Runtime, report: &mut Report) -> Result<Map<String, Value>> {
    let text = read(file)?;
    let token = text.trim();
    let claims = claims_of(token).with_context(|| format!("{} is not a signed token (JWT)", file.display()))?;
    match oidc.verify_sample(token, runtime.now().0.div_euclid(1_000_000)).await {
        // The claims are judged below.
        Ok(_) | Err(OidcError::MissingClaim { .. }) => report.ok("sample", "the provider signed this token for this client"),
        Err(error) => report.problem(
            "sample",
            format!("the token is not one that this provider issued for this client: {}", cause(&error)),
            "use an ID token (not an access token) that the provider of LOOPIQ_OIDC_ISSUER issued for LOOPIQ_OIDC_CLIENT_ID",
        ),
    }
    Ok(claims)
}

fn read(file: &Path) -> Result<String> {
    let cannot = || format!("{} cannot be read", file.display());
    if std::fs::metadata(file).with_context(cannot)?.len() > MAX_BYTES {
        bail!("{} has more than {MAX_BYTES} bytes", file.display());
    }
    std::fs::read_to_string(file).with_context(cannot)
}

fn asserted(
    args: &CheckConfigArgs,
    oidc: &Oidc,
    mut claims: Map<String, Value>,
    tenants: Option<&[TenantId]>,
    report: &mut Report,
) {
    let names: Vec<String> = claims.keys().cloned().collect();
    let mut absent = Vec::new();
    // The function that a sign-in uses reports the first missing claim, so that a text stands in for it to find the next one.
    for _ in 0..=REQUIRED {
        match oidc.read_claims(&claims) {
            Ok(assertion) => return shown(args, &assertion, &absent, tenants, report),
            Err(OidcError::MissingClaim { claim, .. }) => {
                missing(args, &claim, &names, report);
                claims.insert(claim.clone(), json!("nobody"));
                absent.push(claim);
            }
            Err(error) => {
                let fix = "correct the mapping of this claim at the provider";
                return report.problem("claims", format!("they cannot be read: {}", cause(&error)), fix);
            }
        }
    }
}

fn missing(args: &CheckConfigArgs, claim: &str, names: &[String], report: &mut Report) {
    let (tenant, roles) = args.serve.oidc.claims();
    let setting = match claim {
        _ if claim == tenant => {
            "set LOOPIQ_OIDC_TENANT_CLAIM to the claim that names the tenant, or let the provider send this one"
        }
        _ if claim == roles => {
            "set LOOPIQ_OIDC_ROLES_CLAIM to the claim that lists the roles, or let the provider send this one"
        }
        "email" => "give the client the scope `email`, and the account an address",
        _ => "let the provider send it",
    };
    report.problem(
        "claims",
        format!(
            "the claim {claim:?} is missing or has another type; the sample has {}",
            names.join(", ")
        ),
        setting,
    );
}

/// Shows what the claims assert, except the absent ones.
fn shown(
    args: &CheckConfigArgs,
    assertion: &Assertion,
    absent: &[String],
    tenants: Option<&[TenantId]>,
    report: &mut Report,
) {
    let (tenant_claim, roles_claim) = args.serve.oidc.claims();
    let is_absent = |claim: &str| absent.iter().any(|absent| absent == claim);
    if !is_absent(tenant_claim) {
        for named in &assertion.tenants {
            tenant(named, tenant_claim, tenants, report);
        }
    }
    match &assertion.roles {
        Some(asserted) if !is_absent(roles_claim) => roles(asserted, roles_claim, report),
        Some(_) => {}
        None => report.warning(
            "roles",
            format!("the claim {roles_claim:?} is missing, so the roles count that the catalog gives to the address"),
            "list the person under `people` in a catalog, or set LOOPIQ_OIDC_ROLES_CLAIM or LOOPIQ_OIDC_ROLE_MAPPING",
        ),
    }
    if !assertion.groups.is_empty() {
        report.ok("groups", assertion.groups.join(", "));
    }
    sign_in(&assertion.sign_in, report);
    if is_absent("email") {
        return;
    }
    match assertion.email.address() {
        Some(address) => report.ok("e-mail", format!("{} (verified), {}", address.as_str(), assertion.name)),
        None => report.warning(
            "e-mail",
            format!("{}, so no policy, no team and no command can name this person", assertion.email.as_str()),
            "let the provider send `email_verified`, or name the domain in LOOPIQ_OIDC_VERIFIED_DOMAINS if only the company gives out its \
             addresses",
        ),
    }
}

/// What a policy with `[step_up]` would read. A sample of an ordinary sign-in need not have the claims.
fn sign_in(sign_in: &ProviderSignIn, report: &mut Report) {
    let time = match sign_in.authenticated_at {
        Some(at) => format!("auth_time {}", at.second()),
        None => "no auth_time".to_owned(),
    };
    let acr = sign_in
        .acr
        .as_ref()
        .map_or_else(|| "no acr".to_owned(), |acr| format!("acr {acr}"));
    report.ok("step-up", format!("{time}, {acr}: what a policy with [step_up] reads"));
}

fn roles(asserted: &[String], claim: &str, report: &mut Report) {
    let (known, unknown): (Vec<&String>, Vec<&String>) = asserted.iter().partition(|role| Role::parse(role).is_some());
    let list = |roles: &[&String]| roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
    let ignored = if unknown.is_empty() {
        String::new()
    } else {
        format!("; ignored: {}", list(&unknown))
    };
    if known.is_empty() {
        report.problem(
            "roles",
            format!("the claim {claim:?} names no role, so the person cannot sign in{ignored}"),
            "give the person one of developer, reviewer, lead, auditor and operator at the provider",
        );
    } else {
        report.ok("roles", format!("{}{ignored}", list(&known)));
    }
}

fn tenant(name: &str, claim: &str, tenants: Option<&[TenantId]>, report: &mut Report) {
    let create = format!("`loopiq tenant create {name} --name NAME`, or correct the claim at the provider");
    match (TenantId::parse(name), tenants) {
        (Err(_), _) => report.problem(
            "tenant",
            format!("{name:?} of the claim {claim:?} is not a tenant's key: a-z, 0-9 and hyphens"),
            "let the provider send the key of a tenant",
        ),
        (Ok(_), None) => report.ok(
            "tenant",
            format!("{name}; whether it exists is unknown without the database"),
        ),
        (Ok(tenant), Some(tenants)) if tenants.contains(&tenant) => report.ok("tenant", name),
        (Ok(_), Some(_)) => report.problem("tenant", format!("there is no tenant {name} here"), create),
    }
}
