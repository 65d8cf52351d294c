//! Table tests of every check: cases that must be blocked or warned of, and near misses that must pass.

use crate::checks::{CheckInput, run};
use crate::domain::*;
use crate::tools;
use crate::tools::{NewIds, Plan};
use serde_json::{Value, json};
use std::collections::VecDeque;

mod blockers;
mod citations;
mod duplicates;
mod evidence;
mod foreign_references;
mod hierarchy;
mod ownership;
mod places;
mod scope;
mod stability;
mod text_safety;
mod titles;

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

/// A proposal that passes every check, with its facts and its context. Tests change it until a check objects.
#[derive(Clone)]
pub(super) struct Case {
    pub tool: &'static str,
    pub payload: Value,
    pub facts: Facts,
    pub context: CheckContext,
    pub unread: Vec<String>,
    pub caller: PersonId,
}

fn release(n: u128, key: &str) -> Release {
    Release {
        id: ReleaseId::from_bits(n),
        key: key.into(),
        name: key.into(),
        status: ReleaseStatus::InProgress,
        severity_threshold: Severity::High,
        commit: Some("9f1c2e7".into()),
        version: 1,
    }
}

fn finding(n: u128, release: &Release) -> Finding {
    Finding {
        id: FindingId::from_bits(n),
        key: format!("FND-{n}"),
        provider: "probe".into(),
        rule: "sql-injection".into(),
        title: "SQL injection".into(),
        message: String::new(),
        severity: Severity::High,
        status: FindingStatus::Open,
        justification: None,
        status_expires_at: None,
        location: Some("routes/login.ts".into()),
        line: Some(34),
        component: None,
        first_seen_at: NOW,
        last_seen_at: NOW,
        decided_at: None,
        seen_again: false,
        not_seen_since: None,
        version: 1,
        releases: Vec::new(),
        release_ids: vec![release.id.clone()],
        evidence_ids: vec![EvidenceId::from_bits(1)],
    }
}

fn evidence(n: u128, release: &Release, days: i64) -> Evidence {
    Evidence {
        id: EvidenceId::from_bits(n),
        key: format!("EV-{n}"),
        release_id: release.id.clone(),
        provider: "probe".into(),
        kind: "sarif".into(),
        name: "probe.sarif".into(),
        sha256: "00".into(),
        size: 1,
        collected_at: NOW.plus(-days * Timestamp::DAY),
        collected_from: CollectedFrom::Run,
        imported_at: NOW,
        commit: None,
        component: None,
    }
}

fn item(n: u128, release: &Release, kind: WorkItemKind, title: &str) -> WorkItem {
    WorkItem {
        key: WorkItem::key_of(n as i64),
        kind,
        ..WorkItem::new(&WorkItemId::from_bits(n), &release.id, &TeamId::from_bits(1), title)
    }
}

fn person(n: u128, name: &str) -> Person {
    Person {
        id: PersonId::from_bits(n),
        email: Email::verified(&format!("{name}@acme.example")),
        name: name.into(),
        roles: vec![Role::Developer],
    }
}

