//! Caches parsed policies. A committed version never changes, so that no entry becomes stale.

use crate::domain::{Action, TenantId, Timestamp};
use crate::engine::Error;
use crate::policy::{Mistake, Policies, Policy};
use crate::store::{ReadTx, StoreError};
use crate::{policy, tools};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The most cached versions; when it is reached, the cache is emptied.
const MAX_CACHED: usize = 1_000;

/// How long roles count after the identity provider asserted them, unless the settings say otherwise: 30 days, in microseconds.
const ROLES_MAX_AGE: i64 = 30 * Timestamp::DAY;

/// The policies of all tenants, by version, and the rule of the installation that holds in addition to them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct PolicyCache {
    versions: Arc<RwLock<HashMap<(TenantId, i64), Arc<Policy>>>>,
    roles_max_age: i64,
}

impl Default for PolicyCache {
    fn default() -> Self {
        Self {
            versions: Arc::default(),
            roles_max_age: ROLES_MAX_AGE,
        }
    }
}

/// Parses and validates a policy for the existing tools.
pub(crate) fn read(source: &str) -> Result<policy::Rules, Vec<Mistake>> {
    let names: Vec<&str> = tools::TOOLS.iter().map(|tool| tool.name()).collect();
    policy::read(source, &names)
}

impl PolicyCache {
    /// The same policies in an installation where roles count for so many microseconds after the identity provider asserted them.
    pub(crate) fn with_roles_max_age(self, roles_max_age: i64) -> Self {
        Self { roles_max_age, ..self }
    }

    /// How long roles count after the identity provider asserted them, in microseconds.
    pub(crate) fn roles_max_age(&self) -> i64 {
        self.roles_max_age
    }

    /// A version of this tenant's policy.
    pub(crate) async fn version(&self, tx: &mut ReadTx, version: i64) -> Result<Arc<Policy>, Error> {
        let key = (tx.ctx().tenant().clone(), version);
        let known = self
            .versions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let damaged = |why: String| {
            Error::internal(StoreError::Damaged {
                what: format!("policy version {version}"),
                why,
            })
        };
        let source = tx
            .policy_source(version)
            .await?
            .ok_or_else(|| damaged("it is not there".to_owned()))?;
        let rules = policy::parse(&source).map_err(|mistakes| damaged(mistakes[0].to_string()))?;
        let policy = Arc::new(Policy { version, rules });
        // The version may belong to a write that is rolled back, and another policy may get its number.
        if tx.sees_uncommitted() {
            return Ok(policy);
        }
        let mut known = self.versions.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_CACHED {
            known.clear();
        }
        known.insert(key, policy.clone());
        Ok(policy)
    }

    /// The policy that is in force.
    pub(crate) async fn today(&self, tx: &mut ReadTx) -> Result<Arc<Policy>, Error> {
        let version = tx.policy_version().await?;
        self.version(tx, version).await
    }

    /// The policy when the action was proposed, and today's.
    pub(crate) async fn for_action(&self, tx: &mut ReadTx, action: &Action) -> Result<Policies, Error> {
        Ok(Policies {
            then: self.version(tx, action.judgement.policy_version).await?,
            today: self.version(tx, action.judgement.current_policy_version).await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Ctx, Runtime};
    use crate::domain::Timestamp;
    use crate::store::{PolicyRow, Store};

    /// Version 2 of a policy, which differs in one deadline.
    fn second(hours: u32) -> PolicyRow {
        PolicyRow {
            version: 2,
            source: policy::BUILT_IN.replacen("low = 72", &format!("low = {hours}"), 1),
            note: String::new(),
            person_id: None,
            created_at: Timestamp(0),
        }
    }

    #[tokio::test]
    async fn a_version_that_was_rolled_back_is_not_in_the_cache() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("loopiq.db").display());
        let store = Store::open(&url).await.expect("a database");
        let ctx = Ctx::system(
            TenantId::parse("acme").expect("a tenant"),
            &Runtime::new(|| Timestamp(0), |bytes| bytes.fill(7)),
        );
        let (cache, first) = (PolicyCache::default(), PolicyCache::default());
        let rolled_back = store
            .write::<Arc<Policy>, Error, _>(&ctx, {
                let cache = cache.clone();
                move |tx| {
                    Box::pin(async move {
                        tx.insert_tenant("Acme").await?;
                        tx.insert_policy(&second(7)).await?;
                        assert_eq!(cache.today(tx).await?.version, 2);
                        Err(Error::internal("the write fails after the cache has read"))
                    })
                }
            })
            .await;
        assert!(rolled_back.is_err());
        store
            .write::<_, Error, _>(&ctx, |tx| {
                Box::pin(async move {
                    tx.insert_tenant("Acme").await?;
                    Ok(tx.insert_policy(&second(8)).await?)
                })
            })
            .await
            .expect("committed");
        let mut tx = store.read(&ctx).await.expect("a transaction");
        let cached = cache.today(&mut tx).await.expect("version 2");
        let stored = first.today(&mut tx).await.expect("version 2");
        assert_eq!(cached, stored);
        assert!(!Arc::ptr_eq(&cached, &stored));
    }
}
