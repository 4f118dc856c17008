//! What ties what comes back to the browser in which it began: a cookie for each authorization, so that two of them in one
//! browser do not get into each other's way.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use secrecy::{ExposeSecret as _, SecretString};

use crate::connections::flow::Followed;

/// The prefix has browsers refuse it from anywhere else (RFC 6265bis, 4.1.3.2). The authorization's id follows.
const NAME: &str = "__Host-pqh-connect-";

/// Sets it. Lax: it has to come along when the service sends the person back.
pub(super) fn set(followed: &Followed) -> String {
    let Followed { id, cookie, seconds, .. } = followed;
    format!("{NAME}{id}={}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax", cookie.expose_secret())
}

/// That of an authorization, among those that came.
pub(super) fn of(headers: &HeaderMap, id: &str) -> Option<SecretString> {
    let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| name.strip_prefix(NAME) == Some(id)).map(|(_, value)| value.to_owned().into())
}
