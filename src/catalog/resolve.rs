//! Checks what a catalog refers to: in its own files, and among the stored records.

use super::kinds::Shape;
use super::similar::Similar;
use super::{Catalog, Declared, Ident, Kind, Problems, Stored, Value};
use crate::domain::{ReleaseStatus, WorkItemKind};

/// The most keys that a message suggests from.
const SIMILAR: usize = 3;
/// The longest cycle that is reported as such. A longer one has tasks as parents, which is reported as well.
const LONGEST_CYCLE: usize = 20;

/// Reports references to records that do not exist, cycles, and states that a catalog cannot give.
pub(super) fn check(catalog: &Catalog, stored: &Stored, prune: bool, problems: &mut Problems) {
    let mut references = References {
        catalog,
        stored,
        prune,
        similar: Similar::default(),
    };
    for declared in catalog.records() {
        for field in declared.ident.kind.spec().fields {
            let Some(value) = declared.value(field.name) else {
                continue;
            };
            match (field.shape, value) {
                (Shape::Ref(kind), Value::Text(key)) => references.check(declared, field.name, kind, key, problems),
                (Shape::Refs(kind), Value::List(keys)) => {
                    for key in keys {
                        references.check(declared, field.name, kind, key, problems);
                    }
                }
                _ => {}
            }
        }
        match declared.ident.kind {
            Kind::Release => decided_by_people(declared, catalog, stored, problems),
            Kind::Certification => {
                moved(declared, stored, problems);
                added_to_a_certified_release(declared, catalog, stored, problems);
            }
            Kind::Control => added_to_a_certified_release(declared, catalog, stored, problems),
            Kind::WorkItem => work_item(declared, catalog, stored, problems),
            _ => {}
        }
    }
}

/// The record that a field names.
pub(super) fn target(declared: &Declared, kind: Kind, key: &str) -> Ident {
    match (kind, &declared.ident.release) {
        (Kind::WorkItem, Some(release)) => Ident::within(kind, release.clone(), key),
        _ => Ident::new(kind, key),
    }
}

/// The records that fields of a catalog name.
struct References<'a> {
    catalog: &'a Catalog,
    stored: &'a Stored,
    prune: bool,
    similar: Similar,
}

impl References<'_> {
    /// Checks that a field names a record that exists and stays.
    fn check(&mut self, declared: &Declared, field: &str, kind: Kind, key: &str, problems: &mut Problems) {
        let ident = target(declared, kind, key);
        if self.catalog.get(&ident).is_some() {
            return;
        }
        match self.stored.get(&ident) {
            Some(_) if self.prune && kind.is_pruned() => {
                let message = format!(
                    "no file declares the {ident}, so --prune would retire it; declare it, or refer to another"
                );
                declared.problem(field, message, problems);
            }
            Some(known) if known.is_retired => {
                let message = format!("the {ident} is retired; declare it to use it again");
                declared.problem(field, message, problems);
            }
            Some(_) => {}
            None => {
                // A mistake that is only counted needs no suggestion.
                let suggestion = if problems.is_full() {
                    String::new()
                } else {
                    self.suggestion(&ident)
                };
                let message = format!("there is no {ident}, neither in these files nor stored{suggestion}");
                declared.problem(field, message, problems);
            }
        }
    }

    /// The keys of the same kind that are similar, for a message.
    fn suggestion(&mut self, ident: &Ident) -> String {
        let declared = self.catalog.records().map(|record| &record.ident);
        let known = self
            .stored
            .records()
            .filter(|record| !record.is_retired)
            .map(|record| &record.ident);
        let keys = declared
            .chain(known)
            .filter(|one| one.kind == ident.kind && one.release == ident.release)
            .map(|one| one.key.as_str());
        let near = self.similar.to(&ident.key, keys);
        match near.get(..near.len().min(SIMILAR)) {
            None | Some([]) => String::new(),
            Some(near) => format!("; did you mean {}?", near.join(" or ")),
        }
    }
}

/// The stored status of the release, if it is stored.
fn status_of<'s>(ident: &Ident, stored: &'s Stored) -> Option<&'s str> {
    stored.get(ident)?.fields.get("status")?.text()
}

/// People certify a release, and release what has certifications, because they look at the certifications. A catalog that names the stored status again
/// changes nothing.
fn decided_by_people(declared: &Declared, catalog: &Catalog, stored: &Stored, problems: &mut Problems) {
    let Some(status) = declared.value("status").and_then(Value::text) else {
        return;
    };
    if status_of(&declared.ident, stored) == Some(status) {
        return;
    }
    let is_certification_of_it = |ident: &Ident, release: Option<&Value>| {
        ident.kind == Kind::Certification && release.and_then(Value::text) == Some(declared.ident.key.as_str())
    };
    let has_certification = || {
        let declares = catalog
            .records()
            .any(|one| is_certification_of_it(&one.ident, one.value("release")));
        let has = stored
            .records()
            .any(|one| is_certification_of_it(&one.ident, one.fields.get("release")));
        declares || has
    };
    let message = match ReleaseStatus::parse(status) {
        Some(ReleaseStatus::Certified) => {
            "people certify a release, with `loopiq certification grant` and `loopiq release status`; name another status"
        }
        Some(ReleaseStatus::Released) if has_certification() => {
            "people release what has certifications, with `loopiq release status`; name another status"
        }
        _ => return,
    };
    declared.problem("status", message, problems);
}

