//! Teams and roles that follow from catalogs, and the last operator.

use super::*;

#[tokio::test]
async fn teams_follow_from_verified_addresses_and_from_groups() {
    let world = World::new().await;
    let ctx = initech(&world).await;
    plan(apply(&world, &ctx, COMPANY, false).await);
    let dana = sign_in(&world, "dana", address("dana"), None, &[]).await;
    let eli = sign_in(
        &world,
        "eli",
        address("eli"),
        Some(vec![Role::Reviewer]),
        &["payments-people", "others"],
    )
    .await;
    let mallory = sign_in(
        &world,
        "mallory",
        Email::claimed("dana@initech.example"),
        None,
        &["Payments-People"],
    )
    .await;
    assert_eq!(teams(&world, &ctx, &dana).await, ["payments"]);
    assert_eq!(teams(&world, &ctx, &eli).await, ["payments"]);
    assert_eq!(
        teams(&world, &ctx, &mallory).await,
        [""; 0],
        "nobody has verified the address, and groups are compared exactly"
    );
    // A catalog changes the teams of people who have signed in before.
    let next =
        "teams: [{ key: payments, members: [], groups: [others] }, { key: checkout, members: [dana@initech.example] }]";
    plan(apply(&world, &ctx, next, false).await);
    assert_eq!(teams(&world, &ctx, &dana).await, ["checkout"]);
    assert_eq!(teams(&world, &ctx, &eli).await, ["payments"]);
    // A sign-in without the group, or with another address, ends the membership.
    sign_in(&world, "eli", address("eli"), Some(vec![Role::Reviewer]), &[]).await;
    sign_in(&world, "dana", address("dana.new"), None, &[]).await;
    assert_eq!(teams(&world, &ctx, &eli).await, [""; 0]);
    assert_eq!(teams(&world, &ctx, &dana).await, [""; 0]);
}

#[tokio::test]
async fn roles_of_the_catalog_count_only_without_roles_of_the_provider() {
    let world = World::new().await;
    let ctx = initech(&world).await;
    plan(apply(&world, &ctx, COMPANY, false).await);
    let dana = sign_in(&world, "dana", address("dana"), None, &[]).await;
    assert_eq!(dana.roles, [Role::Developer]);
    let unverified = sign_in(&world, "mallory", Email::claimed("olga@initech.example"), None, &[]).await;
    assert_eq!(unverified.roles, []);
    // The provider's roles replace those of the catalog, also if it asserts that there are none.
    for asserted in [vec![Role::Reviewer], Vec::new()] {
        let dana = sign_in(&world, "dana", address("dana"), Some(asserted.clone()), &[]).await;
        assert_eq!(dana.roles, asserted);
        plan(
            apply(
                &world,
                &ctx,
                "people: [{ email: dana@initech.example, roles: [lead] }]",
                false,
            )
            .await,
        );
        assert_eq!(
            roles(&world, &ctx, &dana).await,
            asserted,
            "a catalog does not change them"
        );
    }
    let dana = sign_in(&world, "dana", address("dana"), None, &[]).await;
    assert_eq!(dana.roles, [Role::Lead]);
    plan(
        apply(
            &world,
            &ctx,
            "people: [{ email: dana@initech.example, roles: [auditor, lead] }]",
            false,
        )
        .await,
    );
    assert_eq!(roles(&world, &ctx, &dana).await, [Role::Auditor, Role::Lead], "at once");
}

#[tokio::test]
async fn the_last_operator_stays() {
    let world = World::new().await;
    let ctx = initech(&world).await;
    plan(apply(&world, &ctx, COMPANY, false).await);
    let olga = sign_in(&world, "olga", address("olga"), None, &[]).await;
    assert_eq!(olga.roles, [Role::Operator]);
    let before = world.dump().await;
    let other = "people: [{ email: olga@initech.example, roles: [auditor] }, { email: new@initech.example, roles: [operator] }]";
    for (text, prune) in [(other, false), ("teams: [{ key: payments }]", true)] {
        let found = problems(apply(&world, &ctx, text, prune).await).to_string();
        assert!(
            found.contains("no person who has signed in would be an operator"),
            "{found}"
        );
    }
    assert_eq!(world.dump().await, before);
    plan(
        apply(
            &world,
            &ctx,
            "people: [{ email: new@initech.example, roles: [operator] }]",
            false,
        )
        .await,
    );
    sign_in(&world, "new", address("new"), None, &[]).await;
    plan(apply(&world, &ctx, other, false).await);
    assert_eq!(roles(&world, &ctx, &olga).await, [Role::Auditor]);
}
