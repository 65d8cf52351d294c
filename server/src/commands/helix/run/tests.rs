use super::*;
use crate::mcp::tests::service::TestService;

async fn helix(service: &TestService, dry_run: bool, max_packages: usize) -> Report {
    let token = service.token("developer").await;
    let agent = Agent::connect(&service.mcp_url(), &token, service.engine.runtime())
        .await
        .unwrap();
    let options = RunOptions {
        tenant: "acme",
        release: "PAY-1",
        dry_run,
        max_packages,
    };
    let report = run(&agent, &options, &|_| ()).await.unwrap();
    agent.close().await;
    report
}

fn ids(report: &Report) -> Vec<&str> {
    report
        .proposals
        .iter()
        .map(|proposal| proposal.action_id.as_deref().unwrap_or("none"))
        .collect()
}

#[tokio::test]
async fn a_second_run_returns_the_actions_of_the_first() {
    let service = TestService::start().await;
    let first = helix(&service, false, 3).await;
    assert!(first.failed.is_empty(), "{first}");
    let told: Vec<_> = first
        .proposals
        .iter()
        .map(|proposal| (proposal.title.as_str(), proposal.tasks, proposal.findings))
        .collect();
    assert_eq!(
        told,
        [
            ("Fix in src/db: SQL built from user input", 2, 3),
            ("Fix in src/auth: Weak hash", 1, 1)
        ],
        "what is below the threshold blocks nothing"
    );
    assert!(
        first
            .proposals
            .iter()
            .all(|proposal| proposal.status == "pending_approval"),
        "{first}"
    );
    let blocked = first
        .proposals
        .iter()
        .flat_map(|proposal| &proposal.warnings)
        .filter(|warning| warning.ends_with("block"));
    assert_eq!(blocked.count(), 0, "{first}");
    assert_eq!(ids(&helix(&service, false, 3).await), ids(&first));
}

#[tokio::test]
async fn a_dry_run_stores_nothing_and_reports_what_is_left() {
    let service = TestService::start().await;
    let dry = helix(&service, true, 1).await;
    assert_eq!((ids(&dry), dry.left_groups, dry.left_findings), (vec!["none"], 1, 1));
    let text = dry.to_string();
    assert!(
        text.contains("(nothing stored)  dry_run")
            && text.contains("left for another run: 1 finding, in 1 more group "),
        "{text}"
    );
}

#[tokio::test]
async fn each_error_is_one_clear_line() {
    let service = TestService::start().await;
    let runtime = service.engine.runtime();
    let unknown = Agent::connect(&service.mcp_url(), "loopiq_nothing", runtime)
        .await
        .err()
        .unwrap();
    assert!(one_line(&unknown).contains("The token is unknown"), "{unknown:#}");
    let unreachable = Agent::connect("http://127.0.0.1:9/mcp", "x", runtime)
        .await
        .err()
        .unwrap();
    assert!(
        one_line(&unreachable).contains("is the service running there?"),
        "{unreachable:#}"
    );
    let agent = Agent::connect(&service.mcp_url(), &service.token("developer").await, runtime)
        .await
        .unwrap();
    for (tenant, release, line) in [
        ("globex", "PAY-1", "the token is for the tenant acme"),
        ("acme", "PAY-2", "there is no release PAY-2"),
    ] {
        let error = run(
            &agent,
            &RunOptions {
                tenant,
                release,
                dry_run: false,
                max_packages: 3,
            },
            &|_| (),
        )
        .await
        .err()
        .unwrap();
        assert!(one_line(&error).contains(line), "{error:#}");
    }
    let auditor = Agent::connect(&service.mcp_url(), &service.token("auditor").await, runtime)
        .await
        .unwrap();
    let options = RunOptions {
        tenant: "acme",
        release: "PAY-1",
        dry_run: false,
        max_packages: 3,
    };
    let error = run(&auditor, &options, &|_| ()).await.err().unwrap();
    assert!(one_line(&error).contains("developer, reviewer or lead"), "{error:#}");
}

#[tokio::test]
async fn an_open_work_item_with_the_same_title_is_skipped_and_does_not_count() {
    use loopiq::context::Ctx;
    use loopiq::domain::*;
    let service = TestService::start().await;
    let ctx = Ctx::system(TenantId::parse("acme").unwrap(), service.engine.runtime());
    let item = loopiq::domain::WorkItem::new(
        &service.engine.runtime().id(),
        &service.release,
        &service.team,
        "Fix in src/db: SQL built from user input",
    );
    let insert = service
        .engine
        .store()
        .write::<_, loopiq::engine::Error, _>(&ctx, move |tx| {
            Box::pin(async move { Ok(tx.insert_work_item(&item).await?) })
        });
    insert.await.unwrap();
    let report = helix(&service, false, 1).await;
    assert!(
        report.skipped[0].why.contains("WI-1") && report.failed.is_empty(),
        "{report}"
    );
    assert_eq!(report.proposals[0].title, "Fix in src/auth: Weak hash");
}
