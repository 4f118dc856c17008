//! Attacks on the sandbox: time, stack, memory, log, results, traps, surroundings and claims. Each runs beside a delivery
//! that has to go through.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod support;

use pqh_runtime::contract::types::FailureKind;
use pqh_runtime::{Limits, Outcome, PLUGIN_FAULT};
use support::{Answer, Attack, OWN, Sandbox, Wire, assert_failed, failure, limits, log_bytes, whole};

/// Runs each attack, and each has to be the plugin's fault, with this in the message.
async fn are_the_plugins_fault(attacks: &[(&str, &str)]) {
    let sandbox = Sandbox::new(None).await;
    for (name, message) in attacks {
        let report = sandbox.survives(Attack::named(name)).await;
        assert_failed(&report, FailureKind::Rejected, PLUGIN_FAULT, message);
    }
}

#[tokio::test]
async fn a_component_that_never_ends_is_stopped_at_its_deadline() {
    let sandbox = Sandbox::new(None).await;
    for name in ["loop", "sleep", "sleep-loop", "clock-spin"] {
        let report = sandbox.survives(Attack::named(name)).await;
        assert_failed(&report, FailureKind::Unavailable, "timed-out", "Nothing was sent");
        assert!(report.took < limits().deadline * 2, "{name} took {:?}", report.took);
    }
}

#[tokio::test]
async fn recursion_ends_at_the_stacks_limit() {
    // A component has two stacks, and which of them ends first is its compiler's matter.
    are_the_plugins_fault(&[("recursion", "it trapped")]).await;
}

#[tokio::test]
async fn memory_ends_at_its_limit_however_it_is_asked_for() {
    are_the_plugins_fault(&[
        ("memory-at-once", "of memory and has a limit of 16777216"),
        ("memory-by-pieces", "of memory and has a limit of 16777216"),
        ("memory-by-crumbs", "of memory and has a limit of 16777216"),
        ("memory-grow-untouched", "of memory and has a limit of 16777216"),
    ])
    .await;
}

#[tokio::test]
async fn a_trap_with_nothing_sent_is_the_plugins_fault() {
    are_the_plugins_fault(&[
        ("panic", ""),
        ("trap-nothing-sent", "unreachable"),
        ("exit", ""),
        ("exit-failure", ""),
        ("log-then-trap", "unreachable"),
    ])
    .await;
}

#[tokio::test]
async fn what_was_logged_before_a_trap_is_kept() {
    let report = Sandbox::new(None).await.run(Attack::named("log-then-trap")).await;
    assert_eq!(report.log.iter().map(|line| line.message.as_str()).collect::<Vec<_>>(), ["last words"]);
}

#[tokio::test]
async fn huge_results_cross_no_border() {
    let sandbox = Sandbox::new(None).await;
    let attacks = [
        "result-giant-string",
        "result-giant-code",
        "result-giant-list",
        "result-giant-warnings",
        "result-same-string-often",
    ];
    for name in attacks {
        let report = sandbox.survives(Attack::named(name)).await;
        assert_failed(&report, FailureKind::Rejected, PLUGIN_FAULT, "");
        assert!(format!("{report:?}").len() < 64 << 10, "{name} left {} bytes", format!("{report:?}").len());
    }
}

#[tokio::test]
async fn a_result_below_the_border_s_limit_is_cut_for_people() {
    let sandbox = Sandbox::new(None).await;
    let message = sandbox.run(Attack::named("result-giant-string").with("count", "1000000")).await;
    assert_eq!(failure(&message).message.chars().count(), limits().text_characters + 1);
    let code = sandbox.run(Attack::named("result-giant-code").with("count", "1000000")).await;
    assert_eq!(failure(&code).code.chars().count(), 101);
}

#[tokio::test]
async fn the_log_is_capped_and_counts_what_it_drops() {
    let long = Limits { deadline: std::time::Duration::from_mins(1), ..limits() };
    let sandbox = Sandbox::with(long, None).await;
    for (name, count) in [("log-many", "1000000"), ("stdout-flood", "67108864"), ("stderr-flood", "67108864")] {
        let report = sandbox.survives(Attack::named(name).with("count", count)).await;
        assert_failed(&report, FailureKind::Rejected, PLUGIN_FAULT, "claimed a delivery");
        assert!(log_bytes(&report.log) <= limits().log_bytes + 200, "{name}: {} bytes", log_bytes(&report.log));
        assert!(
            report.log.last().unwrap().message.contains("further lines were dropped"),
            "{name}: {:?}",
            report.log.last()
        );
    }
}

