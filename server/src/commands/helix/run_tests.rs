use super::*;
use crate::mcp::tests::world::World;

async fn helix(world: &World, dry_run: bool, most: usize) -> Report {
    let token = world.token("developer").await;
    let agent = Agent::connect(&world.door(), &token, world.engine.runtime())
        .await
        .unwrap();
    let task = Task {
        tenant: "acme",
        release: "PAY-1",
        dry_run,
        most,
    };
    let report = run(&agent, &task, &|_| ()).await.unwrap();
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
async fn it_proposes_what_blocks_and_the_same_again_is_the_same_action() {
    let world = World::new().await;
    let first = helix(&world, false, 3).await;
    assert!(first.failed.is_empty(), "{first}");
    let told: Vec<_> = first
        .proposals
        .iter()
        .map(|proposal| (proposal.title.as_str(), proposal.tasks, proposal.findings))
        .collect();
    assert_eq!(
        told,
        [
            ("Fix “SQL built from user input” in src/db", 2, 3),
            ("Fix “Weak hash” in src/auth", 1, 1)
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
    assert_eq!(ids(&helix(&world, false, 3).await), ids(&first));
}

#[tokio::test]
async fn it_tells_what_it_leaves_and_stores_nothing_when_asked_not_to() {
    let world = World::new().await;
    let dry = helix(&world, true, 1).await;
    assert_eq!((ids(&dry), dry.left_groups, dry.left_findings), (vec!["none"], 1, 1));
    let text = dry.to_string();
    assert!(
        text.contains("(nothing stored)  dry_run")
            && text.contains("left for another run: 1 finding, in 1 more group "),
        "{text}"
    );
}

#[tokio::test]
async fn each_thing_that_stops_it_has_its_line() {
    let world = World::new().await;
    let runtime = world.engine.runtime();
    let unknown = Agent::connect(&world.door(), "loopiq_nothing", runtime)
        .await
        .err()
        .unwrap();
    assert!(
        one_line(&unknown).contains("The token is not known here"),
        "{unknown:#}"
    );
    let nobody = Agent::connect("http://127.0.0.1:9/mcp", "x", runtime)
        .await
        .err()
        .unwrap();
    assert!(
        one_line(&nobody).contains("is the service running there?"),
        "{nobody:#}"
    );
    let agent = Agent::connect(&world.door(), &world.token("developer").await, runtime)
        .await
        .unwrap();
    for (tenant, release, line) in [
        ("globex", "PAY-1", "the token is for the tenant acme"),
        ("acme", "PAY-2", "there is no release PAY-2"),
    ] {
        let error = run(
            &agent,
            &Task {
                tenant,
                release,
                dry_run: false,
                most: 3,
            },
            &|_| (),
        )
        .await
        .err()
        .unwrap();
        assert!(one_line(&error).contains(line), "{error:#}");
    }
    let auditor = Agent::connect(&world.door(), &world.token("auditor").await, runtime)
        .await
        .unwrap();
    let task = Task {
        tenant: "acme",
        release: "PAY-1",
        dry_run: false,
        most: 3,
    };
    let error = run(&auditor, &task, &|_| ()).await.err().unwrap();
    assert!(one_line(&error).contains("developer, reviewer or lead"), "{error:#}");
}

#[tokio::test]
async fn work_that_is_open_under_the_same_title_is_named_and_does_not_use_up_the_limit() {
    use loopiq::context::Ctx;
    use loopiq::domain::*;
    let world = World::new().await;
    let ctx = Ctx::system(TenantId::parse("acme").unwrap(), world.engine.runtime());
    let item = loopiq::domain::WorkItem {
        id: world.engine.runtime().id(),
        key: "WI-1".to_owned(),
        kind: WorkItemKind::Story,
        release_id: world.release.clone(),
        parent_id: None,
        team_id: world.team.clone(),
        owner_id: None,
        title: "Fix “SQL built from user input” in src/db".to_owned(),
        description: String::new(),
        status: WorkItemStatus::Open,
        priority: Priority::High,
        estimate: None,
        acceptance_criteria: Vec::new(),
        version: 1,
        finding_ids: Vec::new(),
        control_ids: Vec::new(),
        evidence_ids: Vec::new(),
        blocker_ids: Vec::new(),
    };
    let insert = world
        .engine
        .store()
        .write::<_, loopiq::engine::Error, _>(&ctx, move |tx| {
            Box::pin(async move { Ok(tx.insert_work_item(&item).await?) })
        });
    insert.await.unwrap();
    let report = helix(&world, false, 1).await;
    assert!(
        report.skipped[0].why.contains("WI-1") && report.failed.is_empty(),
        "{report}"
    );
    assert_eq!(report.proposals[0].title, "Fix “Weak hash” in src/auth");
}
