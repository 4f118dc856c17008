//! Commands that act through the HTTP API of a service.

pub(super) mod alert;
pub(super) mod audit;
pub(super) mod channel;
pub(super) mod connection;
pub(super) mod deliveries;
pub(super) mod event;
pub(super) mod member;
pub(super) mod organization;
pub(super) mod plugin;
pub(super) mod token;
mod watch;

use clap::ValueEnum;
use serde_json::Value;

use super::Ending;
use crate::{
    client::Client,
    error::CliError,
    output::{self, Format},
};

/// A list, with a word to those who watch a long one come.
async fn list(
    client: &Client,
    path: &[&str],
    query: &[(&str, &str)],
    limit: Option<usize>,
    format: Format,
) -> Result<Value, CliError> {
    let reading = |count| output::progress(&format!("{count} read, going on"), format);
    client.list(path, query, limit, reading).await
}

/// Says where a list was cut off.
fn tell_cut(list: &Value, format: Format) {
    if !list["next_cursor"].is_null() {
        output::remark("There are more: --limit N shows more of them, --all all.", format);
    }
}

/// The word of the command line, which is that of the API too.
fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// The query that has something done all the same.
fn forced(force: bool) -> &'static [(&'static str, &'static str)] {
    if force { &[("force", "true")] } else { &[] }
}

/// What was removed: nothing is left to print as JSON but that it is done.
fn done(text: &str, format: Format) -> Result<Ending, CliError> {
    output::answer(&serde_json::json!({ "done": true }), format, || Ok(text.to_owned()))?;
    Ok(Ending::Done)
}
