//! Loads the context of a plan for the checks. One statement loads all data except work items and the bytes of evidence, which need further
//! statements.

use super::records;
use crate::domain::{ActionId, CheckContext, CheckContextQuery, FactsQuery, OpenAction, Record, State, canonical};
use crate::store::dialect::{Sql, in_list, json_agg, object};
use crate::store::row::{Columns, list};
use crate::store::{ReadTx, StoreError};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The most work items that a rare word can have. A word with more work items is common, and finds no similar items.
const MAX_ITEMS_OF_WORD: usize = 100;
/// The most work items that are loaded because their titles share words with the plan's titles. Others are not compared.
const MAX_SIMILAR_ITEMS: usize = 200;

/// `$2` release, `$3` people, `$4` findings, `$5` words, `$6` targets, `$7` the superseded action, `$8` now, `$9` evidence, `$10` the
/// action before which clients proposed the open actions, `$11` title keys, `$12` the most work items per word. Limits bound the time of
/// the statement; the checks name only the first few of each kind. Only open actions have targets.
macro_rules! check_context {
    ($db:ident) => {
        concat!(
            "SELECT 'member' AS kind, CAST(", object!($db), "('team', team_id, 'person', person_id) AS TEXT) AS record \
             FROM team_members WHERE tenant = $1 AND person_id ", in_list!($db, "$3"), " \
             UNION ALL SELECT 'team', CAST(", object!($db), "('id', team_id) AS TEXT) FROM release_teams WHERE tenant = $1 AND release_id = $2 \
             UNION ALL SELECT 'component', CAST(", object!($db), "('id', component_id) AS TEXT) \
             FROM release_components WHERE tenant = $1 AND release_id = $2 \
             UNION ALL SELECT 'item_of_finding', CAST(", object!($db), "('record', record_id, 'item', work_item_id) AS TEXT) \
             FROM (SELECT record_id, work_item_id FROM work_item_references WHERE tenant = $1 \
             AND record_id ", in_list!($db, "$4"), " LIMIT 500) AS r \
             UNION ALL SELECT 'word', CAST(", object!($db), "('word', w.value, 'items', CAST((SELECT ", json_agg!($db), "(work_item_id) FROM \
             (SELECT work_item_id FROM work_item_words WHERE tenant = $1 AND word = w.value LIMIT 0 + $12) AS first) AS TEXT)) AS TEXT) \
             FROM json_each($5) w \
             UNION ALL SELECT 'item_of_title', CAST(", object!($db), "('id', work_item_id) AS TEXT) FROM (SELECT x.work_item_id FROM work_item_words x \
             WHERE x.tenant = $1 AND x.word ", in_list!($db, "$11"), " \
             AND (SELECT i.release_id FROM work_items i WHERE i.tenant = $1 AND i.id = x.work_item_id) = $2 LIMIT 200) AS s \
             UNION ALL SELECT 'open', CAST(", object!($db), "('id', a.id, 'headline', a.headline, 'state', a.state, 'record', o.record_id) AS TEXT) \
             FROM (SELECT record_id, action_id FROM action_targets WHERE tenant = $1 AND record_id ", in_list!($db, "$6"), " \
             AND expires_at > $8 AND action_id <> $7 AND ($10 = '' OR action_id < $10) ORDER BY action_id LIMIT 60) AS o \
             JOIN actions a ON a.tenant = $1 AND a.id = o.action_id \
             UNION ALL SELECT 'newer', CAST(", object!($db), "('id', n.id, 'key', n.key, 'release_id', n.release_id, 'provider', n.provider, \
             'kind', n.kind, 'name', n.name, 'sha256', n.sha256, 'size', n.size, 'collected_at', n.collected_at, \
             'collected_from', n.collected_from, 'imported_at', n.imported_at, 'commit_id', n.commit_id) AS TEXT) \
             FROM (SELECT DISTINCT n.* FROM evidence e JOIN evidence n ON n.tenant = e.tenant AND n.release_id = e.release_id \
             AND n.provider = e.provider AND n.kind = e.kind AND n.collected_at > e.collected_at AND n.complete = 1 \
             WHERE e.tenant = $1 AND e.id ", in_list!($db, "$9"), " ORDER BY n.collected_at DESC LIMIT 100) AS n \
             UNION ALL SELECT 'generic', CAST(", object!($db), "('word', word) AS TEXT) FROM generic_words WHERE tenant = $1"
        )
    };
}

const CHECK_CONTEXT: Sql = Sql {
    sqlite: check_context!(sqlite),
    postgres: check_context!(postgres),
};

type Row = Map<String, Value>;

