//! The demo's teams, releases, components, controls and backlog.

use anyhow::{Context, Result};
use loopiq::domain::*;
use loopiq::engine::{Ctx, Engine, Error};
use loopiq::store::WriteTx;

/// The people of a tenant.
#[derive(Clone)]
pub(super) struct People(pub Vec<Person>);

impl People {
    /// The person with this local part of the e-mail address.
    pub(super) fn get(&self, local: &str) -> Result<Person> {
        let prefix = format!("{local}@");
        let person = self.0.iter().find(|person| person.email.as_str().starts_with(&prefix));
        person
            .cloned()
            .with_context(|| format!("the demo has no person {local}"))
    }
}

/// The records that the history uses.
pub(super) struct DemoRecords {
    pub people: People,
    pub client: Client,
    pub releases: Vec<DemoRelease>,
}

/// A release with its records.
#[derive(Clone)]
pub(super) struct DemoRelease {
    pub release: ReleaseId,
    pub certification: CertificationId,
    pub team: TeamId,
    pub controls: Vec<ControlId>,
    pub backlog: Vec<WorkItemId>,
}

/// The definition of a release and its records.
struct ReleaseSpec {
    key: &'static str,
    name: &'static str,
    status: ReleaseStatus,
    team: (&'static str, &'static str),
    members: &'static [&'static str],
    certification: (&'static str, &'static str),
    components: &'static [(ComponentKind, &'static str, &'static str)],
    controls: &'static [(&'static str, &'static str, ControlStatus)],
    backlog: &'static [(&'static str, WorkItemStatus, Priority)],
}

const PAY: ReleaseSpec = ReleaseSpec {
    key: "PAY-2026.11",
    name: "Payments 2026.11",
    status: ReleaseStatus::InProgress,
    team: ("payments", "Payments"),
    members: &["developer", "lead"],
    certification: ("PCI-2026.11", "PCI DSS 4.0 for Payments"),
    components: &[
        (ComponentKind::Application, "payments", "Payments"),
        (ComponentKind::Module, "ledger", "Ledger"),
        (ComponentKind::Repository, "acme/payments", "acme/payments"),
        (ComponentKind::Service, "refunds", "Refunds"),
    ],
    controls: &[
        ("AC-3", "Access enforcement", ControlStatus::Failing),
        ("IA-5", "Authenticator management", ControlStatus::Failing),
        ("SI-10", "Information input validation", ControlStatus::Unknown),
        ("AU-2", "Event logging", ControlStatus::Passing),
    ],
    backlog: &[
        (
            "Move the ledger's queries to prepared statements",
            WorkItemStatus::Open,
            Priority::High,
        ),
        (
            "Rotate the refund gateway's credentials",
            WorkItemStatus::InProgress,
            Priority::High,
        ),
        (
            "Document the PIN hashing scheme",
            WorkItemStatus::Open,
            Priority::Medium,
        ),
        (
            "Remove the legacy settlement export",
            WorkItemStatus::Done,
            Priority::Low,
        ),
    ],
};

const SHOP: ReleaseSpec = ReleaseSpec {
    key: "SHOP-2026.12",
    name: "Shop 2026.12",
    status: ReleaseStatus::Planned,
    team: ("checkout", "Checkout"),
    members: &["developer", "reviewer2"],
    certification: ("SOC2-2026.12", "SOC 2 for Shop"),
    components: &[
        (ComponentKind::Application, "shop", "Shop"),
        (ComponentKind::Module, "login", "Login"),
        (ComponentKind::Repository, "acme/shop", "acme/shop"),
        (ComponentKind::Service, "basket", "Basket"),
    ],
    controls: &[
        ("CC6.1", "Logical access security", ControlStatus::Failing),
        ("CC7.1", "Detection of vulnerabilities", ControlStatus::Passing),
        ("CC8.1", "Change management", ControlStatus::Passing),
    ],
    backlog: &[
        (
            "Harden the login against credential stuffing",
            WorkItemStatus::Open,
            Priority::High,
        ),
        (
            "Add rate limits to the basket service",
            WorkItemStatus::Open,
            Priority::Medium,
        ),
        ("Replace the mail gateway", WorkItemStatus::Cancelled, Priority::Low),
    ],
};

