//! Events that waited, told as one: a summary of each, kept as JSON.

use jiff::tz::TimeZone;
use pqh_runtime::contract::events::{Detail, Digest, Event, Report, Severity, State, Summary};
use serde::{Deserialize, Serialize};

use super::time::local_time;
use super::{EventError, read_kept};
use crate::clock::Millis;

/// Characters of a message's start.
const TEXT: usize = 300;

/// What a digest tells of one event. Local times are told anew whenever it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Summarized {
    event_id: String,
    title: String,
    state: Word,
    severity: Level,
    /// Milliseconds since 1970.
    occurred_at: u64,
    report: Option<(String, Option<String>)>,
    text: String,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Triggered,
    Resolved,
    Notebook,
    Notice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Info,
    Warning,
    Critical,
}

#[derive(Serialize, Deserialize)]
struct Body<S> {
    digest: Vec<S>,
}

/// A summary of an event as it was kept; none where it cannot be read.
pub(crate) fn summarize(body: &str, key: &str, zone: &TimeZone, accepted_at: Millis) -> Option<Summarized> {
    let event = read_kept(body, zone, "", accepted_at).ok()?;
    let (state, text) = match &event.detail {
        Detail::Triggered(trigger) => {
            let first = trigger.broken_rules.first()?;
            let rule =
                format!("{} {} {} (Current: {})", first.metric, first.comparison, first.threshold, first.current);
            match trigger.broken_rules.len() - 1 {
                0 => (Word::Triggered, rule),
                more => (Word::Triggered, format!("{rule} and {more} more")),
            }
        }
        Detail::Resolved(_) => (Word::Resolved, "Returned to an 'ok' state".to_owned()),
        Detail::Notebook(run) => (Word::Notebook, run.message.clone()),
        Detail::Notice(notice) => (Word::Notice, notice.message.clone()),
        Detail::Digest(_) | Detail::Test => return None,
    };
    let severity = match event.severity {
        Severity::Info => Level::Info,
        Severity::Warning => Level::Warning,
        Severity::Critical => Level::Critical,
    };
    Some(Summarized {
        event_id: key.to_owned(),
        title: event.title,
        state,
        severity,
        occurred_at: event.occurred_at,
        report: event.report.map(|report| (report.name, report.url)),
        text: text.chars().take(TEXT).collect(),
    })
}

/// The digest as it is kept.
pub(crate) fn compose(told: &[&Summarized]) -> String {
    serde_json::to_string(&Body { digest: told.to_vec() }).unwrap_or_default()
}

/// What a digest of so many is called.
pub(crate) fn title(count: usize) -> String {
    format!("{count} messages that waited")
}

/// That of the most urgent.
pub(crate) fn severity(told: &[&Summarized]) -> &'static str {
    match told.iter().map(|summary| summary.severity).max() {
        Some(Level::Critical) => "critical",
        Some(Level::Warning) => "warning",
        Some(Level::Info) | None => "info",
    }
}

/// Reads a digest as it was kept, to be told in the organization's time zone and language.
pub(crate) fn read(body: &str, zone: &TimeZone, locale: &str, accepted_at: Millis) -> Result<Event, EventError> {
    let Body { digest } = serde_json::from_str::<Body<Summarized>>(body).map_err(|error| EventError {
        path: "digest".to_owned(),
        message: error.to_string(),
        position: None,
    })?;
    let occurred_at = u64::try_from(accepted_at).unwrap_or_default();
    let severity = digest.iter().map(|summary| summary.severity).max().unwrap_or(Level::Info);
    let title = title(digest.len());
    let summaries = digest.into_iter().map(|summary| told(summary, zone)).collect();
    Ok(Event {
        id: String::new(),
        alert_id: None,
        incident_id: None,
        title,
        report: None,
        severity: level(severity),
        occurred_at,
        occurred_at_local: local_time(occurred_at, zone),
        locale: locale.to_owned(),
        detail: Detail::Digest(Digest { summaries }),
        mentions: Vec::new(),
        labels: Vec::new(),
        attributes: Vec::new(),
    })
}

fn told(summary: Summarized, zone: &TimeZone) -> Summary {
    let Summarized { event_id, title, state, severity, occurred_at, report, text } = summary;
    Summary {
        event_id,
        title,
        state: match state {
            Word::Triggered => State::Triggered,
            Word::Resolved => State::Resolved,
            Word::Notebook => State::Notebook,
            Word::Notice => State::Notice,
        },
        severity: level(severity),
        occurred_at,
        occurred_at_local: local_time(occurred_at, zone),
        report: report.map(|(name, url)| Report { name, url }),
        text,
    }
}

fn level(level: Level) -> Severity {
    match level {
        Level::Info => Severity::Info,
        Level::Warning => Severity::Warning,
        Level::Critical => Severity::Critical,
    }
}
