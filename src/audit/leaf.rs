//! The leaf of an audit entry.

use crate::domain::{ActionId, TenantId, Timestamp};
use loopiq_audit_log::Leaf;

/// A leaf of version 1.
pub fn leaf<'a>(
    tenant: &'a TenantId,
    seq: i64,
    at: Timestamp,
    event: &'a str,
    action_id: Option<&'a ActionId>,
    content_hash: &'a str,
) -> Leaf<'a> {
    Leaf {
        version: 1,
        tenant: tenant.as_str(),
        seq,
        at: at.0,
        event,
        action_id: action_id.map(ActionId::as_str),
        content_hash,
    }
}
