//! The events that PagerDuty takes: what opens an alert, what resolves it, and what changes nothing but the timeline.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use pqh_channel_sdk::events::{Detail, Event};
use pqh_channel_sdk::plain::summary;
use pqh_channel_sdk::text::line_or;
use pqh_channel_sdk::time::rfc3339;
use pqh_channel_sdk::words::{TOO_LONG, Tone, VIEW_REPORT, Words};
use serde::Serialize;

use crate::details::Details;

/// How much of a report's name is shown, and the longest address; PagerDuty names no limit.
const NAME: usize = 250;
const ADDRESS: usize = 3000;
const CLIENT: &str = "PyQueryHub";

/// A request's body, without what is not there; the host places the key in it.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Body<'a> {
    routing_key: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dedup_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
}

#[derive(Debug, Serialize)]
struct Payload {
    summary: String,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
    custom_details: Details,
}

#[derive(Debug, Serialize)]
struct Link {
    href: String,
    text: &'static str,
}

impl<'a> Body<'a> {
    /// Resolves the alert with this key.
    pub(crate) fn resolve(key: &'a str) -> Self {
        Self { event_action: Some("resolve"), dedup_key: Some(key), ..Self::default() }
    }

    /// Opens the alert with this key, or adds to it where it is open. A test is never urgent.
    pub(crate) fn trigger(event: &Event, key: &'a str) -> Self {
        let mut body = Self::change(event);
        let class = match &event.detail {
            Detail::Notebook(_) => "notebook",
            Detail::Notice(_) => "notice",
            Detail::Test => "test",
            _ => "alert",
        };
        let severity = match Tone::of(event) {
            Tone::Critical if class != "test" => "critical",
            Tone::Warning if class != "test" => "warning",
            _ => "info",
        };
        if let Some(payload) = &mut body.payload {
            (payload.class, payload.severity) = (Some(class), Some(severity));
            if class == "test" {
                payload.summary.push_str(". It resolves itself: nobody has to act.");
            }
        }
        body.client_url = body.links.iter().find(|link| link.text == VIEW_REPORT).map(|link| link.href.clone());
        Self { event_action: Some("trigger"), dedup_key: Some(key), client: Some(CLIENT), ..body }
    }

    /// Opens no alert: a change event has neither key nor severity.
    pub(crate) fn change(event: &Event) -> Self {
        let words = Words::of(event);
        let mut custom_details = Details::of(event, &words);
        let (links, left_out) = words.links(ADDRESS);
        if left_out {
            custom_details.push(VIEW_REPORT, TOO_LONG.to_owned());
        }
        let links = links.into_iter().map(|(text, href)| Link { href, text }).collect();
        let payload = Payload {
            summary: summary(event),
            source: line_or(event.report.as_ref().map_or("", |report| &report.name), NAME, CLIENT),
            severity: None,
            timestamp: rfc3339(event.occurred_at),
            class: None,
            custom_details,
        };
        Self { payload: Some(payload), links, ..Self::default() }
    }
}
