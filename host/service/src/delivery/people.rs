//! What people do to deliveries: replay them, cancel them.

use super::Engine;
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::store::deliveries::{self, Replay, Replayed};
use crate::store::{Connection, StoreError, alerts, digests, incidents, views};

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
    /// Sends one failed or cancelled delivery again; with `force` also where its alert has moved on.
    pub(crate) async fn replay_one(
        &self,
        organization: &str,
        id: &str,
        force: bool,
        entry: Entry,
    ) -> Result<Replayed, StoreError> {
        let Some(owner) = self.0.parts.directory.organization(organization).await? else {
            return Ok(Replayed::Not);
        };
        let (scope, delivery, now, key) = (organization.to_owned(), id.to_owned(), self.now(), owner.key.clone());
        let replayed = self
            .store()
            .write(move |connection| {
                Box::pin(async move {
                    let replayed = deliveries::replay_one(connection, &scope, &delivery, force, now).await?;
                    if matches!(replayed, Replayed::Queued(_)) {
                        audit::append(connection, &key, entry).await?;
                    }
                    Ok::<_, StoreError>(replayed)
                })
            })
            .await?;
        if let Replayed::Queued(channel) = &replayed {
            self.0.open.add(organization, 1);
            self.reconcile_channel(channel).await;
        }
        Ok(replayed)
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
        let (cancelled, unfolded) = self
            .store()
            .write(move |connection| {
                Box::pin(async move {
                    let cancelled = deliveries::cancel(connection, &delivery, now).await?;
                    let mut unfolded = Vec::new();
                    if cancelled {
                        unfolded = follow(connection, &delivery, now).await?;
                        audit::append(connection, &key, entry).await?;
                    }
                    Ok::<_, StoreError>((cancelled, unfolded))
                })
            })
            .await?;
        if cancelled {
            self.0.open.ended(organization, 1);
            let row = views::delivery(self.store().readers(), organization, id).await?;
            for (organization, channel) in unfolded {
                self.0.open.add(&organization, 1);
                self.reconcile_channel(&channel).await;
            }
            // What it held up goes on.
            if let Some(row) = row {
                self.reconcile_channel(&row.channel_id).await;
            }
            return Ok(());
        }
        let status = views::delivery(self.store().readers(), organization, id).await?.map(|row| row.status);
        match status {
            Some(status) if status == "sending" => Err(CancelError::BeingSent),
            status => Err(CancelError::Ended { status: status.unwrap_or_else(|| "gone".to_owned()) }),
        }
    }
}

/// What follows from a cancelled delivery: what it told for other channels goes out by itself, what it told as a digest goes
/// with it, and a channel that is not told of an incident hears nothing of its end.
async fn follow(connection: &mut Connection, delivery: &str, now: Millis) -> Result<Vec<(String, String)>, StoreError> {
    let ids = [delivery.to_owned()];
    let unfolded = deliveries::unfold(connection, &ids, now).await?;
    digests::cancel(connection, &ids).await?;
    for place in incidents::places(connection, delivery).await? {
        if place.is_resolution == 0 && incidents::is_untold(connection, &place).await? {
            alerts::untell(connection, &place.alert_id, &place.incident_id, &place.channel_id).await?;
        }
    }
    Ok(unfolded)
}