#[tokio::test]
async fn a_giant_log_line_is_refused_or_cut() {
    let sandbox = Sandbox::new(None).await;
    let refused = sandbox.survives(Attack::named("log-giant").with("count", "8388608")).await;
    assert_failed(&refused, FailureKind::Rejected, PLUGIN_FAULT, "");
    assert!(log_bytes(&refused.log) <= limits().log_bytes);
    let cut = sandbox.survives(Attack::named("log-giant").with("count", "1000000")).await;
    assert_eq!(cut.log[0].message.chars().count(), limits().text_characters + 1);
}

#[tokio::test]
async fn a_flooded_cache_keeps_the_host_alive() {
    let long = Limits { deadline: std::time::Duration::from_mins(1), ..limits() };
    let sandbox = Sandbox::with(long, None).await;
    let report = sandbox.survives(Attack::named("cache-flood").with("count", "20000")).await;
    assert_failed(&report, FailureKind::Rejected, PLUGIN_FAULT, "claimed a delivery");
}

#[tokio::test]
async fn control_characters_reach_neither_the_log_nor_the_failure() {
    let sandbox = Sandbox::new(None).await;
    for name in ["log-control-characters", "failure-control-characters"] {
        let report = sandbox.run(Attack::named(name)).await;
        let failure = failure(&report);
        let texts = report.log.iter().map(|line| &line.message).chain([&failure.code]);
        assert!(texts.clone().any(|text| !text.is_empty()));
        for text in texts {
            assert!(!text.contains(|c: char| c.is_control() || c == '\u{202e}'), "{name}: {text:?}");
        }
        assert!(
            !failure.message.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'),
            "{name}: {failure:?}"
        );
    }
}

#[tokio::test]
async fn a_failure_blames_only_a_field_that_is_there() {
    let report = Sandbox::new(None).await.run(Attack::named("failure-unknown-field")).await;
    assert_eq!(failure(&report).field, None);
    assert_eq!(failure(&report).code, "blame");
}

#[tokio::test]
async fn files_environment_processes_and_network_are_refused() {
    let sandbox = Sandbox::new(None).await;
    let refused = [
        "fs-read",
        "fs-read-relative",
        "fs-list",
        "fs-write",
        "tcp-connect",
        "tcp-send",
        "tcp-listen",
        "udp",
        "dns",
        "process",
        "thread",
    ];
    for name in refused {
        let saw = sandbox.saw(Attack::named(name)).await;
        assert!(saw.starts_with("refused: "), "{name}: {saw}");
    }
    for (name, nothing) in [("env", "[]"), ("arguments", "[]"), ("stdin", "got: 0")] {
        assert_eq!(sandbox.saw(Attack::named(name)).await, nothing, "{name}");
    }
}

#[tokio::test]
async fn a_tcp_connection_to_a_server_that_listens_is_refused() {
    let wire = Wire::start(Answer::whole("200 OK", "", b"")).await;
    let sandbox = Sandbox::new(None).await;
    let address = wire.url().replace("http://", "");
    let saw = sandbox.saw(Attack::named("tcp-send").with("url", &address)).await;
    assert!(saw.starts_with("refused: "), "{saw}");
    assert!(wire.requests().is_empty());
}

#[tokio::test]
async fn more_requests_than_the_limit_do_not_leave() {
    let wire = Wire::start(Answer::whole("200 OK", "", b"ok")).await;
    let sandbox = Sandbox::new(Some(&wire)).await;
    let report = sandbox.survives(Attack::named("request-many").with("url", "https://attack.example/")).await;
    let message = &failure(&report).message;
    assert!(message.starts_with("first status 200"), "{message}");
    assert!(message.contains("ErrorKind::Denied sent false more than 16 requests in one call"), "{message}");
    assert_eq!(wire.requests().len(), limits().requests);
}

