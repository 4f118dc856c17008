//! Each refusal is a row.

use serde_json::{Value, json};

use super::message;

fn word(body: &Value) -> Option<&'static str> {
    message(body.to_string().as_bytes()).err()
}

fn block(block: &Value) -> Value {
    json!({"text": "t", "blocks": [block]})
}

fn button(key: &str, value: &Value) -> Value {
    let mut button = json!({"type": "button", "text": {"type": "plain_text", "text": "b"}});
    button[key] = value.clone();
    block(&json!({"type": "actions", "elements": [button]}))
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

#[test]
fn every_limit_and_every_unknown_key_is_refused_by_its_word() {
    let long = |length: usize| "x".repeat(length);
    let rows = [
        (json!([]), "invalid_payload"),
        (json!({"text": ""}), "no_text"),
        (json!({}), "missing_text_or_fallback_or_attachments"),
        (json!({"text": "t", "channel": "#a"}), "channel_not_found"),
        (json!({"text": "t", "username": "a"}), "invalid_payload"),
        (json!({"text": "t", "icon_emoji": ":a:"}), "invalid_payload"),
        (json!({"text": "t", "colour": 1}), "invalid_payload"),
        (json!({"text": long(40_001)}), "invalid_payload"),
        (json!({"text": "a < b"}), "invalid_payload"),
        (json!({"text": "a & b"}), "invalid_payload"),
        (json!({"text": "t", "blocks": vec![section("a"); 51]}), "invalid_blocks"),
        (block(&json!({"type": "table"})), "invalid_blocks"),
        (block(&section("")), "invalid_blocks"),
        (block(&section(&long(3001))), "invalid_blocks"),
        (block(&section("<b>")), "invalid_payload"),
        (block(&json!({"type": "divider", "extra": 1})), "invalid_blocks"),
        (
            block(&json!({"type": "section", "fields": vec![json!({"type": "mrkdwn", "text": "a"}); 11]})),
            "invalid_blocks",
        ),
        (block(&json!({"type": "section", "fields": [{"type": "mrkdwn", "text": long(2001)}]})), "invalid_blocks"),
        (block(&json!({"type": "section", "text": {"type": "mrkdwn", "text": "a", "emoji": true}})), "invalid_blocks"),
        (block(&json!({"type": "header", "text": {"type": "plain_text", "text": long(151)}})), "invalid_blocks"),
        (block(&json!({"type": "header", "text": {"type": "mrkdwn", "text": "a"}})), "invalid_blocks"),
        (block(&json!({"type": "context", "elements": []})), "invalid_blocks"),
        (button("text", &json!({"type": "plain_text", "text": long(76)})), "invalid_blocks"),
        (button("url", &json!(format!("https://{}", long(3000)))), "invalid_blocks"),
        (button("url", &json!("javascript:0")), "invalid_blocks"),
        (button("value", &json!(long(2001))), "invalid_blocks"),
        (button("style", &json!("default")), "invalid_blocks"),
        (button("colour", &json!("red")), "invalid_blocks"),
        (
            json!({"text": "t", "blocks": [{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}]}),
            "invalid_blocks",
        ),
        (json!({"text": "t", "attachments": vec![json!({"fallback": "a"}); 101]}), "too_many_attachments"),
        (json!({"text": "t", "attachments": [{"color": "red"}]}), "invalid_attachments"),
        (json!({"text": "t", "attachments": [{"color": "#12345"}]}), "invalid_attachments"),
        (json!({"text": "t", "attachments": [{"blocks": [section("a")], "footer": "f"}]}), "invalid_attachments"),
        (json!({"text": "t", "attachments": [{"blocks": [section("")]}]}), "invalid_attachments"),
        (json!({"attachments": [{"color": "good"}]}), "missing_text_or_fallback_or_attachments"),
    ];
    for (body, expected) in rows {
        assert_eq!(word(&body), Some(expected), "{:.300}", body.to_string());
    }
}

#[test]
fn action_ids_are_unique_in_a_block() {
    let button = json!({"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "b"}});
    assert_eq!(word(&block(&json!({"type": "actions", "elements": [button, button]}))), Some("invalid_blocks"));
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    assert_eq!(message(br#"{"text":"a","text":"b"}"#).err(), Some("invalid_payload"));
}

#[test]
fn messages_at_their_limits_are_accepted() {
    for body in [
        json!({"text": "x".repeat(40_000)}),
        block(&section(&"é".repeat(3000))),
        json!({"text": "t", "attachments": [{"color": "#2EB67D", "fallback": "f", "blocks": [section("a")]}]}),
    ] {
        assert_eq!(word(&body), None);
    }
}
