//! The descriptor is sound, its form takes ids and nothing else, and the app's manifest asks for what the component does.

use pqh_channel_sdk::connection::Connection;
use pqh_channel_sdk::testkit;
use pqh_channel_sdk::{Destination, FieldKind, Placement};
use slack_app::{EVENTS, SlackApp};

#[test]
fn the_descriptor_is_sound() {
    let descriptor = testkit::describe::<SlackApp>();
    assert_eq!(testkit::faults(&descriptor), Vec::<String>::new());
    assert_eq!(descriptor.destinations, [Destination::Host("slack.com".to_owned())]);
    assert_eq!(descriptor.credentials[0].placement, Placement::bearer());
    assert_eq!(descriptor.credentials[0].secret, SlackApp::oauth2().secrets[0].name);
    assert_eq!((descriptor.fields[0].kind.clone(), descriptor.target), (FieldKind::Target, vec!["channel".to_owned()]));
    assert_eq!(descriptor.fields[1].default.as_deref(), Some("thread"));
}

#[test]
fn targets_are_ids_of_channels_and_people() {
    let field = testkit::describe::<SlackApp>().fields.remove(0);
    let rule = regex::Regex::new(&format!("^(?:{})$", field.rules[0].pattern)).unwrap();
    for id in ["C024BE91L", "G0123", "D0123", "U012AB3CD", "W012"] {
        assert!(rule.is_match(id), "{id}");
    }
    for id in ["", "#general", "general", "@ada", "C1&x=1", "c024be91l", "https://x.slack.com/archives/C1", "T1"] {
        assert!(!rule.is_match(id), "{id}");
    }
    assert!(field.rules[0].message.contains("Pick one from the list"));
}

/// The items of a list in the manifest.
fn listed(name: &str) -> Vec<String> {
    let manifest = include_str!("../manifest.yaml");
    let lines = manifest.lines().skip_while(|line| line.trim() != format!("{name}:")).skip(1);
    lines.map_while(|line| line.trim().strip_prefix("- ").map(str::to_owned)).collect()
}

#[test]
fn the_manifest_asks_for_what_the_component_asks_for() {
    assert_eq!(listed("bot"), SlackApp::oauth2().scopes);
    assert_eq!(listed("bot_events"), EVENTS);
    let manifest = include_str!("../manifest.yaml");
    for line in ["token_rotation_enabled: true", "org_deploy_enabled: false", "messages_tab_enabled: true"] {
        assert!(manifest.contains(line), "{line}");
    }
    assert_eq!(listed("redirect_urls").len(), 1);
}

#[test]
fn every_scope_is_explained() {
    let facts = include_str!("../FACTS.md");
    for scope in SlackApp::oauth2().scopes {
        assert!(facts.contains(&format!("`{scope}`")), "{scope}");
    }
}
