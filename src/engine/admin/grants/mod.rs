//! Grants: what a person or an operator has allowed a program. Tokens belong to a grant, and end with it.

mod oauth;
mod page;
mod revoke;
mod service;

pub use oauth::{CodeBinding, Consent, Consentable, GrantRefusal, IssuedTokens};
pub(crate) use revoke::{open_grants, revoke_all_of};
pub use service::{ServiceToken, ServiceTokenRequest};

use crate::audit::Event;
use crate::context::Runtime;
use crate::domain::*;
use crate::engine::{Error, audit_entries};
use crate::store::{Entry, ListedGrant, NewGrant, NewToken, ReadTx, WriteTx};
use serde_json::{Value, json};

/// Who revoked a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RevokedBy {
    /// The person for whom the client acts.
    Person,
    /// An operator of the tenant, on a page or at the console.
    Operator,
    /// The client itself (RFC 7009).
    Client,
    /// The service, because a code or refresh token was used twice.
    Replay,
}

impl RevokedBy {
    /// The stable name in audit entries.
    fn as_str(self) -> &'static str {
        match self {
            RevokedBy::Person => "person",
            RevokedBy::Operator => "operator",
            RevokedBy::Client => "client",
            RevokedBy::Replay => "replay",
        }
    }
}

/// A new secret, which only its holder gets, and its digest, which is stored.
pub(crate) struct Secret {
    pub(crate) text: String,
    pub(crate) digest: String,
}

impl Secret {
    /// 256 random bits, with a beginning by which programs that search for leaked secrets recognise it.
    pub(crate) fn new(runtime: &Runtime, kind: TokenKind) -> Self {
        let prefix = match kind {
            TokenKind::Access => "loopiq_",
            TokenKind::Refresh => "loopiq_refresh_",
            TokenKind::Code => "loopiq_code_",
        };
        let text = format!("{prefix}{}", canonical::hex(&runtime.random::<32>()));
        let digest = runtime.digest_key().of_token(&text);
        Self { text, digest }
    }
}

/// What is stored of a new secret.
pub(crate) struct NewSecret {
    pub(crate) digest: String,
    pub(crate) kind: TokenKind,
    pub(crate) expires_at: Timestamp,
}

/// Stores a secret of a grant, and returns its public ID.
pub(crate) async fn insert(
    tx: &mut WriteTx,
    grant: &GrantId,
    audience: &str,
    secret: NewSecret,
    binding: Option<String>,
) -> Result<TokenId, Error> {
    let token = NewToken {
        secret_digest: secret.digest,
        id: tx.ctx().runtime.id(),
        grant: grant.clone(),
        kind: secret.kind,
        audience: audience.to_owned(),
        binding,
        expires_at: secret.expires_at,
    };
    tx.insert_token(&token).await?;
    Ok(token.id)
}

/// The person whom a verified e-mail address identifies. `pointer`: the field of the request that contains the address.
///
/// # Errors
/// There is none, or several people have the address: a token for the wrong one would defeat the separation of duties.
pub(crate) async fn person_of_address(tx: &mut ReadTx, pointer: &str, email: &str) -> Result<Person, Error> {
    let mut people = tx.people_by_email(&[email]).await?;
    let Some(person) = people.pop() else {
        return Err(Error::NotFound {
            kind: RecordKind::Person,
            id: email.to_owned(),
        });
    };
    if !people.is_empty() {
        return Err(Error::field(
            pointer,
            format!("several people have the address {email}"),
        ));
    }
    Ok(person)
}

/// Records that tokens of a grant were issued. `more` is added to the details of the entry.
pub(crate) fn record_issued(tx: &mut WriteTx, grant: &NewGrant, client: &Client, person: Option<&Person>, more: Value) {
    record(tx, Event::TokenIssued, &Recorded::new(grant, client, person), more);
}

/// What entries say about a grant.
pub(crate) struct Recorded {
    id: GrantId,
    kind: GrantKind,
    client: Client,
    person: Option<Value>,
    person_id: Option<PersonId>,
    scopes: Scopes,
    expires_at: Timestamp,
}

impl Recorded {
    pub(crate) fn new(grant: &NewGrant, client: &Client, person: Option<&Person>) -> Self {
        Self {
            id: grant.id.clone(),
            kind: grant.kind,
            client: client.clone(),
            person: person.map(|person| json!({ "id": person.id, "name": person.name, "email": person.email })),
            person_id: grant.person.clone(),
            scopes: grant.scopes.clone(),
            expires_at: grant.expires_at,
        }
    }
}

impl From<ListedGrant> for Recorded {
    fn from(grant: ListedGrant) -> Self {
        let person_id = grant.person.as_ref().map(|(id, ..)| id.clone());
        Self {
            id: grant.id,
            kind: grant.kind,
            client: grant.client,
            person: grant
                .person
                .map(|(id, name, email)| json!({ "id": id, "name": name, "email": email })),
            person_id,
            scopes: grant.scopes,
            expires_at: grant.expires_at,
        }
    }
}

/// Writes an entry about a grant. Grant, tokens, client and person are found by it.
pub(crate) fn record(tx: &mut WriteTx, event: Event, grant: &Recorded, more: Value) {
    let mut content = audit_entries::content(tx.ctx());
    content.details = json!({
        "grantId": grant.id, "kind": grant.kind, "client": grant.client, "person": grant.person, "scopes": grant.scopes,
        "expiresAt": grant.expires_at,
    });
    if let (Some(details), Value::Object(more)) = (content.details.as_object_mut(), more) {
        let token = more.get("tokenId").and_then(Value::as_str);
        content.records.extend(token.map(str::to_owned));
        details.extend(more);
    }
    content
        .records
        .extend([grant.id.to_string(), grant.client.id.to_string()]);
    content
        .records
        .extend(grant.person_id.as_ref().map(PersonId::to_string));
    tx.record(Entry {
        event,
        action_id: None,
        content,
    });
}
