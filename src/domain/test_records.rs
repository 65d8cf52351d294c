//! One record of each kind, for unit tests.

use super::*;

/// All of them have number `n` in their ID and key, and belong to the release of that number.
pub(crate) fn one_of_each(n: u128) -> Facts {
    let release_id = ReleaseId::from_bits(n);
    let at = Timestamp(1_800_000_000_000_000);
    let mut facts = Facts::default();
    let release = Release {
        id: release_id.clone(),
        key: format!("SHOP-{n}"),
        name: format!("Shop {n}"),
        status: ReleaseStatus::InProgress,
        severity_threshold: Severity::High,
        commit: None,
        version: 1,
    };
    facts.insert(release);
    let certification = Certification {
        id: CertificationId::from_bits(n),
        key: format!("SOC2-{n}"),
        name: format!("Certification {n}"),
        release_id: release_id.clone(),
        status: CertificationStatus::Open,
        statement: None,
        version: 1,
    };
    facts.insert(certification);
    let team = Team {
        id: TeamId::from_bits(n),
        key: format!("team-{n}"),
        name: format!("Team {n}"),
    };
    facts.insert(team);
    let person = Person {
        id: PersonId::from_bits(n),
        email: Email::verified(&format!("p{n}@acme.example")),
        name: format!("Person {n}").into(),
        roles: vec![Role::Developer],
    };
    facts.insert(person);
    let component = Component {
        id: ComponentId::from_bits(n),
        kind: ComponentKind::Service,
        key: format!("cart-{n}"),
        name: format!("Cart {n}"),
        team_id: TeamId::from_bits(n),
    };
    facts.insert(component);
    let control = Control {
        id: ControlId::from_bits(n),
        key: format!("AC-{n}"),
        title: format!("Control {n}"),
        release_id: release_id.clone(),
        status: ControlStatus::Failing,
        version: 1,
    };
    facts.insert(control);
    let evidence = Evidence {
        id: EvidenceId::from_bits(n),
        key: format!("EV-{n}"),
        release_id: release_id.clone(),
        provider: "probe".to_owned(),
        kind: "sarif".to_owned(),
        name: format!("scan-{n}.sarif"),
        sha256: "00".to_owned(),
        size: 1,
        collected_at: at,
        collected_from: CollectedFrom::Run,
        imported_at: at,
        commit: None,
        component: None,
    };
    facts.insert(evidence);
    let finding = Finding {
        id: FindingId::from_bits(n),
        key: format!("FND-{n}"),
        provider: "probe".to_owned(),
        rule: "sql-injection".to_owned(),
        title: format!("Finding {n}"),
        message: String::new(),
        severity: Severity::High,
        status: FindingStatus::Open,
        justification: None,
        status_expires_at: None,
        location: None,
        line: None,
        component: None,
        first_seen_at: at,
        last_seen_at: at,
        decided_at: None,
        seen_again: false,
        not_seen_since: None,
        version: 1,
        releases: Vec::new(),
        release_ids: vec![release_id.clone()],
        evidence_ids: Vec::new(),
    };
    facts.insert(finding);
    let blocker = Blocker {
        id: BlockerId::from_bits(n),
        key: format!("BLK-{n}"),
        release_id: release_id.clone(),
        finding_id: Some(FindingId::from_bits(n)),
        control_id: None,
        status: BlockerStatus::Open,
        version: 1,
        title: format!("Blocker {n}"),
        severity: Severity::High,
    };
    facts.insert(blocker);
    let item = WorkItem {
        key: WorkItem::key_of(n as i64),
        ..WorkItem::new(
            &WorkItemId::from_bits(n),
            &release_id,
            &TeamId::from_bits(n),
            &format!("Work item {n}"),
        )
    };
    facts.insert(item);
    let action = ActionRef {
        id: ActionId::from_bits(n),
        headline: format!("Action {n}"),
        release_id: Some(release_id.clone()),
        team_id: None,
    };
    facts.insert(action);
    let current = CurrentEvidence {
        id: CurrentEvidenceId::from_bits(n),
        release_id,
        provider: "probe".to_owned(),
        kind: "sarif".to_owned(),
        evidence_id: EvidenceId::from_bits(n),
        version: 1,
    };
    facts.insert(current);
    facts
}
