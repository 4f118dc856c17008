//! Judges a message as `chat.postMessage` and `chat.update` do.

use serde_json::{Map, Value, json};

use crate::slack_api::call::Refusal;
use crate::slack_webhook::validate;

/// Characters of blocks from which messages were refused.
const BLOCKS: usize = 11_300;
/// Bytes of metadata.
const METADATA: usize = 16_384;

/// The content within the arguments of a call, if Slack takes it with a `text` of at most this many characters.
pub(crate) fn content(arguments: &Map<String, Value>, text: usize) -> Result<Map<String, Value>, Refusal> {
    let mut content = arguments.clone();
    for name in ["channel", "ts", "thread_ts", "reply_broadcast"] {
        content.remove(name);
    }
    // Slack cuts what is longer than 40,000 off a new message.
    if content.get("text").and_then(Value::as_str).is_some_and(|said| said.chars().count() > text) {
        return Err("msg_too_long".into());
    }
    if let Some(metadata) = content.get("metadata") {
        judge_metadata(metadata)?;
    }
    for name in ["mrkdwn", "unfurl_links", "unfurl_media"] {
        if content.get(name).is_some_and(|flag| !flag.is_boolean()) {
            return Err("invalid_arguments".into());
        }
    }
    validate::judge(&content).map_err(refusal)?;
    let blocks = ["blocks", "attachments"].iter().filter_map(|name| content.get(*name)).map(said).sum::<usize>();
    if blocks >= BLOCKS { Err("msg_blocks_too_long".into()) } else { Ok(content) }
}

/// The word of a webhook's refusal as the Web API says it, with the place where it says one.
fn refusal(word: &'static str) -> Refusal {
    let (word, place) = match word {
        "invalid_blocks" => (word, "/blocks"),
        "invalid_attachments" => (word, "/attachments"),
        "invalid_payload" => ("invalid_arguments", "/text"),
        "missing_text_or_fallback_or_attachments" => return "no_text".into(),
        other => return other.into(),
    };
    let told = format!("invalid value [json-pointer:{place}]");
    let metadata = json!({ "messages": [format!("[ERROR] {told}")] });
    Refusal { word, more: json!({ "errors": [told], "response_metadata": metadata }) }
}

/// How many characters the text objects within have.
fn said(value: &Value) -> usize {
    match value {
        Value::Object(members) => {
            let own = members.get("text").and_then(Value::as_str).map_or(0, |text| text.chars().count());
            own + members.values().map(said).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(said).sum(),
        _ => 0,
    }
}

/// `event_type` with a name, `event_payload` with an object, nothing else. An empty object takes metadata away.
fn judge_metadata(metadata: &Value) -> Result<(), Refusal> {
    let members = metadata.as_object().ok_or("invalid_metadata_format")?;
    if members.is_empty() {
        return Ok(());
    }
    let event_type = members.get("event_type").and_then(Value::as_str).unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
    if members.len() != 2 || event_type.is_empty() || event_type.len() > 255 || !event_type.chars().all(is_name) {
        return Err("invalid_metadata_schema".into());
    }
    let payload = members.get("event_payload").and_then(Value::as_object).ok_or("invalid_metadata_schema")?;
    if payload.values().any(Value::is_null) {
        return Err("invalid_metadata_schema".into());
    }
    if metadata.to_string().len() > METADATA { Err("metadata_too_large".into()) } else { Ok(()) }
}
