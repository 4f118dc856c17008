//! The simulator takes all that the plugin sends, and refuses what real workflows refuse, in their words.

use std::fs;
use std::path::Path;

use super::*;

fn request(method: &str, workflow: &str, query: &str, body: &str) -> Request {
    Request {
        method: method.to_owned(),
        path: format!("/powerautomate/automations/direct/workflows/{workflow}/triggers/manual/paths/invoke"),
        query: query.to_owned(),
        headers: vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())],
        body: body.into(),
    }
}

fn signed() -> String {
    format!("{SIGNED}{SIGNATURE}")
}

fn posted(body: &Value) -> Answer {
    judge(&request("POST", ALIVE, &signed(), &body.to_string()))
}

/// The status and the code, and that the words are there.
fn refused(answer: &Answer) -> (u16, String) {
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert!(!body["error"]["message"].as_str().unwrap().is_empty());
    (answer.status, body["error"]["code"].as_str().unwrap().to_owned())
}

fn message() -> Value {
    json!({
        "type": "message",
        "summary": "s",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "type": "AdaptiveCard",
                "version": "1.2",
                "fallbackText": "s",
                "msteams": { "width": "Full" },
                "body": [
                    { "type": "Container", "style": "good", "bleed": true, "items": [
                        { "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": "Hello", "weight": "bolder", "size": "medium" }] },
                    ] },
                    { "type": "TextBlock", "wrap": true, "text": "[View Report](https://x.y/a%28b%29)", "spacing": "none" },
                ],
                "actions": [{ "type": "Action.OpenUrl", "title": "View Report", "url": "https://x.y/" }],
            },
        }],
    })
}

/// The message with another value at this place.
fn with(pointer: &str, value: Value) -> Value {
    let mut message = message();
    *message.pointer_mut(pointer).unwrap() = value;
    message
}

fn without(pointer: &str, member: &str) -> Value {
    let mut message = message();
    message.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(member).unwrap();
    message
}

#[test]
fn every_message_that_the_plugin_keeps_as_a_snapshot_is_accepted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/teams/tests/snapshots");
    let mut seen = 0;
    for file in fs::read_dir(folder).unwrap() {
        let snapshot = fs::read_to_string(file.unwrap().path()).unwrap();
        let body = snapshot.splitn(3, "---\n").nth(2).unwrap();
        let answer = judge(&request("POST", ALIVE, &signed(), body));
        assert_eq!((answer.status, answer.body.as_str()), (202, ""), "{body}");
        seen += 1;
    }
    assert!(seen >= 8, "{seen} snapshots");
}

#[test]
fn what_is_accepted_gets_the_run_and_no_body() {
    let answer = posted(&message());
    assert_eq!((answer.status, answer.body.as_str()), (202, ""));
    assert!(answer.headers.iter().any(|(name, _)| name == "x-ms-workflow-run-id"));
}

#[test]
fn a_scale_unit_and_a_slash_at_the_end_are_the_same_workflow() {
    let mut request = request("POST", ALIVE, &signed(), &message().to_string());
    for path in ["/powerautomate/automations/direct/cu/06/workflows/", "/workflows/"] {
        request.path = format!("{path}{ALIVE}/triggers/manual/paths/invoke/");
        assert_eq!(judge(&request).status, 202);
    }
    for path in
        ["/".to_owned(), format!("/workflows/{ALIVE}"), format!("/workflows/{ALIVE}/triggers/other/paths/invoke")]
    {
        request.path = path;
        assert_eq!(judge(&request).status, 404);
    }
}

#[test]
fn who_calls_comes_before_what_is_sent() {
    let body = "not read";
    let unsigned = SIGNED.trim_end_matches("&sig=");
    for (workflow, query, refusal) in [
        ("ffff", signed(), (404, "WorkflowNotFound")),
        (ALIVE, unsigned.to_owned(), (401, "DirectApiAuthorizationRequired")),
        (ALIVE, format!("{SIGNED}other"), (401, "DirectApiInvalidAuthorizationSignature")),
        (ALIVE, signed().replace("%2F", "/"), (401, "DirectApiInvalidAuthorizationSignature")),
        (ALIVE, String::new(), (400, "MissingApiVersionParameter")),
        (ALIVE, signed().replace("=1&", "=7&"), (400, "InvalidApiVersionParameter")),
        (SIGNED_IN, signed(), (401, "DirectApiInvalidAuthorizationScheme")),
        (DISABLED, signed(), (400, "WorkflowTriggerIsNotEnabled")),
        (DELETED, signed(), (400, "WorkflowTriggerIsNotEnabled")),
    ] {
        let (status, code) = refused(&judge(&request("POST", workflow, &query, body)));
        assert_eq!((status, code.as_str()), refusal, "{query}");
    }
    let mut twice = request("POST", ALIVE, &signed(), body);
    twice.headers.push(("authorization".to_owned(), "Bearer x".to_owned()));
    assert_eq!(refused(&judge(&twice)), (401, "DirectApiRequestHasMoreThanOneAuthorization".to_owned()));
}

