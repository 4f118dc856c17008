//! Exchanges the master key: a new file beside the old one, every data key wrapped anew in one transaction, then the new
//! file in the old one's place. Cut off at any moment, the database opens with one of the two files, and the next start
//! knows which.

use std::path::Path;

use serde_json::json;

use crate::audit::{self, Actor, Entry, OPERATOR, Object};
use crate::boot::{self, BootError};
use crate::clock::Millis;
use crate::store::organizations::{self, MASTER_KEY, OPERATOR_KEY};
use crate::store::{Connection, Opening, Store, StoreError};
use crate::vault::{MasterKey, Vault, VaultError};

/// Why the key was not exchanged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RotationError {
    #[error(transparent)]
    Boot(#[from] BootError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(
        "the database belongs to the new key {new} now, and that file cannot take the place of {key}: {reason}; move it there \
         yourself, or let the next start do it"
    )]
    NotMoved { new: String, key: String, reason: std::io::Error },
}

/// Exchanges the key of a database that no service works with; says how many data keys were wrapped anew.
pub(crate) async fn rotate(database: &str, key: &Path, now: Millis) -> Result<usize, RotationError> {
    let _lock = boot::lock(database).await?;
    let store = Store::open(database, Opening::MustExist).await?;
    let result = exchange(&store, key, now).await;
    store.close().await;
    result
}

async fn exchange(store: &Store, key: &Path, now: Millis) -> Result<usize, RotationError> {
    let fingerprint = organizations::meta(store.readers(), MASTER_KEY).await?;
    let fingerprint = fingerprint.ok_or_else(|| BootError::Empty { database: store.path().to_owned() })?;
    let old = boot::settle(store, key, &fingerprint)?;
    let count = wrap_anew(store, key, old, now).await?;
    let new = boot::beside(key, ".new");
    boot::replace(&new, key).map_err(|reason| RotationError::NotMoved {
        new: new.display().to_string(),
        key: key.display().to_string(),
        reason,
    })?;
    Ok(count)
}

/// Makes the new key's file, and wraps every data key with it.
async fn wrap_anew(store: &Store, key: &Path, old: Vault, now: Millis) -> Result<usize, RotationError> {
    let path = boot::beside(key, ".new");
    // The database belongs to the old key: what an earlier attempt left here opens nothing.
    if let Err(error) = std::fs::remove_file(&path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(VaultError::Unwritable { path, reason: error.to_string() }.into());
    }
    let new = Vault::new(MasterKey::create(&path)?);
    store.write(move |connection| Box::pin(async move { rewrap(connection, &old, &new, now).await })).await
}

async fn rewrap(connection: &mut Connection, old: &Vault, new: &Vault, now: Millis) -> Result<usize, RotationError> {
    let operator = organizations::meta(&mut *connection, OPERATOR_KEY).await?.unwrap_or_default();
    let operator_key = old.data_key(OPERATOR, &operator)?;
    organizations::set_meta(connection, OPERATOR_KEY, &new.rewrap(old, OPERATOR, &operator)?).await?;
    let wrapped = organizations::data_keys(&mut *connection).await?;
    for (id, wrapped) in &wrapped {
        organizations::set_data_key(connection, id, &new.rewrap(old, id, wrapped)?).await?;
    }
    organizations::set_meta(connection, MASTER_KEY, &new.fingerprint()).await?;
    let count = wrapped.len().saturating_add(1);
    let entry = Entry {
        chain: OPERATOR.to_owned(),
        at: now,
        actor: Actor::local("pqh vault rotate"),
        source: "local".to_owned(),
        action: "vault.rotated",
        object: Object::new("master-key", "master-key", "master key"),
        before: None,
        after: Some(json!({ "key": "changed", "data_keys": count })),
    };
    audit::append(connection, &operator_key, entry).await?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret as _, SecretString};

    use super::*;
    use crate::config::Config;
    use crate::vault::DataKey;

    struct World {
        folder: tempfile::TempDir,
    }

    impl World {
        fn database(&self) -> String {
            format!("sqlite:{}", self.folder.path().join("t.db").display())
        }

        fn key(&self) -> std::path::PathBuf {
            self.folder.path().join("t.key")
        }

        async fn open(&self) -> Result<(Store, Vault), BootError> {
            let config = Config {
                database: self.database(),
                master_key_file: self.key(),
                operator_token_file: self.folder.path().join("token"),
                ..Config::default()
            };
            boot::open(&config, 1).await
        }
    }

    async fn operator_key(store: &Store, vault: &Vault) -> DataKey {
        let wrapped = organizations::meta(store.readers(), OPERATOR_KEY).await.unwrap().unwrap();
        vault.data_key(OPERATOR, &wrapped).unwrap()
    }

    async fn world() -> (World, String) {
        let world = World { folder: tempfile::tempdir().unwrap() };
        let (store, vault) = world.open().await.unwrap();
        let sealed = operator_key(&store, &vault).await.seal("row", &SecretString::from("hunter2")).unwrap();
        store.close().await;
        (world, sealed)
    }

    async fn opens(world: &World, sealed: &str) {
        let (store, vault) = world.open().await.unwrap();
        let opened = operator_key(&store, &vault).await.open("row", sealed).unwrap();
        assert_eq!(opened.expose_secret(), "hunter2");
        store.close().await;
    }

    #[tokio::test]
    async fn after_a_rotation_the_new_file_opens_what_was_sealed_before_and_the_old_one_nothing() {
        let (world, sealed) = world().await;
        let old = std::fs::read(world.key()).unwrap();
        assert_eq!(rotate(&world.database(), &world.key(), 2).await.unwrap(), 1);
        assert_ne!(std::fs::read(world.key()).unwrap(), old);
        assert!(!boot::beside(&world.key(), ".new").exists());
        opens(&world, &sealed).await;
        std::fs::write(world.key(), old).unwrap();
        assert!(matches!(world.open().await, Err(BootError::OtherKey { .. })));
    }

    #[tokio::test]
    async fn cut_off_before_the_transaction_the_old_file_opens_the_database() {
        let (world, sealed) = world().await;
        drop(MasterKey::create(&boot::beside(&world.key(), ".new")).unwrap());
        opens(&world, &sealed).await;
        rotate(&world.database(), &world.key(), 2).await.unwrap();
        opens(&world, &sealed).await;
    }

    #[tokio::test]
    async fn cut_off_after_the_transaction_the_next_start_puts_the_new_file_in_its_place() {
        let (world, sealed) = world().await;
        let (store, vault) = world.open().await.unwrap();
        wrap_anew(&store, &world.key(), vault, 2).await.unwrap();
        store.close().await;
        let new = std::fs::read(boot::beside(&world.key(), ".new")).unwrap();
        opens(&world, &sealed).await;
        assert_eq!(std::fs::read(world.key()).unwrap(), new);
    }

    #[tokio::test]
    async fn a_database_in_use_keeps_its_key() {
        let (world, sealed) = world().await;
        let lock = boot::lock(&world.database()).await.unwrap();
        let refused = rotate(&world.database(), &world.key(), 2).await;
        assert!(matches!(refused, Err(RotationError::Boot(BootError::Store(StoreError::Locked { .. })))));
        drop(lock);
        opens(&world, &sealed).await;
    }
}
