//! The database: reachable, with this version's schema, with the right role, and with the log of this key.

use super::report::Report;
use crate::commands::serve::{ServeArgs, has_audit_entries, require_own_log};
use crate::installation::require_tenant_isolation;
use anyhow::{Context, Result};
use loopiq::context::{Ctx, Runtime};
use loopiq::domain::{Address, TenantId};
use loopiq::engine::Engine;
use loopiq::store::{Store, StoreError, Unchanged};

/// A database that was checked.
pub(super) struct Checked {
    /// `None` if the first start creates it or upgrades its schema.
    store: Option<Store>,
    /// The tenants.
    pub(super) tenants: Vec<TenantId>,
}

impl Checked {
    /// The roles that the catalog of a tenant gives to an address; `None` if they cannot be read.
    pub(super) async fn declared_roles(
        &self,
        tenant: &TenantId,
        address: &Address,
        runtime: &Runtime,
    ) -> Option<Vec<String>> {
        let Some(store) = &self.store else {
            return Some(Vec::new());
        };
        let mut tx = store.read(&Ctx::system(tenant.clone(), runtime)).await.ok()?;
        tx.declared_roles(address).await.ok()
    }

    /// Closes the database.
    pub(super) async fn close(self) {
        if let Some(store) = self.store {
            store.close().await;
        }
    }
}

/// Checks it. Returns it if its tenants can be read.
pub(super) async fn check(serve: &ServeArgs, url: &str, runtime: &Runtime, report: &mut Report) -> Option<Checked> {
    let store = open(serve, report).await?;
    let Some(store) = store else {
        log_key(serve, None, url, runtime, report).await;
        no_tenant(report);
        return Some(Checked {
            store: None,
            tenants: Vec::new(),
        });
    };
    match require_tenant_isolation(&store, serve.demo).await {
        Ok(()) if store.is_shared() => {
            report.ok("database role", "row-level security isolates tenants from each other")
        }
        Ok(()) => {}
        Err(error) => report.error(
            "database role",
            &error,
            "create two roles: docs/production.md, PostgreSQL",
        ),
    }
    match serve.installation.must_be(&store, serve.demo).await {
        Ok(()) => report.ok("installation", if serve.demo { "a demo" } else { "production" }),
        Err(error) => report.error("installation", &error, ""),
    }
    log_key(serve, Some(&store), url, runtime, report).await;
    let tenants = store.tenants().await;
    match &tenants {
        Ok(tenants) if tenants.is_empty() => no_tenant(report),
        Ok(tenants) => {
            let names: Vec<&str> = tenants.iter().map(TenantId::as_str).collect();
            report.ok("tenants", names.join(", "));
        }
        Err(error) => report.problem("tenants", error.to_string(), ""),
    }
    match tenants {
        Ok(tenants) => Some(Checked {
            store: Some(store),
            tenants,
        }),
        Err(_) => {
            store.close().await;
            None
        }
    }
}

fn no_tenant(report: &mut Report) {
    report.warning(
        "tenants",
        "there is none, so nobody can sign in",
        "`loopiq tenant create KEY --name NAME`, once the service has started",
    );
}

/// Opens the database without changing it. The outer `None`: it cannot be used. The inner `None`: the first start creates or upgrades it.
async fn open(serve: &ServeArgs, report: &mut Report) -> Option<Option<Store>> {
    let installation = &serve.installation;
    let location = || -> Result<_> { Ok((installation.file()?, installation.read_only_url()?)) };
    let (file, url) = match location() {
        Ok(location) => location,
        Err(error) => {
            report.error(
                "database",
                &error,
                "correct LOOPIQ_DATABASE_URL or the file of LOOPIQ_DATABASE_URL_FILE",
            );
            return None;
        }
    };
    if let Some(file) = file.filter(|file| !file.exists()) {
        report.ok(
            "database",
            format!("SQLite: the first start creates {}", file.display()),
        );
        return Some(None);
    }
    match Store::open_unchanged(&url).await {
        Ok(Unchanged::Current(store)) => {
            let kind = if store.is_shared() { "PostgreSQL" } else { "SQLite" };
            report.ok(
                "database",
                format!("{kind} ({}), with the schema of this version", installation.name()),
            );
            Some(Some(*store))
        }
        Ok(Unchanged::Older(_)) => {
            report.warning(
                "database",
                format!(
                    "the schema of {} is older than this version's, and the next start upgrades it",
                    installation.name()
                ),
                "make a backup before the start: `loopiq backup FILE` with the older version",
            );
            Some(None)
        }
        Err(error) => {
            let fix = match &error {
                StoreError::Opening(_) => {
                    "start the database server, and compare host, role, password and database name with its settings"
                }
                // The message says what to do.
                _ => "",
            };
            report.problem("database", error.to_string(), fix);
            None
        }
    }
}

/// The keys of the audit log, as a start would find them.
async fn log_key(serve: &ServeArgs, store: Option<&Store>, url: &str, runtime: &Runtime, report: &mut Report) {
    let found = async {
        let has_entries = match store {
            Some(store) => has_audit_entries(store, runtime).await?,
            None => false,
        };
        let installation = &serve.installation;
        let keys = installation
            .audit_key
            .load_or_new(&installation.data_dir, url, has_entries, runtime)?;
        let is_new = keys.is_new();
        if let Some(store) = store.filter(|_| !is_new) {
            let runtime = runtime.clone().with_log_keys(keys.keys().clone());
            require_own_log(&Engine::new(store.clone(), runtime, url))
                .await
                .context("audit key")?;
        }
        anyhow::Ok(is_new)
    };
    match found.await {
        Ok(true) => report.ok(
            "audit key",
            "the first start creates it; keep a copy where the backups of the database are not",
        ),
        Ok(false) => report.ok("audit key", "it can be read"),
        Err(error) => report.error("audit key", &error, ""),
    }
}
