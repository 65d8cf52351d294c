//! Grants, and the secrets that belong to them.

use super::installation;
use super::people::person;
use crate::domain::{
    Client, ClientId, GrantId, GrantKind, InstallationKind, Person, PersonId, PlainText, Scopes, TenantId, Timestamp,
    TokenId, TokenKind,
};
use crate::store::db::{Row, Sql, query};
use crate::store::row::json;
use crate::store::{ReadTx, Store, StoreError, WriteTx};

/// What a secret of a client identifies.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// The token's ID, which is not secret.
    pub id: TokenId,
    /// What the secret is good for.
    pub kind: TokenKind,
    /// The resource that accepts the token (RFC 8707).
    pub audience: String,
    /// What the request for a code was bound to.
    pub binding: Option<String>,
    /// When the secret expires.
    pub expires_at: Timestamp,
    /// When the secret was used, if it can be used only once.
    pub spent_at: Option<Timestamp>,
    /// The tenant of the grant.
    pub tenant: TenantId,
    /// The grant.
    pub grant: GrantOfToken,
}

/// The grant of a token.
#[derive(Debug, Clone)]
pub struct GrantOfToken {
    /// The grant's ID.
    pub id: GrantId,
    /// How it came about.
    pub kind: GrantKind,
    /// The digest of the OAuth client ID, if the client has one.
    pub client_key: Option<String>,
    /// What the client may do.
    pub scopes: Scopes,
    /// When the grant expires.
    pub expires_at: Timestamp,
    /// When its tokens were last used, as stored at intervals.
    pub used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The client.
    pub client: Client,
    /// The person for whom the client acts, with the current roles, and when the identity provider asserted them.
    pub caller: Option<(Person, Timestamp)>,
}

/// A grant to store.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// The grant's ID.
    pub id: GrantId,
    /// How it came about.
    pub kind: GrantKind,
    /// The client.
    pub client: ClientId,
    /// The digest of the OAuth client ID, if the client has one.
    pub client_key: Option<String>,
    /// The person for whom the client acts.
    pub person: Option<PersonId>,
    /// What the client may do.
    pub scopes: Scopes,
    /// The name by which people tell it from others.
    pub name: String,
    /// Who created it; `None` at the console.
    pub created_by: Option<PersonId>,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// A secret to store.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// The keyed digest of the secret (see [`DigestKey`](crate::digest_key::DigestKey)). The secret itself is never stored.
    pub secret_digest: String,
    /// The token's ID, which is not secret.
    pub id: TokenId,
    /// The grant that it belongs to.
    pub grant: GrantId,
    /// What it is good for.
    pub kind: TokenKind,
    /// The resource that accepts it.
    pub audience: String,
    /// What the request for a code was bound to.
    pub binding: Option<String>,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// A grant with what lists show of it.
#[derive(Debug, Clone)]
pub struct ListedGrant {
    /// The grant's ID.
    pub id: GrantId,
    /// How it came about.
    pub kind: GrantKind,
    /// The client.
    pub client: Client,
    /// What tells the client from others with its name: see the table `clients`.
    pub identity: String,
    /// The person for whom the client acts: ID, name and address.
    pub person: Option<(PersonId, PlainText, PlainText)>,
    /// What the client may do.
    pub scopes: Scopes,
    /// The name by which people tell it from others.
    pub name: PlainText,
    /// Who created it; `None` at the console.
    pub created_by: Option<PersonId>,
    /// The name of the person who created it.
    pub created_by_name: Option<PlainText>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When its tokens were last used, as stored at intervals.
    pub used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Whether it has any secret. A service token that acts for a person has none until the person has accepted it.
    pub has_tokens: bool,
}

/// Which grants a list contains.
#[derive(Debug, Clone)]
pub enum GrantsOf {
    /// Those of a person.
    Person(PersonId),
    /// All of the tenant.
    Tenant,
    /// One grant.
    One(GrantId),
}

/// The most grants in a list. Further grants are older.
const MOST_LISTED: i64 = 500;

fn client(row: &Row) -> Result<Client, StoreError> {
    Ok(Client {
        id: row.read("client_id", |t| ClientId::parse(t).ok())?,
        name: row.text("client_name")?.into(),
    })
}

