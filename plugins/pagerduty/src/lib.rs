//! The channel type `pagerduty`: opens, repeats and resolves PagerDuty's alerts through its Events API v2.

#![no_std]

extern crate alloc;

mod answers;
mod body;
mod details;
mod form;

use alloc::borrow::Cow;
use alloc::format;

use pqh_channel_sdk::events::Detail;
use pqh_channel_sdk::prelude::*;
use pqh_channel_sdk::text::short_id;
use pqh_channel_sdk::words::Tone;
use serde::Deserialize;

use body::Body;

/// The credential, and the field that holds it: the integration key.
const ROUTING_KEY: &str = "routing-key";
/// Where alerts go.
const ALERTS: &str = "/v2/enqueue";
/// Where goes what pages nobody.
const CHANGES: &str = "/v2/change/enqueue";
/// `dedup_key` <= 255 characters (FACTS.md, 2).
const KEY_LIMIT: usize = 255;
/// The key of an alert that never is, so that resolving it changes nothing.
const CHECK_KEY: &str = "pyqueryhub-check";

const CHANGED: &str = "It went out as a change event, which pages nobody and opens no alert: PagerDuty shows it among the \
                       service's recent changes, where the account has them.";
const TESTED: &str = "PagerDuty got an alert of severity info, and its resolution at once, so that nothing stays open. Whoever \
                      is on call may have been notified.";
const NOTHING_TO_RESOLVE: &str = "The event names neither its alert nor its incident, so PagerDuty may have found nothing to \
                                  resolve: look whether the alert is still open there.";

/// PagerDuty.
#[derive(Debug)]
pub struct PagerDuty;

/// What an administrator sets beside the key.
#[derive(Debug, Deserialize)]
pub struct Settings {
    /// Where the account lives.
    #[serde(default)]
    pub region: Region,
}

/// PagerDuty's service regions.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// `app.pagerduty.com`.
    #[default]
    Us,
    /// `app.eu.pagerduty.com`.
    Eu,
}

impl Region {
    /// Where its events go.
    pub(crate) const fn host(self) -> &'static str {
        match self {
            Self::Us => "events.pagerduty.com",
            Self::Eu => "events.eu.pagerduty.com",
        }
    }
}

impl Channel for PagerDuty {
    type Settings = Settings;

    fn describe() -> Descriptor {
        form::descriptor()
    }

    fn check(configuration: &Configuration<Settings>) -> Result<(), Failure> {
        send(configuration.settings.region, &Body::resolve(CHECK_KEY), CHECK_KEY).map(drop)
    }

    fn deliver(delivery: &Delivery<Settings>) -> Result<Receipt, Failure> {
        let region = delivery.settings().region;
        let event = &delivery.event;
        match &event.detail {
            Detail::Triggered(_) => open(region, event, &alert_key(event)),
            Detail::Resolved(_) => {
                let key = alert_key(event);
                let receipt = send(region, &Body::resolve(&key), &key)?;
                Ok(if key == event_key(event) { receipt.warning(NOTHING_TO_RESOLVE) } else { receipt })
            }
            Detail::Notebook(_) | Detail::Notice(_) if Tone::of(event) <= Tone::Info => change(region, event),
            Detail::Notebook(_) | Detail::Notice(_) => open(region, event, &event_key(event)),
            Detail::Test => test(region, event),
            // The host makes none for this type.
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

/// What this event alone has.
fn event_key(event: &Event) -> Cow<'_, str> {
    short_id(&event.id, KEY_LIMIT)
}

fn open(region: Region, event: &Event, key: &str) -> Result<Receipt, Failure> {
    send(region, &Body::trigger(event, key), key)
}

/// An alert that is there to be seen, and resolved at once.
fn test(region: Region, event: &Event) -> Result<Receipt, Failure> {
    let key = event_key(event);
    let receipt = open(region, event, &key)?;
    send(region, &Body::resolve(&key), &key).map_err(|failure| Failure {
        message: format!("The test's alert was opened, but not resolved: {}", failure.message),
        ..failure
    })?;
    Ok(receipt.warning(TESTED))
}

/// What is good to know, and no reason to wake anybody. It has no deduplication key: twice it would be shown twice.
fn change(region: Region, event: &Event) -> Result<Receipt, Failure> {
    let answer = request(region, CHANGES, &Body::change(event)).send()?;
    answers::of_change(&answer)?;
    Ok(Receipt::new().warning(CHANGED))
}

/// The deduplication key makes it harmless to send the same again.
fn send(region: Region, body: &Body<'_>, key: &str) -> Result<Receipt, Failure> {
    let answer = request(region, ALERTS, body).repeatable().send()?;
    answers::of_alert(&answer, key)
}

fn request(region: Region, path: &str, body: &Body<'_>) -> Request {
    Request::post(format!("https://{}{path}", region.host())).credential(ROUTING_KEY).json(body)
}

pqh_channel_sdk::export_channel!(PagerDuty);
