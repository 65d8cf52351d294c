//! `loopiq tenant` and `loopiq catalog` while a service without `--demo` runs, on either database.

use crate::command_line::loopiq;
use loopiq_testing::Database;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

struct Installation {
    database: Database,
    service: Child,
}

impl Drop for Installation {
    fn drop(&mut self) {
        let _ = self.service.kill();
        let _ = self.service.wait();
    }
}

impl Installation {
    async fn new() -> Self {
        let database = Database::new().await;
        let mut serve = command(&database);
        serve.args(["serve", "--listen", "127.0.0.1:0", "--public-url", "http://127.0.0.1:9"]);
        serve.args([
            "--oidc-issuer",
            "http://127.0.0.1:9",
            "--oidc-client-id",
            "c",
            "--oidc-client-secret",
            "s",
        ]);
        let mut service = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(service.stdout.take().unwrap())
            .read_line(&mut ready)
            .unwrap();
        assert!(ready.starts_with("ready on "), "{ready}");
        Self { database, service }
    }

    fn folder(&self) -> &Path {
        self.database.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn output(&self, line: &[&str]) -> Output {
        command(&self.database).args(line).output().unwrap()
    }

    fn ran(&self, line: &str) -> String {
        let output = self.output(&line.split_whitespace().collect::<Vec<_>>());
        assert!(
            output.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command that must fail prints on stderr.
    fn refused(&self, line: &str) -> String {
        let output = self.output(&line.split_whitespace().collect::<Vec<_>>());
        assert_eq!(
            output.status.code(),
            Some(1),
            "{line}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        String::from_utf8(output.stderr).unwrap()
    }
}

fn command(database: &Database) -> Command {
    let folder = database.folder.path();
    let mut command = loopiq(folder);
    command
        .env("LOOPIQ_DATABASE_URL", &database.url)
        .env("LOOPIQ_DATA_DIR", folder.join("data"));
    command
}

const OWN: &str = "people: [{ email: olga@initech.example, roles: [operator] }]
releases:
  - key: PAY-1
    teams: [payments]
    services: [refunds]
    certifications: [{ key: PCI-1, name: PCI DSS }]
    controls: [{ key: AC-3, title: Access enforcement }]
";

const BACKSTAGE: &str = "apiVersion: backstage.io/v1alpha1
kind: Group
metadata: { name: payments }
spec: { type: team, children: [], members: [dana] }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: dana }
spec: { profile: { email: dana@initech.example } }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: refunds }
spec: { type: service, lifecycle: production, owner: payments }
---
apiVersion: backstage.io/v1alpha1
kind: Domain
metadata: { name: money }
spec: { owner: payments }
";

#[tokio::test]
async fn a_company_sets_up_its_tenant_and_catalog_beside_a_running_service() {
    let installation = Installation::new().await;
    installation.write("catalog/own.yaml", OWN);
    installation.write("catalog/software/catalog-info.yml", BACKSTAGE);
    installation.write("catalog/.hidden/broken.yaml", "not: a catalog");
    installation.write("catalog/README.md", "not: a catalog");

    let missing = installation.refused("catalog apply catalog --tenant initech");
    assert!(
        missing.contains("there is no tenant initech here, and no other; `loopiq tenant create initech --name NAME`"),
        "{missing}"
    );
    assert!(installation.ran("tenant list").contains("There is no tenant yet"));
    let created = installation.ran("tenant create initech --name Initech");
    assert!(
        created.contains("The tenant initech (Initech) was created"),
        "{created}"
    );
    assert!(
        installation
            .ran("tenant create initech --name Initech")
            .contains("exists already")
    );
    assert!(
        installation
            .refused("tenant create Init --name X")
            .contains("1 to 63 characters")
    );
    assert_eq!(installation.ran("tenant list"), "initech\tInitech\n");
    let other = installation.refused("catalog apply catalog --tenant initec");
    assert!(
        other.contains("there is no tenant initec here; there is initech"),
        "{other}"
    );

    let dry = installation.ran("catalog apply catalog --tenant initech --dry-run");
    assert_eq!(
        dry.lines().collect::<Vec<_>>(),
        [
            "create person olga@initech.example: roles operator",
            "create team payments: members dana@initech.example; name \"payments\"",
            "create service refunds: name \"refunds\"; team \"payments\"",
            "create release PAY-1: name \"PAY-1\"; services refunds; severityThreshold \"high\"; status \"planned\"; teams payments",
            "create certification PCI-1: name \"PCI DSS\"; release \"PAY-1\"",
            "create control AC-3 of PAY-1: status \"unknown\"; title \"Access enforcement\"",
            "not read: Domain money (catalog/software/catalog-info.yml:16): this service does not read entities of the kind Domain",
            "Creates the roles of 1 person, 1 team, 1 service, 1 release, 1 certification, 1 control. Left as they are: 0. Nothing was changed: this was a dry run.",
        ]
    );
    let json: Value =
        serde_json::from_str(&installation.ran("catalog apply catalog --tenant initech --dry-run --json")).unwrap();
    assert_eq!(
        (&json["applied"], json["steps"].as_array().map(Vec::len)),
        (&false.into(), Some(6))
    );
    assert_eq!(
        (&json["steps"][1]["kind"], &json["steps"][1]["effect"]),
        (&"team".into(), &"create".into())
    );

    let applied = installation.ran("catalog apply catalog/own.yaml catalog/software --tenant initech");
    assert!(
        applied.contains("\nCreated the roles of 1 person, 1 team, ") && applied.ends_with(". Left as they are: 0.\n"),
        "{applied}"
    );
    let again = installation.ran("catalog apply catalog --tenant initech --prune");
    assert!(again.ends_with("Changed nothing. Left as they are: 6.\n"), "{again}");

    installation.write(
        "next.yaml",
        "teams: [{ key: payments, members: [eli@initech.example] }]\nreleases: [{ key: PAY-1, commit: 9f1c2e7 }]",
    );
    let changed = installation.ran("catalog apply next.yaml --tenant initech");
    assert!(
        changed.contains("change team payments: members +eli@initech.example -dana@initech.example\n"),
        "{changed}"
    );
    assert!(
        changed.contains("change release PAY-1: commit nothing → \"9f1c2e7\"\n"),
        "{changed}"
    );
    let pruned = installation.ran("catalog apply next.yaml --tenant initech --prune --dry-run");
    assert!(
        pruned.contains("retire person olga@initech.example\nretire service refunds\n"),
        "{pruned}"
    );
    assert!(
        pruned.contains("Retires the roles of 1 person, 1 service. Left as they are: 2."),
        "{pruned}"
    );
    let verified = installation.ran("audit verify");
    assert!(verified.contains("initech"), "{verified}");
}

#[tokio::test]
async fn a_faulty_catalog_is_refused_with_every_mistake_and_changes_nothing() {
    let installation = Installation::new().await;
    installation.ran("tenant create initech --name Initech");
    let before = installation.database.dump().await;
    installation.write(
        "bad.yaml",
        "teams:\n  - { key: a, nmae: A }\nservices:\n  - { key: s }\n",
    );
    let mistakes = installation.refused("catalog apply bad.yaml --tenant initech");
    assert_eq!(
        mistakes.lines().collect::<Vec<_>>(),
        [
            "bad.yaml:2: teams[0].nmae: there is no such key; did you mean name?",
            "bad.yaml:4: services[0].team: is missing",
            "loopiq: the catalog has 2 mistakes; nothing was changed",
        ]
    );
    let output = installation.output(&["catalog", "apply", "bad.yaml", "--tenant", "initech", "--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&json["problems"][0]["line"], &json["problems"][0]["field"]),
        (&2.into(), &"teams[0].nmae".into())
    );

    installation.write("empty/README.md", "");
    installation.write("big.yaml", &"# A comment that takes space.\n".repeat(400_000));
    std::fs::write(
        installation.folder().join("latin.yaml"),
        b"teams: [{ key: a, name: M\xfcnchen }]",
    )
    .unwrap();
    for (line, says) in [
        (
            "catalog apply missing.yaml --tenant initech",
            "missing.yaml cannot be read",
        ),
        (
            "catalog apply empty --tenant initech",
            "empty has no files that end with .yaml or .yml",
        ),
        (
            "catalog apply big.yaml --tenant initech",
            "and a file of a catalog has at most 4096 KiB",
        ),
        ("catalog apply latin.yaml --tenant initech", "latin.yaml is not UTF-8"),
    ] {
        let error = installation.refused(line);
        assert!(error.contains(says), "{line}: {error}");
    }
    assert_eq!(installation.database.dump().await, before);
}

#[test]
fn the_schema_is_printed_as_it_is_checked_in() {
    let folder = tempfile::TempDir::new().unwrap();
    let output = loopiq(folder.path()).args(["catalog", "schema"]).output().unwrap();
    let stored = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/catalog.schema.json");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        std::fs::read_to_string(stored).unwrap()
    );
}
