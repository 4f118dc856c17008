//! Attacks through the gate: requests as the settings say, forbidden ones above all.

use std::fmt::Write as _;

use crate::{
    channel::Receipt,
    outbound_http::{self, Address, Error, Method, Request, Response, SecretUrl},
    settings::Settings,
    told,
    types::Failure,
};

/// Runs the attack if it is of this group.
pub(crate) fn attack(settings: &Settings) -> Option<Result<Receipt, Failure>> {
    let seen = match settings.attack.as_str() {
        "request" => tell(&send(settings)),
        "request-many" => many(settings),
        "request-giant-body" => {
            let body = vec![b'x'; settings.count_or(1 << 25)];
            tell(&outbound_http::send(&Request { body, ..request(settings) }))
        }
        "request-giant-header" => {
            let value = "x".repeat(settings.count_or(1 << 20));
            tell(&outbound_http::send(&Request { headers: vec![("x-a".into(), value)], ..request(settings) }))
        }
        "request-many-headers" => {
            let headers = (0..settings.count_or(100_000)).map(|index| (format!("x-{index}"), "1".into())).collect();
            tell(&outbound_http::send(&Request { headers, ..request(settings) }))
        }
        "request-giant-url" => {
            let url = format!("{}?{}", settings.url, "x".repeat(settings.count_or(1 << 20)));
            tell(&outbound_http::send(&Request { address: Address::Url(url), ..request(settings) }))
        }
        "request-no-time" => tell(&outbound_http::send(&Request { timeout: Some(0), ..request(settings) })),
        "request-all-time" => tell(&outbound_http::send(&Request { timeout: Some(u32::MAX), ..request(settings) })),
        "hook" => tell(&outbound_http::send(&hook(settings, &[]))),
        "hook-dot-dot" => tell(&outbound_http::send(&hook(settings, &["..", "other"]))),
        "hook-slash" => tell(&outbound_http::send(&hook(settings, &["a/../../b", "%2e%2e"]))),
        "echo" => format!("settings {} credentials {:?} {}", settings.raw, settings.placeable, tell(&send(settings))),
        _ => return None,
    };
    Some(Err(told("saw", seen)))
}

/// Sends the request that the settings describe.
pub(crate) fn send(settings: &Settings) -> Result<Response, Error> {
    outbound_http::send(&request(settings))
}

fn request(settings: &Settings) -> Request {
    Request {
        method: method(&settings.method),
        address: Address::Url(settings.url.clone()),
        headers: settings.headers(),
        body: settings.body.clone().into_bytes(),
        credentials: settings.credentials(),
        repeatable: settings.method == "GET",
        timeout: None,
    }
}

/// To the secret URL, with this path behind it.
fn hook(settings: &Settings, path: &[&str]) -> Request {
    let address = Address::Secret(SecretUrl {
        credential: "hook".into(),
        path: path.iter().copied().map(str::to_owned).collect(),
        query: Vec::new(),
    });
    Request { address, ..request(settings) }
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => Method::Post,
    }
}

/// One request after the other: what the first and the last brought.
fn many(settings: &Settings) -> String {
    let first = tell(&send(settings));
    let mut last = String::new();
    for _ in 1..settings.count_or(1_000) {
        last = tell(&send(settings));
    }
    format!("first {first} last {last}")
}

/// All that came back.
fn tell(result: &Result<Response, Error>) -> String {
    match result {
        Ok(response) => {
            let mut text = format!("status {}", response.status);
            for (name, value) in &response.headers {
                // Writing to a string does not fail.
                let _ = write!(text, "\n{name}: {value}");
            }
            let body = String::from_utf8_lossy(&response.body);
            let _ = write!(text, "\ntruncated {} retry-after {:?}\n{body}", response.truncated, response.retry_after);
            text
        }
        Err(error) => format!("error {:?} sent {} {}", error.kind, error.request_sent, error.message),
    }
}
