//! Carries out a plan in the transaction that made it.

use crate::catalog::{Effect, Ident, Kind, Plan, Step, Stored, Value};
use crate::domain::*;
use crate::engine::Error;
use crate::store::{WantingFrom, WriteTx};
use std::collections::{BTreeMap, BTreeSet};

/// The IDs of stored and of new records.
pub(super) struct Ids(BTreeMap<Ident, String>);

impl Ids {
    /// The ID of a record; `None` for people, who are declared by address.
    pub(super) fn get(&self, ident: &Ident) -> Option<&str> {
        self.0.get(ident).map(String::as_str)
    }

    fn of(&self, kind: Kind, key: &str) -> Result<String, Error> {
        self.of_ident(&Ident::new(kind, key))
    }

    fn of_ident(&self, ident: &Ident) -> Result<String, Error> {
        let id = self.0.get(ident).cloned();
        id.ok_or_else(|| Error::internal(format!("the plan refers to the {ident}, which is not written yet")))
    }

    fn all(&self, kind: Kind, value: Option<&Value>) -> Result<Vec<String>, Error> {
        let keys = value.map(Value::items).unwrap_or_default();
        keys.iter().map(|key| self.of(kind, key)).collect()
    }
}

/// Writes the records, and computes people's teams and roles, and blockers.
pub(super) async fn apply(tx: &mut WriteTx, plan: &Plan, stored: &Stored) -> Result<Ids, Error> {
    let known = stored.records().map(|record| (record.ident.clone(), record.id.clone()));
    let mut ids = Ids(known.collect());
    let (tasks, others): (Vec<&Step>, Vec<&Step>) = plan.steps.iter().partition(|step| is_task(step));
    // A task comes after the story that it belongs to.
    for step in others.into_iter().chain(tasks) {
        match step.effect {
            Effect::Create => create(tx, step, &mut ids).await?,
            Effect::Change | Effect::Restore => change(tx, step, &ids).await?,
            Effect::Retire if step.ident.kind == Kind::Person => tx.declare_roles(&step.ident.key, None).await?,
            Effect::Retire => {
                let (id, now) = (ids.of_ident(&step.ident)?, tx.ctx().now());
                tx.set_retired(step.ident.kind, &id, Some(now)).await?;
            }
        }
    }
    let declares_people = |step: &Step| matches!(step.ident.kind, Kind::Person | Kind::Team);
    if plan.steps.iter().any(declares_people) {
        tx.compute_people().await?;
    }
    let changed: Vec<String> = plan.steps.iter().filter_map(|step| step.id.clone()).collect();
    tx.mark_targets_changed(None, &changed).await?;
    blockers(tx, plan, &ids).await?;
    Ok(ids)
}

fn is_task(step: &Step) -> bool {
    step.text("kind") == Some(WorkItemKind::Task.as_str())
}

/// A word of a plan, which the reader has checked.
fn word<T>(step: &Step, field: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    let value = step.text(field).and_then(parse);
    value.ok_or_else(|| Error::internal(format!("the plan has no {field} for the {}", step.ident)))
}

fn text(step: &Step, field: &str) -> Result<String, Error> {
    word(step, field, |text| Some(text.to_owned()))
}

fn id<T>(id: &str, parse: impl Fn(&str) -> Result<T, InvalidId>) -> Result<T, Error> {
    parse(id).map_err(Error::internal)
}

async fn create(tx: &mut WriteTx, step: &Step, ids: &mut Ids) -> Result<(), Error> {
    let (runtime, key) = (tx.ctx().runtime.clone(), step.ident.key.clone());
    let new = match step.ident.kind {
        Kind::Person => {
            tx.declare_roles(&key, step.value("roles").map(Value::items)).await?;
            return Ok(());
        }
        Kind::Team => {
            let id: TeamId = runtime.id();
            let name = text(step, "name")?;
            tx.insert_team(&Team {
                id: id.clone(),
                key,
                name,
            })
            .await?;
            members(tx, step, id.as_str()).await?;
            id.to_string()
        }
        Kind::Application | Kind::Module | Kind::Repository | Kind::Service => {
            let id: ComponentId = runtime.id();
            let component = Component {
                id: id.clone(),
                kind: component_kind(step.ident.kind)?,
                key,
                name: text(step, "name")?,
                team_id: self::id(&ids.of(Kind::Team, &text(step, "team")?)?, TeamId::parse)?,
            };
            tx.insert_component(&component, &[]).await?;
            id.to_string()
        }
        Kind::Release => {
            let id: ReleaseId = runtime.id();
            let release = Release {
                id: id.clone(),
                key,
                name: text(step, "name")?,
                status: word(step, "status", ReleaseStatus::parse)?,
                severity_threshold: word(step, "severityThreshold", Severity::parse)?,
                commit: step.text("commit").map(str::to_owned),
                version: 1,
            };
            tx.insert_release(&release, &[]).await?;
            parts(tx, step, id.as_str(), ids).await?;
            id.to_string()
        }
        Kind::Certification => {
            let id: CertificationId = runtime.id();
            let certification = Certification {
                id: id.clone(),
                key,
                name: text(step, "name")?,
                release_id: release_of(&text(step, "release")?, ids)?,
                status: CertificationStatus::Open,
                statement: None,
                version: 1,
            };
            tx.insert_certification(&certification).await?;
            id.to_string()
        }
        Kind::Control => {
            let id: ControlId = runtime.id();
            let control = Control {
                id: id.clone(),
                key,
                title: text(step, "title")?,
                release_id: release_of(step.ident.release.as_deref().unwrap_or_default(), ids)?,
                status: word(step, "status", ControlStatus::parse)?,
                version: 1,
            };
            tx.insert_control(&control).await?;
            id.to_string()
        }
        Kind::WorkItem => work_item(tx, step, ids).await?,
    };
    ids.0.insert(step.ident.clone(), new);
    Ok(())
}

