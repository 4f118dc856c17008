//! Signatures, events, interactions.

use super::*;

#[test]
fn the_published_signature_is_made() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
                &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
                &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
                &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let signature = sign("8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618, body.as_bytes());
    assert_eq!(signature, "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503");
    assert_ne!(sign("8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_619, body.as_bytes()), signature);
}

fn header(delivery: &Delivery, name: &str) -> Option<String> {
    delivery.headers().into_iter().find(|(held, _)| held == name).map(|(_, value)| value)
}

#[tokio::test]
async fn an_event_is_signed_over_its_body_and_sent_again_the_same() {
    let bench = Bench::plain().await;
    bench.install();
    let events = bench.team().events();
    let event = events.channel_archive("C1", "U1");
    let now = START / 1_000;
    assert_eq!(header(&event, "X-Slack-Request-Timestamp"), Some(now.to_string()));
    let signature = sign(&bench.app.signing_secret, now, event.body());
    assert_eq!(header(&event, "X-Slack-Signature").as_deref(), Some(signature.as_str()));
    assert_eq!(events.sign(event.body(), now), signature);
    assert_eq!(header(&event, "X-Slack-Retry-Num"), None);
    let again = event.clone().retry(1, "http_timeout", now + 60);
    assert_eq!((again.body(), again.event_id()), (event.body(), event.event_id()));
    assert_eq!(header(&again, "X-Slack-Retry-Num").as_deref(), Some("1"));
    assert_eq!(header(&again, "X-Slack-Retry-Reason").as_deref(), Some("http_timeout"));
    assert_ne!(header(&again, "X-Slack-Signature"), header(&event, "X-Slack-Signature"));
    let forged = event.clone().signed_by("x");
    assert_ne!(header(&forged, "X-Slack-Signature"), header(&event, "X-Slack-Signature"));
    assert_ne!(events.channel_archive("C1", "U1").event_id(), event.event_id());
}

#[tokio::test]
async fn an_event_is_sent_three_times_more_and_not_without_its_scope() {
    let bench = Bench::new(App::new(REDIRECT, &["chat:write", "channels:read"])).await;
    bench.install();
    let events = bench.team().events();
    let joined = events.bot_invited("C1", "U1");
    let times = joined.retries("http_error").map(|again| header(&again, "X-Slack-Request-Timestamp").unwrap());
    let now = START / 1_000;
    assert_eq!(times, [now, now + 60, now + 300].map(|at| at.to_string()));
    assert_eq!(joined.missing_scope(), None);
    assert_eq!(events.bot_invited("C2", "U1").missing_scope(), Some("groups:read"));
    assert_eq!(events.app_mention("C1", "U1", "help").missing_scope(), Some("app_mentions:read"));
    assert_eq!(events.channel_rename("C1", "x").missing_scope(), None);
    assert_eq!(events.group_left("C2").missing_scope(), Some("groups:read"));
    assert_eq!(events.app_uninstalled().missing_scope(), None);
    let mention = events.app_mention("C1", "U1", "help");
    let twin = events.event(&mention.json()["event"]);
    assert_ne!(twin.event_id(), mention.event_id());
    assert_eq!(twin.json()["event"], mention.json()["event"]);
}

#[tokio::test]
async fn each_event_says_what_slack_says() {
    let bench = Bench::plain().await;
    bench.install();
    let (team, events) = (bench.team(), bench.team().events());
    let bot = team.bot_user_id().unwrap();
    let mention = events.app_mention("C1", "U1", "status").json();
    assert_eq!((&mention["type"], &mention["team_id"]), (&json!("event_callback"), &json!("T1")));
    assert_eq!((&mention["api_app_id"], &mention["authorizations"][0]["user_id"]), (&json!(bench.app.id), &json!(bot)));
    assert_eq!(mention["event"]["text"], format!("<@{bot}> status"));
    assert_eq!(mention["event"]["ts"], team.messages("C1")[0].ts);
    let ts = mention["event"]["ts"].as_str().unwrap();
    assert_eq!(events.app_mention_in_thread("C1", "U1", "x", ts).json()["event"]["thread_ts"], ts);
    let joined = events.bot_invited("C2", "U1").json();
    assert_eq!((&joined["event"]["user"], &joined["event"]["channel_type"]), (&json!(bot), &json!("G")));
    let renamed = events.channel_rename("C1", "alarms").json();
    assert_eq!(
        (&renamed["event"]["channel"]["id"], &renamed["event"]["channel"]["name"]),
        (&json!("C1"), &json!("alarms"))
    );
    for (event, kind) in [
        (events.channel_left("C1"), "channel_left"),
        (events.group_left("C2"), "group_left"),
        (events.channel_unarchive("C1", "U1"), "channel_unarchive"),
        (events.channel_deleted("C1"), "channel_deleted"),
        (events.group_archive("C2"), "group_archive"),
        (events.group_unarchive("C2"), "group_unarchive"),
        (events.group_rename("C2", "x"), "group_rename"),
        (events.member_left_channel("C1", "U1"), "member_left_channel"),
        (events.app_uninstalled(), "app_uninstalled"),
        (events.tokens_revoked(&[], &[&bot]), "tokens_revoked"),
    ] {
        assert_eq!(event.json()["event"]["type"], kind);
        assert!(event.event_id().starts_with("Ev"));
    }
    assert_eq!(events.tokens_revoked(&[], &[&bot]).json()["event"]["tokens"], json!({ "oauth": [], "bot": [bot] }));
    let handshake = events.url_verification("3eZbrw1aB").json();
    assert_eq!((&handshake["type"], &handshake["challenge"]), (&json!("url_verification"), &json!("3eZbrw1aB")));
    assert_eq!(events.app_rate_limited(60).json()["minute_rate_limited"], 60);
}

#[tokio::test]
async fn a_click_comes_as_a_form_with_the_message() {
    let bench = Bench::plain().await;
    let token = bench.token();
    bench.team().invite_bot("C1");
    let ts = bench.post(&token, "C1", "a & b = c".replace('&', "&amp;").as_str())["ts"].as_str().unwrap().to_owned();
    let action =
        json!({ "action_id": "view", "block_id": "b", "value": "1", "text": { "type": "plain_text", "text": "View" } });
    let click = bench.team().events().block_actions("C1", &ts, "U1", &action);
    assert_eq!(header(&click, "Content-Type").as_deref(), Some("application/x-www-form-urlencoded"));
    assert!(click.body().starts_with(b"payload=%7B"));
    let payload = click.json();
    assert_eq!((&payload["type"], &payload["message"]["text"]), (&json!("block_actions"), &json!("a &amp; b = c")));
    assert_eq!(
        (&payload["actions"][0]["action_id"], &payload["container"]["message_ts"]),
        (&json!("view"), &json!(ts))
    );
}
