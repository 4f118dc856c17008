//! Posting, updating, threads.

use std::fs;
use std::path::Path;

use super::*;

async fn invited() -> (Bench, String) {
    let bench = Bench::plain().await;
    let token = bench.token();
    bench.team().invite_bot("C1");
    (bench, token)
}

#[tokio::test]
async fn a_message_is_posted_updated_in_place_and_replied_to() {
    let (bench, token) = invited().await;
    let metadata = json!({ "event_type": "alert", "event_payload": { "event_id": "evt_1" } });
    let body = json!({ "channel": "C1", "text": "Triggered", "metadata": metadata });
    let told = bench.write(&token, "chat.postMessage", &body);
    assert_eq!((&told["channel"], &told["message"]["text"]), (&json!("C1"), &json!("Triggered")));
    let ts = told["ts"].as_str().unwrap();
    assert_eq!(ts, "1795608000.000000");
    bench.pass(1_000);
    let update = json!({ "channel": "C1", "ts": ts, "text": "Resolved" });
    let told = bench.write(&token, "chat.update", &update);
    assert_eq!((&told["ts"], &told["text"]), (&json!(ts), &json!("Resolved")));
    let reply = json!({ "channel": "C1", "text": "It is over", "thread_ts": ts });
    let reply = bench.write(&token, "chat.postMessage", &reply);
    assert_eq!(reply["message"]["thread_ts"], ts);
    let messages = bench.team().messages("C1");
    assert_eq!((messages.len(), messages[0].edits.len()), (2, 1));
    assert_eq!(
        (&messages[0].content["text"], &messages[0].edits[0].before["text"]),
        (&json!("Resolved"), &json!("Triggered"))
    );
    assert_eq!(messages[0].event_payload()["event_id"], "evt_1");
    assert_eq!(bench.team().replies("C1", ts).len(), 1);
    let link = bench.read(&token, "chat.getPermalink", &format!("channel=C1&message_ts={ts}"));
    assert_eq!(link["permalink"], "https://acmeinc.slack.com/archives/C1/p1795608000000000");
    let reply = reply["ts"].as_str().unwrap();
    let link = bench.read(&token, "chat.getPermalink", &format!("channel=C1&message_ts={reply}"));
    assert!(link["permalink"].as_str().unwrap().ends_with(&format!("?thread_ts={ts}&cid=C1")));
}

#[tokio::test]
async fn a_post_is_refused_where_the_bot_may_not_write() {
    let (bench, token) = invited().await;
    bench.team().invite_bot("C3");
    bench.team().invite_bot("C4");
    let of = |channel: &str| bench.post(&token, channel, "x")["error"].clone();
    assert_eq!(of("C2"), "channel_not_found");
    assert_eq!(of("C3"), "is_archived");
    assert_eq!(of("C4"), "restricted_action");
    assert_eq!(of("C9"), "channel_not_found");
    assert_eq!(of("#alerts"), "channel_not_found");
    assert_eq!(of("U2"), "user_not_found");
    assert_eq!(of("C1"), Value::Null);
    bench.team().remove_bot("C1");
    assert_eq!(of("C1"), "not_in_channel");
    assert_eq!(bench.team().posted().len(), 1);
    bench.team().delete("C1");
    assert_eq!(of("C1"), "channel_not_found");
}

#[tokio::test]
async fn some_restrictions_meet_replies_alone_and_one_all_but_replies() {
    let (bench, token) = invited().await;
    let ts = bench.post(&token, "C1", "x")["ts"].clone();
    let both = |word: &'static str| {
        bench.team().restrict("C1", Some(word));
        let reply = json!({ "channel": "C1", "text": "x", "thread_ts": ts });
        let told = [bench.post(&token, "C1", "x"), bench.write(&token, "chat.postMessage", &reply)];
        told.map(|told| told["error"].as_str().map(str::to_owned))
    };
    let told = |word: &str| Some(word.to_owned());
    for word in ["restricted_action_read_only_channel", "ekm_access_denied"] {
        assert_eq!(both(word), [told(word), told(word)]);
    }
    assert_eq!(both("restricted_action_thread_locked"), [None, told("restricted_action_thread_locked")]);
    assert_eq!(both("restricted_action_thread_only_channel"), [told("restricted_action_thread_only_channel"), None]);
}

#[tokio::test]
async fn the_scope_for_public_channels_posts_without_joining() {
    let scopes = [SCOPES, &["chat:write.public"]].concat();
    let bench = Bench::new(App::new(REDIRECT, &scopes)).await;
    let token = bench.token();
    assert_eq!(bench.post(&token, "C1", "x")["ok"], true);
    bench.team().make_private("C1");
    assert_eq!(bench.post(&token, "C1", "x")["error"], "channel_not_found");
}

#[tokio::test]
async fn a_direct_message_goes_by_the_persons_id_and_is_updated_by_the_channels() {
    let (bench, token) = invited().await;
    let told = bench.post(&token, "U1", "x");
    let channel = told["channel"].as_str().unwrap();
    assert_eq!(Some(channel.to_owned()), bench.team().direct_message("U1"));
    let update = |channel: &str| {
        bench.write(&token, "chat.update", &json!({ "channel": channel, "ts": told["ts"], "text": "y" }))["error"]
            .clone()
    };
    assert_eq!((update("U1"), update(channel)), (json!("channel_not_found"), Value::Null));
    let open = |users: &str| bench.write(&token, "conversations.open", &json!({ "users": users }));
    assert_eq!(open("U1")["channel"]["id"], channel);
    assert_eq!((&open("U2")["error"], &open("U9")["error"]), (&json!("user_disabled"), &json!("user_not_found")));
}

