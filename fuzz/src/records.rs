//! Records for every ID in a payload, so that plans get further than "there is no such record".

use loopiq::domain::*;

const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

/// A record for each requested ID, address and name.
pub(crate) fn named_by(query: &FactsQuery) -> Facts {
    let mut facts = Facts::default();
    let release = ids(query, RecordKind::Release, ReleaseId::parse)
        .pop()
        .unwrap_or_else(|| ReleaseId::from_bits(1));
    let team = ids(query, RecordKind::Team, TeamId::parse)
        .pop()
        .unwrap_or_else(|| TeamId::from_bits(1));
    for id in ids(query, RecordKind::Release, ReleaseId::parse) {
        facts.insert(of_release(id));
    }
    if !facts.contains(release.as_str()) {
        facts.insert(of_release(release.clone()));
    }
    for id in ids(query, RecordKind::Team, TeamId::parse) {
        let (key, name) = ("checkout".to_owned(), "Checkout".to_owned());
        facts.insert(Team { id, key, name });
    }
    let people = ids(query, RecordKind::Person, PersonId::parse).into_iter();
    let emails = query.emails.iter().zip(1..);
    for (id, email) in people
        .map(|id| (id, "somebody@acme.example".to_owned()))
        .chain(emails.map(|(email, n)| (PersonId::from_bits(n), email.as_str().to_owned())))
    {
        let person = Person {
            id: id.clone(),
            email: Email::verified(&email),
            name: "Somebody".into(),
            roles: vec![Role::Lead],
        };
        facts.insert(person);
    }
    for ((name, kind), n) in query.components.iter().zip(kinds()).zip(1..) {
        let id = ComponentId::from_bits(n);
        facts.insert(Component {
            id,
            kind,
            key: name.clone(),
            name: name.clone(),
            team_id: team.clone(),
        });
    }
    for (id, kind) in ids(query, RecordKind::Component, ComponentId::parse)
        .into_iter()
        .zip(kinds())
    {
        facts.insert(Component {
            id,
            kind,
            key: "shop".to_owned(),
            name: "Shop".to_owned(),
            team_id: team.clone(),
        });
    }
    for id in ids(query, RecordKind::Certification, CertificationId::parse) {
        facts.insert(Certification {
            id,
            key: "SOC2".to_owned(),
            name: "SOC 2".to_owned(),
            release_id: release.clone(),
            status: CertificationStatus::Open,
            statement: None,
            version: 1,
        });
    }
    for id in ids(query, RecordKind::Control, ControlId::parse) {
        facts.insert(Control {
            id,
            key: "AC-2".to_owned(),
            title: "Account management".to_owned(),
            release_id: release.clone(),
            status: ControlStatus::Failing,
            version: 1,
        });
    }
    let newest = query.newest.clone();
    let (provider, kind) = newest.map_or(("probe".to_owned(), "sarif".to_owned()), |(_, provider, kind)| {
        (provider, kind)
    });
    let of_newest = query.newest.iter().map(|_| EvidenceId::from_bits(1));
    for id in ids(query, RecordKind::Evidence, EvidenceId::parse)
        .into_iter()
        .chain(of_newest)
    {
        facts.insert(Evidence {
            id,
            key: "EV-1".to_owned(),
            release_id: release.clone(),
            provider: provider.clone(),
            kind: kind.clone(),
            name: "scan.json".to_owned(),
            sha256: "00".repeat(32),
            size: 1,
            collected_at: NOW,
            collected_from: CollectedFrom::Run,
            imported_at: NOW,
            commit: None,
            component: None,
        });
    }
    for id in ids(query, RecordKind::Finding, FindingId::parse) {
        facts.insert(of_finding(id, &release));
    }
    for id in ids(query, RecordKind::Blocker, BlockerId::parse) {
        facts.insert(Blocker {
            id,
            key: "BL-1".to_owned(),
            release_id: release.clone(),
            finding_id: Some(FindingId::from_bits(1)),
            control_id: None,
            status: BlockerStatus::Open,
            version: 1,
            title: "A finding".to_owned(),
            severity: Severity::High,
        });
    }
    for id in ids(query, RecordKind::WorkItem, WorkItemId::parse) {
        facts.insert(of_work_item(id, &release, &team));
    }
    for id in ids(query, RecordKind::Action, ActionId::parse) {
        facts.insert(ActionRef {
            id,
            headline: "An action".to_owned(),
            release_id: Some(release.clone()),
            team_id: Some(team.clone()),
        });
    }
    facts
}

fn ids<T>(query: &FactsQuery, kind: RecordKind, parse: fn(&str) -> Result<T, ids::InvalidId>) -> Vec<T> {
    query.ids_of(kind).into_iter().filter_map(|id| parse(id).ok()).collect()
}

fn kinds() -> impl Iterator<Item = ComponentKind> {
    [
        ComponentKind::Application,
        ComponentKind::Module,
        ComponentKind::Repository,
        ComponentKind::Service,
    ]
    .into_iter()
    .cycle()
}

fn of_release(id: ReleaseId) -> Release {
    Release {
        id,
        key: "SHOP-1".to_owned(),
        name: "Shop".to_owned(),
        status: ReleaseStatus::InProgress,
        severity_threshold: Severity::High,
        commit: None,
        version: 1,
    }
}

fn of_finding(id: FindingId, release: &ReleaseId) -> Finding {
    Finding {
        id,
        key: "FN-1".to_owned(),
        provider: "probe".to_owned(),
        rule: "sql-injection".to_owned(),
        title: "SQL injection".to_owned(),
        message: String::new(),
        severity: Severity::Critical,
        status: FindingStatus::Open,
        justification: None,
        status_expires_at: None,
        location: None,
        line: None,
        component: None,
        first_seen_at: NOW,
        last_seen_at: NOW,
        decided_at: None,
        seen_again: false,
        not_seen_since: None,
        version: 1,
        releases: Vec::new(),
        release_ids: vec![release.clone()],
        evidence_ids: Vec::new(),
    }
}

fn of_work_item(id: WorkItemId, release: &ReleaseId, team: &TeamId) -> WorkItem {
    WorkItem {
        key: "WI-1".to_owned(),
        ..WorkItem::new(&id, release, team, "A story")
    }
}
