//! `send_alert` of the documentation, run as notebooks run it: the real file with python3 against a real service.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

#[path = "support/python.rs"]
mod python;
#[path = "support/scenario/mod.rs"]
mod scenario;
#[path = "support/mod.rs"]
mod support;

use std::process::Command;

use pqh_tests::slack_webhook::render;
use python::has_python;
use scenario::Scenario;
use support::{Answer, Wire};

/// What a script did.
struct Ran {
    printed: String,
    said: String,
}

/// Runs lines of Python after the example's import; they print what comes of them.
async fn run_python(server: &str, token: &str, lines: &str) -> Ran {
    let mut command = Command::new("python3");
    command
        .args(["-B", "-c", &format!("from pyqueryhub_notify import NotifyError, send_alert\n{lines}")])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples"))
        .envs([("PQH_SERVER", server), ("PQH_TOKEN", token), ("NO_PROXY", "*"), ("PYTHONIOENCODING", "utf-8")]);
    let ran = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Ran { printed: text(&ran.stdout), said: text(&ran.stderr) }
}

/// Calls it, and prints the error's code and words.
fn refused(call: &str) -> String {
    format!(
        "try:\n    {call}\n    print('accepted')\nexcept NotifyError as error:\n    print(error.code, error.status, error)"
    )
}

#[tokio::test]
async fn a_notebook_tells_a_channel_and_people_see_it() {
    if !has_python(&[]) {
        return;
    }
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("Sales - Alerts").await;
    let call = "print(send_alert('Sales - Alerts', 'Data Processing Update', '1,247 records processed.', 'warning'))";
    let ran = run_python(&scenario.base(), &scenario.publisher, call).await;
    assert_eq!(ran.said, "");
    scenario.until_messages(&webhook, 1).await;
    let seen = render::message(&webhook.messages()[0], false);
    for part in ["📔 Notebook Alert: Data Processing Update", "Status: Warning", "Message: 1,247 records processed."]
    {
        assert!(seen.contains(part), "{seen}");
    }
    let event = scenario.get(&format!("/v1/events/{}", ran.printed)).await;
    assert_eq!(event["event"]["notebook"]["status"], "warning");
}

#[tokio::test]
async fn a_repeated_key_is_told_once_and_a_list_of_channels_is_told_in_each() {
    if !has_python(&[]) {
        return;
    }
    let scenario = Scenario::start().await;
    let (sales, ops) = (scenario.channel("sales").await, scenario.channel("ops").await);
    let call = "for _ in range(2):\n    print(send_alert(['sales', 'ops'], 'ETL', 'Done.', key='etl-2024-12-15'))";
    let ran = run_python(&scenario.base(), &scenario.publisher, call).await;
    let ids: Vec<&str> = ran.printed.lines().collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?} {}", ran.said);
    scenario.until_messages(&sales, 1).await;
    scenario.until_messages(&ops, 1).await;
}

#[tokio::test]
async fn what_cannot_be_told_is_an_error_that_says_why_and_never_the_token() {
    if !has_python(&[]) {
        return;
    }
    let scenario = Scenario::start().await;
    let webhook = scenario.channel("sales").await;
    let (base, token) = (scenario.base(), &scenario.publisher);
    let level = run_python(&base, token, &refused("send_alert('sales', 'ETL', 'Done.', 'fatal')")).await;
    assert_eq!(level.printed, "bad-level None level: expected one of success, warning, failure; found 'fatal'");
    let unknown = run_python(&base, token, &refused("send_alert('salez', 'ETL', 'Done.')")).await;
    assert!(
        unknown.printed.starts_with("unknown-channel 422 ") && unknown.printed.contains("salez"),
        "{}",
        unknown.printed
    );
    let wrong = run_python(&base, "pqh_wrong-secret", &refused("send_alert('sales', 'ETL', 'Done.')")).await;
    assert!(wrong.printed.contains(" 401 "), "{}", wrong.printed);
    let broken = run_python(&base, "pqh_wrong\nsecret", "send_alert('sales', 'ETL', 'Done.')").await;
    assert!(broken.said.contains("PQH_TOKEN: expected visible ASCII"), "{}", broken.said);
    for ran in [&level, &unknown, &wrong, &broken] {
        for secret in [token.as_str(), "secret"] {
            assert!(!ran.printed.contains(secret) && !ran.said.contains(secret), "{} {}", ran.printed, ran.said);
        }
    }
    scenario.settle().await;
    assert!(webhook.messages().is_empty());
}

#[tokio::test]
async fn who_is_asked_to_wait_tries_again_with_the_same_key_and_gives_up_in_the_end() {
    if !has_python(&[]) {
        return;
    }
    let problem = br#"{ "code": "queue-full", "detail": "Too much waits." }"#;
    let wire = Wire::start(Answer::whole("429 Too Many Requests", "retry-after: 0\r\n", problem)).await;
    let ran = run_python(&wire.url(), "pqh_token", &refused("send_alert('sales', 'ETL', 'Done.')")).await;
    assert_eq!((ran.printed.as_str(), ran.said.as_str()), ("queue-full 429 Too much waits.", ""));
    let requests = wire.requests();
    let key = |request: &String| {
        let line = request.lines().find(|line| line.to_lowercase().starts_with("idempotency-key:"));
        line.expect("a key").to_owned()
    };
    let keys: Vec<String> = requests.iter().map(key).collect();
    assert!(keys.len() == 5 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}
