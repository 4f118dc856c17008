//! What a start makes, and what it refuses.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use pqh::clock::Clock;
use pqh::service::Service;
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

use super::world::{World, config, database, text};

async fn refused(folder: &Path) -> String {
    match Service::start(config(folder), Clock::system()).await {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    }
}

/// What the files of a folder hold.
fn bytes(folder: &Path, except: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != except {
            bytes.extend(std::fs::read(entry.path()).unwrap());
        }
    }
    bytes
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

#[tokio::test]
async fn a_start_in_an_empty_folder_makes_what_is_needed_and_only_its_owner_reads_it() {
    let mut world = World::start().await;
    for file in ["pqh.key", "operator.token"] {
        let mode = std::fs::metadata(world.folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let organization = world.organization("Acme").await;
    world.stop().await;
    world.restart().await;
    assert_eq!(world.get("/v1/organization", &organization.admin).await["name"], json!("Acme"));
    let tokens = world.get("/v1/tokens", &world.operator).await;
    assert_eq!(tokens["items"].as_array().unwrap().len(), 4, "the second start made another token");
}

#[tokio::test]
async fn no_file_of_the_service_holds_a_token() {
    let mut world = World::start().await;
    let organization = world.organization("Acme").await;
    world.get("/v1/organization", &organization.publisher).await;
    let running = bytes(world.folder.path(), "operator.token");
    world.stop().await;
    let stopped = bytes(world.folder.path(), "operator.token");
    for token in [&world.operator, &organization.admin, &organization.member, &organization.publisher] {
        let secret = &token[token.len() - 43..];
        assert!(!holds(&running, secret) && !holds(&stopped, secret), "a token stands in a file");
    }
    assert!(holds(&running, "first operator"), "the database was not among the files");
}

#[tokio::test]
async fn a_second_serve_on_the_same_database_is_refused() {
    let mut world = World::start().await;
    let message = refused(world.folder.path()).await;
    assert!(message.contains("another pqh serve works with the database"), "{message}");
    world.stop().await;
    world.restart().await;
}

#[tokio::test]
async fn another_database_s_key_or_none_is_refused_with_what_to_do() {
    let (mut world, mut other) = (World::start().await, World::start().await);
    world.stop().await;
    other.stop().await;
    let key = world.folder.path().join("pqh.key");
    let own = std::fs::read(&key).unwrap();
    std::fs::write(&key, std::fs::read(other.folder.path().join("pqh.key")).unwrap()).unwrap();
    let message = refused(world.folder.path()).await;
    assert!(message.contains("belongs to another database") && message.contains("master_key_file"), "{message}");
    std::fs::remove_file(&key).unwrap();
    let message = refused(world.folder.path()).await;
    assert!(message.contains("there is no master key") && message.contains("backup"), "{message}");
    assert!(!key.exists(), "a new key would hide that the old one is lost");
    std::fs::write(&key, own).unwrap();
    let message = refused(world.folder.path()).await;
    assert!(message.contains("chmod 600"), "{message}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    world.restart().await;
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let mut world = World::start().await;
    world.stop().await;
    let options = SqliteConnectOptions::new().filename(database(world.folder.path()));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (999999, 'future', TRUE, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let message = refused(world.folder.path()).await;
    assert!(message.contains("schema 999999") && message.contains("newer pqh"), "{message}");
}

#[tokio::test]
async fn a_file_in_the_place_of_the_first_token_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("operator.token");
    std::fs::write(&path, "a shopping list").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let message = refused(folder.path()).await;
    assert!(message.contains("operator_token_file"), "{message}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a shopping list");
}

#[tokio::test]
async fn an_organization_is_made_beside_the_running_service_and_its_admin_comes_in_at_once() {
    let world = World::start().await;
    let output = world.pqh(&["org", "create", "Beside", "--timezone", "Europe/Berlin", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let seen = world.get("/v1/organization", &text(&made, "admin_token")).await;
    assert_eq!((&seen["id"], &seen["time_zone"]), (&made["id"], &json!("Europe/Berlin")));
    let rotated = world.pqh(&["vault", "rotate"]);
    assert_eq!(rotated.status.code(), Some(1), "the key was exchanged under a running service");
}
