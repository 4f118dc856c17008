//! Connecting a workspace: how Slack does OAuth, what its token answers mean, and letting go again.

use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};

use pqh_channel_sdk::answers::RETRIED;
use pqh_channel_sdk::connection::{
    ClientAuthentication, ConnectedWorkspace, Connection, Oauth2Service, TokenAnswer, TokenSecret,
};
use pqh_channel_sdk::prelude::*;
use pqh_channel_sdk::text::line_or;
use pqh_channel_sdk::{Target, TargetKind, Workspace, json};
use serde::Serialize;
use serde_json::Value;

use crate::answers::{self, RECONNECT};
use crate::{SlackApp, TOKEN, api, check, directory};

/// What is asked for. FACTS.md says what each is for.
const SCOPES: &str = "app_mentions:read channels:join channels:read chat:write groups:read incoming-webhook users:read \
                      users:read.email";
/// What `connected` sees of a token answer. Of `incoming_webhook` never all: its `url` is a secret.
const VISIBLE: &str = "/ok /error /team /enterprise /is_enterprise_install /bot_user_id /app_id /scope /authed_user/id \
                       /incoming_webhook/channel /incoming_webhook/channel_id";

const AGAIN: &str = "Connect the Slack workspace again.";
const OPERATOR: &str = "Ask the operator of PyQueryHub to compare the Slack app's client id, client secret, redirect URL and \
                        manifest with PyQueryHub's settings.";

/// What a workspace's memo holds.
#[derive(Serialize)]
struct Memo<'a> {
    bot_user_id: &'a str,
    app_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

impl Connection for SlackApp {
    fn oauth2() -> Oauth2Service {
        let list = |words: &str| -> Vec<String> { words.split(' ').map(str::to_owned).collect() };
        Oauth2Service {
            authorize_url: "https://slack.com/oauth/v2/authorize".to_owned(),
            authorize_parameters: Vec::new(),
            token_url: "https://slack.com/api/oauth.v2.access".to_owned(),
            client_authentication: ClientAuthentication::Basic,
            // Slack would make a public client of the app, for good (platform facts, 5).
            pkce: false,
            scopes: list(SCOPES),
            scope_separator: ",".to_owned(),
            secrets: vec![TokenSecret { name: TOKEN.to_owned(), pointer: "/access_token".to_owned() }],
            visible: list(VISIBLE),
            refresh_token: Some("/refresh_token".to_owned()),
            expires_in: Some("/expires_in".to_owned()),
        }
    }

    fn connected(answer: &TokenAnswer) -> Result<ConnectedWorkspace, Failure> {
        let said = json::read(answer.visible.as_bytes());
        let text = |pointer| said[pointer].as_str().unwrap_or_default();
        if said["/ok"] != true {
            return Err(refused(text("/error"), answer.status));
        }
        let id = said["/team"]["id"].as_str().unwrap_or_default();
        if said["/is_enterprise_install"] == true || (id.is_empty() && said["/enterprise"].is_object()) {
            let message =
                "The app was installed for a whole Enterprise organization, which PyQueryHub does not support.";
            return Err(Failure::rejected("org_wide_install", message)
                .remedy("Connect again, and choose a single workspace of the organization."));
        }
        // A renewal is of what is known, and may not fail for want of more: Slack promises no more than a new pair.
        if !answer.renewal && (id.is_empty() || text("/bot_user_id").is_empty()) {
            return Err(answers::unreadable(FailureKind::Rejected));
        }
        let (url, default_target) = if answer.renewal { (Value::Null, None) } else { (test()?, chosen(&text)) };
        let memo = Memo { bot_user_id: text("/bot_user_id"), app_id: text("/app_id"), url: url.as_str() };
        let workspace = Workspace {
            id: id.to_owned(),
            name: line_or(said["/team"]["name"].as_str().unwrap_or_default(), 200, id),
            memo: serde_json::to_string(&memo).unwrap_or_default(),
        };
        Ok(ConnectedWorkspace::new(workspace).default_target(default_target))
    }

