//! Each scope of the manifest is needed: without any one of them a feature that has a name does not work.

use pqh_tests::slack_api::{Approval, Channel};
use serde_json::json;

use crate::scenario::{MINUTE, eventually, text};
use crate::world::{ADA, TEAM, World, manifest_app};

/// What needs a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feature {
    /// Mentions of the bot are answered.
    Mentions,
    /// A public channel that the bot is not in is joined.
    Joining,
    /// Public channels are offered.
    PublicChannels,
    /// Messages are posted.
    Messages,
    /// Private channels that the bot is in are offered.
    PrivateChannels,
    /// The channel that a person chose while connecting is offered.
    DefaultChannel,
    /// People are offered for direct messages.
    People,
    /// People are mentioned by their addresses.
    MentionsByAddress,
}

const NEEDED: [(&str, Feature); 8] = [
    ("app_mentions:read", Feature::Mentions),
    ("channels:join", Feature::Joining),
    ("channels:read", Feature::PublicChannels),
    ("chat:write", Feature::Messages),
    ("groups:read", Feature::PrivateChannels),
    ("incoming-webhook", Feature::DefaultChannel),
    ("users:read", Feature::People),
    ("users:read.email", Feature::MentionsByAddress),
];

/// Whether the feature works in a workspace that was just connected.
async fn works(world: &World, feature: Feature) -> bool {
    // Slack has people choose a channel for this scope alone.
    let chooses = !world.slack.withholds("incoming-webhook");
    let approval = if chooses { World::approval() } else { Approval::new(TEAM, ADA) };
    let connection = world.connect_as(&world.scenario.admin.clone(), &approval).await;
    let acme = world.acme();
    acme.invite_bot("C0SALES");
    acme.invite_bot("G0SECRET");
    match feature {
        Feature::DefaultChannel => connection["default_target"]["id"] == "C0SALES",
        Feature::PublicChannels => world.finds(&connection["id"], "sales").await,
        Feature::PrivateChannels => world.finds(&connection["id"], "secret").await,
        Feature::People => world.finds(&connection["id"], "Ada").await,
        Feature::Messages => world.delivers("C0SALES").await,
        Feature::Joining => world.delivers("C0OPS").await,
        Feature::Mentions => {
            let mention = acme.events().app_mention("C0SALES", ADA, "help");
            if mention.is_sent() {
                world.taken(&mention).await;
                world.reply(&mention).await;
            }
            mention.is_sent()
        }
        Feature::MentionsByAddress => {
            world.channel("Sales", "C0SALES").await;
            let event = json!({ "title": "x", "mentions": ["ada@example.com"], "notebook": { "status": "failure", "message": "x" } });
            let id = world.scenario.publish_event("Sales", &event).await;
            world.scenario.until(&id, "delivered").await;
            acme.posted().iter().any(|message| json!(message.content).to_string().contains(&format!("<@{ADA}>")))
        }
    }
}

impl World {
    /// Whether a target of that name is found: what changed since the workspace was connected is seen by the next listing.
    async fn finds(&self, connection: &serde_json::Value, name: &str) -> bool {
        let path = format!("/v1/connections/{}/targets?query={name}", text(connection));
        self.listed(&path).await;
        self.scenario.pass(11 * MINUTE);
        !self.listed(&path).await["items"].as_array().unwrap().is_empty()
    }

    /// What is found once a listing ended.
    async fn listed(&self, path: &str) -> serde_json::Value {
        eventually("the end of a listing", || async {
            let found = self.scenario.get(path).await;
            if found["loading"] == false { Ok(found) } else { Err(found) }
        })
        .await
    }

    /// Whether a message arrives there.
    async fn delivers(&self, target: &str) -> bool {
        let made = self.try_channel("There", target).await;
        if made.status != 201 {
            return false;
        }
        let id = self.scenario.publish("There", "hello").await;
        let ended = eventually("an attempt", || async {
            let delivery = self.scenario.delivery(&id).await;
            let is_over = ["delivered", "failed", "held", "waiting"].iter().any(|status| delivery["status"] == *status);
            if is_over { Ok(delivery) } else { Err(delivery) }
        })
        .await;
        ended["status"] == "delivered"
    }
}

#[tokio::test]
async fn without_any_one_of_the_manifests_scopes_a_named_feature_fails_and_with_all_none() {
    let manifest = manifest_app().unwrap();
    let mut named: Vec<&str> = NEEDED.iter().map(|(scope, _)| *scope).collect();
    let mut asked: Vec<&str> = manifest.scopes.iter().map(String::as_str).collect();
    named.sort_unstable();
    asked.sort_unstable();
    assert_eq!(named, asked);
    for (scope, feature) in NEEDED {
        let world = World::new().await;
        world.acme().add_channel(Channel::public("C0SALES", "sales").with_member(ADA));
        assert!(works(&world, feature).await, "{feature:?} does not work with all scopes");
        let world = World::new().await;
        world.slack.without_scope(scope);
        assert!(!works(&world, feature).await, "{feature:?} works without {scope}");
    }
}
