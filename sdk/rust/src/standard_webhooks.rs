//! What the Standard Webhooks specification 1.0.0 asks of a sender: how it signs, the secret that it signs with, and the id.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>, "Verifying webhook
//! authenticity". Its symmetric scheme `v1`, which is what its libraries verify.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;

use crate::signatures::{Encoding, Key, Part, Signature};
use crate::{Field, Placement};

/// How people make a secret.
const MAKE: &str = "Make one: echo \"whsec_$(openssl rand -base64 32)\"";
/// The longest id that stays as it is. The service's own have 36 characters.
const LONGEST_ID: usize = 128;

impl Placement {
    /// The key of a signature `v1`: HMAC-SHA256 over id, time and body, keyed with the base64 after `whsec_`.
    ///
    /// The request brings `webhook-id`, as [`webhook_id`] makes it; the host sets `webhook-timestamp`, anew for each attempt,
    /// and `webhook-signature`.
    pub fn standard_webhooks() -> Self {
        let header = |name: &str| Part::Header(name.to_owned());
        let stop = || Part::Literal(".".to_owned());
        Self::Sign(Signature {
            algorithm: "hmac-sha256".to_owned(),
            key: Key::Base64("whsec_".to_owned()),
            parts: vec![header("webhook-id"), stop(), header("webhook-timestamp"), stop(), Part::Body],
            header: "webhook-signature".to_owned(),
            prefix: "v1,".to_owned(),
            encoding: Encoding::Base64,
            timestamp_header: Some("webhook-timestamp".to_owned()),
        })
    }
}

impl Field {
    /// The required secret for [`Placement::standard_webhooks`]: `whsec_` and the base64 of 24 to 64 bytes, strictly as the
    /// host decodes it, padded and with no bit left over.
    pub fn standard_webhooks_secret(key: &str, label: &str) -> Self {
        Self::secret(key, label)
            .required()
            .help(&format!("The receiver verifies our signature with it: give it one for this channel alone. {MAKE}"))
            .must_match("(?s)whsec_.*", &format!("A signing secret starts with whsec_. {MAKE}"))
            .must_match(
                "whsec_(?:[A-Za-z0-9+/]{4}){8,21}|\
                 whsec_(?:[A-Za-z0-9+/]{4}){8,21}[A-Za-z0-9+/][AQgw]==|\
                 whsec_(?:[A-Za-z0-9+/]{4}){8,20}[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=",
                &format!("After whsec_ there has to be the base64 of 24 to 64 bytes, whole, and nothing else. {MAKE}"),
            )
    }
}

/// The header `webhook-id`, by which a receiver knows a repeat: the delivery's id. One that no header holds, or with a full
/// stop, which parts what is signed, is named by its hash (FNV-1a): `pqh send` takes ids from people.
pub fn webhook_id(delivery: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=LONGEST_ID).contains(&delivery.len()) && delivery.bytes().all(plain) {
        return delivery.to_owned();
    }
    let hash = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("hash-{:016x}", delivery.bytes().fold(0xcbf2_9ce4_8422_2325, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_own_ids_stay_and_others_are_named_by_their_hash() {
        let own = "0193e7a5-6c1b-7d2e-9f3a-4b5c6d7e8f90";
        assert_eq!(webhook_id(own), own);
        // A published value of FNV-1a, 64 bits.
        assert_eq!(webhook_id(""), "hash-cbf29ce484222325");
        let odd = ["a.b", "a b", "ä", "a\r\nx: y", &"a".repeat(129)].map(webhook_id);
        for (at, id) in odd.iter().enumerate() {
            assert!(id.len() == 21 && !odd[..at].contains(id), "{odd:?}");
        }
    }
}
