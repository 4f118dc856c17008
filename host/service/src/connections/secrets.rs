//! The secrets of a channel in a connected workspace: its own, and the tokens.

use std::sync::Arc;

use async_trait::async_trait;
use pqh_runtime::contract::types::FailureKind;
use pqh_runtime::{SecretError, SecretFacts, SecretSource, SecretString};

use super::tokens::TokenKeeper;
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

/// The tokens as the gate asks for them.
pub(crate) struct TokenSecrets(pub(crate) Arc<TokenKeeper>);

#[async_trait]
impl SecretSource for TokenSecrets {
    fn facts(&self, key: &str) -> Option<SecretFacts> {
        self.0.holds(key).then(SecretFacts::default)
    }

    async fn get(&self, key: &str) -> Result<SecretString, SecretError> {
        // One that expired on the way is renewed. Of one that is dead, the service says so in its own words.
        if let Err(stale) = self.0.fresh(0).await
            && stale.why.kind != FailureKind::Unauthorized
        {
            return Err(SecretError::passing(key, stale.why.message));
        }
        let data_key = self.0.key().await.map_err(|problem| SecretError::passing(key, problem.to_string()))?;
        let opened = self.0.open(&data_key, key).map_err(|problem| SecretError::lasting(key, problem.to_string()))?;
        opened.ok_or_else(|| SecretError::lasting(key, "the workspace is not connected"))
    }
}
