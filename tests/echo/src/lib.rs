//! The channel type `echo`: posts what a delivery holds beside its words, and says where it can be found again. It takes no
//! digests.

#![no_std]

extern crate alloc;

use alloc::format;
use alloc::string::{String, ToString as _};

use pqh_channel_sdk::events::Detail;
use pqh_channel_sdk::http::secret;
use pqh_channel_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// The credential, and the field that holds it.
const URL: &str = "url";

/// What posts it.
struct Echo;

/// There is nothing to set but the secret URL.
#[derive(Deserialize)]
struct Settings {}

/// A message of text.
#[derive(Serialize)]
struct Message {
    text: String,
}

impl Channel for Echo {
    type Settings = Settings;

    fn describe() -> Descriptor {
        Descriptor::new("echo", "Echo", "Posts what a delivery holds beside its words.")
            .field(Field::secret_url(URL, "Webhook URL").required())
            .credential(Credential::new(URL, Placement::Address).to_host("hooks.slack.com"))
            .target([URL])
    }

    fn check(_: &Configuration<Settings>) -> Result<(), Failure> {
        Ok(())
    }

    fn deliver(delivery: &Delivery<Settings>) -> Result<Receipt, Failure> {
        let event = &delivery.event;
        let what = match &event.detail {
            Detail::Triggered(_) => "triggered",
            Detail::Resolved(_) => "resolved",
            Detail::Digest(_) => "digest",
            _ => "other",
        };
        let or_none = |text: &Option<String>| text.as_deref().unwrap_or("none").to_string();
        let text = format!(
            "{what} alert={} incident={} opened-by={}",
            or_none(&event.alert_id),
            or_none(&event.incident_id),
            or_none(&delivery.opened_by),
        );
        let answer = Request::post(secret(URL)).json(&Message { text }).send()?;
        match answer.status() {
            200 => Ok(Receipt::new().reference(format!("at-{}", delivery.id))),
            status => Err(Failure::unavailable(format!("http_{status}"), "The server did not take the message.")),
        }
    }
}

pqh_channel_sdk::export_channel!(Echo);
