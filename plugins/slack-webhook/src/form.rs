//! What the type is, and the rules that the host checks the webhook's URL against.

use alloc::format;

use pqh_channel_sdk::prelude::*;

use crate::URL;

const CREATE: &str = "create a Slack app, turn on Incoming Webhooks, and choose \"Add New Webhook to Workspace\"";

pub(crate) fn descriptor() -> Descriptor {
    Descriptor::new(
        "slack-webhook",
        "Slack (incoming webhook)",
        "Posts alerts into one Slack channel, through an incoming webhook of your own.",
    )
    .field(url())
    .credential(Credential::new(URL, Placement::Address).to_host("hooks.slack.com").to_host("hooks.slack-gov.com"))
    .target([URL])
    .pace_per_target(60, 5)
    .digests()
    .hint("documentation", "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks")
    .hint("category", "chat")
}

fn url() -> Field {
    Field::secret_url(URL, "Webhook URL")
        .required()
        .help(
            "In your Slack app's settings, under Incoming Webhooks: add a webhook to the workspace, choose the channel, \
             and copy its URL. It is a secret: whoever has it can post.",
        )
        .must_not_match(
            "(?i)https?://[^/]*/workflows/.*",
            &format!("This is the URL of a workflow, which takes another kind of message. Use an incoming webhook instead: {CREATE}."),
        )
        .must_not_match(
            "(?i)https?://[^/]*/triggers/.*",
            &format!("This is the URL of a workflow's trigger, which takes another kind of message. Use an incoming webhook instead: {CREATE}."),
        )
        .must_match(
            r"https://hooks\.slack(-gov)?\.com/.*",
            "This is no address of Slack's incoming webhooks: it has to start with https://hooks.slack.com/services/ \
             (GovSlack: https://hooks.slack-gov.com/services/).",
        )
        .must_match(
            r"https://[^/]+/services/T[A-Za-z0-9]+/B[A-Za-z0-9]+/[A-Za-z0-9]+",
            "This is no whole webhook URL: after /services/ there have to be exactly three parts, T…/B…/… . Copy it again \
             from your Slack app's settings, under Incoming Webhooks.",
        )
        .hint("placeholder", "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX")
}
