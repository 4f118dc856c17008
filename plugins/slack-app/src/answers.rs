//! Slack's answers to its Web API, and what each means: 429 first, then the body's word, then the status.

use alloc::{format, string::String};

use pqh_channel_sdk::answers::{Meaning, RETRIED};
use pqh_channel_sdk::http::Answer;
use pqh_channel_sdk::text::line;
use pqh_channel_sdk::{Failure, FailureKind, json, log};
use serde_json::Value;

/// How long to wait where Slack asks for rest and does not say how long.
const REST: u64 = 30_000;
const LONG_REST: u64 = 600_000;

/// What the guide says of a workspace whose token is dead.
pub(crate) const RECONNECT: &str = "Reinstall the PyQueryHub Slack app and reconnect your workspace.";
const INVITE: &str = "Ensure that the bot is invited to the target channel: type /invite @PyQueryHub there.";
const VERIFY: &str = "Verify that the channel exists. If it is private, invite the bot there: /invite @PyQueryHub. Else update the notification channel to another Slack channel.";
const UNARCHIVE: &str = "Unarchive the channel, or update the notification channel to an active channel.";
const PERMISSIONS: &str = "Ask a Slack workspace administrator to allow posting there, or update the notification channel to another Slack channel.";
const PERSON: &str = "Update the notification channel to another person or channel.";
const SUPPORT: &str = "Report it to PyQueryHub support with this error: the message has to be mended.";

/// Every word that Slack is known to answer where a message is posted (platform facts, 8).
#[rustfmt::skip]
const MEANINGS: [Meaning; 41] = {
    use FailureKind::{Rejected, Throttled, Unauthorized, Unavailable, UnknownOutcome, Unreachable};
    [
        Meaning::new("invalid_auth", Unauthorized, "Slack workspace not connected: Slack does not take its token.", RECONNECT),
        Meaning::new("not_authed", Unauthorized, "Slack workspace not connected: there is no token.", RECONNECT),
        Meaning::new("account_inactive", Unauthorized, "Slack workspace not connected: the PyQueryHub app was removed from it, or the workspace is gone.", RECONNECT),
        Meaning::new("token_revoked", Unauthorized, "Slack workspace not connected: its token was revoked, or the PyQueryHub app removed.", RECONNECT),
        Meaning::new("token_expired", Unauthorized, "Slack workspace not connected: the connection expired.", RECONNECT),
        Meaning::new("org_login_required", Unauthorized, "Slack workspace not connected: the workspace is moving to an Enterprise organization.", "Wait until the workspace has moved, then reconnect it."),
        Meaning::new("team_not_found", Unauthorized, "Slack workspace not connected: Slack does not find the workspace.", RECONNECT),
        Meaning::new("not_allowed_token_type", Unauthorized, "Slack workspace not connected: its token is of another kind.", RECONNECT),
        Meaning::new("app_access_restricted", Unauthorized, "Slack workspace not connected: an administrator restricted the PyQueryHub app there.", "Ask a Slack workspace administrator to approve the PyQueryHub app, and reconnect your workspace."),
        Meaning::new("channel_not_found", Unreachable, "The channel was deleted, or it is private and the bot is not in it.", VERIFY),
        Meaning::new("not_in_channel", Unreachable, "Channel access restricted: the bot is not in the channel.", INVITE),
        Meaning::new("is_archived", Unreachable, "The target channel has been archived in Slack.", UNARCHIVE),
        Meaning::new("restricted_action", Unreachable, "A preference of the Slack workspace keeps the bot from posting there.", PERMISSIONS),
        Meaning::new("restricted_action_thread_only_channel", Unreachable, "The channel takes replies in threads only.", PERMISSIONS),
        Meaning::new("restricted_action_non_threadable_channel", Unreachable, "The channel takes no replies in threads.", PERMISSIONS),
        Meaning::new("restricted_action_thread_locked", Unreachable, "Administrators locked the thread.", PERMISSIONS),
        Meaning::new("cannot_reply_to_message", Unreachable, "The message that told the alert takes no replies.", PERMISSIONS),
        Meaning::new("messages_tab_disabled", Unreachable, "The PyQueryHub app takes no direct messages: its Messages tab is turned off.", "Turn the Messages tab on in the Slack app's settings (App Home), as the app's manifest has it."),
        Meaning::new("user_not_found", Unreachable, "The person is not in the Slack workspace any more.", PERSON),
        Meaning::new("user_disabled", Unreachable, "The person's Slack account is deactivated.", PERSON),
        Meaning::new("user_not_visible", Unreachable, "The bot may not see this person.", PERSON),
        Meaning::new("ekm_access_denied", Unreachable, "The Slack workspace's administrators suspended posting to this channel.", PERMISSIONS),
        Meaning::new("access_denied", Unreachable, "Channel access restricted: the bot may not post there.", PERMISSIONS),
        Meaning::new("no_permission", Unreachable, "Channel access restricted: the bot lacks a permission.", PERMISSIONS),
        Meaning::new("missing_scope", Unreachable, "The PyQueryHub app lacks a permission in the Slack workspace.", RECONNECT),
        Meaning::new("no_text", Rejected, "The message lacks both text and blocks content.", SUPPORT),
        Meaning::new("invalid_blocks", Rejected, "A block of the message breaks one of Slack's limits.", SUPPORT),
        Meaning::new("invalid_blocks_format", Rejected, "The message's blocks are not formed as Slack expects.", SUPPORT),
        Meaning::new("invalid_attachments", Rejected, "The message's attachments are not formed as Slack expects.", SUPPORT),
        Meaning::new("too_many_attachments", Rejected, "The message exceeded Slack's limit of 100 attachments.", SUPPORT),
        Meaning::new("msg_too_long", Rejected, "The message's text is too long.", SUPPORT),
        Meaning::new("msg_blocks_too_long", Rejected, "The message's blocks are too long.", SUPPORT),
        Meaning::new("attachment_payload_limit_exceeded", Rejected, "The message's attachment is too long.", SUPPORT),
        Meaning::new("ratelimited", Throttled, "Rate limit exceeded: Slack asks for rest.", RETRIED),
        Meaning::new("rate_limited", Throttled, "Rate limit exceeded: messages were sent faster than 1 per second.", RETRIED),
        Meaning::new("message_limit_exceeded", Throttled, "The Slack workspace posts more messages than its plan allows.", RETRIED),
        Meaning::new("service_unavailable", Unavailable, "Slack is unavailable: temporary downtime.", RETRIED),
        Meaning::new("request_timeout", Unavailable, "Slack did not get the whole request in time.", RETRIED),
        Meaning::new("team_added_to_org", Unavailable, "The workspace is moving to an Enterprise organization, which takes Slack some hours.", RETRIED),
        Meaning::new("internal_error", UnknownOutcome, "Slack has an internal problem, so the message may or may not be posted.", "Look whether the message is there before sending it again."),
        Meaning::new("fatal_error", UnknownOutcome, "Slack has an internal problem, so the message may or may not be posted.", "Look whether the message is there before sending it again."),
    ]
};

