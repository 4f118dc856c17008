//! Connecting a workspace: how Slack does OAuth, what its token answers mean, and letting go again.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use pqh_channel_sdk::answers::{Meaning, RETRIED};
use pqh_channel_sdk::connection::{ClientAuthentication, ConnectedWorkspace, Oauth2Service, TokenAnswer, TokenSecret};
use pqh_channel_sdk::prelude::*;
use pqh_channel_sdk::text::line_or;
use pqh_channel_sdk::{Target, TargetKind, Workspace, log};
use serde::Serialize;
use serde_json::Value;

use crate::{TOKEN, answers, api, check, directory};

/// What is asked for, and what each is for.
const SCOPES: [&str; 8] = [
    "chat:write",        // posting and updating
    "channels:read",     // finding public channels, and hearing of their changes
    "groups:read",       // the same of the private ones that the bot is in
    "channels:join",     // joining a public channel to post there
    "users:read",        // finding people for direct messages
    "users:read.email",  // mentioning people by their e-mail addresses
    "app_mentions:read", // answering who mentions the bot
    "incoming-webhook",  // choosing the default channel while connecting
];

/// What `connected` sees of a token answer. Of `incoming_webhook` never the rest: its `url` can post.
const VISIBLE: [&str; 11] = [
    "/ok",
    "/error",
    "/team",
    "/enterprise",
    "/is_enterprise_install",
    "/bot_user_id",
    "/app_id",
    "/scope",
    "/authed_user/id",
    "/incoming_webhook/channel",
    "/incoming_webhook/channel_id",
];

const AGAIN: &str = "Connect the Slack workspace again.";
const OPERATOR: &str = "Ask the operator of PyQueryHub to compare the Slack app's client id, client secret and redirect URL with its settings.";

/// The words of a token answer that say something else than where a message is posted (FACTS.md, 5).
#[rustfmt::skip]
const MEANINGS: [Meaning; 15] = {
    use FailureKind::{Rejected, Unauthorized, Unavailable};
    [
        Meaning::new("invalid_code", Rejected, "Slack's permission expired, or was used already.", AGAIN),
        Meaning::new("code_already_used", Rejected, "Slack's permission was used already.", AGAIN),
        Meaning::new("oauth_authorization_url_mismatch", Rejected, "The permission was given at another address than Slack's OAuth v2.", AGAIN),
        Meaning::new("invalid_code_verifier", Rejected, "Slack's permission was not asked for by this PyQueryHub.", AGAIN),
        Meaning::new("bad_redirect_uri", Rejected, "PyQueryHub's address is none of the Slack app's redirect URLs.", OPERATOR),
        Meaning::new("bad_client_secret", Rejected, "Slack does not take the app's client secret.", OPERATOR),
        Meaning::new("invalid_client_id", Rejected, "Slack does not know the app's client id.", OPERATOR),
        Meaning::new("invalid_grant_type", Rejected, "Slack does not take how PyQueryHub asked for a token.", OPERATOR),
        Meaning::new("pkce_not_allowed", Rejected, "Slack does not take how PyQueryHub asked for a token.", OPERATOR),
        Meaning::new("no_scopes", Rejected, "No permissions were asked for.", OPERATOR),
        Meaning::new("preview_feature_not_available", Rejected, "The Slack app uses a feature that the workspace does not have.", OPERATOR),
        Meaning::new("cannot_install_an_org_installed_app", Rejected, "The app is installed for the whole Enterprise organization already.", "Have it removed there, and connect a single workspace."),
        Meaning::new("user_email_unverified", Rejected, "Your e-mail address is not verified in Slack.", "Verify it in Slack, then connect the workspace again."),
        Meaning::new("invalid_refresh_token", Unauthorized, "Slack workspace not connected: the connection expired.", answers::RECONNECT),
        Meaning::new("internal_error", Unavailable, "Slack has an internal problem.", RETRIED),
    ]
};

/// What a workspace's memo holds.
#[derive(Serialize)]
struct Memo<'a> {
    bot_user_id: &'a str,
    app_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

/// The bot's user id, out of a workspace's memo.
pub(crate) fn bot_of(workspace: &Workspace) -> Option<String> {
    let memo: Value = serde_json::from_str(&workspace.memo).ok()?;
    Some(memo["bot_user_id"].as_str()?.to_owned())
}

