//! `conversations.list`, `.info`, `.join` and `.open`.

use serde_json::{Value, json};

use super::cursor;
use crate::slack_api::call::{Arguments, Caller, Outcome};
use crate::slack_api::state::State;
use crate::slack_api::workspace::{Channel, ChannelKind};

/// Each type with the scope that it needs.
const TYPES: &[(&str, &str)] = &[
    ("public_channel", "channels:read"),
    ("private_channel", "groups:read"),
    ("im", "im:read"),
    ("mpim", "mpim:read"),
];

fn type_of(channel: &Channel) -> &'static str {
    match channel.kind {
        ChannelKind::Direct(_) => "im",
        ChannelKind::Private => "private_channel",
        ChannelKind::Public => "public_channel",
    }
}

fn scope_of(kind: &str) -> Option<&'static str> {
    TYPES.iter().find(|(held, _)| *held == kind).map(|(_, scope)| *scope)
}

fn shown(channel: &Channel, bot: &str) -> Value {
    if let ChannelKind::Direct(user) = &channel.kind {
        return json!({ "id": channel.id, "created": 1_449_252_889, "is_im": true, "is_archived": false, "user": user });
    }
    json!({
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": !channel.is_private(),
        "is_group": channel.is_private(),
        "is_im": false,
        "is_mpim": false,
        "is_private": channel.is_private(),
        "is_archived": channel.is_archived,
        "is_general": channel.is_general,
        "is_member": channel.members.contains(bot),
        "is_shared": false,
        "is_ext_shared": false,
        "is_org_shared": false,
        "created": 1_449_252_889,
        "creator": "USLACKBOT",
        "num_members": channel.members.len(),
        "topic": { "value": "", "creator": "", "last_set": 0 },
        "purpose": { "value": "", "creator": "", "last_set": 0 },
        "previous_names": [],
    })
}

/// A page is cut before archived channels are left out, as Slack does: it may be short, or empty, and not be the last.
pub(crate) fn list(state: &mut State, caller: &Caller, arguments: &Arguments) -> Outcome {
    let types = arguments.text("types")?.unwrap_or("public_channel").to_owned();
    let kinds: Vec<&str> = types.split(',').collect();
    for kind in &kinds {
        caller.needs(scope_of(kind).ok_or("invalid_types")?)?;
    }
    let excludes = arguments.flag("exclude_archived")?;
    let asked = cursor::asked(state, caller, arguments, Some(100), &format!("channels:{types}:{excludes}"))?;
    let bot = caller.token.bot_user_id.as_str();
    let team = caller.team(state)?;
    let mut meant = team.channels.iter().enumerate().skip(asked.from);
    let mut meant = meant.by_ref().filter(|(_, held)| held.is_seen_by(bot) && kinds.contains(&type_of(held)));
    let page = meant.by_ref().take(asked.limit).filter(|(_, held)| !excludes || !held.is_archived);
    let items = page.map(|(_, held)| shown(held, bot)).collect();
    let next = meant.next().map(|(at, _)| at);
    Ok(cursor::page(state, caller, asked, "channels", items, next))
}

pub(crate) fn info(state: &mut State, caller: &Caller, arguments: &Arguments) -> Outcome {
    let id = arguments.required("channel")?;
    let bot = caller.token.bot_user_id.as_str();
    let channel = caller.team(state)?.channel(id).filter(|channel| channel.is_seen_by(bot));
    let channel = channel.ok_or("channel_not_found")?;
    caller.needs(scope_of(type_of(channel)).unwrap_or_default())?;
    Ok(json!({ "channel": shown(channel, bot) }))
}

pub(crate) fn join(state: &mut State, caller: &Caller, arguments: &Arguments) -> Outcome {
    let id = arguments.required("channel")?;
    let bot = caller.token.bot_user_id.as_str();
    let channel = caller.team(state)?.channel_mut(id).filter(|channel| !channel.is_deleted);
    let channel = channel.ok_or("channel_not_found")?;
    if channel.is_private() {
        return Err("method_not_supported_for_channel_type".into());
    }
    if channel.is_archived {
        return Err("is_archived".into());
    }
    let was_in = !channel.members.insert(bot.to_owned());
    let mut answer = json!({ "channel": shown(channel, bot) });
    if was_in {
        answer["warning"] = "already_in_channel".into();
        answer["response_metadata"] = json!({ "warnings": ["already_in_channel"] });
    }
    Ok(answer)
}

pub(crate) fn open(state: &mut State, caller: &Caller, arguments: &Arguments) -> Outcome {
    let users = arguments.text("users")?.filter(|users| !users.is_empty()).ok_or("users_list_not_supplied")?;
    let bot = caller.token.bot_user_id.as_str();
    let team = caller.team(state)?;
    if users.contains(',') {
        // Direct messages with several people are not of our making.
        return Err("invalid_arguments".into());
    }
    team.person(users, "user_disabled")?;
    let id = team.direct(users, bot);
    let channel = match team.channel(&id) {
        Some(channel) if arguments.flag("return_im")? => shown(channel, bot),
        _ => json!({ "id": id }),
    };
    Ok(json!({ "channel": channel }))
}
