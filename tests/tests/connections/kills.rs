//! The service is killed at random moments of renewals: no connection is lost that Slack still honours.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use pqh_tests::slack_api::Misbehaviour;
use tokio::sync::Notify;

use crate::renewal::TOKENS;
use crate::scenario::{HOUR, MINUTE, SECOND, event, text};
use crate::world::World;

const KILLS: usize = 50;

/// Where in a renewal it is killed.
#[derive(Debug)]
enum Moment {
    /// Soon after its time came: before the request, on its way, or when all is written.
    Anywhere,
    /// Slack did it, and the answer does not come.
    BeforeTheAnswer,
    /// The answer was just sent: before, while or after it is written.
    AroundTheAnswer,
}

#[tokio::test]
async fn fifty_random_kills_during_renewals_lose_no_connection_that_slack_still_honours() {
    let seed = std::env::var("PQH_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("PQH_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let mut world = crate::renewal::connected().await;
    let mut interrupted = 0;
    for round in 1..=KILLS {
        let before = world.slack.renewals();
        // A message finds it out where nothing did before: sometimes the token is used up to its last minute.
        let (moment, at_the_end) = (moment(&mut rng), rng.bool());
        let released = Arc::new(Notify::new());
        if !matches!(moment, Moment::Anywhere) {
            world.slack.next(TOKENS, Misbehaviour::AnswerHeld(Arc::clone(&released)));
        }
        let asked = world.slack.requests(TOKENS);
        world.scenario.pass(if at_the_end { 12 * HOUR - SECOND } else { 11 * HOUR });
        if rng.bool() {
            world.scenario.post_event(&["Sales"], &event(&format!("During {round}"))).await.created();
        }
        match moment {
            Moment::Anywhere => {}
            Moment::BeforeTheAnswer => drop(world.slack.wait_for_calls(TOKENS, asked + 1).await),
            Moment::AroundTheAnswer => {
                world.slack.wait_for_calls(TOKENS, asked + 1).await;
                released.notify_one();
            }
        }
        tokio::time::sleep(Duration::from_micros(rng.u64(0..15_000))).await;
        world.scenario.kill().await;
        released.notify_one();
        interrupted += usize::from(world.slack.renewals() > before);
        // It comes back within the time for which Slack honours what was used.
        world.scenario.pass(Duration::from_secs(rng.u64(0..50)));
        let honoured = !world.slack.live_refresh_tokens().is_empty() || !world.slack.live_tokens().is_empty();
        assert!(honoured, "round {round}: the test waits too long");
        world.scenario.launch().await;
        // Long enough that a used token is honoured no more.
        world.scenario.settle().await;
        world.scenario.pass(10 * MINUTE);
        arrives(&world, round, &moment).await;
    }
    println!("{interrupted} of {KILLS} kills came after Slack had renewed");
    assert!(interrupted > KILLS / 3, "the kills do not come in renewals: {interrupted}");
}

async fn arrives(world: &World, round: usize, moment: &Moment) {
    let id = world.scenario.publish("Sales", &format!("After {round}")).await;
    crate::scenario::eventually(&format!("the message of round {round} ({moment:?})"), || async {
        let delivery = world.scenario.delivery(&id).await;
        let status = text(&delivery["status"]);
        assert!(status != "held", "round {round} ({moment:?}): the connection is lost: {delivery:#}");
        if status == "waiting" {
            world.scenario.pass(SECOND);
        }
        if status == "delivered" { Ok(()) } else { Err(delivery) }
    })
    .await;
    assert_eq!(world.status().await, "connected", "round {round} ({moment:?})");
}

fn moment(rng: &mut Rng) -> Moment {
    match rng.u8(0..3) {
        0 => Moment::Anywhere,
        1 => Moment::BeforeTheAnswer,
        _ => Moment::AroundTheAnswer,
    }
}
