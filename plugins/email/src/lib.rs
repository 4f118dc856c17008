//! The channel type `email`: mails an event to people, through the relay that the operator configured.

#![no_std]

extern crate alloc;

mod form;
mod html;
mod message;
mod plain;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use pqh_channel_sdk::events::{Detail, Event};
use pqh_channel_sdk::mail::{self, Mail};
use pqh_channel_sdk::prelude::*;
use pqh_channel_sdk::text::line_or;
use pqh_channel_sdk::words::{UNTITLED, Words};
use serde::Deserialize;

/// The field of the addresses.
const TO: &str = "to";
/// How much of a title a subject shows.
const SUBJECT_LIMIT: usize = 150;
/// E-mail.
#[derive(Debug)]
pub struct Email;

/// Where mail goes.
#[derive(Debug, Deserialize)]
pub struct Settings {
    /// The addresses.
    to: Vec<String>,
}

impl Channel for Email {
    type Settings = Settings;

    fn describe() -> Descriptor {
        form::descriptor()
    }

    fn check(configuration: &Configuration<Settings>) -> Result<(), Failure> {
        let refused = mail::verify(&configuration.settings.to).map_err(of_mail)?;
        if refused.is_empty() {
            return Ok(());
        }
        let refused = mail::named(&refused);
        Err(Failure::rejected(
            "address_refused",
            format!("The mail relay takes no mail for {refused}; it takes it for the others."),
        )
        .remedy("Correct or remove what it refuses.")
        .field(TO))
    }

    fn deliver(delivery: &Delivery<Settings>) -> Result<Receipt, Failure> {
        let event = &delivery.event;
        let words = Words::of(event);
        let sent = Mail::to(&delivery.settings().to)
            .subject(subject(event, &words))
            .text(plain::render(&words))
            .html(html::render(&words)?)
            .conversation(event.incident_id.as_deref())
            .send()
            .map_err(of_mail)?;
        let receipt = Receipt::new().reference(sent.message_id);
        if sent.refused.is_empty() {
            return Ok(receipt);
        }
        let (refused, all) = (sent.refused.len(), delivery.settings().to.len());
        let named = mail::named(&sent.refused);
        Ok(receipt.warning(format!("{refused} of {all} addresses were refused by the mail relay: {named}")))
    }
}

/// What is wrong with addresses stands beside them.
fn of_mail(error: mail::Error) -> Failure {
    let is_theirs = matches!(error.kind, mail::ErrorKind::Denied | mail::ErrorKind::Unreachable);
    let failure = Failure::from(error);
    if is_theirs { failure.field(TO) } else { failure }
}

/// "🚨 Daily Sales Alert", and "Re: 🚨 Daily Sales Alert" when it is over: the same for trigger, repeats and resolution, since
/// Gmail and Outlook make a conversation of one subject alone (FACTS.md, 5).
fn subject(event: &Event, words: &Words<'_>) -> String {
    let sign = if let Detail::Resolved(_) = event.detail { "Re: 🚨" } else { words.sign };
    format!("{sign} {}", line_or(&event.title, SUBJECT_LIMIT, UNTITLED))
}

pqh_channel_sdk::export_channel!(Email);
