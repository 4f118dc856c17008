//! `chat.postMessage`, `chat.update` and `chat.getPermalink`.

use serde_json::{Map, Value, json};

use super::message;
use crate::slack_api::call::{Arguments, Caller, Outcome, Refusal};
use crate::slack_api::state::State;
use crate::slack_api::workspace::{Channel, Edit, Message, Team};

/// Characters of a message's text. Slack splits a longer new one, and refuses a longer update.
const TEXT: usize = 4_000;

/// The restrictions that replies alone meet.
const OF_REPLIES: &[&str] =
    &["restricted_action_non_threadable_channel", "restricted_action_thread_locked", "cannot_reply_to_message"];

pub(crate) fn post_message(state: &mut State, caller: &Caller, arguments: &Arguments) -> Outcome {
    let team = caller.team(state)?;
    let id = resolved(team, caller, arguments.required("channel")?)?;
    let channel = team.channel(&id).ok_or("channel_not_found")?;
    let mut thread_ts = arguments.text("thread_ts")?.map(str::to_owned);
    may_post(channel, caller, thread_ts.is_some())?;
    let content = message::content(&arguments.0, TEXT)?;
    if arguments.flag("reply_broadcast")? && thread_ts.is_none() {
        return Err("invalid_arguments".into());
    }
    if let Some(thread) = &thread_ts
        && team.was_deleted(&id, thread)
    {
        // A reply to it is a message of its own, and Slack says ok.
        thread_ts = None;
    } else if let Some(thread) = &thread_ts {
        // Slack takes a reply's `ts` too, and advises against it.
        let parent = team.message_mut(&id, thread).filter(|parent| parent.thread_ts.is_none());
        parent.ok_or("thread_not_found")?;
    }
    let message = Message {
        channel: id.clone(),
        ts: team.next_ts(caller.now),
        thread_ts,
        user: caller.token.bot_user_id.clone(),
        app_id: Some(caller.token.app_id.clone()),
        content,
        edits: Vec::new(),
        is_deleted: false,
        at: caller.now,
    };
    let answer = json!({ "channel": id, "ts": message.ts, "message": shown(&message, caller) });
    team.keep(message);
    Ok(answer)
}

/// The id of the channel that `channel` means: itself, or the direct message with a person.
fn resolved(team: &mut Team, caller: &Caller, channel: &str) -> Result<String, Refusal> {
    if !channel.starts_with(['U', 'W']) {
        // Slack takes the name of a public channel too, and advises against it.
        return Ok(channel.to_owned());
    }
    team.person(channel, "user_not_found")?;
    Ok(team.direct(channel, &caller.token.bot_user_id))
}

fn may_post(channel: &Channel, caller: &Caller, is_reply: bool) -> Result<(), Refusal> {
    let bot = caller.token.bot_user_id.as_str();
    if !channel.is_seen_by(bot) {
        return Err("channel_not_found".into());
    }
    if channel.is_archived {
        return Err("is_archived".into());
    }
    if !channel.members.contains(bot) {
        caller.needs("chat:write.public").map_err(|_| Refusal::from("not_in_channel"))?;
    }
    let holds = |word: &&str| match *word {
        "restricted_action_thread_only_channel" => !is_reply,
        word => is_reply || !OF_REPLIES.contains(&word),
    };
    channel.restriction.filter(holds).map_or(Ok(()), |word| Err(word.into()))
}

fn shown(message: &Message, caller: &Caller) -> Value {
    let mut answer = json!({
        "type": "message",
        "user": message.user,
        "bot_id": caller.bot_id,
        "app_id": message.app_id,
        "team": caller.token.place,
        "ts": message.ts,
    });
    if let Some(thread) = &message.thread_ts {
        answer["thread_ts"] = thread.as_str().into();
    }
    for name in ["text", "blocks", "attachments", "metadata"] {
        if let Some(value) = message.content.get(name) {
            answer[name] = value.clone();
        }
    }
    answer
}

pub(crate) fn update(state: &mut State, caller: &Caller, arguments: &Arguments) -> Outcome {
    let (id, ts) = (arguments.required("channel")?.to_owned(), arguments.required("ts")?.to_owned());
    let bot = caller.token.bot_user_id.as_str();
    let team = caller.team(state)?;
    // A person's id, which posting takes, is no channel here.
    let channel = team.channel(&id).filter(|channel| channel.is_seen_by(bot)).ok_or("channel_not_found")?;
    if channel.is_archived {
        return Err("is_inactive".into());
    }
    let mut content = message::content(&arguments.0, TEXT)?;
    let message = team.message_mut(&id, &ts).ok_or("message_not_found")?;
    if message.app_id.as_deref() != Some(caller.token.app_id.as_str()) || message.user != bot {
        return Err("cant_update_message".into());
    }
    keep_metadata(&message.content, &mut content);
    let before = std::mem::replace(&mut message.content, content);
    message.edits.push(Edit { at: caller.now, before });
    let text = message.content.get("text").cloned().unwrap_or_else(|| "".into());
    let mut told = shown(message, caller);
    told["edited"] = json!({ "user": bot, "ts": format!("{}.000000", caller.now / 1_000) });
    Ok(json!({ "channel": id, "ts": ts, "text": text, "message": told }))
}

/// Metadata stays where an update says none, and goes where it says an empty object.
fn keep_metadata(before: &Map<String, Value>, content: &mut Map<String, Value>) {
    match (content.get("metadata"), before.get("metadata")) {
        (None, Some(held)) => drop(content.insert("metadata".to_owned(), held.clone())),
        (Some(said), _) if *said == json!({}) => drop(content.remove("metadata")),
        _ => {}
    }
}

pub(crate) fn get_permalink(state: &mut State, caller: &Caller, arguments: &Arguments) -> Outcome {
    let (id, ts) = (arguments.required("channel")?, arguments.required("message_ts")?);
    let team = caller.team(state)?;
    let bot = caller.token.bot_user_id.as_str();
    team.channel(id).filter(|channel| channel.is_seen_by(bot)).ok_or("channel_not_found")?;
    let domain = team.domain.clone();
    let message = team.message_mut(id, ts).ok_or("message_not_found")?;
    let mut link = format!("https://{domain}.slack.com/archives/{id}/p{}", ts.replace('.', ""));
    if let Some(thread) = &message.thread_ts {
        link = format!("{link}?thread_ts={thread}&cid={id}");
    }
    Ok(json!({ "channel": id, "permalink": link }))
}
