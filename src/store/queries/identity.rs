//! Which accounts belong to the same human, and which accounts cannot decide until an operator has compared them.

use super::people::{human, person};
use crate::domain::{Address, Human, Person, PersonId, Timestamp};
use crate::store::db::{Row, query};
use crate::store::row::list;
use crate::store::{ReadTx, StoreError, WriteTx};

/// An account, with the data that an operator compares.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The person.
    pub person: Person,
    /// The human who owns the account.
    pub human: Human,
    /// The identity provider.
    pub issuer: String,
    /// The person's ID at that provider.
    pub subject: String,
    /// When the person last signed in.
    pub asserted_at: Timestamp,
}

/// A resemblance: an account got an address that another account had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resemblance {
    /// The later account. It cannot decide while the resemblance is open.
    pub newcomer: PersonId,
    /// The earlier account.
    pub known: PersonId,
    /// The e-mail address that both accounts have had.
    pub address: String,
}

/// Open resemblances of a later account `m` and an earlier account `o`. Of two accounts with the same time, the ID determines the order.
macro_rules! resemblances {
    ($condition:literal) => {
        concat!(
            "SELECT m.person_id AS newcomer, o.person_id AS known, m.address FROM person_addresses m ",
            "JOIN person_addresses o ON o.tenant = m.tenant AND o.address = m.address AND o.person_id <> m.person_id ",
            "AND (o.since < m.since OR (o.since = m.since AND o.person_id < m.person_id)) ",
            "JOIN people pm ON pm.tenant = m.tenant AND pm.id = m.person_id JOIN people po ON po.tenant = o.tenant AND po.id = o.person_id ",
            "WHERE m.tenant = $1 AND COALESCE(pm.same_as, pm.id) <> COALESCE(po.same_as, po.id) AND NOT EXISTS (SELECT 1 FROM people_apart x ",
            "WHERE x.tenant = m.tenant AND x.one = CASE WHEN m.person_id < o.person_id THEN m.person_id ELSE o.person_id END ",
            "AND x.other = CASE WHEN m.person_id < o.person_id THEN o.person_id ELSE m.person_id END) AND ",
            $condition
        )
    };
}

fn resemblance(row: &Row) -> Result<Resemblance, StoreError> {
    Ok(Resemblance {
        newcomer: row.read("newcomer", |t| PersonId::parse(t).ok())?,
        known: row.read("known", |t| PersonId::parse(t).ok())?,
        address: row.text("address")?,
    })
}

impl ReadTx {
    /// The resemblance that prevents an account from deciding; if there are several, the one with the earliest other account.
    pub async fn unresolved(&mut self, person: &PersonId) -> Result<Option<Resemblance>, StoreError> {
        const SQL: &str = resemblances!("m.person_id = $2 ORDER BY o.since, o.person_id LIMIT 1");
        let row = query(SQL)
            .bind(self.tenant())
            .bind(person.as_str())
            .fetch_optional(&mut self.tx)
            .await?;
        row.as_ref().map(resemblance).transpose()
    }

    /// The open resemblances, newest first, at most 200.
    pub async fn resemblances(&mut self) -> Result<Vec<Resemblance>, StoreError> {
        const SQL: &str = resemblances!("1 = 1 ORDER BY m.since DESC, m.person_id, o.person_id LIMIT 200");
        let rows = query(SQL).bind(self.tenant()).fetch_all(&mut self.tx).await?;
        rows.iter().map(resemblance).collect()
    }

    /// Accounts by ID.
    pub async fn accounts(&mut self, ids: &[&str]) -> Result<Vec<Account>, StoreError> {
        const SQL: &str = "SELECT p.*, COALESCE(p.same_as, p.id) AS human FROM people p \
             WHERE p.tenant = $1 AND p.id IN (SELECT value FROM json_each($2))";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(list(ids))
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Account {
                    person: person(row)?,
                    human: human(row, "human")?,
                    issuer: row.text("issuer")?,
                    subject: row.text("subject")?,
                    asserted_at: row.time("asserted_at")?,
                })
            })
            .collect()
    }

    /// The accounts of a human.
    pub async fn accounts_of(&mut self, human: &Human) -> Result<Vec<PersonId>, StoreError> {
        const SQL: &str = "SELECT id FROM people WHERE tenant = $1 AND (id = $2 OR same_as = $2) ORDER BY id";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(human.account().as_str())
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter()
            .map(|row| row.read("id", |t| PersonId::parse(t).ok()))
            .collect()
    }
}

impl WriteTx {
    /// Records that an account has an address, and since when. The first record of an address stays.
    pub(super) async fn keep_address(&mut self, person: &PersonId, address: &Address) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO person_addresses (tenant, address, person_id, since) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (tenant, address, person_id) DO NOTHING";
        let now = self.ctx.now();
        query(SQL)
            .bind(self.tenant())
            .bind(address.as_str())
            .bind(person.as_str())
            .bind(now.0)
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Records that two humans are one. The accounts of both then refer to the account with the smaller ID.
    pub async fn link_people(&mut self, one: &Human, other: &Human) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE people SET same_as = $2 WHERE tenant = $1 AND (id IN ($2, $3) OR same_as IN ($2, $3))";
        let (first, second) = if one < other { (one, other) } else { (other, one) };
        query(SQL)
            .bind(self.tenant())
            .bind(first.account().as_str())
            .bind(second.account().as_str())
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Records that two accounts belong to different humans.
    pub async fn tell_apart(&mut self, one: &PersonId, other: &PersonId) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO people_apart (tenant, one, other) VALUES ($1, $2, $3) ON CONFLICT (tenant, one, other) DO NOTHING";
        let (first, second) = if one < other { (one, other) } else { (other, one) };
        query(SQL)
            .bind(self.tenant())
            .bind(first.as_str())
            .bind(second.as_str())
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }
}
