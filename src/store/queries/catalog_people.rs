//! Computes the roles and teams of people: from what the catalog declares, and from what their identity provider asserted at the last
//! sign-in. A sign-in computes those of one person, a catalog those of all accounts, with the same statements.
//!
//! - Teams: the teams that name the person's verified address or one of the person's groups. A claimed address is stored with a mark, so it
//!   equals no declared address.
//! - Roles: those that the provider asserted. Only if it asserted none at all (`asserted_roles` is NULL), those of the catalog.

use super::people::person;
use crate::domain::{Address, Person, PersonId, Role};
use crate::store::db::query;
use crate::store::row::{self, list};
use crate::store::{ReadTx, StoreError, WriteTx};

/// The declared members among people: pairs of team and person. The condition limits the people.
macro_rules! members {
    ($person:literal) => {
        concat!(
            "SELECT m.team_id, p.id AS person_id FROM people p JOIN catalog_members m ON m.tenant = p.tenant AND m.address = p.email \
             WHERE p.tenant = $1 AND ",
            $person,
            " UNION SELECT c.team_id, p.id AS person_id FROM people p JOIN person_groups g ON g.tenant = p.tenant AND g.person_id = p.id \
             JOIN catalog_groups c ON c.tenant = g.tenant AND c.name = g.name WHERE p.tenant = $1 AND ",
            $person
        )
    };
}

/// Removes memberships that are not declared any more, adds declared ones, and sets the roles. The conditions limit the people, the
/// memberships and the accounts.
macro_rules! statements {
    ($person:literal, $member:literal, $account:literal) => {
        [
            concat!(
                "DELETE FROM team_members WHERE tenant = $1 AND ",
                $member,
                " AND NOT EXISTS (SELECT 1 FROM (",
                members!($person),
                ") AS x WHERE x.team_id = team_members.team_id AND x.person_id = team_members.person_id)"
            ),
            concat!(
                "INSERT INTO team_members (tenant, team_id, person_id) SELECT $1, x.team_id, x.person_id FROM (",
                members!($person),
                ") AS x WHERE 1 = 1 ON CONFLICT (tenant, team_id, person_id) DO NOTHING"
            ),
            concat!(
                "UPDATE people SET roles = COALESCE(asserted_roles, (SELECT c.roles FROM catalog_roles c WHERE c.tenant = people.tenant \
                 AND c.address = people.email), '[]') WHERE tenant = $1 AND ",
                $account
            ),
        ]
    };
}

impl ReadTx {
    /// The roles that the catalog gives to an address.
    pub async fn declared_roles(&mut self, address: &Address) -> Result<Vec<String>, StoreError> {
        let row = query("SELECT roles FROM catalog_roles WHERE tenant = $1 AND address = $2")
            .bind(self.tenant())
            .bind(address.as_str())
            .fetch_optional(&mut self.tx)
            .await?;
        row.map_or(Ok(Vec::new()), |row| row.json("roles"))
    }
}

impl WriteTx {
    /// Stores the groups that an identity provider asserted about a person, and computes the person's teams and roles.
    pub(super) async fn assert_groups(&mut self, id: &PersonId, groups: &[String]) -> Result<Person, StoreError> {
        const FORGET: &str = "DELETE FROM person_groups WHERE tenant = $1 AND person_id = $2";
        const ADD: &str = "INSERT INTO person_groups (tenant, person_id, name) SELECT $1, $2, g.value FROM json_each($3) g WHERE 1 = 1 \
             ON CONFLICT (tenant, person_id, name) DO NOTHING";
        const PERSON: &str = "SELECT * FROM people WHERE tenant = $1 AND id = $2";
        const ONE: [&str; 3] = statements!("p.id = $2", "person_id = $2", "id = $2");
        query(FORGET)
            .bind(self.tenant())
            .bind(id.as_str())
            .execute(&mut self.read.tx)
            .await?;
        if !groups.is_empty() {
            query(ADD)
                .bind(self.tenant())
                .bind(id.as_str())
                .bind(list(groups))
                .execute(&mut self.read.tx)
                .await?;
        }
        for sql in ONE {
            query(sql)
                .bind(self.tenant())
                .bind(id.as_str())
                .execute(&mut self.read.tx)
                .await?;
        }
        let row = query(PERSON)
            .bind(self.tenant())
            .bind(id.as_str())
            .fetch_one(&mut self.read.tx)
            .await?;
        person(&row)
    }

    /// Computes the teams and roles of all accounts, after the declarations have changed.
    pub async fn compute_people(&mut self) -> Result<(), StoreError> {
        const ALL: [&str; 3] = statements!("1 = 1", "1 = 1", "1 = 1");
        for sql in ALL {
            query(sql).bind(self.tenant()).execute(&mut self.read.tx).await?;
        }
        Ok(())
    }

    /// Replaces the declared members of a team, by e-mail address.
    pub async fn declare_members(&mut self, team: &str, addresses: &[String]) -> Result<(), StoreError> {
        const FORGET: &str = "DELETE FROM catalog_members WHERE tenant = $1 AND team_id = $2";
        const ADD: &str =
            "INSERT INTO catalog_members (tenant, team_id, address) SELECT $1, $2, a.value FROM json_each($3) a";
        self.replace(FORGET, ADD, team, addresses).await
    }

    /// Replaces the groups whose people are members of a team.
    pub async fn declare_groups(&mut self, team: &str, groups: &[String]) -> Result<(), StoreError> {
        const FORGET: &str = "DELETE FROM catalog_groups WHERE tenant = $1 AND team_id = $2";
        const ADD: &str =
            "INSERT INTO catalog_groups (tenant, team_id, name) SELECT $1, $2, g.value FROM json_each($3) g";
        self.replace(FORGET, ADD, team, groups).await
    }

    /// Sets the roles that the catalog gives to an address; `None` removes the declaration.
    pub async fn declare_roles(&mut self, address: &str, roles: Option<&[String]>) -> Result<(), StoreError> {
        const FORGET: &str = "DELETE FROM catalog_roles WHERE tenant = $1 AND address = $2";
        const SET: &str = "INSERT INTO catalog_roles (tenant, address, roles) VALUES ($1, $2, $3) \
             ON CONFLICT (tenant, address) DO UPDATE SET roles = excluded.roles";
        let tenant = self.tenant();
        let statement = match roles {
            None => query(FORGET).bind(tenant).bind(address),
            Some(roles) => query(SET).bind(tenant).bind(address).bind(row::json(&roles)?),
        };
        statement.execute(&mut self.read.tx).await?;
        Ok(())
    }

    /// Replaces a set of rows that belong to one record.
    pub(super) async fn replace(
        &mut self,
        forget: &'static str,
        add: &'static str,
        owner: &str,
        values: &[String],
    ) -> Result<(), StoreError> {
        query(forget)
            .bind(self.tenant())
            .bind(owner)
            .execute(&mut self.read.tx)
            .await?;
        if !values.is_empty() {
            query(add)
                .bind(self.tenant())
                .bind(owner)
                .bind(list(values))
                .execute(&mut self.read.tx)
                .await?;
        }
        Ok(())
    }
}

impl ReadTx {
    /// The number of accounts with the role operator.
    pub async fn count_operators(&mut self) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) AS count FROM people WHERE tenant = $1 AND instr(roles, $2) > 0";
        let row = query(SQL)
            .bind(self.tenant())
            .bind(format!("\"{}\"", Role::Operator.as_str()))
            .fetch_one(&mut self.tx)
            .await?;
        row.int("count")
    }
}
