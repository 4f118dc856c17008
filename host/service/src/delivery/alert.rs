//! What an alert tells: prepared while its check is judged, made known once both are kept.

use std::sync::Arc;

use uuid::Uuid;

use super::Engine;
use super::scheduler::Target;
use super::submit::Plan;
use crate::clock::Millis;
use crate::directory::{LiveChannel, Organization};
use crate::store::StoreError;
use crate::store::accept::Accept;
use crate::store::checks::{Check, Judged, Kept};
use crate::store::rows::{AlertPart, NewEvent, Origin, Status};

/// An event of an alert.
pub(crate) struct AlertEvent {
    pub(crate) part: AlertPart,
    /// The event as JSON.
    pub(crate) body: String,
    pub(crate) title: String,
    /// As the database and the API have it.
    pub(crate) severity: &'static str,
    /// Whether the alert is critical: then also its resolution waits for nothing.
    pub(crate) urgent: bool,
}

/// What was done to deliveries since an alert was deleted.
pub(crate) struct Deleted {
    /// Digests that were taken apart.
    pub(crate) ended: usize,
    /// Deliveries that wait in their place.
    pub(crate) freed: usize,
    /// The channel of each delivery that was cancelled.
    pub(crate) cancelled: Vec<String>,
}

impl Engine {
    /// Whether an organization may have more undelivered; else how much it may have.
    pub(crate) fn has_room(&self, organization: &str) -> Result<(), i64> {
        self.0.open.has_room(organization)
    }

    /// An event with a delivery for each channel, to be kept with the check that it follows from.
    pub(crate) fn prepare(
        &self,
        organization: &Organization,
        channels: &[Arc<LiveChannel>],
        event: AlertEvent,
        now: Millis,
    ) -> Accept {
        let AlertEvent { part, body, title, severity, urgent } = event;
        let id = Uuid::now_v7().to_string();
        let event = NewEvent {
            key: id.clone(),
            id,
            organization_id: organization.id.clone(),
            fingerprint: String::new(),
            origin: Origin::Alert,
            body,
            title,
            severity,
            accepted_at: now,
            alert: Some(part),
        };
        let planned = self.plan(channels, Plan { urgent, packing: None, claims: false }, now);
        let deliveries = planned.into_iter().map(|planned| planned.delivery).collect();
        Accept { event, deliveries, targets: Vec::new() }
    }

    /// Judges a check and keeps it; what follows from it goes out then.
    pub(crate) async fn check(&self, check: Check, channels: &[Arc<LiveChannel>]) -> Result<Judged, StoreError> {
        let result = self.store().check(check).await;
        match &result {
            Ok(Judged::Keep(kept)) => {
                self.0.parts.metrics.checked(kept.check.silence.as_deref());
                self.check_kept(kept, channels);
            }
            Ok(_) => {}
            Err(_) => {
                // Nobody knows whether it was kept: the database does.
                self.0.certainty.lose();
                self.0.scheduler.ring();
            }
        }
        result
    }

    fn check_kept(&self, kept: &Kept, channels: &[Arc<LiveChannel>]) {
        let Some(accept) = &kept.accept else { return };
        let open = accept.deliveries.iter().filter(|delivery| !delivery.status.is_end()).count();
        let organization = &accept.event.organization_id;
        self.0.open.add(organization, open);
        self.0.open.ended(organization, kept.folded);
        self.0.parts.metrics.accepted();
        for delivery in &accept.deliveries {
            let Some(channel) = channels.iter().find(|channel| channel.id == delivery.channel_id) else { continue };
            match delivery.status {
                Status::Queued | Status::Waiting => {
                    self.0.scheduler.more(&Target::from(delivery.target.as_str()), channel.terms, delivery.due_at);
                }
                Status::Held => {
                    let (engine, channel) = (self.clone(), Arc::clone(channel));
                    self.0.tasks.spawn(async move { engine.reconcile_where_changed(&channel).await });
                }
                _ => {}
            }
        }
    }

    /// After an alert was deleted: what it held up in these channels goes on.
    pub(crate) async fn alert_deleted(&self, organization: &str, deleted: Deleted) {
        let Deleted { ended, freed, cancelled: mut channels } = deleted;
        self.0.open.add(organization, freed);
        self.0.open.ended(organization, ended + channels.len());
        channels.sort_unstable();
        channels.dedup();
        for channel in channels {
            self.reconcile_channel(&channel).await;
        }
    }
}
