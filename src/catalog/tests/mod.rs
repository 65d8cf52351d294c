//! Tests of reading and comparing catalogs.

mod backstage;
mod compare;
mod draft;
mod hostile;
mod schema;
mod wrong_files;

use super::*;
use std::collections::BTreeMap;

fn file(name: &str, text: impl Into<String>) -> SourceFile {
    SourceFile {
        name: name.to_owned(),
        text: text.into(),
    }
}

fn read_one(text: &str) -> Result<Catalog, Problems> {
    read(&[file("c.yaml", text)])
}

/// The mistakes of a catalog against an empty tenant, one a line.
fn mistakes(text: &str) -> Vec<String> {
    let problems = match read_one(text) {
        Ok(catalog) => plan(&catalog, &Stored::default(), false).expect_err("a mistake"),
        Err(problems) => problems,
    };
    problems.to_string().lines().map(str::to_owned).collect()
}

fn planned(text: &str, stored: &Stored, prune: bool) -> Vec<String> {
    let catalog = read_one(text).unwrap_or_else(|problems| panic!("{problems}"));
    let plan = plan(&catalog, stored, prune).unwrap_or_else(|problems| panic!("{problems}"));
    let step = |step: &Step| format!("{:?} {}", step.effect, step.ident);
    plan.steps.iter().map(step).collect()
}

/// The records that a plan creates or changes, as they are stored then.
fn stored_after(text: &str) -> Stored {
    let catalog = read_one(text).unwrap();
    let mut stored = Stored::default();
    for step in plan(&catalog, &stored, false).unwrap().steps {
        let fields: BTreeMap<_, _> = step
            .fields
            .into_iter()
            .map(|change| (change.field, change.after))
            .collect();
        stored.insert(StoredRecord {
            id: step.ident.key.clone(),
            ident: step.ident,
            fields,
            is_retired: false,
        });
    }
    stored
}

const COMPANY: &str = "
people:
  - email: Olga@acme.example
    roles: [operator, auditor]
teams:
  - key: payments
    name: Payments
    members: [dana@acme.example, DANA@acme.example]
    groups: [acme-payments]
applications:
  - { key: payments, team: payments }
services:
  - { key: refunds, name: Refunds, team: payments }
releases:
  - key: 2026.10
    name: Payments 2026.10
    commit: 9f1c2e7
    teams: [payments]
    applications: [payments]
    services: [refunds]
    certifications:
      - { key: PCI-2026.10, name: PCI DSS 4.0 }
    controls:
      - { key: AC-3, title: Access enforcement, status: failing }
    backlog:
      - { key: ledger, title: Rework the ledger }
      - { key: prepared, title: Use prepared statements, parent: ledger }
";
