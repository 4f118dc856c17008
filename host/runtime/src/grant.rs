//! What an operator lets one exact component do.

use std::fmt;

use lettre::Address;

use crate::contract::channel::Destination;
use crate::gate::destination::{HostPattern, Origin};
use crate::hash::Sha256;
use crate::mail::RecipientPattern;
use crate::plugin::Plugin;

/// A host pattern that is not one.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "`{pattern}` is no host to grant: expected a name such as `hooks.example.com`, `*.example.com` for all names below it, or either with a port (`hooks.example.com:8443`), or for mail a domain after an `@` (`@example.com`); {reason}"
)]
pub struct GrantError {
    pub(crate) pattern: String,
    pub(crate) reason: String,
}

/// One thing that an operator grants: requests to a host, or mail to a domain's addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantPattern {
    /// `hooks.example.com`, `*.example.com`, either with `:port`.
    Host(HostPattern),
    /// `@example.com`, `@*.example.com`.
    Recipient(RecipientPattern),
}

impl GrantPattern {
    /// Reads what starts with `@` as a domain of mail, anything else as a host.
    pub fn parse(pattern: &str) -> Result<Self, GrantError> {
        if pattern.starts_with('@') {
            RecipientPattern::parse(pattern).map(Self::Recipient)
        } else {
            HostPattern::parse(pattern).map(Self::Host)
        }
    }
}

impl fmt::Display for GrantPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(pattern) => pattern.fmt(formatter),
            Self::Recipient(pattern) => pattern.fmt(formatter),
        }
    }
}

/// What an operator lets one exact component do. It names the SHA-256: another binary needs another grant.
#[derive(Clone, Debug)]
pub struct Grant {
    component: Sha256,
    patterns: Vec<GrantPattern>,
    /// Fields whose URL's origin the component may send to.
    fields: Vec<String>,
    /// Fields to whose addresses the component may send mail.
    recipients: Vec<String>,
}

impl Grant {
    /// Nothing: the component can compute and write to the log, and no more.
    pub fn nothing(plugin: &Plugin) -> Self {
        Self { component: *plugin.sha256(), patterns: Vec::new(), fields: Vec::new(), recipients: Vec::new() }
    }

    /// All destinations that the component describes.
    pub fn described(plugin: &Plugin) -> Self {
        let mut grant = Self::nothing(plugin);
        for destination in &plugin.descriptor().destinations {
            match destination {
                Destination::Host(pattern) => {
                    // A descriptor whose patterns do not parse was refused when it was loaded.
                    grant.patterns.extend(HostPattern::parse(pattern).ok().map(GrantPattern::Host));
                }
                Destination::Field(key) => grant.fields.push(key.clone()),
                Destination::Recipients(key) => grant.recipients.push(key.clone()),
                // A descriptor that has one was refused when it was loaded.
                Destination::Other(_) => {}
            }
        }
        grant
    }

    /// The same, and a host: `hooks.example.com`, or `*.example.com` for all names below it. https on port 443, unless a
    /// port is named. Or mail to the addresses of a domain: `@example.com`, `@*.example.com`.
    pub fn allow(mut self, pattern: &str) -> Result<Self, GrantError> {
        self.patterns.push(GrantPattern::parse(pattern)?);
        Ok(self)
    }

    pub(crate) fn is_for(&self, component: &Sha256) -> bool {
        self.component == *component
    }

    pub(crate) fn allows(&self, origin: &Origin, field_origin: impl Fn(&str) -> Option<Origin>) -> bool {
        let Self { component: _, patterns, fields, recipients: _ } = self;
        patterns.iter().any(|pattern| matches!(pattern, GrantPattern::Host(host) if host.matches(origin)))
            || fields.iter().any(|key| field_origin(key).is_some_and(|granted| granted == *origin))
    }

    pub(crate) fn allows_mail(&self, address: &Address, holds: impl Fn(&str) -> bool) -> bool {
        let Self { component: _, patterns, fields: _, recipients } = self;
        patterns.iter().any(|pattern| matches!(pattern, GrantPattern::Recipient(domain) if domain.matches(address)))
            || recipients.iter().any(|key| holds(key))
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns = self.patterns.iter().map(ToString::to_string);
        let fields = self.fields.iter().map(|key| format!("the origin of `{key}`"));
        let recipients = self.recipients.iter().map(|key| format!("mail to `{key}`"));
        let all: Vec<String> = patterns.chain(fields).chain(recipients).collect();
        formatter.write_str(&if all.is_empty() { "nothing".to_owned() } else { all.join(", ") })
    }
}
