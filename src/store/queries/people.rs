//! Tenants, people, clients and tokens.

use super::installation;
use crate::domain::{
    Address, Client, ClientId, Email, Human, InstallationKind, Person, PersonId, Role, TenantId, Timestamp, TokenId,
};
use crate::store::db::{Row, Sql, query};
use crate::store::row::{json, list};
use crate::store::{ReadTx, Store, StoreError, WriteTx};

/// The claims about a person that an identity provider asserted at sign-in.
#[derive(Debug, Clone)]
pub struct Asserted {
    /// The identity provider's issuer URL.
    pub issuer: String,
    /// The person's ID at that provider.
    pub subject: String,
    /// The e-mail address, and whether the provider has verified it.
    pub email: Email,
    /// The display name.
    pub name: String,
    /// The asserted roles; `None` if the provider asserts no roles at all. Then those of the catalog count.
    pub roles: Option<Vec<Role>>,
    /// The groups of which the provider says that the person is a member.
    pub groups: Vec<String>,
}

/// The tenant, client and person that a bearer token identifies.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// The token's ID, which is not secret.
    pub id: TokenId,
    /// The tenant of client and person.
    pub tenant: TenantId,
    /// The client that received the token.
    pub client: Client,
    /// The person that the client acts for, with the roles that the identity provider asserted last.
    pub caller: Person,
    /// The resource that accepts the token (RFC 8707).
    pub audience: String,
    /// When the token expires.
    pub expires_at: Timestamp,
}

/// A token to store.
#[derive(Debug, Clone)]
pub struct TokenGrant {
    /// The keyed digest of the secret (see [`DigestKey`](crate::digest_key::DigestKey)). The secret itself is never stored.
    pub secret_digest: String,
    /// The token's ID, which is not secret.
    pub id: TokenId,
    /// The client that receives the token.
    pub client: ClientId,
    /// The person that the client acts for.
    pub caller: PersonId,
    /// The resource that accepts the token.
    pub audience: String,
    /// When the token expires.
    pub expires_at: Timestamp,
}

/// The account that an address identifies: the first that had it. The condition excludes a later account `p`, if both accounts belong to
/// the same human or if operators have not compared the two. If operators have recorded that two accounts belong to different humans, the
/// address identifies both.
macro_rules! first_at_address {
    () => {
        " AND NOT EXISTS (SELECT 1 FROM people q JOIN person_addresses a ON a.tenant = q.tenant AND a.address = q.email AND a.person_id = q.id \
         JOIN person_addresses b ON b.tenant = q.tenant AND b.address = q.email AND b.person_id = p.id \
         WHERE q.tenant = $1 AND q.email = p.email AND q.id <> p.id AND (a.since < b.since OR (a.since = b.since AND q.id < p.id)) \
         AND (q.same_as = p.same_as OR NOT EXISTS (SELECT 1 FROM people_apart x WHERE x.tenant = $1 \
         AND x.one = CASE WHEN q.id < p.id THEN q.id ELSE p.id END AND x.other = CASE WHEN q.id < p.id THEN p.id ELSE q.id END)))"
    };
}

pub(super) fn person(row: &Row) -> Result<Person, StoreError> {
    Ok(Person {
        id: row.read("id", |t| PersonId::parse(t).ok())?,
        email: Email::from(row.text("email")?),
        name: row.text("name")?.into(),
        roles: row.json("roles")?,
    })
}

/// The human who owns an account. `column` contains `same_as`, or the account's own ID.
pub(super) fn human(row: &Row, column: &str) -> Result<Human, StoreError> {
    Ok(Human::of_account(row.read(column, |t| PersonId::parse(t).ok())?))
}

impl Store {
    /// Looks up a token. The query names no tenant, because only the token tells the tenant; a digest of 256 bits cannot be guessed.
    /// Returns `None` for a person of a demo if the installation is not a demo, and for any other person if it is.
    pub async fn token(&self, secret_digest: &str) -> Result<Option<TokenRow>, StoreError> {
        const SQL: Sql = Sql {
            sqlite: &[
                "SELECT t.tenant, t.id AS token_id, t.audience, t.expires_at, c.id AS client_id, c.name AS client_name, \
                 p.id, p.issuer, p.email, p.name, p.roles, (SELECT kind FROM installation) AS installation FROM tokens t \
                 JOIN clients c ON c.tenant = t.tenant AND c.id = t.client_id \
                 JOIN people p ON p.tenant = t.tenant AND p.id = t.caller_id WHERE t.secret_digest = $1",
            ],
            // Row-level security hides people and clients. The function `token_holder` enters the token's tenant before it reads them.
            postgres: "SELECT *, (SELECT kind FROM installation) AS installation FROM token_holder($1)",
        };
        let row = self.database.fetch_optional(query(SQL).bind(secret_digest)).await?;
        let Some(row) = row else { return Ok(None) };
        if !InstallationKind::accepts(installation::kind(&row)?, &row.text("issuer")?) {
            return Ok(None);
        }
        Ok(Some(TokenRow {
            id: row.read("token_id", |t| TokenId::parse(t).ok())?,
            tenant: row.read("tenant", |t| TenantId::parse(t).ok())?,
            client: Client {
                id: row.read("client_id", |t| ClientId::parse(t).ok())?,
                name: row.text("client_name")?.into(),
            },
            caller: person(&row)?,
            audience: row.text("audience")?,
            expires_at: row.time("expires_at")?,
        }))
    }

