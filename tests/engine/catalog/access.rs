//! Who applies a catalog, and in which tenant.

use super::*;

fn seen(digest: &str) -> Option<SeenPreview> {
    Some(SeenPreview {
        digest: digest.to_owned(),
        confirms_retirement: false,
    })
}

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
        .apply_catalog(&operator, &other, false, seen(&digest))
        .await;
    assert!(matches!(differs, Err(Error::DigestMismatch)));
    plan(world.engine.apply_catalog(&operator, &team, false, seen(&digest)).await);
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
    let preview = world.engine.preview_catalog(&operator, &team, true).await;
    let Ok(CatalogOutcome::Report(report)) = &preview else {
        panic!("{preview:?}")
    };
    let digest = report.digest.clone();
    let pruned = plan(preview);
    assert!(pruned.with(Effect::Retire).count() > 0, "{pruned:?}");
    let unconfirmed = world.engine.apply_catalog(&operator, &team, true, seen(&digest)).await;
    let unconfirmed = unconfirmed.expect_err("retirements need a confirmation").to_string();
    assert!(unconfirmed.contains("the catalog retires "), "{unconfirmed}");
    let confirmed = seen(&digest).map(|seen| SeenPreview {
        confirms_retirement: true,
        ..seen
    });
    assert_eq!(
        plan(world.engine.apply_catalog(&operator, &team, true, confirmed).await),
        pruned
    );
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
async fn one_operator_does_not_change_in_the_browser_who_approves() {
    let world = World::new().await;
    let console = console(&world, "acme");
    let names = "[[decide]]\nname = \"two\"\nrisk = [\"high\"]\ngroups = [{ name = \"Gate\", teams = [\"gate\"] }]\n\n[[decide]]\nname = \"rest\"\ngroups = [{ name = \"any\" }]";
    plan(
        apply(
            &world,
            &console,
            "teams: [{ key: gate, members: [lead@acme.example] }, { key: other }]",
            false,
        )
        .await,
    );
    let operator = world.person("operator");
    let members = files("teams: [{ key: gate, members: [operator@acme.example] }]");
    plan(world.engine.preview_catalog(&operator, &members, false).await);
    world.policy(names).await;
    for text in [
        "teams: [{ key: gate, members: [operator@acme.example] }]",
        "teams: [{ key: gate, members: [lead@acme.example], groups: [everybody] }]",
    ] {
        let refused = world.engine.preview_catalog(&operator, &files(text), false).await;
        let says = refused.expect_err("refused").to_string();
        assert!(
            says.contains("who belongs to the team gate, whose approval the policy requires"),
            "{says}"
        );
    }
    let retired = world
        .engine
        .preview_catalog(&operator, &files("teams: [{ key: other }]"), true)
        .await;
    assert!(retired.expect_err("refused").to_string().contains("the team gate"));
    // Its name, other teams, and the console.
    let harmless = "teams: [{ key: gate, name: Gatekeepers }, { key: other, members: [lead@acme.example] }]";
    plan(world.engine.preview_catalog(&operator, &files(harmless), false).await);
    plan(world.engine.preview_catalog(&console, &members, false).await);
}

#[tokio::test]
async fn an_operator_with_old_roles_changes_nothing() {
    let world = World::new().await;
    let operator = world.person("operator");
    world.advance_clock(31 * Timestamp::DAY);
    let refused = world
        .engine
        .preview_catalog(&operator, &files("teams: [{ key: new }]"), false)
        .await;
    let says = refused.expect_err("refused").to_string();
    assert!(says.contains("roles count for 30 days only"), "{says}");
    let reviewer = world.acme.person("reviewer").id;
    let refused = world.engine.end_sessions_of(&operator, reviewer.as_str()).await;
    assert!(
        refused
            .expect_err("refused")
            .to_string()
            .contains("roles count for 30 days only")
    );
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
