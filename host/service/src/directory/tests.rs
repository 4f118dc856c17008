//! What is found, what it is held for, and what is forgotten.

use pqh_runtime::contract::channel::{Destination, FieldKind};
use pqh_runtime::{Plugin, Runtime};
use serde_json::Map;

use super::*;
use crate::builtin;
use crate::catalog::{Entry, Origin};
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::Keys;
use crate::sealed::SealedSecrets;
use crate::store::channels::{ChannelRow, PausedBy};
use crate::store::grants::GrantRow;
use crate::store::{Connection, Opening};
use crate::vault::MasterKey;

const CHANNEL: &str = "019ab000-0000-7000-8000-000000000001";

struct World {
    directory: Directory,
    store: Store,
    plugins: Plugins,
    entry: Entry,
    _folder: tempfile::TempDir,
}

impl World {
    /// An organization "o" with a channel "Ops" whose secret URL fits the first built-in component.
    async fn new(origin: Origin) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::new(MasterKey::create(&folder.path().join("key")).unwrap());
        let (key, wrapped) = vault.new_data_key("o").unwrap();
        let url = format!("sqlite:{}", folder.path().join("t.db").display());
        let store = Store::open(&url, Opening::MayCreate).await.unwrap();
        let entry = Entry { plugin: with_a_secret_url().await, origin };
        let row = ChannelRow {
            id: CHANNEL.to_owned(),
            organization_id: "o".to_owned(),
            alias: "Ops".to_owned(),
            channel_type: entry.id().to_owned(),
            connection_id: None,
            settings: Map::new(),
            target: "t".to_owned(),
            quiet_hours: Vec::new(),
            paused: None,
            paused_at: None,
            version: 1,
            created_at: 1,
            updated_at: 1,
        };
        let secrets = secrets(&entry, key);
        write(&store, |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO organizations (id, name, plan, time_zone, locale, notice_channels, data_key, \
                     created_at, updated_at) \
                     VALUES ('o', 'O', 'paid', 'Europe/Berlin', 'de-DE', '[\"x\"]', $1, 0, 0)",
                )
                .bind(wrapped)
                .execute(&mut *connection)
                .await?;
                channels::insert(connection, &row, "ops").await?;
                for secret in secrets.rows() {
                    channels::put_secret(connection, CHANNEL, secret).await?;
                }
                Ok(())
            })
        })
        .await;
        let plugins = Plugins::of(vec![entry.clone()], Vec::new(), Vec::new());
        let keys = Arc::new(Keys::new(store.clone(), vault.clone()));
        let (clock, config) = (Clock::set_to(1), Config::default());
        let connections = Connections::new(store.clone(), keys, plugins.clone(), clock, &config).unwrap();
        let directory = Directory::new(store.clone(), vault, plugins.clone(), connections);
        Self { directory, store, plugins, entry, _folder: folder }
    }

    async fn ops(&self) -> Arc<LiveChannel> {
        self.directory.resolve("o", "ops").await.unwrap().unwrap()
    }

    async fn run(&self, sql: &'static str) {
        write(&self.store, move |connection| {
            Box::pin(async move {
                sqlx::query(sql).execute(connection).await?;
                Ok(())
            })
        })
        .await;
    }

    async fn pause(&self) {
        let (by, text) = (PausedBy::Service, String::new());
        let paused =
            Paused { by, kind: "unreachable".to_owned(), code: text.clone(), message: text.clone(), remedy: text };
        write(&self.store, |connection| {
            Box::pin(async move { channels::pause(connection, CHANNEL, &paused, 9).await.map(drop) })
        })
        .await;
    }
}

/// The first built-in component with a secret URL at a host that it names.
async fn with_a_secret_url() -> Plugin {
    let runtime = Runtime::builder().build().unwrap();
    for (_, bytes) in builtin::components() {
        let plugin = runtime.load_bytes(bytes).await.unwrap();
        let descriptor = plugin.descriptor();
        let is_url = descriptor.fields.first().is_some_and(|field| matches!(field.kind, FieldKind::SecretUrl));
        let named = matches!(descriptor.destinations.first(), Some(Destination::Host(host)) if !host.contains('*'));
        if is_url && named {
            return plugin;
        }
    }
    panic!("no built-in component has a secret URL at a host that it names");
}

/// A URL of the shape that the component asks for, on the host that it describes.
fn secrets(entry: &Entry, key: DataKey) -> SealedSecrets {
    let descriptor = entry.plugin.descriptor();
    let mut sealed = SealedSecrets::new(CHANNEL, key, Vec::new());
    let Some(Destination::Host(host)) = descriptor.destinations.first() else { panic!("no host") };
    let field = descriptor.fields.iter().find(|field| matches!(field.kind, FieldKind::SecretUrl)).unwrap();
    let url = format!("https://{host}/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX");
    sealed.set(&field.key, &field.kind, &url.into()).unwrap();
    sealed
}

async fn write(
    store: &Store,
    work: impl for<'a> FnOnce(&'a mut Connection) -> futures_util::future::BoxFuture<'a, Result<(), StoreError>>
    + Send
    + 'static,
) {
    store.write(work).await.unwrap();
}

