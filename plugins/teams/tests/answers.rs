//! Every answer in FACTS.md lands in its failure kind, with code, meaning and remedy; the check; the form.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use pqh_channel_sdk::http::ErrorKind;
use pqh_channel_sdk::testkit::{self, Gate, events};
use pqh_channel_sdk::{Failure, FailureKind};
use serde_json::{Value, json};
use teams::Teams;

fn failed(result: Result<(), Failure>, gate: Gate) -> Failure {
    let failure = result.unwrap_err();
    gate.finish();
    assert!(failure.message.ends_with('.') && !failure.remedy.is_empty(), "{failure:?}");
    failure
}

fn deliver(gate: Gate) -> Failure {
    failed(testkit::deliver::<Teams>(&json!({}), events::triggered()).map(|_| ()), gate)
}

fn check(gate: Gate) -> Failure {
    failed(testkit::check::<Teams>(&json!({})), gate)
}

fn error(code: &str, message: &str) -> String {
    json!({ "error": { "code": code, "message": message } }).to_string()
}

/// Every code of the facts with its status, kind, and whether the URL is to blame.
const CODES: [(&str, u16, FailureKind, bool); 15] = {
    use FailureKind::{Rejected, Throttled, Unauthorized, Unreachable};
    [
        ("TriggerInputSchemaMismatch", 400, Rejected, false),
        ("InvalidRequestContent", 400, Rejected, false),
        ("TriggerRequestMethodNotValid", 400, Unreachable, false),
        ("WorkflowTriggerIsNotEnabled", 400, Unreachable, true),
        ("MissingApiVersionParameter", 400, Unauthorized, true),
        ("InvalidApiVersionParameter", 400, Unauthorized, true),
        ("DirectApiAuthorizationRequired", 401, Unauthorized, true),
        ("DirectApiInvalidAuthorizationScheme", 401, Unauthorized, true),
        ("DirectApiInvalidAuthorizationSignature", 401, Unauthorized, true),
        ("DirectApiRequestHasMoreThanOneAuthorization", 401, Unreachable, false),
        ("OAuthAccessPolicyNotFound", 401, Unauthorized, true),
        ("MisMatchingOAuthClaims", 403, Unauthorized, true),
        ("WorkflowNotFound", 404, Unreachable, true),
        ("WorkflowTriggerVersionNotFound", 404, Unreachable, true),
        ("RequestsThrottled", 429, Throttled, false),
    ]
};

#[test]
fn each_code_has_its_kind_whatever_the_status_and_what_microsoft_said_is_told() {
    for (code, status, kind, blamed) in CODES {
        for status in [status, 400, 404, 500] {
            for (message, told) in [("Error details: 'x'.", ": Error details: 'x'."), ("", ".")] {
                let failure = deliver(Gate::new().answer(status, &error(code, message)));
                assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{status}");
                assert!(failure.message.ends_with(told), "{failure:?}");
                assert_eq!(failure.field.as_deref(), blamed.then_some("url"), "{code}");
            }
        }
    }
}

#[test]
fn the_state_of_a_workflow_that_is_not_enabled_is_told() {
    for state in ["Disabled", "Deleted", "Suspended"] {
        let message =
            format!("Could not execute workflow '1' trigger 'manual' with state '{state}': trigger is not enabled.");
        let failure = deliver(Gate::new().answer(400, &error("WorkflowTriggerIsNotEnabled", &message)));
        assert!(failure.kind == FailureKind::Unreachable && failure.message.contains(state));
    }
}

#[test]
fn a_wrong_signature_is_known_by_microsofts_sentence_alone() {
    for code in ["", "Unauthorized"] {
        let failure = deliver(Gate::new().answer(401, &error(code, "The authentication credentials are not valid.")));
        assert_eq!((failure.kind, failure.field.as_deref()), (FailureKind::Unauthorized, Some("url")));
    }
}

