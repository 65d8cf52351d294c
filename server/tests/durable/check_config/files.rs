//! Faults of files and addresses.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_files_and_addresses_is_named_with_its_fix() {
    let database = Database::new().await;
    let dir = database.folder.path().to_owned();
    let issuer = honest_provider().await;
    let with = async |settings: &[(&str, &str)]| {
        let mut command = check_config(&database, &issuer);
        command.envs(settings.iter().copied());
        report(command).await
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let file = dir.join("file");
    file_permissions::write(&file, b"short\n").unwrap();
    let (file, below) = (file.to_str().unwrap(), dir.join("file/below"));
    let below = below.to_str().unwrap();

    says(
        &with(&[("LOOPIQ_LISTEN", &taken)]).await,
        "listen address",
        "warning",
        "in use",
        "running service",
    );
    says(
        &with(&[("LOOPIQ_METRICS_LISTEN", &taken)]).await,
        "metrics address",
        "warning",
        "in use",
        "",
    );
    says(
        &with(&[("LOOPIQ_LISTEN", "203.0.113.1:1")]).await,
        "listen address",
        "problem",
        "203.0.113.1",
        "this machine",
    );
    says(
        &with(&[("LOOPIQ_PUBLIC_URL", "http://loopiq.example")]).await,
        "public URL",
        "problem",
        "not https",
        "https",
    );
    says(
        &with(&[("LOOPIQ_PUBLIC_URL", "loopiq.example")]).await,
        "public URL",
        "problem",
        "not a URL",
        "https",
    );
    says(
        &with(&[("LOOPIQ_TRUSTED_PROXIES", "203.0.113.9")]).await,
        "proxies",
        "ok",
        "",
        "",
    );
    says(
        &with(&[("LOOPIQ_SECRET_KEY_FILE", file)]).await,
        "secret key",
        "problem",
        "fewer than 32",
        "openssl rand",
    );
    says(
        &with(&[("LOOPIQ_AUDIT_KEY_FILE", file)]).await,
        "audit key",
        "problem",
        "cannot be used",
        "",
    );
    says(
        &with(&[("LOOPIQ_WITNESSES", below)]).await,
        "witness",
        "problem",
        "is not a folder",
        "",
    );
    says(
        &with(&[("LOOPIQ_WITNESSES", "https://witness.example")]).await,
        "witness",
        "ok",
        "witness.example",
        "",
    );
    says(
        &with(&[("LEPTOS_SITE_ROOT", "/nowhere/site")]).await,
        "site",
        "problem",
        "/nowhere/site",
        "next to the binary",
    );
    let mut command = check_config(&database, &issuer);
    command.env_remove("LOOPIQ_TRUSTED_PROXIES");
    says(
        &report(command).await,
        "proxies",
        "warning",
        "no proxy",
        "LOOPIQ_TRUSTED_PROXIES",
    );
    let mut command = check_config(&database, &issuer);
    command.env_remove("LOOPIQ_OIDC_CLIENT_ID");
    says(
        &report(command).await,
        "provider settings",
        "problem",
        "LOOPIQ_OIDC_CLIENT_ID",
        "identity-providers.md",
    );

    let at = async |dir: &str| {
        let command = check_config(&database, &issuer);
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let named = arguments.iter().position(|argument| argument == "--data-dir").unwrap();
        let mut other = Command::new(command.get_program());
        other.args(&arguments[..=named]).arg(dir).args(&arguments[named + 2..]);
        other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        report(other).await
    };
    for path in [below, file] {
        let lines = at(path).await;
        says(
            &lines,
            "data directory",
            "problem",
            "is not a folder",
            "LOOPIQ_DATA_DIR",
        );
        assert_eq!(with_status(&lines, "problem"), ["data directory"], "{lines:#?}");
    }

    // Settings that fit only by half.
    let lines = with(&[("LOOPIQ_PUBLIC_URL", "https://loopiq.example/app")]).await;
    says(&lines, "public URL", "problem", "without path", "https");
    says(&lines, "redirect URL", "warning", "cannot be used", "LOOPIQ_PUBLIC_URL");
    assert!(!with_status(&lines, "ok").contains(&"redirect URL"), "{lines:#?}");
    let lines = with(&[("LOOPIQ_OIDC_ISUER", "s3cret-value"), ("LOOPIQ_TEST_X", "1")]).await;
    says(
        &lines,
        "environment",
        "warning",
        "LOOPIQ_OIDC_ISUER",
        "LOOPIQ_OIDC_ISSUER",
    );
    assert_eq!(
        with_status(&lines, "warning")
            .iter()
            .filter(|check| **check == "environment")
            .count(),
        1
    );
    assert!(!format!("{lines:?}").contains("s3cret-value"), "{lines:#?}");
    let lines = with(&[("LOOPIQ_SESSION_IDLE", "2d")]).await;
    says(
        &lines,
        "sessions",
        "warning",
        "LOOPIQ_SESSION_IDLE (2880 min) is longer",
        "LOOPIQ_SESSION_LIFETIME",
    );
    let lines = with(&[("LOOPIQ_OIDC_ROLE_MAPPING", "acme-ops=operator;cn=lead,ou=a=lead;")]).await;
    says(
        &lines,
        "role mapping",
        "ok",
        "acme-ops → operator; cn=lead,ou=a → lead",
        "",
    );

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).unwrap();
        // The folder of the test's site counts as another program's.
        says(
            &with(&[]).await,
            "data directory",
            "warning",
            "folders of other programs",
            "LOOPIQ_DATA_DIR",
        );
        let own = dir.join("own");
        file_permissions::create_dir(&own).unwrap();
        std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o750)).unwrap();
        says(
            &at(own.to_str().unwrap()).await,
            "data directory",
            "warning",
            "mode 0750",
            "chmod 700",
        );
        let mode = std::fs::metadata(&own).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o750, "the command changed the mode");
    }
}

