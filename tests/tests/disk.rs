//! The real program while its database cannot be written: it takes nothing, says why, and goes on by itself.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, as tests do")]

use futures_util::future::join_all;
use pqh_tests::service::{Api, ServiceProgram, Setup, within};
use pqh_tests::slack_webhook::{Hold, Simulator};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

async fn start(simulator: &Simulator) -> ServiceProgram {
    let setup = Setup::to(&simulator.base_url()).with_limited_files();
    let service = setup.start().await.unwrap();
    service.api().add_channel("sales", "slack-webhook", &Simulator::webhook_url()).await.unwrap();
    service
}

/// Posts an event, and gives status and answer.
async fn post(api: &Api, id: &str) -> (u16, Value) {
    let event = json!({ "id": id, "title": id, "notice": { "message": "Is anybody there?" } });
    api.post_event(&["sales".to_owned()], &event).await.unwrap()
}

/// What has to hold whatever it is that makes writing fail: `spoil` does, and `mend` ends it.
async fn survives(
    service: &ServiceProgram,
    simulator: &Simulator,
    spoil: impl FnOnce(),
    mend: impl FnOnce(),
    word: &str,
) {
    let api = service.api();
    assert_eq!(post(api, "before").await.0, 202);
    within("messages", simulator.wait_for(1)).await.unwrap();
    // One attempt is on its way: its outcome comes while nothing can be written.
    simulator.hold(Hold::Answers);
    assert_eq!(post(api, "on-its-way").await.0, 202);
    within("attempts in flight", simulator.wait_for_held(1)).await.unwrap();

    spoil();
    for number in 0..20 {
        let (status, problem) = post(api, &format!("refused-{number}")).await;
        assert_eq!((status, &problem["code"]), (503, &json!("database-unavailable")), "{problem}");
    }
    // So many at once that new connections to the database are wanted: none of them may make a new one in its place.
    join_all((0..60).map(|_| api.deliveries(""))).await;
    let said = api.wait_for_readiness(503).await.unwrap();
    assert!(said["problems"].to_string().to_lowercase().contains(word), "{said}");
    assert!(!said["problems"][0]["remedy"].as_str().unwrap_or_default().is_empty(), "{said}");
    simulator.release();

    mend();
    api.wait_for_readiness(200).await.unwrap();
    assert_eq!(post(api, "after").await.0, 202);
    within("messages", simulator.wait_for(3)).await.unwrap();
    api.wait_until_settled().await.unwrap();
    let deliveries = api.deliveries("").await.unwrap();
    let mut events: Vec<&str> = deliveries.iter().map(|delivery| delivery["event"].as_str().unwrap()).collect();
    events.sort_unstable();
    assert_eq!(events, ["after", "before", "on-its-way"], "what was refused was not kept");
    for delivery in &deliveries {
        assert_eq!(
            (&delivery["status"], &delivery["possible_repeat"]),
            (&json!("delivered"), &json!(false)),
            "{delivery}"
        );
    }
    assert_eq!(simulator.messages().len(), 3, "each came once");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_full_disk_nothing_is_accepted_and_nothing_is_lost() {
    let simulator = Simulator::start().await.unwrap();
    let service = start(&simulator).await;
    let fill = || service.limit_files(Some(1)).unwrap();
    let free = || service.limit_files(None).unwrap();
    survives(&service, &simulator, fill, free, "disk").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_database_moved_away_nothing_is_accepted_and_nothing_is_lost() {
    let simulator = Simulator::start().await.unwrap();
    let service = start(&simulator).await;
    let (here, away) = (service.database(), service.folder().join("away.db"));
    let take = || std::fs::rename(&here, &away).unwrap();
    let bring = || std::fs::rename(&away, &here).unwrap();
    survives(&service, &simulator, take, bring, "pqh.db").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_with_a_full_disk_all_that_was_accepted_arrives() {
    let simulator = Simulator::start().await.unwrap();
    let mut service = start(&simulator).await;
    simulator.hold(Hold::Requests);
    assert_eq!(post(service.api(), "first").await.0, 202);
    within("attempts in flight", simulator.wait_for_held(1)).await.unwrap();
    assert_eq!(post(service.api(), "second").await.0, 202);
    service.limit_files(Some(1)).unwrap();
    assert_eq!(post(service.api(), "refused").await.0, 503);
    service.kill().unwrap();
    simulator.release();
    service.restart().await.unwrap();
    service.api().wait_until_settled().await.unwrap();
    let text = json!(simulator.messages()).to_string();
    assert!(text.contains("first") && text.contains("second") && !text.contains("refused"), "{text}");
}

const WEBHOOKS: usize = 100;
const POSTERS: usize = 8;
/// Events of each that posts.
const EVENTS: usize = 40;

/// Posts events until each is accepted, and counts what is.
async fn insist(api: Api, poster: usize, accepted: watch::Sender<usize>, refused: watch::Sender<usize>) {
    for number in 0..EVENTS {
        let id = format!("event-{poster}-{number}");
        let event =
            json!({ "id": id, "title": format!("{id}."), "severity": "critical", "notice": { "message": "m" } });
        let channel = format!("channel-{}", (poster * EVENTS + number) % WEBHOOKS);
        loop {
            let (status, answer) = api.post_event(std::slice::from_ref(&channel), &event).await.unwrap();
            match status {
                202 => break,
                503 => refused.send_modify(|count| *count += 1),
                other => panic!("{id}: {other} {answer}"),
            }
        }
        accepted.send_modify(|count| *count += 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_comes_and_goes_under_load_keeps_every_event_and_leaves_none_behind() {
    let simulator = Simulator::start_with(WEBHOOKS).await.unwrap();
    let service = ServiceProgram::start(&simulator.base_url()).await.unwrap();
    for (number, webhook) in simulator.webhooks().iter().enumerate() {
        let alias = format!("channel-{number}");
        service.api().add_channel(&alias, "slack-webhook", &webhook.url()).await.unwrap();
    }
    let (here, away) = (service.database(), service.folder().join("away.db"));
    let (accepted, mut some) = watch::channel(0);
    let (refused, mut none) = watch::channel(0);
    let mut posters = JoinSet::new();
    for poster in 0..POSTERS {
        posters.spawn(insist(service.api().clone(), poster, accepted.clone(), refused.clone()));
    }
    for round in 1..=6 {
        let enough = round * POSTERS * EVENTS / 8;
        within("accepted events", some.wait_for(|count| *count >= enough)).await.unwrap().unwrap();
        let before = *none.borrow_and_update();
        std::fs::rename(&here, &away).unwrap();
        within("refused events", none.wait_for(|count| *count > before)).await.unwrap().unwrap();
        std::fs::rename(&away, &here).unwrap();
    }
    within("the last events", posters.join_all()).await.unwrap();
    service.api().wait_until_settled().await.unwrap();
    let text = json!(simulator.messages()).to_string();
    for poster in 0..POSTERS {
        for number in 0..EVENTS {
            assert!(text.contains(&format!("event-{poster}-{number}.")), "event-{poster}-{number} did not arrive");
        }
    }
    let deliveries = service.api().deliveries("").await.unwrap();
    assert_eq!(deliveries.len(), POSTERS * EVENTS);
    assert!(deliveries.iter().all(|delivery| delivery["status"] == "delivered"));
}
