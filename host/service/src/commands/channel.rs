//! `send`, `preview` and `check`: one channel, made of a component and settings for the length of one call.

use std::{path::Path, sync::Arc};

use pqh_runtime::{
    Channel, DeliveryRequest, Grant, LogLevel, LogLine, Outcome, SecretSource, contract::channel::Destination,
};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{
    Ending,
    input::{is_stdin, read_event},
    runtime,
};
use crate::{
    catalog::{self, Entry},
    cli::{ChannelOptions, EventOptions},
    error::CliError,
    output::{self, Format},
    settings::{self, Filled},
};

/// Delivers an event.
pub(crate) async fn send(
    path: &Path,
    event_options: &EventOptions,
    options: &ChannelOptions,
    folder: Option<&Path>,
    format: Format,
) -> Result<Ending, CliError> {
    let event = read_event(path, event_options.timezone.as_ref())?.event;
    let opened = open(options, folder, is_stdin(path), Purpose::Send).await?;
    // Each run is a delivery of its own: who was told before is told again.
    let id = format!("{}-{}", event.id, Uuid::now_v7().simple());
    let request = DeliveryRequest::first(id, event);
    let report = opened.channel.deliver(&request).await;
    tell_log(&report.log);
    output::delivery::sent(&request.event, &opened.place, &report.outcome, format);
    Ok(ending(&report.outcome))
}

/// Shows what would be sent.
pub(crate) async fn preview(
    path: &Path,
    event_options: &EventOptions,
    options: &ChannelOptions,
    folder: Option<&Path>,
    format: Format,
) -> Result<Ending, CliError> {
    let event = read_event(path, event_options.timezone.as_ref())?.event;
    let opened = open(options, folder, is_stdin(path), Purpose::Preview).await?;
    let preview = opened.channel.preview(&DeliveryRequest::first(event.id.clone(), event)).await;
    tell_log(&preview.log);
    output::delivery::previewed(&preview, format).map_err(|error| CliError::work("unprintable", error.to_string()))?;
    // A component that made its request did its part: what it makes of an answer that nobody gave says nothing.
    let made = !preview.requests.is_empty() || !preview.mails.is_empty();
    Ok(if made { Ending::Done } else { ending(&preview.outcome) })
}

/// Checks a channel's settings with its service.
pub(crate) async fn check(options: &ChannelOptions, folder: Option<&Path>, format: Format) -> Result<Ending, CliError> {
    let opened = open(options, folder, false, Purpose::Send).await?;
    let report = opened.channel.check().await;
    tell_log(&report.log);
    output::delivery::checked(&opened.place, &report.result, format);
    Ok(if report.result.is_ok() { Ending::Done } else { Ending::Failed })
}

fn ending(outcome: &Outcome) -> Ending {
    match outcome {
        Outcome::Delivered(_) => Ending::Done,
        Outcome::Failed(_) => Ending::Failed,
    }
}

/// What a channel is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Something may leave: a missing grant or secret is refused.
    Send,
    /// Nothing leaves: what is missing is only said.
    Preview,
}

/// A channel, and how to call it in what people read.
struct Opened {
    channel: Channel,
    place: String,
}

async fn open(
    options: &ChannelOptions,
    folder: Option<&Path>,
    stdin_taken: bool,
    purpose: Purpose,
) -> Result<Opened, CliError> {
    let entry = catalog::find(&runtime(Some(options))?, folder, &options.channel_type).await?;
    if purpose == Purpose::Send && entry.plugin.oauth2().is_some() {
        return Err(needs_connection(entry.id()));
    }
    let filled = settings::fill(entry.plugin.descriptor(), &options.settings, stdin_taken)?;
    let grant = grant(&entry, options, &filled, purpose)?;
    let place = place(&entry, &filled);
    let (plugin, secrets) = (&entry.plugin, Arc::new(filled.secrets));
    let channel = match purpose {
        Purpose::Send => plugin.configure(grant, filled.settings, secrets).await,
        // Shows what would be sent before there is a secret to send it with.
        Purpose::Preview => plugin.configure_preview(grant, None, filled.settings, secrets).await,
    }
    .map_err(|error| refused_settings(&error))?;
    Ok(Opened { channel, place })
}

/// The type posts through a workspace whose token only a service has.
fn needs_connection(channel_type: &str) -> CliError {
    let message = format!(
        "{channel_type} posts through a workspace that people connect, and the token for that is kept by a service \
         (`pqh serve`): there is none here to send with. Connect a workspace: `pqh connection connect {channel_type}`; add a \
         channel: `pqh channel add NAME --type {channel_type} --set …`; then `pqh channel test NAME` sends and `pqh channel \
         check NAME` checks. `pqh preview` shows without all that what would be sent."
    );
    CliError::input("needs-connection", message).with(json!({ "type": channel_type }))
}

