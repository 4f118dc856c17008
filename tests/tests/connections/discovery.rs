//! Where in a workspace messages can go: found page by page, as fast as Slack lets us, and searched meanwhile.

mod large;
mod obstacles;
mod paging;

use std::sync::Arc;
use std::time::Duration;

use pqh_tests::slack_api::{Channel, Misbehaviour, Page, User};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::scenario::{Answer, MINUTE, eventually, text};
use crate::world::{ADA, World};

impl World {
    /// Where the targets of the first connection are.
    async fn targets_path(&self, query: &[(&str, &str)]) -> String {
        let id = text(&self.connections().await[0]["id"]);
        let url = format!("http://pqh.invalid/v1/connections/{id}/targets");
        let url = Url::parse_with_params(&url, query).unwrap();
        format!("{}?{}", url.path(), url.query().unwrap_or_default())
    }

    async fn ask_targets(&self, token: &str, query: &[(&str, &str)]) -> Answer {
        self.scenario.ask(Method::GET, &self.targets_path(query).await, token, None).await
    }

    /// What an administrator is told.
    async fn targets(&self, query: &[(&str, &str)]) -> Value {
        self.ask_targets(&self.scenario.admin, query).await.ok()
    }

    /// Waits until all is found: what is told then.
    pub async fn all_targets(&self) -> Value {
        self.until_targets("all of them", |told| told["loading"] == false && told["listed_at"].is_string()).await
    }

    async fn until_targets(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        eventually(what, || async {
            let told = self.targets(&[("limit", "1")]).await;
            if holds(&told) { Ok(told) } else { Err(told) }
        })
        .await
    }

    /// The names that are found.
    pub async fn find(&self, query: &str) -> Vec<String> {
        names(&self.targets(&[("query", query), ("limit", "200")]).await)
    }

    /// A target by its id.
    pub async fn target(&self, id: &str) -> Value {
        self.targets(&[("query", id)]).await["items"][0].clone()
    }

    /// The first page of channels comes, and the second hangs until the test notifies.
    fn hold_second_page(&self) -> Arc<Notify> {
        let held = Arc::new(Notify::new());
        self.slack.next("conversations.list", Misbehaviour::AnswerLater(Duration::ZERO));
        self.slack.next("conversations.list", Misbehaviour::AnswerHeld(Arc::clone(&held)));
        held
    }
}

fn names(told: &Value) -> Vec<String> {
    told["items"].as_array().expect("items").iter().map(|target| text(&target["name"])).collect()
}

/// How often each page was asked for that was asked for more than once.
fn twice(pages: &[Page]) -> Vec<(String, usize)> {
    let count = |cursor: &str| pages.iter().filter(|page| page.cursor == cursor).count();
    let counted = pages.iter().map(|page| (page.cursor.clone(), count(&page.cursor)));
    counted.filter(|(_, count)| *count > 1).collect()
}

#[tokio::test]
async fn channels_and_people_are_found_and_what_nobody_can_write_to_is_left_out() {
    let world = World::new().await;
    let acme = world.acme();
    acme.add_channel(Channel::public("C0OLD", "old").archived());
    acme.add_channel(Channel::private("G0TEAM", "team"));
    acme.add_channel(Channel::private("G0OLD", "old-team").archived());
    acme.add_user(User::new("U0GONE", "gone", "Gone", "gone@example.com").deleted());
    acme.add_user(User::new("U0ROBOT", "robot", "Robot", "").bot());
    acme.add_user(User::new("U0GRACE", "", "Grace Hopper", "grace@example.com"));
    world.connect().await;
    assert_eq!(world.all_targets().await["count"], 4, "the bot is in no private channel");
    acme.invite_bot("G0TEAM");
    acme.invite_bot("G0OLD");
    world.scenario.pass(10 * MINUTE);
    let told = world.all_targets().await;
    assert_eq!(told["problem"], Value::Null, "{told:#}");
    assert_eq!(told["count"], 5, "{told:#}");
    let told = world.targets(&[]).await;
    let target = |id: &str, name: &str, kind: &str| json!({ "id": id, "name": name, "kind": kind, "reachable": true });
    assert_eq!(
        told["items"],
        json!([
            target(ADA, "@ada", "person"),
            target("U0GRACE", "@Grace Hopper", "person"),
            target("C0OPS", "#ops", "public-channel"),
            target("C0SALES", "#sales", "public-channel"),
            target("G0TEAM", "#team", "private-channel"),
        ])
    );
}

#[tokio::test]
async fn a_renamed_channel_is_found_by_its_new_name_after_the_next_pass_and_its_id_keeps_working() {
    let world = World::new().await;
    world.connect().await;
    world.channel("Sales", "C0SALES").await;
    world.all_targets().await;
    world.acme().rename("C0SALES", "revenue");
    world.scenario.pass(10 * MINUTE);
    world.targets(&[]).await;
    world.all_targets().await;
    assert_eq!(world.find("revenue").await, ["#revenue"]);
    let channel = world.scenario.channel_state("Sales").await;
    assert_eq!(channel["target"]["name"], "#revenue", "{channel:#}");
    let id = world.scenario.publish("Sales", "Still there").await;
    world.scenario.until(&id, "delivered").await;
}

#[tokio::test]
async fn a_channel_that_is_behind_a_pass_which_is_under_way_is_found_by_the_next_one() {
    let world = World::new().await;
    let acme = world.acme();
    acme.add_channels(300);
    acme.add_channel(Channel::private("G0SECRET", "aaa-secret"));
    let held = world.hold_second_page();
    world.connect().await;
    world.targets(&[]).await;
    acme.invite_bot("G0SECRET");
    world.taken(&acme.events().bot_invited("G0SECRET", ADA)).await;
    world.acted_on().await;
    held.notify_one();
    eventually("the private channel", || async {
        let found = world.find("aaa-secret").await;
        if found == ["#aaa-secret"] { Ok(()) } else { Err(found.into()) }
    })
    .await;
    assert_eq!(world.all_targets().await["problem"], Value::Null);
}

#[tokio::test]
async fn only_the_own_organization_sees_them_and_members_may_read() {
    let world = World::new().await;
    world.connect().await;
    world.all_targets().await;
    let (_, stranger) = world.scenario.make_organization("Stranger").await;
    world.ask_targets(&stranger, &[]).await.problem(404, "not-found");
    let member = world.scenario.token("member").await;
    let told = world.ask_targets(&member, &[]).await.ok();
    assert_eq!(told["count"], 3, "{told:#}");
    assert_eq!(world.ask_targets(&world.scenario.publisher, &[]).await.status, 403);
    assert_eq!(world.ask_targets("", &[]).await.status, 401);
}