fn release_of(key: &str, ids: &Ids) -> Result<ReleaseId, Error> {
    id(&ids.of(Kind::Release, key)?, ReleaseId::parse)
}

fn component_kind(kind: Kind) -> Result<ComponentKind, Error> {
    ComponentKind::parse(kind.noun()).ok_or_else(|| Error::internal("the kind is not that of a component"))
}

async fn work_item(tx: &mut WriteTx, step: &Step, ids: &Ids) -> Result<String, Error> {
    let id: WorkItemId = tx.ctx().runtime.id();
    let release = release_of(step.ident.release.as_deref().unwrap_or_default(), ids)?;
    let team = self::id(&ids.of(Kind::Team, &text(step, "team")?)?, TeamId::parse)?;
    let parent = match (step.text("parent"), &step.ident.release) {
        (Some(parent), Some(release)) => {
            let parent = ids.of_ident(&Ident::within(Kind::WorkItem, release.clone(), parent))?;
            Some(self::id(&parent, WorkItemId::parse)?)
        }
        _ => None,
    };
    let item = WorkItem {
        kind: word(step, "kind", WorkItemKind::parse)?,
        parent_id: parent,
        description: step.text("description").unwrap_or_default().to_owned(),
        status: word(step, "status", WorkItemStatus::parse)?,
        priority: word(step, "priority", Priority::parse)?,
        estimate: step.text("estimate").map(str::to_owned),
        acceptance_criteria: step
            .value("acceptanceCriteria")
            .map_or_else(Vec::new, |value| value.items().to_vec()),
        ..WorkItem::new(&id, &release, &team, &text(step, "title")?)
    };
    tx.insert_work_item(&item).await?;
    tx.keep_catalog_work_item(release.as_str(), &step.ident.key, id.as_str())
        .await?;
    Ok(id.to_string())
}

async fn change(tx: &mut WriteTx, step: &Step, ids: &Ids) -> Result<(), Error> {
    if step.ident.kind == Kind::Person {
        let roles = step.value("roles").map(Value::items);
        return Ok(tx.declare_roles(&step.ident.key, roles).await?);
    }
    let id = ids.of_ident(&step.ident)?;
    if step.effect == Effect::Restore {
        tx.set_retired(step.ident.kind, &id, None).await?;
    }
    if step.fields.is_empty() {
        return Ok(());
    }
    let team = step.text("team").map(|team| ids.of(Kind::Team, team)).transpose()?;
    tx.change_catalog_record(step, &id, team.as_deref()).await?;
    match step.ident.kind {
        Kind::Team => members(tx, step, &id).await,
        Kind::Release => parts(tx, step, &id, ids).await,
        _ => Ok(()),
    }
}

/// Writes the declared members and groups of a team, if the step contains them.
async fn members(tx: &mut WriteTx, step: &Step, team: &str) -> Result<(), Error> {
    if let Some(members) = step.value("members") {
        tx.declare_members(team, members.items()).await?;
    }
    if let Some(groups) = step.value("groups") {
        tx.declare_groups(team, groups.items()).await?;
    }
    Ok(())
}

/// Writes the teams and components of a release, if the step contains them.
async fn parts(tx: &mut WriteTx, step: &Step, release: &str, ids: &Ids) -> Result<(), Error> {
    if let Some(teams) = step.value("teams") {
        tx.set_release_teams(release, &ids.all(Kind::Team, Some(teams))?)
            .await?;
    }
    for kind in Kind::COMPONENTS {
        if let Some(components) = step.value(kind.section()) {
            let components = ids.all(kind, Some(components))?;
            tx.set_release_components(release, kind, &components).await?;
        }
    }
    Ok(())
}

/// Creates the blockers that failing controls and another threshold need.
async fn blockers(tx: &mut WriteTx, plan: &Plan, ids: &Ids) -> Result<(), Error> {
    let mut releases = BTreeSet::new();
    for step in &plan.steps {
        match step.ident.kind {
            Kind::Control if step.text("status") == Some(ControlStatus::Failing.as_str()) => {
                releases.insert(ids.of(Kind::Release, step.ident.release.as_deref().unwrap_or_default())?);
            }
            Kind::Release if step.effect != Effect::Create && step.value("severityThreshold").is_some() => {
                releases.insert(ids.of_ident(&step.ident)?);
            }
            _ => {}
        }
    }
    for release in releases {
        let Some(threshold) = tx
            .releases(&[&release])
            .await?
            .pop()
            .map(|release| release.severity_threshold)
        else {
            continue;
        };
        let mut next = Some(WantingFrom::Finding(String::new()));
        while let Some(from) = next {
            let page = tx.wanting_blockers(&release, threshold, &from).await?;
            tx.raise_blockers(&release, threshold, &page.subjects).await?;
            next = page.next;
        }
    }
    Ok(())
}
