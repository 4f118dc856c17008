//! The real `pqh` against the simulator: every word and status of Slack's webhooks, and secrets that must stay secret.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use pqh_tests::program;
use pqh_tests::slack_webhook::{Misbehaviour, Simulator, WEBHOOK_PATH, answer};
use serde_json::Value;

async fn pqh(simulator: &Simulator, command: &'static [&'static str]) -> (Value, String) {
    let upstream = format!("hooks.slack.com={}", simulator.base_url());
    tokio::task::spawn_blocking(move || {
        let mut arguments: Vec<String> = command.iter().map(|&argument| argument.to_owned()).collect();
        if matches!(command, ["send" | "preview", ..]) {
            arguments.insert(1, program::event("daily-sales-triggered"));
        }
        arguments.extend(["--type", "slack-webhook", "--upstream", &upstream].map(str::to_owned));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ran = program::run(&arguments, &Simulator::webhook_url()).unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        (serde_json::from_str(&stdout).unwrap_or_default(), format!("{stdout}\n{stderr}"))
    })
    .await
    .unwrap()
}

fn kind_of(word: &str) -> &'static str {
    match word {
        "invalid_token" | "no_service" | "no_service_id" | "no_active_hooks" | "no_team" | "team_disabled" => {
            "unauthorized"
        }
        "channel_not_found" | "channel_is_archived" | "action_prohibited" | "posting_to_general_channel_denied" => {
            "unreachable"
        }
        "rollup_error" => "unavailable",
        _ => "rejected",
    }
}

fn assert_failure(said: &(Value, String), row: &str, kind: &str, code: Option<&str>) {
    let failure = &said.0["failure"];
    assert_eq!(said.0["outcome"], "failed", "{row}: {}", said.1);
    assert_eq!(failure["kind"], kind, "{row}: {}", said.1);
    if let Some(code) = code {
        let said_code = failure["code"].as_str().unwrap_or_default().replace('-', "_");
        assert_eq!(said_code, code, "{row}: {}", said.1);
    }
    let remedy = failure["remedy"].as_str().unwrap_or_default();
    assert!(!remedy.is_empty() || kind == "unavailable" || kind == "throttled", "{row} has no remedy: {}", said.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_word_of_a_webhook_lands_in_its_kind_with_its_code_and_a_remedy() {
    let simulator = Simulator::start().await.unwrap();
    for (word, status) in answer::WORDS {
        simulator.set_dead(Some(word));
        let said = pqh(&simulator, &["send", "--json"]).await;
        assert_failure(&said, &format!("{status} {word}"), kind_of(word), Some(word));
    }
    // The body decides before the status.
    simulator.set_dead(None);
    for status in [403, 404, 410] {
        simulator.next(answering(status, &[], "channel_is_archived"));
        let said = pqh(&simulator, &["send", "--json"]).await;
        assert_failure(&said, &format!("{status}"), "unreachable", Some("channel_is_archived"));
    }
}

fn answering(status: u16, headers: &[(&str, &str)], body: &str) -> Misbehaviour {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Misbehaviour::Answer { status, headers, body: body.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_status_without_a_known_word_lands_in_its_kind() {
    let simulator = Simulator::start().await.unwrap();
    let rows = [
        (answering(200, &[], "<html>"), "rejected"),
        (answering(302, &[("Location", "https://slack.com/")], ""), "rejected"),
        (answering(400, &[], "something_new"), "rejected"),
        (answering(403, &[], "something_new"), "rejected"),
        (answering(404, &[], "<html>"), "rejected"),
        (answering(408, &[], ""), "unavailable"),
        (answering(429, &[("Retry-After", "30")], "anything"), "throttled"),
        (answering(500, &[], "<html>"), "unavailable"),
        (answering(503, &[], "<html>"), "unavailable"),
        (Misbehaviour::CloseBeforeAnswer, "unknown-outcome"),
        (Misbehaviour::CloseInBody, "unknown-outcome"),
    ];
    for (misbehaviour, kind) in rows {
        let row = format!("{misbehaviour:?}");
        simulator.next(misbehaviour);
        let said = pqh(&simulator, &["send", "--json"]).await;
        assert_failure(&said, &row, kind, None);
        if kind == "throttled" {
            assert_eq!(said.0["failure"]["retry_after_ms"], 30_000, "{}", said.1);
        }
    }
    assert!(simulator.messages().is_empty(), "nothing was accepted");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhooks_token_appears_nowhere_even_when_slack_echoes_it() {
    let simulator = Simulator::start().await.unwrap();
    let token = WEBHOOK_PATH.rsplit('/').next().unwrap();
    let commands: [&'static [&'static str]; 6] =
        [&["send"], &["send", "--json"], &["check"], &["check", "--json"], &["preview"], &["preview", "--json"]];
    for command in commands {
        simulator.next(Misbehaviour::Echo);
        let (_, printed) = pqh(&simulator, command).await;
        assert!(!printed.trim().is_empty(), "{command:?} printed nothing");
        assert!(!printed.contains(token), "{command:?} printed the token");
    }
}
