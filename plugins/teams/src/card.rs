//! An Adaptive Card 1.2 in the envelope of a Workflows webhook, as JSON, as far as we use it (FACTS.md, 2 and 3).

use alloc::{format, string::String, vec::Vec};
use core::fmt::Write;

/// A card in the making: the JSON of its headline, of its elements, and of its buttons.
pub(crate) struct Card {
    headline: String,
    body: String,
    actions: String,
}

impl Card {
    /// A card that begins with its headline, in a box of this style.
    pub(crate) fn new(headline: &str, style: &str) -> Self {
        let headline = json(headline);
        let body = format!(
            r#"{{"type":"Container","style":"{style}","bleed":true,"items":[{{"type":"RichTextBlock","inlines":[{{"type":"TextRun","text":{headline},"weight":"bolder","size":"medium"}}]}}]}}"#
        );
        Self { headline, body, actions: String::new() }
    }

    /// Text, at first bold; nothing where there is none. The first of what belongs together (0) stands apart from what is
    /// above it. Nothing in a `TextRun` is markup, so people's text stands there.
    pub(crate) fn text(&mut self, at: usize, bold: &str, plain: &str) {
        let spacing = if at == 0 { "default" } else { "small" };
        let run = |(text, look)| format!(r#"{{"type":"TextRun","text":{}{look}}}"#, json(text));
        let runs = [(bold, r#","weight":"bolder""#), (plain, "")].into_iter().filter(|(text, _)| !text.is_empty());
        let runs = runs.map(run).collect::<Vec<_>>().join(",");
        if !runs.is_empty() {
            let _ = write!(self.body, r#",{{"type":"RichTextBlock","spacing":"{spacing}","inlines":[{runs}]}}"#);
        }
    }

    /// A link below a text. `label` is ours, `url` percent-encoded; what could end the link or be markup is, too.
    pub(crate) fn link(&mut self, label: &str, url: &str) {
        let mut url = url.replace('(', "%28");
        for (markup, encoded) in [(')', "%29"), ('[', "%5B"), (']', "%5D"), ('*', "%2A")] {
            url = url.replace(markup, encoded);
        }
        let markdown = json(&format!("[{label}]({url})"));
        let _ = write!(self.body, r#",{{"type":"TextBlock","spacing":"none","wrap":true,"text":{markdown}}}"#);
    }

    /// A button below the card.
    pub(crate) fn button(&mut self, title: &str, url: &str) {
        let comma = if self.actions.is_empty() { "" } else { "," };
        let (title, url) = (json(title), json(url));
        let _ = write!(self.actions, r#"{comma}{{"type":"Action.OpenUrl","title":{title},"url":{url}}}"#);
    }

    /// The whole message. `contentUrl` has to be there: without it real workflows refuse the message.
    pub(crate) fn message(&self) -> String {
        // Markdown is read there: a title must not become a link.
        let headline = self.headline.replace('[', "(").replace(']', ")");
        let Self { body, actions, .. } = self;
        let actions = if actions.is_empty() { String::new() } else { format!(r#","actions":[{actions}]"#) };
        format!(
            r#"{{"type":"message","summary":{headline},"attachments":[{{"contentType":"application/vnd.microsoft.card.adaptive","contentUrl":null,"content":{{"$schema":"http://adaptivecards.io/schemas/adaptive-card.json","type":"AdaptiveCard","version":"1.2","fallbackText":{headline},"msteams":{{"width":"Full"}},"body":[{body}]{actions}}}}}]}}"#
        )
    }
}

/// What Teams may count of a message at most: it keeps a card as a string in JSON, so that quotes and backslashes are
/// escaped once more; whether letters beyond ASCII are, too, is not known.
pub(crate) fn weight(text: &str) -> usize {
    let escaped = text.matches(['"', '\\']).count();
    escaped + text.chars().map(|letter| if letter.is_ascii() { 1 } else { 6 * letter.len_utf16() }).sum::<usize>()
}

/// A JSON string, with no `{{` left, behind which clients look for a date to format.
fn json(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '{' && told.ends_with('{') {
            told.push(' ');
        }
        told.push(character);
    }
    // A string written to memory: there is nothing to fail.
    serde_json::to_string(&told).unwrap_or_default()
}
