//! Facts: the records that a tool plans from and that checks judge by, loaded in one go.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

/// Which records a plan needs. What is named and not found is simply missing from the facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FactsQuery {
    /// IDs of any kind.
    pub ids: BTreeSet<String>,
    /// People by verified e-mail address.
    pub emails: BTreeSet<Address>,
    /// Components by key or name.
    pub components: BTreeSet<String>,
    /// The blockers that rest on these findings and controls.
    pub blockers_of: BTreeSet<String>,
    /// The newest evidence of a release, provider and kind, and which is its current one.
    pub newest: Option<(ReleaseId, String, String)>,
}

impl FactsQuery {
    /// Adds IDs.
    pub fn with<T: AsRef<str>>(mut self, ids: impl IntoIterator<Item = T>) -> Self {
        self.ids.extend(ids.into_iter().map(|id| id.as_ref().to_owned()));
        self
    }

    /// Adds somebody named by ID or e-mail address.
    pub fn with_person(mut self, person: Option<&String>) -> Self {
        if let Some(person) = person {
            if RecordKind::of(person).is_some() {
                self.ids.insert(person.clone());
            } else {
                self.emails.extend(Address::parse(person));
            }
        }
        self
    }

    /// Adds a component named by ID, key or name.
    pub fn with_component(mut self, component: Option<&String>) -> Self {
        if let Some(component) = component {
            if RecordKind::of(component).is_some() {
                self.ids.insert(component.clone());
            } else {
                self.components.insert(component.clone());
            }
        }
        self
    }

    /// The IDs of one kind.
    pub fn of(&self, kind: RecordKind) -> Vec<&str> {
        self.ids
            .iter()
            .map(String::as_str)
            .filter(|id| RecordKind::of(id) == Some(kind))
            .collect()
    }
}

/// Records by ID.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Facts {
    pub releases: BTreeMap<String, Release>,
    pub certifications: BTreeMap<String, Certification>,
    pub teams: BTreeMap<String, Team>,
    pub people: BTreeMap<String, Person>,
    pub components: BTreeMap<String, Component>,
    pub controls: BTreeMap<String, Control>,
    pub evidence: BTreeMap<String, Evidence>,
    pub findings: BTreeMap<String, Finding>,
    pub blockers: BTreeMap<String, Blocker>,
    pub work_items: BTreeMap<String, WorkItem>,
    pub actions: BTreeMap<String, ActionRef>,
    pub current_evidence: BTreeMap<String, CurrentEvidence>,
}

impl Facts {
    /// Adds what these facts hold.
    pub fn extend(&mut self, more: Facts) {
        self.releases.extend(more.releases);
        self.certifications.extend(more.certifications);
        self.teams.extend(more.teams);
        self.people.extend(more.people);
        self.components.extend(more.components);
        self.controls.extend(more.controls);
        self.evidence.extend(more.evidence);
        self.findings.extend(more.findings);
        self.blockers.extend(more.blockers);
        self.work_items.extend(more.work_items);
        self.actions.extend(more.actions);
        self.current_evidence.extend(more.current_evidence);
    }

    /// Somebody named by ID or verified e-mail address.
    pub fn person(&self, named: &str) -> Option<&Person> {
        let mut of_address = self.people.values().filter(|person| person.email.is(named));
        // An address that several people have names none of them.
        self.people
            .get(named)
            .or_else(|| of_address.next().filter(|_| of_address.next().is_none()))
    }

    /// A component named by ID, key or name, of this kind.
    pub fn component(&self, kind: ComponentKind, named: &str) -> Option<&Component> {
        self.components
            .values()
            .filter(|component| component.kind == kind)
            .find(|component| component.id.as_str() == named || component.key == named || component.name == named)
    }

    /// The record's key and title, for people: `WI-12` and `Fix the login`.
    pub fn name_of(&self, id: &str) -> Option<(Option<&str>, &str)> {
        match RecordKind::of(id)? {
            RecordKind::Release => self.releases.get(id).map(|r| (Some(r.key.as_str()), r.name.as_str())),
            RecordKind::Certification => self
                .certifications
                .get(id)
                .map(|r| (Some(r.key.as_str()), r.name.as_str())),
            RecordKind::Team => self.teams.get(id).map(|r| (Some(r.key.as_str()), r.name.as_str())),
            RecordKind::Person => self.people.get(id).map(|r| (None, r.name.as_str())),
            RecordKind::Component => self.components.get(id).map(|r| (Some(r.key.as_str()), r.name.as_str())),
            RecordKind::Control => self.controls.get(id).map(|r| (Some(r.key.as_str()), r.title.as_str())),
            RecordKind::Evidence => self.evidence.get(id).map(|r| (Some(r.key.as_str()), r.name.as_str())),
            RecordKind::Finding => self.findings.get(id).map(|r| (Some(r.key.as_str()), r.title.as_str())),
            RecordKind::Blocker => self.blockers.get(id).map(|r| (Some(r.key.as_str()), r.title.as_str())),
            RecordKind::Action => self.actions.get(id).map(|r| (None, r.headline.as_str())),
            RecordKind::WorkItem => self
                .work_items
                .get(id)
                .map(|r| (Some(r.key.as_str()), r.title.as_str())),
            _ => None,
        }
    }

    /// A reference to a record, with its key where it has one.
    pub fn reference(&self, id: &str) -> Option<FactRef> {
        let (key, _) = self.name_of(id)?;
        Some(FactRef {
            kind: RecordKind::of(id)?,
            id: id.to_owned(),
            key: key.map(Into::into),
        })
    }
}
