//! Who is let in, and how each is answered.

use std::time::Instant;

use pqh_tests::slack_api::sign;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::scenario::{PATIENCE, SECOND, START};
use crate::world::{ADA, TYPE, World};

const NOW: i64 = START / 1_000;

fn problem(answer: &(u16, String)) -> Value {
    serde_json::from_str(&answer.1).unwrap_or_else(|_| panic!("no problem: {answer:?}"))
}

#[tokio::test]
async fn the_handshake_is_answered_with_its_challenge() {
    let world = World::new().await;
    let challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P";
    let answer = world.send(&world.acme().events().url_verification(challenge)).await;
    assert_eq!(answer, (200, challenge.to_owned()));
}

#[tokio::test]
async fn whatever_was_tampered_with_is_refused_and_nothing_follows() {
    let world = World::new().await;
    world.connect().await;
    let events = world.acme().events();
    let genuine = events.app_mention("C0SALES", ADA, "help");
    let (headers, body) = genuine.parts();
    let with = |name: &str, value: Option<&str>| -> Vec<(String, String)> {
        let others = headers.iter().filter(|(held, _)| !held.eq_ignore_ascii_case(name)).cloned();
        others.chain(value.map(|value| (name.to_owned(), value.to_owned()))).collect()
    };
    let signature = events.sign(&body, NOW);
    let last = if signature.ends_with('0') { "1" } else { "0" };
    let digit = format!("{}{last}", &signature[..signature.len() - 1]);
    let of_other_body = events.sign(b"{}", NOW);
    let of_empty_secret = sign("", NOW, &body);
    let doubled = format!("{signature}{signature}");
    let mut forms = vec![
        with("X-Slack-Signature", None),
        with("X-Slack-Signature", Some("")),
        with("X-Slack-Signature", Some("v0=")),
        with("X-Slack-Signature", Some(&digit)),
        with("X-Slack-Signature", Some(&doubled)),
        with("X-Slack-Signature", Some(&signature[..signature.len() - 2])),
        with("X-Slack-Signature", Some(&signature.replace("v0=", "v1="))),
        with("X-Slack-Signature", Some(&signature["v0=".len()..])),
        with("X-Slack-Signature", Some(&of_other_body)),
        with("X-Slack-Signature", Some(&of_empty_secret)),
        with("X-Slack-Signature", Some("ünsigned")),
        with("X-Slack-Request-Timestamp", None),
        with("X-Slack-Request-Timestamp", Some("")),
        with("X-Slack-Request-Timestamp", Some("now")),
        with("X-Slack-Request-Timestamp", Some(&format!("+{NOW}"))),
        with("X-Slack-Request-Timestamp", Some(&(NOW + 1).to_string())),
        with("X-Slack-Request-Timestamp", Some(&format!("{NOW}.0"))),
        with("X-Slack-Request-Timestamp", Some("-1")),
        with("X-Slack-Request-Timestamp", Some("99999999999999999999999")),
    ];
    forms.push(genuine.clone().signed_by("another secret").headers());
    for headers in &forms {
        let answer = world.send_parts(headers, body.clone()).await;
        assert_eq!((answer.0, problem(&answer)["code"].as_str()), (401, Some("unproven")), "{headers:?}: {answer:?}");
        assert!(!answer.1.contains(&signature) && !answer.1.contains(&world.app.signing_secret), "{answer:?}");
    }
    for body in [[&body[..], b" "].concat(), body[1..].to_vec(), Vec::new()] {
        assert_eq!(world.send_parts(&headers, body).await.0, 401);
    }
    assert_eq!(world.slack.requests("chat.postMessage"), 0);
    // Nothing of it counts as seen.
    world.taken(&genuine).await;
    world.reply(&genuine).await;
}

#[tokio::test]
async fn a_message_is_good_for_five_minutes_on_either_side() {
    let world = World::new().await;
    let handshake = world.acme().events().url_verification("yes");
    for (at, status) in [(NOW - 301, 401), (NOW - 300, 200), (NOW + 300, 200), (NOW + 301, 401)] {
        assert_eq!(world.send(&handshake.clone().at(at)).await.0, status, "{}", at - NOW);
    }
}

#[tokio::test]
async fn while_the_signing_secret_changes_the_old_and_the_new_one_hold() {
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("previous");
    std::fs::write(&file, "the-secret-of-yesterday\n").unwrap();
    let world = World::with(
        |_| {},
        |config| config.connections.get_mut(TYPE).unwrap().previous_signing_secret_file = Some(file),
    )
    .await;
    let handshake = world.acme().events().url_verification("yes");
    assert_eq!(world.send(&handshake).await.0, 200);
    assert_eq!(world.send(&handshake.clone().signed_by("the-secret-of-yesterday")).await.0, 200);
    assert_eq!(world.send(&handshake.signed_by("the-secret-of-the-day-before")).await.0, 401);
}

#[tokio::test]
async fn without_a_signing_secret_it_is_said_what_the_operator_has_to_write() {
    let world =
        World::with(|_| {}, |config| config.connections.get_mut(TYPE).unwrap().signing_secret_file = None).await;
    let answer = world.send(&world.acme().events().url_verification("yes")).await;
    assert_eq!((answer.0, problem(&answer)["code"].as_str()), (503, Some("not-configured")), "{answer:?}");
    assert!(answer.1.contains("signing_secret_file"), "{answer:?}");
}

