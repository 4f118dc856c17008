//! The form: a sound descriptor, rules that say what is wrong, and headers that are read strictly.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use pqh_channel_sdk::testkit::{self, Gate, events};
use pqh_channel_sdk::{Failure, FailureKind, FieldKind};
use serde_json::json;
use webhook::Webhook;

/// The first rule of a field that a value breaks, as the host finds it.
fn broken_rule(key: &str, value: &str) -> Option<String> {
    let field = testkit::describe::<Webhook>().fields.into_iter().find(|field| field.key == key).unwrap();
    let fits = |pattern: &str| {
        let whole = regex::RegexBuilder::new(&format!(r"\A(?:{pattern})\z")).size_limit(1 << 20).build();
        whole.unwrap().is_match(value)
    };
    let broken = field.rules.into_iter().find(|rule| fits(&rule.pattern) != rule.matches);
    broken.map(|rule| rule.message)
}

fn assert_told(key: &str, value: &str, told: &str) {
    let message = broken_rule(key, value);
    assert!(message.as_ref().is_some_and(|message| message.contains(told)), "{key} {value:?}: {message:?}");
}

#[test]
fn the_descriptor_is_sound_and_sends_nowhere_but_to_the_receiver() {
    let descriptor = testkit::describe::<Webhook>();
    assert_eq!(testkit::faults(&descriptor), Vec::<String>::new());
    assert_eq!(descriptor.destinations.len(), 1);
    assert!(descriptor.paces.is_empty() && !descriptor.digests);
    assert_eq!(descriptor.target, ["url"]);
    let required: Vec<_> = descriptor.fields.iter().map(|field| (field.key.as_str(), field.required)).collect();
    assert_eq!(required, [("url", true), ("secret", true), ("headers", false), ("secret-headers", false)]);
    assert_eq!(descriptor.fields[0].kind, FieldKind::SecretUrl);
}

#[test]
fn only_https_addresses_without_user_fragment_or_space_are_taken() {
    for url in [
        "https://example.com",
        "https://example.com:8443/hooks/a.b?token=x%20y&mail=a@b",
        "HTTPS://xn--bcher-kva.example/",
        "https://[2001:db8::1]/@me",
        "https://example.com/a:b@c",
    ] {
        assert_eq!(broken_rule("url", url), None, "{url}");
    }
    for (url, told) in [
        ("http://example.com/", "https://"),
        ("ftp://example.com/", "https://"),
        ("example.com/hook", "https://"),
        (" https://example.com/", "https://"),
        ("https://user:pass@example.com/", "user name"),
        ("https://user@example.com/", "user name"),
        ("https://@example.com/", "user name"),
        ("https://example.com/#x", "\"#\""),
        ("https://example.com/a b", "white space"),
        ("https://example.com/\n", "white space"),
        ("https://example.com\\@evil.example/", "backslash"),
    ] {
        assert_told("url", url, told);
    }
}

#[test]
fn signing_secrets_are_the_strict_base64_of_24_to_64_bytes() {
    for length in 0..=70_u8 {
        let bytes: Vec<u8> = (0..length).map(|at| at.wrapping_mul(151).wrapping_add(17)).collect();
        let fits = (24..=64).contains(&length);
        let secret = format!("whsec_{}", STANDARD.encode(&bytes));
        assert_eq!(broken_rule("secret", &secret).is_none(), fits, "{length} bytes: {secret}");
        let unpadded = format!("whsec_{}", STANDARD_NO_PAD.encode(&bytes));
        assert_eq!(broken_rule("secret", &unpadded).is_none(), fits && length % 3 == 0, "{length} bytes, not padded");
    }
    // Both of the specification's libraries.
    for secret in ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
        assert_eq!(broken_rule("secret", secret), None);
    }
}

