//! Connecting: what is asked for, every shape of a token answer, the default target, and letting go.

mod common;

use common::{Says, Script, form, methods, workspace};
use pqh_channel_sdk::connection::{ClientAuthentication, ConnectedWorkspace, Connection, TokenAnswer};
use pqh_channel_sdk::http::ErrorKind;
use pqh_channel_sdk::testkit::Gate;
use pqh_channel_sdk::{Failure, FailureKind, Target, TargetKind};
use serde_json::{Value, json};
use slack_app::SlackApp;

fn answer(visible: &Value) -> TokenAnswer {
    TokenAnswer { status: 200, visible: visible.to_string(), renewal: false }
}

fn granted() -> Value {
    json!({
        "/ok": true, "/team": { "id": "T1", "name": "MyCompany Slack" }, "/enterprise": null,
        "/is_enterprise_install": false, "/bot_user_id": "UBOT", "/app_id": "A1", "/authed_user/id": "U7",
    })
}

fn choosing(channel: &str, id: &str) -> Value {
    let mut granted = granted();
    granted["/incoming_webhook/channel"] = channel.into();
    granted["/incoming_webhook/channel_id"] = id.into();
    granted
}

fn tested() -> Gate {
    Gate::new().says(json!({ "ok": true, "url": "https://my.slack.com/", "team_id": "T1" }))
}

fn connect(visible: &Value) -> Result<ConnectedWorkspace, Failure> {
    SlackApp::connected(&answer(visible))
}

#[test]
fn the_flow_is_slacks() {
    let service = SlackApp::oauth2();
    assert_eq!(service.authorize_url, "https://slack.com/oauth/v2/authorize");
    assert_eq!(service.token_url, "https://slack.com/api/oauth.v2.access");
    assert_eq!((service.client_authentication, service.pkce), (ClientAuthentication::Basic, false));
    assert_eq!((service.scope_separator.as_str(), service.authorize_parameters.len()), (",", 0));
    assert_eq!((service.secrets[0].name.as_str(), service.secrets[0].pointer.as_str()), ("token", "/access_token"));
    assert_eq!(service.refresh_token.as_deref(), Some("/refresh_token"));
    assert_eq!(service.expires_in.as_deref(), Some("/expires_in"));
}

#[test]
fn nothing_visible_is_or_holds_a_secret() {
    let service = SlackApp::oauth2();
    let answer = json!({
        "ok": true, "access_token": "SECRET", "refresh_token": "SECRET", "expires_in": 43200, "token_type": "bot",
        "scope": "chat:write", "bot_user_id": "UBOT", "app_id": "A1", "team": { "id": "T1", "name": "x" },
        "enterprise": { "id": "E1", "name": "x" }, "is_enterprise_install": false,
        "authed_user": { "id": "U7", "scope": "x", "access_token": "SECRET", "refresh_token": "SECRET" },
        "incoming_webhook": {
            "channel": "#general", "channel_id": "C1", "configuration_url": "SECRET", "url": "SECRET",
        },
    });
    assert_eq!(service.visible.len(), 11);
    for pointer in &service.visible {
        let value = answer.pointer(pointer);
        assert!(value.is_some() || pointer == "/error", "{pointer} is not there");
        assert!(!value.is_some_and(|value| value.to_string().contains("SECRET")), "{pointer}");
    }
}

#[test]
fn a_workspace_is_connected_with_what_is_needed_again() {
    let gate = tested();
    let connected = connect(&granted()).unwrap();
    assert_eq!((connected.workspace, connected.default_target), (workspace_of(true), None));
    assert_eq!(methods(&gate), ["auth.test"]);
    gate.finish();
}

