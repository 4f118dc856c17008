//! The channel type `bench-webhook`: the message of `slack-webhook`, sent at a pace that no benchmark reaches.
//!
//! It does not depend on `slack-webhook` itself: a component that is also another's dependency would be built twice, with
//! and without its exports, into one and the same file.

#![no_std]

extern crate alloc;

use alloc::format;

use pqh_channel_sdk::http::secret;
use pqh_channel_sdk::prelude::*;
use serde::Deserialize;

/// The credential, and the field that holds it.
const URL: &str = "url";

/// What posts the message of a webhook.
struct BenchWebhook;

/// There is nothing to set but the secret URL.
#[derive(Deserialize)]
struct Settings {}

impl Channel for BenchWebhook {
    type Settings = Settings;

    fn describe() -> Descriptor {
        Descriptor::new(
            "bench-webhook",
            "Benchmark (incoming webhook)",
            "Posts what slack-webhook posts, as fast as it can.",
        )
        .field(Field::secret_url(URL, "Webhook URL").required())
        .credential(Credential::new(URL, Placement::Address).to_host("hooks.slack.com"))
        .target([URL])
        .pace_per_target(60_000, 1_000)
    }

    fn check(_: &Configuration<Settings>) -> Result<(), Failure> {
        Ok(())
    }

    fn deliver(delivery: &Delivery<Settings>) -> Result<Receipt, Failure> {
        let answer = Request::post(secret(URL)).json(&slack_format::render(&delivery.event)).send()?;
        match answer.status() {
            200 => Ok(Receipt::new()),
            status => Err(Failure::rejected(format!("http_{status}"), "The benchmark's server refused the message.")),
        }
    }
}

pqh_channel_sdk::export_channel!(BenchWebhook);