#[tokio::test]
async fn a_channel_is_found_by_its_id_and_by_its_alias_in_any_case_within_its_organization() {
    let world = World::new(Origin::BuiltIn).await;
    let find = |organization: &'static str, name: &'static str| {
        let directory = world.directory.clone();
        async move { directory.resolve(organization, name).await.unwrap() }
    };
    for name in ["Ops", "OPS", CHANNEL, "019AB000-0000-7000-8000-000000000001"] {
        assert_eq!(find("o", name).await.unwrap().id, CHANNEL, "{name}");
        assert!(find("other", name).await.is_none(), "{name}");
    }
    assert!(find("o", "other").await.is_none());
}

#[tokio::test]
async fn a_channel_that_fits_is_ready_and_knows_its_organization() {
    let world = World::new(Origin::BuiltIn).await;
    let ops = world.ops().await;
    assert!(ops.channel.is_some(), "{:?}", ops.problems);
    assert_eq!((ops.held, ops.organization.plan, ops.organization.locale.as_str()), (None, Plan::Paid, "de-DE"));
    assert_eq!(ops.organization.time_zone.iana_name(), Some("Europe/Berlin"));
    assert_eq!(ops.organization.notice_channels, ["x"]);
    assert_eq!(ops.secrets.len(), 1);
    assert!(ops.secrets.values().all(|origin| origin.as_deref().is_some_and(|origin| origin.starts_with("https://"))));
}

#[tokio::test]
async fn what_was_found_is_kept_until_it_is_forgotten() {
    let world = World::new(Origin::BuiltIn).await;
    let first = world.ops().await;
    world.run("UPDATE channels SET alias = 'New', alias_key = 'new'").await;
    assert!(Arc::ptr_eq(&first, &world.ops().await));
    world.directory.forget_channel(CHANNEL);
    assert!(world.directory.resolve("o", "ops").await.unwrap().is_none());
    assert_eq!(world.directory.resolve("o", "new").await.unwrap().unwrap().alias, "New");
}

#[tokio::test]
async fn what_was_read_before_a_change_is_not_kept_after_it() {
    let world = World::new(Origin::BuiltIn).await;
    let ops = world.ops().await;
    let (generation, old) = (world.directory.kept().generation(), ops.organization.clone());
    world.directory.forget_organization("o");
    let Organization { id, plan, time_zone, locale, notice_channels, key } = &*old;
    let read = Organization {
        id: id.clone(),
        plan: *plan,
        time_zone: time_zone.clone(),
        locale: locale.clone(),
        notice_channels: notice_channels.clone(),
        key: key.clone(),
    };
    drop(world.directory.keeping().keep_organization(generation, read));
    assert!(world.directory.kept().organization("o").is_none());
}

#[tokio::test]
async fn the_reasons_to_hold_are_told_in_their_order() {
    let world = World::new(Origin::File("x.wasm".into())).await;
    assert_eq!(world.ops().await.held, Some(HeldReason::Grant));
    world.run("UPDATE organizations SET plan = 'free'").await;
    world.directory.forget_organization("o");
    assert_eq!(world.ops().await.held, Some(HeldReason::Plan));
    world.pause().await;
    world.directory.forget_channel(CHANNEL);
    let ops = world.ops().await;
    assert_eq!(ops.held, Some(HeldReason::ChannelPaused));
    assert!(ops.channel.is_none());
    assert!(ops.problems[0].message.contains("pqh plugin grant"), "{:?}", ops.problems);
}

#[tokio::test]
async fn a_grant_makes_the_channels_of_its_type_ready() {
    let world = World::new(Origin::File("x.wasm".into())).await;
    assert!(world.ops().await.channel.is_none());
    let id = world.entry.id();
    let grant = GrantRow {
        plugin_id: id.to_owned(),
        sha256: world.entry.plugin.sha256().to_string(),
        hosts: None,
        granted_by: "ada".to_owned(),
        granted_at: 1,
    };
    world.plugins.set_granted(id, Some(grant));
    world.directory.forget_type(id);
    assert!(world.ops().await.channel.is_some());
}

#[tokio::test]
async fn a_channel_whose_type_is_gone_is_held_and_says_so() {
    let world = World::new(Origin::BuiltIn).await;
    world.run("UPDATE channels SET type = 'gone'").await;
    let ops = world.ops().await;
    assert_eq!((ops.held, ops.terms.pace), (Some(HeldReason::Grant), None));
    assert!(ops.problems[0].message.contains("gone is not installed"), "{:?}", ops.problems);
}

#[tokio::test]
async fn settings_that_no_longer_fit_hold_the_channel_and_name_the_field() {
    let world = World::new(Origin::BuiltIn).await;
    world.run("DELETE FROM channel_secrets").await;
    let ops = world.ops().await;
    assert_eq!(ops.held, Some(HeldReason::Grant));
    let field = &world.entry.plugin.descriptor().fields[0];
    assert_eq!(ops.problems[0].field, field.key);
}
