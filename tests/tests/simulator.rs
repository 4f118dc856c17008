//! The simulator's own HTTP side.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use pqh_tests::slack_webhook::{Hold, Misbehaviour, Simulator, WEBHOOK_PATH, Webhook};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

const JSON: &str = "application/json";
const GOOD: &str = r#"{"text":"a"}"#;

/// Sends one request by hand.
async fn begin(simulator: &Simulator, method: &str, path: &str, content_type: &str, body: &str) -> TcpStream {
    let address = simulator.base_url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    let request = format!("{head}Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// All that comes back.
async fn end(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

/// Sends one request by hand and gives all that came back.
async fn ask(simulator: &Simulator, method: &str, path: &str, content_type: &str, body: &str) -> String {
    end(begin(simulator, method, path, content_type, body).await).await
}

/// Posts a good message, and gives all that came back.
async fn post(simulator: &Simulator, webhook: &Webhook) -> String {
    ask(simulator, "POST", webhook.path(), JSON, GOOD).await
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

#[tokio::test]
async fn each_webhook_has_a_life_and_an_allowance_of_its_own() {
    let simulator = Simulator::start_with(3).await.unwrap();
    let webhooks = simulator.webhooks();
    assert_eq!(webhooks.len(), 3);
    assert_eq!(webhooks[0].url(), Simulator::webhook_url());
    webhooks[1].set_dead(Some("no_service"));
    webhooks[2].limit(1, 9);
    assert!(post(&simulator, &webhooks[0]).await.ends_with("ok"));
    assert!(post(&simulator, &webhooks[1]).await.ends_with("no_service"));
    assert!(post(&simulator, &webhooks[2]).await.ends_with("ok"));
    assert!(post(&simulator, &webhooks[2]).await.to_lowercase().contains("retry-after: 9"));
    webhooks[1].set_dead(None);
    webhooks[2].unlimit();
    assert!(post(&simulator, &webhooks[1]).await.ends_with("ok"));
    assert!(post(&simulator, &webhooks[2]).await.ends_with("ok"));
    assert_eq!(webhooks.iter().map(|webhook| webhook.messages().len()).collect::<Vec<_>>(), [1, 1, 2]);
    assert_eq!(webhooks.iter().map(Webhook::requests).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((simulator.messages().len(), simulator.requests()), (4, 6));
}

#[tokio::test]
async fn a_webhook_that_was_added_twice_keeps_what_it_took() {
    let simulator = Simulator::start().await.unwrap();
    let path = "/services/T1/B1/one";
    let first = simulator.add_webhook(path);
    assert!(post(&simulator, &first).await.ends_with("ok"));
    assert_eq!(simulator.add_webhook(path).wait_for(1).await.len(), 1);
    assert_eq!(simulator.webhooks().len(), 2);
}

#[tokio::test]
async fn messages_are_counted_in_the_minutes_of_the_tests_clock() {
    let simulator = Simulator::start().await.unwrap();
    let now = set_clock(&simulator, 0);
    let webhook = simulator.webhook();
    for at in [0, 59_999, 60_000, 120_001] {
        now.store(at, Ordering::SeqCst);
        assert!(post(&simulator, &webhook).await.ends_with("ok"));
    }
    assert_eq!(webhook.per_minute().into_iter().collect::<Vec<_>>(), [(0, 2), (1, 1), (2, 1)]);
    assert_eq!(webhook.received()[3].at, 120_001);
}

fn set_clock(simulator: &Simulator, at: i64) -> Arc<AtomicI64> {
    let now = Arc::new(AtomicI64::new(at));
    let told = Arc::clone(&now);
    simulator.set_clock(move || told.load(Ordering::SeqCst));
    now
}

#[tokio::test]
async fn slacks_rate_lets_a_burst_through_and_then_one_a_second() {
    let simulator = Simulator::start_with(2).await.unwrap();
    let now = set_clock(&simulator, 5_000);
    simulator.enforce_rate(3);
    let webhooks = simulator.webhooks();
    for _ in 0..3 {
        assert!(post(&simulator, &webhooks[0]).await.ends_with("ok"));
    }
    let refused = post(&simulator, &webhooks[0]).await;
    assert!(refused.starts_with("HTTP/1.1 429") && refused.to_lowercase().contains("retry-after: 1"), "{refused}");
    assert!(post(&simulator, &webhooks[1]).await.ends_with("ok"), "the other webhook has a rate of its own");
    now.fetch_add(999, Ordering::SeqCst);
    assert!(post(&simulator, &webhooks[0]).await.starts_with("HTTP/1.1 429"));
    now.fetch_add(1, Ordering::SeqCst);
    assert!(post(&simulator, &webhooks[0]).await.ends_with("ok"));
    assert!(post(&simulator, &webhooks[0]).await.starts_with("HTTP/1.1 429"));
    now.fetch_add(60_000, Ordering::SeqCst);
    for _ in 0..3 {
        assert!(post(&simulator, &webhooks[0]).await.ends_with("ok"), "a pause gives the burst back, and no more");
    }
    assert!(post(&simulator, &webhooks[0]).await.starts_with("HTTP/1.1 429"));
}

#[tokio::test]
async fn held_answers_are_of_messages_that_people_see_already() {
    let simulator = Simulator::start_with(2).await.unwrap();
    simulator.hold(Hold::Answers);
    let webhooks = simulator.webhooks();
    let waiting = begin(&simulator, "POST", webhooks[0].path(), JSON, GOOD).await;
    let going = begin(&simulator, "POST", webhooks[1].path(), JSON, GOOD).await;
    assert_eq!(simulator.wait_for_held(2).await, 2);
    assert_eq!(simulator.messages().len(), 2);
    drop(going);
    until(|| simulator.held() == 1).await;
    simulator.release();
    assert!(end(waiting).await.ends_with("ok"));
    assert_eq!((simulator.held(), simulator.messages().len()), (0, 2));
}

#[tokio::test]
async fn held_requests_are_seen_by_nobody_until_they_are_released() {
    let simulator = Simulator::start_with(2).await.unwrap();
    let webhooks = simulator.webhooks();
    webhooks[0].hold(Hold::Requests);
    let waiting = begin(&simulator, "POST", webhooks[0].path(), JSON, GOOD).await;
    let going = begin(&simulator, "POST", webhooks[0].path(), JSON, GOOD).await;
    assert_eq!(simulator.wait_for_held(2).await, 2);
    assert!(post(&simulator, &webhooks[1]).await.ends_with("ok"), "the other webhook holds nothing");
    assert!(webhooks[0].messages().is_empty());
    drop(going);
    until(|| simulator.held() == 1).await;
    webhooks[0].release();
    assert!(end(waiting).await.ends_with("ok"));
    assert_eq!(webhooks[0].messages().len(), 1);
}

/// Gives the server its turn until `holds` does.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_webhooks_own_misbehaviours_go_before_those_for_any() {
    let simulator = Simulator::start_with(2).await.unwrap();
    let webhooks = simulator.webhooks();
    let answering = |body: &str| Misbehaviour::Answer { status: 500, headers: Vec::new(), body: body.to_owned() };
    simulator.next(answering("any"));
    webhooks[1].next(answering("own"));
    assert!(post(&simulator, &webhooks[1]).await.ends_with("own"));
    assert!(post(&simulator, &webhooks[1]).await.ends_with("any"));
    assert!(post(&simulator, &webhooks[1]).await.ends_with("ok"));
}

#[tokio::test]
async fn a_delayed_answer_takes_its_time_and_is_judged_as_always() {
    let simulator = Simulator::start().await.unwrap();
    let delay = Duration::from_millis(20);
    simulator.next(Misbehaviour::Delay(delay));
    let started = Instant::now();
    let answer = ask(&simulator, "POST", WEBHOOK_PATH, JSON, r#"{"text":""}"#).await;
    assert!(answer.ends_with("no_text"), "{answer}");
    assert!(started.elapsed() >= delay, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_dripped_answer_comes_byte_by_byte_with_padding() {
    let simulator = Simulator::start().await.unwrap();
    simulator.next(Misbehaviour::Drip { every: Duration::from_millis(5), bytes: 5 });
    let started = Instant::now();
    let answer = post(&simulator, &simulator.webhook()).await;
    let chunks: Vec<&str> =
        answer.split("\r\n").filter(|line| line.len() == 1 && *line != "0" && *line != "1").collect();
    assert_eq!(chunks, ["o", "k", " ", " ", " "], "{answer}");
    assert!(started.elapsed() >= Duration::from_millis(5 * 5), "{:?}", started.elapsed());
    assert!(simulator.messages().is_empty(), "nothing was judged");
}

#[tokio::test]
async fn a_request_is_held_until_the_test_notifies() {
    let simulator = Simulator::start().await.unwrap();
    let released = Arc::new(Notify::new());
    simulator.next(Misbehaviour::HoldUntil(Arc::clone(&released)));
    let mut held = begin(&simulator, "POST", WEBHOOK_PATH, JSON, GOOD).await;
    until(|| simulator.requests() == 1).await;
    assert!(post(&simulator, &simulator.webhook()).await.ends_with("ok"), "the next one is not held");
    let early = held.try_read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(early, Err(std::io::ErrorKind::WouldBlock), "nothing was answered yet");
    released.notify_one();
    let mut answer = String::new();
    held.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("ok"), "{answer}");
}

#[tokio::test]
async fn closed_connections_and_echoes_are_as_promised() {
    let simulator = Simulator::start().await.unwrap();
    simulator.next(Misbehaviour::CloseInBody);
    let cut = post(&simulator, &simulator.webhook()).await;
    assert!(cut.to_lowercase().contains("content-length: 100") && cut.ends_with("\r\n\r\nok"), "{cut}");
    simulator.next(Misbehaviour::Echo);
    let echo = post(&simulator, &simulator.webhook()).await;
    let (head, body) = echo.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 404") && head.contains(WEBHOOK_PATH), "{echo}");
    assert!(body.contains(WEBHOOK_PATH) && body.ends_with(GOOD), "{echo}");
    simulator.next(Misbehaviour::CloseBeforeAnswer);
    assert_eq!(post(&simulator, &simulator.webhook()).await, "");
    assert!(simulator.messages().is_empty());
}
