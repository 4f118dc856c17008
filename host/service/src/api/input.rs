//! What requests bring: bodies of JSON and queries, read with exact words where they do not fit.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::problem::Problem;
use crate::app::App;

/// A body of JSON.
#[derive(Debug)]
pub(crate) struct Input<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        is_json(request.headers())?;
        let bytes = body(request, app).await?;
        read(&bytes).map(Self)
    }
}

/// A query.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Problem> {
        Query::try_from_uri(&parts.uri).map(|Query(query)| Self(query)).map_err(|rejection| {
            Problem::new(StatusCode::BAD_REQUEST, "bad-query", format!("{}.", rejection.body_text()))
        })
    }
}

/// Whether to do what the service advises against.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Force {
    /// Do it all the same.
    #[serde(default)]
    pub(crate) force: bool,
}

/// The last part of a path: whose id.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) String);

impl FromRequestParts<App> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Path::from_request_parts(parts, app).await.map(|Path(id)| Self(id)).map_err(|rejection| {
            Problem::new(StatusCode::BAD_REQUEST, "bad-path", format!("{}.", rejection.body_text()))
        })
    }
}

/// The body as it came.
pub(super) async fn body(request: Request, app: &App) -> Result<Bytes, Problem> {
    Bytes::from_request(request, app).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let most = app.config.limits.body_bytes;
            let detail = format!("Expected a body of at most {most} bytes; found a longer one.");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail).with("limit", most)
        }
        other => {
            let detail = format!("The body could not be read: {}.", other.body_text());
            Problem::new(StatusCode::BAD_REQUEST, "bad-body", detail)
        }
    })
}

fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let found = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = found.and_then(|found| found.split(';').next()).unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let found = found.map_or_else(|| "no Content-Type".to_owned(), |found| format!("{found:?}"));
    let detail = format!("Expected `Content-Type: application/json`; found {found}.");
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail))
}

/// Reads JSON: what is none is a bad request; what is JSON of another shape is told with its place.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        refused(if path == "." { "" } else { &path }, error.inner())
    })?;
    deserializer.end().map_err(|error| refused("", &error))?;
    Ok(value)
}

fn refused(path: &str, error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let whole = error.to_string();
    let message = whole.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&whole);
    let problem = if error.is_data() {
        let place = if path.is_empty() { "the body".to_owned() } else { format!("`{path}`") };
        let detail = format!("{place}: {message} (line {line}, column {column}).");
        Problem::unprocessable("bad-body", detail).with("path", path)
    } else {
        let detail = format!("Expected JSON; {message} (line {line}, column {column}).");
        Problem::new(StatusCode::BAD_REQUEST, "bad-json", detail)
    };
    problem.with("line", line).with("column", column)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(rename = "inner")]
        _inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[serde(rename = "count")]
        _count: u8,
    }

    fn told(text: &str) -> Value {
        serde_json::to_value(read::<Outer>(text.as_bytes()).unwrap_err()).unwrap()
    }

    #[test]
    fn json_of_another_shape_is_told_with_its_place() {
        let problem = told("{\n  \"inner\": [{\"count\": \"x\"}]}");
        assert_eq!(problem["code"], json!("bad-body"));
        assert_eq!((&problem["path"], &problem["line"]), (&json!("inner[0].count"), &json!(2)));
        assert!(problem["detail"].as_str().unwrap().contains("invalid type: string \"x\", expected u8"), "{problem}");
        assert!(told(r#"{"outer": 1}"#)["detail"].as_str().unwrap().contains("unknown field `outer`"));
    }

    #[test]
    fn what_is_no_json_is_told_with_its_line() {
        for text in ["", "{", "{}}", "nonsense"] {
            let problem = told(text);
            assert!(["bad-json", "bad-body"].contains(&problem["code"].as_str().unwrap()), "{problem}");
        }
        assert_eq!(told("{\"inner\":\n[}")["line"], json!(2));
        assert_eq!(told("{\"inner\":\n[}")["status"], json!(400));
    }
}
