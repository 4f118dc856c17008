//! Entity tags: which version was told, and which is meant.

use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

/// All `If-Match` headers as one.
pub(super) fn only_if(headers: &HeaderMap) -> Option<String> {
    let values: Vec<_> =
        headers.get_all(IF_MATCH).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// An answer with its entity tag.
pub(super) fn tagged(mut response: Response, version: i64) -> Response {
    if let Ok(tag) = HeaderValue::try_from(format!("\"{version}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
