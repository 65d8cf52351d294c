//! Reads entities of Backstage (`catalog-info.yaml`): Group, User, System, Component and API.
//!
//! A group is a team, a system an application, a component of the type service or website a service, and any other component or an API a
//! module. The source repository of a component is a repository. Entities of other kinds, and fields that are not read, change nothing.

use super::native::{address, key, line};
use super::record::{Given, Member, Membership};
use super::yaml::{Node, NodeValue};
use super::{Catalog, Declared, Ident, Kind, Problems, Skipped, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The kinds that are read.
const READ: [&str; 5] = ["Group", "User", "System", "Component", "API"];
/// The most levels of groups in which a cycle is looked for.
const DEEPEST: usize = 50;

/// An entity whose name was read.
pub(super) struct Entity {
    file: String,
    kind: String,
    /// Namespace and name in lower case, because references ignore the case.
    id: String,
    /// The key of its record.
    key: String,
    namespace: String,
    node: Rc<Node>,
}

/// Whether a document is an entity of Backstage and not of this service's own format.
pub(super) fn is_entity(document: &Node) -> bool {
    document.get("apiVersion").is_some() || (document.get("kind").is_some() && document.get("metadata").is_some())
}

/// Reads the name of an entity. `None` if the entity is skipped or has a mistake.
pub(super) fn entity(file: &str, node: &Rc<Node>, catalog: &mut Catalog, problems: &mut Problems) -> Option<Entity> {
    let text = |path: &[&str]| node.at(path).and_then(Node::text);
    let version = text(&["apiVersion"]).unwrap_or_default();
    let kind = text(&["kind"]).unwrap_or_default();
    let name = text(&["metadata", "name"]).unwrap_or_default();
    if !version.contains("backstage.io/") {
        // Companies keep entities of their own kinds in the same files. A document without a kind is a mistake.
        if !version.is_empty() && !kind.is_empty() {
            catalog.skipped.push(Skipped {
                file: file.to_owned(),
                line: node.line,
                what: format!("{kind} {name}"),
                why: format!("{version} is not an API version of Backstage"),
            });
            return None;
        }
        let message =
            format!("\"{version}\" is not an API version of Backstage; a file of this service has no apiVersion");
        problems.add(file, node.line, "apiVersion", message);
        return None;
    }
    if !READ.iter().any(|read| read.eq_ignore_ascii_case(kind)) {
        if kind.is_empty() {
            problems.add(file, node.line, "kind", "is missing");
            return None;
        }
        catalog.skipped.push(Skipped {
            file: file.to_owned(),
            line: node.line,
            what: format!("{kind} {name}"),
            why: format!("this service does not read entities of the kind {kind}"),
        });
        return None;
    }
    let namespace = text(&["metadata", "namespace"])
        .unwrap_or("default")
        .to_ascii_lowercase();
    let record_key = if namespace == "default" {
        name.to_owned()
    } else {
        format!("{namespace}/{name}")
    };
    if let Err(message) = key(&record_key) {
        problems.add(file, node.line, "metadata.name", message);
        return None;
    }
    Some(Entity {
        file: file.to_owned(),
        kind: READ
            .iter()
            .find(|read| read.eq_ignore_ascii_case(kind))
            .unwrap_or(&"")
            .to_string(),
        id: format!("{namespace}/{}", name.to_ascii_lowercase()),
        key: record_key,
        namespace,
        node: node.clone(),
    })
}

/// A reference: `[kind:][namespace/]name`.
struct Reference {
    kind: String,
    /// Namespace and name in lower case.
    id: String,
    /// The key of the record that it would have.
    key: String,
}

impl Reference {
    fn read(text: &str, kind: &str, namespace: &str) -> Self {
        let (kind, rest) = text.split_once(':').unwrap_or((kind, text));
        let (namespace, name) = rest.split_once('/').unwrap_or((namespace, rest));
        let (namespace, name) = (namespace.trim().to_ascii_lowercase(), name.trim());
        Self {
            kind: kind.trim().to_ascii_lowercase(),
            id: format!("{namespace}/{}", name.to_ascii_lowercase()),
            key: if namespace == "default" {
                name.to_owned()
            } else {
                format!("{namespace}/{name}")
            },
        }
    }
}

impl Entity {
    fn at(&self, path: &[&str]) -> Option<&Node> {
        self.node.at(path)
    }

    fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path)
            .and_then(Node::text)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    /// The line of a field; of one that is missing, the line of what should contain it.
    fn line(&self, path: &[&str]) -> u32 {
        let nodes = (0..=path.len()).rev().filter_map(|length| self.at(&path[..length]));
        nodes.map(|node| node.line).next().unwrap_or_default()
    }

    fn problem(&self, path: &[&str], message: impl AsRef<str>, problems: &mut Problems) {
        problems.add(&self.file, self.line(path), path.join("."), message);
    }

    fn skip(&self, why: impl Into<String>, catalog: &mut Catalog) {
        catalog.skipped.push(Skipped {
            file: self.file.clone(),
            line: self.node.line,
            what: format!("{} {}", self.kind, self.key),
            why: why.into(),
        });
    }

    /// The references of a list. Anything else than a list of texts is a mistake.
    fn references(&self, path: &[&str], kind: &str, problems: &mut Problems) -> Vec<(Reference, u32)> {
        let Some(node) = self.at(path) else { return Vec::new() };
        let mut references = Vec::new();
        match &node.value {
            NodeValue::Null => {}
            NodeValue::List(items) => {
                for item in items {
                    match item.text() {
                        Some(text) => references.push((Reference::read(text, kind, &self.namespace), item.line)),
                        None => problems.add(
                            &self.file,
                            item.line,
                            path.join("."),
                            format!("must contain names, not {}", item.noun()),
                        ),
                    }
                }
            }
            _ => self.problem(path, format!("must be a list, not {}", node.noun()), problems),
        }
        references
    }

    fn given(&self, path: &[&str], value: Value) -> Given {
        Given {
            value,
            line: self.line(path),
            path: path.join("."),
        }
    }

    /// The name for people.
    fn name(&self, profile: &[&str], problems: &mut Problems) -> Given {
        for path in [profile, &["metadata", "title"]] {
            if let Some(name) = self.text(path) {
                return match line(name, 200) {
                    Ok(name) => self.given(path, Value::Text(name)),
                    Err(message) => {
                        self.problem(path, message, problems);
                        self.given(path, Value::None)
                    }
                };
            }
        }
        self.given(&["metadata", "name"], Value::Text(self.key.clone()))
    }

    fn declared(&self, kind: Kind, fields: BTreeMap<&'static str, Given>) -> Declared {
        Declared {
            ident: Ident::new(kind, self.key.clone()),
            file: self.file.clone(),
            line: self.node.line,
            fields,
            ignores_case: true,
        }
    }

    /// A membership of which no file of Backstage declares the team or the user.
    fn membership(&self, line: u32, team: &str, member: Member) -> Membership {
        Membership {
            file: self.file.clone(),
            line,
            what: format!("{} {}", self.kind, self.key),
            team: team.to_owned(),
            member,
        }
    }
}

