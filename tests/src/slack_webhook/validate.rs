//! Judges a message as Slack does: the word of its refusal, or nothing.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::json::Strict;
use super::markup::is_sound;

pub(crate) type Object = Map<String, Value>;
pub(crate) type Judged = Result<(), &'static str>;

const TOP: &[&str] =
    &["text", "blocks", "attachments", "thread_ts", "mrkdwn", "unfurl_links", "unfurl_media", "metadata"];
const LEGACY: &[&str] = &[
    "title",
    "title_link",
    "text",
    "pretext",
    "fields",
    "footer",
    "footer_icon",
    "ts",
    "author_name",
    "author_link",
    "author_icon",
    "image_url",
    "thumb_url",
    "mrkdwn_in",
];

/// Parses `body` as JSON (no key twice) and judges it.
///
/// # Errors
///
/// The word that Slack answers.
pub fn message(body: &[u8]) -> Result<Value, &'static str> {
    let Strict(value) = serde_json::from_slice(body).map_err(|_| "invalid_payload")?;
    judge(value.as_object().ok_or("invalid_payload")?)?;
    Ok(value)
}

/// Judges a message: the word that Slack answers.
pub(crate) fn judge(message: &Object) -> Judged {
    ensure(!message.contains_key("channel"), "channel_not_found")?;
    known(message, TOP, "invalid_payload")?;
    let blocks = list(message, "blocks", "invalid_blocks")?;
    let attachments = list(message, "attachments", "invalid_attachments")?;
    let text = match message.get("text") {
        None | Some(Value::Null) => None,
        Some(text) => Some(text.as_str().ok_or("invalid_payload")?),
    };
    if blocks.is_empty() && text.unwrap_or_default().is_empty() {
        ensure(text.is_none(), "no_text")?;
        ensure(!attachments.is_empty(), "missing_text_or_fallback_or_attachments")?;
    }
    if let Some(text) = text {
        ensure(text.chars().count() <= 40_000 && is_sound(text), "invalid_payload")?;
    }
    ensure(attachments.len() <= 100, "too_many_attachments")?;
    let mut ids = HashSet::new();
    judge_blocks(blocks, &mut ids, "invalid_blocks")?;
    attachments.iter().try_for_each(|attachment| judge_attachment(attachment, text, &mut ids))
}

fn judge_attachment(attachment: &Value, text: Option<&str>, ids: &mut HashSet<String>) -> Judged {
    const WORD: &str = "invalid_attachments";
    let attachment = attachment.as_object().ok_or(WORD)?;
    let blocks = list(attachment, "blocks", WORD)?;
    let legacy = LEGACY.iter().any(|key| attachment.contains_key(*key));
    ensure(blocks.is_empty() || !legacy, WORD)?;
    let mut keys = LEGACY.to_vec();
    keys.extend(["color", "fallback", "blocks"]);
    known(attachment, &keys, WORD)?;
    if let Some(color) = attachment.get("color") {
        let color = color.as_str().ok_or(WORD)?;
        let hex =
            color.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
        ensure(hex || matches!(color, "good" | "warning" | "danger"), WORD)?;
    }
    let says = ["fallback", "text"].iter().any(|key| attachment.get(*key).is_some_and(|said| said != ""));
    ensure(
        says || !blocks.is_empty() || text.is_some_and(|text| !text.is_empty()),
        "missing_text_or_fallback_or_attachments",
    )?;
    within(attachment, "footer", 300, WORD)?;
    for key in ["fallback", "text", "pretext", "title"] {
        let sound = attachment.get(key).is_none_or(|said| said.as_str().is_some_and(is_sound));
        ensure(sound, "invalid_payload")?;
    }
    judge_blocks(blocks, ids, WORD)
}

fn judge_blocks(blocks: &[Value], ids: &mut HashSet<String>, word: &'static str) -> Judged {
    ensure(blocks.len() <= 50, word)?;
    for block in blocks {
        let block = block.as_object().ok_or(word)?;
        within(block, "block_id", 255, word)?;
        if let Some(id) = block.get("block_id").and_then(Value::as_str) {
            ensure(ids.insert(id.to_owned()), word)?;
        }
        judge_block(block, word)?;
    }
    Ok(())
}

