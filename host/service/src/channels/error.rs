//! Why a channel was not made, changed or used.

use pqh_runtime::FieldProblem;
use pqh_runtime::contract::types::Failure;

use crate::access::misfit::Misfit;
use crate::event::EventError;
use crate::quiet::QuietError;
use crate::store::StoreError;
use crate::store::connections::ConnectionRow;
use crate::vault::VaultError;

/// Each says what was expected, what came, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChannelError {
    #[error("There is no channel {0:?} in this organization. `pqh channel list` shows those that there are.")]
    NotFound(String),
    /// Both causes that the guide knows of, since the words are the same.
    #[error(
        "Channel Access Restricted. Expected an organization with a paid plan; this one has the plan \"free\". Upgrade to \
         a paid plan. Where the plan is paid and a channel is refused all the same, it is private and the bot is not in it: \
         invite the bot to the target channel."
    )]
    Restricted,
    #[error("{0}")]
    Misfit(#[from] Misfit),
    #[error(
        "`alias`: expected a name of this organization's own; {alias:?} is the alias of another channel already (capital \
         letters do not count). Take another one, or change that channel."
    )]
    AliasTaken { alias: String },
    #[error("`type`: expected one of {}; found {found:?}. The operator installs others by the `plugins` folder.", listed(.known))]
    UnknownType { found: String, known: Vec<String> },
    #[error(
        "The channel type {0} is installed, but it may not do anything yet: the operator has to allow it (pqh plugin grant \
         {0})."
    )]
    NotGranted(String),
    #[error("`connection`: the channel type {0} needs no connection; leave it out.")]
    NeedsNoConnection(String),
    #[error("`connection`: expected {}; found {}.", connections(.channel_type, .known), quoted(.found.as_deref()))]
    WhichConnection { channel_type: String, found: Option<String>, known: Vec<(String, String)> },
    #[error("{} {}", .0.message, .0.remedy)]
    Lost(Failure),
    #[error("The workspace {name:?} was disconnected. Connect it again: pqh connection connect {channel_type}.")]
    Disconnected { name: String, channel_type: String },
    #[error("The settings do not fit the channel type: {}", sentences(.0))]
    BadSettings(Vec<FieldProblem>),
    #[error("The check failed, and nothing was saved: {} {}", .0.message, .0.remedy)]
    CheckFailed(Failure),
    #[error(
        "Expected the channel at version {expected}; it is at version {found}. Read it again and repeat the change."
    )]
    VersionMismatch { expected: String, found: i64 },
    #[error("Another request changed the channel meanwhile. Read it again and repeat the change.")]
    ChangedMeanwhile,
    #[error("{0}")]
    Quiet(#[from] QuietError),
    #[error(
        "The channel is used by {}: nothing was deleted. Have these alerts tell another channel, or repeat it with \
         `?force=true` (`--force`), and they tell this one no more.", named(.0)
    )]
    InUse(Vec<String>),
    #[error("{0}")]
    Event(#[from] EventError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl ChannelError {
    /// That people disconnected it.
    pub(super) fn disconnected(row: &ConnectionRow) -> Self {
        Self::Disconnected { name: row.name.clone(), channel_type: row.channel_type.clone() }
    }
}

/// What there is to post through.
fn connections(channel_type: &str, known: &[(String, String)]) -> String {
    if known.is_empty() {
        return format!(
            "a connected workspace, and there is none yet: connect one (pqh connection connect {channel_type})"
        );
    }
    let known: Vec<String> = known.iter().map(|(id, name)| format!("{id} ({name})")).collect();
    format!("the id or the name of one of this organization's connections: {}", known.join(", "))
}

fn quoted(found: Option<&str>) -> String {
    found.map_or_else(|| "nothing".to_owned(), |found| format!("{:?}", found.chars().take(100).collect::<String>()))
}

fn listed(known: &[String]) -> String {
    if known.is_empty() { "no types at all".to_owned() } else { known.join(", ") }
}

/// Alerts by their names.
fn named(names: &[String]) -> String {
    let word = if names.len() == 1 { "the alert" } else { "the alerts" };
    format!("{word} {}", names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", "))
}

fn sentences(problems: &[FieldProblem]) -> String {
    let line = |problem: &FieldProblem| match problem.field.as_str() {
        "" => problem.message.clone(),
        field => format!("`{field}`: {}", problem.message),
    };
    problems.iter().map(line).collect::<Vec<_>>().join("; ")
}
