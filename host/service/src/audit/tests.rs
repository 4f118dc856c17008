//! Chains in a database of their own; tampering through the file is tested with the program.

use serde_json::json;

use super::verify::Fault;
use super::*;
use crate::store::organizations::{OrganizationRow, insert};
use crate::store::{Opening, Store};
use crate::vault::{MasterKey, Vault};

struct World {
    _folder: tempfile::TempDir,
    store: Store,
    vault: Vault,
    key: DataKey,
}

async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let store =
        Store::open(&format!("sqlite:{}", folder.path().join("t.db").display()), Opening::MayCreate).await.unwrap();
    let vault = Vault::new(MasterKey::create(&folder.path().join("t.key")).unwrap());
    let (key, data_key) = vault.new_data_key("o").unwrap();
    let row = OrganizationRow {
        id: "o".to_owned(),
        name: "O".to_owned(),
        plan: "paid".to_owned(),
        time_zone: "UTC".to_owned(),
        locale: "en-US".to_owned(),
        notice_channels: "[]".to_owned(),
        data_key,
        created_at: 0,
        updated_at: 0,
    };
    store.write(move |connection| Box::pin(async move { insert(connection, &row).await })).await.unwrap();
    World { _folder: folder, store, vault, key }
}

impl World {
    async fn append(&self, name: &str) {
        let (key, entry) = (self.key.clone(), entry(name));
        self.store
            .write(move |connection| Box::pin(async move { append(connection, &key, entry).await }))
            .await
            .unwrap();
    }

    async fn run(&self, statement: &'static str) {
        self.store
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(statement).execute(connection).await?;
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .unwrap();
    }

    async fn verdict(&self) -> Verdict {
        verify(&self.store, &self.vault, "o", None).await.unwrap()
    }
}

fn entry(name: &str) -> Entry {
    Entry {
        chain: "o".to_owned(),
        at: 1,
        actor: Actor::service(),
        source: "local".to_owned(),
        action: "channel.changed",
        object: Object::new("channel", "c", name),
        before: None,
        after: Some(json!({ "name": name })),
    }
}

#[tokio::test]
async fn a_long_chain_is_gone_through_to_its_end() {
    let world = world().await;
    for n in 0..1_203 {
        world.append(&n.to_string()).await;
    }
    assert!(matches!(world.verdict().await, Verdict::Intact { rows: 1_203, .. }));
    world.run("UPDATE audit SET action = 'x' WHERE number = 1100").await;
    assert_eq!(world.verdict().await, Verdict::Broken(Fault::Changed { number: 1_100 }));
}

#[tokio::test]
async fn what_is_undone_with_its_transaction_leaves_no_trace_in_the_chain() {
    let world = world().await;
    world.append("kept").await;
    let (key, undone) = (world.key.clone(), entry("undone"));
    let result = world
        .store
        .write(move |connection| {
            Box::pin(async move {
                append(connection, &key, undone).await?;
                Err::<(), _>(StoreError::closed())
            })
        })
        .await;
    assert!(result.is_err());
    world.append("kept").await;
    assert!(matches!(world.verdict().await, Verdict::Intact { rows: 2, .. }));
}

#[tokio::test]
async fn an_absent_value_is_not_an_empty_one() {
    let world = world().await;
    world.append("a").await;
    world.run("UPDATE audit SET before = ''").await;
    assert_eq!(world.verdict().await, Verdict::Broken(Fault::Changed { number: 1 }));
}

#[tokio::test]
async fn rows_beyond_the_seal_are_found() {
    let world = world().await;
    world.append("a").await;
    let head = audit::head(world.store.readers(), "o").await.unwrap().unwrap();
    world.append("b").await;
    world
        .store
        .write(move |connection| Box::pin(async move { audit::set_head(connection, &head).await }))
        .await
        .unwrap();
    assert_eq!(world.verdict().await, Verdict::Broken(Fault::Unsealed { last: 2, sealed: 1 }));
}

#[tokio::test]
async fn a_chain_that_nobody_knows_is_told_from_an_intact_one() {
    let world = world().await;
    assert!(matches!(verify(&world.store, &world.vault, "p", None).await, Err(VerifyError::UnknownChain(_))));
}
