//! Whatever an event holds, its body keeps the published schema and its size; and the schema refuses what is wrong.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod support;

use jsonschema::Validator;
use pqh_channel_sdk::events::{Detail, Event, NotebookRun, Notice, Report, Resolution, RunStatus, Trigger};
use pqh_channel_sdk::testkit::events;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{body, pinged, posted, samples};

/// The most that a body has, in bytes.
const MOST: usize = 256 << 10;

fn schema() -> Value {
    serde_json::from_str(include_str!("../schema/v1.json")).unwrap()
}

fn validator(schema: &Value) -> Validator {
    assert!(jsonschema::draft202012::meta::is_valid(schema));
    jsonschema::draft202012::options().should_validate_formats(true).build(schema).unwrap()
}

/// The same without a member that it does not name: what we send is documented.
fn strict() -> Validator {
    let mut schema = schema();
    let defs = schema["$defs"].as_object_mut().unwrap();
    for (name, def) in defs.iter_mut() {
        match name.as_str() {
            "broken_rule" | "report" | "named" => def["additionalProperties"] = json!(false),
            "envelope" => {
                for member in ["delivery", "left_out"] {
                    def["properties"][member]["additionalProperties"] = json!(false);
                }
            }
            "ping" | "test" | "alert.triggered" | "alert.resolved" | "notebook.message" | "service.notice" => {
                def["unevaluatedProperties"] = json!(false);
                def["properties"]["data"]["unevaluatedProperties"] = json!(false);
            }
            _ => {}
        }
    }
    validator(&schema)
}

/// All that is wrong with a body, in words.
fn faults(validator: &Validator, body: &Value) -> Vec<String> {
    validator.iter_errors(body).map(|error| error.to_string().chars().take(300).collect()).collect()
}

/// What goes out for an event, after it was found sound.
fn sound(validator: &Validator, event: Event) -> Value {
    let sent = posted(event);
    assert!(sent.body().len() < MOST, "{} bytes", sent.body().len());
    let body = sent.json();
    assert_eq!(faults(validator, &body), Vec::<String>::new());
    assert!(is_clean(&body), "a control character went out");
    assert_eq!(body["timestamp"], body["data"]["occurred_at"]);
    body
}

/// Whether no text in it has control characters but line breaks and tabs, nor overrides.
fn is_clean(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            !text.contains(|held: char| held.is_control() && held != '\n' && held != '\t' || held == '\u{202e}')
        }
        Value::Array(entries) => entries.iter().all(is_clean),
        Value::Object(members) => members.values().all(is_clean),
        _ => true,
    }
}

#[test]
fn every_kind_of_event_keeps_the_schema_and_nothing_goes_out_that_it_does_not_name() {
    let (open, strict) = (validator(&schema()), strict());
    for (name, event) in samples() {
        let body = sound(&open, event.clone());
        sound(&strict, event);
        assert_eq!((&body["truncated"], &body["left_out"]), (&json!(false), &Value::Null), "{name}");
        assert!(body.to_string().len() < 2_000, "{name}");
    }
    let ping = pinged().json();
    assert_eq!(faults(&strict, &ping), Vec::<String>::new());
}

#[test]
fn the_documented_example_keeps_the_schema() {
    let page = include_str!("../../../docs/webhook.md");
    let example = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let example = serde_json::from_str(example).unwrap();
    assert_eq!(faults(&strict(), &example), Vec::<String>::new());
}

#[test]
fn what_is_added_later_is_taken_by_receivers_of_today() {
    let open = validator(&schema());
    let mut body = body(events::triggered());
    body["new"] = json!({ "deep": [1] });
    body["data"]["new"] = json!(null);
    body["data"]["broken_rules"][0]["new"] = json!("x");
    body["delivery"]["new"] = json!(1.5);
    assert_eq!(faults(&open, &body), Vec::<String>::new());
}

