//! Reads an organization or a channel, and makes it ready for use.

use std::sync::Arc;

use jiff::tz::TimeZone;
use pqh_runtime::contract::channel::{Descriptor, PaceScope};
use pqh_runtime::{Channel, FieldProblem};
use serde_json::{Map, Value};

use super::{HeldReason, LiveChannel, Organization, Pace, Plan, Terms};
use crate::connections::{self, LiveConnection};
use crate::plugins::Plugins;
use crate::quiet::Calendar;
use crate::sealed::SealedSecrets;
use crate::store::channels::{ChannelRow, SecretRow};
use crate::store::organizations::{self, OrganizationRow};
use crate::store::{Store, StoreError};
use crate::vault::Vault;

/// An organization; its data key is unwrapped.
pub(super) async fn organization(store: &Store, vault: &Vault, id: &str) -> Result<Option<Organization>, StoreError> {
    let Some(row) = organizations::find(store.readers(), id).await? else { return Ok(None) };
    let OrganizationRow { plan, time_zone, locale, notice_channels, data_key: wrapped, .. } = row;
    let damaged = |what: &str, why: &dyn std::fmt::Display| StoreError::Statement {
        reason: format!("the {what} of the organization {id} is damaged: {why}"),
    };
    let key = vault.data_key(id, &wrapped).map_err(|error| damaged("data key", &error))?;
    let notice_channels =
        serde_json::from_str(&notice_channels).map_err(|error| damaged("list of notice channels", &error))?;
    let time_zone = TimeZone::get(&time_zone).unwrap_or_else(|error| {
        // It was known when it was set. Times in UTC are better than no message.
        tracing::error!("the time zone of the organization {id}: {error}; its times are told in UTC");
        TimeZone::UTC
    });
    let plan = if plan == "paid" { Plan::Paid } else { Plan::Free };
    Ok(Some(Organization { id: id.to_owned(), plan, time_zone, locale, notice_channels, key }))
}

/// A channel that is ready for use, or says why it is not.
pub(super) async fn channel(
    plugins: &Plugins,
    organization: Arc<Organization>,
    connection: Option<Arc<LiveConnection>>,
    row: ChannelRow,
    secrets: Vec<SecretRow>,
) -> LiveChannel {
    let sealed = SealedSecrets::new(&row.id, organization.key.clone(), secrets);
    let secrets = sealed.rows().map(|secret| (secret.field.clone(), secret.origin.clone())).collect();
    let entry = plugins.find(&row.channel_type);
    let descriptor = entry.as_ref().map(|entry| entry.plugin.descriptor());
    let configured = configure(plugins, &row.channel_type, connection.as_deref(), row.settings.clone(), sealed).await;
    let (channel, problems) = match configured {
        Ok(channel) => (Some(channel), Vec::new()),
        Err(problems) => (None, problems),
    };
    let reasons = [
        row.paused.as_ref().map(|_| HeldReason::ChannelPaused),
        (organization.plan == Plan::Free).then_some(HeldReason::Plan),
        channel.is_none().then_some(HeldReason::Grant),
    ];
    let quiet = Calendar::new(&row.quiet_hours, &organization.time_zone).unwrap_or_else(|error| {
        // They were fine when they were set. A message at night is better than none.
        tracing::error!("the quiet hours of the channel {}: {error}; it has none now", row.id);
        Calendar::default()
    });
    LiveChannel {
        terms: Terms {
            pace: descriptor.and_then(pace),
            digests: descriptor.is_some_and(|descriptor| descriptor.digests),
        },
        quiet,
        quiet_hours: row.quiet_hours,
        held: reasons.into_iter().flatten().min(),
        id: row.id,
        alias: row.alias,
        channel_type: row.channel_type,
        target: row.target,
        version: row.version,
        organization,
        connection,
        paused: row.paused,
        paused_at: row.paused_at,
        channel,
        problems,
        settings: row.settings,
        secrets,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

/// A component with its grant and a channel's settings; else all that is wrong.
async fn configure(
    plugins: &Plugins,
    channel_type: &str,
    connection: Option<&LiveConnection>,
    settings: Map<String, Value>,
    secrets: SealedSecrets,
) -> Result<Channel, Vec<FieldProblem>> {
    let whole = |message: String| vec![FieldProblem { field: String::new(), message }];
    let Some(entry) = plugins.find(channel_type) else {
        return Err(whole(format!(
            "the channel type {channel_type} is not installed: the operator has to put its component back, or delete \
             this channel"
        )));
    };
    let Some(grant) = plugins.grant_of(channel_type) else {
        return Err(whole(format!(
            "the channel type {channel_type} is granted nothing: the operator has to allow it (pqh plugin grant \
             {channel_type})"
        )));
    };
    if entry.plugin.oauth2().is_some() && connection.is_none() {
        return Err(whole(format!(
            "the channel has no connection: connect a workspace (pqh connection connect {channel_type}) and add the \
             channel again"
        )));
    }
    let configured = connections::configure(&entry, grant, connection, settings, secrets).await;
    configured.map_err(|error| error.problems().to_vec())
}

/// The strictest pace of a target.
fn pace(descriptor: &Descriptor) -> Option<Pace> {
    let paces = descriptor.paces.iter().filter(|pace| pace.scope == PaceScope::Target);
    let paces = paces.map(|pace| Pace { messages: pace.messages, seconds: pace.seconds, burst: pace.burst });
    paces.reduce(|one, other| {
        let slower = if other.is_slower_than(one) { other } else { one };
        Pace { burst: one.burst.min(other.burst), ..slower }
    })
}
