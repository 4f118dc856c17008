//! Where buttons and links lead: absolute http(s) URLs, percent-encoded, by how much room they need.

use alloc::string::String;

use pqh_channel_sdk::text::{length, web_url};
use pqh_channel_sdk::words::VIEW_REPORT;

use crate::mrkdwn::link;
use crate::{BUTTON_URL_LIMIT, LINK_LIMIT};

/// An address, by how it can be shown.
#[derive(Debug)]
pub(crate) enum Address {
    /// Fits a button.
    Button(String),
    /// Too long for a button, short enough for a link in the text.
    Link(String),
    /// Too long for any message.
    TooLong,
    /// There is none, or none that leads anywhere.
    None,
}

impl Address {
    /// Of what people gave, if anything.
    pub(crate) fn of(url: Option<&str>) -> Self {
        match url.and_then(web_url) {
            None => Self::None,
            Some(url) if url.len() <= BUTTON_URL_LIMIT => Self::Button(url),
            Some(url) if length(&link(&url, VIEW_REPORT)) <= LINK_LIMIT => Self::Link(url),
            Some(_) => Self::TooLong,
        }
    }
}
