//! Each request as it goes out, kept as a snapshot.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use pagerduty::PagerDuty;
use pqh_channel_sdk::Receipt;
use pqh_channel_sdk::events::{Detail, Event, RunStatus, Severity};
use pqh_channel_sdk::testkit::{self, Gate, Sent, events};
use serde_json::{Value, json};

/// Delivers to a service that takes everything: what was sent, and the receipt.
fn deliver(event: Event, requests: usize) -> (Vec<Sent>, Receipt) {
    let taken = r#"{"status":"success","message":"Event processed"}"#;
    let gate = (0..requests).fold(Gate::new(), |gate, _| gate.answer(202, taken));
    let receipt = testkit::deliver::<PagerDuty>(&json!({}), event).unwrap();
    let sent = gate.requests();
    gate.finish();
    (sent, receipt)
}

fn body(event: Event) -> Value {
    deliver(event, 1).0[0].json()
}

/// A request as the service sees it; `serde_json` here sorts the members.
fn seen(event: Event, requests: usize) -> Value {
    let (sent, receipt) = deliver(event, requests);
    let sent: Vec<Value> = sent
        .iter()
        .map(|sent| json!({ "url": sent.url(), "repeatable": sent.is_repeatable(), "body": sent.json() }))
        .collect();
    json!({ "requests": sent, "reference": receipt.reference, "warnings": receipt.warnings })
}

#[test]
fn an_alert_is_opened_and_resolved_by_the_same_key() {
    insta::assert_json_snapshot!("triggered", seen(events::triggered(), 1));
    insta::assert_json_snapshot!("resolved", seen(events::resolved(), 1));
    assert_eq!(body(events::triggered())["dedup_key"], body(events::resolved())["dedup_key"]);
}

#[test]
fn a_run_that_failed_opens_an_alert_of_its_own() {
    insta::assert_json_snapshot!("notebook_failure", seen(events::notebook(RunStatus::Failure), 1));
    assert_eq!(body(events::notebook(RunStatus::Warning))["payload"]["severity"], "warning");
}

#[test]
fn a_run_that_went_well_pages_nobody() {
    insta::assert_json_snapshot!("notebook_success", seen(events::notebook(RunStatus::Success), 1));
}

#[test]
fn a_notice_opens_an_alert_unless_it_only_informs() {
    insta::assert_json_snapshot!("notice", seen(events::notice(), 1));
    let (sent, _) = deliver(Event { severity: Severity::Info, ..events::notice() }, 1);
    assert_eq!(sent[0].url(), "https://events.pagerduty.com/v2/change/enqueue");
}

#[test]
fn a_test_opens_an_alert_and_resolves_it_at_once() {
    insta::assert_json_snapshot!("test", seen(events::test(), 2));
    let (sent, _) = deliver(Event { severity: Severity::Critical, ..events::test() }, 2);
    assert_eq!(sent[0].json()["payload"]["severity"], "info");
}

#[test]
fn labels_responders_and_a_runbook_are_told() {
    let mut event = events::triggered();
    event.labels =
        [("team", "sales"), ("When", "<b>always</b>"), ("", " "), ("runbook", "https://wiki.example/run book")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
    event.mentions = ["U012AB3CD", "ops@example.com", " "].map(str::to_owned).to_vec();
    insta::assert_json_snapshot!("labels_and_responders", seen(event, 1));
}

#[test]
fn details_stand_in_the_order_in_which_people_read_them() {
    let mut event = events::triggered();
    event.labels = vec![("area".to_owned(), "EMEA".to_owned())];
    let (sent, _) = deliver(event, 1);
    let text = String::from_utf8(sent[0].body().to_vec()).unwrap();
    let places = ["\"Report\"", "\"Alert\"", "\"When\"", "\"Rule 1\"", "\"Rule 2\"", "\"area\""]
        .map(|name| text.find(name).unwrap_or_else(|| panic!("{name} in {text}")));
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn an_alert_takes_its_severity_and_a_repeat_says_the_same() {
    for (severity, word) in [(Severity::Info, "info"), (Severity::Warning, "warning"), (Severity::Critical, "critical")]
    {
        let event = Event { severity, ..events::triggered() };
        let first = body(event.clone());
        assert_eq!(first["payload"]["severity"], word);
        assert_eq!(first["event_action"], "trigger");
        assert_eq!(body(Event { id: "evt-2".to_owned(), ..event }), first);
    }
}

#[test]
fn a_summary_reads_well_on_a_lock_screen() {
    let rule = |count: usize| {
        let Detail::Triggered(mut trigger) = events::triggered().detail else { panic!("no trigger") };
        trigger.broken_rules = trigger.broken_rules.iter().cycle().take(count).cloned().collect();
        let event = Event { detail: Detail::Triggered(trigger), ..events::triggered() };
        body(event)["payload"]["summary"].as_str().unwrap().to_owned()
    };
    assert_eq!(rule(1), "Daily Sales Alert: Revenue < 10000 (Current: 8750)");
    assert_eq!(rule(2), "Daily Sales Alert: Revenue < 10000 (Current: 8750) and 1 more");
    assert_eq!(rule(1501), "Daily Sales Alert: Revenue < 10000 (Current: 8750) and 1,500 more");
}

#[test]
fn the_key_is_the_alerts_else_the_incidents_else_the_events() {
    let key = |alert: Option<&str>, incident: Option<&str>| {
        let event = Event {
            alert_id: alert.map(str::to_owned),
            incident_id: incident.map(str::to_owned),
            ..events::resolved()
        };
        let (sent, receipt) = deliver(event, 1);
        assert_eq!(receipt.reference.as_deref(), sent[0].json()["dedup_key"].as_str());
        receipt.reference.unwrap()
    };
    assert_eq!(key(Some("a"), Some("i")), "a");
    assert_eq!(key(Some(" "), Some("i")), "i");
    assert_eq!(key(None, Some("i")), "i");
    assert_eq!(key(None, None), "evt-1");
}

#[test]
fn the_region_decides_where_events_go() {
    for (settings, host) in [
        (json!({}), "events.pagerduty.com"),
        (json!({ "region": "us" }), "events.pagerduty.com"),
        (json!({ "region": "eu" }), "events.eu.pagerduty.com"),
    ] {
        let gate = Gate::new().answer(202, "").answer(202, "");
        testkit::deliver::<PagerDuty>(&settings, events::triggered()).unwrap();
        testkit::deliver::<PagerDuty>(&settings, events::notebook(RunStatus::Success)).unwrap();
        let urls: Vec<String> = gate.requests().iter().map(Sent::url).collect();
        assert_eq!(urls, [format!("https://{host}/v2/enqueue"), format!("https://{host}/v2/change/enqueue")]);
    }
}

#[test]
fn a_digest_is_no_alert() {
    let failure = testkit::deliver::<PagerDuty>(&json!({}), events::digest(3)).unwrap_err();
    assert_eq!(failure.code, "digest");
}