impl ReadTx {
    /// Loads the context of a plan.
    pub async fn check_context(&mut self, query: &CheckContextQuery) -> Result<CheckContext, StoreError> {
        let now = self.ctx.now();
        let rows = sqlx::query(self.sql(&CHECK_CONTEXT))
            .bind(self.tenant())
            .bind(query.release.as_ref().map_or("", |id| id.as_str()).to_owned())
            .bind(list(&query.people))
            .bind(list(&query.findings))
            .bind(list(&query.words))
            .bind(list(&query.targets))
            .bind(query.supersedes.as_ref().map_or("", |id| id.as_str()).to_owned())
            .bind(now.0)
            .bind(list(&query.evidence))
            .bind(query.before.as_ref().map_or("", |id| id.as_str()).to_owned())
            .bind(list(&query.titles))
            // One more than the limit, so that a common word is recognized.
            .bind(MAX_ITEMS_OF_WORD as i64 + 1)
            .fetch_all(&mut *self.tx)
            .await?;
        let mut context = CheckContext {
            repeats: query.repeats.clone(),
            ..CheckContext::default()
        };
        let mut wanted = BTreeSet::new();
        let (mut sharing, mut open) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, OpenAction>::new());
        for row in &rows {
            let record: Row = row.json("record")?;
            match row.text("kind")?.as_str() {
                "member" => drop(context.members.insert((record.text("team")?, record.text("person")?))),
                "team" => drop(context.release_teams.insert(record.text("id")?)),
                "component" => drop(context.release_components.insert(record.text("id")?)),
                "item_of_finding" => drop(
                    context
                        .work_items_by_finding
                        .entry(record.text("record")?)
                        .or_default()
                        .insert(record.text("item")?),
                ),
                "item_of_title" => drop(wanted.insert(record.text("id")?)),
                "word" => count_word(&record, &mut sharing)?,
                "open" => add_open(&record, &mut open)?,
                "newer" => context.newer_evidence.push(records::evidence(&record)?),
                _ => drop(context.generic_words.insert(record.text("word")?)),
            }
        }
        context.open_actions = open.into_values().collect();
        wanted.extend(context.work_items_by_finding.values().flatten().cloned());
        // Work items that share most of the rare words come first.
        let mut similar: Vec<(usize, String)> = sharing.into_iter().map(|(item, words)| (words, item)).collect();
        similar.sort_by(|one, two| two.0.cmp(&one.0).then_with(|| two.1.cmp(&one.1)));
        wanted.extend(similar.into_iter().take(MAX_SIMILAR_ITEMS).map(|(_, item)| item));
        if !wanted.is_empty() {
            let facts = self.facts(&FactsQuery::default().with(&wanted)).await?;
            context.work_items = facts
                .into_records()
                .filter_map(|record| match record {
                    Record::WorkItem(item) => Some((item.id.to_string(), item)),
                    _ => None,
                })
                .collect();
        }
        if !query.evidence.is_empty() {
            context.is_intact = self.is_intact(&query.evidence).await?;
        }
        Ok(context)
    }

    /// Whether the stored bytes of evidence have the recorded SHA-256. Files are read one after the other, because a scan may be large, and
    /// each file once, because several evidence records may share it.
    async fn is_intact(&mut self, evidence: &BTreeSet<String>) -> Result<BTreeMap<String, bool>, StoreError> {
        const NAMED: &str =
            "SELECT id, sha256 FROM evidence WHERE tenant = $1 AND id IN (SELECT value FROM json_each($2))";
        const BYTES: &str = "SELECT bytes FROM evidence_files WHERE tenant = $1 AND sha256 = $2";
        const PART: &str = "SELECT bytes FROM evidence_parts WHERE tenant = $1 AND sha256 = $2 AND part = $3";
        let rows = sqlx::query(NAMED)
            .bind(self.tenant())
            .bind(list(evidence))
            .fetch_all(&mut *self.tx)
            .await?;
        let mut by_hash: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in &rows {
            by_hash.entry(row.text("sha256")?).or_default().push(row.text("id")?);
        }
        let mut intact = BTreeMap::new();
        for (hash, ids) in by_hash {
            let file = sqlx::query(BYTES)
                .bind(self.tenant())
                .bind(hash.clone())
                .fetch_optional(&mut *self.tx)
                .await?;
            let Some(file) = file else { continue };
            let bytes: Vec<u8> = sqlx::Row::try_get(&file, "bytes")?;
            let mut found = Sha256::new_with_prefix(&bytes);
            // A large file is stored in parts, and its own row has no bytes.
            let mut part = 0_i64;
            while bytes.is_empty() {
                let row = sqlx::query(PART)
                    .bind(self.tenant())
                    .bind(hash.clone())
                    .bind(part)
                    .fetch_optional(&mut *self.tx)
                    .await?;
                let Some(row) = row else { break };
                let some: Vec<u8> = sqlx::Row::try_get(&row, "bytes")?;
                found.update(&some);
                part += 1;
            }
            let same = canonical::hex(&found.finalize()) == hash;
            intact.extend(ids.into_iter().map(|id| (id, same)));
        }
        Ok(intact)
    }
}

/// Counts a word that a work item shares with the plan's titles.
fn count_word(record: &Row, sharing: &mut BTreeMap<String, usize>) -> Result<(), StoreError> {
    // In SQLite a value keeps its JSON type through a cast to text, so that the list is either JSON or a text.
    let items: Option<Vec<String>> = match record.get("items") {
        Some(Value::String(items)) => serde_json::from_str(items),
        Some(items) => serde_json::from_value(items.clone()),
        None => Ok(None),
    }
    .map_err(|error| StoreError::damaged("items", error))?;
    let items = items.unwrap_or_default();
    if items.len() > MAX_ITEMS_OF_WORD {
        return Ok(());
    }
    for item in items {
        *sharing.entry(item).or_default() += 1;
    }
    Ok(())
}

fn add_open(record: &Row, open: &mut BTreeMap<String, OpenAction>) -> Result<(), StoreError> {
    let id = record.text("id")?;
    let shared = record.text("record")?;
    if let Some(known) = open.get_mut(&id) {
        known.shared_targets.insert(shared);
        return Ok(());
    }
    let action = OpenAction {
        id: record.read("id", |t| ActionId::parse(t).ok())?,
        headline: record.text("headline")?,
        state: record.read("state", State::parse)?,
        shared_targets: [shared].into(),
    };
    open.insert(id, action);
    Ok(())
}
