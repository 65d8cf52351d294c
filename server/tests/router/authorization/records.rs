//! The records that requests name: those of a tenant, and IDs that no tenant has.

use crate::support::Service;
use loopiq::domain::{PersonId, RecordKind, TenantId};
use loopiq_testing::fixtures::{sarif, sarif_result, sarif_rule};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// The values of the names in requests.
#[derive(Clone)]
pub(super) struct Records(BTreeMap<&'static str, String>);

impl Records {
    /// The names, as [`Records::fill`] replaces them.
    pub(super) const NAMES: [&str; 18] = [
        "action",
        "person",
        "other_person",
        "session",
        "grant",
        "request",
        "team",
        "release",
        "certification",
        "control",
        "work_item",
        "finding",
        "blocker",
        "evidence",
        "question",
        "release_key",
        "certification_key",
        "redirect",
    ];

    /// The text with each name replaced by its value.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.0 {
            text = text.replace(&format!("<{name}>"), value);
        }
        text
    }

    /// The value of a name.
    pub(super) fn get(&self, name: &str) -> &str {
        &self.0[name]
    }

    /// The same records, but for one name.
    pub(super) fn but(&self, name: &'static str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.0.insert(name, value.to_owned());
        changed
    }

    /// The same records, for a caller of this tenant.
    pub(super) fn with_tenant(&self, tenant: &str) -> Self {
        self.but("tenant", tenant)
    }

    /// IDs and keys of the same kinds and lengths that no tenant has.
    pub(super) fn absent(&self) -> Self {
        let absent = |(name, value): (&&'static str, &String)| {
            let other = match value.split_once('_') {
                Some((prefix, id)) if RecordKind::of(value).is_some() => {
                    format!("{prefix}_{}1", "0".repeat(id.len() - 1))
                }
                _ if name.ends_with("_key") => format!("NOP{}", &value[3..]),
                _ => value.clone(),
            };
            (*name, other)
        };
        Self(self.0.iter().map(absent).collect())
    }
}

/// Creates a record of each kind in a tenant, whose people are `ROLE@TENANT.example`.
pub(super) async fn create(service: &Service, tenant: &'static str) -> Records {
    let email = |role: &str| format!("{role}@{tenant}.example");
    let key = tenant[..3].to_uppercase();
    let catalog = format!(
        "teams: [{{ key: payments, name: Payments }}]\n\
         applications: [{{ key: payments, name: Payments, team: payments }}]\n\
         releases:\n  - key: {key}-1\n    name: Payments 1\n    teams: [payments]\n    applications: [payments]\n    \
         severityThreshold: high\n    certifications: [{{ key: {key}-PCI, name: PCI DSS }}]\n    \
         controls: [{{ key: AC-3, title: Access enforcement }}]\n    \
         backlog: [{{ key: statements, title: Move the queries to prepared statements }}]\n"
    );
    service.apply_catalog_of(tenant, &catalog).await;
    import(service, tenant, &key).await;
    service.signed_in(&email("operator")).await;
    let mut reviewer = service.signed_in(&email("reviewer")).await;
    service.signed_in(&email("developer")).await;
    let find = async |sql: String| -> String {
        let mut connection = service.database.connect().await;
        let found = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(tenant)
            .fetch_one(&mut connection)
            .await;
        found.unwrap()
    };
    let first = async |table: &str| find(format!("SELECT MIN(id) FROM {table} WHERE tenant = $1")).await;
    let person = async |role: &str| {
        find(format!(
            "SELECT id FROM people WHERE tenant = $1 AND email = '{}'",
            email(role)
        ))
        .await
    };
    let (developer, other) = (person("developer").await, person("reviewer").await);
    let (release, team) = (first("releases").await, first("teams").await);
    let action = propose(service, tenant, &developer, &release, &team).await;
    let asked = reviewer
        .post("/do/ask", &[("id", &action), ("text", "Which queries?")])
        .await;
    assert_eq!(asked.status, 303, "{}", asked.text);
    let mut operator = service.signed_in(&email("operator")).await;
    let link = [
        ("one", developer.as_str()),
        ("other", &other),
        ("whose", "same"),
        ("text", "They told me."),
    ];
    let linked = operator.post("/do/link-people", &link).await;
    assert_eq!(linked.status, 303, "{}", linked.text);
    service
        .state
        .engine
        .sign_checkpoint(&TenantId::parse(tenant).unwrap())
        .await
        .unwrap();
    let reviewers = "SELECT MIN(s.id) FROM sessions s JOIN people p ON p.tenant = s.tenant AND p.id = s.person_id \
                     WHERE s.tenant = $1 AND p.roles LIKE '%reviewer%'";
    Records(BTreeMap::from([
        ("session", find(reviewers.to_owned()).await),
        ("grant", first("grants").await),
        ("request", first("operator_requests").await),
        ("certification", first("certifications").await),
        ("control", first("controls").await),
        ("work_item", first("work_items").await),
        ("finding", first("findings").await),
        ("blocker", first("blockers").await),
        ("evidence", first("evidence").await),
        ("question", first("questions").await),
        ("release_key", format!("{key}-1")),
        ("certification_key", format!("{key}-PCI")),
        ("redirect", String::new()),
        ("person", developer),
        ("other_person", other),
        ("action", action),
        ("release", release),
        ("team", team),
    ]))
}

/// Imports a finding that blocks the release.
async fn import(service: &Service, tenant: &str, key: &str) {
    let rules = json!([sarif_rule("sql", "A query is built from input.", "9.1")]);
    let results = json!([sarif_result("sql", "src/ledger.rs", 7)]);
    let file = sarif("2026-11-22T20:00:00Z", rules, results);
    let token = service.program_token_of(tenant, "loopiq:import").await;
    let request = service
        .browser()
        .program(
            Method::POST,
            &format!("/api/v1/evidence?release={key}-1&name=scan.sarif"),
        )
        .bearer_auth(token)
        .body(file);
    let imported = service.browser().send(request).await;
    assert_eq!(imported.status, 200, "{}", imported.text);
}

/// A client of the developer proposes a story.
async fn propose(service: &Service, tenant: &str, developer: &str, release: &str, team: &str) -> String {
    let developer = PersonId::parse(developer).unwrap();
    let token = service
        .insert_token(tenant, Some(developer), "loopiq:read loopiq:propose")
        .await;
    let story = json!({ "tool": "loopiq_create_work_item", "arguments": {
        "releaseId": release, "teamId": team, "kind": "story", "priority": "high",
        "title": "Escape the name of the account on the statement",
        "description": "The scanner found that it is written as it was entered.",
        "reason": "A scanner reported it for this release.",
    } });
    let request = service
        .browser()
        .program(Method::POST, "/api/v1/actions")
        .bearer_auth(token);
    let request = request.header("idempotency-key", "story").json(&story);
    let proposed = service.browser().send(request).await;
    assert_eq!(proposed.status, 201, "{}", proposed.text);
    let proposed: Value = serde_json::from_str(&proposed.text).unwrap();
    proposed["actionId"].as_str().unwrap().to_owned()
}
