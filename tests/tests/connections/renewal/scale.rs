//! Many workspaces whose service gives no new tokens.

use pqh_tests::slack_api::{Approval, Channel, Misbehaviour, User};
use serde_json::json;

use super::{REST, TOKENS};
use crate::scenario::{HOUR, eventually, text};
use crate::world::{ADA, World};

const WORKSPACES: usize = 40;

#[tokio::test]
async fn many_connections_whose_token_address_is_down_make_one_note_and_each_asks_once_between_its_rests() {
    let world = World::new().await;
    let admin = world.scenario.admin.clone();
    let mut ids = Vec::new();
    for number in 0..WORKSPACES {
        let (team, channel) = (format!("T0MANY{number}"), format!("C0MANY{number}"));
        let workspace = world.slack.add_workspace(&team, &format!("Many {number}"));
        workspace.add_user(User::new(ADA, "ada", "Ada Lovelace", "ada@example.com"));
        workspace.add_channel(Channel::public(&channel, "many").with_member(ADA));
        let connection = world.connect_as(&admin, &Approval::new(&team, ADA).to_channel(&channel)).await;
        ids.push(text(&connection["id"]));
    }
    let asked = world.slack.requests(TOKENS);
    world.slack.always(TOKENS, Some(Misbehaviour::Page(503)));
    world.scenario.pass(11 * HOUR);
    world.until_renewals("unavailable", WORKSPACES).await;
    let ready = world.scenario.open("/readyz").await;
    let notes = ready.json["warnings"].as_array().unwrap().clone();
    assert_eq!(notes.len(), 1, "{notes:#?}");
    let told = notes[0].to_string();
    assert!(told.contains(&format!("{WORKSPACES} connections")) && notes[0]["code"] == "token-not-renewed", "{told}");
    assert!(ids.iter().all(|id| !ready.body.contains(id)), "{told}");
    // The clock stands: whatever else happens, each rests.
    world.scenario.settle().await;
    assert_eq!(world.slack.requests(TOKENS) - asked, WORKSPACES);

    world.slack.always(TOKENS, None);
    world.scenario.pass(REST);
    eventually("that all are renewed", || async {
        let warnings = world.scenario.warnings().await;
        if warnings.is_empty() { Ok(()) } else { Err(json!(warnings)) }
    })
    .await;
    world.until_renewals("renewed", WORKSPACES).await;
    assert_eq!(world.slack.renewals(), WORKSPACES);
}
