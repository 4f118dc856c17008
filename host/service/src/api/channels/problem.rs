//! What the API answers where a channel was not made, changed or used.

use axum::http::StatusCode;

use crate::api::problem::Problem;
use crate::channels::ChannelError;
use crate::event::EventError;
use crate::failure::FailureBody;

impl From<ChannelError> for Problem {
    fn from(error: ChannelError) -> Self {
        let words = error.to_string();
        match error {
            ChannelError::NotFound(name) => Self::not_found("channel", &name),
            ChannelError::Restricted => Self::new(StatusCode::FORBIDDEN, "channel-access-restricted", words),
            ChannelError::AliasTaken { .. } => Self::conflict("alias-taken", words).with("field", "alias"),
            ChannelError::UnknownType { known, .. } => {
                Self::unprocessable("unknown-type", words).with("field", "type").with("known", known)
            }
            ChannelError::NotGranted(_) => Self::conflict("not-granted", words),
            ChannelError::NeedsNoConnection(_) => Self::unprocessable("bad-value", words).with("field", "connection"),
            ChannelError::WhichConnection { known, .. } => {
                let known: Vec<String> = known.into_iter().map(|(id, _)| id).collect();
                Self::unprocessable("unknown-connection", words).with("field", "connection").with("known", known)
            }
            ChannelError::Lost(failure) => {
                Self::conflict("not-connected", words).with("failure", FailureBody::from(&failure))
            }
            ChannelError::Disconnected { .. } => Self::conflict("not-connected", words),
            ChannelError::BadSettings(problems) => {
                Self::unprocessable("bad-settings", words).with("problems", problems)
            }
            ChannelError::CheckFailed(failure) => {
                Self::unprocessable("check-failed", words).with("failure", FailureBody::from(&failure))
            }
            ChannelError::VersionMismatch { found, .. } => {
                Self::new(StatusCode::PRECONDITION_FAILED, "version-mismatch", words).with("version", found)
            }
            ChannelError::ChangedMeanwhile => Self::conflict("changed-meanwhile", words),
            ChannelError::Misfit(misfit) => misfit.into(),
            ChannelError::Quiet(error) => {
                Self::unprocessable("bad-value", format!("{error}.")).with("field", error.field)
            }
            ChannelError::InUse(alerts) => Self::conflict("channel-in-use", words).with("alerts", alerts),
            ChannelError::Event(error) => error.into(),
            ChannelError::Store(error) => error.into(),
            ChannelError::Vault(error) => error.into(),
        }
    }
}

impl From<EventError> for Problem {
    fn from(error: EventError) -> Self {
        let (line, column) = error.position.unzip();
        Self::unprocessable("bad-event", error.to_string())
            .with("path", &error.path)
            .with("line", line)
            .with("column", column)
    }
}
