//! A record of any kind: what tools, checks and pages ask of every kind in the same way.

use super::*;
use serde::Serialize;

/// A field that a kind of record may lack.
macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

/// For each kind: the variant and its type, the accessors in [`Facts`], and the fields with key, name and version.
macro_rules! record_kinds {
    ($($kind:ident($type:ty): $one:ident, $all:ident, key [$($key:ident)?], name [$($name:ident)?], version [$($version:ident)?];)*) => {
        /// A record that a tool plans from, or that a check judges by.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        #[allow(missing_docs)]
        pub enum Record { $($kind($type),)* }

        impl Record {
            /// The kinds that facts can hold.
            pub const KINDS: &[RecordKind] = &[$(RecordKind::$kind),*];

            /// The record's kind.
            pub fn kind(&self) -> RecordKind {
                match self { $(Record::$kind(_) => RecordKind::$kind,)* }
            }

            /// The record's ID.
            pub fn id(&self) -> &str {
                match self { $(Record::$kind(record) => record.id.as_str(),)* }
            }

            /// The short name that people use in texts, such as `WI-12`; `None` for kinds without one.
            pub fn key(&self) -> Option<&str> {
                #[allow(unused_variables)]
                match self { $(Record::$kind(record) => optional!($(record.$key.as_str())?),)* }
            }

            /// The name or title, such as `Fix the login`; `None` for kinds without one.
            pub fn name(&self) -> Option<&str> {
                #[allow(unused_variables)]
                match self { $(Record::$kind(record) => optional!($(record.$name.as_str())?),)* }
            }

            /// The number of the last change; `None` for kinds that no change set updates.
            pub fn version(&self) -> Option<i64> {
                #[allow(unused_variables)]
                match self { $(Record::$kind(record) => optional!($(record.$version)?),)* }
            }
        }

        $(
            impl From<$type> for Record {
                fn from(record: $type) -> Self { Record::$kind(record) }
            }
        )*

        impl Facts {
            $(
                #[doc = concat!("The ", stringify!($one), " with this ID.")]
                pub fn $one<I: AsRef<str> + ?Sized>(&self, id: &I) -> Option<&$type> {
                    match self.get(id.as_ref())? {
                        Record::$kind(record) => Some(record),
                        _ => None,
                    }
                }

                #[doc = concat!("Every ", stringify!($one), ", by ID.")]
                pub fn $all(&self) -> impl Iterator<Item = &$type> {
                    self.records().filter_map(|record| match record {
                        Record::$kind(record) => Some(record),
                        _ => None,
                    })
                }
            )*
        }
    };
}

record_kinds! {
    Release(Release): release, releases, key [key], name [name], version [version];
    Certification(Certification): certification, certifications, key [key], name [name], version [version];
    Team(Team): team, teams, key [key], name [name], version [];
    Person(Person): person, people, key [], name [name], version [];
    Component(Component): component, components, key [key], name [name], version [];
    Control(Control): control, controls, key [key], name [title], version [version];
    Evidence(Evidence): evidence, all_evidence, key [key], name [name], version [];
    Finding(Finding): finding, findings, key [key], name [title], version [version];
    Blocker(Blocker): blocker, blockers, key [key], name [title], version [version];
    WorkItem(WorkItem): work_item, work_items, key [key], name [title], version [version];
    Action(ActionRef): action, actions, key [], name [headline], version [];
    CurrentEvidence(CurrentEvidence): current_evidence, all_current_evidence, key [], name [], version [version];
}
