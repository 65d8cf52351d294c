//! Reads and writes the records that a catalog declares.

use crate::catalog::{Ident, Kind, Step, Stored, StoredRecord, Value};
use crate::domain::Timestamp;
use crate::store::db::{Query, Row, query};
use crate::store::row::list;
use crate::store::{ReadTx, StoreError, WriteTx};
use std::collections::{BTreeMap, HashMap};

impl ReadTx {
    /// The stored records that a catalog can declare: everything of the tenant but controls and work items, which are read for these
    /// releases only.
    pub async fn stored_catalog(&mut self, releases: &[&str]) -> Result<Stored, StoreError> {
        let mut stored = Stored::default();
        self.stored_people(&mut stored).await?;
        self.stored_teams(&mut stored).await?;
        self.stored_components(&mut stored).await?;
        self.stored_releases(&mut stored).await?;
        self.stored_release_records(releases, &mut stored).await?;
        Ok(stored)
    }

    async fn of_tenant(&mut self, sql: &'static str) -> Result<Vec<Row>, StoreError> {
        Ok(query(sql).bind(self.tenant()).fetch_all(&mut self.tx).await?)
    }

    async fn stored_people(&mut self, stored: &mut Stored) -> Result<(), StoreError> {
        for row in self
            .of_tenant("SELECT address, roles FROM catalog_roles WHERE tenant = $1")
            .await?
        {
            let (address, roles): (String, Vec<String>) = (row.text("address")?, row.json("roles")?);
            stored.insert(StoredRecord {
                id: address.clone(),
                ident: Ident::new(Kind::Person, address),
                fields: BTreeMap::from([("roles", Value::set(roles))]),
                is_retired: false,
            });
        }
        Ok(())
    }

    async fn stored_teams(&mut self, stored: &mut Stored) -> Result<(), StoreError> {
        let mut sets = HashMap::new();
        for (field, sql) in [
            (
                "members",
                "SELECT team_id AS owner, address AS item FROM catalog_members WHERE tenant = $1",
            ),
            (
                "groups",
                "SELECT team_id AS owner, name AS item FROM catalog_groups WHERE tenant = $1",
            ),
        ] {
            collect(&self.of_tenant(sql).await?, field, &mut sets)?;
        }
        for row in self
            .of_tenant("SELECT id, key, name, retired_at FROM teams WHERE tenant = $1")
            .await?
        {
            let mut record = record(Kind::Team, &row)?;
            record.fields.insert("name", row.text("name")?.into());
            take(&mut record, &["members", "groups"], &mut sets);
            stored.insert(record);
        }
        Ok(())
    }

    async fn stored_components(&mut self, stored: &mut Stored) -> Result<(), StoreError> {
        const SQL: &str = "SELECT c.id, c.kind, c.key, c.name, c.retired_at, t.key AS team FROM components c \
             JOIN teams t ON t.tenant = c.tenant AND t.id = c.team_id WHERE c.tenant = $1";
        for row in self.of_tenant(SQL).await? {
            let mut record = record(component_kind(&row, "kind")?, &row)?;
            record.fields.insert("name", row.text("name")?.into());
            record.fields.insert("team", row.text("team")?.into());
            stored.insert(record);
        }
        Ok(())
    }

    async fn stored_releases(&mut self, stored: &mut Stored) -> Result<(), StoreError> {
        const TEAMS: &str = "SELECT r.release_id AS owner, t.key AS item FROM release_teams r \
             JOIN teams t ON t.tenant = r.tenant AND t.id = r.team_id WHERE r.tenant = $1";
        const COMPONENTS: &str = "SELECT r.release_id AS owner, c.key AS item, c.kind FROM release_components r \
             JOIN components c ON c.tenant = r.tenant AND c.id = r.component_id WHERE r.tenant = $1";
        const RELEASES: &str =
            "SELECT id, key, name, status, severity_threshold, commit_id, retired_at FROM releases WHERE tenant = $1";
        const CERTIFICATIONS: &str = "SELECT c.id, c.key, c.name, r.key AS release FROM certifications c \
             JOIN releases r ON r.tenant = c.tenant AND r.id = c.release_id WHERE c.tenant = $1";
        let mut sets = HashMap::new();
        collect(&self.of_tenant(TEAMS).await?, "teams", &mut sets)?;
        for row in self.of_tenant(COMPONENTS).await? {
            let field = component_kind(&row, "kind")?.section();
            collect(std::slice::from_ref(&row), field, &mut sets)?;
        }
        for row in self.of_tenant(RELEASES).await? {
            let mut record = record(Kind::Release, &row)?;
            record.fields.insert("name", row.text("name")?.into());
            record.fields.insert("status", row.text("status")?.into());
            record
                .fields
                .insert("severityThreshold", row.text("severity_threshold")?.into());
            record.fields.insert("commit", row.maybe_text("commit_id")?.into());
            take(&mut record, &["teams"], &mut sets);
            take(&mut record, &Kind::COMPONENTS.map(Kind::section), &mut sets);
            stored.insert(record);
        }
        for row in self.of_tenant(CERTIFICATIONS).await? {
            let fields = [
                ("name", row.text("name")?.into()),
                ("release", row.text("release")?.into()),
            ];
            stored.insert(StoredRecord {
                id: row.text("id")?,
                ident: Ident::new(Kind::Certification, row.text("key")?),
                fields: BTreeMap::from(fields),
                is_retired: false,
            });
        }
        Ok(())
    }

