//! `pqh alert`.

use std::{io::Read as _, path::Path};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json, value::RawValue};

use super::{Ending, done, list, tell_cut, word};
use crate::{
    cli::{AlertChanges, AlertCommand, AlertName, AlertOptions, ServerOptions},
    client::{Client, wire::Alert},
    commands::input::is_stdin,
    error::CliError,
    output::{self, Format},
};

/// Runs one of them.
pub(crate) async fn run(command: AlertCommand, server: &ServerOptions, format: Format) -> Result<Ending, CliError> {
    let client = Client::open(server)?;
    match command {
        AlertCommand::List => {
            let all = list(&client, &["alerts"], &[], None, format).await?;
            output::answer(&all, format, || Ok(output::alerts::list(&client.items(&all)?, &TimeZone::system())))?;
        }
        AlertCommand::Show(AlertName { alert }) => show(&client, &alert, format).await?,
        AlertCommand::Add { file: Some(file), .. } => {
            let answer = client.post(&["alerts"], &read(&file)?).await?;
            tell(&client, &answer, format)?;
        }
        AlertCommand::Add { name, definition, file: None } => {
            let answer = client.post(&["alerts"], &Body::of(name, definition)).await?;
            tell(&client, &answer, format)?;
        }
        AlertCommand::Update { alert: AlertName { alert }, changes, if_version } => {
            let answer = client.patch(&["alerts", &alert], if_version, &Body::changed(changes)).await?;
            tell(&client, &answer, format)?;
        }
        AlertCommand::Delete(AlertName { alert }) => {
            client.delete(&["alerts", &alert], &[]).await?;
            return done(&format!("Deleted the alert {alert}, and cancelled what waited of it"), format);
        }
        AlertCommand::Mute { alert: AlertName { alert }, length, until } => {
            let until = match length {
                Some(length) => Some(after(length)?),
                None => until,
            };
            let body = until.map_or_else(|| json!({}), |until| json!({ "until": until.to_string() }));
            let answer = client.post(&["alerts", &alert, "mute"], &body).await?;
            tell(&client, &answer, format)?;
        }
        AlertCommand::Unmute(AlertName { alert }) => {
            let answer = client.post(&["alerts", &alert, "mute"], &json!({ "muted": false })).await?;
            tell(&client, &answer, format)?;
        }
        AlertCommand::Check { alert: AlertName { alert }, values, at } => {
            let answer = client.post(&["alerts", &alert, "checks"], &check(values, at)?).await?;
            let text = || Ok(output::alerts::checked(&client.understand(&answer)?, &TimeZone::system()));
            output::answer(&answer, format, text)?;
        }
        AlertCommand::Checks { alert: AlertName { alert }, list: options } => {
            let found = list(&client, &["alerts", &alert, "checks"], &[], options.limit(), format).await?;
            let text = || Ok(output::alerts::checks(&client.items(&found)?, &TimeZone::system()));
            output::answer(&found, format, text)?;
            tell_cut(&found, format);
        }
    }
    Ok(Ending::Done)
}

async fn show(client: &Client, alert: &str, format: Format) -> Result<(), CliError> {
    let answer = client.get(&["alerts", alert], &[]).await?;
    let text = || Ok(output::alerts::explain(&client.understand::<Alert>(&answer)?, &TimeZone::system()));
    output::answer(&answer, format, text)
}

/// An alert that was made or changed.
fn tell(client: &Client, answer: &Value, format: Format) -> Result<(), CliError> {
    let text = || Ok(output::alerts::show(&client.understand::<Alert>(answer)?, &TimeZone::system()));
    output::answer(answer, format, text)
}

/// What makes or changes an alert; what is absent stays, null removes.
#[derive(Debug, Default, Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    channels: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Said<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mentions: Option<Said<Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Said<Labels>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cooldown_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency: Option<Said<String>>,
}

/// What becomes of a part that may be left out.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Said<T> {
    /// It is this from now on.
    Set(T),
    /// It is not there any more: null.
    Removed,
}

