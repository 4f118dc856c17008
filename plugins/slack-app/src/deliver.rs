//! One event into one channel: a new message, or what follows the message that opened the alert.

use alloc::{borrow::ToOwned, string::String};

use pqh_channel_sdk::events::Detail;
use pqh_channel_sdk::prelude::*;
use pqh_channel_sdk::text::short_id;
use pqh_channel_sdk::words::Words;
use slack_format::render_words;

use crate::api::{Metadata, Payload};
use crate::post::{Place, Posted};
use crate::update::Reference;
use crate::{CHANNEL, Settings, answers, api, people, post};

/// The longest id in a message's metadata.
const ID: usize = 255;

pub(crate) fn deliver(delivery: &Delivery<Settings>) -> Result<Receipt, Failure> {
    let Settings { channel, resolutions } = delivery.settings();
    if channel.is_empty() {
        return Err(Failure::unreachable("no_channel", "No Slack channel or person is chosen.")
            .remedy("Pick one in the notification channel's settings.")
            .field(CHANNEL));
    }
    let event = &delivery.event;
    let responders = people::known(&event.mentions);
    let words = Words { responders: responders.iter().map(String::as_str).collect(), ..Words::of(event) };
    let (event_id, delivery_id) = (short_id(&event.id, ID), short_id(&delivery.id, ID));
    let event_payload = Payload { event_id: &event_id, delivery_id: &delivery_id };
    let metadata = Metadata { event_type: "pyqueryhub_event", event_payload };
    let message = render_words(&words);
    let post = |place: Place<'_>| post::event(place, event, &words, &message, &metadata);
    let anew = Place { channel, thread: None };
    let reply = |opening: &Reference| match post(opening.thread()) {
        // Direct messages have a channel of their own, which may be gone where the person is not, or with the person.
        Err(refused) if answers::is_thread(&refused) || is_elsewhere(&refused, opening, channel) => post(anew),
        posted => posted,
    };
    let posted = match (delivery.opened_by.as_deref().and_then(Reference::read), &event.detail) {
        (None, _) => post(anew),
        (Some(opening), Detail::Resolved(_)) if !opening.update(&message)? || resolutions == "message" => post(anew),
        (Some(opening), _) => reply(&opening),
    }?;
    Ok(receipt(posted))
}

fn is_elsewhere(refused: &Failure, opening: &Reference, channel: &str) -> bool {
    refused.kind == FailureKind::Unreachable && opening.channel != channel
}

/// What there is to keep of a message. It is there without a link to it too.
fn receipt(Posted { at, warning }: Posted) -> Receipt {
    let parameters = [("channel", at.channel.as_str()), ("message_ts", &at.ts)];
    let permalink = match api::ask_briefly("chat.getPermalink", &parameters) {
        Ok(said) => said["permalink"].as_str().map(str::to_owned),
        Err(failure) => {
            answers::warn("no link to the message", &failure);
            None
        }
    };
    let (reference, warnings) = (serde_json::to_string(&at).ok(), warning.into_iter().collect());
    Receipt { reference, permalink, warnings, ..Receipt::new() }
}
