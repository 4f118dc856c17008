//! Each error of an event's JSON, and what is filled in.

use jiff::{Timestamp, tz::TimeZone};
use pqh_runtime::contract::events::{Detail, Event, Severity};

const EXAMPLE: &str = r#"{
  "id": "evt-1",
  "title": "Daily Sales Alert",
  "severity": "warning",
  "occurred_at": "2024-12-15T14:14:00-05:00",
  "report": { "name": "Q4 Sales Dashboard", "url": "https://app.example.com/reports/q4" },
  "mentions": ["ada@example.com"],
  "labels": { "team": "sales", "area": "north" },
  "triggered": { "broken_rules": [
    { "metric": "Revenue", "comparison": "<", "threshold": "10000", "current": "8750" },
    { "metric": "New Customers", "comparison": "<", "threshold": "50", "current": "23" } ] }
}"#;

fn now() -> Timestamp {
    "2024-12-15T19:14:00Z".parse().unwrap()
}

fn read(text: &str) -> Event {
    super::read(text.as_bytes(), None, now()).unwrap()
}

/// The error's path and message, without its position.
fn error(text: &str) -> (String, String) {
    let error = super::read(text.as_bytes(), None, now()).unwrap_err();
    (error.path, error.message)
}

#[track_caller]
fn assert_error(text: &str, path: &str, message: &str) {
    assert_eq!(error(text), (path.to_owned(), message.to_owned()));
}

#[track_caller]
fn assert_error_starts(text: &str, path: &str, start: &str) {
    let (found_path, found) = error(text);
    assert_eq!(found_path, path, "{found}");
    assert!(found.starts_with(start), "{found}");
}

#[test]
fn the_documented_example_is_read_whole() {
    let event = read(EXAMPLE);
    assert_eq!(event.id, "evt-1");
    assert_eq!(event.title, "Daily Sales Alert");
    assert!(matches!(event.severity, Severity::Warning));
    assert_eq!(event.occurred_at, 1_734_290_040_000);
    assert_eq!(event.occurred_at_local, "Dec 15, 2024 2:14 PM");
    assert_eq!(event.labels, [("team".to_owned(), "sales".to_owned()), ("area".to_owned(), "north".to_owned())]);
    let Detail::Triggered(trigger) = event.detail else { panic!("not triggered") };
    assert_eq!(trigger.broken_rules.len(), 2);
    assert_eq!(trigger.broken_rules[1].threshold, "50");
}

#[test]
fn a_time_zone_tells_the_local_time() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let event = super::read(EXAMPLE.as_bytes(), Some(&zone), now()).unwrap();
    assert_eq!(event.occurred_at_local, "Dec 15, 2024 8:14 PM");
}

