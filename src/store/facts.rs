//! Facts: everything a plan or a check needs, in one statement however many kinds of record it names.

use super::dialect::Sql;
use super::row::{Columns, list};
use super::{ReadTx, StoreError, people, records};
use crate::domain::{EvidenceId, Facts, FactsQuery, Finding, RecordKind, ReleaseId, WorkItem};
use serde_json::{Map, Value};

/// The records of one kind whose `$by` is in a list: what they are, and themselves as JSON.
macro_rules! branch {
    ($object:literal, $kind:literal, $from:literal, $alias:literal, $by:literal in $list:literal, $fields:literal) => {
        concat!(
            "SELECT '", $kind, "' AS kind, CAST(", $object, "(", $fields, ") AS TEXT) AS record FROM ", $from, " WHERE ", $alias,
            ".tenant = $1 AND ", $alias, ".", $by, " IN (SELECT value FROM json_each(", $list, "))"
        )
    };
}

/// `$2` holds lists of IDs by their prefix, `$3` e-mail addresses, `$4` keys or names of components. `$object`: how this database
/// writes a JSON object.
macro_rules! facts {
    ($object:literal) => {
        concat!(
            branch!($object, "release", "releases r", "r", "id" in "$2 ->> 'rel'",
                "'id', r.id, 'key', r.key, 'name', r.name, 'status', r.status, 'severity_threshold', r.severity_threshold, \
                 'commit_id', r.commit_id, 'version', r.version"),
            " UNION ALL ",
            branch!($object, "certification", "certifications c", "c", "id" in "$2 ->> 'crt'",
                "'id', c.id, 'key', c.key, 'name', c.name, 'release_id', c.release_id, 'status', c.status, 'version', c.version"),
            " UNION ALL ",
            branch!($object, "team", "teams t", "t", "id" in "$2 ->> 'team'", "'id', t.id, 'key', t.key, 'name', t.name"),
            " UNION ALL ",
            branch!($object, "person", "people p", "p", "id" in "$2 ->> 'per'", "'id', p.id, 'email', p.email, 'name', p.name, 'roles', p.roles"),
            " UNION ALL ",
            branch!($object, "person", "people p", "p", "email" in "$3", "'id', p.id, 'email', p.email, 'name', p.name, 'roles', p.roles"),
            " UNION ALL ",
            branch!($object, "component", "components c", "c", "id" in "$2 ->> 'cmp'", "'id', c.id, 'kind', c.kind, 'key', c.key, 'name', c.name, 'team_id', c.team_id"),
            " UNION ALL ",
            branch!($object, "component", "components c", "c", "key" in "$4", "'id', c.id, 'kind', c.kind, 'key', c.key, 'name', c.name, 'team_id', c.team_id"),
            " UNION ALL ",
            branch!($object, "component", "components c", "c", "name" in "$4", "'id', c.id, 'kind', c.kind, 'key', c.key, 'name', c.name, 'team_id', c.team_id"),
            " UNION ALL ",
            branch!($object, "control", "controls c", "c", "id" in "$2 ->> 'ctl'",
                "'id', c.id, 'key', c.key, 'title', c.title, 'release_id', c.release_id, 'status', c.status, 'version', c.version"),
            " UNION ALL ",
            branch!($object, "evidence", "evidence e", "e", "id" in "$2 ->> 'evd'",
                "'id', e.id, 'key', e.key, 'release_id', e.release_id, 'provider', e.provider, 'kind', e.kind, 'name', e.name, \
                 'sha256', e.sha256, 'size', e.size, 'collected_at', e.collected_at, 'collected_from', e.collected_from, \
                 'imported_at', e.imported_at, 'commit_id', e.commit_id"),
            " UNION ALL ",
            branch!($object, "finding", "findings f", "f", "id" in "$2 ->> 'fnd'",
                "'id', f.id, 'key', f.key, 'provider', f.provider, 'rule', f.rule, 'title', f.title, 'message', f.message, \
                 'severity', f.severity, 'status', f.status, 'location', f.location, 'line', f.line, 'component', f.component, \
                 'first_seen_at', f.first_seen_at, 'last_seen_at', f.last_seen_at, 'version', f.version"),
            " UNION ALL ",
            branch!($object, "sighting", "sightings s", "s", "finding_id" in "$2 ->> 'fnd'",
                "'finding_id', s.finding_id, 'evidence_id', s.evidence_id, 'release_id', s.release_id, 'seen_at', s.seen_at"),
            " UNION ALL ",
            branch!($object, "blocker",
                "blockers b LEFT JOIN findings f ON f.tenant = b.tenant AND f.id = b.finding_id \
                 LEFT JOIN controls c ON c.tenant = b.tenant AND c.id = b.control_id", "b", "id" in "$2 ->> 'blk'",
                "'id', b.id, 'key', b.key, 'release_id', b.release_id, 'finding_id', b.finding_id, 'control_id', b.control_id, \
                 'status', b.status, 'title', COALESCE(f.title, c.title), 'severity', COALESCE(f.severity, 'high')"),
            " UNION ALL ",
            branch!($object, "work item", "work_items w", "w", "id" in "$2 ->> 'wi'",
                "'id', w.id, 'number', w.number, 'kind', w.kind, 'release_id', w.release_id, 'parent_id', w.parent_id, \
                 'team_id', w.team_id, 'owner_id', w.owner_id, 'title', w.title, 'description', w.description, \
                 'status', w.status, 'priority', w.priority, 'estimate', w.estimate, \
                 'acceptance_criteria', w.acceptance_criteria, 'version', w.version"),
            " UNION ALL ",
            branch!($object, "reference", "work_item_references x", "x", "work_item_id" in "$2 ->> 'wi'",
                "'work_item_id', x.work_item_id, 'record_id', x.record_id"),
        )
    };
}

