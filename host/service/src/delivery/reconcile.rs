//! Makes what waits for a channel agree with what the channel is now: held where it is paused, its plan lapsed or its grant
//! gone; going on where that is mended; going where it leads now; cancelled where it is deleted.
//!
//! Everything that changes a channel, an organization or a grant ends here, and so does a start: whatever was interrupted
//! between a change and this is made good.

use super::Engine;
use super::notice;
use super::scheduler::Target;
use crate::directory::{HeldReason, LiveChannel};
use crate::quiet::QuietHours;
use crate::store::{StoreError, deliveries, digests, recovery};

/// What deliveries have to agree with.
fn state(live: Option<&LiveChannel>) -> Option<(Option<HeldReason>, &str, &[QuietHours])> {
    live.map(|live| (live.held, live.target.as_str(), live.quiet_hours.as_slice()))
}

/// At a start: all channels for which something waits.
pub(super) async fn all(engine: Engine) {
    engine.remember_untold().await;
    let channels = engine.patiently(|| recovery::channels_with_open(engine.store().readers())).await;
    for channel in channels.unwrap_or_default() {
        engine.reconcile_channel(&channel).await;
    }
}

impl Engine {
    /// After a change of a channel, or its deletion. Where it changes again meanwhile, the last state counts.
    pub(crate) async fn reconcile_channel(&self, id: &str) {
        let Some(mut live) = self.patiently(|| self.0.parts.directory.channel(id)).await else { return };
        loop {
            self.reconcile_with(id, live.as_deref()).await;
            let Some(now) = self.patiently(|| self.0.parts.directory.channel(id)).await else { return };
            if state(now.as_deref()) == state(live.as_deref()) {
                return;
            }
            live = now;
        }
    }

    /// After something was held for a channel as it was: whoever mended the channel since then found nothing held.
    pub(super) async fn reconcile_where_changed(&self, was: &LiveChannel) {
        let now = self.patiently(|| self.0.parts.directory.channel(&was.id)).await;
        if now.is_some_and(|now| state(now.as_deref()) != state(Some(was))) {
            self.reconcile_channel(&was.id).await;
        }
    }

    async fn reconcile_with(&self, id: &str, live: Option<&LiveChannel>) {
        let now = self.now();
        let (held, target) = live.map_or((None, None), |live| (live.held, Some(live.target.clone())));
        let quiet_until = live.and_then(|live| live.quiet.until(now));
        let write = || {
            let (id, target) = (id.to_owned(), target.clone());
            self.store().write(move |connection| {
                Box::pin(async move {
                    let Some(target) = target else {
                        let cancelled = deliveries::cancel_of_channel(connection, &id, now).await?;
                        let unfolded = deliveries::unfold(connection, &cancelled.ids, now).await?;
                        digests::cancel(connection, &cancelled.ids).await?;
                        return Ok((cancelled.organizations, unfolded));
                    };
                    let moved = deliveries::retarget(connection, &id, &target).await?;
                    match held {
                        Some(reason) => deliveries::hold(connection, &id, reason.name(), now).await?,
                        None => deliveries::release(connection, &id, quiet_until, now).await?,
                    };
                    deliveries::await_quiet(connection, &id, quiet_until, now).await?;
                    let unfolded = deliveries::unfold(connection, &moved, now).await?;
                    Ok::<_, StoreError>((Vec::new(), unfolded))
                })
            })
        };
        let (cancelled, unfolded) = self.patiently(write).await.unwrap_or_default();
        for organization in cancelled {
            self.0.open.ended(&organization, 1);
        }
        for (organization, channel) in unfolded {
            self.0.open.add(&organization, 1);
            // What was told by another delivery goes out by itself now.
            Box::pin(self.reconcile_channel(&channel)).await;
        }
        if held != Some(HeldReason::ChannelPaused) {
            self.0.parts.health.clear_warning(&notice::untold_key(id));
        }
        let Some(live) = live.filter(|live| live.held.is_none()) else { return };
        let due = self.patiently(|| recovery::first_due(self.store().readers(), &live.target)).await.flatten();
        if let Some(due) = due {
            self.0.scheduler.more(&Target::from(live.target.as_str()), live.terms, due);
        }
    }

    /// After a change of an organization's plan.
    pub(crate) async fn reconcile_organization(&self, id: &str) {
        self.reconcile_each(self.0.parts.directory.channels_of_organization(id).await).await;
    }

    /// After a change of what a component is granted.
    pub(crate) async fn reconcile_type(&self, channel_type: &str) {
        self.reconcile_each(self.0.parts.directory.channels_of_type(channel_type).await).await;
    }

    async fn reconcile_each(&self, channels: Result<Vec<String>, StoreError>) {
        match channels {
            Ok(channels) => {
                for channel in channels {
                    self.reconcile_channel(&channel).await;
                }
            }
            Err(error) => tracing::error!("what is held is looked at again at the next start: {error}"),
        }
    }
}