#[test]
fn the_state_of_a_workflow_is_told() {
    assert!(judge(&request("POST", DISABLED, &signed(), "")).body.contains("state 'Disabled'"));
    assert!(judge(&request("POST", DELETED, &signed(), "")).body.contains("state 'Deleted'"));
}

#[test]
fn what_is_no_post_of_json_starts_no_run() {
    let get = judge(&request("GET", ALIVE, &signed(), ""));
    assert_eq!(refused(&get), (400, "TriggerRequestMethodNotValid".to_owned()));
    let check = judge(&request("POST", ALIVE, &signed(), "check"));
    assert_eq!(refused(&check), (400, "InvalidRequestContent".to_owned()));
    let mut form = request("POST", ALIVE, &signed(), &message().to_string());
    form.headers[0].1 = "application/x-www-form-urlencoded".to_owned();
    assert_eq!(refused(&judge(&form)), (400, "InvalidRequestContent".to_owned()));
}

#[test]
fn what_the_template_requires_has_to_be_there() {
    for body in [
        json!([]),
        json!({ "text": "" }),
        json!({ "type": "message", "attachments": [{}] }),
        json!({ "type": "message", "attachments": [] }),
        without("", "type"),
        without("/attachments/0", "contentUrl"),
        without("/attachments/0", "contentType"),
        without("/attachments/0", "content"),
        with("/attachments/0/contentUrl", json!("https://x.y")),
    ] {
        assert_eq!(refused(&posted(&body)), (400, "TriggerInputSchemaMismatch".to_owned()), "{body}");
    }
}

#[test]
fn a_message_that_teams_would_lose_for_its_size_is_refused() {
    let text = "/attachments/0/content/body/0/items/0/inlines/0/text";
    assert_eq!(posted(&with(text, "x".repeat(25_000).into())).status, 202);
    for long in ["x".repeat(28_500), "\"".repeat(9000), "é".repeat(15_000)] {
        assert_eq!(refused(&posted(&with(text, long.into()))), (413, "MessageSizeExceeded".to_owned()));
    }
}

#[test]
fn a_card_that_teams_would_not_show_is_refused() {
    let card = "/attachments/0/content";
    let run = "/attachments/0/content/body/0/items/0/inlines/0";
    for (body, told) in [
        (with(&format!("{card}/type"), json!("Card")), "no type AdaptiveCard"),
        (with(&format!("{card}/version"), json!("1.5")), "version"),
        (without(card, "version"), "version"),
        (without(card, "body"), "without body"),
        (with(&format!("{card}/body"), json!([])), "empty"),
        (with(&format!("{card}/body/0/type"), json!("Table")), "Table"),
        (with(&format!("{card}/body/0/style"), json!("red")), "style"),
        (with(&format!("{card}/body/0/bleed"), json!("true")), "bleed"),
        (with(&format!("{card}/body/0/items"), json!([])), "empty"),
        (with(&format!("{card}/body/1/wrap"), json!(false)), "wrap"),
        (with(&format!("{card}/body/1/spacing"), json!("tiny")), "spacing"),
        (with(&format!("{card}/body/1/text"), json!("**bold**")), "no link"),
        (with(&format!("{card}/body/1/text"), json!("[a](https://x.y/(b)")), "not whole"),
        (with(&format!("{card}/body/1/text"), json!("[a](/b)")), "no web address"),
        (with(&format!("{card}/actions/0/type"), json!("Action.Submit")), "no Action.OpenUrl"),
        (with(&format!("{card}/actions/0/url"), json!("/reports/42")), "no web address"),
        (with(&format!("{card}/actions/0/url"), json!("https://")), "no web address"),
        (with(&format!("{card}/actions/0/title"), json!("")), "without text"),
        (with(&format!("{card}/actions"), json!([])), "no actions"),
        (with(&format!("{card}/msteams"), json!({ "width": "half" })), "width"),
        (with(&format!("{card}/fallbackText"), json!(7)), "no text"),
        (with(run, json!("plain")), "no object"),
        (with(&format!("{run}/text"), json!("")), "without text"),
        (with(&format!("{run}/text"), json!("\u{1b}")), "control characters"),
        (with(&format!("{run}/text"), json!("{{DATE(2024-12-15T14:14:00Z)}}")), "format"),
        (with(&format!("{run}/weight"), json!("bold")), "weight"),
        (without(run, "text"), "without text"),
    ] {
        let answer = posted(&body);
        assert_eq!(refused(&answer).0, 400);
        assert!(answer.body.contains(told), "{told}: {}", answer.body);
    }
    let mut message = message();
    message["attachments"][0]["content"]["body"][1]["underline"] = true.into();
    assert!(posted(&message).body.contains("does not know"));
}

#[tokio::test]
async fn it_answers_on_loopback() {
    let service = start().await.unwrap();
    let address = service.base_url().replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let body = message().to_string();
    let path = url(ALIVE).split_once(":443").unwrap().1.to_owned();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, (head + &body).as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202 ") && answer.contains("x-ms-workflow-run-id"), "{answer}");
    assert_eq!(service.wait_for(1).await[0].json(), message());
}
