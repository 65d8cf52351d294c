//! The page of a release: its blockers, findings and evidence.

use crate::support::Service;
use loopiq::catalog::SourceFile;
use loopiq::context::Ctx;
use loopiq::domain::TenantId;
use loopiq::engine::CatalogOutcome;

const FILE: &str = "/releases/PAY-2026.11";

/// Creates a release.
async fn create_release(service: &Service, tenant: &str, key: &str) -> Ctx {
    let ctx = Ctx::command(TenantId::parse(tenant).unwrap(), &service.state.runtime);
    let file = SourceFile {
        name: "catalog.yaml".to_owned(),
        text: format!("releases: [{{ key: {key}, severityThreshold: high }}]"),
    };
    let applied = service
        .state
        .engine
        .apply_catalog(&ctx, &[file], false, None)
        .await
        .unwrap();
    assert!(matches!(applied, CatalogOutcome::Report(_)), "{applied:?}");
    ctx
}

/// Imports a scan with so many findings of one rule.
async fn import(service: &Service, count: usize) {
    let results: Vec<String> = (0..count)
        .map(|n| {
            format!(
                r#"{{"ruleId":"r","level":"error","message":{{"text":"<b>Finding</b> {n}"}},"locations":[{{"physicalLocation":{{"artifactLocation":{{"uri":"src/{n}.rs"}},"region":{{"startLine":7}}}}}}]}}"#
            )
        })
        .collect();
    let sarif = format!(
        r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"<i>Scanner</i>","rules":[{{"id":"r","properties":{{"security-severity":"9.1"}}}}]}}}},"results":[{}]}}]}}"#,
        results.join(",")
    );
    let ctx = create_release(service, "acme", "PAY-2026.11").await;
    let report = service
        .state
        .engine
        .import(&ctx, "PAY-2026.11", "a&b.sarif", sarif.into_bytes(), None, None)
        .await
        .unwrap();
    assert_eq!(report.new_findings, count);
}

#[tokio::test]
async fn a_release_shows_its_blockers_findings_and_evidence() {
    let service = Service::start().await;
    import(&service, 120).await;
    service.create_tenant("globex", "Globex").await;
    create_release(&service, "globex", "CORE-7.4").await;
    let mut reviewer = service.signed_in("reviewer@acme.example").await;
    let catalog = reviewer.get("/settings/catalog").await.text;
    assert!(catalog.contains(&format!("href=\"{FILE}\"")), "{catalog}");
    let page = reviewer.get(FILE).await;
    assert_eq!(page.status, 200, "{}", page.text);
    for says in [
        "Open blockers",
        "BLK-",
        "FND-",
        "&lt;b&gt;Finding&lt;/b&gt; 3",
        "src/3.rs:7",
        "&lt;i&gt;Scanner&lt;/i&gt;",
        "a&amp;b.sarif",
        "EV-",
    ] {
        assert!(page.text.contains(says), "{says}");
    }
    assert!(!page.text.contains("<b>Finding") && !page.text.contains("<i>Scanner"));
    assert!(
        !page.text.contains("href=\"/audit?q=release"),
        "a reviewer does not search the audit trail"
    );
    let mut lead = service.signed_in("lead@acme.example").await;
    assert!(lead.get(FILE).await.text.contains("/audit?q=release%3APAY-2026.11"));

    // Each list continues on its own, to its end.
    let mut seen = 0;
    let mut path = FILE.to_owned();
    for _ in 0..4 {
        let page = reviewer.get(&path).await.text;
        let findings = page
            .split("id=\"findings\"")
            .nth(1)
            .unwrap()
            .split("</section>")
            .next()
            .unwrap();
        seen += findings.matches("<tr role=\"row\"><th scope=\"row\"").count();
        match findings.split("rel=\"next\" href=\"").nth(1) {
            Some(next) => path = next.split('"').next().unwrap().replace("&amp;", "&"),
            None => break,
        }
        assert!(path.contains("after=fnd_"), "{path}");
    }
    assert!(seen >= 120, "{seen}");
    let last = reviewer.get(&path).await.text;
    assert!(
        !last.contains("id=\"blockers\"") && last.contains("Show all"),
        "only the findings continue"
    );
    let found = reviewer.get(&format!("{FILE}?text=finding%3C%2Fb%3E+77")).await.text;
    assert!(found.contains("src/77.rs:7") && !found.contains("src/78.rs"), "{found}");

    for (path, status) in [
        ("/releases/NO-1", 404),
        ("/releases/CORE-7.4", 404),
        ("/releases/%3Cb%3E", 404),
        ("/releases/PAY-2026.11?after=x", 400),
        ("/releases/PAY-2026.11?after=act_00000000000000000000000001", 400),
        ("/releases/PAY-2026.11?after=fnd_7zzzzzzzzzzzzzzzzzzzzzzzzz", 200),
    ] {
        let answer = reviewer.get(path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert!(!answer.text.contains("<b>"), "{path}");
    }
    let long = reviewer.get(&format!("{FILE}?text={}", "x".repeat(201))).await;
    assert_eq!(long.status, 400, "{}", long.text);
}
