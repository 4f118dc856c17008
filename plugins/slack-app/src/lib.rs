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

use pqh_channel_sdk::connection::{ConnectedWorkspace, Connection, Oauth2Service, TokenAnswer};
use pqh_channel_sdk::directory::{Directory, Page};
use pqh_channel_sdk::inbound::{Action, Inbound, Proof, Reception};
use pqh_channel_sdk::prelude::*;
use pqh_channel_sdk::{Workspace, inbound as sdk};
use serde::Deserialize;

pub use inbound::EVENTS;

/// The credential: the bot's token, which `connect` takes from Slack's answer.
const TOKEN: &str = "token";
/// The field that says where to post: a channel's or a person's id.
const CHANNEL: &str = "channel";
/// The field that says how a resolution is told.
const RESOLUTIONS: &str = "resolutions";

/// Slack through the app.
#[derive(Debug)]
pub struct SlackApp;

/// What an administrator sets.
#[derive(Debug, Deserialize)]
pub struct Settings {
    #[serde(default)]
    channel: String,
    #[serde(default)]
    resolutions: Resolutions,
}

/// How a resolution is told, beside what happens to the message that opened the alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Resolutions {
    /// In that message's thread.
    #[default]
    Thread,
    /// As a new message.
    Message,
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

impl Connection for SlackApp {
    fn oauth2() -> Oauth2Service {
        connect::service()
    }

    fn connected(answer: &TokenAnswer) -> Result<ConnectedWorkspace, Failure> {
        connect::connected(answer)
    }

    fn revoke(_: &Workspace) -> Result<(), Failure> {
        connect::revoke()
    }
}

impl Directory for SlackApp {
    fn list_targets(_: &Configuration<Settings>, cursor: Option<&str>) -> Result<Page, Failure> {
        directory::page(cursor)
    }
}

impl Inbound for SlackApp {
    fn verification() -> Proof {
        inbound::verification()
    }

    fn receive(request: &sdk::Request) -> Reception {
        inbound::receive(request)
    }

    fn handle(workspace: &Workspace, request: &sdk::Request) -> Result<alloc::vec::Vec<Action>, Failure> {
        inbound::handle(workspace, request)
    }
}

pqh_channel_sdk::export_channel!(SlackApp);
pqh_channel_sdk::export_connection!(SlackApp);
pqh_channel_sdk::export_directory!(SlackApp);
pqh_channel_sdk::export_inbound!(SlackApp);