fn listed(row: &Row) -> Result<ListedGrant, StoreError> {
    let person = row.maybe("person_id", |t| PersonId::parse(t).ok())?;
    let named = match person {
        Some(id) => Some((id, row.text("person_name")?.into(), row.text("person_email")?.into())),
        None => None,
    };
    Ok(ListedGrant {
        id: row.read("id", |t| GrantId::parse(t).ok())?,
        kind: row.read("kind", GrantKind::parse)?,
        client: client(row)?,
        identity: row.text("identity")?,
        person: named,
        scopes: row.json("scopes")?,
        name: row.text("name")?.into(),
        created_by: row.maybe("created_by", |t| PersonId::parse(t).ok())?,
        created_by_name: row.maybe_text("creator_name")?.map(PlainText::from),
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        used_at: row.maybe_time("used_at")?,
        revoked_at: row.maybe_time("revoked_at")?,
        has_tokens: row.int("has_tokens")? > 0,
    })
}

impl Store {
    /// Looks up a secret. The query names no tenant, because only the secret tells the tenant; a digest of 256 bits cannot be guessed.
    /// Returns `None` for a person of a demo if the installation is not a demo, and for any other person if it is.
    pub async fn token(&self, secret_digest: &str) -> Result<Option<TokenRow>, StoreError> {
        const SQL: Sql = Sql {
            sqlite: &[
                "SELECT t.tenant, t.id AS token_id, t.kind AS token_kind, t.audience, t.binding, t.expires_at, t.spent_at, g.id AS grant_id, \
                 g.kind AS grant_kind, g.client_key, g.scopes, g.expires_at AS grant_expires_at, g.used_at, g.revoked_at, \
                 c.id AS client_id, c.name AS client_name, p.id, p.issuer, p.email, p.name, p.roles, p.asserted_at, \
                 (SELECT kind FROM installation) AS installation FROM tokens t \
                 JOIN grants g ON g.tenant = t.tenant AND g.id = t.grant_id JOIN clients c ON c.tenant = g.tenant AND c.id = g.client_id \
                 LEFT JOIN people p ON p.tenant = g.tenant AND p.id = g.person_id WHERE t.secret_digest = $1",
            ],
            // Row-level security hides grants, people and clients. The function `token_holder` enters the token's tenant before it reads them.
            postgres: "SELECT *, (SELECT kind FROM installation) AS installation FROM token_holder($1)",
        };
        let row = self.database.fetch_optional(query(SQL).bind(secret_digest)).await?;
        let Some(row) = row else { return Ok(None) };
        let caller = match row.maybe_text("issuer")? {
            Some(issuer) if !InstallationKind::accepts(installation::kind(&row)?, &issuer) => return Ok(None),
            Some(_) => Some((person(&row)?, row.time("asserted_at")?)),
            None => None,
        };
        Ok(Some(TokenRow {
            id: row.read("token_id", |t| TokenId::parse(t).ok())?,
            kind: row.read("token_kind", TokenKind::parse)?,
            audience: row.text("audience")?,
            binding: row.maybe_text("binding")?,
            expires_at: row.time("expires_at")?,
            spent_at: row.maybe_time("spent_at")?,
            tenant: row.read("tenant", |t| TenantId::parse(t).ok())?,
            grant: GrantOfToken {
                id: row.read("grant_id", |t| GrantId::parse(t).ok())?,
                kind: row.read("grant_kind", GrantKind::parse)?,
                client_key: row.maybe_text("client_key")?,
                scopes: row.json("scopes")?,
                expires_at: row.time("grant_expires_at")?,
                used_at: row.maybe_time("used_at")?,
                revoked_at: row.maybe_time("revoked_at")?,
                client: client(&row)?,
                caller,
            },
        }))
    }

    /// Deletes secrets that expired before this time, and returns their number.
    pub async fn purge_tokens(&self, before: Timestamp) -> Result<u64, StoreError> {
        let delete = query("DELETE FROM tokens WHERE expires_at <= $1").bind(before.0);
        Ok(self.database.execute(delete).await?)
    }
}

impl ReadTx {
    /// Grants that have not ended before this time, the newest first.
    pub async fn grants(&mut self, of: &GrantsOf, since: Timestamp) -> Result<Vec<ListedGrant>, StoreError> {
        const SQL: &str = "SELECT g.*, c.id AS client_id, c.name AS client_name, c.identity, p.name AS person_name, p.email AS person_email, \
             m.name AS creator_name, \
             CASE WHEN EXISTS (SELECT 1 FROM tokens t WHERE t.tenant = g.tenant AND t.grant_id = g.id) THEN 1 ELSE 0 END AS has_tokens \
             FROM grants g JOIN clients c ON c.tenant = g.tenant AND c.id = g.client_id \
             LEFT JOIN people p ON p.tenant = g.tenant AND p.id = g.person_id \
             LEFT JOIN people m ON m.tenant = g.tenant AND m.id = g.created_by \
             WHERE g.tenant = $1 AND ($2 = '' OR g.person_id = $2) AND ($3 = '' OR g.id = $3) \
             AND COALESCE(g.revoked_at, g.expires_at) >= $4 ORDER BY g.id DESC LIMIT $5";
        let (person, grant) = match of {
            GrantsOf::Person(person) => (person.as_str(), ""),
            GrantsOf::One(grant) => ("", grant.as_str()),
            GrantsOf::Tenant => ("", ""),
        };
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(person)
            .bind(grant)
            .bind(since.0)
            .bind(MOST_LISTED)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(listed).collect()
    }