#[test]
fn the_schema_refuses_what_is_wrong() {
    let open = validator(&schema());
    let body = body(events::triggered());
    assert!(open.is_valid(&body));
    let changes: [(&str, Value); 22] = [
        ("/type", json!("alert.resolved")),
        ("/type", json!("alert")),
        ("/type", json!(null)),
        ("/schema", json!("2")),
        ("/schema", json!(1)),
        ("/timestamp", json!(1_734_272_040)),
        ("/timestamp", json!("Dec 15, 2024 2:14 PM")),
        ("/timestamp", json!("2024-13-15T14:14:00.000Z")),
        ("/timestamp", json!("2024-12-15T14:14:00.000+01:00")),
        ("/delivery/id", json!("a.b")),
        ("/delivery/id", json!("")),
        ("/delivery/attempt", json!(0)),
        ("/truncated", json!("false")),
        ("/left_out", json!({})),
        ("/left_out", json!({ "labels": 1 })),
        ("/data/severity", json!("fatal")),
        ("/data/title", json!("a".repeat(2001))),
        ("/data/report", json!({ "name": "x" })),
        ("/data/report/url", json!("javascript:alert(1)")),
        ("/data/labels", json!({ "team": "sales" })),
        ("/data/labels", json!([["team", "sales"]])),
        ("/data/broken_rules/0/current", json!(8750)),
    ];
    for (pointer, value) in changes {
        let mut wrong = body.clone();
        match wrong.pointer_mut(pointer) {
            Some(place) => *place = value.clone(),
            None => wrong[&pointer[1..]] = value.clone(),
        }
        assert!(!open.is_valid(&wrong), "{pointer} = {value} was taken");
    }
}

#[test]
fn the_schema_misses_each_member_that_is_always_there() {
    let open = validator(&schema());
    for (name, event) in samples() {
        let body = body(event);
        for place in ["", "/data", "/delivery"] {
            for member in body.pointer(place).unwrap().as_object().unwrap().keys() {
                let mut wrong = body.clone();
                wrong.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(member);
                assert!(!open.is_valid(&wrong), "{name} is taken without {place}/{member}");
            }
        }
    }
}

/// An event of each kind that holds this text wherever text can be, and as many of everything.
fn full(text: &str, count: usize) -> Vec<Event> {
    let owned = || text.to_owned();
    let details = [
        Detail::Triggered(Trigger { broken_rules: vec![events::rule(text, text, text, text); count] }),
        Detail::Resolved(Resolution { triggered_at: Some(u64::MAX), triggered_at_local: Some(owned()) }),
        Detail::Notebook(NotebookRun { status: RunStatus::Failure, message: owned() }),
        Detail::Notice(Notice { kind: owned(), message: owned(), remedy: Some(owned()) }),
        Detail::Test,
    ];
    let event = |detail| Event {
        id: owned(),
        alert_id: Some(owned()),
        incident_id: Some(owned()),
        report: Some(Report { name: owned(), url: Some(format!("https://x.y/{text}")) }),
        occurred_at: u64::MAX,
        occurred_at_local: owned(),
        locale: owned(),
        mentions: vec![owned(); count],
        labels: vec![(owned(), owned()); count],
        attributes: vec![(owned(), owned()); count],
        ..events::event(text, detail)
    };
    details.map(event).to_vec()
}

#[test]
fn a_hundred_thousand_bytes_of_anything_keep_schema_and_size() {
    let strict = strict();
    for piece in [
        "a",
        "\"\\",
        "😀",
        "👩‍👩‍👧",
        "e\u{301}\u{302}",
        "\u{0}\u{1b}",
        "\u{202e}x",
        "\r\n",
        "\t",
        "\u{7f}\u{85}",
        "</script>",
    ] {
        let text = piece.repeat(100_000 / piece.len());
        for event in full(&text, 3) {
            let body = sound(&strict, event);
            assert_eq!(body["truncated"], true, "{piece:?}");
        }
    }
}

