//! The token itself: `pqh_<its id as 32 hex>_<43 characters of base64url>`, 256 bits of chance. Only its hash is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

const PREFIX: &str = "pqh_";
const ID: usize = 32;
const SECRET: usize = 43;

/// A token's SHA-256.
pub(crate) type Hash = [u8; 32];

/// A token, whole. It is shown once, and never kept.
pub(crate) struct Token {
    id: String,
    whole: SecretString,
}

impl Token {
    /// A new one.
    pub(crate) fn mint() -> Result<Self, getrandom::Error> {
        let id = Uuid::now_v7();
        let mut chance = Zeroizing::new([0_u8; 32]);
        getrandom::fill(chance.as_mut_slice())?;
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(chance.as_slice()));
        let whole = format!("{PREFIX}{}_{}", id.simple(), secret.as_str());
        Ok(Self { id: id.to_string(), whole: whole.into() })
    }

    /// Reads one; none where it has not the form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let id = id_of(text)?;
        Some(Self { id, whole: text.into() })
    }

    /// The id of the row that keeps its hash.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// What the row keeps.
    pub(crate) fn hash(&self) -> String {
        hex::encode(hash(self.expose()))
    }

    /// The token, to show it once.
    pub(crate) fn expose(&self) -> &str {
        self.whole.expose_secret()
    }
}

/// The SHA-256 of a token.
pub(super) fn hash(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}

/// The id within a text that has the form of a token.
pub(super) fn id_of(text: &str) -> Option<String> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_at_checked(ID)?;
    let secret = secret.strip_prefix('_')?;
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if secret.len() != SECRET || !secret.bytes().all(is_base64url) {
        return None;
    }
    Uuid::try_parse(id).ok().map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_its_id_and_has_the_form() {
        let token = Token::mint().unwrap();
        let text = token.expose();
        assert_eq!(text.len(), 80);
        assert_eq!(id_of(text).as_deref(), Some(token.id()));
        assert_eq!(Token::parse(text).unwrap().hash(), token.hash());
        assert_ne!(Token::mint().unwrap().hash(), token.hash());
    }

    #[test]
    fn what_has_not_the_form_is_no_token() {
        let token = Token::mint().unwrap();
        let text = token.expose();
        for wrong in ["", "pqh_", "pqh", &text[1..], &text[..79], &format!("{text}a"), &text.replace("pqh_", "pqh-")] {
            assert!(id_of(wrong).is_none(), "{wrong}");
        }
        assert!(id_of(&format!("pqh_{}_{}", "é".repeat(16), "a".repeat(43))).is_none());
        assert!(id_of(&format!("pqh_{}_{}", "z".repeat(32), "a".repeat(43))).is_none());
    }
}