    async fn stored_release_records(&mut self, releases: &[&str], stored: &mut Stored) -> Result<(), StoreError> {
        const CONTROLS: &str = "SELECT c.id, c.key, c.title, c.status, r.key AS release FROM releases r \
             JOIN controls c ON c.tenant = r.tenant AND c.release_id = r.id \
             WHERE r.tenant = $1 AND r.key IN (SELECT value FROM json_each($2))";
        const WORK_ITEMS: &str = "SELECT w.id, c.key, w.kind, r.key AS release FROM releases r \
             JOIN catalog_work_items c ON c.tenant = r.tenant AND c.release_id = r.id \
             JOIN work_items w ON w.tenant = c.tenant AND w.id = c.work_item_id \
             WHERE r.tenant = $1 AND r.key IN (SELECT value FROM json_each($2))";
        if releases.is_empty() {
            return Ok(());
        }
        for (kind, sql, columns) in [
            (Kind::Control, CONTROLS, ["title", "status"].as_slice()),
            (Kind::WorkItem, WORK_ITEMS, ["kind"].as_slice()),
        ] {
            let rows = query(sql)
                .bind(self.tenant())
                .bind(list(releases))
                .fetch_all(&mut self.tx)
                .await?;
            for row in rows {
                let mut fields = BTreeMap::new();
                for column in columns {
                    fields.insert(*column, row.text(column)?.into());
                }
                stored.insert(StoredRecord {
                    id: row.text("id")?,
                    ident: Ident::within(kind, row.text("release")?, row.text("key")?),
                    fields,
                    is_retired: false,
                });
            }
        }
        Ok(())
    }
}

