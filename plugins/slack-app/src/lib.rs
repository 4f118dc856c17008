//! The channel type `slack-app`: posts events as the PyQueryHub app into a Slack workspace that people connected.

#![no_std]

extern crate alloc;

mod answers;
mod api;
mod check;
mod connect;
mod deliver;
mod directory;
mod form;
mod inbound;
mod people;
mod post;
mod update;

use alloc::string::String;

use pqh_channel_sdk::prelude::*;
use serde::Deserialize;

pub use inbound::EVENTS;

/// The credential: the bot's token, out of Slack's answer.
const TOKEN: &str = "token";
/// The field that says where to post: the id of a channel or a person.
const CHANNEL: &str = "channel";

/// Slack through the app.
#[derive(Debug)]
pub struct SlackApp;

/// What an administrator sets.
#[derive(Debug, Deserialize)]
pub struct Settings {
    #[serde(default)]
    channel: String,
    /// How a resolution is told: "message", or in the thread of the message that opened the alert.
    #[serde(default)]
    resolutions: String,
}

impl Channel for SlackApp {
    type Settings = Settings;

    fn describe() -> Descriptor {
        form::descriptor()
    }

    fn check(configuration: &Configuration<Settings>) -> Result<(), Failure> {
        check::check(&configuration.settings.channel)
    }

    fn deliver(delivery: &Delivery<Settings>) -> Result<Receipt, Failure> {
        deliver::deliver(delivery)
    }
}

pqh_channel_sdk::export_channel!(SlackApp);
pqh_channel_sdk::export_connection!(SlackApp);
pqh_channel_sdk::export_directory!(SlackApp);
pqh_channel_sdk::export_inbound!(SlackApp);
