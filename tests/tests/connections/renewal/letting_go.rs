//! What lives on at Slack after a workspace with tokens that rotate was disconnected: `auth.revoke` kills the one token that
//! it is called with (platform facts, 5), and a component has no other.

use std::time::Duration;

use super::connected;
use crate::connect::rows;
use crate::scenario::HOUR;

#[tokio::test]
async fn disconnecting_after_a_renewal_leaves_the_token_before_and_an_unused_refresh_token_that_nobody_has() {
    let world = connected().await;
    let first = world.slack.tokens()[0].value.clone();
    world.scenario.pass(11 * HOUR);
    world.until_renewals("renewed", 1).await;
    let second = world.slack.tokens()[1].value.clone();
    let connection = world.connections().await[0].clone();
    let path = format!("/v1/connections/{}?force=true", connection["id"].as_str().unwrap());
    let answer = world.scenario.ask(reqwest::Method::DELETE, &path, &world.scenario.admin, None).await;
    assert_eq!(answer.status, 204, "{answer:#?}");
    let values = |tokens: Vec<pqh_tests::slack_api::Token>| -> Vec<String> {
        tokens.into_iter().map(|token| token.value).collect()
    };
    assert_eq!(values(world.slack.revoked_tokens()), [second]);
    assert_eq!(values(world.slack.live_tokens()), [first]);
    assert_eq!(rows(&world.scenario, "connection_secrets").await, 0, "here nothing is left of any of them");
    // Slack honours the one before to its end, an hour at most after a renewal ahead of time; and a refresh token until it
    // is used, or the app is removed from the workspace.
    world.scenario.pass(HOUR);
    assert!(world.slack.live_tokens().is_empty());
    world.scenario.pass(Duration::from_hours(10_000));
    assert_eq!(world.slack.live_refresh_tokens().len(), 1);
    world.acme().uninstall();
    assert!(world.slack.live_refresh_tokens().is_empty());
}
