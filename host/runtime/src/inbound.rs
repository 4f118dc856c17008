//! Whether a message is the service's: by a code over it, or by a secret that only both know.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use crate::contract::receiving::inbound::{Proof, Request};
use crate::contract::signatures::{Encoding, Signature};
use crate::descriptor::{signature_problems, unknown};
use crate::gate::sign::{self, Signed};

/// How far off a message's time may be, in seconds.
const TOLERANCE: u64 = 300;

/// Why a message is not taken. For the log: whoever sent it is told nothing but that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// It has no signature, or no time, or neither is one.
    #[error("the message carries no proof that can be read")]
    Missing,
    /// It is too old, or of a clock that is far off.
    #[error("the message's time is more than five minutes off")]
    Late,
    /// It is signed by somebody else, or was changed.
    #[error("the message's proof fits none of the signing secrets")]
    Wrong,
}

/// Whether one of the secrets proves it. Compared in constant time.
pub(crate) fn verify(
    proof: &Proof,
    request: &Request,
    secrets: &[SecretString],
    now: SystemTime,
) -> Result<(), Unproven> {
    let fits = match proof {
        Proof::Token(header) => {
            let said = request.header(header).ok_or(Unproven::Missing)?;
            secrets
                .iter()
                .fold(false, |fits, secret| fits | bool::from(secret.expose_secret().as_bytes().ct_eq(said.as_bytes())))
        }
        Proof::Signature(signature) => signed(signature, request, secrets, now)?,
        // A component that has one was refused when it was loaded.
        Proof::Other(_) => false,
    };
    if fits { Ok(()) } else { Err(Unproven::Wrong) }
}

/// All that is wrong with how a component wants its service proved.
pub(crate) fn problems(proof: &Proof) -> Vec<String> {
    let mut problems = Vec::new();
    match proof {
        Proof::Signature(signature) => signature_problems("the service's messages", signature, &mut problems),
        Proof::Token(_) => {}
        Proof::Other((name, _)) => problems.push(unknown("a proof of the service's messages", name)),
    }
    problems
}

/// What can be judged of a message before its body came: that it carries a proof, and of now. A proof that needs no body is
/// judged whole.
pub(crate) fn presents(
    proof: &Proof,
    head: &Request,
    secrets: &[SecretString],
    now: SystemTime,
) -> Result<(), Unproven> {
    match proof {
        Proof::Signature(signature) => said(signature, head, now).map(drop),
        Proof::Token(_) | Proof::Other(_) => verify(proof, head, secrets, now),
    }
}

fn signed(
    signature: &Signature,
    request: &Request,
    secrets: &[SecretString],
    now: SystemTime,
) -> Result<bool, Unproven> {
    let said = said(signature, request, now)?;
    let mut fits = false;
    for secret in secrets {
        let Ok(key) = sign::key(&signature.key, secret.expose_secret()) else { continue };
        let signed = Signed { method: &request.method, url: &request.url, body: &request.body };
        let code = sign::code(&signature.parts, &key, &signed, |name| request.header(name).map(str::as_bytes))
            .map_err(|_| Unproven::Missing)?;
        for one in &said {
            fits |= bool::from(code.as_slice().ct_eq(one));
        }
    }
    Ok(fits)
}

/// The codes that a message carries, where it is of now.
fn said(signature: &Signature, request: &Request, now: SystemTime) -> Result<Vec<Vec<u8>>, Unproven> {
    if let Some(name) = &signature.timestamp_header {
        let seconds: u64 = request.header(name).and_then(|text| text.parse().ok()).ok_or(Unproven::Missing)?;
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if now.abs_diff(seconds) > TOLERANCE {
            return Err(Unproven::Late);
        }
    }
    // There may be several, of which one has to fit.
    let said: Vec<Vec<u8>> = request
        .header(&signature.header)
        .ok_or(Unproven::Missing)?
        .split(' ')
        .filter_map(|one| decode(signature, one.strip_prefix(signature.prefix.as_str())?))
        .collect();
    if said.is_empty() { Err(Unproven::Missing) } else { Ok(said) }
}

