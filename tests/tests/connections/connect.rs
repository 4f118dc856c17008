//! The guide's steps 1 and 2: a workspace is connected, again, and disconnected; and each way in which that does not go.

use serde_json::json;

use crate::scenario::event;
use crate::world::World;

#[tokio::test]
async fn a_workspace_is_connected_and_a_message_arrives() {
    let world = World::new().await;
    let connection = world.connect().await;
    assert_eq!(connection["status"], "connected", "{connection:#}");
    assert_eq!(connection["workspace"], json!({ "id": "T0ACME", "name": "Acme" }));
    assert_eq!(connection["default_target"]["name"], "#sales");
    let channel = world.channel("Sales", "C0SALES").await;
    assert_eq!(channel["connection"]["name"], "Acme", "{channel:#}");
    let id = world.scenario.publish_event("Sales", &event("Hello Slack")).await;
    let delivery = world.scenario.until(&id, "delivered").await;
    assert!(delivery["receipt"]["permalink"].is_string(), "{delivery:#}");
    let posted = world.acme().posted();
    assert_eq!(posted.len(), 1);
}