    /// The grant with this ID.
    pub async fn grant(&mut self, id: &GrantId) -> Result<Option<ListedGrant>, StoreError> {
        let found = self.grants(&GrantsOf::One(id.clone()), Timestamp(i64::MIN)).await?;
        Ok(found.into_iter().next())
    }

    /// The number of service tokens that have not ended.
    pub async fn count_service_grants(&mut self) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) AS count FROM grants WHERE tenant = $1 AND kind = 'service' AND revoked_at IS NULL AND expires_at > $2";
        let now = self.ctx.now();
        let row = query(SQL)
            .bind(self.tenant())
            .bind(now.0)
            .fetch_one(&mut self.tx)
            .await?;
        row.int("count")
    }
}

impl WriteTx {
    /// Stores a grant.
    pub async fn insert_grant(&mut self, grant: &NewGrant) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO grants (tenant, id, kind, client_id, client_key, person_id, scopes, name, created_by, created_at, \
             expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let (tenant, now) = (self.tenant(), self.ctx.now());
        query(SQL)
            .bind(tenant)
            .bind(grant.id.as_str())
            .bind(grant.kind.as_str())
            .bind(grant.client.as_str())
            .bind(grant.client_key.clone())
            .bind(grant.person.clone().map(String::from))
            .bind(json(&grant.scopes)?)
            .bind(&grant.name)
            .bind(grant.created_by.clone().map(String::from))
            .bind(now.0)
            .bind(grant.expires_at.0)
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Stores a secret.
    pub async fn insert_token(&mut self, token: &NewToken) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO tokens (secret_digest, tenant, id, grant_id, kind, audience, binding, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let (tenant, now) = (self.tenant(), self.ctx.now());
        query(SQL)
            .bind(&token.secret_digest)
            .bind(tenant)
            .bind(token.id.as_str())
            .bind(token.grant.as_str())
            .bind(token.kind.as_str())
            .bind(&token.audience)
            .bind(token.binding.clone())
            .bind(now.0)
            .bind(token.expires_at.0)
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Records that a secret was used which can be used once. Returns `false` if it was used before.
    pub async fn spend_token(&mut self, id: &TokenId) -> Result<bool, StoreError> {
        let (tenant, now) = (self.tenant(), self.ctx.now());
        let done = query("UPDATE tokens SET spent_at = $3 WHERE tenant = $1 AND id = $2 AND spent_at IS NULL")
            .bind(tenant)
            .bind(id.as_str())
            .bind(now.0)
            .execute(&mut self.tx)
            .await?;
        Ok(done == 1)
    }

    /// Sets when a grant expires.
    pub async fn extend_grant(&mut self, id: &GrantId, expires_at: Timestamp) -> Result<(), StoreError> {
        query("UPDATE grants SET expires_at = $3 WHERE tenant = $1 AND id = $2")
            .bind(self.tenant())
            .bind(id.as_str())
            .bind(expires_at.0)
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Records that a token of the grant is used.
    pub async fn touch_grant(&mut self, id: &GrantId) -> Result<(), StoreError> {
        let (tenant, now) = (self.tenant(), self.ctx.now());
        query("UPDATE grants SET used_at = $3 WHERE tenant = $1 AND id = $2 AND (used_at IS NULL OR used_at < $3)")
            .bind(tenant)
            .bind(id.as_str())
            .bind(now.0)
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Revokes a grant. Returns `false` if it was revoked before.
    pub async fn revoke_grant(&mut self, id: &GrantId, by: Option<&PersonId>) -> Result<bool, StoreError> {
        const SQL: &str =
            "UPDATE grants SET revoked_at = $3, revoked_by = $4 WHERE tenant = $1 AND id = $2 AND revoked_at IS NULL";
        let (tenant, now) = (self.tenant(), self.ctx.now());
        let done = query(SQL)
            .bind(tenant)
            .bind(id.as_str())
            .bind(now.0)
            .bind(by.map(|person| person.as_str().to_owned()))
            .execute(&mut self.tx)
            .await?;
        Ok(done == 1)
    }
}
