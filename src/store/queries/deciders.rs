//! Deciders: people with the teams and roles that a policy checks.

use super::people;
use crate::domain::{Human, Role};
use crate::policy::Decider;
use crate::store::db::{Row, query};
use crate::store::row::list;
use crate::store::{ReadTx, StoreError};
use std::collections::{BTreeMap, BTreeSet};

/// A person with the key of one team, or none.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT p.id, p.email, p.name, p.roles, COALESCE(p.same_as, p.id) AS human, p.same_as, t.key AS team_key FROM people p ",
            "LEFT JOIN team_members m ON m.tenant = p.tenant AND m.person_id = p.id ",
            "LEFT JOIN teams t ON t.tenant = m.tenant AND t.id = m.team_id WHERE p.tenant = $1 AND ",
            $condition
        )
    };
}

impl ReadTx {
    /// People by ID. People of other tenants are left out.
    pub async fn deciders_by_id(&mut self, ids: &[&str]) -> Result<Vec<Decider>, StoreError> {
        const SQL: &str = select!("p.id IN (SELECT value FROM json_each($2)) ORDER BY p.name, p.id");
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(list(distinct))
            .fetch_all(&mut self.tx)
            .await?;
        self.gathered(&rows).await
    }

    /// The people whose role can decide. The statement reads at most 1,000 rows, one for each person and team.
    pub async fn all_deciders(&mut self) -> Result<Vec<Decider>, StoreError> {
        const SQL: &str = select!(
            "(instr(p.roles, '\"reviewer\"') > 0 OR instr(p.roles, '\"lead\"') > 0) ORDER BY p.name, p.id LIMIT 1000"
        );
        let rows = query(SQL).bind(self.tenant()).fetch_all(&mut self.tx).await?;
        self.gathered(&rows).await
    }

    /// The people with the role operator. The statement reads at most 1,000 rows, one for each person and team.
    pub async fn operators(&mut self) -> Result<Vec<Decider>, StoreError> {
        const SQL: &str = select!("instr(p.roles, '\"operator\"') > 0 ORDER BY p.name, p.id LIMIT 1000");
        let rows = query(SQL).bind(self.tenant()).fetch_all(&mut self.tx).await?;
        self.gathered(&rows).await
    }

    /// Makes deciders from rows. A human with several accounts has the roles of all accounts.
    async fn gathered(&mut self, rows: &[Row]) -> Result<Vec<Decider>, StoreError> {
        const SQL: &str =
            "SELECT same_as, roles FROM people WHERE tenant = $1 AND same_as IN (SELECT value FROM json_each($2))";
        let mut deciders = deciders(rows)?;
        let mut linked = BTreeSet::new();
        for row in rows {
            linked.extend(row.maybe_text("same_as")?);
        }
        if linked.is_empty() {
            return Ok(deciders);
        }
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(list(linked))
            .fetch_all(&mut self.tx)
            .await?;
        let mut held: BTreeMap<Human, BTreeSet<Role>> = BTreeMap::new();
        for row in &rows {
            let roles: Vec<Role> = row.json("roles")?;
            held.entry(people::human(row, "same_as")?).or_default().extend(roles);
        }
        for member in &mut deciders {
            if let Some(held) = held.get(&member.human) {
                member.held = held.iter().copied().collect();
            }
        }
        Ok(deciders)
    }
}

fn deciders(rows: &[Row]) -> Result<Vec<Decider>, StoreError> {
    let mut deciders: Vec<Decider> = Vec::new();
    for row in rows {
        let person = people::person(row)?;
        let team = row.maybe_text("team_key")?;
        match deciders.last_mut().filter(|last| last.person.id == person.id) {
            Some(last) => last.teams.extend(team),
            None => deciders.push(Decider {
                human: people::human(row, "human")?,
                held: person.roles.clone(),
                person,
                teams: team.into_iter().collect(),
            }),
        }
    }
    Ok(deciders)
}
