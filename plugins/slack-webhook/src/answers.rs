//! Slack's answers to a webhook, and what each means: 429 first, then the body's word, then the status.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use pqh_channel_sdk::http::Answer;
use pqh_channel_sdk::text::{one_line, truncate};
use pqh_channel_sdk::{Failure, FailureKind};

use crate::URL;

/// What a word in the body means.
struct Meaning {
    word: &'static str,
    kind: FailureKind,
    message: &'static str,
    remedy: &'static str,
}

const RECREATE: &str = "Create a new webhook URL and update the PyQueryHub notification channel.";
const FORMATTING: &str = "Check the message's formatting, and ensure that a text or blocks field is present; \
                          report it to PyQueryHub support with this error.";
const LAYOUT: &str = "Report it to PyQueryHub support with this error: the message's formatting has to be mended.";
const PERMISSIONS: &str = "Ask a Slack workspace administrator to allow posting there, or update the notification channel \
                           to another Slack channel.";

const fn means(word: &'static str, kind: FailureKind, message: &'static str, remedy: &'static str) -> Meaning {
    Meaning { word, kind, message, remedy }
}

/// Every word that Slack is known to answer.
#[rustfmt::skip]
const MEANINGS: [Meaning; 19] = {
    use FailureKind::{Rejected, Unauthorized, Unavailable, Unreachable};
    [
        means("invalid_token", Unauthorized, "The webhook's token is expired, invalid or missing: the webhook URL was revoked by Slack, or copied incompletely.", RECREATE),
        means("no_service", Unauthorized, "The webhook was revoked, disabled or removed: its URL may have been accidentally exposed or detected as compromised.", RECREATE),
        means("no_service_id", Unauthorized, "The webhook URL's B… part is invalid or missing.", RECREATE),
        means("no_active_hooks", Unauthorized, "The webhook is disabled.", RECREATE),
        means("no_team", Unauthorized, "The webhook's Slack workspace is missing, or its URL's T… part is invalid.", RECREATE),
        means("team_disabled", Unauthorized, "The webhook's Slack workspace is no longer active.", "Reactivate the workspace, or create a webhook in another one and update the PyQueryHub notification channel."),
        means("channel_not_found", Unreachable, "The channel was deleted, or the webhook lacks access permissions.", "Verify that the channel exists, and recreate the webhook if necessary."),
        means("channel_is_archived", Unreachable, "The target channel has been archived in Slack.", "Unarchive the channel, or update the notification channel to an active channel."),
        means("action_prohibited", Unreachable, "Insufficient permissions: an administrator of the Slack workspace restricted posting there.", PERMISSIONS),
        means("posting_to_general_channel_denied", Unreachable, "Posting to the workspace's #general channel is restricted, and the webhook's creator may not.", PERMISSIONS),
        means("invalid_payload", Rejected, "Malformed JSON in the webhook request, or missing required fields.", FORMATTING),
        means("no_text", Rejected, "The message lacks both text and blocks content.", FORMATTING),
        means("missing_text_or_fallback_or_attachments", Rejected, "The message lacks text, fallback and attachments.", FORMATTING),
        means("invalid_blocks", Rejected, "A block of the message breaks one of Slack's limits.", LAYOUT),
        means("invalid_blocks_format", Rejected, "The message's blocks are not formed as Slack expects.", LAYOUT),
        means("invalid_attachments", Rejected, "The message's attachments are not formed as Slack expects.", LAYOUT),
        means("too_many_attachments", Rejected, "The message exceeded Slack's limit of 100 attachments.", LAYOUT),
        means("user_not_found", Rejected, "The person that the message addresses does not exist in Slack any more.", "Remove that person from the alert's mentions."),
        means("rollup_error", Unavailable, "Slack could not take the message just now; that is likely not your fault.", "PyQueryHub automatically tries again, no action needed."),
    ]
};

/// The words that say: the message's layout, not its text.
const LAYOUT_WORDS: [&str; 4] =
    ["invalid_blocks", "invalid_blocks_format", "invalid_attachments", "too_many_attachments"];

/// The words that a living webhook answers to a message without text.
const ALIVE: [&str; 2] = ["no_text", "missing_text_or_fallback_or_attachments"];

/// The word, where Slack refused the layout and may take the same message as plain text.
pub(crate) fn refused_layout(answer: &Answer) -> Option<String> {
    let word = word(answer);
    let refused = (400..500).contains(&answer.status()) && answer.status() != 429;
    (refused && LAYOUT_WORDS.contains(&word.as_str())).then_some(word)
}

/// What an answer to an empty message says of the webhook.
pub(crate) fn of_check(answer: &Answer) -> Result<(), Failure> {
    if answer.status() != 429 && ALIVE.contains(&word(answer).as_str()) {
        return Ok(());
    }
    of_delivery(answer)
}

/// What an answer to a message says of its delivery.
pub(crate) fn of_delivery(answer: &Answer) -> Result<(), Failure> {
    let status = answer.status();
    let word = word(answer);
    if status == 429 {
        let message = "Rate limit exceeded: messages were sent faster than 1 per second.";
        return Err(Failure::throttled("rate_limited", message)
            .remedy("PyQueryHub automatically handles this with retry logic, no action needed.")
            .retry_after(answer.retry_after()));
    }
    if status == 200 && word == "ok" {
        return Ok(());
    }
    match MEANINGS.iter().find(|meaning| meaning.word == word) {
        Some(meaning) => Err(known(meaning, answer)),
        None => Err(by_status(status, answer)),
    }
}

fn known(meaning: &Meaning, answer: &Answer) -> Failure {
    let failure = Failure::new(meaning.kind, meaning.word, meaning.message).remedy(meaning.remedy);
    match meaning.kind {
        FailureKind::Unauthorized => failure.field(URL),
        FailureKind::Unavailable => failure.retry_after(answer.retry_after()),
        _ => failure,
    }
}

fn by_status(status: u16, answer: &Answer) -> Failure {
    match status {
        200..=299 => Failure::rejected(
            "unexpected_answer",
            format!("Slack answered HTTP {status} without the \"ok\" that says the message was posted{}.", said(answer)),
        )
        .remedy("Check that the webhook URL is one of Slack's, whole, and see whether the message is in the channel."),
        300..=399 => Failure::rejected(
            "redirected",
            format!("Slack answered with a redirect (HTTP {status}), as it does to a malformed webhook URL."),
        )
        .remedy("Check the webhook's validity: copy its URL again from Slack and update the PyQueryHub notification channel.")
        .field(URL),
        408 | 500..=599 => Failure::unavailable(
            format!("http_{status}"),
            match status {
                503 => "Slack is unavailable: temporary downtime (HTTP 503).".to_owned(),
                _ => format!("Slack has an internal problem (HTTP {status})."),
            },
        )
        .remedy("PyQueryHub automatically tries again, no action needed.")
        .retry_after(answer.retry_after()),
        _ => Failure::rejected(format!("http_{status}"), format!("Slack refused the message with HTTP {status}{}.", said(answer)))
            .remedy("Contact PyQueryHub support with this error."),
    }
}

/// The body's word: trimmed, and empty where the body is a page.
fn word(answer: &Answer) -> String {
    if answer.bytes().len() > 100 { String::new() } else { answer.text().trim().to_owned() }
}

/// The start of what Slack said, for people.
fn said(answer: &Answer) -> String {
    let text = one_line(&answer.text());
    if text.is_empty() { String::new() } else { format!(": {}", truncate(&text, 80, "…")) }
}
