//! The shape of a Slack message, as far as we use it.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

/// What is posted. Both Slack variants send it; the webhook needs nothing more.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    /// The headline: notification and screen-reader text.
    pub text: String,
    /// No previews of links.
    pub unfurl_links: bool,
    /// No previews of pictures.
    pub unfurl_media: bool,
    /// One, for its colour; none in a plain message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

/// The coloured bar with everything but the headline.
#[derive(Debug, Clone, Serialize)]
pub struct Attachment {
    /// `#RRGGBB`.
    pub color: &'static str,
    /// For clients that show no blocks.
    pub fallback: String,
    /// At most 50.
    pub blocks: Vec<Block>,
}

/// A block.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Block {
    /// Text, or up to ten fields.
    Section {
        /// 1 to 3000 characters.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<TextObject>,
        /// At most 10, of at most 2000 characters.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        fields: Vec<TextObject>,
    },
    /// A line.
    Divider,
    /// Buttons.
    Actions {
        /// At most 25.
        elements: Vec<Button>,
    },
}

impl Block {
    pub(crate) fn section(text: String) -> Self {
        Self::Section { text: Some(TextObject::mrkdwn(text)), fields: Vec::new() }
    }

    pub(crate) fn fields(fields: Vec<String>) -> Self {
        Self::Section { text: None, fields: fields.into_iter().map(TextObject::mrkdwn).collect() }
    }
}

/// A text.
#[derive(Debug, Clone, Serialize)]
pub struct TextObject {
    r#type: &'static str,
    text: String,
    /// Slack looks for no names, channels or addresses of its own in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    verbatim: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emoji: Option<bool>,
}

impl TextObject {
    fn mrkdwn(text: String) -> Self {
        Self { r#type: "mrkdwn", text, verbatim: Some(true), emoji: None }
    }

    fn plain(text: &str) -> Self {
        Self { r#type: "plain_text", text: text.to_owned(), verbatim: None, emoji: Some(true) }
    }
}

/// A button that opens an address.
#[derive(Debug, Clone, Serialize)]
pub struct Button {
    r#type: &'static str,
    text: TextObject,
    action_id: &'static str,
    url: String,
}

impl Button {
    pub(crate) fn new(label: &str, action_id: &'static str, url: &str) -> Self {
        Self { r#type: "button", text: TextObject::plain(label), action_id, url: url.to_owned() }
    }
}
