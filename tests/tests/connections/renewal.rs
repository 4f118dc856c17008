//! Tokens that expire: renewed ahead of time, once however many want it, and nothing that works is lost on the way.

mod bare;
mod letting_go;
mod loss;
mod race;
mod scale;

use std::sync::Arc;

use futures_util::future::join_all;
use pqh_tests::http_service::Answer;
use pqh_tests::slack_api::{Approval, Channel, Misbehaviour, User};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::scenario::{HOUR, MINUTE, MOMENT, SECOND, almost, attempts, event, eventually, text};
use crate::world::{ADA, TYPE, World};

/// Where tokens are renewed.
pub const TOKENS: &str = "oauth.v2.access";
pub const POST: &str = "chat.postMessage";
/// The longest rest between two tries.
const REST: std::time::Duration = std::time::Duration::from_mins(5);

/// A connected workspace with a channel.
pub async fn connected() -> World {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    world
}

/// An answer that comes when the test says so.
pub fn held() -> (Misbehaviour, Arc<Notify>) {
    let released = Arc::new(Notify::new());
    (Misbehaviour::AnswerHeld(Arc::clone(&released)), released)
}

impl World {
    /// A renewal ahead of time, whose answer comes when the test says so.
    pub async fn held_renewal(&self) -> Arc<Notify> {
        let (asked, (misbehaviour, released)) = (self.slack.requests(TOKENS), held());
        self.slack.next(TOKENS, misbehaviour);
        self.scenario.pass(11 * HOUR);
        self.slack.wait_for_calls(TOKENS, asked + 1).await;
        released
    }

    /// Publishes to the channel, and waits until it arrived.
    pub async fn arrives(&self, channel: &str, title: &str) -> Value {
        let id = self.scenario.publish(channel, title).await;
        self.scenario.until(&id, "delivered").await
    }

    /// Waits until the service wrote down so many renewals that ended so.
    pub async fn until_renewals(&self, outcome: &str, count: usize) {
        let name = format!("pqh_token_renewals_total{{type=\"{TYPE}\",outcome=\"{outcome}\"}}");
        eventually(&format!("renewal {count} ({outcome})"), || async {
            let told = self.scenario.open("/metrics").await.body;
            let value = told.lines().find_map(|line| line.strip_prefix(&name)?.trim().parse::<usize>().ok());
            if value.unwrap_or(0) >= count { Ok(()) } else { Err(json!(value)) }
        })
        .await;
    }

    /// The one connection's status.
    pub async fn status(&self) -> String {
        text(&self.connections().await[0]["status"])
    }

    /// The words that posts were refused with. That the bot has to join first is none.
    pub fn refusals(&self) -> Vec<String> {
        let answers = self.slack.calls(POST).into_iter().map(|called| called.answer);
        answers.filter(|answer| answer != "ok" && answer != "not_in_channel").collect()
    }
}

#[tokio::test]
async fn a_token_is_renewed_an_hour_before_it_expires_with_nobody_delivering() {
    let world = connected().await;
    world.scenario.pass(almost(11 * HOUR));
    world.scenario.settle().await;
    assert_eq!(world.slack.renewals(), 0, "not yet");
    world.scenario.pass(MOMENT);
    world.until_renewals("renewed", 1).await;
    world.scenario.pass(2 * HOUR);
    world.arrives("Sales", "After the first token's end").await;
    world.scenario.settle().await;
    assert_eq!((world.slack.renewals(), world.refusals()), (1, Vec::new()));
    world.scenario.pass(9 * HOUR);
    world.until_renewals("renewed", 2).await;
}

