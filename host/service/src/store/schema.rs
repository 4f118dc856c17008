//! Opens a connection, and brings the schema up to date.

use std::path::Path;

use sqlx::ConnectOptions as _;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;

use super::{Connection, StoreError};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// A connection; what is wrong with the file is said with its path.
pub(super) async fn connect(options: &SqliteConnectOptions, path: &Path) -> Result<Connection, StoreError> {
    options.connect().await.map_err(|error| match StoreError::from(error) {
        StoreError::Unavailable { reason } | StoreError::Statement { reason } => {
            StoreError::Unavailable { reason: format!("{}: {reason}", path.display()) }
        }
        other => other,
    })
}

/// Refuses a schema from the future, and runs what is missing of ours.
pub(super) async fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    let has_table: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'")
            .fetch_optional(&mut *connection)
            .await?;
    if has_table.is_some() {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(&mut *connection).await?;
        if let Some(found) = found.filter(|found| *found > known) {
            return Err(StoreError::Newer { path: path.to_owned(), found, known });
        }
    }
    MIGRATIONS.run(connection).await.map_err(|error| StoreError::Statement { reason: error.to_string() })
}

/// Writes something small: what fails here would fail for an event.
pub(super) async fn touch(connection: &mut Connection) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO meta (name, value) VALUES ('probe', '1') ON CONFLICT (name) DO UPDATE SET \
         value = CASE meta.value WHEN '1' THEN '0' ELSE '1' END",
    )
    .execute(connection)
    .await?;
    Ok(())
}
