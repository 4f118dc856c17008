//! What is kept of channels comes back, and nothing else.

use super::*;
use crate::store::Opening;

async fn store(folder: &tempfile::TempDir) -> Store {
    let url = format!("sqlite:{}", folder.path().join("t.db").display());
    let store = Store::open(&url, Opening::MayCreate).await.unwrap();
    let insert = "INSERT INTO organizations (id, name, plan, time_zone, locale, notice_channels, data_key, \
                  created_at, updated_at) \
                  VALUES ('o', 'O', 'paid', 'UTC', 'en-US', '[]', '', 0, 0)";
    write(&store, move |connection| {
        Box::pin(async move {
            sqlx::query(insert).execute(connection).await?;
            Ok(())
        })
    })
    .await
    .unwrap();
    store
}

async fn write<T: Send + 'static>(
    store: &Store,
    work: impl for<'a> FnOnce(&'a mut Connection) -> futures_util::future::BoxFuture<'a, Result<T, StoreError>>
    + Send
    + 'static,
) -> Result<T, StoreError> {
    store.write(work).await
}

fn row(id: &str, alias: &str) -> ChannelRow {
    let settings = serde_json::json!({ "note": "n" }).as_object().cloned().unwrap_or_default();
    ChannelRow {
        id: id.to_owned(),
        organization_id: "o".to_owned(),
        alias: alias.to_owned(),
        channel_type: "t".to_owned(),
        connection_id: None,
        settings,
        target: "x".to_owned(),
        quiet_hours: Vec::new(),
        paused: None,
        paused_at: None,
        version: 1,
        created_at: 5,
        updated_at: 5,
    }
}

async fn add(store: &Store, id: &'static str, alias: &'static str) -> Result<(), StoreError> {
    write(store, move |connection| {
        Box::pin(async move { insert(connection, &row(id, alias), &alias.to_lowercase()).await })
    })
    .await
}

#[tokio::test]
async fn an_alias_is_taken_whatever_its_case() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    add(&store, "1", "Ops").await.unwrap();
    assert!(matches!(add(&store, "2", "OPS").await, Err(StoreError::Duplicate { .. })));
    assert_eq!(id_of_alias(store.readers(), "o", "ops").await.unwrap().as_deref(), Some("1"));
    assert_eq!(id_of_alias(store.readers(), "other", "ops").await.unwrap(), None);
}

#[tokio::test]
async fn an_edit_of_another_version_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    add(&store, "1", "Ops").await.unwrap();
    let edit = |from| {
        write(&store, move |connection| {
            Box::pin(async move {
                let edited = ChannelRow { alias: "New".to_owned(), version: from + 1, ..row("1", "Ops") };
                update(connection, &edited, "new", from).await
            })
        })
    };
    assert!(!edit(2).await.unwrap());
    assert_eq!(find(store.readers(), "1").await.unwrap().unwrap().alias, "Ops");
    assert!(edit(1).await.unwrap());
    let found = find(store.readers(), "1").await.unwrap().unwrap();
    assert_eq!((found.alias.as_str(), found.version), ("New", 2));
}

#[tokio::test]
async fn a_pause_is_kept_with_its_reason_until_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    add(&store, "1", "Ops").await.unwrap();
    let paused = Paused {
        by: PausedBy::Service,
        kind: "unreachable".to_owned(),
        code: "gone".to_owned(),
        message: "m".to_owned(),
        remedy: "r".to_owned(),
    };
    let kept = paused.clone();
    write(&store, move |connection| Box::pin(async move { pause(connection, "1", &kept, 9).await })).await.unwrap();
    let found = find(store.readers(), "1").await.unwrap().unwrap();
    assert_eq!((found.paused, found.paused_at), (Some(paused), Some(9)));
    let resumed = || write(&store, |connection| Box::pin(async move { resume(connection, "1", 10).await }));
    assert!(resumed().await.unwrap());
    assert!(!resumed().await.unwrap());
    assert_eq!(find(store.readers(), "1").await.unwrap().unwrap().paused, None);
}

#[tokio::test]
async fn administrators_are_told_of_rejections_once_in_an_interval() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    add(&store, "1", "Ops").await.unwrap();
    let mut told = Vec::new();
    for now in [1_000, 1_099, 1_100] {
        let tell =
            write(&store, move |connection| Box::pin(async move { tell_rejection(connection, "1", now, 100).await }));
        told.push(tell.await.unwrap());
    }
    assert_eq!(told, [true, false, true]);
}

#[tokio::test]
async fn a_deleted_channel_takes_its_secrets_along() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    add(&store, "1", "Ops").await.unwrap();
    write(&store, |connection| {
        Box::pin(async move {
            let secret = SecretRow { field: "url".to_owned(), sealed: "v1.x".to_owned(), origin: None };
            put_secret(connection, "1", &secret).await
        })
    })
    .await
    .unwrap();
    assert_eq!(secrets(store.readers(), "1").await.unwrap().len(), 1);
    assert!(write(&store, |connection| Box::pin(async move { delete(connection, "1").await })).await.unwrap());
    assert!(secrets(store.readers(), "1").await.unwrap().is_empty());
    assert!(find(store.readers(), "1").await.unwrap().is_none());
}
