//! The signature that the type declares gives the specification's published values, made as the host makes it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use pqh_channel_sdk::Placement;
use pqh_channel_sdk::signatures::{Encoding, Key, Part, Signature};
use pqh_channel_sdk::testkit;
use webhook::Webhook;

/// The signature of the credential `secret`.
fn declared() -> Signature {
    let secret = testkit::describe::<Webhook>().credentials.into_iter().find(|held| held.name == "secret").unwrap();
    let Placement::Sign(signature) = secret.placement else { panic!("the secret signs nothing") };
    signature
}

/// The header `webhook-signature`, by the declaration alone.
fn sign(secret: &str, id: &str, timestamp: &str, body: &str) -> String {
    let Signature { algorithm, key, parts, header, prefix, encoding, timestamp_header } = declared();
    assert_eq!((algorithm.as_str(), header.as_str(), encoding), ("hmac-sha256", "webhook-signature", Encoding::Base64));
    assert_eq!(timestamp_header.as_deref(), Some("webhook-timestamp"));
    let Key::Base64(begins) = key else { panic!("the key is no base64") };
    let key = STANDARD.decode(secret.strip_prefix(begins.as_str()).unwrap()).unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    for part in parts {
        match part {
            Part::Literal(text) => mac.update(text.as_bytes()),
            Part::Header(name) if name == "webhook-id" => mac.update(id.as_bytes()),
            Part::Header(name) if name == "webhook-timestamp" => mac.update(timestamp.as_bytes()),
            Part::Body => mac.update(body.as_bytes()),
            other => panic!("{other:?} is signed"),
        }
    }
    format!("{prefix}{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[test]
fn the_declared_signature_gives_the_values_of_the_specifications_libraries() {
    for (secret, id, timestamp, body, signature) in [
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            "1649367553",
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ] {
        assert_eq!(sign(secret, id, timestamp, body), signature);
    }
}
