//! Organizations and channels as deliveries need them, kept in memory: an accepted event costs no query.

mod kept;
mod load;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::tz::TimeZone;
use pqh_runtime::FieldProblem;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::clock::Millis;
use crate::connections::{Connections, LiveConnection};
use crate::plugins::Plugins;
use crate::quiet::{Calendar, QuietHours};
use crate::store::channels::Paused;
use crate::store::{Store, StoreError, channels};
use crate::vault::{DataKey, Vault};
use kept::Kept;

/// What an organization pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Plan {
    Free,
    Paid,
}

/// An organization as deliveries need it.
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) plan: Plan,
    /// Where its local times are told.
    pub(crate) time_zone: TimeZone,
    /// BCP 47.
    pub(crate) locale: String,
    /// The ids of the channels that notices to administrators go to.
    pub(crate) notice_channels: Vec<String>,
    pub(crate) key: DataKey,
}

/// Why nothing is sent to a channel now, in the order in which the reasons are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HeldReason {
    ChannelPaused,
    Plan,
    /// Its type is granted nothing, is not there, or no longer takes these settings.
    Grant,
}

impl HeldReason {
    /// As the database and the API have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ChannelPaused => "channel-paused",
            Self::Plan => "plan",
            Self::Grant => "grant",
        }
    }
}

/// The fastest that a target takes messages: the strictest of what its type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// So many in so many seconds, in the long run.
    pub(crate) messages: u32,
    pub(crate) seconds: u32,
    /// So many at once after a rest.
    pub(crate) burst: u32,
}

/// How a target takes messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) pace: Option<Pace>,
    /// Whether several events may go out as one message.
    pub(crate) digests: bool,
}

/// A channel as deliveries and the API need it.
pub(crate) struct LiveChannel {
    pub(crate) id: String,
    pub(crate) alias: String,
    pub(crate) channel_type: String,
    /// Keyed hash of where it leads.
    pub(crate) target: String,
    /// Counts its edits.
    pub(crate) version: i64,
    pub(crate) organization: Arc<Organization>,
    /// Where it posts through a connected workspace.
    pub(crate) connection: Option<Arc<LiveConnection>>,
    pub(crate) paused: Option<Paused>,
    pub(crate) paused_at: Option<Millis>,
    pub(crate) terms: Terms,
    /// When what is not critical waits.
    pub(crate) quiet: Calendar,
    /// The same as people said it.
    pub(crate) quiet_hours: Vec<QuietHours>,
    pub(crate) held: Option<HeldReason>,
    /// None where it is held for the grant.
    pub(crate) channel: Option<pqh_runtime::Channel>,
    /// What keeps it from being used, where it is held for the grant.
    pub(crate) problems: Vec<FieldProblem>,
    /// Without secrets.
    pub(crate) settings: Map<String, Value>,
    /// The secrets that are filled in, each with its origin where it is a URL.
    pub(crate) secrets: BTreeMap<String, Option<String>>,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

/// All that is known of organizations and channels. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Directory(Arc<Inner>);

struct Inner {
    store: Store,
    vault: Vault,
    plugins: Plugins,
    connections: Connections,
    kept: RwLock<Kept>,
}

/// An alias as it is compared.
pub(crate) fn alias_key(alias: &str) -> String {
    alias.to_lowercase()
}

/// Whether a text is an id and no alias.
pub(crate) fn is_id(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok()
}

impl Directory {
    /// With nothing in memory yet.
    pub(crate) fn new(store: Store, vault: Vault, plugins: Plugins, connections: Connections) -> Self {
        Self(Arc::new(Inner { store, vault, plugins, connections, kept: RwLock::default() }))
    }

    /// An organization by its id.
    pub(crate) async fn organization(&self, id: &str) -> Result<Option<Arc<Organization>>, StoreError> {
        let generation = {
            let kept = self.kept();
            if let Some(organization) = kept.organization(id) {
                return Ok(Some(organization));
            }
            kept.generation()
        };
        let Some(loaded) = load::organization(&self.0.store, &self.0.vault, id).await? else { return Ok(None) };
        Ok(Some(self.keeping().keep_organization(generation, loaded)))
    }

    /// A channel by its id, whosever it is.
    pub(crate) async fn channel(&self, id: &str) -> Result<Option<Arc<LiveChannel>>, StoreError> {
        let generation = {
            let kept = self.kept();
            if let Some(channel) = kept.channel(id) {
                return Ok(Some(channel));
            }
            kept.generation()
        };
        let Some((row, secrets)) = channels::whole(&self.0.store, id).await? else { return Ok(None) };
        let Some(organization) = self.organization(&row.organization_id).await? else { return Ok(None) };
        let connection = match &row.connection_id {
            Some(id) => self.0.connections.find(id).await?,
            None => None,
        };
        let loaded = load::channel(&self.0.plugins, organization, connection, row, secrets).await;
        Ok(Some(self.keeping().keep_channel(generation, loaded)))
    }

    /// An organization's channel by its alias, in any case, or its id.
    pub(crate) async fn resolve(
        &self,
        organization: &str,
        alias_or_id: &str,
    ) -> Result<Option<Arc<LiveChannel>>, StoreError> {
        if is_id(alias_or_id) {
            let channel = self.channel(&alias_or_id.to_lowercase()).await?;
            return Ok(channel.filter(|channel| channel.organization.id == organization));
        }
        let alias = alias_key(alias_or_id);
        let known = self.kept().id_of_alias(organization, &alias);
        if let Some(id) = known
            && let Some(channel) = self.channel(&id).await?
            // It may have another alias by now.
            && channel.organization.id == organization
            && alias_key(&channel.alias) == alias
        {
            return Ok(Some(channel));
        }
        let id = channels::id_of_alias(self.0.store.readers(), organization, &alias).await?;
        let Some(id) = id else { return Ok(None) };
        let channel = self.channel(&id).await?;
        Ok(channel.filter(|channel| alias_key(&channel.alias) == alias))
    }

    /// The ids of an organization's channels.
    pub(crate) async fn channels_of_organization(&self, id: &str) -> Result<Vec<String>, StoreError> {
        channels::ids(self.0.store.readers(), id, "", i64::MAX).await
    }

    /// The ids of all channels of a type.
    pub(crate) async fn channels_of_type(&self, channel_type: &str) -> Result<Vec<String>, StoreError> {
        channels::ids_of_type(self.0.store.readers(), channel_type).await
    }

    /// After an organization was changed: it and its channels are read anew.
    pub(crate) fn forget_organization(&self, id: &str) {
        self.keeping().forget_organization(id);
    }

    /// After a channel was changed.
    pub(crate) fn forget_channel(&self, id: &str) {
        self.keeping().forget_channel(id);
    }

    /// After what a type is granted was changed.
    pub(crate) fn forget_type(&self, channel_type: &str) {
        self.keeping().forget_type(channel_type);
    }

    fn kept(&self) -> RwLockReadGuard<'_, Kept> {
        self.0.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn keeping(&self) -> RwLockWriteGuard<'_, Kept> {
        self.0.kept.write().unwrap_or_else(PoisonError::into_inner)
    }
}
