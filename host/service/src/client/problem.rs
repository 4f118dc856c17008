//! From an answer that is no success, or none at all, to what the person at the keyboard reads.

use std::{error::Error, fmt::Write as _, io};

use reqwest::{Response, StatusCode, header};
use serde_json::{Map, Value, json};
use url::Url;

use crate::error::{Blame, CliError};

/// Reads an error answer.
pub(super) async fn read(base: &Url, response: Response) -> CliError {
    let status = response.status();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let retry_after = header(header::RETRY_AFTER);
    let location = header(header::LOCATION);
    let body = response.bytes().await.unwrap_or_default();
    match serde_json::from_slice(&body) {
        Ok(Value::Object(problem)) if problem.get("code").is_some_and(Value::is_string) => {
            told(status, problem, retry_after.as_deref())
        }
        _ => untold(base, status, location.as_deref()),
    }
}

/// A problem that the service words itself.
fn told(status: StatusCode, mut problem: Map<String, Value>, retry_after: Option<&str>) -> CliError {
    let mut take = |name| match problem.remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let (code, detail, title) = (take("code"), take("detail"), take("title"));
    drop(take("type"));
    let mut message = if detail.is_empty() { title } else { detail };
    message.push_str(&failure(&problem, &message));
    if let Some(hint) = hint(status, &code) {
        message.push('\n');
        message.push_str(hint);
    }
    if let Some(seconds) = retry_after.and_then(|text| text.parse::<u64>().ok()) {
        // Writing to a string does not fail.
        let _ = write!(message, "\nTry again in {seconds} s.");
        problem.insert("retry_after_seconds".to_owned(), seconds.into());
    }
    problem.insert("status".to_owned(), status.as_u16().into());
    CliError { blame: blame(status, &code), code: code.into(), message, details: Value::Object(problem) }
}

/// What the service behind a channel said, where a check failed, as far as `told` does not hold it.
fn failure(problem: &Map<String, Value>, told: &str) -> String {
    let failure = problem.get("failure");
    let part = |name: &str, before: &str| {
        let text =
            failure.and_then(|failure| failure[name].as_str()).filter(|text| !text.is_empty() && !told.contains(text));
        text.map(|text| format!("\n{before}: {text}")).unwrap_or_default()
    };
    part("code", "It said") + &part("message", "What it means") + &part("remedy", "What to do")
}

/// Whose fault it is: what the service cannot read or take is bad input, anything else is how things stand.
fn blame(status: StatusCode, code: &str) -> Blame {
    let input = matches!(status.as_u16(), 400 | 413 | 415 | 422) && code != "check-failed";
    if input { Blame::Input } else { Blame::Work }
}

/// What the service cannot know: where this program has its token from.
fn hint(status: StatusCode, code: &str) -> Option<&'static str> {
    match (status, code) {
        (StatusCode::UNAUTHORIZED, _) => {
            Some("The token comes from --token-file, else from PQH_TOKEN: is it whole, of this service, not revoked?")
        }
        (StatusCode::FORBIDDEN, "forbidden") => {
            Some("Put a token of such a role into PQH_TOKEN, or name its file by --token-file.")
        }
        _ => None,
    }
}

/// An error that something else than the service gave.
fn untold(base: &Url, status: StatusCode, location: Option<&str>) -> CliError {
    let message = match location {
        Some(location) if status.is_redirection() => {
            format!(
                "{base} points to {location} ({status}), which is not followed: name the service's own address by --server"
            )
        }
        _ => format!("{base} answered {status} and did not say why: is it the address of a service (--server)?"),
    };
    CliError::work("unexpected-answer", message).with(json!({ "status": status.as_u16() }))
}

/// A success that is not what the API promises.
pub(super) fn not_understood(base: &Url, found: &str) -> CliError {
    let message = format!(
        "{base} answered what this program does not understand ({found}): is it the address of a service (--server), \
         and of the version {}?",
        env!("CARGO_PKG_VERSION")
    );
    CliError::work("unexpected-answer", message)
}

/// No answer.
pub(super) fn unanswered(base: &Url, error: &reqwest::Error) -> CliError {
    let cause = chain(error);
    if is_tls(error) {
        let message = format!(
            "no TLS with {base} ({cause}): is it https that is spoken there? An authority of your own belongs into the \
             system's certificates, or into the file that SSL_CERT_FILE names"
        );
        return CliError::work("no-tls", message);
    }
    if error.is_connect() {
        let message = format!(
            "no service answers at {base}: start one there by `pqh serve`, or name another by --server or PQH_SERVER \
             ({cause})"
        );
        return CliError::work("no-service", message);
    }
    if error.is_builder() {
        return CliError::input("bad-request", cause);
    }
    let message = format!("no whole answer from {base}, so whether it did what was asked is not known ({cause})");
    CliError::work("no-answer", message)
}

/// Whether somebody answered, but not in TLS, or with a certificate that is not trusted.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let mut at = Some(error);
    while let Some(error) = at {
        if error.is::<rustls::Error>() {
            return true;
        }
        // What an I/O error wraps is not its source, but beside it.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        at = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source());
    }
    false
}

/// The deepest cause: the errors around it say nothing.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let text = deepest.to_string();
    if error.is_timeout() { "it took too long".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_is_not_trusted_is_no_service_that_is_not_there() {
        let fault = rustls::Error::NoCertificatesPresented;
        assert!(is_tls(&io::Error::other(io::Error::other(fault.clone()))));
        assert!(is_tls(&fault));
        assert!(!is_tls(&io::Error::from(io::ErrorKind::ConnectionRefused)));
    }
}
