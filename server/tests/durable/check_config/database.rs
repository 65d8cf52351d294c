//! Faults of the database.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_the_database_is_named_with_its_fix() {
    let database = Database::new().await;
    let issuer = honest_provider().await;
    let with_url = async |url: &str| {
        let mut command = check_config(&database, &issuer);
        command.env("LOOPIQ_DATABASE_URL", url);
        report(command).await
    };
    let refused = with_url("postgres://loopiq:password-of-the-role@127.0.0.1:1/d").await;
    says(
        &refused,
        "database",
        "problem",
        "Connection refused",
        "host, role, password",
    );
    assert!(!format!("{refused:?}").contains("password-of-the-role"));
    // Passwords with characters that have a meaning in URLs.
    for url in [
        "postgres://loopiq:s3cret/x@127.0.0.1:1/d",
        "postgres://loopiq:s3cret#x@127.0.0.1:1/d",
        "postgres://loopiq:12/s3cret@127.0.0.1:1/d",
        "postgres://loopiq:12#s3cret@127.0.0.1:1/d",
    ] {
        let lines = with_url(url).await;
        says(&lines, "database", "problem", "percent-encoded", "");
        assert!(!format!("{lines:?}").contains("s3cret"), "{lines:#?}");
    }
    says(
        &with_url("mysql://h/d").await,
        "database",
        "problem",
        "unknown scheme",
        "LOOPIQ_DATABASE_URL",
    );
    let empty = database.folder.path().join("empty.db");
    file_permissions::write(&empty, b"").unwrap();
    let older = with_url(&format!("sqlite://{}", empty.display())).await;
    says(&older, "database", "warning", "older than this version", "backup");
    assert_eq!(std::fs::metadata(&empty).unwrap().len(), 0);
    file_permissions::write(&empty, &[b'x'; 8192]).unwrap();
    says(
        &with_url(&format!("sqlite://{}", empty.display())).await,
        "database",
        "problem",
        "not a database",
        "",
    );

    // A log whose key is gone, and a demo.
    let service = crate::start(&database, &crate::address());
    service.token("developer@acme.example").expect("a token");
    service.stop().expect("a graceful stop");
    std::fs::remove_file(database.folder.path().join("audit-key")).unwrap();
    let lines = report(check_config(&database, &issuer)).await;
    says(&lines, "installation", "problem", "holds a demo", "");
    says(&lines, "audit key", "problem", "restore the key from your backup", "");
    let mut demo = check_config(&database, &issuer);
    demo.args(["--demo", "--public-url", "http://127.0.0.1:3000"]);
    says(&report(demo).await, "provider", "ok", "demo", "");
    if on_postgres() {
        let lines = with_url(&database.owner_url).await;
        // In a demo the role is only a warning of `serve`, but this command checks the settings of production.
        says(&lines, "installation", "problem", "holds a demo", "");
        let production = Database::new().await;
        let mut command = check_config(&production, &issuer);
        command.env("LOOPIQ_DATABASE_URL", &production.owner_url);
        says(
            &report(command).await,
            "database role",
            "problem",
            "owns the tables",
            "two roles",
        );
    }
    let sql = "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
               SELECT 9999, 'later', installed_on, success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1";
    sqlx::query(sql).execute(&mut database.connect().await).await.unwrap();
    let newer = report(check_config(&database, &issuer)).await;
    says(&newer, "database", "problem", "newer than this loopiq", "");
}
