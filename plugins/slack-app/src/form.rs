//! What the type is, and what an administrator fills in once the workspace is connected.

use pqh_channel_sdk::FieldKind;
use pqh_channel_sdk::prelude::*;

use crate::{CHANNEL, TOKEN};

pub(crate) fn descriptor() -> Descriptor {
    Descriptor::new(
        "slack-app",
        "Slack",
        "Posts alerts to the channels and people of a connected Slack workspace, and follows up in place.",
    )
    .field(
        Field::new(CHANNEL, "Where to post", FieldKind::Target)
            .required()
            .help("A channel, or a person for direct messages. Private channels are listed once the bot is in them: /invite @PyQueryHub")
            .must_match("[CDGUW][A-Z0-9]+", "This is no id of a Slack channel or person. Pick one from the list.")
            .hint("placeholder", "#alerts-general"),
    )
    .field(
        Field::choice(
            "resolutions",
            "When an alert resolves",
            &[("thread", "Tell it in the thread of the alert's message"), ("message", "Tell it as a new message")],
        )
        .default_value("thread")
        .help("Either way, the message that told the alert is updated to its resolved look."),
    )
    .credential(Credential::new(TOKEN, Placement::bearer()).to_host("slack.com"))
    .target([CHANNEL])
    .pace_per_target(60, 5)
    .digests()
    .hint("documentation", "https://docs.slack.dev/messaging/sending-and-scheduling-messages")
    .hint("category", "chat")
}
