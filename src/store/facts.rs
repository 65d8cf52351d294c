//! Facts: everything a plan or a check needs, in one statement however many kinds of record it names.

use super::dialect::{Sql, among, object};
use super::people::first_at_address;
use super::row::{Columns, list};
use super::{ReadCall, ReadTx, StoreError, journal, people, records};
use crate::domain::{
    ActionId, Address, ClientId, EvidenceId, Facts, FactsQuery, Finding, PersonId, RecordKind, ReleaseId, Timestamp,
    WorkItem,
};
use serde_json::{Map, Value};
use sqlx::any::AnyRow;

/// The records of one kind whose `$by` is in a list: what they are, and themselves as JSON.
macro_rules! branch {
    ($db:ident, $kind:literal, $from:literal, $alias:literal, $by:literal in $list:literal, $fields:literal) => {
        concat!(
            "SELECT '",
            $kind,
            "' AS kind, CAST(",
            object!($db),
            "(",
            $fields,
            ") AS TEXT) AS record FROM ",
            $from,
            " WHERE ",
            $alias,
            ".tenant = $1 AND ",
            $alias,
            ".",
            $by,
            " ",
            among!($db, $list)
        )
    };
}

/// `$2` holds lists of IDs by their prefix, `$3` e-mail addresses, `$4` keys or names of components.
macro_rules! facts {
    ($db:ident) => {
        concat!(
            branch!($db, "release", "releases r", "r", "id" in "$2 ->> 'rel'",
                "'id', r.id, 'key', r.key, 'name', r.name, 'status', r.status, 'severity_threshold', r.severity_threshold, \
                 'commit_id', r.commit_id, 'version', r.version"),
            " UNION ALL ",
            branch!($db, "certification", "certifications c", "c", "id" in "$2 ->> 'crt'",
                "'id', c.id, 'key', c.key, 'name', c.name, 'release_id', c.release_id, 'status', c.status, 'statement', c.statement, 'version', c.version"),
            " UNION ALL ",
            branch!($db, "team", "teams t", "t", "id" in "$2 ->> 'team'", "'id', t.id, 'key', t.key, 'name', t.name"),
            " UNION ALL ",
            branch!($db, "person", "people p", "p", "id" in "$2 ->> 'per'", "'id', p.id, 'email', p.email, 'name', p.name, 'roles', p.roles"),
            " UNION ALL ",
            branch!($db, "person", "people p", "p", "email" in "$3", "'id', p.id, 'email', p.email, 'name', p.name, 'roles', p.roles"),
            first_at_address!(),
            " UNION ALL ",
            branch!($db, "component", "components c", "c", "id" in "$2 ->> 'cmp'", "'id', c.id, 'kind', c.kind, 'key', c.key, 'name', c.name, 'team_id', c.team_id"),
            " UNION ALL ",
            branch!($db, "component", "components c", "c", "key" in "$4", "'id', c.id, 'kind', c.kind, 'key', c.key, 'name', c.name, 'team_id', c.team_id"),
            " UNION ALL ",
            branch!($db, "component", "components c", "c", "name" in "$4", "'id', c.id, 'kind', c.kind, 'key', c.key, 'name', c.name, 'team_id', c.team_id"),
            " UNION ALL ",
            branch!($db, "control", "controls c", "c", "id" in "$2 ->> 'ctl'",
                "'id', c.id, 'key', c.key, 'title', c.title, 'release_id', c.release_id, 'status', c.status, 'version', c.version"),
            " UNION ALL ",
            branch!($db, "evidence", "evidence e", "e", "id" in "$2 ->> 'evd'",
                "'id', e.id, 'key', e.key, 'release_id', e.release_id, 'provider', e.provider, 'kind', e.kind, 'name', e.name, \
                 'sha256', e.sha256, 'size', e.size, 'collected_at', e.collected_at, 'collected_from', e.collected_from, \
                 'imported_at', e.imported_at, 'commit_id', e.commit_id"),
            " AND e.complete = 1 UNION ALL ",
            branch!($db, "finding", "findings f", "f", "id" in "$2 ->> 'fnd'",
                "'id', f.id, 'key', f.key, 'provider', f.provider, 'rule', f.rule, 'title', f.title, 'message', f.message, \
                 'severity', f.severity, 'status', f.status, 'justification', f.justification, \
                 'status_expires_at', f.status_expires_at, 'location', f.location, 'line', f.line, 'component', f.component, \
                 'first_seen_at', f.first_seen_at, 'last_seen_at', f.last_seen_at, 'version', f.version"),
            " UNION ALL ",
            branch!($db, "sighting", "sightings s", "s", "finding_id" in "$2 ->> 'fnd'",
                "'finding_id', s.finding_id, 'evidence_id', s.evidence_id, 'release_id', s.release_id, 'seen_at', s.seen_at"),
            " AND s.evidence_id NOT IN (SELECT id FROM evidence WHERE tenant = $1 AND complete = 0) UNION ALL ",
            branch!($db, "blocker",
                "blockers b LEFT JOIN findings f ON f.tenant = b.tenant AND f.id = b.finding_id \
                 LEFT JOIN controls c ON c.tenant = b.tenant AND c.id = b.control_id", "b", "id" in "$2 ->> 'blk'",
                "'id', b.id, 'key', b.key, 'release_id', b.release_id, 'finding_id', b.finding_id, 'control_id', b.control_id, \
                 'status', b.status, 'version', b.version, 'title', COALESCE(f.title, c.title), 'severity', COALESCE(f.severity, 'high')"),
            " UNION ALL ",
            branch!($db, "action", "actions a", "a", "id" in "$2 ->> 'act'",
                "'id', a.id, 'headline', a.headline, 'release_id', a.release_id, 'team_id', a.team_id"),
            " UNION ALL ",
            branch!($db, "work item", "work_items w", "w", "id" in "$2 ->> 'wi'",
                "'id', w.id, 'number', w.number, 'kind', w.kind, 'release_id', w.release_id, 'parent_id', w.parent_id, \
                 'team_id', w.team_id, 'owner_id', w.owner_id, 'title', w.title, 'description', w.description, \
                 'status', w.status, 'priority', w.priority, 'estimate', w.estimate, \
                 'acceptance_criteria', w.acceptance_criteria, 'version', w.version"),
            " UNION ALL ",
            branch!($db, "reference", "work_item_references x", "x", "work_item_id" in "$2 ->> 'wi'",
                "'work_item_id', x.work_item_id, 'record_id', x.record_id"),
        )
    };
}

