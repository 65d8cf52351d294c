//! The people of a tenant, as operators list them.

use super::people::person;
use crate::domain::{Person, PersonId, Timestamp, text};
use crate::store::db::{Row, query};
use crate::store::row::list;
use crate::store::{ReadTx, StoreError};

/// A person in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedPerson {
    /// The person, with the roles of the last sign-in.
    pub person: Person,
    /// The identity provider's issuer.
    pub issuer: String,
    /// The person's ID at that provider.
    pub subject: String,
    /// When the provider asserted the roles.
    pub asserted_at: Timestamp,
    /// The number of sessions that have not expired.
    pub sessions: u32,
}

macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT p.id, p.email, p.name, p.roles, p.issuer, p.subject, p.asserted_at, ",
            "(SELECT COUNT(*) FROM sessions s WHERE s.tenant = p.tenant AND s.person_id = p.id AND s.expires_at > $2) AS sessions ",
            "FROM people p WHERE p.tenant = $1 AND ",
            $condition
        )
    };
}

fn listed(row: &Row) -> Result<ListedPerson, StoreError> {
    Ok(ListedPerson {
        person: person(row)?,
        issuer: row.text("issuer")?,
        subject: row.text("subject")?,
        asserted_at: row.time("asserted_at")?,
        sessions: row.count("sessions")?,
    })
}

impl ReadTx {
    /// At most `limit` people by name, whose name or address contains one of the [`text::spellings`] of `search`, after the person `after`.
    pub async fn people_list(
        &mut self,
        search: &str,
        after: Option<&PersonId>,
        limit: i64,
    ) -> Result<Vec<ListedPerson>, StoreError> {
        const SQL: &str = select!(
            "EXISTS (SELECT 1 FROM json_each($3) w WHERE instr(LOWER(p.name), w.value) > 0 OR instr(LOWER(p.email), w.value) > 0) \
             AND ($4 = '' OR EXISTS (SELECT 1 FROM people a \
             WHERE a.tenant = p.tenant AND a.id = $4 AND (p.name > a.name OR (p.name = a.name AND p.id > a.id)))) ORDER BY p.name, p.id LIMIT $5"
        );
        let now = self.ctx.now();
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(now.0)
            .bind(list(text::spellings(search)))
            .bind(after.map_or("", PersonId::as_str))
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(listed).collect()
    }

    /// One person.
    pub async fn listed_person(&mut self, id: &PersonId) -> Result<Option<ListedPerson>, StoreError> {
        const SQL: &str = select!("p.id = $3");
        let now = self.ctx.now();
        let row = query(SQL)
            .bind(self.tenant())
            .bind(now.0)
            .bind(id.as_str())
            .fetch_optional(&mut self.tx)
            .await?;
        row.as_ref().map(listed).transpose()
    }
}
