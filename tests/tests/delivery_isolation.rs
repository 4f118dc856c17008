//! Targets that hang take nothing from those that work.

#[path = "support/scenario/mod.rs"]
mod scenario;

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use pqh::clock::Clock;
use pqh_tests::slack_webhook::{Hold, Webhook};
use scenario::{PATIENCE, Scenario, event};

const HANGING: usize = 500;
const HEALTHY: usize = 40;
/// To each of the healthy: what a target takes at once.
const EACH: usize = 5;

/// Makes channels, and gives their webhooks.
async fn channels(scenario: &Scenario, kind: &str, count: usize) -> Vec<(String, Webhook)> {
    futures_util::stream::iter(0..count)
        .map(|number| async move {
            let alias = format!("{kind}-{number}");
            let webhook = scenario.channel(&alias).await;
            (alias, webhook)
        })
        .buffered(16)
        .collect()
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_500_targets_hang_everything_for_healthy_ones_is_delivered() {
    let scenario = Scenario::with_clock(Clock::system(), |config| {
        config.limits.concurrency = 1_000;
        // The hanging ones hang until the test has seen what it has to see.
        config.limits.deadline = 2 * PATIENCE;
    })
    .await;
    let hanging = channels(&scenario, "hanging", HANGING).await;
    let healthy = channels(&scenario, "healthy", HEALTHY).await;
    for (alias, webhook) in &hanging {
        webhook.hold(Hold::Requests);
        scenario.post_event(&[alias], &event("hangs")).await.created();
    }
    let held = tokio::time::timeout(PATIENCE, scenario.simulator.wait_for_held(HANGING)).await;
    assert_eq!(held, Ok(HANGING));
    let mut times: Vec<Duration> = Vec::new();
    for round in 1..=EACH {
        for (alias, webhook) in &healthy {
            let asked = Instant::now();
            scenario.post_event(&[alias], &event("goes")).await.created();
            let arrived = tokio::time::timeout(PATIENCE, webhook.wait_for(round)).await;
            assert!(arrived.is_ok(), "a healthy target waits");
            times.push(asked.elapsed());
        }
    }
    assert_eq!(scenario.simulator.held(), HANGING, "they still hang");
    assert!(hanging.iter().all(|(_, webhook)| webhook.messages().is_empty()));
    times.sort_unstable();
    let p99 = times[times.len() * 99 / 100];
    println!("p99 of {} deliveries beside {HANGING} hanging targets: {p99:?}", times.len());
    scenario.simulator.release();
}