const CORE: ReleaseSpec = ReleaseSpec {
    key: "CORE-7.4",
    name: "Core 7.4",
    status: ReleaseStatus::InProgress,
    team: ("core", "Core"),
    members: &["developer", "lead"],
    certification: ("ISO-7.4", "ISO 27001 for Core"),
    components: &[
        (ComponentKind::Application, "core", "Core"),
        (ComponentKind::Repository, "globex/core", "globex/core"),
    ],
    controls: &[
        ("A.8.28", "Secure coding", ControlStatus::Failing),
        (
            "A.8.8",
            "Management of technical vulnerabilities",
            ControlStatus::Unknown,
        ),
    ],
    backlog: &[("Upgrade the token library", WorkItemStatus::Open, Priority::High)],
};

/// Writes the records of this context's tenant.
pub(super) async fn write(engine: &Engine, ctx: &Ctx, people: People) -> Result<DemoRecords> {
    let specs: &[&ReleaseSpec] = if ctx.tenant().as_str() == "acme" {
        &[&PAY, &SHOP]
    } else {
        &[&CORE]
    };
    let mut releases = Vec::new();
    for spec in specs {
        let (spec, people) = (*spec, people.clone());
        let members = spec
            .members
            .iter()
            .map(|who| people.get(who))
            .collect::<Result<Vec<_>>>()?;
        let release = engine
            .store()
            .write::<_, Error, _>(ctx, move |tx| {
                Box::pin(async move { write_release(tx, spec, members).await })
            })
            .await?;
        releases.push(release);
    }
    let client = engine
        .store()
        .write::<_, Error, _>(ctx, |tx| {
            Box::pin(async move { Ok(tx.ensure_named_client("Helix").await?) })
        })
        .await?;
    Ok(DemoRecords {
        people,
        client,
        releases,
    })
}

async fn write_release(
    tx: &mut WriteTx,
    spec: &'static ReleaseSpec,
    members: Vec<Person>,
) -> Result<DemoRelease, Error> {
    let runtime = tx.ctx().runtime.clone();
    let (team, release, certification): (TeamId, ReleaseId, CertificationId) =
        (runtime.id(), runtime.id(), runtime.id());
    tx.insert_team(&Team {
        id: team.clone(),
        key: spec.team.0.into(),
        name: spec.team.1.into(),
    })
    .await?;
    for person in members {
        tx.insert_member(&team, &person.id).await?;
    }
    let record = Release {
        id: release.clone(),
        key: spec.key.into(),
        name: spec.name.into(),
        status: spec.status,
        severity_threshold: Severity::High,
        commit: Some("9f1c2e7".into()),
        version: 1,
    };
    tx.insert_release(&record, &[&team]).await?;
    for (kind, key, name) in spec.components {
        let component = Component {
            id: runtime.id(),
            kind: *kind,
            key: (*key).into(),
            name: (*name).into(),
            team_id: team.clone(),
        };
        tx.insert_component(&component, &[&release]).await?;
    }
    tx.insert_certification(&Certification {
        id: certification.clone(),
        key: spec.certification.0.into(),
        name: spec.certification.1.into(),
        release_id: release.clone(),
        status: CertificationStatus::Open,
        statement: None,
        version: 1,
    })
    .await?;
    let mut controls = Vec::new();
    for (key, title, status) in spec.controls {
        let id: ControlId = runtime.id();
        let (key, title) = ((*key).into(), (*title).into());
        tx.insert_control(&Control {
            id: id.clone(),
            key,
            title,
            release_id: release.clone(),
            status: *status,
            version: 1,
        })
        .await?;
        controls.push(id);
    }
    let mut backlog = Vec::new();
    for (title, status, priority) in spec.backlog {
        let id: WorkItemId = runtime.id();
        tx.insert_work_item(&WorkItem {
            description: "From the backlog, before any agent.".into(),
            status: *status,
            priority: *priority,
            ..WorkItem::new(&id, &release, &team, title)
        })
        .await?;
        backlog.push(id);
    }
    Ok(DemoRelease {
        release,
        certification,
        team,
        controls,
        backlog,
    })
}
