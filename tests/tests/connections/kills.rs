//! The service is killed at random moments of renewals: no connection is lost that Slack still honours.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use pqh_tests::slack_api::Misbehaviour;
use sqlx::Connection as _;
use tokio::sync::Notify;

use crate::renewal::TOKENS;
use crate::scenario::{HOUR, MINUTE, PATIENCE, SECOND, almost, event, text};
use crate::world::World;

const KILLS: usize = 50;

/// Why tokens are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// Their time has come; the old ones work for an hour.
    Ahead,
    /// They are about to expire.
    AtTheEnd,
    /// Slack takes them no longer, which a message finds out.
    Revoked,
}

/// Where in a renewal it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// Soon after its cause: before the request, on its way, or when all is written.
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
    for number in 1..=KILLS {
        let cause = [Cause::Ahead, Cause::AtTheEnd, Cause::Revoked][rng.usize(..3)];
        let moment = [Moment::Anywhere, Moment::BeforeTheAnswer, Moment::AroundTheAnswer][rng.usize(..3)];
        // Later than Slack honours a used refresh token, where the old token works on.
        let late = cause == Cause::Ahead && rng.bool();
        let round = format!("round {number} ({cause:?}, {moment:?}, late: {late})");
        let before = world.slack.renewals();
        kill(&mut world, &mut rng, cause, moment).await;
        interrupted += usize::from(world.slack.renewals() > before);
        let away = if late { 2 * MINUTE } else { Duration::from_secs(rng.u64(..50)) };
        world.scenario.pass(away);
        world.scenario.launch().await;
        until_nothing_is_due(&world, &round).await;
        // Long enough that a used refresh token is honoured no more.
        world.scenario.pass(10 * MINUTE);
        arrives(&world, &round).await;
        if late {
            // What it has may be the last.
            world.connect().await;
        }
    }
    println!("{interrupted} of {KILLS} kills came after Slack had renewed");
    assert!(interrupted > KILLS / 4, "the kills do not come in renewals: {interrupted}");
}

/// Has tokens renewed, and kills the service at it.
async fn kill(world: &mut World, rng: &mut Rng, cause: Cause, moment: Moment) {
    let released = Arc::new(Notify::new());
    if moment != Moment::Anywhere {
        world.slack.next(TOKENS, Misbehaviour::AnswerHeld(Arc::clone(&released)));
    }
    let asked = world.slack.requests(TOKENS);
    match cause {
        Cause::Ahead => world.scenario.pass(11 * HOUR),
        Cause::AtTheEnd => world.scenario.pass(almost(12 * HOUR)),
        Cause::Revoked => world.slack.live_tokens().iter().for_each(|token| world.slack.revoke(&token.value)),
    }
    if cause == Cause::Revoked || rng.bool() {
        world.scenario.post_event(&["Sales"], &event("During a renewal")).await.created();
    }
    if moment != Moment::Anywhere {
        world.slack.wait_for_calls(TOKENS, asked + 1).await;
    }
    if moment == Moment::AroundTheAnswer {
        released.notify_one();
    }
    tokio::time::sleep(Duration::from_micros(rng.u64(..15_000))).await;
    world.scenario.kill().await;
    released.notify_one();
}

/// Waits until the service that was just started has renewed what it has to.
async fn until_nothing_is_due(world: &World, round: &str) {
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(world.scenario.folder().join("pqh.db"));
    let mut database = sqlx::SqliteConnection::connect_with(&file.read_only(true)).await.unwrap();
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let due: i64 = sqlx::query_scalar("SELECT count(*) FROM connections WHERE renew_at <= $1")
            .bind(world.scenario.now())
            .fetch_one(&mut database)
            .await
            .unwrap();
        if due == 0 {
            return;
        }
        assert!(tokio::time::Instant::now() < until, "{round}: nothing is renewed");
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

async fn arrives(world: &World, round: &str) {
    let id = world.scenario.publish("Sales", round).await;
    crate::scenario::eventually(&format!("the message of {round}"), || async {
        let delivery = world.scenario.delivery(&id).await;
        let status = text(&delivery["status"]);
        assert!(status != "held", "{round}: the connection is lost: {delivery:#}");
        if status == "waiting" {
            world.scenario.pass(SECOND);
        }
        if status == "delivered" { Ok(()) } else { Err(delivery) }
    })
    .await;
    assert_eq!(world.status().await, "connected", "{round}");
}
