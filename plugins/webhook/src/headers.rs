//! Headers that an administrator adds: one `Name: value` a line, read strictly.

use alloc::{format, string::String, vec::Vec};

use pqh_channel_sdk::Failure;

use crate::HEADERS;

/// The most headers, and bytes of all their lines: the host takes 64 and 16 KiB, its own and the secret ones included.
const MOST: usize = 20;
const MOST_BYTES: usize = 8_000;

/// Headers that the signature, the host or the connection sets (docs/contract.md): a regular expression in lower case.
pub(crate) const OURS: &str = "content-type|webhook-.*|host|user-agent|accept-encoding|content-length|transfer-encoding|\
                               connection|te|upgrade|expect|via|forwarded|proxy-.*|x-forwarded-.*|sec-.*";

/// The headers, or what is wrong with them: nothing can be delivered until somebody mends them.
pub(crate) fn read(text: &str) -> Result<Vec<(&str, &str)>, Failure> {
    let refused = |why: String| {
        Failure::unreachable("invalid_headers", format!("The channel's headers cannot be sent: {why}."))
            .remedy("Open the channel's settings, mend the field \"Headers\", and save it again.")
            .field(HEADERS)
    };
    let mut headers: Vec<(&str, &str)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let header = header(line).map_err(|why| refused(format!("line {number} {why}")))?;
        if headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(header.0)) {
            return Err(refused(format!("line {number} names {} a second time", header.0)));
        }
        headers.push(header);
    }
    if headers.len() > MOST || text.len() > MOST_BYTES {
        return Err(refused(format!("at most {MOST} are taken, of {MOST_BYTES} bytes together")));
    }
    Ok(headers)
}

/// One line's header, or what is wrong. The value is not told: it may have been meant to be secret.
fn header(line: &str) -> Result<(&str, &str), String> {
    let (name, value) = line.split_once(':').unwrap_or_default();
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() > 100 || !name.bytes().all(token) {
        return Err("is not of the form \"Name: value\"".into());
    }
    let lower = name.to_ascii_lowercase();
    let is = |known: &str| known.strip_suffix(".*").map_or(lower == known, |family| lower.starts_with(family));
    if OURS.split('|').any(is) {
        return Err(format!("holds {name}, which PyQueryHub sets by itself"));
    }
    if is("authorization") || is("cookie") {
        return Err(format!("holds {name}, which belongs among the secret headers: there it is kept sealed"));
    }
    let value = value.trim();
    if value.is_empty() || !value.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
        return Err(format!("gives {name} no value, or one with other characters than visible ASCII"));
    }
    Ok((name, value))
}