fn decode(signature: &Signature, text: &str) -> Option<Vec<u8>> {
    match signature.encoding {
        Encoding::Hex => hex::decode(text).ok(),
        Encoding::Base64 => STANDARD.decode(text).ok(),
    }
}

impl Request {
    /// A header by its name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(held, _)| held.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::contract::signatures::{Key, Part};

    const SECRET: &str = "a-signing-secret-of-a-test";
    const BODY: &str = "user=roadrunner&command=%2Fweather";
    /// Made by another implementation.
    const CODE: &str = "v0=3f0f87fb2a912112af5c0a9cda9d2755f0569b324d78819cadeb7029f7653f40";
    const URL: &str = "https://notify.example.com/v1/inbound/type?a=b%20c";
    const AT: u64 = 1_531_420_618;

    fn proof() -> Proof {
        Proof::Signature(Signature {
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
        })
    }

    fn request(timestamp: &str, code: &str, body: &str) -> Request {
        Request {
            method: "POST".to_owned(),
            url: URL.to_owned(),
            headers: vec![
                ("x-request-timestamp".to_owned(), timestamp.to_owned()),
                ("x-signature".to_owned(), code.to_owned()),
            ],
            query: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn judged(request: &Request, secrets: &[&str], now: u64) -> Result<(), Unproven> {
        let secrets: Vec<SecretString> = secrets.iter().map(|&secret| SecretString::from(secret)).collect();
        verify(&proof(), request, &secrets, UNIX_EPOCH + Duration::from_secs(now))
    }

    #[test]
    fn a_code_of_another_implementation_fits_and_each_changed_form_fails() {
        let at = AT.to_string();
        let whole = request(&at, CODE, BODY);
        assert_eq!(judged(&whole, &[SECRET], AT), Ok(()));
        assert_eq!(judged(&whole, &["another secret", SECRET], AT + 300), Ok(()));
        assert_eq!(judged(&whole, &[SECRET], AT + 301), Err(Unproven::Late));
        assert_eq!(judged(&whole, &[SECRET], AT - 301), Err(Unproven::Late));
        assert_eq!(judged(&whole, &["another secret"], AT), Err(Unproven::Wrong));
        assert_eq!(judged(&whole, &[], AT), Err(Unproven::Wrong));
        let changed = BODY.replace("roadrunner", "coyote");
        assert_eq!(judged(&request(&at, CODE, &changed), &[SECRET], AT), Err(Unproven::Wrong));
        let later = (AT + 1).to_string();
        assert_eq!(judged(&request(&later, CODE, BODY), &[SECRET], AT), Err(Unproven::Wrong));
        let other = CODE.replace('a', "b");
        assert_eq!(judged(&request(&at, &other, BODY), &[SECRET], AT), Err(Unproven::Wrong));
        assert_eq!(judged(&request(&at, &CODE[..21], BODY), &[SECRET], AT), Err(Unproven::Wrong));
        for code in ["", "v0=", "v1=aa", "v0=nohex", &CODE[3..]] {
            let said = judged(&request(&at, code, BODY), &[SECRET], AT);
            assert!(matches!(said, Err(Unproven::Missing | Unproven::Wrong)), "{code}: {said:?}");
        }
        for timestamp in ["", "now", "-1"] {
            assert_eq!(judged(&request(timestamp, CODE, BODY), &[SECRET], AT), Err(Unproven::Missing));
        }
        assert_eq!(judged(&request(&at, &format!("v0=00 {CODE}"), BODY), &[SECRET], AT), Ok(()));
    }

    #[test]
    fn before_the_body_came_it_is_known_whether_there_is_a_proof_of_now() {
        let judged = |timestamp: &str, code: &str, now: u64| {
            presents(&proof(), &request(timestamp, code, ""), &[SECRET.into()], UNIX_EPOCH + Duration::from_secs(now))
        };
        let at = AT.to_string();
        for now in [AT - 300, AT, AT + 300] {
            assert_eq!(judged(&at, CODE, now), Ok(()));
        }
        assert_eq!(judged(&at, "v0=00", AT), Ok(()), "whether it fits is judged with the body");
        for (timestamp, code) in [("", CODE), ("now", CODE), (&*at, ""), (&*at, "v1=00"), (&*at, "v0=nohex")] {
            assert_eq!(judged(timestamp, code, AT), Err(Unproven::Missing), "{timestamp} {code}");
        }
        assert_eq!(judged(&at, CODE, AT + 301), Err(Unproven::Late));
        let token = Proof::Token("x-signature".to_owned());
        let judged = |said: &str| presents(&token, &request("", said, ""), &["it".into()], UNIX_EPOCH);
        assert_eq!((judged("it"), judged("that")), (Ok(()), Err(Unproven::Wrong)));
    }

    #[test]
    fn a_code_over_method_and_url_fits_that_request_alone() {
        let Proof::Signature(signature) = proof() else { unreachable!() };
        let parts = vec![Part::Method, Part::Url, Part::Body];
        let proof = Proof::Signature(Signature { parts, key: Key::Hex, timestamp_header: None, ..signature });
        // printf 'POSThttps://notify.example.com/v1/inbound/type?a=b%%20cx' | openssl dgst -sha256 -mac HMAC \
        //     -macopt hexkey:00ff10ab00ff10ab
        let code = "v0=863595a83d4098b73507503870dc2e41d1d9cf4144be01db662abd15c624b69e";
        let fits = |request: &Request| verify(&proof, request, &["00ff10ab00ff10ab".into()], UNIX_EPOCH);
        let whole = request("", code, "x");
        assert_eq!(fits(&whole), Ok(()));
        assert_eq!(fits(&Request { method: "PUT".to_owned(), ..whole.clone() }), Err(Unproven::Wrong));
        assert_eq!(fits(&Request { url: URL.replace("%20", "+"), ..whole.clone() }), Err(Unproven::Wrong));
    }

    #[test]
    fn what_a_later_version_may_prove_by_is_refused_and_named() {
        let later = || ("of-tomorrow".to_owned(), String::new());
        assert!(problems(&proof()).is_empty() && problems(&Proof::Token("x".to_owned())).is_empty());
        let Proof::Signature(signature) = proof() else { unreachable!() };
        for proof in [
            Proof::Other(later()),
            Proof::Signature(Signature { key: Key::Other(later()), ..signature.clone() }),
            Proof::Signature(Signature { parts: vec![Part::Body, Part::Other(later())], ..signature.clone() }),
            Proof::Signature(Signature { algorithm: "of-tomorrow".to_owned(), ..signature.clone() }),
        ] {
            let problems = problems(&proof);
            assert!(problems.len() == 1 && problems[0].contains("\"of-tomorrow\""), "{problems:?}");
        }
        let without_body = Signature { parts: vec![Part::Method, Part::Url], ..signature };
        assert_eq!(problems(&Proof::Signature(without_body)).len(), 1);
    }

    #[test]
    fn a_token_fits_whole_or_not_at_all() {
        let secrets = [SecretString::from("a-secret-token")];
        let said = |token: &str| {
            let request = Request { headers: vec![("x-token".into(), token.into())], ..request("", "", "") };
            verify(&Proof::Token("X-Token".into()), &request, &secrets, UNIX_EPOCH)
        };
        assert_eq!(said("a-secret-token"), Ok(()));
        for token in ["", "a-secret-toke", "a-secret-token2", "A-secret-token"] {
            assert_eq!(said(token), Err(Unproven::Wrong), "{token}");
        }
    }
}
