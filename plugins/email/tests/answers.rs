//! What the relay says lands in its failure kind, with code, meaning and remedy.

use email::Email;
use pqh_channel_sdk::FailureKind;
use pqh_channel_sdk::mail::ErrorKind;
use pqh_channel_sdk::testkit::{self, Gate, events};
use serde_json::{Value, json};

fn settings() -> Value {
    json!({ "to": ["ada@example.com", "bo@example.com", "cy@example.com"] })
}

#[test]
fn each_word_of_the_relay_has_its_kind() {
    let table = [
        (ErrorKind::Denied, FailureKind::Unreachable, "mail_denied", Some("to")),
        (ErrorKind::Rejected, FailureKind::Rejected, "mail_rejected", None),
        (ErrorKind::Unreachable, FailureKind::Unreachable, "no_recipient", Some("to")),
        (ErrorKind::Unavailable, FailureKind::Unavailable, "mail_unavailable", None),
        (ErrorKind::UnknownOutcome, FailureKind::UnknownOutcome, "mail_unconfirmed", None),
    ];
    for (word, kind, code, field) in table {
        let gate = Gate::new().mail_error(word, "550 5.1.1 no such user");
        let failure = testkit::deliver::<Email>(&settings(), events::triggered()).unwrap_err();
        gate.finish();
        assert_eq!((failure.kind, failure.code.as_str(), failure.field.as_deref()), (kind, code, field));
        assert!(failure.message.contains("550 5.1.1 no such user") && !failure.remedy.is_empty(), "{failure:?}");
        let gate = Gate::new().mail_error(word, "550 5.1.1 no such user");
        assert_eq!(testkit::check::<Email>(&settings()).unwrap_err().kind, kind);
        gate.finish();
    }
}

#[test]
fn a_refused_address_is_a_warning_and_the_others_have_the_mail() {
    let gate = Gate::new().mail(&["bo@example.com"]);
    let receipt = testkit::deliver::<Email>(&settings(), events::triggered()).unwrap();
    assert_eq!(
        receipt.warnings,
        ["1 of 3 addresses were refused by the mail relay: bo@example.com (550 5.1.1 no such user)"]
    );
    assert_eq!(receipt.reference.as_deref(), Some("<1@relay.example>"));
    gate.finish();
}

#[test]
fn a_check_sends_nothing_and_names_what_is_refused() {
    let gate = Gate::new().mail(&[]);
    testkit::check::<Email>(&settings()).unwrap();
    assert!(gate.mails().is_empty());
    gate.finish();
    let gate = Gate::new().mail(&["bo@example.com"]);
    let failure = testkit::check::<Email>(&settings()).unwrap_err();
    assert_eq!((failure.kind, failure.field.as_deref()), (FailureKind::Rejected, Some("to")));
    assert!(failure.message.contains("bo@example.com"), "{failure:?}");
    gate.finish();
}

#[test]
fn the_descriptor_is_sound_and_mails_its_own_field_alone() {
    let descriptor = testkit::describe::<Email>();
    assert!(testkit::faults(&descriptor).is_empty());
    assert!(descriptor.digests && descriptor.credentials.is_empty());
    assert_eq!(descriptor.destinations, [pqh_channel_sdk::Destination::Recipients("to".into())]);
}

#[test]
fn settings_without_addresses_are_told_so() {
    let failure = testkit::deliver::<Email>(&json!({}), events::test()).unwrap_err();
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Unreachable, "invalid_settings"));
    assert_eq!(failure.field.as_deref(), Some("to"));
}
