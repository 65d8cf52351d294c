//! Creating tenants.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::{InstallationKind, Permission, TenantId, text};
use crate::engine::{Engine, Error, audit_entries};
use crate::store::Entry;
use serde_json::json;

/// The longest name of a tenant, in characters.
const LONGEST_NAME: usize = 200;

impl Engine {
    /// Creates a tenant with this key and name. The first entry of its audit log says so. A tenant that exists with the same name stays as it is;
    /// returns whether the tenant is new.
    pub async fn create_tenant(&self, key: &str, name: &str) -> Result<bool, Error> {
        let setting = |message: String| Error::Setting { message };
        let tenant = TenantId::parse(key).map_err(|_| {
            setting(format!(
                "\"{}\" cannot be the key of a tenant: it has 1 to 63 characters of a-z, 0-9 and hyphens, as your identity provider's tenant \
                 claim does.",
                text::visible(key)
            ))
        })?;
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(['\n', '\r', '\t']) {
            return Err(setting(format!(
                "a name has 1 to {LONGEST_NAME} characters in one line."
            )));
        }
        if let Some(error) = text::forbidden_in(&json!(name)).into_iter().next() {
            return Err(setting(format!("the name {}.", error.message)));
        }
        let ctx = Ctx::command(tenant, &self.runtime);
        self.authorize(&ctx, Permission::Configure).await?;
        if self.store.installation().await?.is_none() {
            // A tenant belongs to people of a real provider, so this is no demo from now on.
            self.store
                .decide_installation(InstallationKind::Production, self.runtime.now())
                .await?;
        }
        self.store
            .write(&ctx, move |tx| {
                Box::pin(async move {
                    match tx.tenant_name().await? {
                        Some(known) if known == name => return Ok(false),
                        Some(known) => {
                            return Err(Error::Setting {
                                message: format!("the tenant exists, with the name \"{}\".", text::visible(&known)),
                            });
                        }
                        None => {}
                    }
                    tx.insert_tenant(&name).await?;
                    let mut content = audit_entries::content(tx.ctx());
                    content.details = json!({ "name": name });
                    tx.record(Entry {
                        event: Event::TenantCreated,
                        action_id: None,
                        content,
                    });
                    Ok(true)
                })
            })
            .await
    }
}
