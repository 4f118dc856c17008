//! A workspace of 20,000 channels, at the rate that Slack allows.

use std::time::Instant;

use serde_json::Value;

use super::{names, twice};
use crate::scenario::{MINUTE, MOMENT, almost, eventually};
use crate::world::World;

const CHANNELS: usize = 20_000;

impl World {
    /// Moves the clock on whenever Slack asks for rest, until all is found.
    async fn load(&self) -> Value {
        eventually("all of them", || async {
            let told = self.targets(&[("limit", "1")]).await;
            if told["loading"] == false {
                return Ok(told);
            }
            if told["problem"].is_object() {
                self.scenario.pass(MINUTE);
            }
            Err(told)
        })
        .await
    }
}

#[tokio::test]
async fn twenty_thousand_channels_are_searched_while_they_load_and_no_page_is_asked_for_twice() {
    let world = World::new().await;
    let acme = world.acme();
    acme.add_channels(CHANNELS);
    let held = world.hold_second_page();
    world.connect().await;

    let begun = Instant::now();
    let told = world.targets(&[]).await;
    let first = begun.elapsed();
    assert_eq!((&told["loading"], &told["listed_at"]), (&true.into(), &Value::Null), "{told:#}");
    assert_eq!(names(&told).len(), 50);
    world.until_second_page(1).await;
    assert_eq!(world.slack.channel_pages().len(), 2);
    assert_eq!(world.find("Channel-00150").await, ["#channel-00150"]);
    assert!(world.find("channel-19999").await.is_empty());

    // Slack's tier 2: 20 pages a minute.
    held.notify_one();
    let told = world.until_targets("rest", |told| told["problem"].is_object()).await;
    assert_eq!((&told["loading"], &told["problem"]["code"]), (&true.into(), &"ratelimited".into()), "{told:#}");
    assert!(told["count"].as_i64().unwrap() > 3_000, "{told:#}");
    let calls = world.slack.requests("conversations.list");
    assert_eq!((calls, world.slack.channel_pages().len()), (21, 20));
    world.scenario.pass(almost(MINUTE));
    world.scenario.settle().await;
    world.targets(&[]).await;
    assert_eq!(world.slack.requests("conversations.list"), calls, "before Slack's Retry-After was over");
    world.scenario.pass(MOMENT);
    let begun = Instant::now();
    let told = world.load().await;
    let took = begun.elapsed();
    assert_eq!((&told["problem"], &told["count"]), (&Value::Null, &(CHANNELS + 3).into()), "{told:#}");

    let pages = world.slack.channel_pages();
    assert_eq!(twice(&pages), []);
    // Of 200 each, archived ones counted too.
    assert_eq!(pages.len(), CHANNELS.div_ceil(200) + 1);
    let refused = world.slack.requests("conversations.list") - pages.len();
    assert!((1..=5).contains(&refused), "one refusal a minute: {refused}");

    let begun = Instant::now();
    for number in 0..20 {
        assert_eq!(world.find(&format!("CHANNEL-19{number:03}")).await.len(), 1);
    }
    let search = begun.elapsed() / 20;
    assert!(search < MINUTE / 60, "{search:?}");
    eprintln!("{CHANNELS} channels: first page after {first:?}, all within {took:?}, a search takes {search:?}");

    // What is gone is dropped by a whole pass, and not before.
    acme.delete("C0N0000000");
    acme.archive("C0N0010000");
    world.scenario.pass(10 * MINUTE);
    let held = world.hold_second_page();
    let told = world.targets(&[]).await;
    assert_eq!(told["loading"], true, "{told:#}");
    world.until_second_page(2).await;
    assert_eq!(world.find("channel-00000").await.len(), 1);
    held.notify_one();
    let told = world.until_targets("rest", |told| told["problem"].is_object()).await;
    assert_eq!(told["count"], CHANNELS + 3);
    assert_eq!(world.find("channel-00000").await.len(), 1);
    let told = world.load().await;
    assert_eq!(told["count"], CHANNELS + 1, "{told:#}");
    assert!(world.find("channel-00000").await.is_empty());
    assert!(world.find("channel-10000").await.is_empty());
    assert_eq!(world.find("channel-19999").await.len(), 1);
}

impl World {
    async fn until_second_page(&self, pass: usize) {
        eventually("the second page of a pass", || async {
            let pages = self.slack.channel_pages();
            let firsts = pages.iter().filter(|page| page.cursor.is_empty()).count();
            let last = pages.last().is_some_and(|page| !page.cursor.is_empty());
            if firsts == pass && last { Ok(()) } else { Err(pages.len().into()) }
        })
        .await;
    }
}
