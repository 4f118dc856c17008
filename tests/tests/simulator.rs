//! The simulator's own HTTP side.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use pqh_tests::slack_webhook::{Misbehaviour, Simulator, WEBHOOK_PATH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const JSON: &str = "application/json";

/// Sends one request by hand and gives all that came back.
async fn ask(simulator: &Simulator, method: &str, path: &str, content_type: &str, body: &str) -> String {
    let address = simulator.base_url().replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    let request = format!("{head}Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

#[tokio::test]
async fn a_good_message_is_answered_ok_and_kept() {
    let simulator = Simulator::start().await.unwrap();
    let answer = ask(&simulator, "POST", WEBHOOK_PATH, JSON, r#"{"text":"a"}"#).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\nok"), "{answer}");
    let form = ask(
        &simulator,
        "POST",
        WEBHOOK_PATH,
        "application/x-www-form-urlencoded",
        "payload=%7B%22text%22:%22b+c%22%7D",
    );
    assert!(form.await.ends_with("ok"));
    assert_eq!(simulator.wait_for(2).await[1]["text"], "b c");
}

#[tokio::test]
async fn everything_but_a_post_of_json_to_a_live_webhook_is_refused() {
    let simulator = Simulator::start().await.unwrap();
    let good = r#"{"text":"a"}"#;
    for (method, path, content_type, status) in [
        ("GET", WEBHOOK_PATH, JSON, 302),
        ("POST", "/services/T1", JSON, 302),
        ("POST", "/services/T1/B1/unknown", JSON, 404),
        ("POST", WEBHOOK_PATH, "text/plain", 400),
    ] {
        let answer = ask(&simulator, method, path, content_type, good).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{method} {path}: {answer}");
    }
    simulator.set_dead(Some("channel_is_archived"));
    assert!(ask(&simulator, "POST", WEBHOOK_PATH, JSON, good).await.starts_with("HTTP/1.1 410"));
    simulator.set_dead(None);
    simulator.limit(0, 7);
    assert!(ask(&simulator, "POST", WEBHOOK_PATH, JSON, good).await.to_lowercase().contains("retry-after: 7"));
    assert!(simulator.messages().is_empty());
}

#[tokio::test]
async fn it_misbehaves_once_as_told() {
    let simulator = Simulator::start().await.unwrap();
    simulator.next(Misbehaviour::CloseBeforeAnswer);
    simulator.next(Misbehaviour::CloseInBody);
    let good = r#"{"text":"a"}"#;
    assert_eq!(ask(&simulator, "POST", WEBHOOK_PATH, JSON, good).await, "");
    assert!(!ask(&simulator, "POST", WEBHOOK_PATH, JSON, good).await.is_empty());
    assert!(ask(&simulator, "POST", WEBHOOK_PATH, JSON, good).await.ends_with("ok"));
}