fn refused_settings(error: &pqh_runtime::ConfigureError) -> CliError {
    let problems: Vec<_> =
        error.problems().iter().map(|problem| json!({ "field": problem.field, "message": problem.message })).collect();
    let variable = error.problems().first().map_or_else(String::new, |problem| {
        let key = &problem.field;
        format!("\nSettings are given as --set {key}=… or as {}", settings::variable(key))
    });
    CliError::input("bad-settings", format!("{error}{variable}")).with(json!({ "problems": problems }))
}

/// Built-in components get what they describe, any other only what the command line grants.
fn grant(entry: &Entry, options: &ChannelOptions, filled: &Filled, purpose: Purpose) -> Result<Grant, CliError> {
    if entry.is_built_in() {
        if options.grants.is_empty() {
            return Ok(Grant::described(&entry.plugin));
        }
        let message =
            format!("{} is built in and has what it describes: --grant is for components of --plugins", entry.id());
        return Err(CliError::input("needless-grant", message));
    }
    let mut grant = Grant::nothing(&entry.plugin);
    for host in &options.grants {
        grant = grant.allow(host).map_err(|error| CliError::input("bad-grant", format!("--grant {host}: {error}")))?;
    }
    let wanted = wanted(entry, filled);
    let open: Vec<&String> = wanted.iter().filter(|host| !covered(&options.grants, host)).collect();
    if open.is_empty() {
        return Ok(grant);
    }
    let flags: Vec<String> = open.iter().map(|host| format!("--grant {}", shell_word(host))).collect();
    let message = format!(
        "{} wants to send where it may not; if you trust this file with that, add: {}",
        entry.id(),
        flags.join(" ")
    );
    // Whoever granted some of them has seen the list, and meant it.
    if purpose == Purpose::Preview || open.len() < wanted.len() {
        tracing::warn!("{message}");
        return Ok(grant);
    }
    Err(CliError::input("missing-grant", message).with(json!({ "hosts": open, "flags": flags })))
}

/// The hosts that a component describes, those of its URL fields included.
fn wanted(entry: &Entry, filled: &Filled) -> Vec<String> {
    entry
        .plugin
        .descriptor()
        .destinations
        .iter()
        .flat_map(|destination| match destination {
            Destination::Host(pattern) => vec![pattern.clone()],
            Destination::Field(key) => origin(key, filled).and_then(|url| authority(&url)).into_iter().collect(),
            Destination::Recipients(key) => domains(key, filled),
            Destination::Other(_) => Vec::new(),
        })
        .collect()
}

/// The domains of the addresses in a field, as grants name them.
fn domains(key: &str, filled: &Filled) -> Vec<String> {
    let addresses = filled.settings.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut domains: Vec<String> =
        addresses.iter().filter_map(|address| Some(format!("@{}", address.as_str()?.rsplit_once('@')?.1))).collect();
    domains.sort();
    domains.dedup();
    domains
}

/// The URL of a field, or as much of it as may be shown.
fn origin(key: &str, filled: &Filled) -> Option<Url> {
    let text = match filled.settings.get(key) {
        Some(value) => value.as_str()?.to_owned(),
        None => filled.secrets.facts(key)?.origin?,
    };
    Url::parse(&text).ok()
}

fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Whether one of the grants is for this host or pattern. Only the runtime's own word counts; this is for the hint.
fn covered(grants: &[String], host: &str) -> bool {
    grants.iter().any(|grant| {
        grant.eq_ignore_ascii_case(host)
            || grant
                .strip_prefix('*')
                .is_some_and(|suffix| host.to_ascii_lowercase().ends_with(&suffix.to_ascii_lowercase()))
    })
}

/// As one writes it in a shell.
fn shell_word(text: &str) -> String {
    if text.contains('*') { format!("'{text}'") } else { text.to_owned() }
}

/// "Type name (target)", where the target shows no secret.
fn place(entry: &Entry, filled: &Filled) -> String {
    let descriptor = entry.plugin.descriptor();
    let parts: Vec<String> = descriptor
        .target
        .iter()
        .filter_map(|key| {
            if let Some(value) = filled.settings.get(key) {
                return Some(match value {
                    Value::Array(list) => few(list),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                });
            }
            authority(&origin(key, filled)?)
        })
        .collect();
    if parts.is_empty() { descriptor.name.clone() } else { format!("{}, {}", descriptor.name, parts.join(", ")) }
}

/// The first of them, and how many more.
fn few(list: &[Value]) -> String {
    const TOLD: usize = 3;
    let told: Vec<&str> = list.iter().filter_map(Value::as_str).take(TOLD).collect();
    match list.len().saturating_sub(TOLD) {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

/// The component's own words, with ours on standard error.
fn tell_log(lines: &[LogLine]) {
    for LogLine { level, message } in lines {
        match level {
            LogLevel::Debug => tracing::debug!(target: "component", "{message}"),
            LogLevel::Info => tracing::info!(target: "component", "{message}"),
            LogLevel::Warn => tracing::warn!(target: "component", "{message}"),
            LogLevel::Error => tracing::error!(target: "component", "{message}"),
        }
    }
}
