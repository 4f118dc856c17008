//! Channels, and what they can be made of.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use serde_json::Value;

use super::table::{facts, plain, table, when};
use crate::client::wire::{Channel, ChannelConnection, ChannelType};

/// All channels.
pub(crate) fn list(channels: &[Channel]) -> String {
    if channels.is_empty() {
        return "There are no channels: `pqh channel add` adds one.".to_owned();
    }
    if channels.iter().all(|channel| channel.connection.is_none()) {
        let rows = channels.iter().map(|channel| {
            [channel.alias.clone(), channel.kind.clone(), status(channel), why(channel), channel.id.clone()]
        });
        return table(["Alias", "Type", "Status", "Why", "Id"], rows);
    }
    let rows = channels.iter().map(|channel| {
        let parts = [target(channel), workspace(channel)];
        let place: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let (alias, kind, id) = (channel.alias.clone(), channel.kind.clone(), channel.id.clone());
        [alias, kind, place.join(", "), status(channel), why(channel), id]
    });
    table(["Alias", "Type", "Posts to", "Status", "Why", "Id"], rows)
}

/// What it posts to is called so, as far as that is known.
fn target(channel: &Channel) -> String {
    channel.target.as_ref().map(|target| target.name.clone()).unwrap_or_default()
}

/// The workspace that it posts in, and what is wrong with it.
fn workspace(channel: &Channel) -> String {
    let told = |connection: &ChannelConnection| match connection.status.as_str() {
        "connected" => connection.name.clone(),
        status => format!("{} ({status})", connection.name),
    };
    channel.connection.as_ref().map(told).unwrap_or_default()
}

