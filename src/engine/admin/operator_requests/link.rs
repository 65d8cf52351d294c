//! Requests that state whether two accounts belong to one person or to two.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::decision::validate_text;
use crate::engine::admin::operator_requests::{Asked, ask, operator, refused};
use crate::engine::{Engine, Error, audit_entries};
use crate::store::{Account, Entry, ReadTx, RequestRow, WriteTx};
use serde_json::json;

impl Engine {
    /// Asks a second operator to confirm that two accounts belong to one person, or to two people. `same`: `None` if the operator has chosen
    /// neither.
    pub async fn request_link(
        &self,
        ctx: &Ctx,
        one: &str,
        other: &str,
        same: Option<bool>,
        reason: &str,
    ) -> Result<Asked, Error> {
        self.authorize(ctx, Permission::Configure).await?;
        let same = same.ok_or_else(|| Error::Setting {
            message: "choose whether the accounts belong to the same person or to different people.".to_owned(),
        })?;
        let reason = validate_text(reason, "how you know whose these accounts are")?;
        let parse = |id: &str| {
            PersonId::parse(id.trim()).map_err(|_| Error::NotFound {
                kind: RecordKind::Person,
                id: id.to_owned(),
            })
        };
        let (one, other) = (parse(one)?, parse(other)?);
        let policies = self.policies.clone();
        let asked = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    let maker = operator(tx, &policies).await?;
                    let accounts = both(tx, &one, &other).await?;
                    if !same && accounts.iter().any(|one| maker.as_ref().is_some_and(|me| me.human == one.human)) {
                        return Err(Error::NotAuthorized {
                            why: "You are one of these two people, so another operator has to say that they are different.".to_owned(),
                        });
                    }
                    let [first, second] = accounts.map(|account| account_label(&account));
                    let summary = if same {
                        format!("The accounts of {first} and {second} are one person's.")
                    } else {
                        format!("The accounts of {first} and {second} are two people's.")
                    };
                    let change = OperatorChange::LinkPeople {
                        one,
                        other,
                        same,
                        reason,
                    };
                    ask(tx, maker.as_ref(), change, summary).await
                })
            })
            .await;
        if let Err(error @ Error::NotAuthorized { .. }) = &asked {
            self.deny(ctx, Permission::Configure, None, error).await?;
        }
        asked
    }
}

fn account_label(account: &Account) -> String {
    let person = &account.person;
    text::visible(&format!("{} ({}, {})", person.name, person.email, person.id))
}

/// Two accounts of this tenant that belong to different humans as far as is known.
async fn both(tx: &mut ReadTx, one: &PersonId, other: &PersonId) -> Result<[Account; 2], Error> {
    let mut accounts = tx.accounts(&[one.as_str(), other.as_str()]).await?;
    let mut take = |id: &PersonId| {
        let at = accounts.iter().position(|account| account.person.id == *id);
        at.map(|at| accounts.remove(at)).ok_or_else(|| Error::NotFound {
            kind: RecordKind::Person,
            id: id.to_string(),
        })
    };
    let first = take(one)?;
    if one == other {
        return Err(Error::Setting {
            message: "name two different accounts.".to_owned(),
        });
    }
    let second = take(other)?;
    if first.human == second.human {
        return Err(refused(format!(
            "Nothing was changed: {one} and {other} are accounts of one person already."
        )));
    }
    Ok([first, second])
}

/// Links two accounts, or records that they belong to different people. Returns the outcome as a sentence.
pub(crate) async fn resolve(
    tx: &mut WriteTx,
    row: &RequestRow,
    one: &PersonId,
    other: &PersonId,
    same: bool,
) -> Result<String, Error> {
    let [first, second] = both(tx, one, other).await?;
    let (event, outcome) = if same {
        tx.link_people(&first.human, &second.human).await?;
        let outcome = format!(
            "{one} and {other} are accounts of one person now: what one may not do, the other may not do either."
        );
        (Event::PersonLinked, outcome)
    } else {
        // Each human may have several accounts, any of which may have the address.
        for account in tx.accounts_of(&first.human).await? {
            for apart in tx.accounts_of(&second.human).await? {
                tx.tell_apart(&account, &apart).await?;
            }
        }
        let outcome = format!("{one} and {other} are accounts of two people: each decides for themselves.");
        (Event::PersonToldApart, outcome)
    };
    let shown = [first, second].map(|account| {
        let Account {
            person,
            issuer,
            subject,
            ..
        } = account;
        json!({ "id": person.id, "issuer": issuer, "subject": subject, "email": person.email })
    });
    let mut content = audit_entries::content(tx.ctx());
    content.records = vec![row.id.to_string(), one.to_string(), other.to_string()];
    content.note = Some(outcome.clone());
    content.details = json!({ "requestId": row.id, "requestedBy": row.made_by, "accounts": shown });
    tx.record(Entry {
        event,
        action_id: None,
        content,
    });
    Ok(outcome)
}
