//! Why an alert was not made, changed or checked.

use crate::access::misfit::Misfit;
use crate::event::EventError;
use crate::store::StoreError;

/// Each says what was expected, what came, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AlertError {
    #[error("There is no alert {0:?} in this organization. `pqh alert list` shows those that there are.")]
    NotFound(String),
    #[error("{0}")]
    Misfit(#[from] Misfit),
    #[error(
        "`name`: expected a name of this organization's own; {0:?} is the name of another alert already (capital letters \
         do not count). Take another one, or change that alert."
    )]
    NameTaken(String),
    #[error("`{path}`: {message}")]
    BadDefinition { path: String, message: String },
    #[error("`{path}`: no channel has the alias or id {found:?}. `pqh channel list` shows those that there are.")]
    UnknownChannel { path: String, found: String },
    #[error("Expected the alert at version {expected}; it is at version {found}. Read it again and repeat the change.")]
    VersionMismatch { expected: String, found: i64 },
    #[error("Another request changed the alert meanwhile. Read it again and repeat the change.")]
    ChangedMeanwhile,
    #[error(
        "`at`: expected a time that is at most 5 minutes ahead of the service's clock, which says {now}; found {found}. \
         Nothing was kept. Set the clock of whoever checks, or leave `at` out."
    )]
    TooEarly { now: String, found: String },
    #[error("The check was refused and the alert left as it is: {}", .0.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; "))]
    BadValues(Vec<ValueProblem>),
    #[error(
        "Another check of this alert was kept for {at}: a moment has one. Nothing was kept; give this check its own time."
    )]
    Conflict { at: String },
    #[error(
        "{most} deliveries of this organization wait already, which is the most: the check was not kept and the alert left \
         as it is. Try again later, or see what holds them up by `pqh deliveries list`."
    )]
    QueueFull { most: i64 },
    #[error("The alert, or a channel of it, changes all the time: the check was not kept. Send it again.")]
    Restless,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with a value of a check.
#[derive(Clone, Debug)]
pub(crate) struct ValueProblem {
    pub(crate) metric: String,
    pub(crate) message: String,
}

impl AlertError {
    /// Something of the definition that an event could not carry.
    pub(super) fn of_event(error: EventError) -> Self {
        let path = if error.path == "title" { "name".to_owned() } else { error.path };
        Self::BadDefinition { path, message: error.message }
    }
}