#[test]
fn other_secrets_are_refused_with_how_to_make_one() {
    let url_safe = format!("whsec_{}", URL_SAFE.encode([0xfb; 32]));
    // 44 characters whose last holds bits that no byte has: the host would not decode it.
    let loose = format!("whsec_{}B=", "A".repeat(42));
    for (secret, told) in [
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "starts with whsec_"),
        ("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "starts with whsec_"),
        ("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "starts with whsec_"),
        ("whsec_", "24 to 64 bytes"),
        ("whsec_too short", "24 to 64 bytes"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", "24 to 64 bytes"),
        (&url_safe, "24 to 64 bytes"),
        (&loose, "24 to 64 bytes"),
    ] {
        assert_told("secret", secret, told);
        assert_told("secret", secret, "echo \"whsec_$(openssl rand -base64 32)\"");
    }
}

#[test]
fn secret_headers_leave_the_signatures_and_the_connections_alone() {
    for headers in [
        json!({ "Authorization": "Bearer x", "Cookie": "a=b" }),
        json!({ "x-key": "\"webhook-id\": \"host\":" }),
        json!({ "x-webhook-id": "1", "my-host": "2", "x-content-type": "3" }),
    ] {
        assert_eq!(broken_rule("secret-headers", &headers.to_string()), None, "{headers}");
    }
    for name in [
        "webhook-id",
        "Webhook-Signature",
        "webhook-timestamp",
        "webhook-x",
        "Content-Type",
        "host",
        "User-Agent",
        "sec-a",
    ] {
        assert_told("secret-headers", &json!({ "x-key": "1", name: "2" }).to_string(), "Leave it out");
        assert_told("secret-headers", &format!("{{\"{name}\" \n: \"2\"}}"), "Leave it out");
    }
    assert_told("secret-headers", "{}", "at least one header");
}

/// Why headers are refused: before anything is sent, at a delivery and at a check.
fn refused(headers: &str) -> Failure {
    let gate = Gate::new();
    let settings = json!({ "headers": headers });
    let failure = testkit::deliver::<Webhook>(&settings, events::test()).unwrap_err();
    assert_eq!(testkit::check::<Webhook>(&settings).unwrap_err(), failure);
    gate.finish();
    failure
}

/// As many headers.
fn numbered(count: usize) -> String {
    (1..=count).map(|number| format!("x-{number}: {number}")).collect::<Vec<_>>().join("\n")
}

#[test]
fn headers_are_sent_as_they_stand() {
    for (headers, sent) in [
        (json!(null), vec![]),
        (json!("\n \n"), vec![]),
        (json!("X-Team: sales"), vec![("x-team", "sales")]),
        (json!("X-Team:sales\r\n\r\nx-1: a: b\tc \n"), vec![("x-team", "sales"), ("x-1", "a: b\tc")]),
    ] {
        let gate = Gate::new().answer(204, "").answer(204, "");
        testkit::deliver::<Webhook>(&json!({ "headers": headers }), events::test()).unwrap();
        testkit::check::<Webhook>(&json!({ "headers": headers })).unwrap();
        for request in gate.requests() {
            let found: Vec<_> =
                ["x-team", "x-1"].iter().filter_map(|name| Some((*name, request.header(name)?))).collect();
            assert_eq!(found, sent, "{headers}");
        }
    }
    let most = numbered(20);
    let gate = Gate::new().answer(204, "");
    testkit::check::<Webhook>(&json!({ "headers": most })).unwrap();
    assert_eq!(gate.requests()[0].header("x-20"), Some("20"));
}

#[test]
fn wrong_headers_stop_the_channel_and_say_which_line_is_wrong_but_no_value() {
    let many = numbered(21);
    let long = format!("x-long: {}", "a".repeat(8_000));
    for (headers, told) in [
        ("X-Team sales-canary", "line 1 is not of the form"),
        ("x-ok: 1\n\n: canary", "line 3 is not of the form"),
        ("x team: canary", "line 1 is not of the form"),
        (" x-team: canary", "line 1 is not of the form"),
        ("x-team : canary", "line 1 is not of the form"),
        ("x-t\u{e9}am: canary", "line 1 is not of the form"),
        ("x-team:  ", "gives x-team no value"),
        ("x-team: can\u{e4}ry", "other characters than visible ASCII"),
        ("x-team: a\rwebhook-id: canary", "other characters than visible ASCII"),
        ("x-team: a\u{0}", "other characters than visible ASCII"),
        ("x-team: a\nX-Team: canary", "line 2 names X-Team a second time"),
        ("Content-Type: text/canary", "holds Content-Type, which PyQueryHub sets"),
        ("Webhook-Signature: v1,canary", "holds Webhook-Signature, which PyQueryHub sets"),
        ("webhook-id: canary", "which PyQueryHub sets"),
        ("webhook-: canary", "which PyQueryHub sets"),
        ("Host: canary", "which PyQueryHub sets"),
        ("X-Forwarded-For: canary", "which PyQueryHub sets"),
        ("Authorization: Bearer canary", "holds Authorization, which belongs among the secret headers"),
        ("cookie: canary", "belongs among the secret headers"),
        (&many, "at most 20"),
        (&long, "8000 bytes"),
    ] {
        let failure = refused(headers);
        let found = (failure.kind, failure.code.as_str(), failure.field.as_deref());
        assert_eq!(found, (FailureKind::Unreachable, "invalid_headers", Some("headers")), "{headers}");
        assert!(failure.message.contains(told), "{headers}: {}", failure.message);
        assert!(!failure.message.contains("canary") && failure.remedy.contains("Headers"), "{failure:?}");
    }
}

#[test]
fn headers_whose_names_only_look_like_ours_are_taken() {
    for name in ["x-webhook-id", "webhookid", "hostname", "team", "my-via", "x-forwarded", "section"] {
        let gate = Gate::new().answer(204, "");
        testkit::check::<Webhook>(&json!({ "headers": format!("{name}: x") })).unwrap();
        assert_eq!(gate.requests()[0].header(name), Some("x"));
        gate.finish();
    }
}
