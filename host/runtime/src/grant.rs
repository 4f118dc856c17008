//! What an operator lets one exact component do.

use std::fmt;

use crate::contract::channel::Destination;
use crate::gate::destination::{HostPattern, Origin};
use crate::hash::Sha256;
use crate::plugin::Plugin;

/// A host pattern that is not one.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "`{pattern}` is no host to grant: expected a name such as `hooks.example.com`, `*.example.com` for all names below it, or either with a port (`hooks.example.com:8443`); {reason}"
)]
pub struct GrantError {
    pub(crate) pattern: String,
    pub(crate) reason: String,
}

/// What an operator lets one exact component do. It names the SHA-256: another binary needs another grant.
#[derive(Clone, Debug)]
pub struct Grant {
    component: Sha256,
    hosts: Vec<HostPattern>,
    /// Fields whose URL's origin the component may send to.
    fields: Vec<String>,
}

impl Grant {
    /// Nothing: the component can compute and write to the log, and no more.
    pub fn nothing(plugin: &Plugin) -> Self {
        Self { component: *plugin.sha256(), hosts: Vec::new(), fields: Vec::new() }
    }

    /// All destinations that the component describes.
    pub fn described(plugin: &Plugin) -> Self {
        let mut grant = Self::nothing(plugin);
        for destination in &plugin.descriptor().destinations {
            match destination {
                Destination::Host(pattern) => {
                    // A descriptor whose patterns do not parse was refused when it was loaded.
                    grant.hosts.extend(HostPattern::parse(pattern).ok());
                }
                Destination::Field(key) => grant.fields.push(key.clone()),
            }
        }
        grant
    }

    /// The same, and a host: `hooks.example.com`, or `*.example.com` for all names below it. https on port 443, unless a
    /// port is named.
    pub fn allow(mut self, host: &str) -> Result<Self, GrantError> {
        self.hosts.push(HostPattern::parse(host)?);
        Ok(self)
    }

    pub(crate) fn is_for(&self, component: &Sha256) -> bool {
        self.component == *component
    }

    pub(crate) fn allows(&self, origin: &Origin, field_origin: impl Fn(&str) -> Option<Origin>) -> bool {
        let Self { component: _, hosts, fields } = self;
        hosts.iter().any(|pattern| pattern.matches(origin))
            || fields.iter().any(|key| field_origin(key).is_some_and(|granted| granted == *origin))
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<String> = self.hosts.iter().map(ToString::to_string).collect();
        let fields = self.fields.iter().map(|key| format!("the origin of `{key}`"));
        let all: Vec<String> = hosts.into_iter().chain(fields).collect();
        formatter.write_str(&if all.is_empty() { "nothing".to_owned() } else { all.join(", ") })
    }
}
