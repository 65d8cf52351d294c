//! A small world: two tenants with people, a release, evidence and a backlog each, and a clock that only the test advances.

mod records;

pub(crate) use records::{TenantRecords, sarif};

use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::{ApprovalRequest, Engine, Error, RequestOrigin, Switched, ToolResponse, Visit};
use loopiq::search::AuditIndex;
use loopiq::store::{Asserted, Store};
use loopiq::views::Outcome;
use loopiq_testing::Database;
pub(crate) use loopiq_testing::fixtures::sarif_result as result;
use loopiq_testing::fixtures::{self, TestClock};
use records::create_records;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The time at which every test begins.
pub(crate) const START: &str = "2026-11-22T09:00:00Z";

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) acme: TenantRecords,
    pub(crate) globex: TenantRecords,
    clock: TestClock,
    pub(crate) database: Database,
    /// The teams of acme, by key.
    teams: Mutex<BTreeMap<String, TeamId>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = Database::new().await;
        let clock = TestClock::ticking(START);
        let runtime = clock.runtime();
        let store = Store::open(&database.url).await.expect("a database");
        // Small batches, so that the searches of most tests read stored entries too.
        let index = AuditIndex::in_memory().with_batches_of(16);
        let engine = Engine::new(store, runtime, "http://127.0.0.1:3000").with_audit_index(index);
        let acme = create_records(&engine, "acme").await;
        let globex = create_records(&engine, "globex").await;
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

    pub(crate) fn advance_clock(&self, micros: i64) {
        self.clock.advance_clock(micros);
    }

    /// Signs a person in again, who has this role now.
    pub(crate) async fn sign_in_again(&self, who: &str, role: Role) {
        let asserted = Asserted {
            name: format!("{who} of acme"),
            ..fixtures::asserted("https://idp.example", &format!("{who}@acme.example"), &[role])
        };
        let signed_in = self.engine.sign_in("acme", asserted, &RequestOrigin::default()).await;
        signed_in.expect("signed in");
    }

    pub(crate) fn person(&self, role: &str) -> Ctx {
        self.person_of(&self.acme, role)
    }

    pub(crate) fn person_of(&self, records: &TenantRecords, role: &str) -> Ctx {
        let principal = Principal::Person {
            tenant: records.tenant.clone(),
            person: records.person(role),
            session: format!("session of {role}"),
        };
        self.context(principal)
    }

    /// The same person in another session.
    pub(crate) fn in_session(&self, role: &str, session: &str) -> Ctx {
        let principal = Principal::Person {
            tenant: self.acme.tenant.clone(),
            person: self.acme.person(role),
            session: session.to_owned(),
        };
        self.context(principal)
    }

    /// A request of this principal from a network address, with a program that says its name.
    fn context(&self, principal: Principal) -> Ctx {
        let mut ctx = Ctx::new(principal, self.engine.runtime());
        ctx.source.address = Some("192.0.2.1".to_owned());
        ctx.claims.agent = Some("probe 1.0".to_owned());
        ctx
    }

    pub(crate) fn client(&self, role: &str) -> Ctx {
        self.client_of(&self.acme, role)
    }

    pub(crate) fn client_of(&self, records: &TenantRecords, role: &str) -> Ctx {
        let principal = Principal::Client {
            tenant: records.tenant.clone(),
            caller: records.person(role),
            client: records.client.clone(),
            scopes: loopiq::domain::Scopes::of_agents(),
        };
        self.context(principal)
    }

    /// A work package of one story and two tasks, with real references. Packages with different keys differ.
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

    /// Proposes a story whose title is unlike all others: (action ID, digest).
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

    /// The marks of all warnings that the action's page shows now.
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

    /// Adds a person to a team, and creates the team if it does not exist.
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

    /// The contents of a tenant's audit entries of this event, in their order.
    pub(crate) async fn entries_of(&self, tenant: &TenantId, event: &str) -> Vec<Value> {
        let sql = "SELECT c.content FROM audit_entries e JOIN audit_contents c ON c.tenant = e.tenant AND c.seq = e.seq \
                   WHERE e.tenant = $1 AND e.event = $2 ORDER BY e.seq";
        let contents: Vec<String> = sqlx::query_scalar(sql)
            .bind(tenant.to_string())
            .bind(event.to_owned())
            .fetch_all(&mut self.database.connect().await)
            .await
            .expect("entries");
        let parse = |content: &String| serde_json::from_str(content).expect("JSON");
        contents.iter().map(parse).collect()
    }

    /// The contents of the audit entries of acme of this event.
    pub(crate) async fn entries(&self, event: &str) -> Vec<Value> {
        self.entries_of(&self.acme.tenant, event).await
    }

    /// Activates a policy as an operator who has signed in now. A second operator confirms the policy where that is required.
    pub(crate) async fn policy(&self, source: &str) -> i64 {
        for operator in ["operator", "operator2"] {
            self.sign_in_again(operator, Role::Operator).await;
        }
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

    /// Approves as a person who has opened the page and all its sections.
    pub(crate) async fn approve(&self, who: &str, id: &str, digest: &str) -> Result<Outcome, Error> {
        self.engine.action_page(&self.person(who), id, Visit::Opened).await?;
        let consent = self.consent(id, digest).await;
        self.consent_as(&self.person(who), id, consent).await
    }

    /// Sends this approval as a person who has opened the page.
    pub(crate) async fn consent_as(&self, ctx: &Ctx, id: &str, mut consent: ApprovalRequest) -> Result<Outcome, Error> {
        consent.view = self.opened(ctx, id).await;
        self.engine.approve(ctx, id, consent).await
    }

    /// Approves with these acknowledgements only, as a person who has opened the page.
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

    /// Executes the action as a person who has opened the page.
    pub(crate) async fn execute(&self, ctx: &Ctx, id: &str) -> Result<Outcome, Error> {
        let view = self.opened(ctx, id).await;
        self.engine.execute(ctx, id, &view).await
    }

    /// Opens the page, unless this person has it open. Returns the view that the page's forms carry; empty if the page cannot be opened.
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

    /// A complete approval: every warning is acknowledged, every section is opened, and the confirmation word is typed if one is required.
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
            opened: page.sections.into_iter().map(|section| section.id).collect(),
        }
    }

    /// The number of rows of a table.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        self.database.count(table).await
    }

    /// Every row of every table as text: `table|column=value|…`.
    pub(crate) async fn dump(&self) -> Vec<String> {
        self.database.dump().await
    }
}

/// The statement with which the owner of the database removes the trigger that refuses to change the rows of a table.
pub(crate) fn drop_trigger(table: &str) -> String {
    if loopiq_testing::on_postgres() {
        format!("DROP TRIGGER {table}_no_change ON {table}")
    } else {
        format!("DROP TRIGGER {table}_no_update")
    }
}

pub(crate) fn text(value: &Value, field: &str) -> String {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} in {value}"))
        .to_owned()
}

/// Confirms a request as an operator who has its page open.
pub(crate) async fn confirm(engine: &Engine, ctx: &Ctx, id: &str) -> Result<Outcome, Error> {
    let mut view = String::new();
    // Only operators have the page; for other people the request of the page would write a denial to the audit log.
    if allows(&ctx.principal, Permission::Configure)
        && let Ok(request) = engine.request(ctx, id).await
    {
        view = request.view.unwrap_or_default();
    }
    engine.confirm_request(ctx, id, &view).await
}

/// The message of an outcome that must be a refusal.
pub(crate) fn refused(outcome: Result<Outcome, Error>) -> String {
    outcome.expect_err("refused").to_string()
}