/// Further facts, in the order in which they were said.
#[derive(Debug)]
struct Labels(Vec<(String, String)>);

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl Body {
    fn of(name: Option<String>, options: AlertOptions) -> Self {
        let AlertOptions { rules, channels, report, report_url, severity, mentions, labels, cooldown, frequency } =
            options;
        let report = report.map(|name| match report_url {
            Some(url) => json!({ "name": name, "url": url }),
            None => json!({ "name": name }),
        });
        Self {
            name,
            rules,
            channels,
            report: report.map(Said::Set),
            severity: severity.as_ref().map(word),
            mentions: (!mentions.is_empty()).then_some(Said::Set(mentions)),
            labels: (!labels.is_empty()).then_some(Said::Set(Labels(labels))),
            cooldown_seconds: cooldown,
            frequency: frequency.map(Said::Set),
        }
    }

    fn changed(changes: AlertChanges) -> Self {
        let AlertChanges { name, definition, no_report, no_mentions, no_labels, no_frequency } = changes;
        let mut body = Self::of(name, definition);
        if no_report {
            body.report = Some(Said::Removed);
        }
        if no_mentions {
            body.mentions = Some(Said::Removed);
        }
        if no_labels {
            body.labels = Some(Said::Removed);
        }
        if no_frequency {
            body.frequency = Some(Said::Removed);
        }
        body
    }
}

/// An alert as it was written, for the service to judge.
fn read(path: &Path) -> Result<Box<RawValue>, CliError> {
    let name = if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() };
    let mut text = String::new();
    let read = if is_stdin(path) {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    read.map_err(|error| CliError::input("unreadable-file", format!("{name}: {error}")))?;
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
        let position = json!({ "line": error.line(), "column": error.column() });
        CliError::input("bad-json", format!("{name}: {error}")).with(position)
    })
}

/// The body of a check. A value that is said twice is no value.
fn check(values: Vec<(String, String)>, at: Option<Timestamp>) -> Result<Value, CliError> {
    let mut by_metric = Map::new();
    for (metric, value) in values {
        if by_metric.insert(metric.clone(), value.into()).is_some() {
            let message = format!("{metric} has two values: which is meant?");
            return Err(CliError::input("value-twice", message).with(json!({ "metric": metric })));
        }
    }
    let mut body = json!({ "values": by_metric });
    if let Some(at) = at {
        body["at"] = at.to_string().into();
    }
    Ok(body)
}

/// The time after so long.
fn after(length: std::time::Duration) -> Result<Timestamp, CliError> {
    let until = SignedDuration::try_from(length).ok().and_then(|length| Timestamp::now().checked_add(length).ok());
    until.ok_or_else(|| CliError::input("bad-time", "--for: expected an end before the year 10000"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    /// The body that an `add` or `update` of this line sends.
    fn body(line: &[&str]) -> String {
        let line = ["pqh", "alert"].iter().chain(line);
        let Command::Alert { command, .. } = Cli::try_parse_from(line).unwrap().command else { panic!("no alert") };
        let body = match command {
            AlertCommand::Add { name, definition, .. } => Body::of(name, definition),
            AlertCommand::Update { changes, .. } => Body::changed(changes),
            other => panic!("{other:?}"),
        };
        serde_json::to_string(&body).unwrap()
    }

    #[test]
    fn an_alert_is_sent_as_it_was_said_its_labels_in_their_order() {
        let line = [
            "add",
            "Revenue",
            "--rule",
            "Revenue < 50000",
            "--channel",
            "sales",
            "--report",
            "Sales",
            "--report-url",
            "https://a.example/r",
            "--severity",
            "critical",
            "--mention",
            "U1",
            "--label",
            "team=sales",
            "--label",
            "runbook=https://a.example/?x=y",
            "--cooldown",
            "30m",
            "--frequency",
            "Daily at 6 PM",
        ];
        let expected = r#"{"name":"Revenue","rules":["Revenue < 50000"],"channels":["sales"],"report":{"name":"Sales","url":"https://a.example/r"},"severity":"critical","mentions":["U1"],"labels":{"team":"sales","runbook":"https://a.example/?x=y"},"cooldown_seconds":1800,"frequency":"Daily at 6 PM"}"#;
        assert_eq!(body(&line), expected);
    }

    #[test]
    fn a_change_says_no_more_than_what_changes_and_removes_by_null() {
        assert_eq!(body(&["update", "Revenue", "--cooldown", "0"]), r#"{"cooldown_seconds":0}"#);
        let line = ["update", "Revenue", "--name", "Sales", "--no-report", "--no-labels"];
        assert_eq!(body(&line), r#"{"name":"Sales","report":null,"labels":null}"#);
    }

    #[test]
    fn a_check_has_one_value_for_each_metric() {
        let values = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let at = Some("2026-11-23T12:00:00Z".parse().unwrap());
        let expected = json!({ "at": "2026-11-23T12:00:00Z", "values": { "Revenue": "42,750", "Orders": "12" } });
        assert_eq!(check(values(&[("Revenue", "42,750"), ("Orders", "12")]), at).unwrap(), expected);
        let twice = check(values(&[("Revenue", "1"), ("Revenue", "2")]), None);
        assert_eq!(twice.err().unwrap().code, "value-twice");
    }
}
