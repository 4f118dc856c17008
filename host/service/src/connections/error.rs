//! Why a workspace was not connected, or a connection not used: for the API's callers, and for people in front of a page.

use pqh_runtime::contract::types::Failure;

use crate::keys::KeyError;
use crate::store::StoreError;
use crate::vault::VaultError;

/// What the API answers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    #[error("There is no connection {0:?} in this organization. `pqh connection list` shows those that there are.")]
    NotFound(String),
    #[error("{} connections of this organization are called {name:?}: say which by its id: {}.", .known.len(), ids(.known))]
    Several { name: String, known: Vec<(String, String)> },
    #[error("Expected a channel type whose service is connected: {}; found {found:?}.", listed(.known))]
    UnknownType { found: String, known: Vec<String> },
    #[error("The channel type {0} needs no connection: add channels of it at once.")]
    NothingToConnect(String),
    #[error(
        "Connecting {0} is not set up: the operator has to write `public_url` and the section [connections.{0}] into the \
         configuration, and restart the service."
    )]
    NotConfigured(String),
    #[error(
        "The channel type {channel_type} may not connect: {reason}. The operator has to allow it (pqh plugin grant)."
    )]
    NotGranted { channel_type: String, reason: String },
    #[error("Channel Access Restricted. Expected an organization with a paid plan; this one has the plan \"free\".")]
    Restricted,
    #[error(
        "The connection is used by {}: nothing was disconnected. Delete these channels first, or repeat it with \
         `?force=true` (`--force`): they are paused then, until the workspace is connected again.", named(.0)
    )]
    InUse(Vec<String>),
    #[error(
        "The workspace {0:?} was connected again meanwhile: nothing was disconnected. Repeat it, if it is to be \
         disconnected all the same."
    )]
    ConnectedAgain(String),
    #[error("{} {}", .0.message, .0.remedy)]
    Lost(Failure),
    #[error("The workspace {name:?} was disconnected. Connect it again: pqh connection connect {channel_type}.")]
    Disconnected { name: String, channel_type: String },
    #[error("no random numbers can be had: {0}")]
    Chance(getrandom::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// What stands in a person's way. Each has a page of its own.
#[derive(Debug)]
pub(crate) enum Obstacle {
    /// Nobody here sent them, or not with this.
    Forged,
    /// They began in another browser.
    OtherBrowser,
    /// The link, what came back, or the question was used before.
    Replayed,
    Expired,
    /// They said no at the service.
    Denied,
    /// The service's page gave another error: its word.
    Service(String),
    /// The service gave no whole answer.
    NoAnswer,
    /// The service or its component refuses: why.
    Refused(Failure),
    /// Another organization connected the workspace.
    OtherOrganization {
        workspace: String,
    },
    /// Whoever began it may not connect any more.
    NotAllowed,
    /// The operator's configuration changed meanwhile.
    NotSetUp,
    /// Too many people at once.
    Busy,
    /// Trouble of ours, which is in the log.
    Trouble,
}

impl From<getrandom::Error> for ConnectionError {
    // The crate's errors are none without its feature `std`.
    fn from(error: getrandom::Error) -> Self {
        Self::Chance(error)
    }
}

impl<E: Into<ConnectionError>> From<E> for Obstacle {
    fn from(error: E) -> Self {
        tracing::error!("a person could not connect: {}", error.into());
        Self::Trouble
    }
}

/// Connections by id and channel type.
fn ids(known: &[(String, String)]) -> String {
    known.iter().map(|(id, channel_type)| format!("{id} ({channel_type})")).collect::<Vec<_>>().join(", ")
}

fn listed(known: &[String]) -> String {
    if known.is_empty() { "there is none".to_owned() } else { known.join(", ") }
}

/// Channels by their aliases.
fn named(aliases: &[String]) -> String {
    let word = if aliases.len() == 1 { "the channel" } else { "the channels" };
    format!("{word} {}", aliases.iter().map(|alias| format!("{alias:?}")).collect::<Vec<_>>().join(", "))
}
