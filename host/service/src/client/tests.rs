//! The client against services on loopback, real HTTP.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Path, Query},
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse as _,
    routing::{delete, get, patch},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    Client,
    testing::{TOKEN, client, hangs_up, listen, serve},
};
use crate::error::{Blame, CliError};

/// The error of a service that answers one way whatever is asked.
async fn error(status: u16, problem: Value) -> CliError {
    let status = StatusCode::from_u16(status).unwrap();
    let answer = move || async move {
        (
            [(header::RETRY_AFTER, "7"), (header::CONTENT_TYPE, "application/problem+json")],
            (status, problem.to_string()),
        )
            .into_response()
    };
    let client = serve(Router::new().fallback(answer)).await;
    client.get(&["channels"], &[]).await.err().unwrap()
}

fn problem(code: &str) -> Value {
    json!({ "type": format!("urn:pyqueryhub:problem:{code}"), "title": "A title", "code": code, "detail": "What to do." })
}

#[tokio::test]
async fn a_problem_becomes_an_error_with_its_code_its_words_and_its_members() {
    let mut bad_event = problem("bad-event");
    bad_event["path"] = "title".into();
    let error = error(422, bad_event).await;
    assert_eq!((error.blame, error.code.as_ref()), (Blame::Input, "bad-event"));
    let expected = json!({ "error": { "code": "bad-event", "message": "What to do.\nTry again in 7 s.", "path": "title",
        "retry_after_seconds": 7, "status": 422 } });
    assert_eq!(error.to_json(), expected);
}

#[tokio::test]
async fn only_what_the_service_cannot_take_is_bad_input() {
    for (status, code, blame) in [
        (400, "bad-request", Blame::Input),
        (413, "too-large", Blame::Input),
        (415, "unsupported-media-type", Blame::Input),
        (422, "bad-settings", Blame::Input),
        (422, "check-failed", Blame::Work),
        (404, "not-found", Blame::Work),
        (409, "not-replayable", Blame::Work),
        (412, "version-mismatch", Blame::Work),
        (429, "queue-full", Blame::Work),
        (503, "not-accepting", Blame::Work),
    ] {
        assert_eq!(error(status, problem(code)).await.blame, blame, "{status} {code}");
    }
}

#[tokio::test]
async fn a_failed_check_tells_what_the_service_behind_the_channel_said() {
    let mut failed = problem("check-failed");
    failed["failure"] =
        json!({ "kind": "unreachable", "code": "no_service", "message": "Gone.", "remedy": "Make one." });
    let message = error(422, failed).await.message;
    assert!(message.contains("\nIt said: no_service\nWhat it means: Gone.\nWhat to do: Make one."), "{message}");
}

#[tokio::test]
async fn who_is_not_let_in_learns_where_the_token_came_from() {
    assert!(error(401, problem("unauthenticated")).await.message.contains("PQH_TOKEN"));
    assert!(error(403, problem("forbidden")).await.message.contains("--token-file"));
    // Another token does not pay for a plan.
    assert!(!error(403, problem("channel-access-restricted")).await.message.contains("PQH_TOKEN"));
}

#[tokio::test]
async fn an_error_of_somebody_else_says_whose_it_may_be() {
    let page = || async { (StatusCode::BAD_GATEWAY, "<html>no</html>") };
    let client = serve(Router::new().fallback(page)).await;
    let error = client.get(&["channels"], &[]).await.err().unwrap();
    assert_eq!(error.code, "unexpected-answer");
    assert!(error.message.contains("502") && error.message.contains("--server"), "{}", error.message);
    assert!(!error.message.contains("html"), "{}", error.message);
}

#[tokio::test]
async fn a_success_that_is_no_answer_of_the_api_is_refused() {
    let client = serve(Router::new().fallback(|| async { "hello" })).await;
    assert_eq!(client.get(&["channels"], &[]).await.err().unwrap().code, "unexpected-answer");
    let client = serve(Router::new().fallback(|| async { Json(json!({ "hello": 1 })) })).await;
    assert_eq!(client.list(&["channels"], &[], None, |_| {}).await.err().unwrap().code, "unexpected-answer");
}

/// An address where nobody listens.
async fn nobody() -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    client(&format!("http://{}", listener.local_addr().unwrap()))
}

#[tokio::test]
async fn where_nobody_listens_one_learns_how_to_start_a_service() {
    let error = nobody().await.get(&["channels"], &[]).await.err().unwrap();
    assert_eq!((error.blame, error.code.as_ref()), (Blame::Work, "no-service"));
    assert!(error.message.contains("pqh serve") && error.message.contains("--server"), "{}", error.message);
    assert!(error.message.contains("refused"), "{}", error.message);
}

