//! Requests and answers, through the host's gate.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Failure;
use crate::bindings::pyqueryhub::notify::outbound_http as wit;
pub use wit::{Address, ErrorKind, Method, SecretUrl};

/// A request in the making.
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    raw: wit::Request,
    unfit: Option<String>,
}

impl Request {
    /// A request of any method. A string is an absolute https URL; [`secret`] names a credential that is one.
    pub fn new(method: Method, address: impl Into<Address>) -> Self {
        let raw = wit::Request {
            method,
            address: address.into(),
            headers: Vec::new(),
            body: Vec::new(),
            credentials: Vec::new(),
            repeatable: method == Method::Get,
            timeout: None,
        };
        Self { raw, unfit: None }
    }

    /// A look-up: repeatable unless told otherwise.
    pub fn get(address: impl Into<Address>) -> Self {
        Self::new(Method::Get, address)
    }

    /// A POST: not repeatable unless told otherwise.
    pub fn post(address: impl Into<Address>) -> Self {
        Self::new(Method::Post, address)
    }

    /// A PUT: not repeatable unless told otherwise.
    pub fn put(address: impl Into<Address>) -> Self {
        Self::new(Method::Put, address)
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.raw.headers.push((name.into(), value.into()));
        self
    }

    /// Sends `value` as JSON.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.raw.body = body,
            Err(error) => {
                self.unfit = Some(format!("the request's body has no JSON form: {error}"));
            }
        }
        self.header("content-type", "application/json; charset=utf-8")
    }

    /// Sends bytes as they are.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.raw.body = body.into();
        self.header("content-type", content_type)
    }

    /// Attaches a credential, by the name that `describe` gave it.
    pub fn credential(mut self, name: impl Into<String>) -> Self {
        self.raw.credentials.push(name.into());
        self
    }

    /// Doing it twice does no harm.
    pub fn repeatable(mut self) -> Self {
        self.raw.repeatable = true;
        self
    }

    /// Gives up sooner than the host would, in milliseconds.
    pub fn timeout(mut self, milliseconds: u32) -> Self {
        self.raw.timeout = Some(milliseconds);
        self
    }

    /// Sends it. Any HTTP answer is an answer, whatever its status.
    pub fn send(self) -> Result<Answer, Error> {
        let repeatable = self.raw.repeatable;
        if let Some(message) = self.unfit {
            return Err(Error { kind: ErrorKind::Denied, message, request_sent: false, repeatable });
        }
        match crate::gate::send(&self.raw) {
            Ok(raw) => Ok(Answer { raw }),
            Err(wit::Error { kind, message, request_sent }) => Err(Error { kind, message, request_sent, repeatable }),
        }
    }
}

/// The address that a credential is: a URL that only the host knows.
pub fn secret(credential: impl Into<String>) -> Address {
    Address::Secret(SecretUrl { credential: credential.into(), path: Vec::new(), query: Vec::new() })
}

impl From<&str> for Address {
    fn from(url: &str) -> Self {
        Self::Url(url.to_owned())
    }
}

impl From<String> for Address {
    fn from(url: String) -> Self {
        Self::Url(url)
    }
}

impl Address {
    /// Appends a segment to a secret URL's path; the host percent-encodes it. A URL in clear stays as it is.
    #[must_use]
    pub fn segment(mut self, segment: impl Into<String>) -> Self {
        if let Self::Secret(url) = &mut self {
            url.path.push(segment.into());
        }
        self
    }

    /// Adds to a secret URL's query; the host percent-encodes it. A URL in clear stays as it is.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Self::Secret(url) = &mut self {
            url.query.push((name.into(), value.into()));
        }
        self
    }
}

/// What the service answered.
#[derive(Debug, Clone)]
pub struct Answer {
    raw: wit::Response,
}

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.raw.status
    }

    /// Whether the status is 2xx. Not yet success, where a service says in the body that it failed.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.raw.status)
    }

    /// A header by its name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.raw.headers.iter().find(|(held, _)| held.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.raw.body).into_owned()
    }

    /// The body's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.raw.body
    }

    /// The body read as JSON. What does not read is a failure of kind `rejected`, code `unexpected_answer`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.raw.body).map_err(|error| {
            Failure::rejected("unexpected_answer", format!("The service's answer is not the JSON expected: {error}"))
        })
    }

    /// Whether the body was longer than the host accepts, and cut.
    pub fn is_truncated(&self) -> bool {
        self.raw.truncated
    }

    /// What `Retry-After` asks for, in milliseconds.
    pub fn retry_after(&self) -> Option<u64> {
        self.raw.retry_after
    }
}

/// No whole answer. Becomes a [`Failure`] by `?`: `unknown-outcome` where it may have been delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Why.
    pub kind: ErrorKind,
    /// The host's words. Never holds a credential.
    pub message: String,
    /// Whether any byte of the request may have reached the service.
    pub request_sent: bool,
    /// Whether the request was said to do no harm when done twice.
    pub repeatable: bool,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl core::error::Error for Error {}
