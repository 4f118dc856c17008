//! What the API answers where an alert was not made, changed or checked.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::StatusCode;

use crate::alerts::AlertError;
use crate::api::problem::Problem;

impl From<AlertError> for Problem {
    fn from(error: AlertError) -> Self {
        let words = error.to_string();
        match error {
            AlertError::NotFound(name) => Self::not_found("alert", &name),
            AlertError::Misfit(misfit) => misfit.into(),
            AlertError::NameTaken(_) => Self::conflict("name-taken", words).with("field", "name"),
            AlertError::BadDefinition { path, .. } => Self::unprocessable("bad-alert", words).with("path", path),
            AlertError::UnknownChannel { path, .. } => Self::unprocessable("unknown-channel", words).with("path", path),
            AlertError::VersionMismatch { found, .. } => {
                Self::new(StatusCode::PRECONDITION_FAILED, "version-mismatch", words).with("version", found)
            }
            AlertError::ChangedMeanwhile => Self::conflict("changed-meanwhile", words),
            AlertError::TooEarly { .. } => Self::unprocessable("check-too-early", words).with("field", "at"),
            AlertError::BadValues(problems) => {
                let problems = problems
                    .into_iter()
                    .map(|problem| HashMap::from([("metric", problem.metric), ("message", problem.message)]));
                let problems: Vec<_> = problems.collect();
                Self::unprocessable("bad-values", words).with("problems", problems)
            }
            AlertError::Conflict { .. } => Self::conflict("check-conflict", words),
            AlertError::QueueFull { .. } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "queue-full", words).retry_after(Duration::from_mins(1))
            }
            AlertError::Restless => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "restless", words).retry_after(Duration::from_secs(1))
            }
            AlertError::Store(error) => error.into(),
        }
    }
}
