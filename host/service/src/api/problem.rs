//! Errors as RFC 9457 problem details: a stable code, and words that say what was expected, what came, what to do.

use std::time::Duration;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::access::Role;
use crate::access::misfit::Misfit;
use crate::keys::KeyError;
use crate::store::StoreError;
use crate::vault::VaultError;

/// An error of the API, as it is answered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// `urn:pyqueryhub:problem:<code>`
    #[serde(rename = "type")]
    kind: String,
    /// The code in words.
    title: String,
    #[serde(serialize_with = "number")]
    #[schema(value_type = u16)]
    status: StatusCode,
    /// Stable, for programs.
    code: &'static str,
    /// What was expected, what came, what to do.
    detail: String,
    /// Boxed: errors are carried through every function of the API.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    members: Box<Map<String, Value>>,
    #[serde(skip)]
    retry_after: Option<u32>,
}

impl Problem {
    /// A problem.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let mut title = code.replace('-', " ");
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Self {
            kind: format!("urn:pyqueryhub:problem:{code}"),
            title,
            status,
            code,
            detail: detail.into(),
            members: Box::default(),
            retry_after: None,
        }
    }

    /// What was asked has the right form and cannot be done so.
    pub(crate) fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// What was asked does not go with what is there.
    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// There is no such `thing`, or it belongs to another organization: nobody is told which.
    pub(crate) fn not_found(thing: &str, id: &str) -> Self {
        let id: String = id.chars().take(100).collect();
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("There is no {thing} {id:?} here."))
    }

    /// Nobody knows who asks.
    pub(crate) fn unauthenticated(found: &str) -> Self {
        let detail = format!("Expected `Authorization: Bearer pqh_…` with a token of this service; {found}.");
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    /// The token is good, and its role may not.
    pub(crate) fn forbidden(roles: &[Role], role: Role) -> Self {
        let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
        let detail =
            format!("Expected a token with the role {}; this one's role is {}.", names.join(" or "), role.name());
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail).with("roles", names)
    }

    /// Too much, too fast.
    pub(crate) fn rate_limited(detail: String, wait: Duration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", detail).retry_after(wait)
    }

    /// The service stops, or cannot take more now.
    pub(crate) fn not_accepting(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-accepting", detail).retry_after(Duration::from_secs(5))
    }

    /// A fault of ours: its words are for the log alone.
    pub(crate) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!("a request failed: {error}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The service met a fault of its own; its log says which.",
        )
    }

    /// With a further member.
    pub(crate) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.members.insert(name.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// With the time after which the same may work; whole seconds, at least one.
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
        self.retry_after = Some(u32::try_from(seconds.max(1)).unwrap_or(u32::MAX));
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.status, self.retry_after);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { reason } => {
                tracing::error!("a request failed: the database cannot be used now: {reason}");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "database-unavailable",
                    "The database cannot be used now, and nothing was kept. Send the same again later.",
                )
                .retry_after(Duration::from_secs(5))
            }
            other => Self::internal(&other),
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        Self::internal(&error)
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => error.into(),
            KeyError::Unknown(_) | KeyError::Vault(_) => Self::internal(&error),
        }
    }
}

impl From<Misfit> for Problem {
    fn from(misfit: Misfit) -> Self {
        Self::unprocessable("bad-value", format!("{misfit}.")).with("field", misfit.field)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_tells_its_code_and_when_to_come_again() {
        let problem = Problem::rate_limited("Too fast.".to_owned(), Duration::from_millis(1_200)).with("queue", 7);
        assert_eq!(
            serde_json::to_value(&problem).unwrap(),
            serde_json::json!({
                "type": "urn:pyqueryhub:problem:rate-limited",
                "title": "Rate limited",
                "status": 429,
                "code": "rate-limited",
                "detail": "Too fast.",
                "queue": 7,
            })
        );
        let response = problem.into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "2");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    }

    #[test]
    fn what_only_the_operator_may_know_is_not_answered() {
        for error in [
            StoreError::Unavailable { reason: "canary".to_owned() },
            StoreError::Statement { reason: "canary".to_owned() },
        ] {
            let problem = serde_json::to_string(&Problem::from(error)).unwrap();
            assert!(!problem.contains("canary"), "{problem}");
        }
    }

    #[test]
    fn who_is_not_known_is_told_how_to_make_themselves_known() {
        let response = Problem::unauthenticated("found no Authorization header").into_response();
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
    }
}