#[tokio::test]
async fn only_a_message_of_its_own_that_is_there_is_updated() {
    let (bench, token) = invited().await;
    let own = bench.post(&token, "C1", "x")["ts"].as_str().unwrap().to_owned();
    let other = bench.team().say("C1", "U1", "hello");
    let update = |ts: &str, text: &str| {
        let body = json!({ "channel": "C1", "ts": ts, "text": text });
        bench.write(&token, "chat.update", &body)["error"].clone()
    };
    assert_eq!(update(&other, "y"), "cant_update_message");
    assert_eq!(update("1.000000", "y"), "message_not_found");
    assert_eq!(update(&own, ""), "no_text");
    assert_eq!(update(&own, &"x".repeat(4_001)), "msg_too_long");
    assert_eq!(update(&own, &"x".repeat(4_000)), Value::Null);
    bench.team().archive("C1");
    assert_eq!(update(&own, "y"), "is_inactive");
    bench.team().unarchive("C1");
    bench.team().delete_message("C1", &own);
    assert_eq!(update(&own, "y"), "message_not_found");
    let reply = json!({ "channel": "C1", "text": "x", "thread_ts": own });
    let posted = bench.write(&token, "chat.postMessage", &reply);
    assert_eq!((&posted["ok"], posted["message"].get("thread_ts")), (&json!(true), None), "a message of its own");
}

#[tokio::test]
async fn what_breaks_a_limit_is_told_its_word() {
    let (bench, token) = invited().await;
    let of = |name: &str, value: Value| {
        let mut body = json!({ "channel": "C1", "text": "t" });
        body[name] = value;
        let told = bench.write(&token, "chat.postMessage", &body);
        told["error"].as_str().unwrap_or("ok").to_owned()
    };
    let section = |text: &str| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    let metadata = |payload: Value| json!({ "event_type": "alert", "event_payload": payload });
    for (name, value, word) in [
        ("text", json!(""), "no_text"),
        ("text", json!("x".repeat(40_001)), "msg_too_long"),
        ("text", json!("a < b"), "invalid_arguments"),
        ("blocks", json!([section("")]), "invalid_blocks"),
        ("blocks", json!(vec![section("x"); 51]), "invalid_blocks"),
        ("blocks", json!(vec![section(&"x".repeat(2_500)); 5]), "msg_blocks_too_long"),
        ("blocks", json!(vec![section(&"x".repeat(2_500)); 4]), "ok"),
        ("attachments", json!(vec![json!({ "fallback": "x" }); 101]), "too_many_attachments"),
        ("attachments", json!([{ "color": "red", "fallback": "x" }]), "invalid_attachments"),
        ("metadata", json!("x"), "invalid_metadata_format"),
        ("metadata", json!({ "event_type": "alert" }), "invalid_metadata_schema"),
        ("metadata", json!({ "event_type": "a b", "event_payload": {} }), "invalid_metadata_schema"),
        ("metadata", metadata(json!({ "id": "x".repeat(17_000) })), "metadata_too_large"),
        ("metadata", metadata(json!({ "id": "evt_1" })), "ok"),
        ("username", json!("x"), "invalid_arg_name"),
        ("token", json!("x"), "not_authed"),
        ("unfurl_links", json!("false"), "invalid_arguments"),
        ("thread_ts", json!("1.000000"), "thread_not_found"),
        ("thread_ts", json!(1.5), "invalid_arguments"),
    ] {
        assert_eq!(of(name, value), word, "{name}");
    }
    let body = json!({ "channel": "C1", "text": "t", "blocks": [{}] });
    let told = bench.write(&token, "chat.postMessage", &body);
    assert!(told["errors"][0].as_str().unwrap().contains("[json-pointer:/blocks]"), "{told}");
}

#[tokio::test]
async fn a_channel_takes_one_message_a_second_after_its_burst() {
    let (bench, token) = invited().await;
    bench.api.set_burst(1);
    assert_eq!(bench.post(&token, "C1", "x")["ok"], true);
    let request = post_json("chat.postMessage", &token, &json!({ "channel": "C1", "text": "x" }));
    let answer = bench.answer(&request);
    assert_eq!((answer.status, &answer.headers[1].1), (429, &"1".to_owned()));
    assert_eq!(bench.post(&token, "U1", "x")["ok"], true);
    bench.pass(1_000);
    assert_eq!(bench.answer(&request).status, 200);
    bench.api.set_burst(1_000);
    let posted = (0..400).filter(|_| bench.answer(&request).status == 200).count();
    // Three were posted before, within the minute.
    assert_eq!(posted, 297);
}

#[tokio::test]
async fn every_message_that_the_plugins_keep_as_a_snapshot_is_posted_and_updated() {
    let (bench, token) = invited().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/slack-format/tests/snapshots");
    let mut seen = 0;
    for file in fs::read_dir(folder).unwrap() {
        let snapshot = fs::read_to_string(file.unwrap().path()).unwrap();
        let mut body: Value = serde_json::from_str(snapshot.splitn(3, "---\n").nth(2).unwrap()).unwrap();
        body["channel"] = "C1".into();
        bench.pass(1_000);
        let told = bench.write(&token, "chat.postMessage", &body);
        assert_eq!(told["ok"], true, "{told} {body}");
        // An update unfurls nothing, and does not take the flags.
        assert_eq!(bench.write(&token, "chat.update", &body)["error"], "invalid_arg_name");
        for flag in ["unfurl_links", "unfurl_media"] {
            body.as_object_mut().unwrap().remove(flag);
        }
        body["ts"] = told["ts"].clone();
        let told = bench.write(&token, "chat.update", &body);
        assert_eq!(told["ok"], true, "{told} {body}");
        seen += 1;
    }
    assert!(seen >= 10, "{seen} snapshots");
}
