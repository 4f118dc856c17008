//! The way out: the component's imports, or natively the test kit's script.

#[cfg(target_family = "wasm")]
pub(crate) use crate::bindings::pyqueryhub::notify::{
    cache::{get, put},
    log::write,
    outbound_http::send,
    outbound_mail::{send as send_mail, verify as verify_mail},
    standing::about,
};
#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::testkit::script::{about, get, put, send, send_mail, verify_mail, write};