fn judge_block(block: &Object, word: &'static str) -> Judged {
    match block.get("type").and_then(Value::as_str) {
        Some("section") => {
            known(block, &["type", "block_id", "text", "fields", "accessory", "expand"], word)?;
            let fields = list(block, "fields", word)?;
            ensure(block.contains_key("text") || !fields.is_empty(), word)?;
            ensure(fields.len() <= 10 && (!block.contains_key("fields") || !fields.is_empty()), word)?;
            block.get("text").map_or(Ok(()), |text| judge_text(text, 3000, false, word))?;
            fields.iter().try_for_each(|field| judge_text(field, 2000, false, word))?;
            block.get("accessory").map_or(Ok(()), |button| judge_button(button, word))
        }
        Some("header") => {
            known(block, &["type", "block_id", "text"], word)?;
            judge_text(block.get("text").ok_or(word)?, 150, true, word)
        }
        Some("divider") => known(block, &["type", "block_id"], word),
        Some("context") => {
            known(block, &["type", "block_id", "elements"], word)?;
            let elements = list(block, "elements", word)?;
            ensure((1..=10).contains(&elements.len()), word)?;
            elements.iter().try_for_each(|element| judge_text(element, 3000, false, word))
        }
        Some("actions") => {
            known(block, &["type", "block_id", "elements"], word)?;
            let elements = list(block, "elements", word)?;
            ensure((1..=25).contains(&elements.len()), word)?;
            let mut ids = HashSet::new();
            for element in elements {
                judge_button(element, word)?;
                let id = element.get("action_id").and_then(Value::as_str);
                ensure(id.is_none_or(|id| ids.insert(id)), word)?;
            }
            Ok(())
        }
        _ => Err(word),
    }
}

fn judge_button(button: &Value, word: &'static str) -> Judged {
    let button = button.as_object().ok_or(word)?;
    known(button, &["type", "text", "action_id", "url", "value", "style", "accessibility_label", "confirm"], word)?;
    ensure(button.get("type").is_some_and(|kind| kind == "button"), word)?;
    judge_text(button.get("text").ok_or(word)?, 75, true, word)?;
    for (key, limit) in [("url", 3000), ("value", 2000), ("action_id", 255), ("accessibility_label", 75)] {
        within(button, key, limit, word)?;
    }
    let url = button.get("url").and_then(Value::as_str);
    ensure(url.is_none_or(|url| url.starts_with("https://") || url.starts_with("http://")), word)?;
    ensure(button.get("style").is_none_or(|style| style == "primary" || style == "danger"), word)
}

fn judge_text(text: &Value, limit: usize, plain_only: bool, word: &'static str) -> Judged {
    let text = text.as_object().ok_or(word)?;
    let said = text.get("text").and_then(Value::as_str).ok_or(word)?;
    ensure((1..=limit).contains(&said.chars().count()), word)?;
    match text.get("type").and_then(Value::as_str) {
        Some("plain_text") => known(text, &["type", "text", "emoji"], word),
        Some("mrkdwn") if !plain_only => {
            known(text, &["type", "text", "verbatim"], word)?;
            ensure(is_sound(said), "invalid_payload")
        }
        _ => Err(word),
    }
}

fn ensure(holds: bool, word: &'static str) -> Judged {
    if holds { Ok(()) } else { Err(word) }
}

fn known(object: &Object, keys: &[&str], word: &'static str) -> Judged {
    ensure(object.keys().all(|key| keys.contains(&key.as_str())), word)
}

fn within(object: &Object, key: &str, limit: usize, word: &'static str) -> Judged {
    let fits = |value: &Value| value.as_str().is_some_and(|text| text.chars().count() <= limit);
    ensure(object.get(key).is_none_or(fits), word)
}

fn list<'a>(object: &'a Object, key: &str, word: &'static str) -> Result<&'a [Value], &'static str> {
    object.get(key).map_or(Ok(&[]), |value| value.as_array().map(Vec::as_slice).ok_or(word))
}

#[cfg(test)]
mod tests;
