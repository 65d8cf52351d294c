//! The kinds of records in a catalog and their fields: the only description of the format.

use crate::domain::{ControlStatus, Priority, ReleaseStatus, Role, Severity, WorkItemKind, WorkItemStatus};
use serde::Serialize;

/// A kind of record. The order is that of writing: each kind refers only to earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A person, by e-mail address, with roles.
    Person,
    /// A team with its members.
    Team,
    /// What users know by name.
    Application,
    /// A part of an application.
    Module,
    /// Where the source is kept.
    Repository,
    /// What runs.
    Service,
    /// A release.
    Release,
    /// A certification of a release.
    Certification,
    /// A control of a release.
    Control,
    /// A story or task of a release's backlog.
    WorkItem,
}

/// The form of a field's value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// The key of the record itself.
    Key,
    /// The e-mail address that is the key of the record.
    OwnAddress,
    /// One line of at most this many characters.
    Line(usize),
    /// Text with line breaks.
    Text(usize),
    /// One of these words.
    Choice(fn() -> Vec<&'static str>),
    /// A set of these words.
    Choices(fn() -> Vec<&'static str>),
    /// The key of a record of this kind.
    Ref(Kind),
    /// The keys of records of this kind.
    Refs(Kind),
    /// E-mail addresses.
    Addresses,
    /// A set of lines.
    Names,
    /// Lines in their order.
    Lines,
    /// Records of this kind, which belong to this one.
    Records(Kind),
}

/// A field of a kind of record.
#[derive(Debug)]
pub(super) struct FieldSpec {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// Whether a record needs the field.
    pub(super) required: bool,
    /// The value of a new record whose file leaves the field out.
    pub(super) default: Option<&'static str>,
    /// What the field is, for the JSON Schema.
    pub(super) doc: &'static str,
}

/// A kind of record with its fields.
#[derive(Debug)]
pub struct KindSpec {
    /// The kind.
    pub kind: Kind,
    /// The key of the list in a file.
    pub(super) section: &'static str,
    /// What records of this kind are, for the JSON Schema.
    pub(super) doc: &'static str,
    pub(super) fields: &'static [FieldSpec],
}

const fn field(name: &'static str, shape: Shape, doc: &'static str) -> FieldSpec {
    FieldSpec {
        name,
        shape,
        required: false,
        default: None,
        doc,
    }
}

const fn required(name: &'static str, shape: Shape, doc: &'static str) -> FieldSpec {
    FieldSpec {
        required: true,
        ..field(name, shape, doc)
    }
}

const fn defaulting(name: &'static str, shape: Shape, default: &'static str, doc: &'static str) -> FieldSpec {
    FieldSpec {
        default: Some(default),
        ..field(name, shape, doc)
    }
}

const KEY: FieldSpec = required(
    "key",
    Shape::Key,
    "The key, which identifies the record: 1 to 100 characters without spaces.",
);
const NAME: FieldSpec = field("name", Shape::Line(200), "The name for people. Default: the key.");
const OWNER: FieldSpec = required("team", Shape::Ref(Kind::Team), "The key of the team that owns it.");

macro_rules! words {
    ($enum:ident) => {
        || $enum::ALL.iter().map(|one| one.as_str()).collect()
    };
}

/// Every kind with its fields.
pub const KINDS: &[KindSpec] = &[
    KindSpec {
        kind: Kind::Team,
        section: "teams",
        doc: "Teams with their members.",
        fields: &[
            KEY,
            NAME,
            field(
                "members",
                Shape::Addresses,
                "E-mail addresses of members. A person becomes a member when an identity provider has verified the address.",
            ),
            field(
                "groups",
                Shape::Names,
                "Groups of the identity provider whose people are members.",
            ),
        ],
    },
    KindSpec {
        kind: Kind::Person,
        section: "people",
        doc: "Roles of people, for identity providers whose tokens have no roles.",
        fields: &[
            required("email", Shape::OwnAddress, "The person's e-mail address."),
            required(
                "roles",
                Shape::Choices(words!(Role)),
                "The person's roles. They count if the token of a sign-in asserts none.",
            ),
        ],
    },
    KindSpec {
        kind: Kind::Application,
        section: "applications",
        doc: "Applications: what users know by name.",
        fields: &[KEY, NAME, OWNER],
    },
    KindSpec {
        kind: Kind::Module,
        section: "modules",
        doc: "Modules: parts of applications.",
        fields: &[KEY, NAME, OWNER],
    },
    KindSpec {
        kind: Kind::Repository,
        section: "repositories",
        doc: "Repositories with source.",
        fields: &[KEY, NAME, OWNER],
    },
    KindSpec {
        kind: Kind::Service,
        section: "services",
        doc: "Services: what runs.",
        fields: &[KEY, NAME, OWNER],
    },
    KindSpec {
        kind: Kind::Release,
        section: "releases",
        doc: "Releases with their certifications, controls and backlog.",
        fields: &[
            KEY,
            NAME,
            defaulting(
                "status",
                Shape::Choice(words!(ReleaseStatus)),
                "planned",
                "The status. Leave it out if people set it here (`loopiq release status`).",
            ),
            field("commit", Shape::Line(100), "The commit that the release is built from."),
            defaulting(
                "severityThreshold",
                Shape::Choice(words!(Severity)),
                "high",
                "An open finding of this severity or a higher one is a blocker.",
            ),
            field(
                "teams",
                Shape::Refs(Kind::Team),
                "Keys of the teams that work on the release.",
            ),
            field(
                "applications",
                Shape::Refs(Kind::Application),
                "Keys of applications in the release.",
            ),
            field("modules", Shape::Refs(Kind::Module), "Keys of modules in the release."),
            field(
                "repositories",
                Shape::Refs(Kind::Repository),
                "Keys of repositories in the release.",
            ),
            field(
                "services",
                Shape::Refs(Kind::Service),
                "Keys of services in the release.",
            ),
            field(
                "certifications",
                Shape::Records(Kind::Certification),
                "Certifications of the release.",
            ),
            field("controls", Shape::Records(Kind::Control), "Controls of the release."),
            field("backlog", Shape::Records(Kind::WorkItem), "Work items of the release."),
        ],
    },
    KindSpec {
        kind: Kind::Certification,
        section: "certifications",
        doc: "A certification. It begins open; people grant or refuse it.",
        fields: &[KEY, NAME],
    },
    KindSpec {
        kind: Kind::Control,
        section: "controls",
        doc: "A control.",
        fields: &[
            KEY,
            field(
                "title",
                Shape::Line(500),
                "What the control requires. Default: the key.",
            ),
            defaulting(
                "status",
                Shape::Choice(words!(ControlStatus)),
                "unknown",
                "The status. Leave it out if imported assessments set it.",
            ),
        ],
    },
    KindSpec {
        kind: Kind::WorkItem,
        section: "backlog",
        doc: "A work item. It is created once; after that it belongs to the people and agents who work on it, and a catalog does not change it.",
        fields: &[
            KEY,
            required("title", Shape::Line(200), "What is to be done, in one line."),
            field(
                "team",
                Shape::Ref(Kind::Team),
                "The key of the team that does the work. Default: the only team of the release.",
            ),
            field(
                "kind",
                Shape::Choice(words!(WorkItemKind)),
                "Story or task. Default: a task if it has a parent, otherwise a story.",
            ),
            field(
                "parent",
                Shape::Ref(Kind::WorkItem),
                "The key of the story that a task belongs to, in the same release.",
            ),
            field(
                "description",
                Shape::Text(10_000),
                "What a person must know to do the work.",
            ),
            defaulting("status", Shape::Choice(words!(WorkItemStatus)), "open", "The status."),
            defaulting(
                "priority",
                Shape::Choice(words!(Priority)),
                "medium",
                "How urgent it is.",
            ),
            field("estimate", Shape::Line(40), "How much work it is."),
            field("acceptanceCriteria", Shape::Lines, "When it is done."),
        ],
    },
];

impl Kind {
    /// The kinds of components.
    pub const COMPONENTS: [Kind; 4] = [Kind::Application, Kind::Module, Kind::Repository, Kind::Service];

    /// What a record of this kind is called.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Person => "person",
            Kind::Team => "team",
            Kind::Application => "application",
            Kind::Module => "module",
            Kind::Repository => "repository",
            Kind::Service => "service",
            Kind::Release => "release",
            Kind::Certification => "certification",
            Kind::Control => "control",
            Kind::WorkItem => "work item",
        }
    }

    /// The kind with its fields.
    pub(super) fn spec(self) -> &'static KindSpec {
        // Every kind is in the table; a test checks it.
        KINDS.iter().find(|spec| spec.kind == self).unwrap_or(&KINDS[0])
    }

    /// The key of the list of such records in a file.
    pub fn section(self) -> &'static str {
        self.spec().section
    }

    /// Whether such records belong to a release, in whose declaration they are.
    pub(super) fn is_of_release(self) -> bool {
        matches!(self, Kind::Certification | Kind::Control | Kind::WorkItem)
    }

    /// Whether `--prune` retires such a record if no file declares it. Records of a release keep their place in it.
    pub fn is_pruned(self) -> bool {
        !self.is_of_release()
    }
}
