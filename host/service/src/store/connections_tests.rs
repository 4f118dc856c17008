//! However many connections and channels there are, those that have to be renewed, or paused, are found at once.

use sqlx::Row as _;

use super::*;
use crate::store::Opening;

/// A store with 3,000 connections of two types: a third is lost or ended, the others are renewed one each millisecond; and
/// 3,000 channels of the first, of which every tenth is not paused.
async fn store(folder: &tempfile::TempDir) -> Store {
    let url = format!("sqlite:{}", folder.path().join("t.db").display());
    let store = Store::open(&url, Opening::MayCreate).await.unwrap();
    let written = store.write(|connection| {
        Box::pin(async move {
            let statements = [
                "INSERT INTO organizations (id, name, plan, time_zone, locale, notice_channels, data_key, created_at, \
                 updated_at) VALUES ('o', 'Acme', 'paid', 'UTC', 'en', '[]', 'sealed', 0, 0)",
                "WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 2999) \
                 INSERT INTO connections (id, organization_id, type, workspace_id, name, memo, lost, ended_at, renew_at, \
                 generation, connected_by, connected_at, updated_at) \
                 SELECT format('c%04d', n), 'o', CASE n % 2 WHEN 0 THEN 'chat' ELSE 'phone' END, format('W%d', n), 'W', '', \
                 CASE n % 6 WHEN 1 THEN '{}' END, CASE n % 6 WHEN 2 THEN 0 END, n, 1, 'ada', 0, 0 FROM number",
                "WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 2999) \
                 INSERT INTO channels (id, organization_id, alias, alias_key, type, connection_id, settings, target, \
                 quiet_hours, paused, version, created_at, updated_at) \
                 SELECT format('h%04d', n), 'o', format('H%d', n), format('h%d', n), 'chat', 'c0000', '{}', 't', '[]', \
                 CASE WHEN n % 10 > 0 THEN '{}' END, 1, 0, 0 FROM number",
            ];
            for statement in statements {
                sqlx::query(statement).execute(&mut *connection).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    written.await.unwrap();
    store
}

/// How a statement is done.
async fn plan(store: &Store, statement: &str, values: usize) -> Vec<String> {
    let statement = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let query = (0..values).fold(sqlx::query(statement), |query, _| query.bind(1_i64));
    let steps = query.fetch_all(store.readers()).await.unwrap();
    steps.iter().map(|step| step.get("detail")).collect()
}

#[tokio::test]
async fn connections_to_renew_are_read_out_of_an_index_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    for (statement, values) in [(RENEWED_TYPES, 0), (TO_RENEW, 3), (NEXT_RENEWAL, 2)] {
        let steps = plan(&store, statement, values).await;
        let bad = |step: &&String| step.starts_with("SCAN connections") || step.contains("TEMP B-TREE");
        assert_eq!(steps.iter().find(bad), None, "{statement}: {steps:#?}");
        assert!(steps.iter().any(|step| step.contains("INDEX connections_to_renew")), "{statement}: {steps:#?}");
    }
    let readers = store.readers();
    assert_eq!(renewed_types(readers).await.unwrap(), ["chat", "phone"]);
    let due = async |channel_type, now, limit| {
        let due = to_renew(readers, channel_type, now, limit).await.unwrap();
        due.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(due("chat", 100, 3).await, ["c0000", "c0004", "c0006"]);
    assert_eq!(due("phone", 5, 9).await, ["c0003", "c0005"]);
    assert_eq!(next_renewal(readers, "phone", 5).await.unwrap(), Some(9));
    assert_eq!(next_renewal(readers, "phone", 2_999).await.unwrap(), None);
    assert!(to_renew(readers, "chat", -1, 3).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_channels_of_a_connection_that_are_not_paused_are_read_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let steps = plan(&store, AWAKE_CHANNELS, 1).await;
    assert!(steps.len() == 1 && steps[0].contains("INDEX channels_awake_of_connection"), "{steps:#?}");
    let awake = awake_channels(store.readers(), "c0000").await.unwrap();
    assert_eq!((awake.len(), &*awake[1].0, &*awake[1].1), (300, "h0010", "H10"));
    assert_eq!(channels(store.readers(), "c0000").await.unwrap().len(), 3_000);
}