/// What a user of Backstage is for a team.
enum User {
    Member(String),
    WithoutAddress,
}

/// Converts entities to records, after all files were read: references can name entities of any file.
pub(super) fn convert(entities: Vec<Entity>, catalog: &mut Catalog, problems: &mut Problems) {
    let of_kind = |kind: &'static str| entities.iter().filter(move |entity| entity.kind == kind);
    let mut users: BTreeMap<&str, User> = BTreeMap::new();
    for user in of_kind("User") {
        let path = ["spec", "profile", "email"];
        let known = match user.text(&path).map(address) {
            Some(Ok(address)) => User::Member(address),
            Some(Err(message)) => {
                user.problem(&path, message, problems);
                User::WithoutAddress
            }
            None => {
                user.skip(
                    "it has no e-mail address (spec.profile.email), so it is a member of no team",
                    catalog,
                );
                User::WithoutAddress
            }
        };
        if users.insert(&user.id, known).is_some() {
            user.problem(
                &["metadata", "name"],
                format!("the user {} is declared twice", user.key),
                problems,
            );
        }
    }
    let groups: BTreeMap<&str, &Entity> = of_kind("Group").map(|group| (group.id.as_str(), group)).collect();
    let mut members: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for user in of_kind("User") {
        for (group, line) in user.references(&["spec", "memberOf"], "group", problems) {
            let address = match users.get(user.id.as_str()) {
                Some(User::Member(address)) => Some(address),
                _ => None,
            };
            match (groups.get_key_value(group.id.as_str()), address) {
                (Some((id, _)), address) => members.entry(id).or_default().extend(address.cloned()),
                (None, Some(address)) => {
                    let member = Member::Address(address.clone());
                    catalog.memberships.push(user.membership(line, &group.key, member));
                }
                // It is named as a user without an address already.
                (None, None) => {}
            }
        }
    }
    cycles(&groups, problems);
    for group in of_kind("Group") {
        let mut fields = BTreeMap::new();
        fields.insert("name", group.name(&["spec", "profile", "displayName"], problems));
        let path = ["spec", "members"];
        let mut own = members.remove(group.id.as_str());
        if group.at(&path).is_some() {
            own.get_or_insert_default();
        }
        for (user, line) in group.references(&path, "user", problems) {
            match users.get(user.id.as_str()) {
                Some(User::Member(address)) => {
                    own.get_or_insert_default().insert(address.clone());
                }
                Some(User::WithoutAddress) => {}
                None => {
                    let member = Member::Name(user.key);
                    catalog.memberships.push(group.membership(line, &group.key, member));
                }
            }
        }
        if let Some(own) = own {
            fields.insert("members", group.given(&path, Value::set(own)));
        }
        catalog.add(group.declared(Kind::Team, fields), problems);
    }
    for entity in ["System", "Component", "API"].into_iter().flat_map(of_kind) {
        component(entity, &groups, catalog, problems);
    }
}

