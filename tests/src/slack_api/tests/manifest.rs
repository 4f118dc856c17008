//! What an administrator pastes.

use super::*;

fn manifest() -> Value {
    json!({
        "display_information": { "name": "PyQueryHub", "description": "Alerts of your reports" },
        "features": { "bot_user": { "display_name": "pyqueryhub", "always_online": true } },
        "oauth_config": { "redirect_urls": [REDIRECT], "scopes": { "bot": ["chat:write", "channels:read", "app_mentions:read"] } },
        "settings": {
            "event_subscriptions": {
                "request_url": "https://notify.example.com/v1/inbound/slack-app",
                "bot_events": ["app_mention", "channel_archive", "app_uninstalled"]
            },
            "interactivity": { "is_enabled": true, "request_url": "https://notify.example.com/v1/inbound/slack-app" },
            "org_deploy_enabled": false,
            "socket_mode_enabled": false,
            "token_rotation_enabled": true
        }
    })
}

#[tokio::test]
async fn a_manifest_becomes_an_app_that_gets_the_events_it_asked_for() {
    let app = App::from_manifest(&manifest()).unwrap();
    assert_eq!((app.redirect_url.as_str(), app.rotates, app.scopes.len()), (REDIRECT, true, 3));
    let bench = Bench::new(app).await;
    bench.install();
    let events = bench.team().events();
    assert!(events.app_mention("C1", "U1", "help").is_sent());
    assert!(events.channel_archive("C1", "U1").is_sent());
    assert!(!events.channel_rename("C1", "x").is_sent());
    assert!(!events.tokens_revoked(&[], &[]).is_sent());
    assert!(events.url_verification("x").is_sent());
}

#[test]
fn each_fault_of_a_manifest_is_told() {
    for (pointer, value, told) in [
        ("/display_information/name", json!("x".repeat(36)), "not 1 to 35 characters"),
        ("/display_information/name", Value::Null, "not 1 to 35 characters"),
        ("/display_information/long_description", json!("short"), "not 174 to 4000 characters"),
        ("/display_information/title", json!("x"), "/display_information/title: unknown"),
        ("/features/bot_user", json!({}), "bot scopes and a bot belong together"),
        ("/oauth_config/redirect_urls", json!([]), "not one HTTPS address"),
        ("/oauth_config/redirect_urls", json!(["http://notify.example.com/"]), "not one HTTPS address"),
        ("/oauth_config/redirect_urls", json!(["https://<host>/"]), "not one HTTPS address"),
        ("/oauth_config/scopes/bot", json!(["chat:write", "channels:read"]), "app_mention: needs app_mentions:read"),
        ("/oauth_config/scopes/bot", json!(["chat:write", "chat:write"]), "not a list of different texts"),
        ("/oauth_config/scopes/user", json!(["chat:write"]), "the app acts for nobody"),
        ("/settings/event_subscriptions/request_url", json!(""), "request_url: not an HTTPS address"),
        ("/settings/interactivity/request_url", json!(""), "request_url: not an HTTPS address"),
        ("/settings/socket_mode_enabled", json!(true), "not false"),
        ("/settings", json!([]), "/settings: not an object"),
    ] {
        let mut manifest = manifest();
        let (above, name) = pointer.rsplit_once('/').unwrap();
        manifest.pointer_mut(above).unwrap()[name] = value;
        let faults = App::from_manifest(&manifest).unwrap_err();
        assert!(faults.iter().any(|fault| fault.contains(told)), "{pointer}: {faults:?}");
    }
}
