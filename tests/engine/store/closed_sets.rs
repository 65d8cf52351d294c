//! Columns that hold one of a closed set of values refuse every other value, and a closed action has the columns that its state requires.

use crate::world::World;
use sqlx::{AssertSqlSafe, Executor};

#[tokio::test]
async fn unknown_values_and_incomplete_states_are_refused_by_the_schema() {
    let world = World::new().await;
    let reviewer = world.person("reviewer");
    let (id, digest) = world.proposed("k").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    assert!(world.execute(&reviewer, &id).await.expect("an outcome").done);
    let refused = [
        "UPDATE actions SET state = 'waiting'",
        "UPDATE actions SET risk = 'extreme'",
        "UPDATE actions SET tool_risk = 'extreme'",
        "UPDATE actions SET max_severity = 'worst'",
        "UPDATE actions SET result = NULL",
        "UPDATE actions SET closed_at = NULL",
        "UPDATE actions SET outcome = 'Executed, and rejected.'",
        "UPDATE actions SET state = 'rejected'",
        "UPDATE decisions SET kind = 'endorse'",
        "UPDATE attempts SET outcome = 'broke'",
        "UPDATE evidence_verifications SET state = 'unknown'",
        "UPDATE components SET kind = 'team'",
        "UPDATE work_items SET kind = 'epic'",
    ];
    for sql in refused {
        // A separate connection that sees every row, because row-level security would hide rows from the service's role.
        let mut connection = world.database.connect().await;
        let error = connection.execute(AssertSqlSafe(sql)).await.expect_err(sql);
        assert!(error.to_string().to_lowercase().contains("check"), "{sql}: {error}");
    }
}
