//! slack-format
