//! The layers of the engine: which modules of `src/` may name which others.
//!
//! The test reads paths that begin with `crate::`, or with enough `super::` to reach the crate, from the source text without unit tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers, lowest first. A module may name modules of lower layers and of its own.
const LAYERS: [&[&str]; 8] = [
    &["domain"],
    &["views"],
    &["log_keys", "digest_key"],
    &["context"],
    &["policy"],
    &["tools", "checks", "audit", "import", "catalog"],
    &["store", "search"],
    &["engine"],
];

/// What messages of tools, checks and audit entries may take from `views`: the labels of values.
const LABELS: [&str; 3] = ["Label", "event_label", "actor_label"];

/// A path into this crate: the file that contains the path, the module, and the item below the module, if the path names one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Reference {
    file: String,
    module: String,
    item: String,
}

/// The layer of a top-level module.
fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// The top-level module that a file belongs to: `store` for `store/apply.rs`.
fn module_of(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

#[test]
fn a_module_names_only_lower_layers() {
    let upward: Vec<Reference> = references()
        .into_iter()
        .filter(|reference| {
            let (Some(own), Some(named)) = (layer(module_of(&reference.file)), layer(&reference.module)) else {
                return false;
            };
            named > own
        })
        .collect();
    assert!(upward.is_empty(), "{upward:#?}");
}

#[test]
fn store_and_search_do_not_know_each_other() {
    let wrong: Vec<Reference> = references()
        .into_iter()
        .filter(|reference| {
            let modules = [module_of(&reference.file), reference.module.as_str()];
            modules == ["store", "search"] || modules == ["search", "store"]
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn labels_for_people_are_above_the_domain_and_the_store_has_none() {
    let wrong: Vec<Reference> = references()
        .into_iter()
        .filter(|reference| reference.module == "views")
        .filter(|reference| match module_of(&reference.file) {
            "views" | "engine" => false,
            "tools" | "checks" | "audit" => !LABELS.contains(&reference.item.as_str()),
            _ => true,
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_pages_and_requests_make_values_for_pages() {
    const EVERYWHERE: [&str; 7] = [
        "Label",
        "Outcome",
        "Preview",
        "summary",
        "executed_summary",
        "event_label",
        "actor_label",
    ];
    let wrong: Vec<Reference> = references()
        .into_iter()
        .filter(|reference| reference.module == "views" && module_of(&reference.file) == "engine")
        .filter(|reference| !reference.file.starts_with("engine/pages/") && !reference.file.ends_with("/page.rs"))
        .filter(|reference| !EVERYWHERE.contains(&reference.item.as_str()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn one_module_closes_actions() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine");
    let callers: Vec<PathBuf> = files(&root)
        .into_iter()
        .filter(|path| fs::read_to_string(path).expect("a source file").contains("tx.close("))
        .collect();
    assert_eq!(callers, [root.join("actions/lifecycle.rs")]);
}

#[test]
fn every_form_of_a_page_names_its_tenant() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("app/src");
    let mut forms = 0;
    // Islands compile for the browser too, where the tenant is not known. Their forms name an action, which belongs to one tenant.
    for file in files(&root)
        .iter()
        .filter(|file| !file.starts_with(root.join("islands")))
    {
        let text = fs::read_to_string(file).expect("a source file");
        let sign_outs = text.matches("<form method=\"post\" action=\"/logout\">").count();
        let expected = text.matches("method=\"post\"").count() - sign_outs;
        assert_eq!(text.matches("<TenantField />").count(), expected, "{}", file.display());
        forms += expected;
    }
    assert!(forms > 10, "{forms}");
}

#[test]
fn references_are_read_from_source_text() {
    let read = |file: &str, text: &str| {
        let mut found = BTreeSet::new();
        read_references(file, text, &mut found);
        let named = found
            .into_iter()
            .map(|reference| format!("{} {}", reference.module, reference.item));
        named.collect::<Vec<_>>()
    };
    assert_eq!(
        read(
            "store/a.rs",
            "use crate::domain::{ids, text::PlainText};\nfn f() { crate::views::When::new() }"
        ),
        ["domain ids", "domain text", "views When"]
    );
    assert_eq!(
        read("store/a.rs", "use crate::{domain::*, views::{self, Label}};"),
        ["domain *", "views Label", "views self"]
    );
    assert_eq!(
        read("store/a/b.rs", "use super::super::super::views::Label;"),
        ["views Label"]
    );
    assert_eq!(
        read("store/a.rs", "use super::row::Columns; // crate::views::Label"),
        Vec::<String>::new()
    );
}

/// All references of all files below `src/` that are not tests.
fn references() -> BTreeSet<Reference> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    for path in files(&root) {
        let file = path
            .strip_prefix(&root)
            .expect("below src")
            .to_string_lossy()
            .replace('\\', "/");
        let is_test = file.ends_with("/tests.rs") || file.contains("/tests/");
        if file != "lib.rs" && !is_test {
            read_references(&file, &fs::read_to_string(&path).expect("a source file"), &mut found);
        }
    }
    assert!(
        found.len() > 300,
        "only {} references: is the reader broken?",
        found.len()
    );
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false if path.extension().is_some_and(|end| end == "rs") => vec![path],
            false => Vec::new(),
        })
        .collect()
}

fn read_references(file: &str, text: &str, found: &mut BTreeSet<Reference>) {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines: Vec<&str> = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let text = lines.join("\n");
    // `domain/x.rs` is the module `domain::x`; `domain/mod.rs` is `domain`.
    let depth = file.split('/').count() - usize::from(file.ends_with("/mod.rs"));
    let to_crate = "super::".repeat(depth);
    for start in ["crate::", to_crate.as_str()] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            for path in paths(&text[at + start.len()..]) {
                let mut names = path.split("::");
                let module = names.next().unwrap_or_default().to_owned();
                let item = names.next().unwrap_or_default().to_owned();
                if layer(&module).is_some() {
                    found.insert(Reference {
                        file: file.to_owned(),
                        module,
                        item,
                    });
                }
            }
        }
    }
}

/// The paths that a use tree or a path expression at the start of the text has, with each brace group spread out.
fn paths(text: &str) -> Vec<String> {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':' || c == '*'))
        .unwrap_or(text.len());
    let (head, rest) = text.split_at(end);
    let Some(group) = rest
        .strip_prefix('{')
        .filter(|_| head.is_empty() || head.ends_with("::"))
    else {
        return vec![head.to_owned()];
    };
    let mut level = 1;
    let mut parts = vec![String::new()];
    for c in group.chars() {
        match c {
            '{' => level += 1,
            '}' => level -= 1,
            _ => {}
        }
        match (c, level) {
            (_, 0) => break,
            (',', 1) => parts.push(String::new()),
            (c, _) => parts.last_mut().expect("one part").push(c),
        }
    }
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.flat_map(paths).map(|path| format!("{head}{path}")).collect()
}
