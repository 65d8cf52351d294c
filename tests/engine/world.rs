//! A small world: two tenants, their people, one release each with evidence and a backlog; time stands still until it is moved.

use loopiq::context::{Ctx, Runtime};
use loopiq::domain::*;
use loopiq::engine::Visit;
use loopiq::engine::{ApprovalRequest, Engine, Error, Switched, ToolResponse};
use loopiq::store::{Asserted, Store};
use loopiq::views::Outcome;
use loopiq_testing::Database;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// When every test begins.
pub(crate) const START: &str = "2026-11-22T09:00:00Z";

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) acme: Place,
    pub(crate) globex: Place,
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) database: Database,
    /// The teams of acme, by key.
    teams: Mutex<BTreeMap<String, TeamId>>,
}

/// The records of one tenant.
#[derive(Clone)]
pub(crate) struct Place {
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

impl Place {
    pub(crate) fn person(&self, role: &str) -> Person {
        self.people
            .iter()
            .find(|(name, _)| name == role)
            .map(|(_, person)| person.clone())
            .expect("known person")
    }
}

pub(crate) fn sarif(results: Value) -> Vec<u8> {
    json!({
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "probe", "rules": [
                { "id": "sql-injection", "shortDescription": { "text": "SQL injection" },
                  "properties": { "security-severity": "9.1" } },
                { "id": "style", "defaultConfiguration": { "level": "note" } },
            ] } },
            "invocations": [{ "executionSuccessful": true, "endTimeUtc": "2026-11-20T10:00:00Z" }],
            "results": results,
        }],
    })
    .to_string()
    .into_bytes()
}

