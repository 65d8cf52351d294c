//! What a sample of claims shows.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_show_whom_the_service_would_sign_in_and_why_not() {
    let database = Database::new().await;
    let issuer = honest_provider().await;
    let dir = database.folder.path().to_owned();
    let check = async |claims: Value, settings: &[(&str, &str)]| {
        let file = dir.join("claims.json");
        std::fs::write(&file, claims.to_string()).unwrap();
        let mut command = check_config(&database, &issuer);
        command.arg("--claims").arg(&file).envs(settings.iter().copied());
        report(command).await
    };
    let person = json!({
        "sub": "1", "tenant": "acme", "roles": ["reviewer", "cook"], "email": "dana@acme.example", "email_verified": true, "name": "Dana"
    });
    let lines = check(person.clone(), &[]).await;
    says(&lines, "roles", "ok", "reviewer; ignored: cook", "");
    says(&lines, "e-mail", "ok", "dana@acme.example (verified), Dana", "");
    says(
        &lines,
        "tenant",
        "problem",
        "there is no tenant acme here",
        "loopiq tenant create acme",
    );

    let with = |key: &str, value: Value| {
        let mut person = person.clone();
        person[key] = value;
        person
    };
    says(
        &check(with("roles", json!(["cook"])), &[]).await,
        "roles",
        "problem",
        "names no role",
        "developer",
    );
    says(
        &check(with("roles", json!([])), &[]).await,
        "roles",
        "problem",
        "names no role",
        "developer",
    );
    says(
        &check(with("tenant", json!("Acme_Inc.")), &[]).await,
        "tenant",
        "problem",
        "Acme_Inc.",
        "key of a tenant",
    );
    says(
        &check(with("email_verified", json!(false)), &[]).await,
        "e-mail",
        "warning",
        "not verified",
        "VERIFIED_DOMAINS",
    );
    says(
        &check(with("exp", json!("soon")), &[]).await,
        "claims",
        "problem",
        "cannot be read",
        "mapping",
    );
    let lines = check(json!({ "sub": "1", "groups": ["a"], "email": "a@b.example" }), &[]).await;
    says(
        &lines,
        "claims",
        "problem",
        "\"tenant\" is missing",
        "LOOPIQ_OIDC_TENANT_CLAIM",
    );
    says(
        &lines,
        "roles",
        "warning",
        "\"roles\" is missing",
        "LOOPIQ_OIDC_ROLES_CLAIM",
    );
    says(&lines, "groups", "ok", "a", "");
    assert_eq!(with_status(&lines, "problem"), ["claims"], "{lines:#?}");
    let lines = check(json!({}), &[]).await;
    assert_eq!(with_status(&lines, "problem"), ["claims"; 3], "{lines:#?}");
    let mapping = [("LOOPIQ_OIDC_ROLE_MAPPING", "ops=operator")];
    let grouped = json!({ "sub": "1", "tenant": "acme", "email": "a@b.example", "groups": ["ops"] });
    says(&check(grouped, &mapping).await, "roles", "ok", "operator", "");
    let settings = [
        ("LOOPIQ_OIDC_ROLES_CLAIM", "realm_access.roles"),
        ("LOOPIQ_OIDC_VERIFIED_DOMAINS", "b.example"),
    ];
    let nested = json!({ "sub": "1", "tenant": "acme", "email": "a@b.example", "realm_access": { "roles": ["lead"] } });
    let lines = check(nested, &settings).await;
    says(&lines, "roles", "ok", "lead", "");
    says(&lines, "e-mail", "ok", "a@b.example (verified)", "");

    // Claims of another provider, or for another client.
    let lines = check(with("iss", json!("https://other.example")), &[]).await;
    says(
        &lines,
        "claims",
        "problem",
        "`iss` is https://other.example",
        "LOOPIQ_OIDC_ISSUER",
    );
    assert!(
        with_status(&lines, "ok").iter().all(|check| *check != "roles"),
        "{lines:#?}"
    );
    let lines = check(with("aud", json!(["a", "b"])), &[]).await;
    says(&lines, "claims", "problem", "for another client", "access token");
    let lines = check(with("aud", json!(["a", "loopiq"])), &[]).await;
    says(&lines, "roles", "ok", "reviewer", "");
    assert_eq!(
        with_status(&check(with("iss", json!(issuer)), &[]).await, "problem"),
        ["tenant"]
    );

    // Files that are no sample.
    let file = dir.join("sample");
    for (flag, content, message) in [
        ("--claims", "[]", "is not a JSON object"),
        ("--sample-token", "opaque", "is not a signed token"),
        ("--sample-token", "e30.e30.e30", "not one that this provider issued"),
    ] {
        std::fs::write(&file, content).unwrap();
        let mut command = check_config(&database, &issuer);
        command.arg(flag).arg(&file);
        says(&report(command).await, "sample", "problem", message, "ID token");
    }
}

/// Without roles in the token, those count that the catalog of the tenant gives to the verified address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalog_is_searched_for_a_person_without_a_role_claim() {
    let database = Database::new().await;
    let issuer = honest_provider().await;
    let dir = database.folder.path().to_owned();
    let arguments = [
        "--oidc-issuer",
        &issuer,
        "--listen",
        "127.0.0.1:0",
        "--oidc-client-id",
        "loopiq",
        "--oidc-client-secret",
        SECRET,
    ];
    stopped(started(loopiq(&database, &[&["serve"], arguments.as_slice()].concat())));
    let catalog = dir.join("catalog.yaml");
    std::fs::write(
        &catalog,
        "people: [{ email: Dana@acme.example, roles: [lead, reviewer] }]",
    )
    .unwrap();
    for arguments in [
        vec!["tenant", "create", "acme", "--name", "Acme"],
        vec!["catalog", "apply", catalog.to_str().unwrap(), "--tenant", "acme"],
    ] {
        let output = loopiq(&database, &arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let check = async |address: &str, is_verified: bool| {
        let claims = json!({ "sub": "1", "tenant": "acme", "email": address, "email_verified": is_verified });
        let file = dir.join("claims.json");
        std::fs::write(&file, claims.to_string()).unwrap();
        let mut command = check_config(&database, &issuer);
        command.arg("--claims").arg(&file);
        report(command).await
    };
    says(
        &check("dana@acme.example", true).await,
        "roles",
        "ok",
        "lead, reviewer, from the catalog of acme",
        "",
    );
    let none = check("kim@acme.example", true).await;
    says(
        &none,
        "roles",
        "problem",
        "the catalog of acme gives none to kim@acme.example",
        "people",
    );
    says(
        &check("dana@acme.example", false).await,
        "roles",
        "warning",
        "is missing",
        "people",
    );
}
