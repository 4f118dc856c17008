//! slack-webhook