#[test]
fn a_status_decides_where_the_body_has_no_known_code() {
    use FailureKind::{Rejected, Throttled, Unavailable};
    let statuses = [
        (302, Rejected, "redirected"),
        (400, Rejected, "http_400"),
        (401, Rejected, "http_401"),
        (403, Rejected, "http_403"),
        (404, Rejected, "http_404"),
        (410, Rejected, "http_410"),
        (413, Rejected, "http_413"),
        (408, Unavailable, "http_408"),
        (429, Throttled, "rate_limited"),
        (500, Unavailable, "http_500"),
        (502, Unavailable, "http_502"),
        (503, Unavailable, "http_503"),
        (504, Unavailable, "http_504"),
    ];
    for (status, kind, code) in statuses {
        for body in
            ["", "<html>Something went wrong</html>", "[1, 2]", "{\"error\": \"text\"}", "{\"error\": {\"code\": 7}}"]
        {
            let failure = deliver(Gate::new().answer(status, body));
            assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{status}");
        }
        let failure = deliver(Gate::new().answer(status, &error("SomethingNew", "Oh.")));
        assert_eq!((failure.kind, failure.code.as_str()), (kind, "SomethingNew"), "{status}");
    }
}

#[test]
fn rest_is_handed_on() {
    for (status, body, kind) in [
        (429, error("RequestsThrottled", "Wait."), FailureKind::Throttled),
        (429, error("SomethingNew", ""), FailureKind::Throttled),
        (429, String::new(), FailureKind::Throttled),
        (503, String::new(), FailureKind::Unavailable),
    ] {
        let failure = deliver(Gate::new().answer_with(status, &body, &[("Retry-After", "7")]));
        assert_eq!((failure.kind, failure.retry_after), (kind, Some(7000)));
    }
    assert_eq!(deliver(Gate::new().answer(429, "")).retry_after, None);
}

#[test]
fn no_whole_answer_is_an_unknown_outcome_only_where_bytes_went_out() {
    let failed = |kind, sent| deliver(Gate::new().error(kind, "broken.", sent)).kind;
    assert_eq!(failed(ErrorKind::Timeout, true), FailureKind::UnknownOutcome);
    assert_eq!(failed(ErrorKind::Failed, true), FailureKind::UnknownOutcome);
    assert_eq!(failed(ErrorKind::Failed, false), FailureKind::Unavailable);
    assert_eq!(failed(ErrorKind::Denied, false), FailureKind::Rejected);
    assert_eq!(failed(ErrorKind::Unauthorized, false), FailureKind::Unauthorized);
}

#[test]
fn a_delivery_posts_once_to_the_secret_address_and_keeps_the_run() {
    for status in [200, 202, 204] {
        let gate = Gate::new().answer_with(status, "", &[("x-ms-workflow-run-id", "08584")]);
        let receipt = testkit::deliver::<Teams>(&json!({}), events::triggered()).unwrap();
        assert_eq!((receipt.reference.as_deref(), receipt.warnings.len()), (Some("08584"), 0));
        let sent = &gate.requests()[0];
        assert_eq!(sent.url(), "{url}");
        assert!(!sent.is_repeatable() && sent.credentials().is_empty() && sent.header("authorization").is_none());
        assert_eq!(sent.header("Content-Type"), Some("application/json; charset=utf-8"));
        assert_eq!(sent.json()["summary"], "🚨 Alert Triggered: Daily Sales Alert");
        gate.finish();
    }
    let _gate = Gate::new().answer(202, "");
    assert_eq!(testkit::deliver::<Teams>(&json!({}), events::triggered()).unwrap().reference, None);
}

#[test]
fn a_check_starts_no_run_and_knows_a_living_workflow_from_a_dead_one() {
    for (status, body) in [
        (
            400,
            error(
                "InvalidRequestContent",
                "The request content is not valid and could not be deserialized: 'Unexpected character'.",
            ),
        ),
        (400, error("TriggerInputSchemaMismatch", "The input body did not match its schema definition.")),
        (202, String::new()),
    ] {
        let gate = Gate::new().answer(status, &body);
        testkit::check::<Teams>(&json!({})).unwrap();
        let sent = &gate.requests()[0];
        assert!(serde_json::from_slice::<Value>(sent.body()).is_err(), "what is JSON could start a run");
        assert_eq!(sent.header("content-type"), Some("application/json"));
        assert!(sent.is_repeatable());
        gate.finish();
    }
    for (code, status, kind, _) in &CODES[2..] {
        assert_eq!(check(Gate::new().answer(*status, &error(code, "No."))).kind, *kind, "{code}");
    }
    for (status, kind) in [(400, FailureKind::Rejected), (401, FailureKind::Rejected), (503, FailureKind::Unavailable)]
    {
        assert_eq!(check(Gate::new().answer(status, "")).kind, kind);
    }
    assert_eq!(check(Gate::new().error(ErrorKind::Timeout, "slow.", true)).kind, FailureKind::Unavailable);
}

