//! A schema of another version gives a clear error of one line, and the next upgrade completes an interrupted one.

use loopiq::store::{Store, StoreError};
use loopiq_testing::{Database, POSTGRES, on_postgres};
use sqlx::Executor;

/// A database without a schema.
async fn empty() -> Database {
    match std::env::var(POSTGRES) {
        Ok(admin) => Database::empty_on_cluster(&admin).await,
        Err(_) => Database::sqlite(),
    }
}

async fn refused(database: &Database) -> String {
    match Store::open(&database.url).await {
        Err(StoreError::Schema(why)) => why,
        Err(other) => panic!("another refusal: {other:?}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let database = Database::new().await;
    Store::upgrade_schema(&database.owner_url, &database.url)
        .await
        .expect("upgraded");
    let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT 9999, 'from the future', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
    database.connect().await.execute(sql).await.expect("a later step");
    let why = refused(&database).await;
    assert!(why.contains("9999") && why.contains("newer than this loopiq"), "{why}");
    let upgrade = Store::upgrade_schema(&database.owner_url, &database.url).await;
    assert!(
        matches!(&upgrade, Err(StoreError::Schema(why)) if why.contains("newer")),
        "{upgrade:?}"
    );
}

#[tokio::test]
async fn an_older_schema_is_upgraded_by_its_owner() {
    let database = empty().await;
    if on_postgres() {
        let why = refused(&database).await;
        assert!(
            why.contains("version 0") && why.contains("run `loopiq schema upgrade`"),
            "{why}"
        );
        assert!(database.tables().await.is_empty(), "the service makes no table");
    }
    Store::upgrade_schema(&database.owner_url, &database.url)
        .await
        .expect("upgraded");
    // A second upgrade, while a service runs on the database.
    let store = Store::open(&database.url).await.expect("opened");
    Store::upgrade_schema(&database.owner_url, &database.url)
        .await
        .expect("nothing to do");
    store.ping().await.expect("an answer");
}

/// A database of a development version: its first step was another one, and it has more steps.
#[tokio::test]
async fn a_database_with_other_steps_is_refused_in_one_line() {
    let database = Database::new().await;
    Store::upgrade_schema(&database.owner_url, &database.url)
        .await
        .expect("upgraded");
    let mut owner = database.connect().await;
    sqlx::query("UPDATE _sqlx_migrations SET checksum = $1 WHERE version = 1")
        .bind(vec![7_u8; 48])
        .execute(&mut owner)
        .await
        .expect("another step");
    let more = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT 17, 'import', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
    owner.execute(more).await.expect("more steps");
    let before = (database.tables().await, database.count("_sqlx_migrations").await);
    let opened = refused(&database).await;
    let upgraded = match Store::upgrade_schema(&database.owner_url, &database.url).await {
        Err(StoreError::Schema(why)) => why,
        other => panic!("another end: {other:?}"),
    };
    let start = if on_postgres() {
        "Start with an empty database"
    } else {
        "Start with a new data directory"
    };
    for why in [opened, upgraded] {
        assert!(
            why.contains("step 1") && why.contains("nothing was changed") && why.contains(start),
            "{why}"
        );
        assert_eq!(why.lines().count(), 1, "{why}");
    }
    let after = (database.tables().await, database.count("_sqlx_migrations").await);
    assert_eq!(after, before);
}

#[tokio::test]
async fn an_upgrade_that_was_interrupted_is_finished_by_the_next() {
    let database = empty().await;
    // This object makes the last statements of a migration fail, and the database rolls the whole migration back.
    let blocking = if on_postgres() {
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
    } else {
        "CREATE TABLE audit_contents (x TEXT)"
    };
    database.connect().await.execute(blocking).await.expect("in the way");
    let before = database.tables().await;
    let broken = Store::upgrade_schema(&database.owner_url, &database.url).await;
    assert!(matches!(&broken, Err(StoreError::Migrating(_))), "{broken:?}");
    assert_eq!(database.tables().await, before, "nothing of the step stayed");
    let unblocking = if on_postgres() {
        "DROP FUNCTION refuse_audit_change"
    } else {
        "DROP TABLE audit_contents"
    };
    database
        .connect()
        .await
        .execute(unblocking)
        .await
        .expect("out of the way");
    Store::upgrade_schema(&database.owner_url, &database.url)
        .await
        .expect("finished");
    Store::open(&database.url).await.expect("opened");
}

#[tokio::test]
async fn two_nodes_that_upgrade_at_once_do_it_once() {
    let database = empty().await;
    let upgrade = || Store::upgrade_schema(&database.owner_url, &database.url);
    if !on_postgres() {
        // On SQLite the services upgrade one after the other; the second service finds the schema upgraded.
        upgrade().await.expect("upgraded");
        upgrade().await.expect("nothing to do");
        return;
    }
    let (one, two) = tokio::join!(upgrade(), upgrade());
    one.expect("upgraded");
    two.expect("upgraded");
}
