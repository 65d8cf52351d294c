//! The settings of the identity provider.

use super::roles::{self, RoleMapping};
use super::{DEFAULT_GROUPS_CLAIM, DEFAULT_ROLES_CLAIM, DEFAULT_TENANT_CLAIM, OidcSettings};
use crate::advice::Advice;
use crate::secret::{SecretArgs, secret_setting};
use anyhow::{Error, Result, bail};
use loopiq::domain::text::prose::quoted;
use openidconnect::url::Url;

secret_setting! {
    /// The secret under which the service is registered at the identity provider.
    ClientSecret, "oidc-client-secret", "LOOPIQ_OIDC_CLIENT_SECRET", "SECRET",
    "The client's secret. Prefer the environment variable or a file: other users of the machine can read flags",
    "A file that contains the client's secret, for its owner or group only"
}

/// The path of the discovery document below an issuer.
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// What to do if a setting of the provider is missing.
const REGISTRATION: &str =
    "take them from the registration of this service at the identity provider: docs/identity-providers.md";
/// Why a setting of the provider is required.
const NEEDED: &str = "the service needs an identity provider, or --demo to bring its own";

/// The identity provider. Required without `--demo`.
#[derive(Debug, Clone, clap::Args)]
pub struct OidcArgs {
    /// The identity provider's issuer, exactly as its discovery document writes it.
    #[arg(long, env = "LOOPIQ_OIDC_ISSUER", value_name = "URL")]
    oidc_issuer: Option<String>,
    /// The ID under which this service is registered at the identity provider.
    #[arg(long, env = "LOOPIQ_OIDC_CLIENT_ID", value_name = "ID")]
    oidc_client_id: Option<String>,
    #[command(flatten)]
    oidc_client_secret: SecretArgs<ClientSecret>,
    /// The claim of the ID token that names the tenant.
    #[arg(long, env = "LOOPIQ_OIDC_TENANT_CLAIM", default_value = DEFAULT_TENANT_CLAIM, value_name = "CLAIM")]
    oidc_tenant_claim: String,
    /// The claim of the ID token that lists the roles.
    #[arg(long, env = "LOOPIQ_OIDC_ROLES_CLAIM", default_value = DEFAULT_ROLES_CLAIM, value_name = "CLAIM")]
    oidc_roles_claim: String,
    /// The claim of the ID token that lists the groups. A catalog names the groups whose people are members of a team.
    #[arg(long, env = "LOOPIQ_OIDC_GROUPS_CLAIM", default_value = DEFAULT_GROUPS_CLAIM, value_name = "CLAIM")]
    oidc_groups_claim: String,
    /// Groups that give roles, separated by semicolons. Values of the roles claim are mapped too.
    #[arg(
        long,
        env = "LOOPIQ_OIDC_ROLE_MAPPING",
        value_name = "GROUP=ROLE;...",
        value_parser = roles::mapping
    )]
    oidc_role_mapping: Vec<RoleMapping>,
    /// Domains, separated by commas, whose e-mail addresses count as verified if the issuer's ID tokens do not say so themselves
    /// (`email_verified`). An unverified address identifies no person: no policy and no command can name it.
    #[arg(long, env = "LOOPIQ_OIDC_VERIFIED_DOMAINS", value_delimiter = ',', value_name = "DOMAIN,...", value_parser = domain)]
    oidc_verified_domains: Vec<String>,
    /// Accept access tokens of the identity provider at the MCP endpoint: JWTs whose audience is the endpoint's URL, with scopes of this service, for
    /// people who have signed in here.
    #[arg(long, env = "LOOPIQ_OIDC_ACCESS_TOKENS")]
    oidc_access_tokens: bool,
}

/// A domain name; a leading `@` is accepted.
fn domain(text: &str) -> Result<String, String> {
    let domain = text.trim().trim_start_matches('@').to_ascii_lowercase();
    let is_valid = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    if domain.is_empty() || !domain.chars().all(is_valid) {
        return Err(format!("{} is not a domain, such as acme.example", quoted(text)));
    }
    Ok(domain)
}

/// The text of a setting without the white space around it.
fn trimmed(text: &Option<String>) -> String {
    text.as_deref().unwrap_or_default().trim().to_owned()
}

/// Refuses an issuer that no provider has.
fn check_issuer(issuer: &str) -> Result<()> {
    const NAME: &str = "LOOPIQ_OIDC_ISSUER (or --oidc-issuer)";
    let url = match Url::parse(issuer) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url,
        _ => bail!(
            "{NAME} is {}, and an issuer is a URL: write it with https://, exactly as the provider's discovery document names it",
            quoted(issuer)
        ),
    };
    if !url.username().is_empty() || url.password().is_some() {
        // Logs and messages contain the issuer.
        bail!("{NAME} contains a user name or a password; remove them");
    }
    if url.path().trim_end_matches('/').ends_with(DISCOVERY) {
        bail!("{NAME} names the discovery document; remove {DISCOVERY} from its end");
    }
    Ok(())
}

impl OidcArgs {
    /// The claims of tenant and roles.
    pub fn claims(&self) -> (&str, &str) {
        (&self.oidc_tenant_claim, &self.oidc_roles_claim)
    }

    /// Which groups give which roles.
    pub fn role_mapping(&self) -> RoleMapping {
        RoleMapping::of(&self.oidc_role_mapping)
    }

    /// Checks that every required setting has a value. Reads no file.
    ///
    /// # Errors
    /// One line that names the first missing setting, or an issuer that cannot be one.
    pub fn must_be_complete(&self) -> Result<()> {
        for (setting, value) in [
            ("LOOPIQ_OIDC_ISSUER (or --oidc-issuer)", &self.oidc_issuer),
            ("LOOPIQ_OIDC_CLIENT_ID (or --oidc-client-id)", &self.oidc_client_id),
        ] {
            if value.as_ref().is_none_or(|value| value.trim().is_empty()) {
                return Err(Error::msg(Advice::new(
                    format!("{setting} is not set; {NEEDED}"),
                    REGISTRATION,
                )));
            }
        }
        check_issuer(&trimmed(&self.oidc_issuer))?;
        if self.oidc_client_secret.source()?.is_none() {
            let missing = format!("{}; {NEEDED}", SecretArgs::<ClientSecret>::missing());
            return Err(Error::msg(Advice::new(missing, REGISTRATION)));
        }
        Ok(())
    }

    /// The settings of a service at this public URL.
    ///
    /// # Errors
    /// As [`must_be_complete`](Self::must_be_complete), or the client's secret cannot be read.
    pub fn settings(&self, public_url: &str) -> Result<OidcSettings> {
        self.must_be_complete()?;
        Ok(OidcSettings {
            // A space at the end of a line in a file of settings is part of neither.
            issuer: trimmed(&self.oidc_issuer),
            client_id: trimmed(&self.oidc_client_id),
            client_secret: self.oidc_client_secret.require()?.expose().to_owned(),
            redirect_url: format!("{public_url}/auth/callback"),
            tenant_claim: self.oidc_tenant_claim.clone(),
            roles_claim: self.oidc_roles_claim.clone(),
            groups_claim: self.oidc_groups_claim.clone(),
            role_mapping: self.role_mapping(),
            verified_domains: self.oidc_verified_domains.clone(),
            access_tokens: self.oidc_access_tokens,
        })
    }
}
