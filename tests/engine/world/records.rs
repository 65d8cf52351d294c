//! The records of one tenant: people, a release with a scan, findings and a backlog, and a second release.

use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::{Engine, Error, RequestOrigin};
use loopiq::store::Asserted;
use loopiq_testing::fixtures::{self, sarif_result};
use serde_json::{Value, json};

/// The records of one tenant.
#[derive(Clone)]
pub(crate) struct TenantRecords {
    pub(crate) tenant: TenantId,
    pub(crate) people: Vec<(String, Person)>,
    pub(crate) client: Client,
    pub(crate) team: TeamId,
    pub(crate) release: ReleaseId,
    pub(crate) certification: CertificationId,
    pub(crate) control: ControlId,
    pub(crate) story: WorkItemId,
    pub(crate) finding: FindingId,
    pub(crate) evidence: EvidenceId,
    pub(crate) blocker: BlockerId,
    pub(crate) elsewhere: BlockerId,
}

impl TenantRecords {
    pub(crate) fn person(&self, role: &str) -> Person {
        self.people
            .iter()
            .find(|(name, _)| name == role)
            .map(|(_, person)| person.clone())
            .expect("known person")
    }
}

pub(crate) fn sarif(results: Value) -> Vec<u8> {
    let rules = json!([
        fixtures::sarif_rule("sql-injection", "SQL injection", "9.1"),
        { "id": "style", "defaultConfiguration": { "level": "note" } },
    ]);
    fixtures::sarif("2026-11-20T10:00:00Z", rules, results)
}

/// Creates the records of a tenant.
pub(super) async fn create_records(engine: &Engine, name: &str) -> TenantRecords {
    let tenant = TenantId::parse(name).expect("a tenant");
    let ctx = Ctx::system(tenant.clone(), engine.runtime());
    let runtime = engine.runtime().clone();
    let title = name.to_uppercase();
    engine
        .store()
        .write::<_, Error, _>(&ctx, move |tx| {
            Box::pin(async move { Ok(tx.insert_tenant(&title).await?) })
        })
        .await
        .expect("a tenant");
    let mut people = Vec::new();
    for (who, roles) in [
        ("developer", vec![Role::Developer]),
        ("reviewer", vec![Role::Reviewer]),
        ("reviewer2", vec![Role::Reviewer]),
        ("lead", vec![Role::Lead]),
        ("auditor", vec![Role::Auditor]),
        ("operator", vec![Role::Operator]),
        ("nobody", vec![]),
        ("operator2", vec![Role::Operator]),
    ] {
        let email = format!("{who}@{name}.example");
        let asserted = Asserted {
            name: format!("{who} of {name}"),
            ..fixtures::asserted("https://idp.example", &email, &roles)
        };
        let origin = RequestOrigin {
            address: Some("192.0.2.1".to_owned()),
            ..RequestOrigin::default()
        };
        let signed_in = engine.sign_in(name, asserted, &origin).await;
        let (tenant, person) = signed_in.expect("a sign-in");
        if !person.roles.is_empty() {
            let holder = Some((tenant.clone(), person.id.clone()));
            let started = fixtures::browser_session(u128::from(people.len() as u64), holder);
            let session = Principal::Person {
                tenant,
                person: person.clone(),
                session: format!("first session of {who}"),
            };
            let ctx = origin.context(session, &runtime);
            engine.signed_in(&ctx, &started).await.expect("recorded");
        }
        people.push((who.to_owned(), person));
    }
    let (team, release, other_release): (TeamId, ReleaseId, ReleaseId) = (runtime.id(), runtime.id(), runtime.id());
    let (certification, control, story): (CertificationId, ControlId, WorkItemId) =
        (runtime.id(), runtime.id(), runtime.id());
    let component: ComponentId = runtime.id();
    let member = people[0].1.id.clone();
    let scope = (
        team.clone(),
        release.clone(),
        other_release.clone(),
        certification.clone(),
        control.clone(),
        story.clone(),
    );
    let client = engine
        .store()
        .write::<_, Error, _>(&ctx, move |tx| {
            Box::pin(async move {
                let (team, release, other, certification, control, story) = scope;
                tx.insert_team(&fixtures::team(&team, "checkout", "Checkout")).await?;
                tx.insert_member(&team, &member).await?;
                for (id, key) in [(&release, "SHOP-1"), (&other, "SHOP-2")] {
                    let release = fixtures::release(id, key, &format!("Shop {key}"));
                    tx.insert_release(&release, &[&team]).await?;
                }
                let shop = fixtures::application(&component, "shop", "Shop", &team);
                tx.insert_component(&shop, &[&release]).await?;
                tx.insert_certification(&fixtures::certification(&certification, "SOC2-1", "SOC 2", &release))
                    .await?;
                tx.insert_control(&fixtures::control(&control, "AC-3", "Access enforcement", &release))
                    .await?;
                tx.insert_work_item(&WorkItem::new(&story, &release, &team, "Harden the login"))
                    .await?;
                Ok(tx.ensure_named_client("Helix").await?)
            })
        })
        .await
        .expect("records");
    let scan = sarif(json!([
        sarif_result("sql-injection", "routes/login.ts", 34),
        sarif_result("style", "a.ts", 1)
    ]));
    engine
        .import(&ctx, "SHOP-1", "probe.sarif", scan, None, None)
        .await
        .expect("an import");
    let scan = sarif(json!([sarif_result("sql-injection", "routes/other.ts", 9)]));
    engine
        .import(&ctx, "SHOP-2", "probe.sarif", scan, None, None)
        .await
        .expect("an import");
    let (of, other) = (release.clone(), other_release.clone());
    let (blocker, elsewhere) = engine
        .store()
        .read_long::<_, Error, _>(&ctx, move |tx| {
            Box::pin(async move {
                let mut first = Vec::new();
                for release in [of, other] {
                    let filter = loopiq::store::ListFilter {
                        release: Some(release.to_string()),
                        limit: 10,
                        ..Default::default()
                    };
                    let blockers = tx.list_blockers(&filter).await?;
                    first.push(
                        blockers
                            .into_iter()
                            .find(|b| b.finding_id.is_some())
                            .expect("a blocker"),
                    );
                }
                let blocker = first.remove(0);
                let finding = blocker.finding_id.clone().expect("a finding");
                let finding = tx.findings(&[finding.as_str()]).await?.remove(0);
                Ok(((blocker, finding), first.remove(0)))
            })
        })
        .await
        .expect("blockers");
    TenantRecords {
        tenant,
        people,
        client,
        team,
        release,
        certification,
        control,
        story,
        finding: blocker.1.id,
        evidence: blocker.1.evidence_ids[0].clone(),
        blocker: blocker.0.id,
        elsewhere: elsewhere.id,
    }
}