const FACTS: Sql = Sql {
    sqlite: facts!("json_object"),
    postgres: facts!("json_build_object"),
};

/// The kinds that facts hold.
const KINDS: [RecordKind; 10] = [
    RecordKind::Release,
    RecordKind::Certification,
    RecordKind::Team,
    RecordKind::Person,
    RecordKind::Component,
    RecordKind::Control,
    RecordKind::Evidence,
    RecordKind::Finding,
    RecordKind::Blocker,
    RecordKind::WorkItem,
];

type Row = Map<String, Value>;

impl ReadTx {
    /// The records that the query names; what does not exist in this tenant is missing.
    pub async fn facts(&mut self, query: &FactsQuery) -> Result<Facts, StoreError> {
        let mut facts = Facts::default();
        let by_kind: Map<String, Value> = KINDS
            .iter()
            .map(|kind| (kind.prefix().to_owned(), Value::from(query.of(*kind))))
            .filter(|(_, ids)| ids.as_array().is_some_and(|ids| !ids.is_empty()))
            .collect();
        if by_kind.is_empty() && query.emails.is_empty() && query.components.is_empty() {
            return Ok(facts);
        }
        let rows = sqlx::query(self.pick(&FACTS))
            .bind(self.tenant())
            .bind(Value::from(by_kind).to_string())
            .bind(list(&query.emails))
            .bind(list(&query.components))
            .fetch_all(&mut *self.tx)
            .await?;
        let (mut sightings, mut references) = (Vec::new(), Vec::new());
        for row in &rows {
            let record: Row = row.json("record")?;
            match row.text("kind")?.as_str() {
                "release" => keep(&mut facts.releases, record.text("id")?, records::release(&record)?),
                "certification" => keep(&mut facts.certifications, record.text("id")?, records::certification(&record)?),
                "team" => keep(&mut facts.teams, record.text("id")?, records::team(&record)?),
                "person" => keep(&mut facts.people, record.text("id")?, people::person(&record)?),
                "component" => keep(&mut facts.components, record.text("id")?, records::component(&record)?),
                "control" => keep(&mut facts.controls, record.text("id")?, records::control(&record)?),
                "evidence" => keep(&mut facts.evidence, record.text("id")?, records::evidence(&record)?),
                "finding" => keep(&mut facts.findings, record.text("id")?, records::finding(&record)?),
                "blocker" => keep(&mut facts.blockers, record.text("id")?, records::blocker(&record)?),
                "work item" => keep(&mut facts.work_items, record.text("id")?, records::work_item(&record)?),
                "sighting" => sightings.push(record),
                _ => references.push(record),
            }
        }
        tie_sightings(&mut facts, sightings)?;
        tie_references(&mut facts, references)?;
        Ok(facts)
    }
}

fn keep<T>(records: &mut std::collections::BTreeMap<String, T>, id: String, record: T) {
    records.insert(id, record);
}

/// Where findings were seen, the newest first.
fn tie_sightings(facts: &mut Facts, mut sightings: Vec<Row>) -> Result<(), StoreError> {
    sightings.sort_by_cached_key(|row| std::cmp::Reverse((row.int("seen_at").ok(), row.text("evidence_id").ok())));
    for row in &sightings {
        if let Some(finding) = facts.findings.get_mut(&row.text("finding_id")?) {
            seen(finding, row)?;
        }
    }
    Ok(())
}

/// Adds a sighting to its finding.
pub(super) fn seen(finding: &mut Finding, row: &impl Columns) -> Result<(), StoreError> {
    finding
        .evidence_ids
        .push(row.read("evidence_id", |t| EvidenceId::parse(t).ok())?);
    let release = row.read("release_id", |t| ReleaseId::parse(t).ok())?;
    if !finding.release_ids.contains(&release) {
        finding.release_ids.push(release);
    }
    Ok(())
}

fn tie_references(facts: &mut Facts, mut references: Vec<Row>) -> Result<(), StoreError> {
    references.sort_by_cached_key(|row| row.text("record_id").ok());
    for row in &references {
        if let Some(item) = facts.work_items.get_mut(&row.text("work_item_id")?) {
            rests_on(item, row.text("record_id")?);
        }
    }
    Ok(())
}

/// Adds what a work item rests on; the ID's prefix tells which list it belongs to.
pub(super) fn rests_on(item: &mut WorkItem, record: String) {
    match RecordKind::of(&record) {
        Some(RecordKind::Finding) => item.finding_ids.push(record),
        Some(RecordKind::Control) => item.control_ids.push(record),
        Some(RecordKind::Evidence) => item.evidence_ids.push(record),
        Some(RecordKind::Blocker) => item.blocker_ids.push(record),
        _ => {}
    }
}
