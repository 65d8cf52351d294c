//! The demo: its people, its records, imported scans, and actions in every state. All of it is fictional.

mod actor;
mod history;
mod identity_provider;
mod records;
mod scans;

pub use identity_provider::identity_provider;

use crate::demo_idp::DemoPerson;
use anyhow::Result;
use loopiq::domain::{DEMO_ISSUER, Email, Person, Role, TenantId};
use loopiq::engine::{Ctx, Engine, Error};
use loopiq::store::{Asserted, WriteTx};

/// The people who can sign in to a demo.
pub fn people() -> Vec<DemoPerson> {
    const ACME: [(&str, &str, &str); 7] = [
        ("reviewer", "Rita Reviewer", "reviewer"),
        ("reviewer2", "Ravi Reviewer", "reviewer"),
        ("lead", "Lena Lead", "lead"),
        ("auditor", "Adam Auditor", "auditor"),
        ("operator", "Olga Operator", "operator"),
        ("operator2", "Otto Operator", "operator"),
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
    let globex = ACME
        .into_iter()
        .filter(|who| who.0 != "reviewer2")
        .map(|who| person("globex", who));
    acme.chain(globex).collect()
}

/// Writes the demo's records into an installation. In an existing demo it only updates the provider's issuer and the people.
///
/// # Errors
/// The database cannot be written.
pub async fn seed(engine: &Engine, issuer: &str) -> Result<()> {
    for (tenant, name) in [("acme", "Acme Retail"), ("globex", "Globex Systems")] {
        let ctx = Ctx::system(TenantId::parse(tenant)?, engine.runtime());
        if !is_new(engine, &ctx).await? {
            let issuer = issuer.to_owned();
            engine
                .store()
                .write::<_, Error, _>(&ctx, move |tx| {
                    Box::pin(async move {
                        tx.move_issuer(DEMO_ISSUER, &issuer).await?;
                        // A demo of an older version has fewer people, and their addresses are not verified.
                        assert_people(tx, &issuer).await.map(drop)
                    })
                })
                .await?;
            continue;
        }
        tracing::info!(tenant, "writing the demo's records");
        let people = insert_tenant(engine, &ctx, name, issuer).await?;
        let records = records::write(engine, &ctx, people).await?;
        scans::import(engine, &ctx).await?;
        history::create(engine, &ctx, &records).await?;
    }
    Ok(())
}

async fn is_new(engine: &Engine, ctx: &Ctx) -> Result<bool> {
    let mut tx = engine.store().read(ctx).await?;
    Ok(tx.tenant_name().await?.is_none())
}

/// Writes the tenant, and its people in the same way as their first sign-in.
async fn insert_tenant(engine: &Engine, ctx: &Ctx, name: &str, issuer: &str) -> Result<records::People> {
    let (name, issuer) = (name.to_owned(), issuer.to_owned());
    let people = engine
        .store()
        .write::<_, Error, _>(ctx, move |tx| {
            Box::pin(async move {
                tx.insert_tenant(&name).await?;
                assert_people(tx, &issuer).await
            })
        })
        .await?;
    Ok(records::People(people))
}

/// Writes the people of this tenant with the data of the demo's provider.
async fn assert_people(tx: &mut WriteTx, issuer: &str) -> Result<Vec<Person>, Error> {
    let tenant = tx.ctx().tenant().to_string();
    let mut written = Vec::new();
    for person in people().into_iter().filter(|person| person.tenant == tenant) {
        let asserted = Asserted {
            issuer: issuer.to_owned(),
            subject: person.subject,
            email: Email::verified(&person.email),
            name: person.name,
            roles: Some(person.roles.iter().filter_map(|role| Role::parse(role)).collect()),
            groups: Vec::new(),
        };
        written.push(tx.assert_person(&asserted).await?);
    }
    Ok(written)
}
