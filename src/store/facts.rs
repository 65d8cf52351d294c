//! Facts: everything a plan or a check needs, one query per kind that is asked for.

use super::{ReadTx, StoreError};
use crate::domain::{Facts, FactsQuery, RecordKind};

macro_rules! load {
    ($self:ident, $query:ident, $kind:ident, $loader:ident) => {
        $self
            .$loader(&$query.of(RecordKind::$kind))
            .await?
            .into_iter()
            .map(|record| (record.id.as_str().to_owned(), record))
            .collect()
    };
}

impl ReadTx {
    /// The records that the query names; what does not exist in this tenant is missing.
    pub async fn facts(&mut self, query: &FactsQuery) -> Result<Facts, StoreError> {
        let mut facts = Facts {
            releases: load!(self, query, Release, releases),
            certifications: load!(self, query, Certification, certifications),
            teams: load!(self, query, Team, teams),
            people: load!(self, query, Person, people),
            components: load!(self, query, Component, components),
            controls: load!(self, query, Control, controls),
            evidence: load!(self, query, Evidence, evidence),
            findings: load!(self, query, Finding, findings),
            blockers: load!(self, query, Blocker, blockers),
            work_items: load!(self, query, WorkItem, work_items),
        };
        let emails: Vec<&str> = query.emails.iter().map(String::as_str).collect();
        for person in self.people_by_email(&emails).await? {
            facts.people.insert(person.id.as_str().to_owned(), person);
        }
        let names: Vec<&str> = query.components.iter().map(String::as_str).collect();
        for component in self.components_named(&names).await? {
            facts.components.insert(component.id.as_str().to_owned(), component);
        }
        Ok(facts)
    }
}
