//! What people do to deliveries: replay them, cancel them.

use super::Engine;
use crate::audit::{self, Entry};
use crate::store::deliveries::{self, Replay};
use crate::store::{StoreError, views};

/// Deliveries of one transaction of a replay.
const BATCH: i64 = 1_000;

/// Why a delivery was not cancelled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CancelError {
    #[error("the delivery is being sent now and cannot be called back; ask again in a moment what became of it")]
    BeingSent,
    #[error("the delivery has ended already: it is {status}")]
    Ended { status: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Sends one failed or cancelled delivery again. Whether it is one.
    pub(crate) async fn replay_one(&self, organization: &str, id: &str, entry: Entry) -> Result<bool, StoreError> {
        let Some(owner) = self.0.parts.directory.organization(organization).await? else { return Ok(false) };
        let (scope, delivery, now, key) = (organization.to_owned(), id.to_owned(), self.now(), owner.key.clone());
        let channel = self
            .store()
            .write(move |connection| {
                Box::pin(async move {
                    let channel = deliveries::replay_one(connection, &scope, &delivery, now).await?;
                    if channel.is_some() {
                        audit::append(connection, &key, entry).await?;
                    }
                    Ok::<_, StoreError>(channel)
                })
            })
            .await?;
        let Some(channel) = channel else { return Ok(false) };
        self.0.open.add(organization, 1);
        self.reconcile_channel(&channel).await;
        Ok(true)
    }

    /// Sends failed deliveries again: those that have failed by now, so that it ends where they fail once more. How many.
    pub(crate) async fn replay(&self, organization: &str, which: Replay, entry: Entry) -> Result<usize, StoreError> {
        let Some(owner) = self.0.parts.directory.organization(organization).await? else { return Ok(0) };
        let now = self.now();
        let mut replayed = 0;
        let mut entry = Some(entry);
        loop {
            let (scope, which, key) = (organization.to_owned(), which.clone(), owner.key.clone());
            let entry = entry.take();
            let mut channels = self
                .store()
                .write(move |connection| {
                    Box::pin(async move {
                        let channels = deliveries::replay(connection, &scope, &which, BATCH, now).await?;
                        if let Some(entry) = entry.filter(|_| !channels.is_empty()) {
                            audit::append(connection, &key, entry).await?;
                        }
                        Ok::<_, StoreError>(channels)
                    })
                })
                .await?;
            let count = channels.len();
            replayed += count;
            self.0.open.add(organization, count);
            channels.sort_unstable();
            channels.dedup();
            for channel in channels {
                self.reconcile_channel(&channel).await;
            }
            if i64::try_from(count).unwrap_or(i64::MAX) < BATCH {
                return Ok(replayed);
            }
        }
    }

    /// Cancels a delivery that waits.
    pub(crate) async fn cancel(&self, organization: &str, id: &str, entry: Entry) -> Result<(), CancelError> {
        let Some(owner) = self.0.parts.directory.organization(organization).await? else {
            return Err(CancelError::Ended { status: "gone".to_owned() });
        };
        let (delivery, now, key) = (id.to_owned(), self.now(), owner.key.clone());
        let cancelled = self
            .store()
            .write(move |connection| {
                Box::pin(async move {
                    let cancelled = deliveries::cancel(connection, &delivery, now).await?;
                    if cancelled {
                        audit::append(connection, &key, entry).await?;
                    }
                    Ok::<_, StoreError>(cancelled)
                })
            })
            .await?;
        if cancelled {
            self.0.open.ended(organization, 1);
            return Ok(());
        }
        let status = views::delivery(self.store().readers(), organization, id).await?.map(|row| row.status);
        match status {
            Some(status) if status == "sending" => Err(CancelError::BeingSent),
            status => Err(CancelError::Ended { status: status.unwrap_or_else(|| "gone".to_owned()) }),
        }
    }
}