#[tokio::test]
async fn no_error_shows_the_token() {
    let echo = |headers: HeaderMap| async move {
        assert_eq!(headers[header::AUTHORIZATION], format!("Bearer {TOKEN}"));
        (StatusCode::UNAUTHORIZED, Json(problem("unauthenticated")))
    };
    for client in [serve(Router::new().fallback(echo)).await, nobody().await, hangs_up().await] {
        let error = client.get(&["channels"], &[]).await.err().unwrap();
        assert!(!format!("{error:?} {}", error.to_json()).contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn a_redirect_does_not_take_the_token_elsewhere() {
    let seen = Arc::new(Mutex::new(0));
    let count = seen.clone();
    let other = listen(Router::new().fallback(move || async move { *count.lock().unwrap() += 1 })).await;
    let location = format!("http://{other}/v1/channels");
    let away = move || async move { (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]) };
    let error = serve(Router::new().fallback(away)).await.get(&["channels"], &[]).await.err().unwrap();
    assert!(error.message.contains(&other.to_string()), "{}", error.message);
    assert_eq!(*seen.lock().unwrap(), 0);
}

/// A service with a list of 450 numbers, whose cursor is how many were before.
async fn numbers() -> Client {
    let page = |Query(query): Query<HashMap<String, String>>| async move {
        assert_eq!(query["status"], "failed", "each page is asked for with the filter");
        let start: usize = query.get("cursor").map_or(0, |cursor| cursor.parse().unwrap());
        let size: usize = query["limit"].parse().unwrap();
        assert!((1..=200).contains(&size), "{size}");
        let end = (start + size).min(450);
        let items: Vec<usize> = (start..end).collect();
        let next = (end < 450).then(|| end.to_string());
        Json(json!({ "items": items, "next_cursor": next, "head": format!("after {start}") }))
    };
    serve(Router::new().route("/v1/numbers", get(page))).await
}

async fn listed(limit: Option<usize>) -> (Value, Vec<usize>, Vec<usize>) {
    let client = numbers().await;
    let mut heard = Vec::new();
    let list = client.list(&["numbers"], &[("status", "failed")], limit, |count| heard.push(count)).await.unwrap();
    let items = client.items(&list).unwrap();
    (list, items, heard)
}

#[tokio::test]
async fn a_list_is_followed_from_page_to_page() {
    let (list, items, heard) = listed(None).await;
    assert_eq!(items, (0..450).collect::<Vec<_>>());
    assert_eq!(heard, [200, 400]);
    assert_eq!((&list["next_cursor"], &list["head"]), (&Value::Null, &json!("after 0")));
}

#[tokio::test]
async fn a_list_ends_where_its_limit_says_and_tells_how_to_go_on() {
    let (list, items, _) = listed(Some(250)).await;
    assert_eq!(items, (0..250).collect::<Vec<_>>());
    assert_eq!(list["next_cursor"], "250");
}

#[tokio::test]
async fn a_cursor_that_leads_nowhere_is_not_followed_for_ever() {
    let page = || async { Json(json!({ "items": [1], "next_cursor": "again" })) };
    let client = serve(Router::new().fallback(page)).await;
    let list = client.list(&["numbers"], &[], None, |_| {}).await.unwrap();
    assert_eq!(list["items"], json!([1, 1]));
}

#[tokio::test]
async fn a_name_is_one_part_of_the_path_whatever_it_has_in_it() {
    let name = |Path(name): Path<String>| async move { Json(json!({ "name": name })) };
    let router = Router::new().route("/behind/a/prefix/v1/channels/{name}", get(name));
    let client = client(&format!("http://{}/behind/a/prefix/", listen(router).await));
    for name in ["sales", "a/b", "?x=1#y", "100 %", "Größe", "..x"] {
        assert_eq!(client.get(&["channels", name], &[]).await.unwrap()["name"], name);
    }
    for name in ["", ".", ".."] {
        assert_eq!(client.get(&["channels", name], &[]).await.err().unwrap().code, "bad-name");
    }
}

#[tokio::test]
async fn a_version_goes_as_if_match_and_what_is_deleted_answers_nothing() {
    let echo = |headers: HeaderMap| async move {
        let matched = headers.get(header::IF_MATCH).map(|value| value.to_str().unwrap().to_owned());
        Json(json!({ "if_match": matched }))
    };
    let router = Router::new()
        .route("/v1/channels/a", patch(echo))
        .route("/v1/channels/b", delete(|| async { StatusCode::NO_CONTENT }));
    let client = serve(router).await;
    assert_eq!(client.patch(&["channels", "a"], Some(3), &json!({})).await.unwrap()["if_match"], "\"3\"");
    assert_eq!(client.patch(&["channels", "a"], None, &json!({})).await.unwrap()["if_match"], Value::Null);
    client.delete(&["channels", "b"], &[]).await.unwrap();
}