/// The first rule that the URL breaks, as the host finds it.
fn broken_rule(url: &str) -> Option<String> {
    let field = testkit::describe::<Teams>().fields.remove(0);
    let broken = field
        .rules
        .into_iter()
        .find(|rule| regex::Regex::new(&format!("^(?:{})$", rule.pattern)).unwrap().is_match(url) != rule.matches);
    broken.map(|rule| rule.message)
}

const PATH: &str =
    "/powerautomate/automations/direct/workflows/0123456789abcdef0123456789abcdef/triggers/manual/paths/invoke";
const QUERY: &str = "?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=AbC-_123";

#[test]
fn the_descriptor_is_sound_and_its_pace_stays_below_what_is_lost() {
    let descriptor = testkit::describe::<Teams>();
    assert_eq!(testkit::faults(&descriptor), Vec::<String>::new());
    assert!(descriptor.digests && descriptor.target == ["url"]);
    let pace = descriptor.paces[0];
    assert!(pace.burst + pace.messages * 300 / pace.seconds <= 25, "25 posts in 300 seconds");
}

#[test]
fn a_url_of_each_host_that_the_secret_may_go_to_is_taken() {
    for destination in testkit::describe::<Teams>().destinations {
        let pqh_channel_sdk::Destination::Host(host) = destination else { panic!("{destination:?}") };
        for port in ["", ":443"] {
            let host = host.replace('*', "default0123456789abcdef.1f");
            assert_eq!(broken_rule(&format!("https://{host}{port}{PATH}{QUERY}")), None, "{host}");
        }
    }
    for url in [
        "https://prod-12.westeurope.logic.azure.com:443/workflows/0123/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=x",
        "https://DEFAULT01.1F.Environment.api.PowerPlatform.com:443/powerautomate/automations/direct/cu/06/workflows/0123/triggers/manual/paths/invoke/?sig=x&api-version=1",
    ] {
        assert_eq!(broken_rule(url), None, "{url}");
    }
}

#[test]
fn other_urls_are_told_why() {
    let host = "https://default01.1f.environment.api.powerplatform.com:443";
    for (url, told) in [
        ("https://contoso.webhook.office.com/webhookb2/a@b/IncomingWebhook/c/d".to_owned(), "retired"),
        ("https://outlook.office.com/webhook/a@b/IncomingWebhook/c/d".to_owned(), "retired"),
        ("https://outlook.office365.com:443/webhook/a".to_owned(), "retired"),
        (format!("{host}{PATH}{}", QUERY.replace('&', "&amp;")), "&amp;"),
        (format!("https://environment.api.powerplatform.com{PATH}{QUERY}"), "no address of a workflow"),
        (format!("https://x.environment.api.powerplatform.com.evil.example{PATH}{QUERY}"), "no address of a workflow"),
        (format!("https://evil.example/x.environment.api.powerplatform.com{PATH}{QUERY}"), "no address of a workflow"),
        (format!("https://u@x.environment.api.powerplatform.com{PATH}{QUERY}"), "no address of a workflow"),
        (format!("https://x.environment-api.powerplatform.com{PATH}{QUERY}"), "no address of a workflow"),
        (format!("https://x.environment.api.powerplatform.com:8443{PATH}{QUERY}"), "no address of a workflow"),
        (format!("http://x.environment.api.powerplatform.com{PATH}{QUERY}"), "no address of a workflow"),
        ("https://make.powerautomate.com/environments/x/flows/y".to_owned(), "no address of a workflow"),
        (host.to_owned(), "path"),
        (format!("{host}/?x=/workflows/1/triggers/manual&sig=x"), "path"),
        (format!("{host}{}{QUERY}", PATH.replace("/triggers/manual", "")), "path"),
        (format!("{host}{PATH}"), "no signature"),
        (format!("{host}{PATH}?api-version=1"), "no signature"),
        (format!("{host}{PATH}?api-version=1&sig="), "no signature"),
        (format!("{host}{PATH}?api-version=1&xsig=1"), "no signature"),
        (format!("{host}{PATH}?api-version=1#sig=1"), "no signature"),
        (format!("{host}{PATH}{QUERY} "), "no signature"),
    ] {
        assert!(broken_rule(&url).is_some_and(|message| message.contains(told)), "{url}: {:?}", broken_rule(&url));
    }
}
