//! What is known of a target, for components that answer people who ask there.

use std::sync::Arc;

use async_trait::async_trait;
use pqh_runtime::contract::standing::{Alert, Facts};
use pqh_runtime::standing::{Standing, nothing};

use super::LiveConnection;
use crate::app::App;
use crate::channels;
use crate::directory::LiveChannel;
use crate::event::local_time;
use crate::store::{StoreError, alerts, views};

/// Alerts that are told, at most.
const ALERTS: usize = 50;

/// What the service knows of one connection's targets.
pub(super) struct Known {
    pub(super) app: App,
    pub(super) live: Arc<LiveConnection>,
}

#[async_trait]
impl Standing for Known {
    async fn about(&self, target: &str) -> Facts {
        self.facts(target).await.unwrap_or_else(|error| {
            tracing::warn!("what is known of a target cannot be told: {error}");
            nothing()
        })
    }
}

impl Known {
    async fn facts(&self, target: &str) -> Result<Facts, StoreError> {
        let app = &self.app;
        let there = channels::at_target(app, &self.live.row.id, target).await?;
        let ids: Vec<String> = there.iter().map(|live| live.id.clone()).collect();
        let told = alerts::of_channels(app.store.readers(), &ids).await?;
        let omitted = u32::try_from(told.len().saturating_sub(ALERTS)).unwrap_or(u32::MAX);
        let zone = there.first().map(|live| live.organization.time_zone.clone());
        let alerts = told.into_iter().take(ALERTS).map(|(name, triggered, since)| {
            let since = since.filter(|_| triggered).and_then(|at| u64::try_from(at).ok());
            let since_local = since.zip(zone.as_ref()).map(|(at, zone)| local_time(at, zone));
            Alert { name, triggered, since, since_local }
        });
        let mut last = None;
        for id in &ids {
            last = last.max(views::last_delivered(app.store.readers(), id).await?);
        }
        Ok(Facts {
            channels: there.iter().map(|live| named(live)).collect(),
            alerts: alerts.collect(),
            omitted,
            last_delivery: last.zip(zone.as_ref()).map(|(at, zone)| local_time(u64::try_from(at).unwrap_or(0), zone)),
            attributes: Vec::new(),
        })
    }
}

/// A channel as people know it. Of one that is paused they are told so: its alerts do not come.
fn named(live: &LiveChannel) -> String {
    if live.paused.is_some() { format!("{} (paused)", live.alias) } else { live.alias.clone() }
}