/// Reports groups that are above themselves. The teams here have no levels, and such a file has a mistake.
fn cycles(groups: &BTreeMap<&str, &Entity>, problems: &mut Problems) {
    let parent = |group: &Entity| {
        let parent = Reference::read(group.text(&["spec", "parent"])?, "group", &group.namespace);
        groups.get(parent.id.as_str()).copied()
    };
    let mut reported: BTreeSet<&str> = BTreeSet::new();
    for group in groups.values() {
        let mut path = vec![*group];
        while let Some(above) = parent(path[path.len() - 1]) {
            if let Some(from) = path.iter().position(|one| one.id == above.id) {
                let cycle = &path[from..];
                if cycle.iter().all(|one| reported.insert(one.id.as_str())) {
                    let names: Vec<&str> = cycle.iter().chain([&above]).map(|one| one.key.as_str()).collect();
                    let message = format!("the groups are a cycle: {}", names.join(" → "));
                    cycle[0].problem(&["spec", "parent"], message, problems);
                }
                break;
            }
            if path.len() == DEEPEST {
                break;
            }
            path.push(above);
        }
    }
}

fn component(entity: &Entity, groups: &BTreeMap<&str, &Entity>, catalog: &mut Catalog, problems: &mut Problems) {
    let owner_path = ["spec", "owner"];
    let Some(owner) = entity.text(&owner_path) else {
        entity.problem(&owner_path, "is missing", problems);
        return;
    };
    let owner = Reference::read(owner, "group", &entity.namespace);
    if owner.kind != "group" {
        let why = format!(
            "its owner is a {}, and only a group can own a component here",
            owner.kind
        );
        entity.skip(why, catalog);
        return;
    }
    let kind = match (entity.kind.as_str(), entity.text(&["spec", "type"])) {
        ("System", _) => Kind::Application,
        ("Component", Some("service" | "website")) => Kind::Service,
        _ => Kind::Module,
    };
    let team = groups
        .get(owner.id.as_str())
        .map_or(owner.key, |group| group.key.clone());
    let team = entity.given(&owner_path, Value::Text(team));
    let mut fields = BTreeMap::new();
    fields.insert("name", entity.name(&["metadata", "title"], problems));
    fields.insert("team", team.clone());
    let declared = entity.declared(kind, fields);
    if entity.kind == "API" && catalog.get(declared.ident()).is_some() {
        entity.skip("a module has this key already", catalog);
    } else {
        catalog.add(declared, problems);
    }
    let Some(repository) = repository(entity) else { return };
    let ident = Ident::new(Kind::Repository, repository.clone());
    // Several components can be in one repository, which belongs to the owner of the first.
    if catalog.get(&ident).is_none() && key(&repository).is_ok() {
        let name = entity.given(&["metadata", "annotations"], Value::Text(repository));
        let fields = BTreeMap::from([("name", name), ("team", team)]);
        let declared = Declared {
            ident,
            ..entity.declared(Kind::Repository, fields)
        };
        catalog.add(declared, problems);
    }
}

/// The repository in which a component's source is, as `owner/name`.
fn repository(entity: &Entity) -> Option<String> {
    let annotation = |name: &str| entity.text(&["metadata", "annotations", name]);
    if let Some(slug) = annotation("github.com/project-slug").or_else(|| annotation("gitlab.com/project-slug")) {
        return Some(slug.to_owned());
    }
    let location = annotation("backstage.io/source-location")?.strip_prefix("url:https://")?;
    let mut parts = location.split('/').skip(1).filter(|part| !part.is_empty());
    let (owner, name) = (parts.next()?, parts.next()?);
    Some(format!("{owner}/{}", name.trim_end_matches(".git")))
}
