//! The channel type `webhook`: posts an event as JSON to any HTTPS receiver, signed by the Standard Webhooks specification.

#![no_std]

extern crate alloc;

mod answers;
mod body;
mod form;
mod headers;
mod json;

use alloc::string::String;

use pqh_channel_sdk::http::secret;
use pqh_channel_sdk::prelude::*;
use pqh_channel_sdk::standard_webhooks::webhook_id;
use serde::Deserialize;

use crate::json::Json;

/// Fields, and the credentials of the same names where they are secret.
const URL: &str = "url";
const SECRET: &str = "secret";
const HEADERS: &str = "headers";
const SECRET_HEADERS: &str = "secret-headers";

/// Signed webhooks.
#[derive(Debug)]
pub struct Webhook;

/// What is set beside the secrets, which the component never sees.
#[derive(Debug, Deserialize)]
pub struct Settings {
    /// One `Name: value` a line.
    headers: Option<String>,
}

impl Channel for Webhook {
    type Settings = Settings;

    fn describe() -> Descriptor {
        form::descriptor()
    }

    fn check(configuration: &Configuration<Settings>) -> Result<(), Failure> {
        // One id for all pings: whoever has seen one has seen all.
        let request = request(configuration, "ping", &body::ping())?.repeatable();
        answers::judge(&request.send()?)
    }

    fn deliver(delivery: &Delivery<Settings>) -> Result<Receipt, Failure> {
        let id = webhook_id(&delivery.id);
        let body = body::of(&delivery.event, &id, delivery.attempt)?;
        let request = request(&delivery.configuration, &id, &body)?;
        answers::judge(&request.send()?).map(|()| Receipt::new())
    }
}

/// A POST that the host signs.
fn request(configuration: &Configuration<Settings>, id: &str, body: &Json) -> Result<Request, Failure> {
    let mut request = Request::post(secret(URL)).json(body).header("webhook-id", id).credential(SECRET);
    for (name, value) in headers::read(configuration.settings.headers.as_deref().unwrap_or_default())? {
        request = request.header(name, value);
    }
    let sealed = configuration.has_credential(SECRET_HEADERS);
    Ok(if sealed { request.credential(SECRET_HEADERS) } else { request })
}

pqh_channel_sdk::export_channel!(Webhook);
