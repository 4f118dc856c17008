//! The channel type `slack-webhook`: posts an event through a Slack incoming webhook.

#![no_std]

extern crate alloc;

mod answers;
mod form;

use alloc::format;

use pqh_channel_sdk::http::{Answer, secret};
use pqh_channel_sdk::log;
use pqh_channel_sdk::prelude::*;
use serde::{Deserialize, Serialize};
use slack_format::{Message, plain_text, render};

/// The credential, and the field that holds it: the webhook's whole URL.
const URL: &str = "url";

/// Slack through an incoming webhook.
#[derive(Debug)]
pub struct SlackWebhook;

/// There is nothing to set but the secret URL, which the component never sees.
#[derive(Debug, Deserialize)]
pub struct Settings {}

impl Channel for SlackWebhook {
    type Settings = Settings;

    fn describe() -> Descriptor {
        form::descriptor()
    }

    fn check(_: &Configuration<Settings>) -> Result<(), Failure> {
        let empty = Empty { text: "" };
        let answer = Request::post(secret(URL)).json(&empty).repeatable().send()?;
        answers::of_check(&answer)
    }

    fn deliver(delivery: &Delivery<Settings>) -> Result<Receipt, Failure> {
        let answer = post(&render(&delivery.event))?;
        let Some(word) = answers::refused_layout(&answer) else {
            return answers::of_delivery(&answer).map(|()| Receipt::new());
        };
        log::warn(&format!("Slack refused the message's layout ({word}); sending the same words as plain text"));
        answers::of_delivery(&post(&plain_text(&delivery.event))?)?;
        Ok(Receipt::new().warning(format!(
            "Slack refused the message's layout ({word}), so the same words were posted as plain text."
        )))
    }
}

/// What posts nothing: Slack answers `no_text` where the webhook lives.
#[derive(Serialize)]
struct Empty {
    text: &'static str,
}

fn post(message: &Message) -> Result<Answer, Failure> {
    Ok(Request::post(secret(URL)).json(message).send()?)
}

pqh_channel_sdk::export_channel!(SlackWebhook);
