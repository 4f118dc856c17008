//! What becomes of a message in Slack: followed up in place, in its thread, to people, with whom it mentions; and what Slack
//! answers in a way that is easily misread.

use pqh_tests::slack_api::{Message, Misbehaviour};
use serde_json::{Value, json};

use crate::guide::seen;
use crate::scenario::{MINUTE, attempts, event, text};
use crate::world::{ADA, TYPE, World};

impl World {
    /// A world in which an alert that posts to this channel was told once: what was posted.
    async fn told(&self, target: &str, settings: Value) -> Message {
        self.connect().await;
        let mut body = json!({ "alias": "Sales", "type": TYPE, "settings": { "channel": target } });
        body["settings"].as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        self.scenario.post("/v1/channels", &body).await.created();
        self.alert("Revenue", &["Sales"]).await;
        self.check("Revenue", "1").await;
        self.settled().await;
        self.acme().posted().pop().expect("a message")
    }

    /// Waits until all that was accepted has ended.
    async fn settled(&self) {
        crate::scenario::eventually("all is delivered", || async {
            let all = self.scenario.deliveries("channel=Sales").await;
            if all.iter().all(|delivery| delivery["status"] == "delivered") { Ok(()) } else { Err(all.into()) }
        })
        .await;
    }

    async fn resolve(&self) -> Vec<Message> {
        self.scenario.pass(MINUTE);
        self.check("Revenue", "20000").await;
        self.settled().await;
        self.acme().posted().into_iter().filter(|message| !message.is_deleted).collect()
    }
}

#[tokio::test]
async fn by_the_setting_a_resolution_is_a_new_message_and_the_first_is_updated_all_the_same() {
    let world = World::new().await;
    world.told("C0SALES", json!({ "resolutions": "message" })).await;
    let posted = world.resolve().await;
    assert_eq!(posted.len(), 2, "{posted:#?}");
    assert!(seen(&posted[0]).contains("✅ Alert Resolved: Revenue") && posted[0].edits.len() == 1, "{posted:#?}");
    assert!(seen(&posted[1]).contains("✅ Alert Resolved: Revenue") && posted[1].thread_ts.is_none(), "{posted:#?}");
}

#[tokio::test]
async fn where_the_message_is_gone_repeats_and_the_resolution_are_new_messages() {
    let world = World::new().await;
    let opening = world.told("C0SALES", json!({})).await;
    world.acme().delete_message("C0SALES", &opening.ts);
    world.scenario.pass(31 * MINUTE);
    world.check("Revenue", "2").await;
    world.settled().await;
    let posted = world.resolve().await;
    assert_eq!(posted.len(), 2, "{posted:#?}");
    assert!(posted.iter().all(|message| message.thread_ts.is_none() && message.edits.is_empty()), "{posted:#?}");
    assert!(seen(&posted[1]).contains("✅ Alert Resolved: Revenue"), "{posted:#?}");
}

#[tokio::test]
async fn a_person_is_told_and_followed_up_in_a_direct_message() {
    let world = World::new().await;
    let opening = world.told(ADA, json!({})).await;
    let direct = world.acme().direct_message(ADA).expect("a direct message");
    assert_eq!(opening.channel, direct);
    let posted = world.resolve().await;
    assert_eq!((posted.len(), posted[0].edits.len()), (2, 1), "{posted:#?}");
    assert_eq!((&posted[1].channel, &posted[1].thread_ts), (&direct, &Some(opening.ts)), "{posted:#?}");
}

#[tokio::test]
async fn a_message_holds_its_events_id_for_a_later_look_and_the_receipt_its_link() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    let id = world.scenario.publish_event("Sales", &event("Hello")).await;
    let delivery = world.scenario.until(&id, "delivered").await;
    let message = world.acme().posted().remove(0);
    assert_eq!(message.event_payload()["event_id"], delivery["event"], "{delivery:#}");
    assert_eq!(message.event_payload()["delivery_id"], id.as_str());
    let link = text(&delivery["receipt"]["permalink"]);
    assert_eq!(link, format!("https://acme.slack.com/archives/C0SALES/p{}", message.ts.replace('.', "")));
}

#[tokio::test]
async fn whom_a_message_mentions_is_looked_up_once_and_groups_are_named_by_their_ids() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    let mut calling = event("Look");
    calling["mentions"] = json!(["Ada@example.com", "S0ONCALL", "nobody@example.com"]);
    for number in 0..3 {
        calling["title"] = format!("Look {number}").into();
        let id = world.scenario.publish_event("Sales", &calling).await;
        world.scenario.until(&id, "delivered").await;
    }
    for message in world.acme().posted() {
        let sent = Value::Object(message.content).to_string();
        for part in [format!("<@{ADA}>"), "<!subteam^S0ONCALL>".to_owned(), "nobody@example.com".to_owned()] {
            assert!(sent.contains(&part), "no {part} in {sent}");
        }
    }
    // Ada, and that there is no such person.
    assert_eq!(world.slack.requests("users.lookupByEmail"), 2);
}

#[tokio::test]
async fn what_slack_says_in_a_200_or_by_a_page_is_read_for_what_it_means() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    // What was not posted is tried again unmarked; what may have been is marked, and told twice at most.
    for (misbehaviour, kind, posts, marked) in [
        (Misbehaviour::word("ratelimited"), "throttled", 1, false),
        (Misbehaviour::RateLimited(5), "throttled", 1, false),
        (Misbehaviour::Page(503), "unavailable", 1, false),
        (Misbehaviour::word("service_unavailable"), "unavailable", 1, false),
        (Misbehaviour::WordAfter("internal_error".to_owned()), "unknown-outcome", 2, true),
        (Misbehaviour::WordAfter("fatal_error".to_owned()), "unknown-outcome", 2, true),
        (Misbehaviour::PageAfter(200), "unknown-outcome", 2, true),
        (Misbehaviour::CloseAfter, "unknown-outcome", 2, true),
    ] {
        let (told, before) = (format!("{misbehaviour:?}"), world.acme().posted().len());
        world.slack.next("chat.postMessage", misbehaviour);
        let id = world.scenario.publish("Sales", &told).await;
        let waiting = world.scenario.until(&id, "waiting").await;
        assert_eq!(waiting["cause"]["kind"], kind, "{told}: {waiting:#}");
        world.scenario.pass_until_due(&id).await;
        let delivered = world.scenario.until(&id, "delivered").await;
        assert_eq!(world.acme().posted().len() - before, posts, "{told}");
        assert_eq!(
            (&delivered["possible_repeat"], attempts(&delivered).len()),
            (&marked.into(), 2),
            "{told}: {delivered:#}"
        );
        world.scenario.pass(MINUTE);
    }
}
