//! However many messages wait, the next ones are found at once.

use sqlx::Row as _;

use super::*;
use crate::store::{Opening, Store};

/// A store in which so many messages of each of so many connections wait.
async fn store(folder: &tempfile::TempDir, connections: i64, messages: i64) -> Store {
    let url = format!("sqlite:{}", folder.path().join("t.db").display());
    let store = Store::open(&url, Opening::MayCreate).await.unwrap();
    let written = store.write(move |connection| {
        Box::pin(async move {
            let ids = ["id".to_owned()];
            for number in 0..connections * messages {
                let row = NewInbound {
                    id: format!("{number:08}"),
                    connection_id: format!("c{:04}", number % connections),
                    request: "sealed".to_owned(),
                    received_at: number,
                };
                let ids: Vec<String> = ids.iter().map(|id| format!("{id}-{number}")).collect();
                assert_eq!(accept(connection, "type", &ids, &row).await?, Accepted::New);
            }
            Ok::<_, StoreError>(())
        })
    });
    written.await.unwrap();
    store
}

#[tokio::test]
async fn of_each_connection_the_first_alone_is_due_those_that_wait_longest_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, 3, 4).await;
    let first = |heads: Vec<Head>| heads.into_iter().map(|head| (head.id, head.due_at)).collect::<Vec<_>>();
    let all = first(heads(store.readers(), 10).await.unwrap());
    assert_eq!(all, [("00000000".to_owned(), 0), ("00000001".to_owned(), 1), ("00000002".to_owned(), 2)]);
    let written = store.write(|connection| {
        Box::pin(async move {
            begin(connection, "00000000", 50).await?;
            rest(connection, "00000000", 100).await?;
            remove(connection, "00000001").await
        })
    });
    written.await.unwrap();
    let all = first(heads(store.readers(), 10).await.unwrap());
    assert_eq!(all, [("00000002".to_owned(), 2), ("00000004".to_owned(), 4), ("00000000".to_owned(), 100)]);
    assert_eq!(heads(store.readers(), 1).await.unwrap().len(), 1);
    assert_eq!(request(store.readers(), "00000001").await.unwrap(), None);
    assert_eq!(request(store.readers(), "00000004").await.unwrap().as_deref(), Some("sealed"));
}

#[tokio::test]
async fn of_one_connection_a_thousand_messages_wait_at_most_and_those_that_are_late_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, 2, MOST - 1).await;
    let one_more = |id: &'static str, connection_id: &'static str| {
        store.write(move |connection| {
            Box::pin(async move {
                let row = NewInbound {
                    id: id.to_owned(),
                    connection_id: connection_id.to_owned(),
                    request: "sealed".to_owned(),
                    received_at: 5_000,
                };
                accept(connection, "type", &[id.to_owned()], &row).await
            })
        })
    };
    assert_eq!(one_more("a", "c0000").await.unwrap(), Accepted::New);
    assert_eq!(one_more("b", "c0000").await.unwrap(), Accepted::Full);
    assert_eq!(one_more("c", "c0001").await.unwrap(), Accepted::New, "another connection's");
    let dropped = store.write(|connection| Box::pin(async move { drop_late(connection, "c0000", 5_000).await }));
    assert_eq!(dropped.await.unwrap(), 999);
    // What was refused counts as not seen.
    assert_eq!(one_more("b", "c0000").await.unwrap(), Accepted::New);
    assert_eq!(one_more("b", "c0000").await.unwrap(), Accepted::Seen);
    let left: Vec<String> = heads(store.readers(), 10).await.unwrap().into_iter().map(|head| head.id).collect();
    assert_eq!(left, ["00000001", "a"]);
}

#[tokio::test]
async fn a_flood_of_ten_thousand_messages_is_not_read_to_find_the_next_ones() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, 10, 1_000).await;
    let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {HEADS}")))
        .bind(64_i64)
        .fetch_all(store.readers())
        .await
        .unwrap();
    let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
    // MIN() reads the first entry of the index and stops.
    let scans: Vec<&String> = steps.iter().filter(|step| step.starts_with("SCAN inbound")).collect();
    assert!(scans.is_empty(), "{steps:#?}");
    assert!(steps.iter().filter(|step| step.contains("inbound_of_connection")).count() >= 3, "{steps:#?}");
    let begun = std::time::Instant::now();
    for _ in 0..100 {
        assert_eq!(heads(store.readers(), 64).await.unwrap().len(), 10);
    }
    let took = begun.elapsed() / 100;
    assert!(took < std::time::Duration::from_millis(50), "{took:?}");
}
