//! Revoking grants: people revoke their own, operators those of the tenant.

use super::{Recorded, RevokedBy, record};
use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::{Engine, Error};
use crate::store::{GrantsOf, ListedGrant, ReadTx, WriteTx};
use crate::views::Outcome;
use serde_json::json;

pub(super) fn no_grant(id: &str) -> Error {
    Error::NotFound {
        kind: RecordKind::Grant,
        id: id.to_owned(),
    }
}

impl Engine {
    /// Revokes a grant: one's own, or as an operator any of the tenant. A grant of another person is not found by people who may not
    /// revoke it.
    pub async fn revoke_grant(&self, ctx: &Ctx, id: &str) -> Result<Outcome, Error> {
        let me = ctx.principal.person().map(|person| person.id.clone());
        let needed = match me {
            Some(_) => Permission::SignIn,
            None => Permission::IssueToken,
        };
        self.authorize(ctx, needed).await?;
        let others = allows(&ctx.principal, Permission::IssueToken);
        let id = GrantId::parse(id.trim()).map_err(|_| no_grant(id))?;
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    let found = tx.grant(&id).await?;
                    let is_mine = |grant: &ListedGrant| {
                        let person = grant.person.as_ref().map(|(person, ..)| person);
                        me.is_some() && person == me.as_ref()
                    };
                    let found = found.filter(|grant| others || is_mine(grant));
                    let grant = found.ok_or_else(|| no_grant(id.as_str()))?;
                    let by = match is_mine(&grant) {
                        true => RevokedBy::Person,
                        false => RevokedBy::Operator,
                    };
                    let name = grant.name.clone();
                    let message = match revoke(tx, grant, by, me.as_ref()).await? {
                        true => format!("{name} has no access any more."),
                        false => format!("{name} was revoked before; nothing was done twice."),
                    };
                    Ok::<_, Error>(Outcome::new(true, message))
                })
            })
            .await
    }
}

/// The grants that act for a person, or are offered to the person, and have not ended.
pub(crate) async fn open_grants(tx: &mut ReadTx, person: &PersonId) -> Result<Vec<ListedGrant>, Error> {
    // A grant that was revoked in this transaction ended now.
    let later = tx.ctx().now().plus(1);
    let mut grants = tx.grants(&GrantsOf::Person(person.clone()), later).await?;
    grants.retain(|grant| grant.revoked_at.is_none());
    Ok(grants)
}

/// Revokes all grants that act for a person, and returns their number.
pub(crate) async fn revoke_all_of(
    tx: &mut WriteTx,
    person: &PersonId,
    by: RevokedBy,
    operator: Option<&PersonId>,
) -> Result<usize, Error> {
    let mut revoked = 0;
    // A list has at most so many grants, so a person with more needs several.
    loop {
        let grants = open_grants(tx, person).await?;
        if grants.is_empty() {
            return Ok(revoked);
        }
        for grant in grants {
            revoked += usize::from(revoke(tx, grant, by, operator).await?);
        }
    }
}

/// Revokes a grant of this tenant and records it. Returns `false` if it was revoked before.
pub(super) async fn revoke(
    tx: &mut WriteTx,
    grant: ListedGrant,
    by: RevokedBy,
    person: Option<&PersonId>,
) -> Result<bool, Error> {
    if !tx.revoke_grant(&grant.id, person).await? {
        return Ok(false);
    }
    record(
        tx,
        Event::TokenRevoked,
        &Recorded::from(grant),
        json!({ "by": by.as_str() }),
    );
    Ok(true)
}
