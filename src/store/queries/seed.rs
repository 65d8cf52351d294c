//! Creates tenants and the records that a catalog declares: teams, releases, components, controls. Catalogs, demos and tests use this
//! module; governed actions do not.

use crate::domain::*;
use crate::store::db::{Query, query};
use crate::store::{StoreError, WriteTx};
use serde_json::Value;

impl WriteTx {
    async fn run(&mut self, statement: Query<'_>) -> Result<(), StoreError> {
        statement.execute(&mut self.read.tx).await?;
        Ok(())
    }

    /// Adds the tenant of this context and the tenant's audit log.
    pub async fn insert_tenant(&mut self, name: &str) -> Result<(), StoreError> {
        let (tenant, now) = (self.tenant(), self.ctx.now());
        self.run(
            query("INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, $3)")
                .bind(tenant)
                .bind(name)
                .bind(now.0),
        )
        .await
    }

    /// Changes the issuer of a demo's people. The demo's identity provider uses the service's own address, and its people keep their
    /// accounts when the address changes.
    pub async fn move_issuer(&mut self, ends_with: &str, to: &str) -> Result<(), StoreError> {
        let tenant = self.tenant();
        self.run(
            query("UPDATE people SET issuer = $3 WHERE tenant = $1 AND issuer LIKE $2 AND issuer <> $3")
                .bind(tenant)
                .bind(format!("%{ends_with}"))
                .bind(to),
        )
        .await
    }

    /// Adds a team.
    pub async fn insert_team(&mut self, team: &Team) -> Result<(), StoreError> {
        let tenant = self.tenant();
        self.run(
            query("INSERT INTO teams (tenant, id, key, name) VALUES ($1, $2, $3, $4)")
                .bind(tenant)
                .bind(team.id.as_str())
                .bind(&team.key)
                .bind(&team.name),
        )
        .await
    }

    /// Adds a person to a team, and declares the person's verified address as a member.
    pub async fn insert_member(&mut self, team: &TeamId, person: &PersonId) -> Result<(), StoreError> {
        const DECLARE: &str = "INSERT INTO catalog_members (tenant, team_id, address) SELECT tenant, $2, email FROM people \
             WHERE tenant = $1 AND id = $3 AND instr(email, ' ') = 0 ON CONFLICT (tenant, team_id, address) DO NOTHING";
        let tenant = self.tenant();
        self.run(query(DECLARE).bind(&tenant).bind(team.as_str()).bind(person.as_str()))
            .await?;
        self.run(
            query("INSERT INTO team_members (tenant, team_id, person_id) VALUES ($1, $2, $3)")
                .bind(tenant)
                .bind(team.as_str())
                .bind(person.as_str()),
        )
        .await
    }

    /// Adds a release with its teams.
    pub async fn insert_release(&mut self, release: &Release, teams: &[&TeamId]) -> Result<(), StoreError> {
        let tenant = self.tenant();
        self.run(
            query(
                "INSERT INTO releases (tenant, id, key, name, status, severity_threshold, commit_id, version) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(&tenant)
            .bind(release.id.as_str())
            .bind(&release.key)
            .bind(&release.name)
            .bind(release.status.as_str())
            .bind(release.severity_threshold.as_str())
            .bind(&release.commit)
            .bind(release.version),
        )
        .await?;
        for team in teams {
            self.run(
                query("INSERT INTO release_teams (tenant, release_id, team_id) VALUES ($1, $2, $3)")
                    .bind(&tenant)
                    .bind(release.id.as_str())
                    .bind(team.as_str()),
            )
            .await?;
        }
        Ok(())
    }

    /// Adds a component to its releases.
    pub async fn insert_component(&mut self, component: &Component, releases: &[&ReleaseId]) -> Result<(), StoreError> {
        let tenant = self.tenant();
        self.run(
            query("INSERT INTO components (tenant, id, kind, key, name, team_id) VALUES ($1, $2, $3, $4, $5, $6)")
                .bind(&tenant)
                .bind(component.id.as_str())
                .bind(component.kind.as_str())
                .bind(&component.key)
                .bind(&component.name)
                .bind(component.team_id.as_str()),
        )
        .await?;
        for release in releases {
            self.run(
                query("INSERT INTO release_components (tenant, release_id, component_id) VALUES ($1, $2, $3)")
                    .bind(&tenant)
                    .bind(release.as_str())
                    .bind(component.id.as_str()),
            )
            .await?;
        }
        Ok(())
    }

    /// Adds a certification.
    pub async fn insert_certification(&mut self, certification: &Certification) -> Result<(), StoreError> {
        let tenant = self.tenant();
        self.run(
            query(
                "INSERT INTO certifications (tenant, id, key, name, release_id, status, version) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(tenant)
            .bind(certification.id.as_str())
            .bind(&certification.key)
            .bind(&certification.name)
            .bind(certification.release_id.as_str())
            .bind(certification.status.as_str())
            .bind(certification.version),
        )
        .await
    }

    /// Adds a control.
    pub async fn insert_control(&mut self, control: &Control) -> Result<(), StoreError> {
        let tenant = self.tenant();
        self.run(
            query(
                "INSERT INTO controls (tenant, id, key, title, release_id, status, version) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(tenant)
            .bind(control.id.as_str())
            .bind(&control.key)
            .bind(&control.title)
            .bind(control.release_id.as_str())
            .bind(control.status.as_str())
            .bind(control.version),
        )
        .await
    }

    /// Adds a work item of the backlog, which no client proposed.
    pub async fn insert_work_item(&mut self, item: &WorkItem) -> Result<(), StoreError> {
        let fields = match serde_json::to_value(item) {
            Ok(Value::Object(fields)) => fields,
            _ => return Err(StoreError::damaged("a work item", "no object")),
        };
        let create = Create {
            kind: RecordKind::WorkItem,
            id: item.id.as_str().to_owned(),
            client_ref: None,
            fields,
        };
        self.apply(&ChangeSet(vec![Change::Create(create)])).await.map(drop)
    }

    /// Changes a work item's title. No use case of this service does that, and tests use it to simulate a change by another system.
    pub async fn touch_work_item(&mut self, id: &WorkItemId, title: &str) -> Result<(), StoreError> {
        let tenant = self.tenant();
        self.run(
            query("UPDATE work_items SET title = $3, version = version + 1 WHERE tenant = $1 AND id = $2")
                .bind(tenant)
                .bind(id.as_str())
                .bind(title),
        )
        .await
    }
}
