//! Words of `pqh alert`.

use std::{path::PathBuf, time::Duration};

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::{
    ListOptions,
    value::{cooldown, label, length, metric, since, time},
};

/// All that may change of an alert: at least one of them does. A group does not see what is flattened into its struct.
const CHANGES: [&str; 14] = [
    "name",
    "rules",
    "channels",
    "report",
    "report_url",
    "severity",
    "mentions",
    "labels",
    "cooldown",
    "frequency",
    "no_report",
    "no_mentions",
    "no_labels",
    "no_frequency",
];

/// About an organization's alerts.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertCommand {
    /// List the alerts.
    List,
    /// Show an alert: how it stands, what its last check found, and why people are told or not.
    Show(AlertName),
    /// Add an alert.
    Add {
        /// What it is called.
        #[arg(required_unless_present = "file", requires_all = ["rules", "channels"])]
        name: Option<String>,
        #[command(flatten)]
        definition: AlertOptions,
        /// The alert as JSON, as the API takes it; `-` reads standard input.
        #[arg(long, value_name = "ALERT.json", conflicts_with_all = ["name", "AlertOptions"])]
        file: Option<PathBuf>,
    },
    /// Change an alert; the next check is judged by what it is then.
    Update {
        #[command(flatten)]
        alert: AlertName,
        #[command(flatten)]
        changes: AlertChanges,
        /// Only if it still is this version, as `pqh alert show` tells it.
        #[arg(long, value_name = "VERSION")]
        if_version: Option<u64>,
    },
    /// Delete an alert, and cancel what waits of it; nobody is told.
    Delete(AlertName),
    /// Have an alert tell nobody, until `pqh alert unmute`; its checks are judged all the same.
    Mute {
        #[command(flatten)]
        alert: AlertName,
        /// Only for so long, like `2h`.
        #[arg(long = "for", value_name = "TIME", value_parser = length, conflicts_with = "until")]
        length: Option<Duration>,
        /// Only until then, like `2026-11-23T12:00:00Z`.
        #[arg(long, value_name = "TIME", value_parser = time)]
        until: Option<Timestamp>,
    },
    /// Have a muted alert tell people again.
    Unmute(AlertName),
    /// Post a check by hand, and see what came of it.
    Check {
        #[command(flatten)]
        alert: AlertName,
        /// The value of a rule's metric, like `"Revenue=42,750"`; repeat it for each.
        #[arg(long = "value", value_name = "METRIC=VALUE", required = true, value_parser = metric)]
        values: Vec<(String, String)>,
        /// When it was made, if not now: a time like `2026-11-23T12:00:00Z`, or how long ago, like `2h`.
        #[arg(long, value_name = "TIME", value_parser = since)]
        at: Option<Timestamp>,
    },
    /// List an alert's checks, the newest first, each with what it found and why nobody was told.
    Checks {
        #[command(flatten)]
        alert: AlertName,
        #[command(flatten)]
        list: ListOptions,
    },
}

/// Which alert.
#[derive(Debug, Args)]
pub(crate) struct AlertName {
    /// The alert's name or id.
    #[arg(value_name = "ALERT")]
    pub(crate) alert: String,
}

/// What an alert is.
#[derive(Debug, Default, Args)]
#[group(id = "AlertOptions", multiple = true)]
pub(crate) struct AlertOptions {
    /// A condition on one value, like `"Revenue < 50000"`; repeat it for each. One that holds triggers the alert.
    #[arg(id = "rules", long = "rule", value_name = "RULE")]
    pub(crate) rules: Vec<String>,
    /// A channel that is told, by alias or id; repeat it for each.
    #[arg(id = "channels", long = "channel", value_name = "CHANNEL")]
    pub(crate) channels: Vec<String>,
    /// The report that it watches.
    #[arg(long, value_name = "NAME")]
    pub(crate) report: Option<String>,
    /// Where the report is.
    #[arg(long, value_name = "URL", requires = "report")]
    pub(crate) report_url: Option<String>,
    /// How urgently people need to know; warning if nothing is said.
    #[arg(long)]
    pub(crate) severity: Option<Severity>,
    /// Who should respond: a user id, a group id or an e-mail address; repeat it for each.
    #[arg(id = "mentions", long = "mention", value_name = "WHO")]
    pub(crate) mentions: Vec<String>,
    /// A further fact, like `runbook=https://…`; repeat it for each.
    #[arg(id = "labels", long = "label", value_name = "KEY=VALUE", value_parser = label)]
    pub(crate) labels: Vec<(String, String)>,
    /// After a notification, how long checks that still hold are silent, like `30m`; `0` for not at all.
    #[arg(long, value_name = "TIME", value_parser = cooldown)]
    pub(crate) cooldown: Option<u64>,
    /// How often it is checked, in words, like `"Daily at 6 PM"`. Kept and shown.
    #[arg(long, value_name = "TEXT")]
    pub(crate) frequency: Option<String>,
}

/// What is to change of an alert.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
#[derive(Debug, Args)]
#[group(skip)]
#[command(group = ArgGroup::new("changes").args(CHANGES).required(true).multiple(true))]
pub(crate) struct AlertChanges {
    /// What it is called from now on.
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) definition: AlertOptions,
    /// Forget the report.
    #[arg(long, conflicts_with = "report")]
    pub(crate) no_report: bool,
    /// Forget who should respond.
    #[arg(long, conflicts_with = "mentions")]
    pub(crate) no_mentions: bool,
    /// Forget the further facts.
    #[arg(long, conflicts_with = "labels")]
    pub(crate) no_labels: bool,
    /// Forget how often it is checked.
    #[arg(long, conflicts_with = "frequency")]
    pub(crate) no_frequency: bool,
}

/// How urgently people need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look.
    Warning,
    /// Now: it waits for no quiet hours.
    Critical,
}