#[test]
fn texts_at_their_limits_go_out_whole_and_one_more_character_is_told() {
    let strict = strict();
    for (over, told) in [(0, false), (1, true)] {
        let mut event = events::notice();
        event.title = "😀".repeat(2_000 + over);
        event.report =
            Some(Report { name: "r".to_owned(), url: Some(format!("https://x.y/{}", "p".repeat(3_988 + over))) });
        event.detail = Detail::Notice(Notice {
            kind: "k".to_owned(),
            message: "m".repeat(10_000 + over),
            remedy: Some("r".repeat(10_000 + over)),
        });
        let body = sound(&strict, event);
        assert_eq!(body["truncated"], told);
        assert_eq!(body["data"]["report"]["url"].is_null(), told);
        for (member, limit) in [("title", 2_000), ("message", 10_000), ("remedy", 10_000)] {
            let text = body["data"][member].as_str().unwrap();
            assert_eq!((text.chars().count(), text.ends_with('…')), (limit, told), "{member}");
        }
    }
}

#[test]
fn an_event_of_nothing_keeps_the_schema_and_is_not_called_cut() {
    let strict = strict();
    for event in full("", 1) {
        assert_eq!(sound(&strict, event)["truncated"], false);
    }
}

#[test]
fn what_does_not_fit_into_a_list_is_counted() {
    let strict = strict();
    let mut event = events::triggered();
    event.detail =
        Detail::Triggered(Trigger { broken_rules: vec![events::rule("Revenue", "<", "10000", "8750"); 10_000] });
    event.labels = vec![("team".to_owned(), "sales".to_owned()); 3_000];
    event.mentions = vec!["ada@example.com".to_owned(); 100];
    let body = sound(&strict, event);
    let kept = |name: &str| body["data"][name].as_array().unwrap().len();
    assert_eq!(body["truncated"], true);
    assert_eq!(
        body["left_out"],
        json!({ "broken_rules": 10_000 - kept("broken_rules"), "labels": 3_000 - kept("labels") })
    );
    assert!(kept("broken_rules") > 400 && kept("labels") > 900 && kept("mentions") == 100);
}

#[test]
fn one_entry_of_each_list_always_fits() {
    let strict = strict();
    for event in full(&"😀".repeat(3_000), 1) {
        let body = sound(&strict, event);
        assert!(body["left_out"].is_null(), "{}", body["left_out"]);
    }
}

#[test]
fn an_address_that_is_none_goes_out_as_null_and_is_told() {
    for (url, sent) in [("javascript:alert(1)", json!(null)), ("https://x.y/a b", json!("https://x.y/a%20b"))] {
        let mut event = events::triggered();
        event.report.as_mut().unwrap().url = Some(url.to_owned());
        let body = body(event);
        assert_eq!((&body["data"]["report"]["url"], &body["truncated"]), (&sent, &json!(sent.is_null())));
    }
}

#[test]
fn labels_keep_their_order_and_their_duplicates_and_values_stay_text() {
    let mut event = events::triggered();
    event.detail = Detail::Triggered(Trigger { broken_rules: vec![events::rule("Rate", ">=", "2.5%", "42,750")] });
    event.labels = [("z", "1"), ("a", "2"), ("z", "1"), ("", "")].map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec();
    let data = &body(event)["data"];
    let labels: Vec<_> =
        data["labels"].as_array().unwrap().iter().map(|label| label["name"].as_str().unwrap()).collect();
    assert_eq!(labels, ["z", "a", "z", ""]);
    assert_eq!(
        data["broken_rules"][0],
        json!({ "metric": "Rate", "comparison": ">=", "threshold": "2.5%", "current": "42,750" })
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_event_breaks_the_schema(
        text in "(?s)(\\PC|[\"\\\\<&]|.){0,300}",
        times in 0usize..40,
        count in 0usize..40,
        kind in 0usize..5,
    ) {
        thread_local! { static STRICT: Validator = strict(); }
        let event = full(&text.repeat(times), count).swap_remove(kind);
        STRICT.with(|strict| sound(strict, event));
    }
}