/// The items of sets, by the ID of the record that has the set, and by field.
type Sets = HashMap<(String, &'static str), Vec<String>>;

fn collect(rows: &[Row], field: &'static str, sets: &mut Sets) -> Result<(), StoreError> {
    for row in rows {
        sets.entry((row.text("owner")?, field))
            .or_default()
            .push(row.text("item")?);
    }
    Ok(())
}

fn take(record: &mut StoredRecord, fields: &[&'static str], sets: &mut Sets) {
    for field in fields {
        let items = sets.remove(&(record.id.clone(), *field)).unwrap_or_default();
        record.fields.insert(field, Value::set(items));
    }
}

fn record(kind: Kind, row: &Row) -> Result<StoredRecord, StoreError> {
    Ok(StoredRecord {
        id: row.text("id")?,
        ident: Ident::new(kind, row.text("key")?),
        fields: BTreeMap::new(),
        is_retired: row.maybe_int("retired_at")?.is_some(),
    })
}

fn component_kind(row: &Row, column: &str) -> Result<Kind, StoreError> {
    row.read(column, |text| {
        Kind::COMPONENTS.into_iter().find(|kind| kind.noun() == text)
    })
}

impl WriteTx {
    async fn done(&mut self, statement: Query<'_>) -> Result<(), StoreError> {
        match statement.execute(&mut self.read.tx).await? {
            1 => Ok(()),
            _ => Err(StoreError::Conflict("a record of the catalog")),
        }
    }

    /// Changes the columns of a stored record that a step names. Sets of other records are written by `replace_set`.
    pub async fn change_catalog_record(&mut self, step: &Step, id: &str, team: Option<&str>) -> Result<(), StoreError> {
        const TEAM: &str = "UPDATE teams SET name = COALESCE($3, name) WHERE tenant = $1 AND id = $2";
        const COMPONENT: &str = "UPDATE components SET name = COALESCE($3, name), team_id = COALESCE($4, team_id) WHERE tenant = $1 AND id = $2";
        // $7 tells a release without a commit from one whose commit stays. A status of the catalog replaces the one that a person decided.
        const RELEASE: &str = "UPDATE releases SET name = COALESCE($3, name), status = COALESCE($4, status), \
             severity_threshold = COALESCE($5, severity_threshold), commit_id = CASE WHEN $7 = 1 THEN $6 ELSE commit_id END, \
             decided_at = CASE WHEN $4 IS NULL THEN decided_at ELSE NULL END, version = version + 1 WHERE tenant = $1 AND id = $2";
        const CERTIFICATION: &str =
            "UPDATE certifications SET name = COALESCE($3, name), version = version + 1 WHERE tenant = $1 AND id = $2";
        const CONTROL: &str = "UPDATE controls SET title = COALESCE($3, title), status = COALESCE($4, status), version = version + 1 \
             WHERE tenant = $1 AND id = $2";
        let text = |field: &str| step.text(field).map(str::to_owned);
        let sql = match step.ident.kind {
            Kind::Team => TEAM,
            Kind::Application | Kind::Module | Kind::Repository | Kind::Service => COMPONENT,
            Kind::Release => RELEASE,
            Kind::Certification => CERTIFICATION,
            Kind::Control => CONTROL,
            Kind::Person | Kind::WorkItem => return Ok(()),
        };
        let mut statement = query(sql).bind(self.tenant()).bind(id);
        statement = match step.ident.kind {
            Kind::Control => statement.bind(text("title")).bind(text("status")),
            Kind::Release => statement
                .bind(text("name"))
                .bind(text("status"))
                .bind(text("severityThreshold"))
                .bind(text("commit"))
                .bind(i64::from(step.value("commit").is_some())),
            Kind::Team | Kind::Certification => statement.bind(text("name")),
            _ => statement.bind(text("name")).bind(team.map(str::to_owned)),
        };
        self.done(statement).await
    }

    /// Retires a record, or puts it to use again.
    pub async fn set_retired(&mut self, kind: Kind, id: &str, at: Option<Timestamp>) -> Result<(), StoreError> {
        const TEAM: &str = "UPDATE teams SET retired_at = $3 WHERE tenant = $1 AND id = $2";
        const COMPONENT: &str = "UPDATE components SET retired_at = $3 WHERE tenant = $1 AND id = $2";
        const RELEASE: &str =
            "UPDATE releases SET retired_at = $3, version = version + 1 WHERE tenant = $1 AND id = $2";
        let sql = match kind {
            Kind::Team => TEAM,
            Kind::Application | Kind::Module | Kind::Repository | Kind::Service => COMPONENT,
            Kind::Release => RELEASE,
            Kind::Person | Kind::Certification | Kind::Control | Kind::WorkItem => return Ok(()),
        };
        let statement = query(sql).bind(self.tenant()).bind(id).bind(at.map(|at| at.0));
        self.done(statement).await
    }

    /// Replaces the teams of a release.
    pub async fn set_release_teams(&mut self, release: &str, teams: &[String]) -> Result<(), StoreError> {
        const FORGET: &str = "DELETE FROM release_teams WHERE tenant = $1 AND release_id = $2";
        const ADD: &str =
            "INSERT INTO release_teams (tenant, release_id, team_id) SELECT $1, $2, t.value FROM json_each($3) t";
        self.replace(FORGET, ADD, release, teams).await
    }

    /// Replaces the components of one kind in a release.
    pub async fn set_release_components(
        &mut self,
        release: &str,
        kind: Kind,
        components: &[String],
    ) -> Result<(), StoreError> {
        const FORGET: &str = "DELETE FROM release_components WHERE tenant = $1 AND release_id = $2 AND component_id IN \
             (SELECT id FROM components WHERE tenant = $1 AND kind = $3)";
        const ADD: &str = "INSERT INTO release_components (tenant, release_id, component_id) SELECT $1, $2, c.value FROM json_each($3) c";
        query(FORGET)
            .bind(self.tenant())
            .bind(release)
            .bind(kind.noun())
            .execute(&mut self.read.tx)
            .await?;
        if !components.is_empty() {
            query(ADD)
                .bind(self.tenant())
                .bind(release)
                .bind(list(components))
                .execute(&mut self.read.tx)
                .await?;
        }
        Ok(())
    }

    /// Records under which key a catalog created a work item.
    pub async fn keep_catalog_work_item(&mut self, release: &str, key: &str, item: &str) -> Result<(), StoreError> {
        const SQL: &str =
            "INSERT INTO catalog_work_items (tenant, release_id, key, work_item_id) VALUES ($1, $2, $3, $4)";
        let statement = query(SQL).bind(self.tenant()).bind(release).bind(key).bind(item);
        self.done(statement).await
    }
}
