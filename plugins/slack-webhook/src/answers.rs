//! Slack's answers to a webhook, and what each means: 429 first, then the body's word, then the status.

use alloc::format;
use alloc::string::String;

use pqh_channel_sdk::answers::{Meaning, RETRIED};
use pqh_channel_sdk::http::Answer;
use pqh_channel_sdk::{Failure, FailureKind};

use crate::URL;

const RECREATE: &str = "Create a new webhook URL and update the PyQueryHub notification channel.";
const FORMATTING: &str = "Check the message's formatting, and ensure that a text or blocks field is present; \
                          report it to PyQueryHub support with this error.";
const LAYOUT: &str = "Report it to PyQueryHub support with this error: the message's formatting has to be mended.";
const PERMISSIONS: &str = "Ask a Slack workspace administrator to allow posting there, or update the notification channel \
                           to another Slack channel.";

/// Every word that Slack is known to answer.
#[rustfmt::skip]
const MEANINGS: [Meaning; 19] = {
    use FailureKind::{Rejected, Unauthorized, Unavailable, Unreachable};
    [
        Meaning::new("invalid_token", Unauthorized, "The webhook's token is expired, invalid or missing: the webhook URL was revoked by Slack, or copied incompletely.", RECREATE),
        Meaning::new("no_service", Unauthorized, "The webhook was revoked, disabled or removed: its URL may have been accidentally exposed or detected as compromised.", RECREATE),
        Meaning::new("no_service_id", Unauthorized, "The webhook URL's B… part is invalid or missing.", RECREATE),
        Meaning::new("no_active_hooks", Unauthorized, "The webhook is disabled.", RECREATE),
        Meaning::new("no_team", Unauthorized, "The webhook's Slack workspace is missing, or its URL's T… part is invalid.", RECREATE),
        Meaning::new("team_disabled", Unauthorized, "The webhook's Slack workspace is no longer active.", "Reactivate the workspace, or create a webhook in another one and update the PyQueryHub notification channel."),
        Meaning::new("channel_not_found", Unreachable, "The channel was deleted, or the webhook lacks access permissions.", "Verify that the channel exists, and recreate the webhook if necessary."),
        Meaning::new("channel_is_archived", Unreachable, "The target channel has been archived in Slack.", "Unarchive the channel, or update the notification channel to an active channel."),
        Meaning::new("action_prohibited", Unreachable, "Insufficient permissions: an administrator of the Slack workspace restricted posting there.", PERMISSIONS),
        Meaning::new("posting_to_general_channel_denied", Unreachable, "Posting to the workspace's #general channel is restricted, and the webhook's creator may not.", PERMISSIONS),
        Meaning::new("invalid_payload", Rejected, "Malformed JSON in the webhook request, or missing required fields.", FORMATTING),
        Meaning::new("no_text", Rejected, "The message lacks both text and blocks content.", FORMATTING),
        Meaning::new("missing_text_or_fallback_or_attachments", Rejected, "The message lacks text, fallback and attachments.", FORMATTING),
        Meaning::new("invalid_blocks", Rejected, "A block of the message breaks one of Slack's limits.", LAYOUT),
        Meaning::new("invalid_blocks_format", Rejected, "The message's blocks are not formed as Slack expects.", LAYOUT),
        Meaning::new("invalid_attachments", Rejected, "The message's attachments are not formed as Slack expects.", LAYOUT),
        Meaning::new("too_many_attachments", Rejected, "The message exceeded Slack's limit of 100 attachments.", LAYOUT),
        Meaning::new("user_not_found", Rejected, "The person that the message addresses does not exist in Slack any more.", "Remove that person from the alert's mentions."),
        Meaning::new("rollup_error", Unavailable, "Slack could not take the message just now; that is likely not your fault.", RETRIED),
    ]
};

/// The words that say: the message's layout, not its text.
const LAYOUT_WORDS: [&str; 4] =
    ["invalid_blocks", "invalid_blocks_format", "invalid_attachments", "too_many_attachments"];

/// The words that a living webhook answers to a message without text.
const ALIVE: [&str; 2] = ["no_text", "missing_text_or_fallback_or_attachments"];

/// The word, where Slack refused the layout and may take the same message as plain text.
pub(crate) fn refused_layout(answer: &Answer) -> Option<String> {
    let word = answer.word();
    let refused = (400..500).contains(&answer.status()) && answer.status() != 429;
    (refused && LAYOUT_WORDS.contains(&word.as_str())).then_some(word)
}

/// What an answer to an empty message says of the webhook.
pub(crate) fn of_check(answer: &Answer) -> Result<(), Failure> {
    if answer.status() != 429 && ALIVE.contains(&answer.word().as_str()) {
        return Ok(());
    }
    of_delivery(answer)
}

/// What an answer to a message says of its delivery.
pub(crate) fn of_delivery(answer: &Answer) -> Result<(), Failure> {
    let status = answer.status();
    let word = answer.word();
    if status == 429 {
        let message = "Rate limit exceeded: messages were sent faster than 1 per second.";
        return Err(Failure::throttled("rate_limited", message)
            .remedy("PyQueryHub automatically handles this with retry logic, no action needed.")
            .retry_after(answer.retry_after()));
    }
    if status == 200 && word == "ok" {
        return Ok(());
    }
    match Meaning::find(&MEANINGS, &word) {
        Some(meaning) => Err(known(meaning, answer)),
        None => Err(by_status(answer)),
    }
}

fn known(meaning: &Meaning, answer: &Answer) -> Failure {
    let failure = meaning.failure();
    match meaning.kind {
        FailureKind::Unauthorized => failure.field(URL),
        FailureKind::Unavailable => failure.retry_after(answer.retry_after()),
        _ => failure,
    }
}

fn by_status(answer: &Answer) -> Failure {
    let status = answer.status();
    match status {
        200..=299 => Failure::rejected(
            "unexpected_answer",
            format!("Slack answered HTTP {status} without the \"ok\" that says the message was posted{}.", answer.said()),
        )
        .remedy("Check that the webhook URL is one of Slack's, whole, and see whether the message is in the channel."),
        300..=399 => Failure::rejected(
            "redirected",
            format!("Slack answered with a redirect (HTTP {status}), as it does to a malformed webhook URL."),
        )
        .remedy("Check the webhook's validity: copy its URL again from Slack and update the PyQueryHub notification channel.")
        .field(URL),
        _ => answer.refusal("Slack"),
    }
}
