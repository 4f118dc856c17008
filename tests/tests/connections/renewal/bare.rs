//! Answers to renewals that hold more, less or something else than a new pair for the workspace.

use pqh_tests::http_service::Answer;
use pqh_tests::slack_api::Misbehaviour;
use serde_json::json;

use super::{TOKENS, connected};
use crate::scenario::{HOUR, SECOND, attempts};

#[tokio::test]
async fn a_renewal_answered_with_a_new_pair_alone_is_one() {
    let mut world = connected().await;
    world.slack.set_bare_renewals(true);
    for number in 1..=3 {
        world.scenario.pass(11 * HOUR);
        world.until_renewals("renewed", number).await;
        assert!(world.scenario.warnings().await.is_empty());
    }
    // What came was kept, not only used.
    world.scenario.restart().await;
    world.scenario.pass(2 * HOUR);
    world.arrives("Sales", "With the newest pair").await;
    assert_eq!((world.slack.renewals(), world.slack.requests(TOKENS) - 1), (3, 3));
    assert_eq!((world.status().await.as_str(), world.refusals()), ("connected", Vec::new()));
}

#[tokio::test]
async fn a_pair_beside_words_that_the_component_does_not_understand_is_kept() {
    let world = connected().await;
    let token = world.slack.live_tokens()[0].value.clone();
    // The service takes the refresh token for used up, so whatever comes is all there is.
    for (number, word) in ["a_word_of_tomorrow", "bad_client_secret", "internal_error"].into_iter().enumerate() {
        let body = json!({ "ok": false, "error": word, "access_token": token, "expires_in": 43_200 });
        world.slack.next(TOKENS, Misbehaviour::Answer(Answer::json(200, &body)));
        let renewed = number + 1;
        world.scenario.pass(if number == 0 { 11 * HOUR } else { 11 * HOUR + SECOND });
        world.until_renewals("renewed", renewed).await;
        assert!(world.scenario.warnings().await.is_empty(), "{word}");
    }
    // Its real life is over; the refresh token that is left makes good for it.
    let delivered = world.arrives("Sales", "With another").await;
    assert_eq!((attempts(&delivered).len(), world.slack.renewals()), (1, 1));
    assert_eq!(world.status().await, "connected");
}
