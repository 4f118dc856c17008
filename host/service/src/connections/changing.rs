//! Whose turn it is to connect or disconnect a workspace: of several who change the same one, each waits until memory and
//! database agree again. Nobody waits for another workspace's service.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// A channel type, and a workspace's own id.
type Key = (String, String);

/// The turns of those workspaces that somebody changes.
#[derive(Default)]
pub(super) struct Changing(Mutex<HashMap<Key, Weak<Turn<()>>>>);

impl Changing {
    /// Waits until nobody else changes the workspace, whichever organization they change it for.
    pub(super) async fn turn(&self, channel_type: &str, workspace: &str) -> OwnedMutexGuard<()> {
        let turn = self.find((channel_type.to_owned(), workspace.to_owned()));
        turn.lock_owned().await
    }

    fn find(&self, key: Key) -> Arc<Turn<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = turns.get(&key).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        turns.insert(key, Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_changes_one_workspace_keeps_nobody_from_another_and_what_is_done_is_forgotten() {
        let changing = Changing::default();
        let held = changing.turn("type", "W1").await;
        let other = changing.turn("type", "W2").await;
        let of_other_type = changing.turn("another", "W1").await;
        assert!(changing.find(("type".to_owned(), "W1".to_owned())).try_lock().is_err());
        assert_eq!(changing.0.lock().unwrap().len(), 3);
        drop((held, other, of_other_type));
        let again = changing.turn("type", "W1").await;
        assert_eq!(changing.0.lock().unwrap().len(), 1);
        drop(again);
    }
}