/// What a proposal rests on beside its records: the action that this client ($5) proposed for this caller ($7) with its key ($6), what the
/// client read for the caller since then ($8), and when it last proposed something for them; what asks for the same ($9) and is pending now ($10), or was declined;
/// and the tenant's policy.
macro_rules! ground {
    ($db:ident) => {
        concat!(
            facts!($db),
            " UNION ALL SELECT 'known', CAST(", object!($db), "('id', id) AS TEXT) FROM actions \
             WHERE tenant = $1 AND client_id = $5 AND caller_id = $7 AND idempotency_key = $6 \
             UNION ALL SELECT 'read', CAST(", object!($db), "('client_id', client_id, 'caller_id', caller_id, 'trace_id', trace_id, \
             'request_id', request_id, 'tool', tool, 'arguments_digest', arguments_digest, 'record_ids', record_ids, 'at', at) AS TEXT) \
             FROM (SELECT * FROM reads WHERE tenant = $1 AND client_id = $5 AND caller_id = $7 AND at >= $8 \
             ORDER BY at DESC, id DESC LIMIT 500) AS latest \
             UNION ALL SELECT 'proposed', CAST(", object!($db), "('at', created_at) AS TEXT) FROM (SELECT created_at FROM actions \
             WHERE tenant = $1 AND caller_id = $7 AND client_id = $5 ORDER BY created_at DESC LIMIT 1) AS latest \
             UNION ALL SELECT 'same', CAST(", object!($db), "('id', id, 'repeated', (SELECT COUNT(*) FROM actions x WHERE x.tenant = $1 AND x.repeats = same.id \
             AND x.state = 'pending_approval')) AS TEXT) FROM (SELECT id FROM actions \
             WHERE tenant = $1 AND ask = $9 AND state = 'pending_approval' AND caller_id = $7 AND expires_at > $10 AND repeats IS NULL \
             ORDER BY id LIMIT 1) AS same \
             UNION ALL SELECT 'declined', CAST(", object!($db), "('id', id) AS TEXT) FROM (SELECT id FROM actions a \
             WHERE tenant = $1 AND ask = $9 AND state = 'rejected' AND EXISTS (SELECT 1 FROM decisions d \
             WHERE d.tenant = $1 AND d.action_id = a.id AND d.kind = 'reject') ORDER BY id DESC LIMIT 1) AS declined \
             UNION ALL SELECT 'policy', CAST(", object!($db), "('version', COALESCE(MAX(version), 1)) AS TEXT) FROM policies WHERE tenant = $1"
        )
    };
}

const FACTS: Sql = Sql {
    sqlite: facts!(sqlite),
    postgres: facts!(postgres),
};
const GROUND: Sql = Sql {
    sqlite: ground!(sqlite),
    postgres: ground!(postgres),
};

/// Whose proposal it is that is to be grounded.
#[derive(Debug, Clone)]
pub struct Proposer {
    /// The client.
    pub client: ClientId,
    /// The person it acts for.
    pub caller: PersonId,
    /// The key of the proposal; empty: none.
    pub key: String,
    /// How far back what it read counts.
    pub since: Timestamp,
    /// SHA-256 of what is asked for, see [`super::ActionRow::ask`].
    pub ask: String,
}

