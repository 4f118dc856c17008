//! A renewal and something else at the same time: a stop, a person who connects or disconnects, a database that is away.

use sqlx::Connection as _;

use super::{REST, connected};
use crate::scenario::{HOUR, MOMENT, SECOND, almost, eventually};
use crate::world::{TYPE, World};

#[tokio::test]
async fn a_stop_waits_for_a_renewal_and_what_came_is_kept() {
    let mut world = connected().await;
    let released = world.held_renewal().await;
    let stopping = world.scenario.begin_to_stop();
    released.notify_one();
    stopping.end().await;
    world.scenario.launch().await;
    world.scenario.pass(2 * HOUR);
    world.arrives("Sales", "With what came").await;
    assert_eq!((world.slack.renewals(), world.refusals()), (1, Vec::new()));
}

#[tokio::test]
async fn who_connects_again_while_a_renewal_is_under_way_has_the_last_word() {
    let world = connected().await;
    let released = world.held_renewal().await;
    let browser = world.browser();
    let page = world.asked(&world.scenario.admin, &browser, &World::approval()).await;
    let (done, ()) = tokio::join!(browser.answer(TYPE, &page, "connect"), async { released.notify_one() });
    assert_eq!(done.title(200), "Slack workspace connected");
    goes_on(&world).await;
}

#[tokio::test]
async fn a_renewal_between_a_persons_question_and_their_answer_does_no_harm() {
    let world = connected().await;
    world.scenario.pass(almost(11 * HOUR));
    let browser = world.browser();
    let page = world.asked(&world.scenario.admin, &browser, &World::approval()).await;
    world.scenario.pass(MOMENT);
    world.until_renewals("renewed", 1).await;
    let done = browser.answer(TYPE, &page, "connect").await;
    assert_eq!(done.title(200), "Slack workspace connected");
    goes_on(&world).await;
}

/// The connection works with the newest tokens, through their own renewal and past the end of all others.
async fn goes_on(world: &World) {
    world.arrives("Sales", "Connected again").await;
    let renewals = world.slack.renewals();
    world.scenario.pass(11 * HOUR);
    world.until_renewals("renewed", 2).await;
    assert_eq!(world.slack.renewals(), renewals + 1);
    world.scenario.pass(2 * HOUR);
    world.arrives("Sales", "And later").await;
    assert_eq!((world.status().await.as_str(), world.slack.renewals()), ("connected", renewals + 1));
    assert_eq!(world.refusals(), Vec::<String>::new());
}

#[tokio::test]
async fn who_disconnects_while_a_renewal_is_under_way_leaves_no_token_of_use_behind() {
    let world = connected().await;
    let connection = world.connections().await[0].clone();
    let released = world.held_renewal().await;
    let newest = world.slack.tokens().last().unwrap().value.clone();
    let path = format!("/v1/connections/{}?force=true", connection["id"].as_str().unwrap());
    let ended = world.scenario.ask(reqwest::Method::DELETE, &path, &world.scenario.admin, None);
    let (answer, ()) = tokio::join!(ended, async { released.notify_one() });
    assert_eq!(answer.status, 204, "{answer:#?}");
    assert!(world.slack.revoked_tokens().iter().any(|token| token.value == newest), "the new one was revoked");
    // It comes back as the same connection.
    world.connect().await;
    assert_eq!(world.connections().await[0]["id"], connection["id"]);
    world.arrives("Sales", "Connected again").await;
}

#[tokio::test]
async fn a_pair_that_cannot_be_written_is_kept_in_memory_and_written_later() {
    let mut world = connected().await;
    let released = world.held_renewal().await;
    let (here, away) = (world.scenario.folder().join("pqh.db"), world.scenario.folder().join("away.db"));
    std::fs::rename(&here, &away).unwrap();
    released.notify_one();
    eventually("a database that cannot be written", || async {
        let ready = world.scenario.open("/readyz").await;
        if ready.status == 503 { Ok(()) } else { Err(ready.json) }
    })
    .await;
    std::fs::rename(&away, &here).unwrap();
    world.until_renewals("renewed", 1).await;
    world.scenario.kill().await;
    world.scenario.launch().await;
    world.scenario.pass(2 * HOUR);
    world.arrives("Sales", "With what came").await;
    assert_eq!((world.slack.renewals(), world.refusals()), (1, Vec::new()));
}

/// Changes the service's database behind its back.
async fn change(world: &World, statement: &'static str) {
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(world.scenario.folder().join("pqh.db"));
    let mut database = sqlx::SqliteConnection::connect_with(&file).await.unwrap();
    sqlx::query(statement).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
}

#[tokio::test]
async fn a_pair_that_the_database_refuses_is_used_and_holds_nobody_up_and_is_written_once_it_can_be() {
    let mut world = connected().await;
    let refuses = "CREATE TRIGGER refuses BEFORE INSERT ON connection_secrets BEGIN SELECT RAISE(FAIL, 'damaged'); END";
    change(&world, refuses).await;
    world.scenario.pass(11 * HOUR);
    world.until_renewals("unavailable", 1).await;
    let ready = world.scenario.open("/readyz").await.ok();
    let told = ready["warnings"][0].to_string();
    assert!(told.contains("token-not-renewed") && told.contains("lost at a restart"), "{told}");
    world.scenario.pass(2 * HOUR);
    world.until_renewals("unavailable", 2).await;
    world.arrives("Sales", "With what came").await;
    assert_eq!(world.slack.renewals(), 1, "none is asked for before that one is written");
    change(&world, "DROP TRIGGER refuses").await;
    world.scenario.pass(REST);
    world.until_renewals("renewed", 1).await;
    assert!(world.scenario.warnings().await.is_empty());
    world.scenario.kill().await;
    world.scenario.launch().await;
    world.scenario.pass(SECOND);
    world.arrives("Sales", "With what was written").await;
    assert_eq!((world.slack.renewals(), world.refusals()), (1, Vec::new()));
    world.scenario.pass(10 * HOUR);
    world.until_renewals("renewed", 1).await;
    assert_eq!(world.slack.renewals(), 2);
}

#[tokio::test]
async fn who_disconnects_waits_for_no_pair_that_the_database_refuses() {
    let world = connected().await;
    let refuses = "CREATE TRIGGER refuses BEFORE INSERT ON connection_secrets BEGIN SELECT RAISE(FAIL, 'damaged'); END";
    change(&world, refuses).await;
    world.scenario.pass(11 * HOUR);
    world.until_renewals("unavailable", 1).await;
    let newest = world.slack.tokens().last().unwrap().value.clone();
    let connection = world.connections().await[0].clone();
    let path = format!("/v1/connections/{}?force=true", connection["id"].as_str().unwrap());
    let answer = world.scenario.ask(reqwest::Method::DELETE, &path, &world.scenario.admin, None).await;
    assert_eq!(answer.status, 204, "{answer:#?}");
    assert!(world.slack.revoked_tokens().iter().any(|token| token.value == newest), "the one in use was revoked");
    assert!(world.scenario.warnings().await.is_empty());
}
