//! Who applies a catalog, and in which tenant.

use super::*;

#[tokio::test]
async fn an_operator_applies_what_a_preview_has_shown_and_gives_no_roles_in_the_browser() {
    let world = World::new().await;
    let operator = world.person("operator");
    let team = files("teams: [{ key: platform, members: [lead@acme.example] }]");
    let digest = match world
        .engine
        .preview_catalog(&operator, &team, false)
        .await
        .expect("a preview")
    {
        CatalogOutcome::Report(report) => report.digest,
        CatalogOutcome::Wrong(problems) => panic!("{problems}"),
    };
    let other = files("teams: [{ key: platform, members: [developer@acme.example] }]");
    let differs = world
        .engine
        .apply_catalog(&operator, &other, false, Some(&digest))
        .await;
    assert!(matches!(differs, Err(Error::DigestMismatch)));
    plan(world.engine.apply_catalog(&operator, &team, false, Some(&digest)).await);
    let lead = world.acme.person("lead");
    assert_eq!(teams(&world, &operator, &lead).await, ["platform"]);
    let refused = world
        .engine
        .apply_catalog(
            &operator,
            &files("people: [{ email: operator@acme.example, roles: [lead] }]"),
            false,
            None,
        )
        .await;
    assert!(
        refused
            .expect_err("refused")
            .to_string()
            .contains("One operator alone cannot give roles in the browser")
    );
    // Roles that only the console can declare stay when an operator prunes in the browser.
    let console = console(&world, "acme");
    plan(
        apply(
            &world,
            &console,
            "people: [{ email: kim@acme.example, roles: [auditor] }]",
            false,
        )
        .await,
    );
    let pruned = plan(world.engine.preview_catalog(&operator, &team, true).await);
    assert!(pruned.with(Effect::Retire).count() > 0, "{pruned:?}");
    assert!(!steps(&pruned).iter().any(|step| step.contains("kim@")), "{pruned:?}");
    let gone = plan(apply(&world, &console, "teams: [{ key: platform }]", true).await);
    assert!(steps(&gone).iter().any(|step| step.contains("kim@")), "{gone:?}");
    let nothing = problems(apply(&world, &console, "teams: []", true).await).to_string();
    assert!(nothing.contains("the files declare nothing"), "{nothing}");
    for who in ["reviewer", "auditor", "lead"] {
        let denied = world.engine.preview_catalog(&world.person(who), &team, false).await;
        assert!(matches!(denied, Err(Error::NotAuthorized { .. })), "{who}");
    }
}

#[tokio::test]
async fn a_catalog_stays_in_its_tenant() {
    let world = World::new().await;
    let ctx = console(&world, "acme");
    let of_globex = async || {
        let mut rows = rows(&world).await;
        rows.retain(|row| row.contains("tenant=globex"));
        rows
    };
    let before = of_globex().await;
    plan(
        apply(
            &world,
            &ctx,
            "teams: [{ key: checkout, name: Other, members: [lead@globex.example] }]",
            true,
        )
        .await,
    );
    assert_eq!(of_globex().await, before);
}

#[tokio::test]
async fn a_tenant_is_created_once_with_a_usable_key_and_name() {
    let world = World::new().await;
    assert!(world.engine.create_tenant("initech", "Initech").await.expect("new"));
    assert!(!world.engine.create_tenant("initech", " Initech ").await.expect("known"));
    for (key, name, says) in [
        ("initech", "Other", "the tenant exists, with the name \"Initech\""),
        ("Initech", "Initech", "cannot be the key of a tenant"),
        ("a\u{202E}b", "Initech", "⟦U+202E⟧"),
        ("umbrella", " ", "a name has 1 to 200 characters"),
        ("umbrella", "Um\u{202E}brella", "U+202E"),
        ("umbrella", "Um\nbrella", "in one line"),
    ] {
        let refused = world
            .engine
            .create_tenant(key, name)
            .await
            .expect_err("refused")
            .to_string();
        assert!(refused.contains(says), "{key:?} {name:?}: {refused}");
    }
    let (person, _) = signs_in(
        &world,
        "https://idp.example",
        "lead",
        Email::verified("lead@acme.example"),
        &[Role::Lead],
    )
    .await;
    assert_eq!(person.roles, [Role::Lead], "other tenants are as before");
}