fn workspace_of(has_url: bool) -> pqh_channel_sdk::Workspace {
    let url = if has_url { r#","url":"https://my.slack.com/""# } else { "" };
    let memo = format!(r#"{{"bot_user_id":"UBOT","app_id":"A1"{url}}}"#);
    pqh_channel_sdk::Workspace { memo, ..workspace() }
}

#[test]
fn a_renewal_asks_nothing_of_slack() {
    let gate = Gate::new();
    let renewal = TokenAnswer { renewal: true, ..answer(&choosing("#general", "C1")) };
    let connected = SlackApp::connected(&renewal).unwrap();
    assert_eq!((connected.workspace, connected.default_target), (workspace_of(false), None));
    gate.finish();
}

#[test]
fn a_renewal_that_holds_no_more_than_a_new_pair_is_one() {
    for missing in [&["/bot_user_id"][..], &["/team"], &["/bot_user_id", "/team", "/app_id", "/enterprise"]] {
        let gate = Gate::new();
        let mut said = granted();
        said.as_object_mut().unwrap().retain(|pointer, _| !missing.contains(&pointer.as_str()));
        let renewal = TokenAnswer { renewal: true, ..answer(&said) };
        let id = if missing.contains(&"/team") { "" } else { "T1" };
        assert_eq!(SlackApp::connected(&renewal).unwrap().workspace.id, id);
        gate.finish();
    }
    let bare = TokenAnswer { status: 200, visible: json!({ "/ok": true }).to_string(), renewal: true };
    assert!(SlackApp::connected(&bare).is_ok());
}

#[test]
fn only_a_dead_token_undoes_a_connection() {
    let scripts: [Script; 3] = [
        || Gate::new().refuses("ratelimited"),
        || Gate::new().answer(503, "<html>"),
        || Gate::new().error(ErrorKind::Timeout, "slow", true),
    ];
    for script in scripts {
        let gate = script();
        assert_eq!(connect(&granted()).unwrap().workspace, workspace_of(false));
        assert_eq!(gate.logs().len(), 1);
        gate.finish();
    }
    let gate = Gate::new().refuses("invalid_auth");
    assert_eq!(connect(&granted()).unwrap_err().kind, FailureKind::Unauthorized);
    gate.finish();
}

/// Id, name, kind, and whether it is reachable.
type Offered = (&'static str, &'static str, TargetKind, bool);

#[test]
fn the_channel_that_a_person_chose_is_offered() {
    use TargetKind::{PrivateChannel, PublicChannel};
    let public = || {
        let channel = json!({ "id": "C1", "name": "general", "is_private": false });
        tested().says(json!({ "ok": true, "channel": channel }))
    };
    let private = || {
        let channel = json!({ "id": "G1", "name": "sec", "is_private": true, "is_member": true });
        tested().says(json!({ "ok": true, "channel": channel }))
    };
    let table: [(Script, Value, Offered); 4] = [
        (public, choosing("#general", "C1"), ("C1", "#general", PublicChannel, true)),
        (private, choosing("sec", "G1"), ("G1", "#sec", PrivateChannel, true)),
        // Private, and the bot is not in it.
        (|| tested().refuses("channel_not_found"), choosing("#sec", "G1"), ("G1", "#sec", PrivateChannel, false)),
        (|| tested().answer(503, ""), choosing("", "C1"), ("C1", "C1", PrivateChannel, false)),
    ];
    for (script, chosen, offered) in table {
        let gate = script();
        let (id, name, kind, reachable) = offered;
        let expected = Target::new(id, name, kind).reachable(reachable);
        assert_eq!(connect(&chosen).unwrap().default_target, Some(expected));
        assert_eq!(methods(&gate), ["auth.test", "conversations.info"]);
        gate.finish();
    }
}

#[test]
fn a_direct_message_is_offered_to_the_person_who_connected_alone() {
    let them = json!({ "ok": true, "user": { "id": "U7", "name": "ada", "profile": { "display_name": "Ada" } } });
    let ada = Target::new("U7", "@Ada", TargetKind::Person);
    for (name, offered) in [("@ada", Some(ada.clone())), ("DM", Some(ada)), ("@bo", None)] {
        let gate = tested().says(them.clone());
        assert_eq!(connect(&choosing(name, "D1")).unwrap().default_target, offered, "{name}");
        assert_eq!(form(&gate, 1), "user=U7");
        gate.finish();
    }
    let gate = tested().refuses("missing_scope");
    assert_eq!(connect(&choosing("@ada", "D1")).unwrap().default_target, None);
    gate.finish();
}

#[test]
fn an_install_for_a_whole_organization_is_refused_with_the_reason() {
    let enterprise = json!({ "id": "E1", "name": "Big" });
    for (team, flag) in [(Value::Null, true), (Value::Null, false), (json!({ "id": "T1", "name": "x" }), true)] {
        let gate = Gate::new();
        let mut said = granted();
        (said["/team"], said["/enterprise"], said["/is_enterprise_install"]) = (team, enterprise.clone(), flag.into());
        let failure = connect(&said).unwrap_err();
        assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Rejected, "org_wide_install"));
        assert!(
            failure.message.contains("whole Enterprise organization") && failure.remedy.contains("single workspace")
        );
        gate.finish();
    }
    // A workspace of an organization is as good as any.
    let gate = tested();
    let mut said = granted();
    said["/enterprise"] = enterprise;
    assert_eq!(connect(&said).unwrap().workspace.id, "T1");
    gate.finish();
}