pub(crate) fn result(rule: &str, file: &str, line: u32) -> Value {
    json!({
        "ruleId": rule, "message": { "text": format!("{rule} in {file}") },
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": file }, "region": { "startLine": line } } }],
    })
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = Database::new().await;
        let start = Timestamp::parse(START).expect("a time");
        let clock = Arc::new(AtomicI64::new(start.0));
        let (time, drawn) = (clock.clone(), AtomicU64::new(0));
        let runtime = Runtime::new(
            // Every look at the clock is a microsecond later, so that an order in time is an order of events.
            move || Timestamp(time.fetch_add(1, Ordering::SeqCst)),
            move |bytes| {
                let draw = drawn.fetch_add(1, Ordering::SeqCst);
                let hash = Sha256::digest(draw.to_be_bytes());
                bytes
                    .iter_mut()
                    .zip(hash.iter().cycle())
                    .for_each(|(byte, random)| *byte = *random);
            },
        );
        let store = Store::open(&database.url).await.expect("a database");
        let engine = Engine::new(store, runtime, "http://127.0.0.1:3000");
        let acme = settle(&engine, "acme").await;
        let globex = settle(&engine, "globex").await;
        let teams = Mutex::new(BTreeMap::from([("checkout".to_owned(), acme.team.clone())]));
        Self {
            teams,
            engine,
            acme,
            globex,
            clock,
            database,
        }
    }

    pub(crate) fn pass(&self, micros: i64) {
        self.clock.fetch_add(micros, Ordering::SeqCst);
    }

    pub(crate) fn person(&self, role: &str) -> Ctx {
        self.person_of(&self.acme, role)
    }

    pub(crate) fn person_of(&self, place: &Place, role: &str) -> Ctx {
        let principal = Principal::Person {
            tenant: place.tenant.clone(),
            person: place.person(role),
            session: format!("session of {role}"),
        };
        Ctx::new(principal, self.engine.runtime())
    }

    /// The same person in another session.
    pub(crate) fn in_session(&self, role: &str, session: &str) -> Ctx {
        let principal = Principal::Person {
            tenant: self.acme.tenant.clone(),
            person: self.acme.person(role),
            session: session.to_owned(),
        };
        Ctx::new(principal, self.engine.runtime())
    }

    pub(crate) fn client(&self, role: &str) -> Ctx {
        self.client_of(&self.acme, role)
    }

    pub(crate) fn client_of(&self, place: &Place, role: &str) -> Ctx {
        let principal = Principal::Client {
            tenant: place.tenant.clone(),
            caller: place.person(role),
            client: place.client.clone(),
        };
        Ctx::new(principal, self.engine.runtime())
    }

    /// A work package of one story and two tasks, with real references. Each key asks for another one.
    pub(crate) fn package(&self, key: &str) -> Value {
        let acme = &self.acme;
        json!({
            "idempotencyKey": key,
            "reason": format!("Blocker {} keeps the release from its certification.", acme.blocker),
            "workflow": "release-readiness",
            "releaseId": acme.release, "certificationId": acme.certification, "teamId": acme.team,
            "application": "shop",
            "parent": { "title": "Remove injection findings in login", "description": format!("Found by probe ({key})."),
                        "owner": "developer@acme.example", "priority": "high", "acceptanceCriteria": ["No finding is left."] },
            "children": [
                { "clientRef": "one", "title": "Parameterize the query in routes/login.ts:34", "description": "d",
                  "estimate": "2 h", "findingIds": [acme.finding], "controlIds": [acme.control], "evidenceIds": [acme.evidence] },
                { "clientRef": "two", "title": "Test the login with hostile input", "description": "d", "estimate": 3,
                  "findingIds": [acme.finding], "controlIds": [], "evidenceIds": [acme.evidence] },
            ],
            "blockerIds": [acme.blocker],
        })
    }

    pub(crate) async fn propose(&self, arguments: Value) -> Result<ToolResponse, Error> {
        self.engine
            .call_tool(
                &self.client("developer"),
                "loopiq_create_remediation_work_package",
                arguments,
            )
            .await
    }

    /// Proposes a story like no other: (action ID, digest).
    pub(crate) async fn story(&self, n: usize) -> (String, String) {
        let arguments = json!({
            "idempotencyKey": format!("story-{n}"), "reason": format!("Evidence {} asks for it.", self.acme.evidence),
            "releaseId": self.acme.release, "teamId": self.acme.team, "kind": "story", "title": loopiq_testing::unlike(n),
            "description": "d", "priority": "low", "evidenceIds": [self.acme.evidence],
        });
        let answer = self
            .engine
            .call_tool(&self.client("developer"), "loopiq_create_work_item", arguments)
            .await
            .expect("a proposal")
            .structured;
        (text(&answer, "actionId"), text(&answer, "digest"))
    }

    /// Proposes the package under this key: (action ID, digest).
    pub(crate) async fn proposed(&self, key: &str) -> (String, String) {
        let answer = self.propose(self.package(key)).await.expect("a proposal").structured;
        (text(&answer, "actionId"), text(&answer, "digest"))
    }

    pub(crate) async fn get(&self, id: &str) -> Value {
        let arguments = json!({ "actionId": id });
        self.engine
            .call_tool(&self.client("developer"), "loopiq_get_action", arguments)
            .await
            .expect("an action")
            .structured
    }

    /// The marks of every warning that the action has today, as its page shows them.
    pub(crate) async fn marks(&self, id: &str) -> Vec<String> {
        match self
            .engine
            .action_page(&self.person("auditor"), id, Visit::Unrecorded)
            .await
        {
            Ok(page) => page
                .checks
                .iter()
                .filter(|check| check.warns())
                .map(Check::mark)
                .collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Puts somebody on a team, which is made if it is not there.
    pub(crate) async fn join(&self, who: &str, team: &str) {
        let ctx = Ctx::system(self.acme.tenant.clone(), self.engine.runtime());
        let (person, key) = (self.acme.person(who).id, team.to_owned());
        let known = self.teams.lock().expect("teams").get(team).cloned();
        let (new, id) = (known.is_none(), known.unwrap_or_else(|| self.engine.runtime().id()));
        self.teams.lock().expect("teams").insert(key.clone(), id.clone());
        let made = self.engine.store().write::<_, Error, _>(&ctx, move |tx| {
            Box::pin(async move {
                if new {
                    let name = key.to_uppercase();
                    let id = id.clone();
                    tx.insert_team(&Team { id, key, name }).await?;
                }
                Ok(tx.insert_member(&id, &person).await?)
            })
        });
        made.await.expect("a member");
    }

    /// Switches a policy on, as an operator does; where it takes a second one, they confirm it.
    pub(crate) async fn policy(&self, source: &str) -> i64 {
        let operator = self.person("operator");
        let today = async || {
            self.engine
                .policy_page(&operator, None, None)
                .await
                .expect("a page")
                .today
        };
        let switched = self.engine.switch_policy(&operator, source, "", today().await).await;
        match switched.expect("a policy") {
            Switched::InForce(version) | Switched::Same(version) => version,
            Switched::Waits(asked, _) => {
                let second = self.person("operator2");
                let confirmed = confirm(&self.engine, &second, asked.id.as_str()).await;
                assert!(confirmed.expect("confirmed").done);
                today().await
            }
        }
    }

    /// Approves as somebody who has looked at everything.
    pub(crate) async fn approve(&self, who: &str, id: &str, digest: &str) -> Result<Outcome, Error> {
        self.engine.action_page(&self.person(who), id, Visit::Opened).await?;
        let consent = self.consent(id, digest).await;
        self.consent_as(&self.person(who), id, consent).await
    }

    /// Sends this consent as somebody who has opened the page.
    pub(crate) async fn consent_as(&self, ctx: &Ctx, id: &str, mut consent: ApprovalRequest) -> Result<Outcome, Error> {
        consent.view = self.opened(ctx, id).await;
        self.engine.approve(ctx, id, consent).await
    }

    /// Approves with these acknowledgements alone, as somebody who has opened the page.
    pub(crate) async fn approve_as(
        &self,
        ctx: &Ctx,
        id: &str,
        digest: &str,
        acknowledged: &[String],
    ) -> Result<Outcome, Error> {
        let consent = ApprovalRequest {
            digest: digest.to_owned(),
            acknowledged: acknowledged.to_vec(),
            ..ApprovalRequest::default()
        };
        self.consent_as(ctx, id, consent).await
    }

    /// Runs it as somebody who has opened the page.
    pub(crate) async fn execute(&self, ctx: &Ctx, id: &str) -> Result<Outcome, Error> {
        let view = self.opened(ctx, id).await;
        self.engine.execute(ctx, id, &view).await
    }

    /// Opens the page, unless this person has it open; the value that its forms carry, or nothing where it cannot be opened.
    pub(crate) async fn opened(&self, ctx: &Ctx, id: &str) -> String {
        for record in [false, true] {
            if let Ok(page) = self
                .engine
                .action_page(ctx, id, if record { Visit::Opened } else { Visit::Unrecorded })
                .await
                && let Some(view) = page.view
            {
                return view;
            }
        }
        String::new()
    }

    /// All that an approval takes: every warning acknowledged, every part opened, and the word typed where one is asked for.
    pub(crate) async fn consent(&self, id: &str, digest: &str) -> ApprovalRequest {
        let page = self
            .engine
            .action_page(&self.person("reviewer"), id, Visit::Unrecorded)
            .await
            .expect("a page");
        ApprovalRequest {
            digest: digest.to_owned(),
            view: String::new(),
            acknowledged: self.marks(id).await,
            typed: page.panel.word.unwrap_or_default(),
            opened: page.parts,
        }
    }

    /// Rows of a table.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        self.database.count(table).await
    }

    /// Every row of every table as text: `table|column=value|…`.
    pub(crate) async fn dump(&self) -> Vec<String> {
        self.database.dump().await
    }
}