/// A certified release gets no further certifications or controls: people certified it without them.
fn added_to_a_certified_release(declared: &Declared, catalog: &Catalog, stored: &Stored, problems: &mut Problems) {
    if stored.get(&declared.ident).is_some() {
        return;
    }
    let Some(release) = declared
        .value("release")
        .and_then(Value::text)
        .or(declared.ident.release.as_deref())
    else {
        return;
    };
    let release = Ident::new(Kind::Release, release);
    if stays_certified(&release, catalog, stored) {
        declared.problem("", of_certified_release(&release, "get"), problems);
    }
}

/// Whether the release is certified, and the catalog leaves it so.
pub(super) fn stays_certified(release: &Ident, catalog: &Catalog, stored: &Stored) -> bool {
    let certified = ReleaseStatus::Certified.as_str();
    let declared = catalog.get(release).and_then(|release| release.value("status"));
    status_of(release, stored) == Some(certified)
        && declared.and_then(Value::text).is_none_or(|status| status == certified)
}

/// The message about a change of a certified release.
pub(super) fn of_certified_release(release: &Ident, verb: &str) -> String {
    format!(
        "the {release} is certified, so it cannot {verb} this; set it back first with `loopiq release status {} in_progress`",
        release.key
    )
}

/// A certification stays with its release.
fn moved(declared: &Declared, stored: &Stored, problems: &mut Problems) {
    let Some(known) = stored.get(&declared.ident) else {
        return;
    };
    if let (Some(now), Some(was)) = (declared.value("release"), known.fields.get("release"))
        && now != was
    {
        let message = format!(
            "the {} belongs to the release {}; use another key for the one of {}",
            declared.ident,
            was.text().unwrap_or_default(),
            now.text().unwrap_or_default()
        );
        declared.problem("release", message, problems);
    }
}

/// The kind of a work item: as the file says, otherwise a task if it has a parent.
pub(super) fn kind_of(declared: &Declared) -> &str {
    let default = match declared.value("parent") {
        Some(Value::Text(_)) => WorkItemKind::Task,
        _ => WorkItemKind::Story,
    };
    declared.value("kind").and_then(Value::text).unwrap_or(default.as_str())
}

/// The team of a work item: as the file says, otherwise the only team of its release.
pub(super) fn team_of<'a>(declared: &'a Declared, catalog: &'a Catalog, stored: &'a Stored) -> Option<&'a str> {
    if let Some(team) = declared.value("team").and_then(Value::text) {
        return Some(team);
    }
    let release = Ident::new(Kind::Release, declared.ident.release.clone()?);
    let teams = catalog
        .get(&release)
        .and_then(|release| release.value("teams"))
        .or_else(|| stored.get(&release)?.fields.get("teams"))?;
    match teams.items() {
        [team] => Some(team),
        _ => None,
    }
}

fn work_item(declared: &Declared, catalog: &Catalog, stored: &Stored, problems: &mut Problems) {
    if team_of(declared, catalog, stored).is_none() {
        declared.problem(
            "team",
            "the work item needs a team, because its release does not have exactly one",
            problems,
        );
    }
    let (story, parent) = (
        WorkItemKind::Story.as_str(),
        declared.value("parent").and_then(Value::text),
    );
    let above = |of: &Declared| {
        let parent = of.value("parent")?.text()?;
        catalog.get(&target(of, Kind::WorkItem, parent))
    };
    let mut path = vec![declared];
    while let Some(next) = above(path[path.len() - 1]) {
        if next.ident == declared.ident {
            let names: Vec<&str> = path.iter().chain([&next]).map(|one| one.ident.key.as_str()).collect();
            declared.problem(
                "parent",
                format!("the work items are a cycle: {}", names.join(" → ")),
                problems,
            );
            return;
        }
        // A work item below a cycle. The items of the cycle report it.
        if path.iter().any(|one| one.ident == next.ident) {
            return;
        }
        if path.len() == LONGEST_CYCLE {
            break;
        }
        path.push(next);
    }
    match (kind_of(declared) == story, parent) {
        (true, Some(_)) => declared.problem("parent", "a story has no parent", problems),
        (false, None) => declared.problem("kind", "a task needs a parent", problems),
        (false, Some(parent)) => {
            let ident = target(declared, Kind::WorkItem, parent);
            let kind = match (catalog.get(&ident), stored.get(&ident)) {
                (_, Some(known)) => known.fields.get("kind").and_then(Value::text).unwrap_or(story),
                (Some(above), None) => kind_of(above),
                (None, None) => return,
            };
            if kind != story {
                declared.problem(
                    "parent",
                    format!("the {ident} is a task, and only a story can be a parent"),
                    problems,
                );
            }
        }
        (true, None) => {}
    }
}
