//! What operators granted to components.

use sqlx::SqliteExecutor;

use super::{Connection, StoreError};
use crate::clock::Millis;

/// A grant as it is kept: for the exact file of this SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrantRow {
    pub(crate) plugin_id: String,
    pub(crate) sha256: String,
    /// None where everything that the component describes is granted.
    pub(crate) hosts: Option<Vec<String>>,
    pub(crate) granted_by: String,
    pub(crate) granted_at: Millis,
}

/// All of them.
pub(crate) async fn all(executor: impl SqliteExecutor<'_>) -> Result<Vec<GrantRow>, StoreError> {
    let rows: Vec<(String, String, Option<String>, String, Millis)> =
        sqlx::query_as("SELECT plugin_id, sha256, hosts, granted_by, granted_at FROM grants")
            .fetch_all(executor)
            .await?;
    rows.into_iter()
        .map(|(plugin_id, sha256, hosts, granted_by, granted_at)| {
            let hosts = hosts.map(|hosts| serde_json::from_str(&hosts)).transpose();
            let hosts = hosts.map_err(|error| StoreError::Statement {
                reason: format!("the column hosts of the grant for {plugin_id} is damaged: {error}"),
            })?;
            Ok(GrantRow { plugin_id, sha256, hosts, granted_by, granted_at })
        })
        .collect()
}

/// Grants, in place of what was granted to the same file before.
pub(crate) async fn put(connection: &mut Connection, grant: &GrantRow) -> Result<(), StoreError> {
    let hosts = grant.hosts.as_ref().map(|hosts| serde_json::Value::from(hosts.as_slice()).to_string());
    sqlx::query(
        "INSERT INTO grants (plugin_id, sha256, hosts, granted_by, granted_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (plugin_id, sha256) DO UPDATE SET hosts = excluded.hosts, granted_by = excluded.granted_by, \
         granted_at = excluded.granted_at",
    )
    .bind(&grant.plugin_id)
    .bind(&grant.sha256)
    .bind(hosts)
    .bind(&grant.granted_by)
    .bind(grant.granted_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes back what was granted to this file.
pub(crate) async fn remove(connection: &mut Connection, plugin_id: &str, sha256: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM grants WHERE plugin_id = $1 AND sha256 = $2")
        .bind(plugin_id)
        .bind(sha256)
        .execute(connection)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Opening, Store};

    fn row(hosts: Option<&[&str]>) -> GrantRow {
        GrantRow {
            plugin_id: "p".to_owned(),
            sha256: "s".to_owned(),
            hosts: hosts.map(|hosts| hosts.iter().map(|&host| host.to_owned()).collect()),
            granted_by: "ada".to_owned(),
            granted_at: 7,
        }
    }

    #[tokio::test]
    async fn the_last_grant_to_a_file_counts_and_can_be_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("t.db").display());
        let store = Store::open(&url, Opening::MayCreate).await.unwrap();
        for grant in [row(None), row(Some(&["a.example"]))] {
            let kept = grant.clone();
            let put: Result<(), StoreError> =
                store.write(move |connection| Box::pin(async move { put(connection, &kept).await })).await;
            put.unwrap();
            assert_eq!(all(store.readers()).await.unwrap(), [grant]);
        }
        let removed: Result<(), StoreError> =
            store.write(|connection| Box::pin(async move { remove(connection, "p", "s").await })).await;
        removed.unwrap();
        assert!(all(store.readers()).await.unwrap().is_empty());
    }
}