#[tokio::test]
async fn what_does_not_belong_here_is_refused_with_a_reason() {
    let world = World::with(|_| {}, |config| config.limits.body_bytes = 10_000).await;
    let events = world.acme().events();
    let long = events.json(&json!({ "type": "url_verification", "challenge": "x".repeat(10_000) }));
    let answer = world.send(&long).await;
    assert_eq!((answer.0, problem(&answer)["code"].as_str()), (413, Some("body-too-large")), "{answer:?}");

    for other in ["nothing", "slack-webhook", "%20", "slack-app%00"] {
        let path = format!("/v1/inbound/{other}");
        let answer = world.scenario.ask(Method::POST, &path, "", Some(&json!({}))).await;
        assert_eq!(answer.status, 404, "{other}: {answer:?}");
    }
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let path = format!("/v1/inbound/{TYPE}");
        world.scenario.ask(method, &path, "", None).await.problem(405, "method-not-allowed");
    }
}

#[tokio::test]
async fn headers_that_are_no_ascii_are_no_obstacle() {
    let world = World::new().await;
    let (mut headers, body) = world.acme().events().url_verification("yes").parts();
    headers.push(("X-Proxy".to_owned(), "Zürich".to_owned()));
    assert_eq!(world.send_parts(&headers, body).await, (200, "yes".to_owned()));
}

#[tokio::test]
async fn clicks_and_whatever_means_nothing_are_acknowledged_and_nothing_follows() {
    let world = World::new().await;
    world.connect().await;
    let events = world.acme().events();
    let ts = world.acme().say("C0OPS", ADA, "hello");
    let action = json!({ "action_id": "report", "block_id": "b", "url": "https://app.example.com/",
        "text": { "type": "plain_text", "text": "View Report" } });
    let before = world.slack.calls("").len();
    for delivery in [
        events.block_actions("C0OPS", &ts, ADA, &action),
        events.app_rate_limited(NOW),
        events.form("payload="),
        events.form("payload=%7B"),
        events.json(&json!({})),
        events.json(&json!([1])),
        events.json(&json!({ "type": "event_callback" })),
        events.json(&json!({ "type": "event_callback", "event_id": 7, "event": { "type": "app_mention" } })),
        events.json(&json!({ "type": "event_callback", "event_id": "Ev1", "team_id": null, "event": "app_mention" })),
        events.event(&json!({ "type": "app_mention" })),
        events.event(&json!({ "type": "channel_rename", "channel": {} })),
        events.event(&json!({ "type": "message", "channel": "C0OPS", "text": "hello", "user": ADA })),
        events.event(&json!({ "type": "of_tomorrow" })),
    ] {
        assert_eq!(world.send(&delivery).await, (200, String::new()), "{}", delivery.json());
    }
    world.acted_on().await;
    let asked: Vec<String> = world.slack.calls("")[before..]
        .iter()
        .map(|called| called.method.clone())
        .filter(|method| !matches!(method.as_str(), "conversations.list" | "users.list"))
        .collect();
    // The reply to the last, in a channel that the bot joins for it.
    assert_eq!(asked, ["chat.postMessage", "conversations.join", "chat.postMessage"]);
}

/// Sends what stands before a body that never comes: how it is answered all the same.
async fn answered_without_body(world: &World, path: &str, headers: &[(String, String)]) -> String {
    let base = world.scenario.base();
    let address = base.strip_prefix("http://").unwrap();
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 1000\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    connection.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let reading = connection.read_to_end(&mut answer);
    tokio::time::timeout(PATIENCE, reading).await.expect("there is no answer").unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn the_body_of_a_message_that_cannot_be_proved_is_not_waited_for() {
    let world = World::new().await;
    let path = format!("/v1/inbound/{TYPE}");
    let genuine = world.acme().events().url_verification("yes").headers();
    let old = world.acme().events().url_verification("yes").at(NOW - 301).headers();
    let unsigned: Vec<_> = genuine.iter().filter(|(name, _)| !name.contains("Signature")).cloned().collect();
    for (path, headers, status) in [
        ("/v1/inbound/nothing", &genuine, "404"),
        (path.as_str(), &Vec::new(), "401"),
        (path.as_str(), &unsigned, "401"),
        (path.as_str(), &old, "401"),
    ] {
        let answer = answered_without_body(&world, path, headers).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    assert_eq!((world.counted("unproven").await, world.counted("unknown-type").await), (3, 1));
}

#[tokio::test]
async fn whoever_sends_half_a_message_is_waited_for_no_longer_than_the_service_would() {
    let world = World::new().await;
    let (path, handshake) = (format!("/v1/inbound/{TYPE}"), world.acme().events().url_verification("yes"));
    let headers = handshake.headers();
    let begun = Instant::now();
    let stalled = (0..100).map(|_| answered_without_body(&world, &path, &headers));
    for answer in futures_util::future::join_all(stalled).await {
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\"busy\""), "{answer}");
    }
    assert!(begun.elapsed() < 5 * SECOND, "{:?}", begun.elapsed());
    assert_eq!(world.counted("busy").await, 100);
    assert_eq!(world.send(&handshake).await, (200, "yes".to_owned()));
}