pub(crate) fn text(value: &Value, field: &str) -> String {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} in {value}"))
        .to_owned()
}

async fn settle(engine: &Engine, name: &str) -> Place {
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
            issuer: "https://idp.example".into(),
            subject: email.clone(),
            email: Email::verified(&email),
            name: format!("{who} of {name}"),
            roles,
        };
        let (_, person) = engine.sign_in(name, asserted).await.expect("a sign-in");
        people.push((who.to_owned(), person));
    }
    let (team, release, other_release): (TeamId, ReleaseId, ReleaseId) = (runtime.id(), runtime.id(), runtime.id());
    let (certification, control, story): (CertificationId, ControlId, WorkItemId) =
        (runtime.id(), runtime.id(), runtime.id());
    let component: ComponentId = runtime.id();
    let member = people[0].1.id.clone();
    let place = (
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
                let (team, release, other, certification, control, story) = place;
                tx.insert_team(&Team {
                    id: team.clone(),
                    key: "checkout".into(),
                    name: "Checkout".into(),
                })
                .await?;
                tx.insert_member(&team, &member).await?;
                for (id, key) in [(&release, "SHOP-1"), (&other, "SHOP-2")] {
                    let release = Release {
                        id: id.clone(),
                        key: key.into(),
                        name: format!("Shop {key}"),
                        status: ReleaseStatus::InProgress,
                        severity_threshold: Severity::High,
                        commit: None,
                        version: 1,
                    };
                    tx.insert_release(&release, &[&team]).await?;
                }
                let shop = Component {
                    id: component,
                    kind: ComponentKind::Application,
                    key: "shop".into(),
                    name: "Shop".into(),
                    team_id: team.clone(),
                };
                tx.insert_component(&shop, &[&release]).await?;
                tx.insert_certification(&Certification {
                    id: certification,
                    key: "SOC2-1".into(),
                    name: "SOC 2".into(),
                    release_id: release.clone(),
                    status: CertificationStatus::Open,
                    statement: None,
                    version: 1,
                })
                .await?;
                tx.insert_control(&Control {
                    id: control,
                    key: "AC-3".into(),
                    title: "Access enforcement".into(),
                    release_id: release.clone(),
                    status: ControlStatus::Failing,
                    version: 1,
                })
                .await?;
                tx.insert_work_item(&work_item(&story, &release, &team, "Harden the login"))
                    .await?;
                Ok(tx.ensure_client("Helix").await?)
            })
        })
        .await
        .expect("records");
    let scan = sarif(json!([
        result("sql-injection", "routes/login.ts", 34),
        result("style", "a.ts", 1)
    ]));
    engine
        .import(&ctx, "SHOP-1", "probe.sarif", scan, None, None)
        .await
        .expect("an import");
    let scan = sarif(json!([result("sql-injection", "routes/other.ts", 9)]));
    engine
        .import(&ctx, "SHOP-2", "probe.sarif", scan, None, None)
        .await
        .expect("an import");
    let (of, other) = (release.clone(), other_release.clone());
    let (blocker, elsewhere) = engine
        .store()
        .read::<_, Error, _>(&ctx, move |tx| {
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
    Place {
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

pub(crate) fn work_item(id: &WorkItemId, release: &ReleaseId, team: &TeamId, title: &str) -> WorkItem {
    WorkItem {
        id: id.clone(),
        key: String::new(),
        kind: WorkItemKind::Story,
        release_id: release.clone(),
        parent_id: None,
        team_id: team.clone(),
        owner_id: None,
        title: title.into(),
        description: String::new(),
        status: WorkItemStatus::Open,
        priority: Priority::Medium,
        estimate: None,
        acceptance_criteria: Vec::new(),
        version: 1,
        finding_ids: Vec::new(),
        control_ids: Vec::new(),
        evidence_ids: Vec::new(),
        blocker_ids: Vec::new(),
    }
}

/// Confirms a request as an operator who has its page open.
pub(crate) async fn confirm(engine: &Engine, ctx: &Ctx, id: &str) -> Result<Outcome, Error> {
    let mut view = String::new();
    // Others have no such page, and asking for it would be a denial of its own.
    if allows(&ctx.principal, Permission::Configure)
        && let Ok(request) = engine.request(ctx, id).await
    {
        view = request.view.unwrap_or_default();
    }
    engine.confirm_request(ctx, id, &view).await
}
