//! Access tokens that the identity provider issues: whose they are here.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::admin::access::named;
use crate::engine::admin::tokens::TokenRefusal;
use crate::engine::{Engine, Error};

/// What a verified access token of the identity provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderGrant {
    /// The identity provider's issuer.
    pub issuer: String,
    /// The person's ID at the issuer.
    pub subject: String,
    /// The client's ID at the issuer.
    pub client: String,
    /// The scopes of this service in the token.
    pub scopes: Scopes,
    /// The tenants that the token names; empty if it names none.
    pub tenants: Vec<String>,
}

impl Engine {
    /// The principal of an access token that the identity provider has issued. The roles are those of the last sign-in here, and count as long as
    /// they do for tokens of this service.
    pub async fn principal_of_provider(&self, grant: ProviderGrant) -> Result<Result<Principal, TokenRefusal>, Error> {
        if !InstallationKind::accepts(self.store.installation().await?, &grant.issuer) {
            return Ok(Err(TokenRefusal::NoPerson));
        }
        // Each request costs one look-up for each tenant, so a token without a tenant is only for a service with one.
        let tenants = match grant.tenants.is_empty() {
            true => self.store.tenants().await?,
            false => named(&grant.tenants),
        };
        if grant.tenants.is_empty() && tenants.len() > 1 {
            return Ok(Err(TokenRefusal::SeveralTenants));
        }
        let mut accounts = Vec::new();
        for tenant in tenants {
            let ctx = Ctx::system(tenant.clone(), &self.runtime);
            let tx = &mut self.store.read(&ctx).await?;
            if let Some(person) = tx.person_of(&grant.issuer, &grant.subject).await? {
                let account = tx.accounts(&[person.id.as_str()]).await?.pop();
                accounts.extend(account.map(|account| (tenant, person, account.asserted_at)));
            }
        }
        let (tenant, caller, asserted_at) = match (accounts.pop(), accounts.is_empty()) {
            (Some(account), true) => account,
            (Some(_), false) => return Ok(Err(TokenRefusal::SeveralTenants)),
            (None, _) => return Ok(Err(TokenRefusal::NoPerson)),
        };
        if caller.roles.is_empty() {
            return Ok(Err(TokenRefusal::NoRole));
        }
        if !roles_are_current(asserted_at, self.runtime.now(), self.policies.roles_max_age()) {
            return Ok(Err(TokenRefusal::RolesTooOld));
        }
        let client = self.client_of_provider(&tenant, &grant).await?;
        Ok(Ok(Principal::Client {
            tenant,
            caller,
            client,
            scopes: grant.scopes,
        }))
    }

    /// The client as this tenant knows it. Its first request stores it.
    async fn client_of_provider(&self, tenant: &TenantId, grant: &ProviderGrant) -> Result<Client, Error> {
        let ctx = Ctx::system(tenant.clone(), &self.runtime);
        let identity = format!("provider:{} {}", grant.issuer, grant.client);
        let known = self.store.read(&ctx).await?.client_of_identity(&identity).await?;
        if let Some(known) = known {
            return Ok(known);
        }
        let name = text::visible(&grant.client);
        self.store
            .write(&ctx, move |tx| {
                Box::pin(async move { Ok::<_, Error>(tx.ensure_client(&identity, &name).await?) })
            })
            .await
    }
}
