//! What the embedder knows of a target, for components that answer people who ask.

use async_trait::async_trait;

use crate::contract::standing::Facts;

/// What an embedder tells of the workspace that an inbound message is about.
#[async_trait]
pub trait Standing: Send + Sync {
    /// What is known of a target by its id; [`nothing`] where nothing is.
    async fn about(&self, target: &str) -> Facts;
}

/// Nothing is known.
pub fn nothing() -> Facts {
    Facts { channels: Vec::new(), alerts: Vec::new(), omitted: 0, last_delivery: None, attributes: Vec::new() }
}