/// Says in the log what is left undone, and why.
pub(crate) fn warn(what: &str, why: &Failure) {
    log::warn(&format!("{what}: {} ({})", why.message, why.code));
}

/// Whether Slack refused the layout and may take the same message as plain text.
#[rustfmt::skip]
pub(crate) fn is_layout(failure: &Failure) -> bool {
    matches!(&*failure.code, "invalid_blocks" | "invalid_blocks_format" | "invalid_attachments" | "too_many_attachments"
        | "msg_blocks_too_long" | "attachment_payload_limit_exceeded")
}

/// Whether Slack refused the thread and may take the same message beside it.
#[rustfmt::skip]
pub(crate) fn is_thread(failure: &Failure) -> bool {
    matches!(&*failure.code, "thread_not_found" | "message_not_found" | "cannot_reply_to_message"
        | "restricted_action_non_threadable_channel" | "restricted_action_thread_locked")
}

/// Whether it says nothing of what was asked for: another time, or another token, may do.
pub(crate) fn is_passing(failure: &Failure) -> bool {
    !matches!(failure.kind, FailureKind::Rejected | FailureKind::Unreachable)
}

/// What an answer says: its members, or why there are none.
pub(crate) fn of(answer: &Answer) -> Result<Value, Failure> {
    let said = json::read(answer.bytes());
    let is_ok = answer.is_success() && said["ok"] == true;
    let failure = match (answer.status(), said["error"].as_str()) {
        (429, _) => word("ratelimited", &said),
        _ if is_ok => return Ok(said),
        // A word that is not known says less than a 5xx.
        (status, Some(held)) if status < 500 || Meaning::find(&MEANINGS, held).is_some() => word(held, &said),
        (200..=299, _) => unreadable(FailureKind::UnknownOutcome),
        _ => answer.refusal("Slack"),
    };
    let rest = answer.retry_after().or(failure.retry_after);
    Err(failure.retry_after(rest))
}

/// What one of Slack's words means, with what else it said.
pub(crate) fn word(word: &str, said: &Value) -> Failure {
    let mut failure = match Meaning::find(&MEANINGS, word) {
        Some(meaning) => meaning.failure(),
        None if word.starts_with("restricted_action") => {
            let message = "A restriction in the Slack workspace keeps the bot from posting there.";
            Failure::unreachable(line(word, 80), message).remedy(PERMISSIONS)
        }
        None => Failure::rejected(line(word, 80), format!("Slack refused the request ({}).", line(word, 80)))
            .remedy("Contact PyQueryHub support with this error."),
    };
    match failure.kind {
        FailureKind::Rejected => failure.message.push_str(&place(said)),
        FailureKind::Throttled => {
            failure.retry_after = Some(if word == "message_limit_exceeded" { LONG_REST } else { REST });
        }
        _ => {}
    }
    if let Some(needed) = said["needed"].as_str() {
        failure.message = format!("{} It needs {}.", failure.message, line(needed, 80));
    }
    failure
}

/// Where in the message Slack found something wrong, as far as it says.
fn place(said: &Value) -> String {
    let told = [&said["response_metadata"]["messages"][0], &said["errors"][0]].into_iter().find_map(Value::as_str);
    told.map_or_else(String::new, |told| format!(" Slack says: {}.", line(told, 200)))
}

/// An answer that is none of the Web API's.
pub(crate) fn unreadable(kind: FailureKind) -> Failure {
    let message = "Slack's answer is not the JSON expected, so nobody knows what came of the request.";
    Failure::new(kind, "unexpected_answer", message).remedy(
        "Look whether a proxy between PyQueryHub and Slack answers in its place, and whether the message is there.",
    )
}
