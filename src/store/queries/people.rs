//! Tenants, people and clients.

use crate::domain::{Address, Client, ClientId, Email, Human, Person, PersonId, Role, TenantId};
use crate::store::db::{Row, query};
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

pub(super) fn client(row: &Row) -> Result<Client, StoreError> {
    Ok(Client {
        id: row.read("id", |t| ClientId::parse(t).ok())?,
        name: row.text("name")?.into(),
    })
}

/// The human who owns an account. `column` contains `same_as`, or the account's own ID.
pub(super) fn human(row: &Row, column: &str) -> Result<Human, StoreError> {
    Ok(Human::of_account(row.read(column, |t| PersonId::parse(t).ok())?))
}

impl Store {
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

    /// All accounts with this verified address, and the accounts that operators have linked with one of them.
    pub async fn accounts_at(&mut self, address: &Address) -> Result<Vec<Person>, StoreError> {
        const SQL: &str = "SELECT p.* FROM people p WHERE p.tenant = $1 AND (p.email = $2 OR p.same_as IN \
             (SELECT q.same_as FROM people q WHERE q.tenant = $1 AND q.email = $2)) ORDER BY p.id";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(address.as_str())
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(person).collect()
    }

    /// The client with this identity.
    pub async fn client_of_identity(&mut self, identity: &str) -> Result<Option<Client>, StoreError> {
        let row = query("SELECT id, name FROM clients WHERE tenant = $1 AND identity = $2")
            .bind(self.tenant())
            .bind(identity)
            .fetch_optional(&mut self.tx)
            .await?;
        row.as_ref().map(client).transpose()
    }

    /// Clients by ID.
    pub async fn clients(&mut self, ids: &[&str]) -> Result<Vec<Client>, StoreError> {
        const SQL: &str = "SELECT id, name FROM clients WHERE tenant = $1 AND id IN (SELECT value FROM json_each($2))";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(list(ids))
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(client).collect()
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
    /// Stores a client and returns it. `identity` tells clients with one name apart: a client that has this identity already keeps its ID, and gets
    /// the name.
    pub async fn ensure_client(&mut self, identity: &str, name: &str) -> Result<Client, StoreError> {
        const SQL: &str = "INSERT INTO clients (tenant, id, identity, name) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (tenant, identity) DO UPDATE SET name = excluded.name RETURNING id, name";
        let fresh = self.ctx.runtime.id::<ClientId>();
        let row = query(SQL)
            .bind(self.tenant())
            .bind(fresh.as_str())
            .bind(identity)
            .bind(name)
            .fetch_one(&mut self.tx)
            .await?;
        client(&row)
    }

    /// The client that an operator or a command has given this name.
    pub async fn ensure_named_client(&mut self, name: &str) -> Result<Client, StoreError> {
        self.ensure_client(&format!("name:{name}"), name).await
    }
}