    /// A token that is dead is forgotten.
    fn revoke(_: &Workspace) -> Result<(), Failure> {
        match api::ask("auth.revoke", &[]) {
            Err(failure) if failure.kind != FailureKind::Unauthorized => Err(failure),
            _ => Ok(()),
        }
    }
}

/// The bot's user id, out of a workspace's memo.
pub(crate) fn bot_of(workspace: &Workspace) -> Option<String> {
    Some(json::read(workspace.memo.as_bytes())["bot_user_id"].as_str()?.to_owned())
}

/// What a token answer's word means (platform facts, 5); what is none of those means the same as everywhere.
fn refused(word: &str, status: u16) -> Failure {
    let (message, remedy) = match (word, status) {
        ("invalid_code" | "code_already_used", _) => ("Slack's permission expired, or was used already.", AGAIN),
        ("oauth_authorization_url_mismatch" | "invalid_code_verifier", _) => {
            ("Slack's permission was not asked for in this way.", AGAIN)
        }
        ("bad_redirect_uri", _) => ("PyQueryHub's address is none of the Slack app's redirect URLs.", OPERATOR),
        ("bad_client_secret" | "invalid_client_id", _) => ("Slack does not know the app, or not its secret.", OPERATOR),
        ("invalid_grant_type" | "pkce_not_allowed" | "no_scopes" | "preview_feature_not_available", _) => {
            ("Slack does not take what PyQueryHub asks for.", OPERATOR)
        }
        ("cannot_install_an_org_installed_app", _) => {
            ("The app is installed for the whole Enterprise organization already.", "Have it removed there first.")
        }
        ("user_email_unverified", _) => ("Your e-mail address is not verified in Slack.", "Verify it in Slack first."),
        ("invalid_refresh_token", _) => {
            return Failure::unauthorized(word, "Slack workspace not connected: the connection expired.")
                .remedy(RECONNECT);
        }
        ("internal_error" | "fatal_error", _) | ("", 408 | 500..) => {
            let word = if word.is_empty() { "service_unavailable" } else { word };
            return Failure::unavailable(word, "Slack has an internal problem.").remedy(RETRIED);
        }
        ("", 429) => return answers::word("ratelimited", &Value::Null),
        ("", _) => return answers::unreadable(FailureKind::Rejected),
        _ => return answers::word(word, &Value::Null),
    };
    Failure::rejected(word, message).remedy(remedy)
}

/// Whether the token lives, and the workspace's address. What Slack cannot say just now, the first delivery will.
fn test() -> Result<Value, Failure> {
    match api::ask("auth.test", &[]) {
        Ok(mut said) => Ok(said["url"].take()),
        Err(failure) if failure.kind == FailureKind::Unauthorized => Err(failure),
        Err(failure) => {
            answers::warn("the new token was not tried", &failure);
            Ok(Value::Null)
        }
    }
}

/// What the person chose while connecting: a channel, or themselves. Of a direct message to somebody else only its
/// channel is known, which is not the bot's.
fn chosen<'a>(text: &impl Fn(&'static str) -> &'a str) -> Option<Target> {
    let (id, name) = (text("/incoming_webhook/channel_id"), text("/incoming_webhook/channel"));
    if id.is_empty() {
        return None;
    }
    if id.starts_with('D') {
        let person = check::person(text("/authed_user/id")).ok()?;
        let is_them = name.strip_prefix('@').is_none_or(|name| person["name"] == name);
        return is_them.then(|| directory::of_person(&person));
    }
    let found = check::channel(id).map(|channel| directory::of_channel(&channel));
    // Else it is private and the bot is not in it, or Slack cannot say just now.
    let unknown = || Target::new(id, line_or(name, 100, id), TargetKind::PrivateChannel).reachable(false);
    Some(found.unwrap_or_else(|_| unknown()))
}
