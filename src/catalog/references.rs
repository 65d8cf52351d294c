//! What references of Backstage name that no file declares: teams that are stored, or declared in another case or format.
//!
//! Backstage ignores the case of references, and its files name groups and users of other files. What is nowhere is named and left out,
//! because exports of directories contain such names, and a company cannot correct them.

use super::record::{Given, Member};
use super::{Catalog, Declared, Ident, Kind, Skipped, Stored, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The catalog with the references of Backstage resolved.
pub(super) fn resolved<'c>(catalog: &'c Catalog, stored: &Stored, prune: bool) -> Cow<'c, Catalog> {
    let is_from_backstage = catalog.records().any(|declared| declared.ignores_case);
    if !is_from_backstage && catalog.memberships.is_empty() {
        return Cow::Borrowed(catalog);
    }
    let teams = Teams::of(catalog, stored);
    let mut resolved = catalog.clone();
    for declared in resolved.records_mut().filter(|declared| declared.ignores_case) {
        if let Some(given) = declared.fields.get_mut("team")
            && let Some(key) = given.value.text().and_then(|key| teams.key(key))
        {
            given.value = Value::Text(key.to_owned());
        }
    }
    memberships(&mut resolved, &teams, stored, prune);
    Cow::Owned(resolved)
}

/// The keys of teams by their lower case.
struct Teams(BTreeMap<String, BTreeSet<String>>);

impl Teams {
    fn of(catalog: &Catalog, stored: &Stored) -> Self {
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let of_teams = |ident: &Ident| ident.kind == Kind::Team;
        let declared = catalog
            .records()
            .map(|declared| &declared.ident)
            .filter(|ident| of_teams(ident));
        let (retired, used): (Vec<_>, Vec<_>) = stored
            .records()
            .filter(|record| of_teams(&record.ident))
            .partition(|record| record.is_retired);
        for ident in declared.chain(used.iter().map(|record| &record.ident)) {
            keys.entry(ident.key.to_lowercase())
                .or_default()
                .insert(ident.key.clone());
        }
        for record in retired {
            let key = &record.ident.key;
            keys.entry(key.to_lowercase())
                .or_insert_with(|| BTreeSet::from([key.clone()]));
        }
        Self(keys)
    }

    /// The key of the team that this reference names: in the same case, or the only one in another case.
    fn key(&self, reference: &str) -> Option<&str> {
        let keys = self.0.get(&reference.to_lowercase())?;
        let same = keys.get(reference).or_else(|| keys.first().filter(|_| keys.len() == 1));
        same.map(String::as_str)
    }
}

/// Adds the members whose teams no file of Backstage declares, and those whose addresses no file declares but that are members already.
fn memberships(catalog: &mut Catalog, teams: &Teams, stored: &Stored, prune: bool) {
    let members_of = |ident: &Ident| {
        stored
            .get(ident)
            .and_then(|team| team.fields.get("members"))
            .map(Value::items)
    };
    let mut added: BTreeMap<Ident, (usize, BTreeSet<String>)> = BTreeMap::new();
    let all = std::mem::take(&mut catalog.memberships);
    for (index, membership) in all.iter().enumerate() {
        let group = &membership.team;
        let ident = teams.key(group).map(|key| Ident::new(Kind::Team, key));
        let is_declared = ident.as_ref().is_some_and(|ident| catalog.get(ident).is_some());
        let is_retired = ident
            .as_ref()
            .and_then(|ident| stored.get(ident))
            .is_some_and(|team| team.is_retired);
        let found = match (&membership.member, ident) {
            (_, None) => Err(format!(
                "no file declares the group {group}, and no team with this key is stored"
            )),
            (Member::Address(_), Some(_)) if is_retired && !is_declared => {
                Err(format!("the team {group} is retired; declare it to use it again"))
            }
            (Member::Address(_), Some(_)) if prune && !is_declared => {
                Err(format!("no file declares the group {group}, so it is retired"))
            }
            (Member::Address(address), Some(ident)) => Ok((ident, vec![address.clone()])),
            (Member::Name(name), Some(ident)) => {
                let known = members_of(&ident)
                    .unwrap_or_default()
                    .iter()
                    .filter(|address| fits(name, address));
                match known.cloned().collect::<Vec<_>>() {
                    known if known.is_empty() => Err(format!(
                        "no file declares the user {name}, so the e-mail address is not known"
                    )),
                    known => Ok((ident, known)),
                }
            }
        };
        match found {
            Ok((ident, addresses)) => added
                .entry(ident)
                .or_insert((index, BTreeSet::new()))
                .1
                .extend(addresses),
            Err(why) => catalog.skipped.push(Skipped {
                file: membership.file.clone(),
                line: membership.line,
                what: membership.what.clone(),
                why,
            }),
        }
    }
    for (ident, (first, mut members)) in added {
        let first = &all[first];
        let mut declared = catalog.get(&ident).cloned().unwrap_or_else(|| Declared {
            ident: ident.clone(),
            file: first.file.clone(),
            line: first.line,
            fields: BTreeMap::new(),
            ignores_case: true,
        });
        let (line, path) = match declared.fields.get("members") {
            Some(given) => {
                members.extend(given.value.items().iter().cloned());
                (given.line, given.path.clone())
            }
            None => {
                members.extend(members_of(&ident).unwrap_or_default().iter().cloned());
                (first.line, "spec.memberOf".to_owned())
            }
        };
        let value = Value::set(members);
        declared.fields.insert("members", Given { value, line, path });
        catalog.put(declared);
    }
}

/// Whether a user of this name has this address: the name is its local part, or the address without the characters that names cannot have.
fn fits(name: &str, address: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    let local = address.split('@').next().unwrap_or_default();
    name.eq_ignore_ascii_case(local) || name.eq_ignore_ascii_case(&address.replace('@', "_"))
}