#[test]
fn each_word_of_a_token_answer_has_its_kind_and_remedy() {
    use FailureKind::{Rejected, Throttled, Unauthorized, Unavailable};
    for (word, kind) in [
        ("invalid_code", Rejected),
        ("code_already_used", Rejected),
        ("bad_redirect_uri", Rejected),
        ("bad_client_secret", Rejected),
        ("invalid_client_id", Rejected),
        ("invalid_grant_type", Rejected),
        ("no_scopes", Rejected),
        ("oauth_authorization_url_mismatch", Rejected),
        ("pkce_not_allowed", Rejected),
        ("invalid_code_verifier", Rejected),
        ("cannot_install_an_org_installed_app", Rejected),
        ("preview_feature_not_available", Rejected),
        ("user_email_unverified", Rejected),
        ("a_word_of_tomorrow", Rejected),
        ("invalid_refresh_token", Unauthorized),
        ("token_revoked", Unauthorized),
        ("account_inactive", Unauthorized),
        ("ratelimited", Throttled),
        ("internal_error", Unavailable),
        ("fatal_error", Unavailable),
        ("service_unavailable", Unavailable),
    ] {
        let gate = Gate::new();
        let failure = connect(&json!({ "/ok": false, "/error": word })).unwrap_err();
        assert_eq!((failure.kind, failure.code.as_str()), (kind, word));
        assert!(!failure.message.is_empty() && !failure.remedy.is_empty());
        gate.finish();
    }
}

#[test]
fn answers_without_a_word_mean_what_the_status_says() {
    use FailureKind::{Rejected, Throttled, Unavailable};
    for (status, kind) in
        [(429, Throttled), (500, Unavailable), (503, Unavailable), (408, Unavailable), (200, Rejected), (403, Rejected)]
    {
        for visible in ["{}", "", "<html>"] {
            let answer = TokenAnswer { status, visible: visible.to_owned(), renewal: true };
            assert_eq!(SlackApp::connected(&answer).unwrap_err().kind, kind, "{status}");
        }
    }
    for missing in ["/team", "/bot_user_id"] {
        let mut said = granted();
        said[missing] = Value::Null;
        assert_eq!(connect(&said).unwrap_err().code, "unexpected_answer");
    }
}

#[test]
fn a_dead_refresh_token_is_told_in_the_guides_words() {
    let failure = connect(&json!({ "/ok": false, "/error": "invalid_refresh_token" })).unwrap_err();
    assert!(failure.message.starts_with("Slack workspace not connected"));
    assert!(failure.remedy.contains("reconnect your workspace"));
}

#[test]
fn letting_go_revokes_and_takes_a_dead_token_for_done() {
    let scripts: [Script; 3] = [
        || Gate::new().says(json!({ "ok": true, "revoked": true })),
        || Gate::new().refuses("token_revoked"),
        || Gate::new().refuses("invalid_auth"),
    ];
    for script in scripts {
        let gate = script();
        SlackApp::revoke(&workspace()).unwrap();
        assert_eq!(methods(&gate), ["auth.revoke"]);
        assert_eq!(gate.requests()[0].credentials(), ["token"]);
        gate.finish();
    }
    let gate = Gate::new().answer(503, "");
    assert_eq!(SlackApp::revoke(&workspace()).unwrap_err().kind, FailureKind::Unavailable);
    gate.finish();
}
