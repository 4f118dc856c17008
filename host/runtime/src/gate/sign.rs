//! Keyed signatures over a request that is complete.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use http::HeaderMap;

use crate::contract::signatures::{Encoding, Key, Part, Signature};
use crate::gate::headers;

/// What a signature is over, beside headers.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// The whole URL.
    pub(crate) url: &'a str,
    pub(crate) body: &'a [u8],
}

/// Signs: sets the time's header where there is one, and the signature's.
pub(crate) fn sign(
    signature: &Signature,
    secret: &str,
    map: &mut HeaderMap,
    signed: &Signed<'_>,
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
    let key = self::key(key, secret)?;
    let code = code(parts, &key, signed, |name| map.get(name).map(http::HeaderValue::as_bytes))?;
    let code = match encoding {
        Encoding::Hex => hex::encode(code),
        Encoding::Base64 => STANDARD.encode(code),
    };
    let (name, value) = headers::pair(header, &format!("{prefix}{code}"))?;
    map.insert(name, value);
    Ok(())
}

/// The code over the parts, in order.
pub(crate) fn code<'a>(
    parts: &[Part],
    key: &[u8],
    signed: &Signed<'_>,
    header: impl Fn(&str) -> Option<&'a [u8]>,
) -> Result<[u8; 32], String> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).map_err(|_| "the signing secret is no key".to_owned())?;
    for part in parts {
        match part {
            Part::Literal(text) => mac.update(text.as_bytes()),
            Part::Header(name) => {
                mac.update(header(name).ok_or_else(|| format!("the header `{name}` is signed, but not there"))?);
            }
            Part::Body => mac.update(signed.body),
            Part::Method => mac.update(signed.method.as_bytes()),
            Part::Url => mac.update(signed.url.as_bytes()),
            Part::Other((name, _)) => return Err(format!("this host can sign no part {name:?}")),
        }
    }
    Ok(mac.finalize().into_bytes().into())
}

/// The key that a secret makes.
pub(crate) fn key(key: &Key, secret: &str) -> Result<Vec<u8>, String> {
    match key {
        Key::Text => Ok(secret.as_bytes().to_vec()),
        Key::Base64(prefix) => {
            let encoded = secret.strip_prefix(prefix.as_str()).unwrap_or(secret);
            STANDARD.decode(encoded).map_err(|_| format!("the signing secret is not base64 after {prefix:?}"))
        }
        Key::Hex => hex::decode(secret).map_err(|_| "the signing secret is not hexadecimal".to_owned()),
        Key::Other((name, _)) => Err(format!("this host knows no key {name:?}")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_signature_fits_a_published_test_vector() {
        // The Standard Webhooks specification's reference libraries test with it.
        let signature = Signature {
            algorithm: "hmac-sha256".to_owned(),
            key: Key::Base64("whsec_".to_owned()),
            parts: vec![
                Part::Header("webhook-id".to_owned()),
                Part::Literal(".".to_owned()),
                Part::Header("webhook-timestamp".to_owned()),
                Part::Literal(".".to_owned()),
                Part::Body,
            ],
            header: "webhook-signature".to_owned(),
            prefix: "v1,".to_owned(),
            encoding: Encoding::Base64,
            timestamp_header: Some("webhook-timestamp".to_owned()),
        };
        let mut map = HeaderMap::new();
        map.insert("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".parse().unwrap());
        let now = UNIX_EPOCH + Duration::from_secs(1_614_265_330);
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = Signed { method: "POST", url: "https://a.example/hook", body: br#"{"test": 2432232314}"# };
        sign(&signature, secret, &mut map, &signed, now).unwrap();
        assert_eq!(map["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn method_url_and_a_key_in_hexadecimal_are_signed_as_another_implementation_signs_them() {
        let signature = Signature {
            algorithm: "hmac-sha256".to_owned(),
            key: Key::Hex,
            parts: vec![Part::Method, Part::Literal("\n".to_owned()), Part::Url, Part::Body],
            header: "x-signature".to_owned(),
            prefix: String::new(),
            encoding: Encoding::Hex,
            timestamp_header: None,
        };
        let signed = Signed { method: "PUT", url: "https://a.example/x?y=z%20", body: b"{}" };
        let mut map = HeaderMap::new();
        sign(&signature, "00Ff10aB", &mut map, &signed, UNIX_EPOCH).unwrap();
        // printf 'PUT\nhttps://a.example/x?y=z%%20{}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:00ff10ab
        assert_eq!(map["x-signature"], "071103d80d7d3fe55ec44796ad80bb649a4680356bf61d53346d4d764b2d1509");
        assert!(key(&Key::Hex, "0g").is_err() && key(&Key::Hex, "abc").is_err());
    }
}