#[tokio::test]
async fn a_hundred_deliveries_at_the_moment_of_expiry_make_one_renewal() {
    let world = World::new().await;
    world.connect().await;
    let acme = world.acme();
    let channels = acme.add_channels(100);
    for half in channels.chunks(40) {
        join_all(half.iter().map(|id| async {
            world.acme().invite_bot(id);
            world.channel(id, id).await
        }))
        .await;
        // Slack lets itself be asked so often a minute.
        world.scenario.pass(MINUTE);
    }
    let aliases: Vec<&str> = channels.iter().map(String::as_str).collect();
    let asked = world.slack.requests(TOKENS);

    world.scenario.pass(12 * HOUR);
    let first = world.scenario.post_event(&aliases, &event("At the moment")).await.created();
    arrive(&world, &first).await;
    assert_eq!((world.slack.renewals(), world.slack.requests(TOKENS) - asked), (1, 1));

    // The same with an answer that takes its time: all wait for it.
    let (misbehaviour, released) = held();
    world.slack.next(TOKENS, misbehaviour);
    world.scenario.pass(12 * HOUR);
    let second = world.scenario.post_event(&aliases, &event("And again")).await.created();
    world.slack.wait_for_calls(TOKENS, asked + 2).await;
    eventually("that many wait", || async {
        let waiting = world.scenario.metric("pqh_attempts_in_flight").await;
        if waiting > 40.0 { Ok(()) } else { Err(json!(waiting)) }
    })
    .await;
    assert_eq!(acme.posted().len(), 100, "none goes out with a token that expired");
    released.notify_one();
    arrive(&world, &second).await;
    assert_eq!((world.slack.renewals(), world.slack.requests(TOKENS) - asked), (2, 2));
    assert_eq!((acme.posted().len(), world.refusals()), (200, Vec::new()));
}

async fn arrive(world: &World, accepted: &Value) {
    for delivery in accepted["deliveries"].as_array().unwrap() {
        let delivered = world.scenario.until(&text(&delivery["id"]), "delivered").await;
        assert_eq!(attempts(&delivered).len(), 1, "{delivered:#}");
    }
}

#[tokio::test]
async fn a_renewal_without_an_answer_is_tried_again_while_the_used_token_is_honoured() {
    let world = connected().await;
    let troubles = [
        Misbehaviour::Close,
        Misbehaviour::CloseAfter,
        Misbehaviour::PageAfter(503),
        Misbehaviour::WordAfter("internal_error".to_owned()),
    ];
    for (number, trouble) in troubles.into_iter().enumerate() {
        world.slack.next(TOKENS, trouble);
        world.scenario.pass(11 * HOUR);
        world.until_renewals("unavailable", number + 1).await;
        assert_eq!(world.scenario.warnings().await, ["token-not-renewed"]);
        world.scenario.pass(SECOND);
        world.until_renewals("renewed", number + 1).await;
        assert!(world.scenario.warnings().await.is_empty());
        world.arrives("Sales", "Still here").await;
    }
    assert_eq!((world.status().await.as_str(), world.refusals()), ("connected", Vec::new()));
}

#[tokio::test]
async fn while_slack_is_in_trouble_the_old_token_is_used_and_then_messages_wait() {
    let world = connected().await;
    let troubles = [Misbehaviour::Page(503), Misbehaviour::word("internal_error"), Misbehaviour::RateLimited(30)];
    for trouble in troubles {
        let before = world.slack.requests(TOKENS);
        world.slack.always(TOKENS, Some(trouble.clone()));
        world.scenario.pass(11 * HOUR);
        world.slack.wait_for_calls(TOKENS, before + 1).await;
        world.arrives("Sales", "With the old token").await;
        world.scenario.pass(HOUR);
        let waits = world.scenario.publish("Sales", "Waits").await;
        let delivery = world.scenario.until(&waits, "waiting").await;
        assert_eq!(attempts(&delivery)[0]["failure"]["kind"], "unavailable", "{delivery:#}");
        assert_eq!(world.status().await, "connected");
        assert!(world.slack.requests(TOKENS) - before < 20, "{trouble:?}: Slack is left alone between tries");
        world.slack.always(TOKENS, None);
        let renewals = world.slack.renewals();
        world.scenario.pass(REST);
        world.scenario.until(&waits, "delivered").await;
        assert_eq!(world.slack.renewals(), renewals + 1, "{trouble:?}");
    }
    assert_eq!(world.refusals(), Vec::<String>::new());
}

