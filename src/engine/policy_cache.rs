//! Caches parsed policies. A version never changes, so that no entry becomes stale.

use crate::domain::{Action, TenantId};
use crate::engine::Error;
use crate::policy::{Mistake, Policies, Policy};
use crate::store::{ReadTx, StoreError};
use crate::{policy, tools};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The most cached versions; when it is reached, the cache is emptied.
const MAX_CACHED: usize = 1_000;

/// The policies of all tenants, by version. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct PolicyCache(Arc<RwLock<HashMap<(TenantId, i64), Arc<Policy>>>>);

/// Parses and validates a policy for the existing tools.
pub(crate) fn read(source: &str) -> Result<policy::Rules, Vec<Mistake>> {
    let names: Vec<&str> = tools::TOOLS.iter().map(|tool| tool.name()).collect();
    policy::read(source, &names)
}

impl PolicyCache {
    /// A version of this tenant's policy.
    pub(crate) async fn version(&self, tx: &mut ReadTx, version: i64) -> Result<Arc<Policy>, Error> {
        let key = (tx.ctx().tenant().clone(), version);
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
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
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
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
