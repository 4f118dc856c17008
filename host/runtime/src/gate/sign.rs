//! Keyed signatures over a request that is complete.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use http::HeaderMap;

use crate::contract::signatures::{Encoding, Key, Part, Signature};
use crate::gate::headers;

/// Signs: sets the time's header where there is one, and the signature's.
pub(crate) fn sign(
    signature: &Signature,
    secret: &str,
    map: &mut HeaderMap,
    body: &[u8],
    now: SystemTime,
) -> Result<(), String> {
    let Signature { algorithm, key, parts, header, prefix, encoding, timestamp_header } = signature;
    if algorithm != "hmac-sha256" {
        return Err(format!("this host cannot sign with {algorithm:?}"));
    }
    if let Some(name) = timestamp_header {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (name, value) = headers::pair(name, &seconds.to_string())?;
        map.insert(name, value);
    }
    let key = match key {
        Key::Text => secret.as_bytes().to_vec(),
        Key::Base64(prefix) => {
            let encoded = secret.strip_prefix(prefix.as_str()).unwrap_or(secret);
            STANDARD.decode(encoded).map_err(|_| format!("the signing secret is not base64 after {prefix:?}"))?
        }
    };
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).map_err(|_| "the signing secret is no key".to_owned())?;
    for part in parts {
        match part {
            Part::Literal(text) => mac.update(text.as_bytes()),
            Part::Header(name) => {
                let value = map.get(name).ok_or_else(|| format!("the header `{name}` is signed, but not there"))?;
                mac.update(value.as_bytes());
            }
            Part::Body => mac.update(body),
        }
    }
    let code = mac.finalize().into_bytes();
    let code = match encoding {
        Encoding::Hex => hex::encode(code),
        Encoding::Base64 => STANDARD.encode(code),
    };
    let (name, value) = headers::pair(header, &format!("{prefix}{code}"))?;
    map.insert(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_signature_fits_a_published_test_vector() {
        // Slack's documentation of request signing: the same description serves what is sent and what is received.
        let signature = Signature {
            algorithm: "hmac-sha256".to_owned(),
            key: Key::Text,
            parts: vec![
                Part::Literal("v0:".to_owned()),
                Part::Header("x-request-timestamp".to_owned()),
                Part::Literal(":".to_owned()),
                Part::Body,
            ],
            header: "x-signature".to_owned(),
            prefix: "v0=".to_owned(),
            encoding: Encoding::Hex,
            timestamp_header: Some("x-request-timestamp".to_owned()),
        };
        let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let mut map = HeaderMap::new();
        let now = UNIX_EPOCH + Duration::from_secs(1_531_420_618);
        sign(&signature, "8f742231b10e8888abcd99yyyzzz85a5", &mut map, body.as_bytes(), now).unwrap();
        assert_eq!(
            map["x-signature"],
            "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
        );
    }
}
