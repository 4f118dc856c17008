//! The whole way as users go it, with the real program: by HTTP and by the command line.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, as tests do")]

#[path = "support/program.rs"]
mod program;

use pqh_tests::program::event;
use pqh_tests::service::ServiceProgram;
use pqh_tests::slack_webhook::{Misbehaviour, Simulator, render};
use program::Person;
use serde_json::{Value, json};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn saying(word: &str) -> Misbehaviour {
    let status = pqh_tests::slack_webhook::answer::status_of(word);
    Misbehaviour::Answer { status, headers: Vec::new(), body: word.to_owned() }
}

/// A running service, its simulator, and an administrator at a terminal.
async fn started() -> (ServiceProgram, Simulator, Person) {
    let simulator = Simulator::start().await.unwrap();
    let service = ServiceProgram::start(&simulator.base_url()).await.unwrap();
    let admin = Person::new(&service, &service.api().admin_token());
    (service, simulator, admin)
}

async fn add_channel(admin: &Person, alias: &str, url: &str) -> Value {
    let words = ["channel", "add", alias, "--type", "slack-webhook", "--json"];
    admin.run_with(&words, &[("PQH_SET_URL", url)]).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_new_channel_to_a_message_that_people_read_by_the_command_line() {
    let (_service, simulator, admin) = started().await;
    let url = Simulator::webhook_url();
    let channel = add_channel(&admin, "Sales Team", &url).await;
    assert_eq!(channel["settings"]["url"], json!({ "set": true, "origin": "https://hooks.slack.com" }));
    let listed = admin.run(&["channel", "list"]).await.done();
    assert!(listed.contains("Sales Team") && listed.contains("active"), "{listed}");
    let tested = admin.run(&["channel", "test", "Sales Team"]).await.done();
    assert!(tested.contains("Delivered to Sales Team"), "{tested}");
    assert_eq!(simulator.messages().len(), 1);
    let post = ["event", "post", &event("daily-sales-triggered"), "--channel", "Sales Team", "--wait", "--json"];
    let told = admin.run(&post).await.json();
    assert_eq!(told["deliveries"][0]["status"], "delivered", "{told:#}");
    let message = render::message(&simulator.messages()[1], false);
    assert!(message.contains("Daily Sales Alert") && message.contains("8750"), "{message}");
    // The event has an id: told again, it is not sent again.
    let again = admin.run(&post).await.json();
    assert_eq!(again["deliveries"][0]["id"], told["deliveries"][0]["id"]);
    assert_eq!(simulator.messages().len(), 2);
    let shown = admin.run(&["deliveries", "show", text(&told["deliveries"][0]["id"])]).await.done();
    assert!(shown.contains("delivered") && shown.contains("Sales Team"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_webhook_is_seen_mended_and_what_waited_arrives_by_the_command_line() {
    let (service, simulator, admin) = started().await;
    let (old, new) =
        (simulator.webhook(), simulator.add_webhook("/services/T00000000/B00000002/YYYYYYYYYYYYYYYYYYYYYYYY"));
    let ops = simulator.add_webhook("/services/T00000000/B00000003/ZZZZZZZZZZZZZZZZZZZZZZZZ");
    add_channel(&admin, "sales", &old.url()).await;
    add_channel(&admin, "ops", &ops.url()).await;
    admin.run(&["org", "set", "--notice-channel", "ops"]).await.done();
    old.set_dead(Some("no_service"));
    let post = ["event", "post", &event("daily-sales-triggered"), "--channel", "sales", "--wait"];
    let said = admin.run(&post).await.ended(1);
    assert!(said.contains("Held for sales"), "{said}");
    assert!(said.contains("webhook"), "it says what to do: {said}");
    let notices = pqh_tests::service::within("a notice", ops.wait_for(1)).await.unwrap();
    assert!(render::message(&notices[0], false).contains("sales"), "{notices:?}");
    let checked = admin.run(&["channel", "check", "sales"]).await.ended(1);
    assert!(checked.contains("no_service"), "{checked}");
    let held = admin.run(&["deliveries", "list", "--status", "held", "--json"]).await.json();
    assert_eq!(held["items"].as_array().map(Vec::len), Some(1), "{held:#}");
    let file = "new-webhook.txt";
    std::fs::write(service.folder().join(file), new.url()).unwrap();
    admin.run(&["channel", "update", "sales", "--set", &format!("url=@{file}")]).await.done();
    pqh_tests::service::within("what waited", new.wait_for(1)).await.unwrap();
    let checked = admin.run(&["channel", "check", "sales"]).await.done();
    assert!(!checked.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_found_by_its_code_and_replayed_by_the_command_line() {
    let (service, simulator, admin) = started().await;
    add_channel(&admin, "sales", &Simulator::webhook_url()).await;
    simulator.next(saying("user_not_found"));
    let said = admin.run(&["event", "post", &event("test"), "--channel", "sales", "--wait"]).await.ended(1);
    assert!(said.contains("Not delivered") && said.contains("mentions"), "with what to do: {said}");
    let found = admin.run(&["deliveries", "list", "--code", "user_not_found", "--json"]).await.json();
    let id = text(&found["items"][0]["id"]).to_owned();
    let shown = admin.run(&["deliveries", "show", &id]).await.done();
    assert!(shown.contains("user_not_found"), "{shown}");
    admin.run(&["deliveries", "replay", &id]).await.done();
    service.api().wait_until_settled().await.unwrap();
    assert_eq!(simulator.messages().len(), 1);
    let said = admin.run(&["deliveries", "replay", &id]).await.ended(1);
    assert!(said.contains("delivered"), "{said}");
    // The audit log knows who did it, and nobody changed it.
    let audit = admin.run(&["audit", "list", "--all", "--json"]).await.json().to_string();
    for action in ["channel.created", "deliver"] {
        assert!(audit.contains(action), "{action} is not in {audit}");
    }
    let verified = service.run(&["audit", "verify"]).unwrap();
    assert!(!verified.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_way_by_http() {
    let (service, simulator, _) = started().await;
    let api = service.api();
    api.add_channel("sales", "slack-webhook", &Simulator::webhook_url()).await.unwrap();
    api.create("/v1/channels/sales/test", &json!({})).await.unwrap();
    let event =
        json!({ "id": "evt-1", "title": "Nightly Load", "notebook": { "status": "failure", "message": "Disk." } });
    let (status, accepted) = api.post_event(&["sales".to_owned()], &event).await.unwrap();
    assert_eq!((status, &accepted["id"]), (202, &"evt-1".into()));
    api.wait_until_settled().await.unwrap();
    let kept = api.get("/v1/events/evt-1").await.unwrap();
    assert_eq!((&kept["origin"], &kept["event"]), (&"published".into(), &event));
    assert_eq!(kept["deliveries"][0]["status"], "delivered");
    let messages = simulator.messages();
    assert_eq!(messages.len(), 2);
    assert!(render::message(&messages[1], false).contains("Nightly Load"));
    assert_eq!((api.readiness().await.unwrap().0, api.count("delivered").await.unwrap()), (200, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_only_publish_is_told_so_by_the_command_line() {
    let (service, _simulator, admin) = started().await;
    add_channel(&admin, "sales", &Simulator::webhook_url()).await;
    let publisher = Person::new(&service, &service.api().publisher_token());
    publisher.run(&["event", "post", &event("test"), "--channel", "sales"]).await.done();
    let said = publisher.run(&["channel", "list"]).await.ended(1);
    assert!(said.contains("member") || said.contains("admin"), "it names who may: {said}");
    let said = publisher.run(&["event", "post", &event("notice"), "--channel", "nobody"]).await.ended(2);
    assert!(said.contains("nobody"), "{said}");
}