#[tokio::test]
async fn a_wrong_client_secret_loses_nothing_and_says_what_to_mend() {
    let world = connected().await;
    let mut other = world.app.clone();
    other.client_secret = "another-secret-of-the-app".to_owned();
    world.slack.add_app(other);
    world.scenario.pass(11 * HOUR);
    world.until_renewals("rejected", 1).await;
    let ready = world.scenario.open("/readyz").await.ok();
    let told = ready["warnings"][0].to_string();
    assert!(told.contains("token-not-renewed") && told.contains("client secret"), "{told}");
    world.arrives("Sales", "With the old token").await;
    world.scenario.pass(HOUR);
    let waits = world.scenario.publish("Sales", "Waits").await;
    let delivery = world.scenario.until(&waits, "waiting").await;
    assert_eq!(attempts(&delivery)[0]["failure"]["code"], "bad_client_secret", "{delivery:#}");
    assert_eq!(world.scenario.channel_state("Sales").await["status"], "active");
    world.slack.add_app(world.app.clone());
    world.scenario.pass(REST);
    world.until_renewals("renewed", 1).await;
    world.scenario.until(&waits, "delivered").await;
    assert!(world.scenario.warnings().await.is_empty());
}

#[tokio::test]
async fn a_token_that_slack_takes_no_longer_is_renewed_within_the_attempt() {
    let world = connected().await;
    world.slack.revoke(&world.slack.live_tokens()[0].value);
    let delivered = world.arrives("Sales", "With another token").await;
    assert_eq!(attempts(&delivered).len(), 1, "{delivered:#}");
    assert_eq!((world.slack.renewals(), world.refusals()), (1, vec!["token_revoked".to_owned()]));
    assert_eq!(world.acme().posted().len(), 1);
    assert!(world.scenario.warnings().await.is_empty());
    // Where it came out while Slack is in trouble, it waits.
    world.slack.always(TOKENS, Some(Misbehaviour::Page(503)));
    world.slack.revoke(&world.slack.live_tokens()[0].value);
    let waits = world.scenario.publish("Sales", "Waits").await;
    world.scenario.until(&waits, "waiting").await;
    assert_eq!(world.status().await, "connected");
    world.slack.always(TOKENS, None);
    world.scenario.pass(REST);
    world.scenario.until(&waits, "delivered").await;
}

#[tokio::test]
async fn a_token_that_expires_during_a_call_is_renewed_before_its_next_request() {
    let world = connected().await;
    world.channel("Ops", "C0OPS").await;
    let (misbehaviour, released) = held();
    world.slack.next("conversations.join", misbehaviour);
    world.acme().remove_bot("C0OPS");
    let joins = world.slack.requests("conversations.join");
    let id = world.scenario.publish("Ops", "Across the expiry").await;
    world.slack.wait_for_calls("conversations.join", joins + 1).await;
    world.scenario.pass(12 * HOUR);
    world.until_renewals("renewed", 1).await;
    released.notify_one();
    let delivered = world.scenario.until(&id, "delivered").await;
    assert_eq!(attempts(&delivered).len(), 1, "{delivered:#}");
    assert!(world.refusals().is_empty());

    // Where it cannot be renewed just then, the message waits, and nothing is called dead.
    let (misbehaviour, released) = held();
    world.slack.next("conversations.join", misbehaviour);
    world.slack.always(TOKENS, Some(Misbehaviour::Page(503)));
    world.acme().remove_bot("C0OPS");
    let joins = world.slack.requests("conversations.join");
    let id = world.scenario.publish("Ops", "And again").await;
    world.slack.wait_for_calls("conversations.join", joins + 1).await;
    world.scenario.pass(12 * HOUR);
    world.until_renewals("unavailable", 1).await;
    released.notify_one();
    world.scenario.until(&id, "waiting").await;
    world.slack.always(TOKENS, None);
    assert_eq!(world.scenario.channel_state("Ops").await["status"], "active");
    world.scenario.pass(REST);
    world.scenario.until(&id, "delivered").await;
    assert_eq!(world.refusals(), Vec::<String>::new());
}