    /// Every tenant. Background tasks loop over all tenants.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        let rows = self
            .database
            .fetch_all(query("SELECT id FROM tenants ORDER BY id"))
            .await?;
        rows.iter()
            .map(|row| row.read("id", |t| TenantId::parse(t).ok()))
            .collect()
    }
}

impl ReadTx {
    /// The tenant's name; `None` if the tenant does not exist.
    pub async fn tenant_name(&mut self) -> Result<Option<String>, StoreError> {
        let row = query("SELECT name FROM tenants WHERE id = $1")
            .bind(self.tenant())
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(|row| row.text("name")).transpose()
    }

    /// People by ID.
    pub async fn people(&mut self, ids: &[&str]) -> Result<Vec<Person>, StoreError> {
        const SQL: &str = "SELECT * FROM people WHERE tenant = $1 AND id IN (SELECT value FROM json_each($2))";
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(list(ids))
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(person).collect()
    }

    /// The person with this ID at an identity provider.
    pub async fn person_of(&mut self, issuer: &str, subject: &str) -> Result<Option<Person>, StoreError> {
        let row = query("SELECT * FROM people WHERE tenant = $1 AND issuer = $2 AND subject = $3")
            .bind(self.tenant())
            .bind(issuer)
            .bind(subject)
            .fetch_optional(&mut self.tx)
            .await?;
        row.as_ref().map(person).transpose()
    }

    /// The people whom these verified addresses identify.
    pub async fn people_by_email(&mut self, emails: &[&str]) -> Result<Vec<Person>, StoreError> {
        const SQL: &str = concat!(
            "SELECT p.* FROM people p WHERE p.tenant = $1 AND p.email IN (SELECT value FROM json_each($2))",
            first_at_address!()
        );
        let emails: Vec<Address> = emails.iter().filter_map(|text| Address::parse(text)).collect();
        if emails.is_empty() {
            return Ok(Vec::new());
        }
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(list(emails.iter().map(Address::as_str)))
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(person).collect()
    }

    /// A client by name.
    pub async fn client(&mut self, name: &str) -> Result<Option<Client>, StoreError> {
        let row = query("SELECT id, name FROM clients WHERE tenant = $1 AND name = $2")
            .bind(self.tenant())
            .bind(name)
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(|row| {
            Ok(Client {
                id: row.read("id", |t| ClientId::parse(t).ok())?,
                name: row.text("name")?.into(),
            })
        })
        .transpose()
    }

    /// Clients by ID.
    pub async fn clients(&mut self, ids: &[&str]) -> Result<Vec<Client>, StoreError> {
        const SQL: &str = "SELECT id, name FROM clients WHERE tenant = $1 AND id IN (SELECT value FROM json_each($2))";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(list(ids))
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Client {
                    id: row.read("id", |t| ClientId::parse(t).ok())?,
                    name: row.text("name")?.into(),
                })
            })
            .collect()
    }
}

impl WriteTx {
    /// Stores a person's asserted claims, and computes roles and teams. A person who signs in again keeps the ID; a new person gets one.
    pub async fn assert_person(&mut self, asserted: &Asserted) -> Result<Person, StoreError> {
        const SQL: &str = "INSERT INTO people (tenant, id, issuer, subject, email, name, roles, asserted_roles, asserted_at) \
             VALUES ($1, $2, $3, $4, $5, $6, '[]', $7, $8) ON CONFLICT (tenant, issuer, subject) DO UPDATE SET \
             email = excluded.email, name = excluded.name, asserted_roles = excluded.asserted_roles, asserted_at = excluded.asserted_at \
             RETURNING id, email, name, roles";
        let (fresh, now) = (self.ctx.runtime.id::<PersonId>(), self.ctx.now());
        let roles = asserted.roles.as_ref().map(json).transpose()?;
        let row = query(SQL)
            .bind(self.tenant())
            .bind(fresh.as_str())
            .bind(&asserted.issuer)
            .bind(&asserted.subject)
            .bind(asserted.email.to_string())
            .bind(&asserted.name)
            .bind(roles)
            .bind(now.0)
            .fetch_one(&mut self.tx)
            .await?;
        let person = person(&row)?;
        if let Some(address) = person.email.address() {
            self.keep_address(&person.id, address).await?;
        }
        self.assert_groups(&person.id, &asserted.groups).await
    }

    /// Stores a client and returns it. A client that has this name already does not change.
    pub async fn ensure_client(&mut self, name: &str) -> Result<Client, StoreError> {
        let fresh = self.ctx.runtime.id::<ClientId>();
        query("INSERT INTO clients (tenant, id, name) VALUES ($1, $2, $3) ON CONFLICT (tenant, name) DO NOTHING")
            .bind(self.tenant())
            .bind(fresh.as_str())
            .bind(name)
            .execute(&mut self.tx)
            .await?;
        self.client(name).await?.ok_or(StoreError::Conflict("the client"))
    }

    /// Stores a token.
    pub async fn insert_token(&mut self, grant: &TokenGrant) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO tokens (secret_digest, tenant, id, client_id, caller_id, audience, scopes, \
             created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let (tenant, now) = (self.tenant(), self.ctx.now());
        query(SQL)
            .bind(&grant.secret_digest)
            .bind(tenant)
            .bind(grant.id.as_str())
            .bind(grant.client.as_str())
            .bind(grant.caller.as_str())
            .bind(&grant.audience)
            .bind("[\"read\",\"propose\"]")
            .bind(now.0)
            .bind(grant.expires_at.0)
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }
}