pub(crate) fn service() -> Oauth2Service {
    Oauth2Service {
        authorize_url: "https://slack.com/oauth/v2/authorize".to_owned(),
        authorize_parameters: Vec::new(),
        token_url: "https://slack.com/api/oauth.v2.access".to_owned(),
        client_authentication: ClientAuthentication::Basic,
        // Slack would make a public client of the app, for good (FACTS.md, 5).
        pkce: false,
        scopes: SCOPES.map(str::to_owned).to_vec(),
        scope_separator: ",".to_owned(),
        secrets: vec![TokenSecret { name: TOKEN.to_owned(), pointer: "/access_token".to_owned() }],
        visible: VISIBLE.map(str::to_owned).to_vec(),
        refresh_token: Some("/refresh_token".to_owned()),
        expires_in: Some("/expires_in".to_owned()),
    }
}

pub(crate) fn connected(answer: &TokenAnswer) -> Result<ConnectedWorkspace, Failure> {
    let said: Value = serde_json::from_str(&answer.visible).unwrap_or_default();
    let text = |pointer: &str| said[pointer].as_str().unwrap_or_default();
    if said["/ok"] != true {
        return Err(refused(text("/error"), answer.status));
    }
    let team = &said["/team"];
    let id = team["id"].as_str().unwrap_or_default();
    if said["/is_enterprise_install"] == true || (id.is_empty() && said["/enterprise"].is_object()) {
        let message = "The app was installed for a whole Enterprise organization, which PyQueryHub does not support.";
        return Err(Failure::rejected("org_wide_install", message)
            .remedy("Connect again, and choose a single workspace of the organization."));
    }
    if id.is_empty() || text("/bot_user_id").is_empty() {
        return Err(answers::unreadable(FailureKind::Rejected));
    }
    // A renewal knows all that matters: what else could fail may not cost it.
    let tested = if answer.renewal { Value::Null } else { test()? };
    let memo = Memo { bot_user_id: text("/bot_user_id"), app_id: text("/app_id"), url: tested["url"].as_str() };
    let workspace = Workspace {
        id: id.to_owned(),
        name: line_or(team["name"].as_str().unwrap_or_default(), 200, id),
        memo: serde_json::to_string(&memo).unwrap_or_default(),
    };
    let chosen = (text("/incoming_webhook/channel_id"), text("/incoming_webhook/channel"), text("/authed_user/id"));
    let default_target = if answer.renewal { None } else { chosen_target(chosen) };
    Ok(ConnectedWorkspace { workspace, default_target })
}

/// Whether the token lives. What Slack cannot say just now, the first delivery will.
fn test() -> Result<Value, Failure> {
    match api::ask("auth.test", &[], None).and_then(|answer| api::read(&answer)) {
        Err(failure) if failure.kind != FailureKind::Unauthorized => {
            log::warn(&alloc::format!("the new token was not tried: {} ({})", failure.message, failure.code));
            Ok(Value::Null)
        }
        tested => tested,
    }
}

fn refused(word: &str, status: u16) -> Failure {
    if let Some(meaning) = Meaning::find(&MEANINGS, word) {
        return meaning.failure();
    }
    match (word, status) {
        ("", 429) => answers::word("ratelimited", &Value::Null),
        ("", 408 | 500..) => answers::word("service_unavailable", &Value::Null),
        ("", _) => answers::unreadable(FailureKind::Rejected),
        ("fatal_error", _) => refused("internal_error", status),
        _ => answers::word(word, &Value::Null),
    }
}

/// What the person chose while connecting: a channel, or direct messages to themselves. Somebody else's are known only
/// by an id that is not for us to post to.
fn chosen_target((id, name, person): (&str, &str, &str)) -> Option<Target> {
    if id.is_empty() {
        return None;
    }
    if id.starts_with(['D', 'U', 'W']) {
        let item = check::person(person).ok()??;
        let is_them = item.name.as_deref() == Some(name.trim_start_matches('@'));
        return is_them.then(|| directory::of_person(&item));
    }
    match check::channel(id) {
        Ok(Some(item)) => Some(directory::of_channel(&item)),
        // Private, and the bot is not in it, or Slack cannot say just now.
        _ => Some(Target {
            id: id.to_owned(),
            name: line_or(name, 100, id),
            kind: TargetKind::PrivateChannel,
            reachable: false,
        }),
    }
}

/// Asks Slack to forget the token. One that is dead is forgotten.
pub(crate) fn revoke() -> Result<(), Failure> {
    match api::ask("auth.revoke", &[], None).and_then(|answer| api::read(&answer)) {
        Err(failure) if failure.kind != FailureKind::Unauthorized => Err(failure),
        _ => Ok(()),
    }
}