#[tokio::test]
async fn an_answer_without_a_refresh_token_leaves_the_old_one_and_one_for_another_workspace_everything() {
    let world = connected().await;
    let token = world.slack.live_tokens()[0].clone();
    let answer = |team: &str| {
        let body = json!({
            "ok": true, "access_token": token.value, "token_type": "bot", "bot_user_id": token.bot_user_id,
            "app_id": token.app_id, "team": { "id": team, "name": team }, "enterprise": null,
            "is_enterprise_install": false, "expires_in": 43_200,
        });
        Misbehaviour::Answer(Answer::json(200, &body))
    };
    world.slack.next(TOKENS, answer("T0OTHER"));
    world.scenario.pass(11 * HOUR);
    world.until_renewals("unavailable", 1).await;
    world.arrives("Sales", "With what works").await;
    world.slack.next(TOKENS, answer("T0ACME"));
    world.scenario.pass(SECOND);
    world.until_renewals("renewed", 1).await;
    world.arrives("Sales", "With the same token").await;
    assert_eq!(world.slack.renewals(), 0);
    // It was told to live longer than it does; the refresh token that is left makes good for it.
    world.scenario.pass(HOUR);
    let delivered = world.arrives("Sales", "With another").await;
    assert_eq!((attempts(&delivered).len(), world.slack.renewals()), (1, 1));
    // One that holds no token at all renews nothing.
    world.slack.next(TOKENS, Misbehaviour::Answer(Answer::json(200, &json!({ "ok": true }))));
    world.scenario.pass(11 * HOUR);
    world.until_renewals("unavailable", 2).await;
    world.scenario.pass(SECOND);
    world.until_renewals("renewed", 3).await;
    assert_eq!(world.status().await, "connected");
}

#[tokio::test]
async fn a_workspace_whose_renewal_hangs_delays_no_other() {
    let world = connected().await;
    let beta = world.slack.add_workspace("T0BETA", "Beta");
    beta.add_user(User::new(ADA, "ada", "Ada Lovelace", "ada@example.com"));
    beta.add_channel(Channel::public("C0BETA", "beta").with_member(ADA));
    let approval = Approval::new("T0BETA", ADA).to_channel("C0BETA");
    let second = world.connect_as(&world.scenario.admin.clone(), &approval).await;
    let body = json!({
        "alias": "Beta", "type": TYPE, "connection": second["id"], "settings": { "channel": "C0BETA" },
    });
    world.scenario.ask(Method::POST, "/v1/channels", &world.scenario.admin, Some(&body)).await.created();
    let asked = world.slack.requests(TOKENS);
    let (misbehaviour, released) = held();
    world.slack.next(TOKENS, misbehaviour);
    world.scenario.pass(12 * HOUR);
    world.slack.wait_for_calls(TOKENS, asked + 2).await;
    world.until_renewals("renewed", 1).await;
    let ids = [world.scenario.publish("Sales", "One").await, world.scenario.publish("Beta", "Other").await];
    eventually("one of the two", || async {
        let statuses = world.scenario.statuses(&ids).await;
        if statuses.iter().any(|status| status == "delivered") { Ok(()) } else { Err(json!(statuses)) }
    })
    .await;
    released.notify_one();
    for id in &ids {
        world.scenario.until(id, "delivered").await;
    }
    assert_eq!((world.slack.renewals(), world.refusals()), (2, Vec::new()));
}