#[test]
fn utc_may_be_written_as_z() {
    let event = read(r#"{"title": "T", "occurred_at": "2024-12-15T00:05:00Z", "test": {}}"#);
    assert_eq!(event.occurred_at_local, "Dec 15, 2024 12:05 AM");
}

#[test]
fn what_is_left_out_is_filled_in() {
    let event = read(r#"{"title": "T", "test": {}}"#);
    assert_eq!(uuid::Uuid::parse_str(&event.id).unwrap().get_version_num(), 7);
    assert_eq!(event.occurred_at, 1_734_290_040_000);
    assert!(matches!(event.severity, Severity::Info));
}

#[test]
fn severity_follows_from_what_happened() {
    let severity = |detail: &str| read(&format!(r#"{{"title": "T", {detail}}}"#)).severity;
    assert!(matches!(severity(r#""resolved": {}"#), Severity::Info));
    assert!(matches!(severity(r#""notice": {"message": "m"}"#), Severity::Warning));
    assert!(matches!(severity(r#""notebook": {"status": "success", "message": "m"}"#), Severity::Info));
    assert!(matches!(severity(r#""notebook": {"status": "failure", "message": "m"}"#), Severity::Critical));
}

#[test]
fn a_byte_order_mark_does_no_harm() {
    assert_eq!(read("\u{feff}{\"title\": \"T\", \"test\": {}}").title, "T");
}

#[test]
fn no_detail_is_refused() {
    let expected = "expected exactly one of triggered, resolved, notebook, notice, test, found none";
    assert_error(r#"{"title": "T"}"#, "", expected);
}

#[test]
fn two_details_are_refused() {
    let expected = "expected exactly one of triggered, resolved, notebook, notice, test, found resolved and test";
    assert_error(r#"{"title": "T", "resolved": {}, "test": {}}"#, "", expected);
}

#[test]
fn an_empty_list_of_rules_is_refused() {
    let text = r#"{"title": "T", "triggered": {"broken_rules": []}}"#;
    assert_error(text, "triggered.broken_rules", "expected at least one broken rule, found none");
}

#[test]
fn a_number_in_place_of_a_string_shows_how_to_write_it() {
    let text = r#"{"title": "T", "triggered": {"broken_rules": [
        {"metric": "M", "comparison": "<", "threshold": 10000, "current": "8750"}]}}"#;
    let expected = "expected a string, found the number 10000: write \"10000\"";
    assert_error(text, "triggered.broken_rules[0].threshold", expected);
}

#[test]
fn an_empty_title_is_refused() {
    assert_error(r#"{"title": " ", "test": {}}"#, "title", "expected text, found an empty string");
}

#[test]
fn a_missing_title_is_refused() {
    assert_error(r#"{"test": {}}"#, "", "missing field `title`");
}

#[test]
fn an_empty_value_in_a_rule_is_refused() {
    let text = r#"{"title": "T", "triggered": {"broken_rules": [
        {"metric": "M", "comparison": "<", "threshold": "1", "current": ""}]}}"#;
    assert_error(text, "triggered.broken_rules[0].current", "expected text, found an empty string");
}

#[test]
fn an_unknown_member_is_refused_with_those_that_there_are() {
    assert_error_starts(r#"{"titel": "T", "test": {}}"#, "titel", "unknown field `titel`, expected one of `id`");
    let text = r#"{"title": "T", "test": {"a": 1}}"#;
    assert_error_starts(text, "test.a", "unknown field `a`");
}

#[test]
fn an_unknown_severity_is_refused() {
    let text = r#"{"title": "T", "severity": "high", "test": {}}"#;
    assert_error_starts(text, "severity", "unknown variant `high`, expected one of `info`");
}

#[test]
fn a_member_that_stands_twice_is_refused() {
    assert_error(r#"{"title": "T", "title": "U", "test": {}}"#, "", "duplicate field `title`");
    let text = r#"{"title": "T", "labels": {"a": "1", "a": "2"}, "test": {}}"#;
    assert_error_starts(text, "labels", "expected each label once, found `a` twice");
}

#[test]
fn a_bad_date_is_refused_with_an_example() {
    for bad in ["yesterday", "2024-12-15", "2024-12-15T14:14:00", "2024-13-15T14:14:00Z", ""] {
        let text = format!(r#"{{"title": "T", "occurred_at": "{bad}", "test": {{}}}}"#);
        assert_error_starts(&text, "occurred_at", "expected a date and time with an offset, like");
    }
    let text = r#"{"title": "T", "resolved": {"triggered_at": "x"}}"#;
    assert_error_starts(text, "resolved.triggered_at", "expected a date and time with an offset, like");
}

#[test]
fn a_time_before_1970_is_refused() {
    let text = r#"{"title": "T", "occurred_at": "1969-12-31T23:59:59Z", "test": {}}"#;
    assert_error_starts(text, "occurred_at", "expected a time after 1970");
}

#[test]
fn a_report_url_has_to_be_absolute_http() {
    for bad in ["/reports/q4", "ftp://example.com/", "javascript:alert(1)", "https://", "https://a.example/ b"] {
        let text = format!(r#"{{"title": "T", "report": {{"name": "R", "url": "{bad}"}}, "test": {{}}}}"#);
        assert_error_starts(&text, "report.url", "expected an absolute http or https URL, found");
    }
}

#[test]
fn what_is_no_event_at_all_is_refused() {
    assert_error_starts("[]", "", "invalid type: sequence, expected a JSON object");
    assert_error_starts(r#"{"title": "T", "report": ["R"], "test": {}}"#, "report", "invalid type: sequence");
    assert_error_starts("", "", "expected a JSON object, found nothing");
    assert_error_starts("{\"title\": ", "", "EOF while parsing");
    assert_error_starts(r#"{"title": "T", "test": {}} x"#, "", "trailing characters");
}

#[test]
fn an_error_names_line_and_column() {
    let error = super::read(b"{\n  \"title\": 1\n}", None, now()).unwrap_err();
    assert_eq!(error.to_string(), "title: expected a string, found the number 1: write \"1\" (line 2, column 12)");
}

#[test]
fn another_encoding_is_refused() {
    let error = super::read(b"{\"title\": \"\xff\"}", None, now()).unwrap_err();
    assert!(error.message.starts_with("expected JSON in UTF-8"), "{error}");
}