/// Runs an attack against a server that answers so; the URL is of the component's own destination.
async fn against(answer: Answer, name: &str) -> (pqh_runtime::DeliveryReport, usize) {
    let wire = Wire::start(answer).await;
    let sandbox = Sandbox::new(Some(&wire)).await;
    let report = sandbox.survives(Attack::named(name).with("url", &format!("https://{OWN}/"))).await;
    (report, wire.requests().len())
}

#[tokio::test]
async fn success_without_a_request_is_the_plugins_fault() {
    are_the_plugins_fault(&[("claim-success-unsent", "no service accepted anything")]).await;
}

#[tokio::test]
async fn success_after_anything_but_a_whole_2xx_is_the_plugins_fault() {
    let refusals = [
        Answer::whole("500 Internal Server Error", "", b"no"),
        Answer::whole("429 Too Many Requests", "retry-after: 1\r\n", b""),
        Answer::whole("302 Found", "location: https://attack.example/ok\r\n", b""),
        Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nok".to_vec()),
        Answer::Bytes(Vec::new()),
    ];
    for answer in refusals {
        let (report, requests) = against(answer, "claim-success-whatever-came").await;
        assert_failed(&report, FailureKind::Rejected, PLUGIN_FAULT, "no service accepted anything");
        assert_eq!(requests, 1);
    }
}

#[tokio::test]
async fn success_after_a_2xx_is_believed() {
    let (report, requests) = against(Answer::whole("204 No Content", "", b""), "claim-success-whatever-came").await;
    assert!(matches!(report.outcome, Outcome::Delivered(_)), "{report:?}");
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_trap_after_a_2xx_or_without_an_answer_is_of_unknown_outcome_and_not_tried_again() {
    for answer in [Answer::whole("200 OK", "", b"ok"), Answer::Bytes(Vec::new())] {
        let (report, requests) = against(answer, "trap-after-request").await;
        assert_failed(&report, FailureKind::UnknownOutcome, "unknown-outcome", "and then the channel's plugin failed");
        assert_eq!(requests, 1);
    }
}

#[tokio::test]
async fn a_trap_after_a_500_is_the_plugins_fault_and_not_tried_again() {
    let (report, requests) = against(Answer::whole("500 Oops", "", b""), "trap-after-request").await;
    assert_failed(&report, FailureKind::Rejected, PLUGIN_FAULT, "unreachable");
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_claim_that_would_send_again_what_may_have_arrived_is_overruled() {
    for name in ["claim-unavailable-whatever-came", "claim-throttled-whatever-came"] {
        let (report, _) = against(Answer::Bytes(Vec::new()), name).await;
        assert_failed(&report, FailureKind::UnknownOutcome, "claimed", "");
    }
}

/// The same component, with a receipt of its own after a request that was accepted.
async fn receipt(name: &str, count: &str) -> pqh_runtime::DeliveryReport {
    let wire = Wire::start(Answer::Made(|_| whole("200 OK", "", b"ok"))).await;
    let sandbox = Sandbox::new(Some(&wire)).await;
    let attack =
        Attack::named(name).with("url", &format!("https://{OWN}/")).with("count", count).with("method", "POST");
    sandbox.survives(attack).await
}

#[tokio::test]
async fn a_reference_over_4_kib_is_not_kept_and_the_delivery_says_so() {
    let report = receipt("sent-reference-too-long", "4097").await;
    let Outcome::Delivered(receipt) = &report.outcome else { panic!("{report:?}") };
    assert_eq!(receipt.reference, None);
    assert!(receipt.warnings.iter().any(|warning| warning.contains("over 4096 bytes")), "{receipt:?}");
    let report = self::receipt("sent-reference-too-long", "4096").await;
    let Outcome::Delivered(receipt) = &report.outcome else { panic!("{report:?}") };
    assert_eq!(receipt.reference.as_ref().map(String::len), Some(4_096));
    assert!(receipt.warnings.is_empty());
}

#[tokio::test]
async fn a_permalink_that_is_a_script_is_dropped() {
    let report = receipt("sent-permalink-script", "0").await;
    let Outcome::Delivered(receipt) = &report.outcome else { panic!("{report:?}") };
    assert_eq!(receipt.permalink, None);
}
