//! A database that is unreachable, refuses access or is full: clear messages and statuses, no partial writes, and automatic recovery.

use crate::proposals::{agent, propose, propose_until_refused};
use crate::{address, start};
use loopiq_testing::{Cluster, Connection, Database, Durability, POSTGRES, Person, Service, on_postgres, package};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

async fn status(service: &Service, path: &str) -> (u16, String) {
    let mut connection = Connection::open(&service.url).await.expect("a connection");
    let reply = connection.send("GET", path, &[], "").await.expect("an answer");
    (reply.status, reply.text())
}

/// Waits until `/readyz` has this status.
async fn until_ready_is(service: &Service, wanted: u16) {
    for _ in 0..300 {
        if status(service, "/readyz").await.0 == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("/readyz never said {wanted}");
}

/// The error line of a command on this database.
fn refusal(database: &Database, url: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_loopiq"))
        .args(["audit", "verify", "--data-dir"])
        .arg(database.folder.path())
        .args(["--database-url", url])
        .output()
        .expect("the binary");
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

#[tokio::test]
async fn a_postgres_that_refuses_is_one_line_without_its_password() {
    if !on_postgres() {
        eprintln!("skipped: it needs a PostgreSQL cluster, see {POSTGRES}");
        return;
    }
    let database = Database::new().await;
    let wrong = database.url.replace("what-the-service-says", "a-wrong-password");
    let nowhere = database.url.replace("/t_", "/nowhere_");
    let away = database.url.replace("?host=", "?host=/nowhere");
    for (url, says) in [
        (wrong, "password authentication failed"),
        (nowhere, "does not exist"),
        (away, "No such file or directory"),
    ] {
        let line = refusal(&database, &url);
        assert!(
            line.starts_with("loopiq: the database cannot be opened: ") && line.contains(says),
            "{line}"
        );
        assert!(
            line.lines().count() == 1 && !line.contains("a-wrong-password") && !line.contains("what-the-service"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_role_that_bypasses_row_level_security_is_refused_except_for_a_demo() {
    if !on_postgres() {
        eprintln!("skipped: it needs a PostgreSQL cluster, see {POSTGRES}");
        return;
    }
    let database = Database::new().await;
    let site = database.folder.path().join("site");
    loopiq_testing::write_site(&site);
    let serve = Command::new(env!("CARGO_BIN_EXE_loopiq"))
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--oidc-issuer",
            "https://idp.example",
            "--oidc-client-id",
            "c",
        ])
        .args(["--oidc-client-secret", "s", "--data-dir"])
        .arg(database.folder.path())
        .args(["--database-url", &database.owner_url])
        .env("LEPTOS_SITE_ROOT", &site)
        .output()
        .expect("the binary");
    let line = String::from_utf8_lossy(&serve.stderr).into_owned();
    assert_eq!(serve.status.code(), Some(1), "{line}");
    assert!(
        line.contains("role owns the tables or bypasses row-level security"),
        "{line}"
    );
    // Other commands refuse such a role too.
    let line = refusal(&database, &database.owner_url);
    assert!(
        line.lines().count() == 1 && line.contains("role owns the tables or bypasses row-level security"),
        "{line}"
    );
}

#[tokio::test]
async fn the_service_recovers_when_the_database_returns() {
    if !on_postgres() {
        eprintln!("skipped: it needs PostgreSQL; a file does not go away");
        return;
    }
    // A separate cluster, because the test stops it as in a crash. Acknowledged writes must be on the disk.
    let mut cluster = Cluster::start(Durability::Full).expect("a cluster");
    let database = Database::on_cluster(&cluster.url("postgres")).await;
    let service = start(&database, &address());
    let mut agent = agent(&service).await;
    let package = package(&mut agent, 2).await.expect("a package");
    let before = propose(&mut agent, &package, "before").await.expect("proposed");
    let mut reviewer = Person::sign_in(&service.url, "reviewer@acme.example")
        .await
        .expect("signed in");
    assert_eq!(status(&service, "/readyz").await.0, 200);

    cluster.halt();
    until_ready_is(&service, 503).await;
    assert_eq!(status(&service, "/healthz").await.0, 200, "the process is alive");
    let refused = propose(&mut agent, &package, "meanwhile").await;
    let refused = refused.expect_err("refused").to_string();
    assert!(
        refused.contains("503") && refused.contains("cannot be used just now"),
        "{refused}"
    );
    let page = reviewer.get("/").await.expect("an answer");
    assert_eq!(page.status, 503, "{}", page.text());
    assert!(page.text().contains("The database is unavailable"), "{}", page.text());

    cluster.resume().expect("back again");
    until_ready_is(&service, 200).await;
    let after = propose(&mut agent, &package, "meanwhile").await.expect("proposed");
    assert_ne!(after["actionId"], before["actionId"]);
    let again = propose(&mut agent, &package, "before").await.expect("known");
    assert_eq!(again["actionId"], before["actionId"]);
    assert_eq!(
        reviewer.get("/").await.expect("an answer").status,
        200,
        "the session is still there"
    );
}

/// A small file system, unmounted on drop.
struct Small(std::path::PathBuf);

impl Small {
    /// `None` if this user may not mount one.
    fn new(folder: &Path, mib: usize) -> Option<Self> {
        std::fs::create_dir_all(folder).expect("a folder");
        let made = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(folder)
            .output();
        if made.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder.to_owned()));
        }
        eprintln!("skipped: only root can mount a small file system");
        None
    }

    /// Fills the file system.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("filler")).expect("a file");
        for size in [65_536, 512] {
            while std::io::Write::write_all(&mut file, &vec![0; size]).is_ok() {}
        }
    }

    /// Frees the space again.
    fn free(&self) {
        std::fs::remove_file(self.0.join("filler")).expect("removed");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test]
async fn the_service_recovers_from_a_full_disk_and_loses_nothing() {
    let mut database = Database::new().await;
    let folder = database.folder.path().join("small");
    let Some(small) = Small::new(&folder, 24) else { return };
    if let Ok(admin) = std::env::var(POSTGRES) {
        move_to(&admin, &database, &folder).await;
    } else {
        database.url = format!("sqlite://{}?mode=rwc", folder.join("loopiq.db").display());
        database.all_seeing_url.clone_from(&database.url);
    }
    let service = start(&database, &address());
    let mut agent = agent(&service).await;
    let package = package(&mut agent, 50).await.expect("a package");

    small.fill();
    let kept = propose_until_refused(&mut agent, &package).await;
    until_ready_is(&service, 503).await;
    let (_, reason) = status(&service, "/readyz").await;
    assert!(reason.contains("the disk of the database is full"), "{reason}");
    // Reads still work, and acknowledged actions exist.
    if let Some(id) = kept.last() {
        let read = agent
            .call("loopiq_get_action", &json!({ "actionId": id }))
            .await
            .expect("an action");
        assert_eq!(read["status"], "pending_approval");
    }

    small.free();
    until_ready_is(&service, 200).await;
    let refused = format!("k{}", kept.len());
    let again = propose(&mut agent, &package, &refused).await.expect("proposed");
    assert!(!kept.contains(&again["actionId"]));
    assert_eq!(
        database.count("actions WHERE idempotency_key LIKE 'k%'").await,
        kept.len() as i64 + 1,
        "no half-written action"
    );
    service.command(&["audit", "verify"]).expect("the log holds");
    drop(service);
}

/// Moves a database of the cluster to another file system.
async fn move_to(admin: &str, database: &Database, folder: &Path) {
    use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
    let given = Command::new("chown")
        .arg("postgres")
        .arg(folder)
        .status()
        .expect("chown");
    assert!(given.success());
    let open = Command::new("chmod")
        .arg("o+x")
        .arg(database.folder.path())
        .status()
        .expect("chmod");
    assert!(open.success());
    let name = database
        .url
        .split(['/', '?'])
        .find(|part| part.starts_with("t_"))
        .expect("a name")
        .to_owned();
    let mut connection = AnyConnection::connect(admin).await.expect("the cluster");
    for sql in [
        format!("CREATE TABLESPACE {name} LOCATION '{}'", folder.display()),
        format!("ALTER DATABASE {name} SET TABLESPACE {name}"),
    ] {
        connection.execute(AssertSqlSafe(sql)).await.expect("moved");
    }
}
