//! The channel type `pagerduty`: opens, repeats and resolves PagerDuty's alerts through its Events API v2.

#![no_std]

extern crate alloc;

mod answers;
mod body;
mod details;
mod form;

use alloc::{borrow::Cow, format, string::String};

use pqh_channel_sdk::events::Detail;
use pqh_channel_sdk::prelude::*;
use pqh_channel_sdk::text::short_id;
use pqh_channel_sdk::words::Tone;
use serde::Deserialize;

use body::Body;

/// The credential, and the field that holds it: the integration key.
const ROUTING_KEY: &str = "routing-key";
/// Where accounts live (FACTS.md, 1).
const US: &str = "events.pagerduty.com";
const EU: &str = "events.eu.pagerduty.com";
/// Where alerts go, and what pages nobody.
const ALERTS: &str = "/v2/enqueue";
const CHANGES: &str = "/v2/change/enqueue";
/// `dedup_key` <= 255 characters (FACTS.md, 2).
const KEY_LIMIT: usize = 255;
/// The key of an alert that never is, so that resolving it changes nothing.
const CHECK_KEY: &str = "pyqueryhub-check";

const CHANGED: &str = "It went out as a change event, which pages nobody and opens no alert: PagerDuty shows it among the \
                       service's recent changes, where the account has them.";
const TESTED: &str = "PagerDuty got an alert of severity info, and its resolution at once, so that nothing stays open. Whoever \
                      is on call may have been notified.";
/// PagerDuty.
#[derive(Debug)]
pub struct PagerDuty;

/// What an administrator sets beside the key: "us", or "eu" for accounts at `app.eu.pagerduty.com`.
#[derive(Debug, Deserialize)]
pub struct Settings {
    #[serde(default)]
    region: String,
}

impl Channel for PagerDuty {
    type Settings = Settings;

    fn describe() -> Descriptor {
        form::descriptor()
    }

    fn check(configuration: &Configuration<Settings>) -> Result<(), Failure> {
        send(&configuration.settings, &Body::resolve(CHECK_KEY), CHECK_KEY).map(drop)
    }

    fn deliver(delivery: &Delivery<Settings>) -> Result<Receipt, Failure> {
        let (settings, event) = (delivery.settings(), &delivery.event);
        let (alert_key, event_key) = (alert_key(event), short_id(&event.id, KEY_LIMIT));
        match &event.detail {
            Detail::Triggered(_) => send(settings, &Body::trigger(event, &alert_key), &alert_key),
            Detail::Resolved(_) => send(settings, &Body::resolve(&alert_key), &alert_key),
            Detail::Notebook(_) | Detail::Notice(_) if Tone::of(event) <= Tone::Info => change(settings, event),
            Detail::Notebook(_) | Detail::Notice(_) => send(settings, &Body::trigger(event, &event_key), &event_key),
            Detail::Test => test(settings, event, &event_key),
            Detail::Digest(_) => Err(Failure::rejected("digest", "A digest cannot be told as one alert.")
                .remedy("Report it to PyQueryHub support: PagerDuty takes each event by itself.")),
        }
    }
}

/// What an alert's triggers, repeats and resolution have in common.
fn alert_key(event: &Event) -> Cow<'_, str> {
    let named = [&event.alert_id, &event.incident_id].into_iter().flatten().find(|id| !id.trim().is_empty());
    short_id(named.unwrap_or(&event.id), KEY_LIMIT)
}

/// An alert that is there to be seen, and resolved at once.
fn test(settings: &Settings, event: &Event, key: &str) -> Result<Receipt, Failure> {
    let receipt = send(settings, &Body::trigger(event, key), key)?;
    send(settings, &Body::resolve(key), key).map_err(|failure| Failure {
        message: format!("The test's alert was opened, but not resolved: {}", failure.message),
        ..failure
    })?;
    Ok(receipt.warning(TESTED))
}

/// What is good to know, and no reason to wake anybody. It has no deduplication key: twice it would be shown twice.
fn change(settings: &Settings, event: &Event) -> Result<Receipt, Failure> {
    answers::of_change(&request(settings, CHANGES, &Body::change(event)).send()?)?;
    Ok(Receipt::new().warning(CHANGED))
}

/// The deduplication key makes it harmless to send the same again.
fn send(settings: &Settings, body: &Body<'_>, key: &str) -> Result<Receipt, Failure> {
    answers::of_alert(&request(settings, ALERTS, body).repeatable().send()?, key)
}

fn request(settings: &Settings, path: &str, body: &Body<'_>) -> Request {
    let host = if settings.region == "eu" { EU } else { US };
    Request::post(format!("https://{host}{path}")).credential(ROUTING_KEY).json(body)
}

pqh_channel_sdk::export_channel!(PagerDuty);