/// One channel.
pub(crate) fn show(channel: &Channel, zone: &TimeZone) -> String {
    let paused = channel.paused.as_ref().map(|paused| format!("{} by the {}", when(&paused.at, zone), paused.by));
    let mut text = facts(&[
        ("Alias", channel.alias.clone()),
        ("Id", channel.id.clone()),
        ("Type", channel.kind.clone()),
        ("Workspace", workspace(channel)),
        ("Target", target(channel)),
        ("Status", status(channel)),
        ("Paused", paused.unwrap_or_default()),
        ("Why", why(channel)),
        ("What to do", remedy(channel)),
        ("Quiet hours", channel.quiet_hours.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        ("Version", channel.version.to_string()),
        ("Created", when(&channel.created_at, zone)),
        ("Changed", when(&channel.updated_at, zone)),
    ]);
    if !channel.settings.is_empty() {
        let settings: Vec<(&str, String)> =
            channel.settings.iter().map(|(key, value)| (key.as_str(), setting(value))).collect();
        text.push_str("\nSettings\n");
        text.push_str(&facts(&settings));
    }
    text
}

/// What channels can be made of.
pub(crate) fn types(types: &[ChannelType]) -> String {
    // Writing to a string does not fail.
    let mut text = String::new();
    for channel_type in types {
        let grant = if channel_type.granted { "" } else { "; an operator has to grant it first" };
        let _ = writeln!(text, "{}  {}{grant}\n  {}", channel_type.id, channel_type.name, channel_type.summary);
        if let Some(connects) = &channel_type.connects {
            let setup = if connects.configured { "" } else { "; an operator has to set that up first" };
            let _ = writeln!(text, "  needs a connected workspace: pqh connection connect {}{setup}", channel_type.id);
        }
        for field in &channel_type.fields {
            let required = if field.required { ", required" } else { "" };
            let help = if field.help.is_empty() { String::new() } else { format!(": {}", field.help) };
            let _ = writeln!(text, "  --set {}=  {} ({}{required}){help}", field.key, field.label, field.kind);
            for option in field.options.iter().flatten() {
                let _ = writeln!(text, "      {}  {}", option.value, option.label);
            }
        }
        text.push('\n');
    }
    super::clean(&text)
}

/// Active, paused, or held though it is active.
fn status(channel: &Channel) -> String {
    if channel.paused.is_none() && channel.held_reason.is_some() { "held".to_owned() } else { channel.status.clone() }
}

fn why(channel: &Channel) -> String {
    match (&channel.paused, channel.held_reason.as_deref()) {
        (Some(paused), _) => paused.message.clone().or_else(|| paused.code.clone()).unwrap_or_default(),
        (None, Some(reason)) => reason.to_owned(),
        (None, None) => String::new(),
    }
}

fn remedy(channel: &Channel) -> String {
    match (&channel.paused, channel.held_reason.as_deref()) {
        (Some(paused), _) => paused.remedy.clone().unwrap_or_default(),
        (None, Some(reason)) => held_remedy(reason, &channel.alias, &channel.kind),
        (None, None) => String::new(),
    }
}

/// What lets a held channel go on.
pub(super) fn held_remedy(reason: &str, alias: &str, channel_type: &str) -> String {
    match reason {
        "channel-paused" => {
            format!("`pqh channel show {alias}` says why it is paused, and what to do")
        }
        "plan" => {
            "the organization's plan has no channels: an operator sets it by `pqh org set ID --plan paid`".to_owned()
        }
        "grant" => format!("an operator has to let it send: `pqh plugin grant {channel_type}`"),
        _ => String::new(),
    }
}

/// A setting; of a secret no more than that it is set, and where it leads.
fn setting(value: &Value) -> String {
    if value["set"] == true {
        return value["origin"].as_str().map_or_else(|| "(set)".to_owned(), |origin| format!("(set) {origin}"));
    }
    plain(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn channel(more: &Value) -> Channel {
        let mut channel = json!({ "id": "c-1", "alias": "sales", "type": "webhook", "status": "active", "version": 3,
            "settings": { "url": { "set": true, "origin": "https://hooks.example.com" }, "to": ["a@x.example", "b@x.example"] },
            "paused": null, "held_reason": null,
            "created_at": "2026-11-23T12:00:00.000Z", "updated_at": "2026-11-23T12:30:00.000Z" });
        channel.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(channel).unwrap()
    }

    #[test]
    fn a_channel_is_shown_with_its_settings_and_without_its_secrets() {
        let expected = "\
Alias        sales
Id           c-1
Type         webhook
Status       active
Version      3
Created      2026-11-23 12:00:00
Changed      2026-11-23 12:30:00

Settings
to   a@x.example, b@x.example
url  (set) https://hooks.example.com
";
        assert_eq!(show(&channel(&json!({})), &TimeZone::UTC), expected);
    }

    #[test]
    fn a_channels_quiet_hours_are_shown_as_they_are_written() {
        let hours = json!({ "quiet_hours": [
            { "days": ["mon", "tue", "wed", "thu", "fri"], "from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin" },
            { "days": ["sat", "sun"], "from": "00:00", "to": "24:00" } ] });
        let text = show(&channel(&hours), &TimeZone::UTC);
        let line = "Quiet hours  mon-fri 22:00-07:00 Europe/Berlin; sat,sun 00:00-24:00\n";
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn a_channel_in_a_workspace_says_where_it_posts() {
        let place = json!({ "connection": { "id": "n-1", "name": "Acme", "status": "lost" },
            "target": { "id": "C1", "name": "#sales", "kind": "public-channel", "reachable": true } });
        let (text, table) = (show(&channel(&place), &TimeZone::UTC), list(&[channel(&place), channel(&json!({}))]));
        assert!(text.contains("Workspace    Acme (lost)\nTarget       #sales\n"), "{text}");
        assert!(table.contains("Posts to") && table.contains("#sales, Acme (lost)"), "{table}");
        assert!(!list(&[channel(&json!({}))]).contains("Posts to"));
    }

    #[test]
    fn a_paused_channel_says_why_and_what_to_do() {
        let paused = json!({ "at": "2026-11-23T12:00:00Z", "by": "service", "kind": "unreachable", "code": "no_service",
            "message": "The webhook is gone.", "remedy": "Make a new one." });
        let channel = channel(&json!({ "status": "paused", "paused": paused, "held_reason": "channel-paused" }));
        let text = show(&channel, &TimeZone::UTC);
        for part in
            ["Status       paused", "The webhook is gone.", "Make a new one.", "2026-11-23 12:00:00 by the service"]
        {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn an_active_channel_that_is_held_says_so() {
        let text = list(&[channel(&json!({ "held_reason": "grant" }))]);
        assert!(text.contains("held") && text.contains("grant") && !text.contains("active"), "{text}");
    }
}
