//! The channel type `teams`: posts an event as an Adaptive Card through a Workflows webhook of Microsoft Teams.

#![no_std]

extern crate alloc;

mod answers;
mod card;
mod form;
mod message;

use pqh_channel_sdk::http::secret;
use pqh_channel_sdk::prelude::*;
use serde::Deserialize;

pub use message::render;

/// The credential, and the field that holds it: the whole URL of the workflow's trigger.
const URL: &str = "url";

/// Microsoft Teams through a Workflows webhook.
#[derive(Debug)]
pub struct Teams;

/// There is nothing to set but the secret URL, which the component never sees.
#[derive(Debug, Deserialize)]
pub struct Settings {}

impl Channel for Teams {
    type Settings = Settings;

    fn describe() -> Descriptor {
        form::descriptor()
    }

    fn check(_: &Configuration<Settings>) -> Result<(), Failure> {
        // No JSON, and so refused before any run, whatever the workflow expects (FACTS.md, 7).
        let answer = Request::post(secret(URL)).body("application/json", "check").repeatable().send()?;
        answers::of_check(&answer)
    }

    fn deliver(delivery: &Delivery<Settings>) -> Result<Receipt, Failure> {
        let body = render(&delivery.event);
        let answer = Request::post(secret(URL)).body("application/json; charset=utf-8", body).send()?;
        answers::of_delivery(&answer)?;
        // It finds the run in the workflow's history.
        Ok(Receipt { reference: answer.header("x-ms-workflow-run-id").map(Into::into), ..Receipt::new() })
    }
}

pqh_channel_sdk::export_channel!(Teams);
