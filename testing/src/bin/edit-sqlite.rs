//! Runs one statement on a SQLite file, for tests that need data which only an identity provider could write.
//!
//!     edit-sqlite FILE STATEMENT [VALUE...]

use sqlx::{AnyConnection, AssertSqlSafe, Connection};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(statement)) = (arguments.next(), arguments.next()) else {
        return Err("usage: edit-sqlite FILE STATEMENT [VALUE...]".into());
    };
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(&format!("sqlite://{file}")).await?;
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for value in arguments {
        query = query.bind(value);
    }
    query.execute(&mut connection).await?;
    Ok(())
}
