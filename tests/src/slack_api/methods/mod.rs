//! The Web API's methods: what each takes, needs and does.

mod auth;
mod chat;
mod conversations;
mod cursor;
mod message;
mod users;

use super::call::{Method, Takes};
use super::limits::Tier;

/// The method `name`.
pub(crate) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

const METHODS: &[Method] = &[
    Method {
        name: "auth.test",
        takes: Takes::FormOrJson,
        scope: "",
        tier: Tier::Special,
        arguments: &[],
        run: auth::test,
    },
    Method {
        name: "auth.revoke",
        takes: Takes::Read,
        scope: "",
        tier: Tier::Three,
        arguments: &["test"],
        run: auth::revoke,
    },
    Method {
        name: "team.info",
        takes: Takes::Read,
        scope: "team:read",
        tier: Tier::Three,
        arguments: &[],
        run: auth::team_info,
    },
    Method {
        name: "chat.postMessage",
        takes: Takes::Json,
        scope: "chat:write",
        tier: Tier::Posting,
        arguments: &[
            "channel",
            "text",
            "blocks",
            "attachments",
            "thread_ts",
            "reply_broadcast",
            "mrkdwn",
            "unfurl_links",
            "unfurl_media",
            "metadata",
        ],
        run: chat::post_message,
    },
    Method {
        name: "chat.update",
        takes: Takes::Json,
        scope: "chat:write",
        tier: Tier::Three,
        arguments: &["channel", "ts", "text", "blocks", "attachments", "metadata"],
        run: chat::update,
    },
    Method {
        name: "chat.getPermalink",
        takes: Takes::Read,
        scope: "",
        tier: Tier::Special,
        arguments: &["channel", "message_ts"],
        run: chat::get_permalink,
    },
    Method {
        name: "conversations.list",
        takes: Takes::Read,
        // By the types that are asked for.
        scope: "",
        tier: Tier::Two,
        arguments: &["types", "limit", "cursor", "exclude_archived"],
        run: conversations::list,
    },
    Method {
        name: "conversations.info",
        takes: Takes::Read,
        // By the channel's kind.
        scope: "",
        tier: Tier::Three,
        arguments: &["channel", "include_num_members"],
        run: conversations::info,
    },
    Method {
        name: "conversations.join",
        takes: Takes::Json,
        scope: "channels:join",
        tier: Tier::Three,
        arguments: &["channel"],
        run: conversations::join,
    },
    Method {
        name: "conversations.open",
        takes: Takes::Json,
        scope: "im:write",
        tier: Tier::Three,
        arguments: &["users", "return_im"],
        run: conversations::open,
    },
    Method {
        name: "users.list",
        takes: Takes::Read,
        scope: "users:read",
        tier: Tier::Two,
        arguments: &["limit", "cursor", "include_locale"],
        run: users::list,
    },
    Method {
        name: "users.info",
        takes: Takes::Read,
        scope: "users:read",
        tier: Tier::Four,
        arguments: &["user", "include_locale"],
        run: users::info,
    },
    Method {
        name: "users.lookupByEmail",
        takes: Takes::Read,
        scope: "users:read.email",
        tier: Tier::Three,
        arguments: &["email"],
        run: users::lookup_by_email,
    },
    Method {
        name: "usergroups.list",
        takes: Takes::Read,
        scope: "usergroups:read",
        tier: Tier::Two,
        arguments: &["include_count", "include_disabled", "include_users"],
        run: users::groups,
    },
];
