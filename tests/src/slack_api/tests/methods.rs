//! How methods are called, and what goes wrong when told to.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

#[tokio::test]
async fn a_token_comes_in_its_header_alone() {
    let bench = Bench::plain().await;
    let token = bench.token();
    let of = |authorization: &str, query: &str| {
        let request = request("GET", "conversations.list", &[("authorization", authorization)], query, String::new());
        bench.told(&request)["error"].clone()
    };
    assert_eq!(of("", &format!("token={token}")), "not_authed");
    assert_eq!(of(&format!("Bearer {token}"), &format!("token={token}")), "not_authed");
    assert_eq!(of(&format!("bearer {token}"), ""), "not_authed");
    assert_eq!(of("Bearer xoxb-1", ""), "invalid_auth");
    assert_eq!(of(&format!("Bearer {token}"), ""), Value::Null);
    assert_eq!(bench.read(&token, "chat.scream", "")["error"], "unknown_method");
}

#[tokio::test]
async fn what_reads_takes_no_json_and_what_writes_takes_it_with_its_charset() {
    let bench = Bench::plain().await;
    let token = bench.token();
    let bearer = format!("Bearer {token}");
    let told = bench.write(&token, "conversations.list", &json!({ "limit": 5 }));
    assert_eq!(told["error"], "invalid_post_type");
    let told = bench.told(&post_form("conversations.list", &bearer, &[("limit", "5")]));
    assert_eq!(told["ok"], true);
    let of = |kind: &str, body: &str| {
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        bench.told(&request("POST", "chat.postMessage", &headers, "", body.to_owned()))["error"].clone()
    };
    let body = r#"{"channel":"C1","text":"x"}"#;
    assert_eq!(of("application/json", body), "invalid_charset");
    assert_eq!(of("application/json; charset=latin1", body), "invalid_charset");
    assert_eq!(of("application/x-www-form-urlencoded", "channel=C1&text=x"), "invalid_post_type");
    assert_eq!(of("", body), "missing_post_type");
    let json = "application/json; charset=utf-8";
    assert_eq!(of(json, "{"), "invalid_json");
    assert_eq!(of(json, r#"{"text":"a","text":"b"}"#), "invalid_json");
    assert_eq!(of(json, "[]"), "json_not_object");
    assert_eq!(of(json, body), "not_in_channel");
    assert_eq!(bench.read(&token, "chat.postMessage", "channel=C1")["error"], "invalid_arguments");
    assert_eq!(bench.read(&token, "conversations.info", "channel=C1&x=y")["error"], "invalid_arg_name");
}

#[tokio::test]
async fn a_public_channel_is_joined_and_a_private_one_is_not() {
    let bench = Bench::plain().await;
    let token = bench.token();
    let join = |channel: &str| bench.write(&token, "conversations.join", &json!({ "channel": channel }));
    assert_eq!(join("C1")["channel"]["is_member"], true);
    assert_eq!(join("C1")["warning"], "already_in_channel");
    assert_eq!(bench.post(&token, "C1", "x")["ok"], true);
    assert_eq!(join("C2")["error"], "method_not_supported_for_channel_type");
    assert_eq!(join("C3")["error"], "is_archived");
    assert_eq!(join("C9")["error"], "channel_not_found");
    assert_eq!(bench.read(&token, "conversations.info", "channel=C1")["channel"]["name"], "alerts");
    bench.team().rename("C1", "alarms");
    assert_eq!(bench.read(&token, "conversations.info", "channel=C1")["channel"]["name"], "alarms");
    assert_eq!(bench.read(&token, "conversations.info", "channel=C2")["error"], "channel_not_found");
}

#[tokio::test]
async fn a_token_says_whose_it_is() {
    let bench = Bench::rotating().await;
    let token = bench.token();
    let told = bench.told(&post_form("auth.test", &format!("Bearer {token}"), &[]));
    assert_eq!((&told["team"], &told["team_id"]), (&json!("Acme Inc"), &json!("T1")));
    assert_eq!(told["user_id"].as_str(), bench.team().bot_user_id().as_deref());
    assert_eq!((&told["expires_in"], &told["url"]), (&json!(43_200), &json!("https://acmeinc.slack.com/")));
    assert_eq!(bench.read(&token, "team.info", "")["team"]["domain"], "acmeinc");
}

#[tokio::test]
async fn misbehaviour_comes_once_in_order_and_some_of_it_after_the_deed() {
    let bench = Bench::plain().await;
    let token = bench.token();
    bench.team().invite_bot("C1");
    bench.api.next("chat.postMessage", Misbehaviour::word("ratelimited"));
    bench.api.next("chat.postMessage", Misbehaviour::Page(503));
    bench.api.next("chat.postMessage", Misbehaviour::RateLimited(7));
    bench.api.next("chat.postMessage", Misbehaviour::Close);
    bench.api.next("chat.postMessage", Misbehaviour::CloseAfter);
    bench.api.next("chat.postMessage", Misbehaviour::WordAfter("internal_error".to_owned()));
    bench.api.next_any(Misbehaviour::word("fatal_error"));
    let request = post_json("chat.postMessage", &token, &json!({ "channel": "C1", "text": "x" }));
    assert_eq!(bench.told(&request)["error"], "ratelimited");
    let page = bench.answer(&request);
    assert!(page.status == 503 && page.body.starts_with("<!DOCTYPE html>"));
    assert_eq!(bench.answer(&request).status, 429);
    assert!(matches!(bench.judge(&request), Reply::Close));
    assert_eq!(bench.team().posted().len(), 0);
    assert!(matches!(bench.judge(&request), Reply::Close));
    assert_eq!(bench.team().posted().len(), 1);
    assert_eq!(bench.told(&request)["error"], "internal_error");
    assert_eq!(bench.team().posted().len(), 2);
    assert_eq!(bench.told(&request)["error"], "fatal_error");
    assert_eq!(bench.told(&request)["ok"], true);
    let answers: Vec<String> = bench.api.calls("chat.postMessage").into_iter().map(|called| called.answer).collect();
    let told = ["ratelimited", "503", "ratelimited", "closed", "closed", "internal_error", "fatal_error", "ok"];
    assert_eq!(answers, told);
    bench.api.always("auth.test", Some(Misbehaviour::word("org_login_required")));
    let test = post_form("auth.test", &format!("Bearer {token}"), &[]);
    assert_eq!(bench.told(&test)["error"], "org_login_required");
    assert_eq!(bench.told(&test)["error"], "org_login_required");
    bench.api.always("auth.test", None);
    assert_eq!(bench.told(&test)["ok"], true);
}

#[tokio::test]
async fn it_answers_on_loopback_and_holds_an_answer_until_released() {
    let bench = Bench::plain().await;
    let token = bench.token();
    bench.team().invite_bot("C1");
    let released = Arc::new(tokio::sync::Notify::new());
    bench.api.next("chat.postMessage", Misbehaviour::AnswerHeld(Arc::clone(&released)));
    let body = r#"{"channel":"C1","text":"x"}"#;
    let address = bench.api.base_url().replace("http://", "");
    let raw = format!(
        "POST /api/chat.postMessage HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json; charset=utf-8\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    stream.write_all(raw.as_bytes()).await.unwrap();
    bench.team().wait_for("C1", |messages| !messages.is_empty()).await;
    bench.api.wait_for_calls("chat.postMessage", 1).await;
    released.notify_one();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""ok":true"#), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("x-oauth-scopes: chat:write,"));
}