/// What a proposal rests on.
#[derive(Debug, Clone, Default)]
pub struct ProposalContext {
    /// The records that it needs.
    pub facts: Facts,
    /// The action that the key belongs to already.
    pub known: Option<ActionId>,
    /// What was read, oldest first; the last 500 calls.
    pub reads: Vec<ReadCall>,
    /// When this client last proposed something for this caller.
    pub last_proposal: Timestamp,
    /// The caller's pending action that asks for the same.
    pub same: Option<ActionId>,
    /// How many pending ones repeat that already.
    pub repeated: i64,
    /// The last action that asked for the same and that a person declined.
    pub declined: Option<ActionId>,
    /// The tenant's policy by now.
    pub policy: i64,
}

/// The kinds that facts hold.
const KINDS: [RecordKind; 11] = [
    RecordKind::Action,
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
        let ids = by_kind(query);
        if ids.is_empty() && query.emails.is_empty() && query.components.is_empty() && query.newest.is_none() {
            return Ok(Facts::default());
        }
        let rows = sqlx::query(self.pick(&FACTS))
            .bind(self.tenant())
            .bind(Value::from(ids).to_string())
            .bind(list(query.emails.iter().map(Address::as_str)))
            .bind(list(&query.components))
            .fetch_all(&mut *self.tx)
            .await?;
        let mut facts = gathered(&rows)?.facts;
        self.relate(query, &mut facts).await?;
        Ok(facts)
    }

    /// All that a proposal rests on, in the same one statement.
    pub async fn ground(&mut self, query: &FactsQuery, proposer: &Proposer) -> Result<ProposalContext, StoreError> {
        let now = self.ctx.now();
        let rows = sqlx::query(self.pick(&GROUND))
            .bind(self.tenant())
            .bind(Value::from(by_kind(query)).to_string())
            .bind(list(query.emails.iter().map(Address::as_str)))
            .bind(list(&query.components))
            .bind(proposer.client.as_str().to_owned())
            .bind(proposer.key.clone())
            .bind(proposer.caller.as_str().to_owned())
            .bind(proposer.since.0)
            .bind(proposer.ask.clone())
            .bind(now.0)
            .fetch_all(&mut *self.tx)
            .await?;
        let mut ground = gathered(&rows)?;
        self.relate(query, &mut ground.facts).await?;
        Ok(ground)
    }
}

fn by_kind(query: &FactsQuery) -> Map<String, Value> {
    KINDS
        .iter()
        .map(|kind| (kind.prefix().to_owned(), Value::from(query.of(*kind))))
        .filter(|(_, ids)| ids.as_array().is_some_and(|ids| !ids.is_empty()))
        .collect()
}

fn gathered(rows: &[AnyRow]) -> Result<ProposalContext, StoreError> {
    let mut ground = ProposalContext::default();
    let facts = &mut ground.facts;
    let (mut sightings, mut references) = (Vec::new(), Vec::new());
    for row in rows {
        let record: Row = row.json("record")?;
        match row.text("kind")?.as_str() {
            "release" => keep(&mut facts.releases, record.text("id")?, records::release(&record)?),
            "certification" => keep(
                &mut facts.certifications,
                record.text("id")?,
                records::certification(&record)?,
            ),
            "team" => keep(&mut facts.teams, record.text("id")?, records::team(&record)?),
            "person" => keep(&mut facts.people, record.text("id")?, people::person(&record)?),
            "component" => keep(&mut facts.components, record.text("id")?, records::component(&record)?),
            "control" => keep(&mut facts.controls, record.text("id")?, records::control(&record)?),
            "evidence" => keep(&mut facts.evidence, record.text("id")?, records::evidence(&record)?),
            "finding" => keep(&mut facts.findings, record.text("id")?, records::finding(&record)?),
            "blocker" => keep(&mut facts.blockers, record.text("id")?, records::blocker(&record)?),
            "work item" => keep(&mut facts.work_items, record.text("id")?, records::work_item(&record)?),
            "sighting" => sightings.push(record),
            "reference" => references.push(record),
            "action" => keep(&mut facts.actions, record.text("id")?, records::action_ref(&record)?),
            "known" => ground.known = Some(record.read("id", |t| ActionId::parse(t).ok())?),
            "proposed" => ground.last_proposal = record.time("at")?,
            "same" => {
                ground.same = Some(record.read("id", |t| ActionId::parse(t).ok())?);
                ground.repeated = record.int("repeated")?;
            }
            "declined" => ground.declined = Some(record.read("id", |t| ActionId::parse(t).ok())?),
            "policy" => ground.policy = record.int("version")?,
            _ => ground.reads.push(journal::read_call(&record)?),
        }
    }
    tie_sightings(facts, sightings)?;
    tie_references(facts, references)?;
    ground.reads.sort_by_key(|read| read.at);
    Ok(ground)
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
