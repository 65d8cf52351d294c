//! Loads the context of a plan for the checks. One batch (`sql/check_context.sql`) loads all data except work items. Hashing the bytes
//! of evidence needs further statements.

use super::records;
use crate::domain::{ActionId, CheckContext, CheckContextQuery, FactsQuery, FileState, OpenAction, Record, State};
use crate::store::db::{Batch, PartRow, Row};
use crate::store::row::list;
use crate::store::{ReadTx, StoreError};
use std::collections::{BTreeMap, BTreeSet};

/// The most work items that a rare word can have. A word with more work items is common, and finds no similar items.
const MAX_ITEMS_OF_WORD: usize = 100;
/// The most work items that are loaded because their titles share words with the plan's titles. Others are not compared.
const MAX_SIMILAR_ITEMS: usize = 200;

static CHECK_CONTEXT: Batch = Batch::new(&[include_str!("sql/check_context.sql")]);

impl ReadTx {
    /// Loads the context of a plan.
    pub async fn check_context(&mut self, query: &CheckContextQuery) -> Result<CheckContext, StoreError> {
        let now = self.ctx.now();
        let values = vec![
            self.tenant().into(),
            query.release.as_ref().map_or("", |id| id.as_str()).into(),
            list(&query.people).into(),
            list(&query.findings).into(),
            list(&query.words).into(),
            list(&query.targets).into(),
            query.supersedes.as_ref().map_or("", |id| id.as_str()).into(),
            now.0.into(),
            list(&query.evidence).into(),
            query.before.as_ref().map_or("", |id| id.as_str()).into(),
            list(&query.titles).into(),
            // One more than the limit, so that a common word is recognized.
            (MAX_ITEMS_OF_WORD as i64 + 1).into(),
        ];
        let is_needed = |part: &str| match part {
            "member" => !query.people.is_empty(),
            "team" | "component" => query.release.is_some(),
            "item_of_finding" => !query.findings.is_empty(),
            "word" => !query.words.is_empty(),
            "item_of_title" => !query.titles.is_empty(),
            "blocker" => query.open_blockers && query.release.is_some(),
            "open" => !query.targets.is_empty(),
            "newer" => !query.evidence.is_empty(),
            "verified" => !query.evidence.is_empty() && !query.hash_evidence,
            _ => true,
        };
        let rows = CHECK_CONTEXT.fetch(&mut self.tx, values, is_needed).await?;
        let mut context = CheckContext {
            repeats: query.repeats.clone(),
            ..CheckContext::default()
        };
        let mut wanted = BTreeSet::new();
        let (mut sharing, mut open) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, OpenAction>::new());
        for PartRow { part, row } in rows {
            match part {
                "member" => drop(context.members.insert((row.text("team_id")?, row.text("person_id")?))),
                "team" => drop(context.release_teams.insert(row.text("team_id")?)),
                "component" => drop(context.release_components.insert(row.text("component_id")?)),
                "item_of_finding" => drop(
                    context
                        .work_items_by_finding
                        .entry(row.text("record_id")?)
                        .or_default()
                        .insert(row.text("work_item_id")?),
                ),
                "item_of_title" => drop(wanted.insert(row.text("work_item_id")?)),
                "word" => count_word(&row, &mut sharing)?,
                "blocker" => context.open_blockers.push(records::blocker(&row)?),
                "open" => add_open(&row, &mut open)?,
                "verified" => drop(
                    context
                        .file_states
                        .insert(row.text("id")?, row.read("state", FileState::parse)?),
                ),
                "newer" => context.newer_evidence.push(records::evidence(&row)?),
                _ => drop(context.generic_words.insert(row.text("word")?)),
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
        if query.hash_evidence && !query.evidence.is_empty() {
            context.file_states = self.hash_evidence(&query.evidence).await?;
        }
        Ok(context)
    }
}

/// Counts a word that a work item shares with the plan's titles.
fn count_word(row: &Row, sharing: &mut BTreeMap<String, usize>) -> Result<(), StoreError> {
    // PostgreSQL's list of no rows is NULL.
    let items: Vec<String> = match row.maybe_text("items")? {
        Some(items) => serde_json::from_str(&items).map_err(|error| StoreError::damaged("items", error))?,
        None => Vec::new(),
    };
    if items.len() > MAX_ITEMS_OF_WORD {
        return Ok(());
    }
    for item in items {
        *sharing.entry(item).or_default() += 1;
    }
    Ok(())
}

fn add_open(row: &Row, open: &mut BTreeMap<String, OpenAction>) -> Result<(), StoreError> {
    let id = row.text("id")?;
    let shared = row.text("record_id")?;
    if let Some(known) = open.get_mut(&id) {
        known.shared_targets.insert(shared);
        return Ok(());
    }
    let action = OpenAction {
        id: row.read("id", |t| ActionId::parse(t).ok())?,
        headline: row.text("headline")?,
        state: row.read("state", State::parse)?,
        shared_targets: [shared].into(),
    };
    open.insert(id, action);
    Ok(())
}
