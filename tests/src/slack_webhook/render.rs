//! Shows a message as people see it in Slack.

use serde_json::Value;

use super::markup;

/// The message as text: bold markers gone, links and dates by their words, buttons as `[View Report]`. With `colour`
/// (a terminal) bold is bold, and an attachment has its bar in its colour.
pub fn message(message: &Value, colour: bool) -> String {
    let bold = if colour { ("\u{1b}[1m", "\u{1b}[22m") } else { ("", "") };
    let mut parts = Vec::new();
    let blocks = items(message, "blocks");
    if blocks.is_empty() {
        parts.extend(message["text"].as_str().map(|text| markup::shown(text, bold)));
    } else {
        parts.extend(blocks.iter().filter_map(|block| shown_block(block, bold)));
    }
    for attachment in items(message, "attachments") {
        let inner: Vec<String> =
            items(attachment, "blocks").iter().filter_map(|block| shown_block(block, bold)).collect();
        let mut text = inner.join("\n\n");
        if text.is_empty() {
            let said = attachment["text"].as_str().or(attachment["fallback"].as_str()).unwrap_or_default();
            text = markup::shown(said, bold);
        }
        parts.push(if colour { barred(&text, attachment["color"].as_str().unwrap_or_default()) } else { text });
    }
    parts.join("\n\n")
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn shown_block(block: &Value, bold: (&str, &str)) -> Option<String> {
    let text = |object: &Value| {
        let said = object["text"].as_str()?;
        Some(if object["type"] == "mrkdwn" { markup::shown(said, bold) } else { said.to_owned() })
    };
    let joined = |key: &str, with: &str| {
        let all: Vec<String> = items(block, key).iter().filter_map(text).collect();
        (!all.is_empty()).then(|| all.join(with))
    };
    match block["type"].as_str()? {
        "section" => {
            let lines: Vec<String> = text(&block["text"]).into_iter().chain(joined("fields", "\n")).collect();
            (!lines.is_empty()).then(|| lines.join("\n"))
        }
        "header" => text(&block["text"]).map(|header| format!("{}{header}{}", bold.0, bold.1)),
        "context" => joined("elements", "  "),
        "actions" => {
            let buttons: Vec<String> = items(block, "elements")
                .iter()
                .filter_map(|button| button["text"]["text"].as_str().map(|label| format!("[{label}]")))
                .collect();
            (!buttons.is_empty()).then(|| buttons.join(" "))
        }
        // A divider is a line without words: the empty line between two blocks shows it.
        _ => None,
    }
}

fn barred(text: &str, color: &str) -> String {
    let hex = match color {
        "good" => "2EB67D",
        "warning" => "ECB22E",
        "danger" => "E01E5A",
        other => other.trim_start_matches('#'),
    };
    let rgb = u32::from_str_radix(hex, 16).unwrap_or(0x00DD_DDDD).to_be_bytes();
    let bar = format!("\u{1b}[38;2;{};{};{}m┃\u{1b}[39m", rgb[1], rgb[2], rgb[3]);
    text.lines().map(|line| format!("{bar} {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_message_is_shown_word_for_word() {
        let message = json!({"text": "Headline", "attachments": [{"color": "#2EB67D", "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": "*Report:* A &amp; B"}},
            {"type": "divider"},
            {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "View Report"}}]},
        ]}]});
        assert_eq!(super::message(&message, false), "Headline\n\nReport: A & B\n\n[View Report]");
        assert!(super::message(&message, true).contains("\u{1b}[38;2;46;182;125m┃"));
    }
}
