//! The secrets of a channel in a connected workspace: its own, and the tokens.

use std::sync::Arc;

use async_trait::async_trait;
use pqh_runtime::{SecretError, SecretFacts, SecretSource, SecretString};

use super::tokens::{TokenKeeper, TokenSecrets};
use crate::sealed::SealedSecrets;

/// Both together. The descriptor was checked: no field is called as a token.
pub(crate) struct ChannelSecrets {
    own: SealedSecrets,
    tokens: TokenSecrets,
}

impl ChannelSecrets {
    pub(crate) fn new(own: SealedSecrets, tokens: Arc<TokenKeeper>) -> Self {
        Self { own, tokens: TokenSecrets(tokens) }
    }
}

#[async_trait]
impl SecretSource for ChannelSecrets {
    fn facts(&self, key: &str) -> Option<SecretFacts> {
        self.own.facts(key).or_else(|| self.tokens.facts(key))
    }

    async fn get(&self, key: &str) -> Result<SecretString, SecretError> {
        if self.own.facts(key).is_some() { self.own.get(key).await } else { self.tokens.get(key).await }
    }
}
