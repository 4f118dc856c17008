//! What the audit log tells of channels: never a secret.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::draft::Touch;
use crate::access::Caller;
use crate::audit::{Entry, Object};
use crate::clock::Millis;
use crate::store::channels::{ChannelRow, Paused};

/// An entry of the channel's organization.
pub(super) fn entry(caller: &Caller, at: Millis, action: &'static str, row: &ChannelRow) -> Entry {
    Entry {
        chain: row.organization_id.clone(),
        at,
        actor: caller.actor(),
        source: caller.source.clone(),
        action,
        object: Object::new("channel", &row.id, &row.alias),
        before: None,
        after: None,
    }
}

/// A channel, with what became of its secrets.
pub(super) fn state(row: &ChannelRow, touched: &BTreeMap<String, Touch>) -> Value {
    let mut settings = row.settings.clone();
    for (key, touch) in touched {
        let word = match touch {
            Touch::Changed => "changed",
            Touch::Removed => "removed",
        };
        settings.insert(key.clone(), word.into());
    }
    json!({
        "alias": row.alias, "type": row.channel_type, "settings": settings, "quiet_hours": row.quiet_hours,
    })
}

/// Whether and why it is paused.
pub(super) fn pause(paused: Option<&Paused>) -> Value {
    match paused {
        Some(paused) => json!({ "status": "paused", "paused": paused }),
        None => json!({ "status": "active" }),
    }
}