/// The secret of the client in a file that cannot be used, and issuers that are none: the fix is not about the registration.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_the_providers_settings_has_its_own_fix() {
    let database = Database::new().await;
    let dir = database.folder.path().to_owned();
    let issuer = honest_provider().await;
    let with_file = async |file: &Path| {
        let mut command = check_config(&database, &issuer);
        command
            .env_remove("LOOPIQ_OIDC_CLIENT_SECRET")
            .env("LOOPIQ_OIDC_CLIENT_SECRET_FILE", file);
        report(command).await
    };
    let check = "provider settings";
    says(
        &with_file(&dir.join("missing")).await,
        check,
        "problem",
        "cannot be read",
        "create the file",
    );
    says(
        &with_file(&dir).await,
        check,
        "problem",
        "is a folder",
        "only the secret",
    );
    let file = dir.join("client-secret");
    file_permissions::write(&file, format!("LOOPIQ_OIDC_CLIENT_SECRET={SECRET}\n").as_bytes()).unwrap();
    says(
        &with_file(&file).await,
        check,
        "problem",
        "contains a line of settings",
        "only the secret",
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(&file, SECRET).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let lines = with_file(&file).await;
        says(&lines, check, "problem", "other accounts can read", "");
        let line = lines.iter().find(|line| line["check"] == check).unwrap();
        assert!(line.get("fix").is_none(), "the message says what to do: {line}");
    }
    for (issuer, message) in [
        ("idp.example/realms/acme", "write it with https://"),
        (
            "https://idp.example/.well-known/openid-configuration",
            "names the discovery document",
        ),
        ("https://u:p@idp.example", "contains a user name or a password"),
    ] {
        let lines = report(check_config(&database, issuer)).await;
        says(&lines, check, "problem", message, "");
        let line = lines.iter().find(|line| line["check"] == check).unwrap();
        assert!(!line.to_string().contains("registration"), "{line}");
    }
}
