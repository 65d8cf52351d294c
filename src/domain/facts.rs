//! Facts: the records that a tool plans from and that checks judge by, loaded in one statement.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

/// Which records a plan needs. A record that does not exist is missing from the facts.
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
    /// The newest evidence of a release, provider and kind, and the record that says which evidence is current.
    pub newest: Option<(ReleaseId, String, String)>,
}

impl FactsQuery {
    /// Adds IDs.
    pub fn with<T: AsRef<str>>(mut self, ids: impl IntoIterator<Item = T>) -> Self {
        self.ids.extend(ids.into_iter().map(|id| id.as_ref().to_owned()));
        self
    }

    /// Adds a person named by ID or e-mail address.
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
    pub fn ids_of(&self, kind: RecordKind) -> Vec<&str> {
        self.ids
            .iter()
            .map(String::as_str)
            .filter(|id| RecordKind::of(id) == Some(kind))
            .collect()
    }
}

/// Records by ID.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts(BTreeMap<String, Record>);

impl Facts {
    /// Adds a record, in place of an older state of it.
    pub fn insert(&mut self, record: impl Into<Record>) {
        let record = record.into();
        self.0.insert(record.id().to_owned(), record);
    }

    /// Adds the records of other facts, in place of older states of them.
    pub fn extend(&mut self, more: Facts) {
        self.0.extend(more.0);
    }

    /// The record with this ID.
    pub fn get(&self, id: &str) -> Option<&Record> {
        self.0.get(id)
    }

    /// The record with this ID, to change it.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Record> {
        self.0.get_mut(id)
    }

    /// Whether there is a record with this ID.
    pub fn contains(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    /// Every record, by ID.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.0.values()
    }

    /// Every record, by ID, without a copy.
    pub fn into_records(self) -> impl Iterator<Item = Record> {
        self.0.into_values()
    }

    /// The person with this ID or verified e-mail address.
    pub fn find_person(&self, id_or_email: &str) -> Option<&Person> {
        let mut with_address = self.people().filter(|person| person.email.is(id_or_email));
        // An address that several people have names none of them.
        self.person(id_or_email)
            .or_else(|| with_address.next().filter(|_| with_address.next().is_none()))
    }

    /// The component of this kind with this ID, key or name.
    pub fn find_component(&self, kind: ComponentKind, named: &str) -> Option<&Component> {
        self.components()
            .filter(|component| component.kind == kind)
            .find(|component| component.id.as_str() == named || component.key == named || component.name == named)
    }

    /// The record's key and title, for people: `WI-12` and `Fix the login`.
    pub fn name_of(&self, id: &str) -> Option<(Option<&str>, &str)> {
        let record = self.get(id)?;
        Some((record.key(), record.name()?))
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

impl<R: Into<Record>> FromIterator<R> for Facts {
    fn from_iter<I: IntoIterator<Item = R>>(records: I) -> Self {
        let mut facts = Facts::default();
        records.into_iter().for_each(|record| facts.insert(record));
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::test_records::one_of_each;

    #[test]
    fn facts_that_are_added_are_all_found() {
        let mut facts = one_of_each(1);
        facts.extend(one_of_each(2));
        for n in [1, 2] {
            let names: Vec<(String, Option<&str>, &str)> = vec![
                (ReleaseId::from_bits(n).to_string(), Some("SHOP-"), "Shop"),
                (
                    CertificationId::from_bits(n).to_string(),
                    Some("SOC2-"),
                    "Certification",
                ),
                (TeamId::from_bits(n).to_string(), Some("team-"), "Team"),
                (PersonId::from_bits(n).to_string(), None, "Person"),
                (ComponentId::from_bits(n).to_string(), Some("cart-"), "Cart"),
                (ControlId::from_bits(n).to_string(), Some("AC-"), "Control"),
                (EvidenceId::from_bits(n).to_string(), Some("EV-"), "scan"),
                (FindingId::from_bits(n).to_string(), Some("FND-"), "Finding"),
                (BlockerId::from_bits(n).to_string(), Some("BLK-"), "Blocker"),
                (WorkItemId::from_bits(n).to_string(), Some("WI-"), "Work item"),
                (ActionId::from_bits(n).to_string(), None, "Action"),
            ];
            for (id, key, name) in names {
                let key = key.map(|key| format!("{key}{n}"));
                let (found, title) = facts.name_of(&id).expect(&id);
                assert_eq!(found, key.as_deref());
                assert!(title.starts_with(name) && title.contains(&n.to_string()), "{title}");
                let reference = facts.reference(&id).expect(&id);
                assert_eq!((Some(reference.kind), &reference.id), (RecordKind::of(&id), &id));
                assert_eq!(reference.key, key.map(PlainText::from));
            }
            assert!(facts.contains(CurrentEvidenceId::from_bits(n).as_str()));
        }
        for id in [FindingId::from_bits(3).as_str(), TokenId::from_bits(1).as_str(), "none"] {
            assert_eq!((facts.name_of(id), facts.reference(id)), (None, None));
        }
    }

    #[test]
    fn an_address_that_two_people_have_names_neither() {
        let mut facts = one_of_each(1);
        let id = PersonId::from_bits(1);
        assert_eq!(facts.find_person(id.as_str()).map(|person| &person.id), Some(&id));
        assert_eq!(facts.find_person("P1@acme.example").map(|person| &person.id), Some(&id));
        assert_eq!(facts.find_person("p2@acme.example"), None);
        let second = Person {
            id: PersonId::from_bits(2),
            ..facts.person(&id).unwrap().clone()
        };
        facts.insert(second);
        assert_eq!(facts.find_person("p1@acme.example"), None);
        assert!(facts.find_person(id.as_str()).is_some(), "an ID names one account");
    }

    #[test]
    fn a_component_is_named_by_id_key_or_name_and_its_kind() {
        let mut facts = one_of_each(1);
        facts.extend(one_of_each(2));
        for named in [ComponentId::from_bits(2).as_str(), "cart-2", "Cart 2"] {
            let found = facts.find_component(ComponentKind::Service, named).expect(named);
            assert_eq!(found.id, ComponentId::from_bits(2));
            assert_eq!(facts.find_component(ComponentKind::Module, named), None);
        }
        assert_eq!(facts.find_component(ComponentKind::Service, "cart-3"), None);
    }

    #[test]
    fn a_query_asks_by_what_was_named() {
        let (person, component) = (
            PersonId::from_bits(1).to_string(),
            ComponentId::from_bits(1).to_string(),
        );
        let finding = FindingId::from_bits(1);
        let query = FactsQuery::default()
            .with([finding.as_str()])
            .with_person(Some(&person))
            .with_person(Some(&"dana@acme.example".to_owned()))
            .with_person(Some(&"Dana".to_owned()))
            .with_person(None)
            .with_component(Some(&component))
            .with_component(Some(&"cart".to_owned()))
            .with_component(None);
        assert_eq!(query.ids, [component, finding.to_string(), person].into());
        assert_eq!(query.emails, Address::parse("dana@acme.example").into_iter().collect());
        assert_eq!(query.components, ["cart".to_owned()].into());
    }
}
