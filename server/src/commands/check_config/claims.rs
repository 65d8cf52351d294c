//! The claims of a sample: what the service reads from them, and why it would refuse the sign-in.

use super::CheckConfigArgs;
use super::database::Checked;
use super::provider::cause;
use super::report::Report;
use crate::oidc::{Assertion, Oidc, OidcError, claims_of};
use anyhow::{Context, Result, bail};
use loopiq::context::Runtime;
use loopiq::domain::text::prose::quoted;
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
    database: Option<&Checked>,
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
        Ok(claims) => {
            if args.claims.is_some() && !is_for_this_client(oidc, &claims, report) {
                return;
            }
            asserted(args, oidc, claims, database, runtime, report).await;
        }
        Err(error) => report.error(
            "sample",
            &error,
            "give an ID token (--sample-token) or its claims as a JSON object (--claims)",
        ),
    }
}

/// Whether claims without a signature come from the provider of the settings and are for this client, as far as they say so.
fn is_for_this_client(oidc: &Oidc, claims: &Map<String, Value>, report: &mut Report) -> bool {
    let shown = |claim: &Value| claim.as_str().map_or_else(|| claim.to_string(), str::to_owned);
    let is_client = |audience: &Value| audience.as_str() == Some(oidc.client_id());
    let mut fits = true;
    if let Some(issuer) = claims
        .get("iss")
        .filter(|issuer| issuer.as_str() != Some(oidc.issuer()))
    {
        report.problem(
            "claims",
            format!(
                "another provider issued them: `iss` is {}, and LOOPIQ_OIDC_ISSUER is {}",
                shown(issuer),
                oidc.issuer()
            ),
            "use claims of the provider of LOOPIQ_OIDC_ISSUER, or correct the setting (mind a slash at the end)",
        );
        fits = false;
    }
    let is_for_another = |audience: &&Value| match audience {
        Value::Array(audiences) => !audiences.iter().any(is_client),
        audience => !is_client(audience),
    };
    if let Some(audience) = claims.get("aud").filter(is_for_another) {
        report.problem(
            "claims",
            format!(
                "they are for another client: `aud` is {}, and LOOPIQ_OIDC_CLIENT_ID is {}",
                shown(audience),
                oidc.client_id()
            ),
            "use the claims of an ID token (not of an access token) of this client",
        );
        fits = false;
    }
    fits
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

async fn asserted(
    args: &CheckConfigArgs,
    oidc: &Oidc,
    mut claims: Map<String, Value>,
    database: Option<&Checked>,
    runtime: &Runtime,
    report: &mut Report,
) {
    let names: Vec<String> = claims.keys().cloned().collect();
    let mut absent = Vec::new();
    // The function that a sign-in uses reports the first missing claim, so that a text stands in for it to find the next one.
    for _ in 0..=REQUIRED {
        match oidc.read_claims(&claims) {
            Ok(assertion) => {
                shown(args, &assertion, &absent, database, report);
                if assertion.roles.is_none() {
                    roles_of_catalog(args, &assertion, database, runtime, report).await;
                }
                return;
            }
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
            "the claim {} is missing or has another type; the sample has {}",
            quoted(claim),
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
    database: Option<&Checked>,
    report: &mut Report,
) {
    let (tenant_claim, roles_claim) = args.serve.oidc.claims();
    let is_absent = |claim: &str| absent.iter().any(|absent| absent == claim);
    if !is_absent(tenant_claim) {
        for named in &assertion.tenants {
            tenant(
                named,
                tenant_claim,
                database.map(|database| database.tenants.as_slice()),
                report,
            );
        }
    }
    match &assertion.roles {
        Some(asserted) if !is_absent(roles_claim) => roles(asserted, roles_claim, report),
        // `roles_of_catalog` looks them up.
        Some(_) | None => {}
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

/// The roles of a person whose token asserts none: those that the catalog of the tenant gives to the verified address.
async fn roles_of_catalog(
    args: &CheckConfigArgs,
    assertion: &Assertion,
    database: Option<&Checked>,
    runtime: &Runtime,
    report: &mut Report,
) {
    const FIX: &str =
        "list the address under `people` in a catalog, or set LOOPIQ_OIDC_ROLES_CLAIM or LOOPIQ_OIDC_ROLE_MAPPING";
    let (_, roles_claim) = args.serve.oidc.claims();
    let missing = format!(
        "the claim {} is missing, so the roles count that the catalog gives to the address",
        quoted(roles_claim)
    );
    let (Some(address), Some(database)) = (assertion.email.address(), database) else {
        return report.warning("roles", missing, FIX);
    };
    let known = assertion.tenants.iter().filter_map(|name| TenantId::parse(name).ok());
    let known: Vec<TenantId> = known.filter(|tenant| database.tenants.contains(tenant)).collect();
    if known.is_empty() {
        return report.warning("roles", missing, FIX);
    }
    for tenant in known {
        match database.declared_roles(&tenant, address, runtime).await {
            None => report.warning("roles", &missing, FIX),
            Some(roles) if roles.is_empty() => report.problem(
                "roles",
                format!(
                    "{missing}, and the catalog of {tenant} gives none to {}",
                    address.as_str()
                ),
                FIX,
            ),
            Some(roles) => report.ok("roles", format!("{}, from the catalog of {tenant}", roles.join(", "))),
        }
    }
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
            format!(
                "the claim {} names no role, so the person cannot sign in{ignored}",
                quoted(claim)
            ),
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
            format!(
                "{} of the claim {} is not a tenant's key: a-z, 0-9 and hyphens",
                quoted(name),
                quoted(claim)
            ),
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
