//! What is kept in memory. What was read before something was forgotten is not kept after it: it may be from before the
//! change.

use std::collections::HashMap;
use std::sync::Arc;

use super::{LiveChannel, Organization, alias_key};

/// Channels in memory, at most; each with its masks takes some kilobytes.
const CHANNELS: usize = 20_000;
/// Organizations in memory, at most.
const ORGANIZATIONS: usize = 20_000;

/// Everything that was read and has not changed since.
#[derive(Default)]
pub(super) struct Kept {
    /// Counts what was forgotten.
    generation: u64,
    organizations: HashMap<String, Arc<Organization>>,
    channels: HashMap<String, Arc<LiveChannel>>,
    /// By organization and alias in lower case. An entry is a hint: whoever uses it compares.
    aliases: HashMap<String, HashMap<String, String>>,
}

impl Kept {
    /// To be had before reading, and shown when keeping what was read.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn organization(&self, id: &str) -> Option<Arc<Organization>> {
        self.organizations.get(id).cloned()
    }

    pub(super) fn channel(&self, id: &str) -> Option<Arc<LiveChannel>> {
        self.channels.get(id).cloned()
    }

    pub(super) fn id_of_alias(&self, organization: &str, alias: &str) -> Option<String> {
        self.aliases.get(organization)?.get(alias).cloned()
    }

    /// Keeps what was read since `generation`, and gives what is to be used: one that somebody else kept first, if any.
    pub(super) fn keep_organization(&mut self, generation: u64, read: Organization) -> Arc<Organization> {
        if self.generation != generation {
            return Arc::new(read);
        }
        make_room(&mut self.organizations, ORGANIZATIONS);
        Arc::clone(self.organizations.entry(read.id.clone()).or_insert_with(|| Arc::new(read)))
    }

    /// As [`Self::keep_organization`].
    pub(super) fn keep_channel(&mut self, generation: u64, read: LiveChannel) -> Arc<LiveChannel> {
        if self.generation != generation {
            return Arc::new(read);
        }
        if let Some(gone) = make_room(&mut self.channels, CHANNELS) {
            self.forget_alias(&gone);
        }
        let aliases = self.aliases.entry(read.organization.id.clone()).or_default();
        aliases.insert(alias_key(&read.alias), read.id.clone());
        Arc::clone(self.channels.entry(read.id.clone()).or_insert_with(|| Arc::new(read)))
    }

    pub(super) fn forget_organization(&mut self, id: &str) {
        self.generation += 1;
        self.organizations.remove(id);
        self.aliases.remove(id);
        self.channels.retain(|_, channel| channel.organization.id != id);
    }

    pub(super) fn forget_channel(&mut self, id: &str) {
        self.generation += 1;
        if let Some(channel) = self.channels.remove(id) {
            self.forget_alias(&channel);
        }
    }

    pub(super) fn forget_type(&mut self, channel_type: &str) {
        self.generation += 1;
        self.channels.retain(|_, channel| channel.channel_type != channel_type);
    }

    fn forget_alias(&mut self, channel: &LiveChannel) {
        if let Some(aliases) = self.aliases.get_mut(&channel.organization.id) {
            aliases.remove(&alias_key(&channel.alias));
            if aliases.is_empty() {
                self.aliases.remove(&channel.organization.id);
            }
        }
    }
}

/// Drops any one entry where there are as many as may be.
fn make_room<T>(map: &mut HashMap<String, Arc<T>>, most: usize) -> Option<Arc<T>> {
    if map.len() < most {
        return None;
    }
    let any = map.keys().next().cloned()?;
    map.remove(&any)
}
