//! One event into one channel: a new message, or what follows the message that opened the alert.

use pqh_channel_sdk::events::Detail;
use pqh_channel_sdk::log;
use pqh_channel_sdk::prelude::*;
use pqh_channel_sdk::text::short_id;
use slack_format::render;

use crate::api::{Metadata, Payload};
use crate::post::{Place, Posted};
use crate::update::Reference;
use crate::{CHANNEL, Resolutions, Settings, answers, api, people, post};

/// The longest id in a message's metadata.
const ID: usize = 255;
/// How long a delivery waits for the link to its message, in milliseconds.
const PATIENCE: u32 = 3000;

pub(crate) fn deliver(delivery: &Delivery<Settings>) -> Result<Receipt, Failure> {
    let Settings { channel, resolutions } = delivery.settings();
    if channel.is_empty() {
        return Err(Failure::unreachable("no_channel", "No Slack channel or person is chosen.")
            .remedy("Pick one in the notification channel's settings.")
            .field(CHANNEL));
    }
    let event = people::named(&delivery.event);
    let (event_id, delivery_id) = (short_id(&event.id, ID), short_id(&delivery.id, ID));
    let event_payload = Payload { event_id: &event_id, delivery_id: &delivery_id };
    let metadata = Metadata { event_type: "pyqueryhub_event", event_payload };
    let message = render(&event);
    let new = || post::event(Place { channel, thread: None }, &event, &message, &metadata);
    let reply = |opening: &Reference| {
        let place = Place { channel: &opening.channel, thread: Some(&opening.ts) };
        match post::event(place, &event, &message, &metadata) {
            // A direct message's channel may be gone where the person is still there, or the person with it.
            Err(failure) if answers::is_thread(&failure) || is_elsewhere(&failure, opening, channel) => new(),
            posted => posted,
        }
    };
    let posted = match (delivery.opened_by.as_deref().and_then(Reference::read), &event.detail) {
        (None, _) => new(),
        (Some(opening), Detail::Resolved(_)) => match (opening.update(&message)?, resolutions) {
            (true, Resolutions::Thread) => reply(&opening),
            _ => new(),
        },
        (Some(opening), _) => reply(&opening),
    }?;
    Ok(receipt(posted))
}

fn is_elsewhere(failure: &Failure, opening: &Reference, channel: &str) -> bool {
    failure.kind == FailureKind::Unreachable && opening.channel != channel
}

fn receipt(posted: Posted) -> Receipt {
    let Posted { channel, ts, warning } = posted;
    if channel.is_empty() || ts.is_empty() {
        return Receipt::new().warning("Slack did not say where the message is, so nothing can follow up on it.");
    }
    let receipt =
        Receipt { permalink: permalink(&channel, &ts), warnings: warning.into_iter().collect(), ..Receipt::new() };
    receipt.reference(Reference { channel, ts }.write())
}

/// Where people see the message. It is there without a link too.
fn permalink(channel: &str, ts: &str) -> Option<alloc::string::String> {
    let parameters = [("channel", channel), ("message_ts", ts)];
    let answer = api::ask("chat.getPermalink", &parameters, Some(PATIENCE)).and_then(|answer| api::read(&answer));
    match answer {
        Ok(said) => said["permalink"].as_str().map(alloc::borrow::ToOwned::to_owned),
        Err(failure) => {
            log::warn(&alloc::format!("no link to the message: {} ({})", failure.message, failure.code));
            None
        }
    }
}