/// Name, case, and the codes and verdicts of all its trouble.
pub(super) type Line = (&'static str, Case, &'static [&'static str]);

pub(super) fn check_all(lines: Vec<Line>) {
    for (name, case, expected) in lines {
        assert_eq!(case.trouble(), expected, "{name}: {:#?}", case.checks());
    }
}

pub(super) fn package(change: impl FnOnce(&mut Case)) -> Case {
    Case::package().with(change)
}

pub(super) fn task(change: impl FnOnce(&mut Case)) -> Case {
    Case::task().with(change)
}

/// A package whose second task has this title.
pub(super) fn title(text: &str) -> Case {
    package(|case| case.payload["children"][1]["title"] = json!(text))
}

/// A package with this reason.
pub(super) fn reason(text: &str) -> Case {
    package(|case| case.payload["reason"] = json!(text))
}

/// A package whose first task has this description.
pub(super) fn description(text: &str) -> Case {
    package(|case| case.payload["children"][0]["description"] = json!(text))
}

impl Case {
    /// A work package of one story and two tasks.
    pub(super) fn package() -> Self {
        let (shop, other) = (release(1, "SHOP-1"), release(2, "SHOP-2"));
        let (dana, lee) = (person(1, "dana"), person(2, "lee"));
        let blocker = |n: u128, release: &Release| Blocker {
            id: BlockerId::from_bits(n),
            key: format!("BLK-{n}"),
            release_id: release.id.clone(),
            finding_id: Some(FindingId::from_bits(n)),
            control_id: None,
            status: BlockerStatus::Open,
            version: 1,
            title: "SQL injection".into(),
            severity: Severity::High,
        };
        let control = |n: u128, release: &Release| Control {
            id: ControlId::from_bits(n),
            key: format!("AC-{n}"),
            title: "Access enforcement".into(),
            release_id: release.id.clone(),
            status: ControlStatus::Failing,
            version: 1,
        };
        let certification = |n: u128, release: &Release| Certification {
            id: CertificationId::from_bits(n),
            key: format!("SOC2-{n}"),
            name: "SOC 2".into(),
            release_id: release.id.clone(),
            status: CertificationStatus::Open,
            statement: None,
            version: 1,
        };
        let component = |n: u128, key: &str, team: u128| Component {
            id: ComponentId::from_bits(n),
            kind: ComponentKind::Application,
            key: key.into(),
            name: key.into(),
            team_id: TeamId::from_bits(team),
        };
        let team = |n: u128, key: &str| Team {
            id: TeamId::from_bits(n),
            key: key.into(),
            name: key.into(),
        };
        let mut facts = Facts::default();
        let mut add = |records: Vec<Record>| records.into_iter().for_each(|record| facts.insert(record));
        add(vec![certification(1, &shop).into(), certification(2, &other).into()]);
        add(vec![team(1, "Checkout").into(), team(2, "Ledger").into()]);
        add(vec![dana.clone().into(), lee.into()]);
        add(vec![
            component(1, "shop", 1).into(),
            component(2, "ledger", 2).into(),
            component(3, "kiosk", 2).into(),
        ]);
        add(vec![control(1, &shop).into(), control(2, &other).into()]);
        add(vec![
            evidence(1, &shop, 2).into(),
            evidence(2, &other, 2).into(),
            evidence(3, &shop, 41).into(),
        ]);
        add(vec![
            finding(1, &shop).into(),
            finding(2, &other).into(),
            finding(3, &shop).into(),
        ]);
        add(vec![blocker(1, &shop).into(), blocker(2, &other).into()]);
        add(vec![
            item(1, &shop, WorkItemKind::Story, "Harden the sign-in").into(),
            item(2, &other, WorkItemKind::Story, "Rework the basket").into(),
            item(3, &shop, WorkItemKind::Task, "Limit attempts per address").into(),
            item(4, &shop, WorkItemKind::Story, "Log what is refused").into(),
        ]);
        add(vec![shop.clone().into(), other.into()]);
        let context = CheckContext {
            members: [(TeamId::from_bits(1).to_string(), dana.id.to_string())].into(),
            release_teams: [TeamId::from_bits(1).to_string()].into(),
            release_components: [1, 3].map(|n| ComponentId::from_bits(n).to_string()).into(),
            file_states: (1..=3)
                .map(|n| (EvidenceId::from_bits(n).to_string(), FileState::Intact))
                .collect(),
            ..CheckContext::default()
        };
        Self {
            tool: "loopiq_create_remediation_work_package",
            payload: json!({
                "reason": "Blocker BLK-1 keeps the release from its certification.",
                "releaseId": shop.id, "certificationId": CertificationId::from_bits(1), "teamId": TeamId::from_bits(1),
                "application": "shop", "blockerIds": [BlockerId::from_bits(1)],
                "parent": { "title": "Remove injection findings in login", "description": "Found by probe.",
                            "owner": "dana@acme.example", "priority": "high", "acceptanceCriteria": ["No finding is left."] },
                "children": [
                    { "clientRef": "one", "title": "Parameterize the query in routes/login.ts:34", "description": "d",
                      "findingIds": [FindingId::from_bits(1)], "controlIds": [ControlId::from_bits(1)],
                      "evidenceIds": [EvidenceId::from_bits(1)] },
                    { "clientRef": "two", "title": "Test the login with hostile input", "description": "d",
                      "findingIds": [], "evidenceIds": [EvidenceId::from_bits(1)] },
                ],
            }),
            facts,
            context,
            unread: Vec::new(),
            caller: dana.id,
        }
    }

    /// One task with an existing story as parent.
    pub(super) fn task() -> Self {
        let mut case = Self::package();
        case.tool = "loopiq_create_work_item";
        case.payload = json!({
            "reason": "EV-1 asks for it.", "releaseId": ReleaseId::from_bits(1), "teamId": TeamId::from_bits(1), "kind": "task",
            "parentId": WorkItemId::from_bits(1), "title": "Limit failed attempts per account", "description": "d",
            "priority": "low", "evidenceIds": [EvidenceId::from_bits(1)],
        });
        case
    }

    /// A new title for an existing story.
    pub(super) fn update() -> Self {
        let mut case = Self::package();
        case.tool = "loopiq_update_work_item";
        case.payload = json!({
            "reason": "WI-1 is about more than that.", "workItemId": WorkItemId::from_bits(1), "expectedVersion": 1,
            "changes": { "title": "Harden the sign-in against guessing" },
        });
        case
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn plan(&self) -> Plan {
        let tool = tools::find(self.tool).expect("a tool");
        let ids: VecDeque<String> = (900..960).map(|n| WorkItemId::from_bits(n).to_string()).collect();
        tool.plan(&self.payload, &self.facts, &mut NewIds::Stored(ids))
            .unwrap_or_else(|fields| panic!("{fields:?}"))
    }

    /// The results of all checks.
    pub(super) fn checks(&self) -> Vec<Check> {
        run(&CheckInput {
            payload: &self.payload,
            plan: &self.plan(),
            facts: &self.facts,
            context: &self.context,
            caller: &self.caller,
            unread: &self.unread,
            policy: &crate::policy::Policy::default(),
            now: NOW,
        })
    }

    /// The results that are no passes, as `code verdict`.
    pub(super) fn trouble(&self) -> Vec<String> {
        self.checks()
            .iter()
            .filter(|check| check.verdict != Verdict::Pass)
            .map(|check| format!("{} {}", check.code.as_str(), check.verdict.as_str()))
            .collect()
    }

    /// The first result with this code.
    pub(super) fn result(&self, code: CheckCode) -> Check {
        let checks = self.checks();
        let found = checks.iter().find(|check| check.code == code);
        found
            .unwrap_or_else(|| panic!("no {}: {checks:#?}", code.as_str()))
            .clone()
    }
}

#[test]
fn a_good_proposal_passes_every_check() {
    for case in [Case::package(), Case::task(), Case::update()] {
        assert_eq!(case.trouble(), [""; 0], "{}", case.tool);
    }
    let checks = Case::package().checks();
    let ids: Vec<CheckId> = checks.iter().map(|check| check.id).collect();
    // Only a request for a certification is judged by the release's blockers.
    let all: Vec<CheckId> = CheckId::ALL.into_iter().filter(|id| *id != CheckId::Blockers).collect();
    assert_eq!(ids, all, "one result for each, in order");
    assert!(
        checks
            .iter()
            .all(|check| check.code.is_pass() && check.id == check.code.check())
    );
}

#[test]
fn the_context_query_follows_from_the_plan() {
    let case = Case::package();
    let query = crate::checks::context_query(&case.plan(), &case.facts, &case.caller);
    assert_eq!(query.release, Some(ReleaseId::from_bits(1)));
    assert_eq!(query.people, [PersonId::from_bits(1).to_string()].into());
    assert_eq!(query.findings, [FindingId::from_bits(1).to_string()].into());
    assert_eq!(query.evidence, [EvidenceId::from_bits(1).to_string()].into());
    let targets = [BlockerId::from_bits(1).to_string(), FindingId::from_bits(1).to_string()];
    assert_eq!(query.targets, targets.into());
    assert!(
        query.words.contains("injection") && !query.words.contains("the"),
        "{:?}",
        query.words
    );
    let update = Case::update();
    let query = crate::checks::context_query(&update.plan(), &update.facts, &update.caller);
    assert_eq!(query.targets, [WorkItemId::from_bits(1).to_string()].into());
}
