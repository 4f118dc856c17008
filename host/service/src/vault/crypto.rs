//! The primitives: AES-256-GCM for what is sealed, HKDF and HMAC (SHA-256) for what is derived.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::VaultError;

/// A key, wiped when dropped.
pub(super) type Key = Zeroizing<[u8; 32]>;

/// Which way of sealing: another would start otherwise.
const VERSION: &str = "v1.";
const NONCE: usize = 12;

/// A key that nobody knows.
pub(super) fn random_key() -> Result<Key, VaultError> {
    let mut key = Key::default();
    random(&mut *key)?;
    Ok(key)
}

fn random(bytes: &mut [u8]) -> Result<(), VaultError> {
    getrandom::fill(bytes).map_err(|error| VaultError::Random { reason: error.to_string() })
}

/// The key for one purpose.
#[expect(clippy::expect_used, reason = "HKDF refuses over 255 hashes' worth of key only, and this is one")]
pub(super) fn derive(key: &[u8; 32], purpose: &str) -> Key {
    let mut derived = Key::default();
    Hkdf::<Sha256>::new(None, key).expand(purpose.as_bytes(), &mut *derived).expect("32 bytes");
    derived
}

/// HMAC under the key for the purpose, in hex. Each part's length goes before it: no two lists of parts read the same.
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
pub(super) fn keyed_hash(key: &[u8; 32], purpose: &str, parts: &[&[u8]]) -> String {
    let key = derive(key, purpose);
    let mut hash = <Hmac<Sha256> as hmac::Mac>::new_from_slice(&*key).expect("a key");
    for part in parts {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize().into_bytes())
}

/// What seals and opens with this key.
pub(super) fn cipher(key: &[u8; 32]) -> Aes256Gcm {
    Aes256Gcm::new(key.into())
}

/// "v1." and, as base64, nonce, ciphertext and tag.
pub(super) fn seal(cipher: &Aes256Gcm, identity: &str, secret: &[u8]) -> Result<String, VaultError> {
    let mut nonce = [0; NONCE];
    random(&mut nonce)?;
    let payload = Payload { msg: secret, aad: identity.as_bytes() };
    let sealed = cipher
        .encrypt(&Nonce::from(nonce), payload)
        .map_err(|_| VaultError::TooLong { identity: identity.to_owned() })?;
    Ok(format!("{VERSION}{}", STANDARD.encode([&nonce[..], &sealed].concat())))
}

/// What was sealed under exactly this identity.
pub(super) fn open(cipher: &Aes256Gcm, identity: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let unknown = || VaultError::Format { identity: identity.to_owned() };
    let bytes = STANDARD.decode(sealed.strip_prefix(VERSION).ok_or_else(unknown)?).map_err(|_| unknown())?;
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or_else(unknown)?;
    let payload = Payload { msg: sealed, aad: identity.as_bytes() };
    let opened = cipher.decrypt(&Nonce::from(*nonce), payload);
    opened.map(Zeroizing::new).map_err(|_| VaultError::Sealed { identity: identity.to_owned() })
}
