//! Step 8: reads an answer up to the limit, decompressed bytes counted, and masks credentials in it.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http_body_util::BodyExt as _;
use hyper::Response as HttpResponse;
use hyper::body::Incoming;

use crate::contract::outbound_http::Response;
use crate::gate::connect::describe;
use crate::gate::mask::Masks;
use crate::gate::retry_after;

/// Reads a whole answer. An error says why there is none.
pub(crate) async fn read(answer: HttpResponse<Incoming>, masks: &Masks, limit: usize) -> Result<Response, String> {
    let (parts, mut body) = answer.into_parts();
    // A credential that the cut would halve is found by reading on past it.
    let most = limit.saturating_add(masks.longest());
    let mut raw = Vec::new();
    let mut more = false;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| format!("the answer broke off: {}", describe(&error)))?;
        if let Ok(data) = frame.into_data() {
            let room = most - raw.len();
            if data.len() > room {
                raw.extend_from_slice(&data[..room]);
                more = true;
                break;
            }
            raw.extend_from_slice(&data);
        }
    }
    let encoding = parts.headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
    let plain = match encoding.as_deref() {
        None | Some(b"identity" | b"") => raw,
        Some(b"gzip" | b"x-gzip") => {
            let mut plain = Vec::new();
            let mut decoder = MultiGzDecoder::new(raw.as_slice()).take(most as u64 + 1);
            match decoder.read_to_end(&mut plain) {
                Ok(_) => {}
                // What was cut cannot end well, but its beginning counts.
                Err(_) if more => {}
                Err(error) => return Err(format!("the answer is no gzip, though it says so: {error}")),
            }
            if plain.len() > most {
                plain.truncate(most);
                more = true;
            }
            plain
        }
        Some(other) => {
            return Err(format!(
                "the answer has the encoding {:?}, which was not asked for",
                String::from_utf8_lossy(other)
            ));
        }
    };
    let truncated = more || plain.len() > limit;
    // Where more would follow, the last bytes may be the start of a credential.
    let whole = if more { plain.len().saturating_sub(masks.longest()) } else { plain.len() };
    let masked = masks.cut(&plain, limit.min(whole));
    let own = [CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING];
    let headers = parts
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(name))
        .map(|(name, value)| {
            let value = masks.text(String::from_utf8_lossy(value.as_bytes()).into_owned());
            (masks.text(name.as_str().to_owned()), value)
        })
        .collect();
    let retry_after = parts
        .headers
        .get(http::header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| retry_after::parse(value, std::time::SystemTime::now()));
    Ok(Response { status: parts.status.as_u16(), headers, body: masked, truncated, retry_after })
}
