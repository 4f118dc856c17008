//! The descriptor is sound, and people are told what is wrong with a key.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use pagerduty::PagerDuty;
use pqh_channel_sdk::testkit;
use pqh_channel_sdk::{Destination, FieldKind, Placement};

/// The first rule that the key breaks, as the host finds it.
fn broken_rule(key: &str) -> Option<String> {
    let field = testkit::describe::<PagerDuty>().fields.remove(0);
    let broken = field
        .rules
        .into_iter()
        .find(|rule| regex::Regex::new(&format!("^(?:{})$", rule.pattern)).unwrap().is_match(key) != rule.matches);
    broken.map(|rule| rule.message)
}

#[test]
fn the_descriptor_is_sound() {
    let descriptor = testkit::describe::<PagerDuty>();
    assert_eq!(testkit::faults(&descriptor), Vec::<String>::new());
    assert!(!descriptor.digests);
    assert_eq!(descriptor.target, ["routing-key"]);
    let hosts = ["events.pagerduty.com", "events.eu.pagerduty.com"].map(|host| Destination::Host(host.to_owned()));
    assert_eq!(descriptor.destinations, hosts);
    assert!(matches!(&descriptor.credentials[0].placement, Placement::JsonBody(place) if place == "/routing_key"));
}

#[test]
fn only_integration_keys_are_taken_and_others_are_told_why() {
    for key in ["e93facc04764012d7bfb002500d5d1a6", "R0212P1QXGEIQE2NMTQ7L7WXD00DWHIN"] {
        assert_eq!(broken_rule(key), None, "{key}");
    }
    for (key, told) in [
        ("e+23rschqsESqk9Q6_-g", "REST API key"),
        ("abcdefghij0123456789", "REST API key"),
        ("e93facc04764012d7bfb002500d5d1a", "exactly 32"),
        ("e93facc04764012d7bfb002500d5d1a66", "exactly 32"),
        ("e93facc04764012d7bfb002500d5d1a-", "exactly 32"),
        (" e93facc04764012d7bfb002500d5d1a", "exactly 32"),
        ("é93facc04764012d7bfb002500d5d1a6", "exactly 32"),
        ("https://events.pagerduty.com/v2/enqueue", "exactly 32"),
        ("", "exactly 32"),
    ] {
        let message = broken_rule(key).unwrap_or_else(|| panic!("{key} is taken"));
        assert!(message.contains(told) && message.contains("Integrations, Events API v2"), "{key}: {message}");
    }
}

#[test]
fn the_region_is_the_us_unless_told_otherwise() {
    let field = testkit::describe::<PagerDuty>().fields.remove(1);
    let FieldKind::Choice(options) = &field.kind else { panic!("no choice") };
    assert_eq!(options.iter().map(|option| option.value.as_str()).collect::<Vec<_>>(), ["us", "eu"]);
    assert_eq!((field.default.as_deref(), field.required), (Some("us"), false));
    assert!(field.help.contains("app.eu.pagerduty.com"));
}
