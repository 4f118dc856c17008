//! The words that Slack's webhooks answer, and the status of each.

/// Each word with its HTTP status. Where Slack documents no status, the one of its family.
pub const WORDS: &[(&str, u16)] = &[
    ("invalid_payload", 400),
    ("no_text", 400),
    ("missing_text_or_fallback_or_attachments", 400),
    ("invalid_blocks", 400),
    ("invalid_blocks_format", 400),
    ("invalid_attachments", 400),
    ("too_many_attachments", 400),
    ("user_not_found", 400),
    ("invalid_token", 403),
    ("action_prohibited", 403),
    ("posting_to_general_channel_denied", 403),
    ("channel_not_found", 404),
    ("no_service", 404),
    ("no_active_hooks", 404),
    ("no_service_id", 404),
    ("no_team", 404),
    ("team_disabled", 403),
    ("channel_is_archived", 410),
    ("rollup_error", 500),
];

/// The status of `word`; 400 for one that is not in the table.
pub fn status_of(word: &str) -> u16 {
    WORDS.iter().find(|(known, _)| *known == word).map_or(400, |(_, status)| *status)
}
