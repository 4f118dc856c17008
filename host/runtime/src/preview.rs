//! What a delivery would send: the same bytes and code path, with a recorder in place of the network.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::log::LogLine;
use crate::outcome::Outcome;

/// One request that would leave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PreviewedRequest {
    /// "POST".
    pub method: String,
    /// The whole address; none when a credential is the address or in it.
    pub url: Option<String>,
    /// Where it goes: the host, with the port where it is not 443.
    pub destination: String,
    /// The component's headers; the host adds its own.
    pub headers: BTreeMap<String, String>,
    /// JSON where it is JSON, else text.
    pub body: Value,
    /// The names of the credentials that the gate would place.
    pub credentials: Vec<String>,
    /// "allowed", or why the gate refuses it.
    pub verdict: String,
}

/// One mail that would leave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PreviewedMail {
    /// The sender; none where this host has no mail relay.
    pub from: Option<String>,
    /// The addresses that it goes to.
    pub to: Vec<String>,
    /// What a list of mail shows.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// Mail with the same key is one conversation.
    pub conversation: Option<String>,
    /// "allowed", or why it is refused.
    pub verdict: String,
}

/// What a delivery would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// In order.
    pub requests: Vec<PreviewedRequest>,
    /// In order.
    pub mails: Vec<PreviewedMail>,
    /// How the component ended, with the recorder's answers.
    pub outcome: Outcome,
    /// What it said meanwhile.
    pub log: Vec<LogLine>,
}
