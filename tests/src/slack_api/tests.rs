//! The simulator refuses what Slack refuses, each rule told as a sentence.

mod events;
mod lists;
mod manifest;
mod messages;
mod methods;
mod oauth;
mod rotation;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::http_service::{Answer, Reply, Request};

const REDIRECT: &str = "https://notify.example.com/v1/oauth/callback";
/// 2026-11-25 12:00.
const START: i64 = 1_795_608_000_000;
const SCOPES: &[&str] = &[
    "chat:write",
    "channels:read",
    "groups:read",
    "channels:join",
    "im:write",
    "users:read",
    "users:read.email",
    "usergroups:read",
    "team:read",
];

/// A simulator with a clock, an app, and a workspace T1 with Ada and some channels.
struct Bench {
    api: SlackApi,
    clock: Arc<AtomicI64>,
    app: App,
}

impl Bench {
    async fn new(app: App) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let time = Arc::clone(&clock);
        let api = SlackApi::start(move || time.load(Ordering::SeqCst)).await.unwrap();
        api.add_app(app.clone());
        let team = api.add_workspace("T1", "Acme Inc");
        team.add_user(User::new("U1", "ada", "Ada Lovelace", "ada@example.com"));
        team.add_user(User::new("U2", "bob", "Bob", "bob@example.com").deleted());
        for channel in [
            Channel::public("C1", "alerts"),
            Channel::private("C2", "secret"),
            Channel::public("C3", "old").archived(),
            Channel::public("C4", "general").restricted_general(),
        ] {
            team.add_channel(channel);
        }
        Self { api, clock, app }
    }

    async fn plain() -> Self {
        Self::new(App::new(REDIRECT, SCOPES)).await
    }

    async fn rotating() -> Self {
        Self::new(App::new(REDIRECT, SCOPES).rotating()).await
    }

    fn team(&self) -> Workspace {
        self.api.workspace("T1")
    }

    fn pass(&self, milliseconds: i64) {
        self.clock.fetch_add(milliseconds, Ordering::SeqCst);
    }

    fn judge(&self, request: &Request) -> Reply {
        self.api.shared.state().judge(request)
    }

    fn answer(&self, request: &Request) -> Answer {
        match self.judge(request) {
            Reply::Answer(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    fn told(&self, request: &Request) -> Value {
        serde_json::from_str(&self.answer(request).body).unwrap()
    }

    /// Where a browser is sent first.
    fn authorize_url(&self) -> String {
        format!(
            "https://slack.com/oauth/v2/authorize?client_id={}&scope={}&redirect_uri={}&state=s%26",
            self.app.client_id,
            self.app.scopes.join(","),
            form::encoded(&self.app.redirect_url)
        )
    }

    fn code(&self, approval: &Approval) -> String {
        let back = self.api.approve(&self.authorize_url(), approval).unwrap();
        let query = back.strip_prefix(&format!("{REDIRECT}?")).unwrap();
        let pairs = form::pairs(query).unwrap();
        assert_eq!(pairs[1], ("state".to_owned(), "s&".to_owned()));
        pairs[0].1.clone()
    }

    fn access(&self, pairs: &[(&str, &str)]) -> Value {
        let basic = STANDARD.encode(format!("{}:{}", self.app.client_id, self.app.client_secret));
        self.told(&post_form("oauth.v2.access", &format!("Basic {basic}"), pairs))
    }

    /// Installs the app: the whole answer with the token.
    fn install(&self) -> Value {
        let code = self.code(&Approval::new("T1", "U1"));
        let told = self.access(&[("code", &code), ("redirect_uri", REDIRECT)]);
        assert_eq!(told["ok"], true, "{told}");
        told
    }

    fn token(&self) -> String {
        self.install()["access_token"].as_str().unwrap().to_owned()
    }

    fn read(&self, token: &str, method: &str, query: &str) -> Value {
        self.told(&get(method, token, query))
    }

    fn write(&self, token: &str, method: &str, body: &Value) -> Value {
        self.told(&post_json(method, token, body))
    }

    fn post(&self, token: &str, channel: &str, text: &str) -> Value {
        self.write(token, "chat.postMessage", &json!({ "channel": channel, "text": text }))
    }
}

fn request(http: &str, method: &str, headers: &[(&str, &str)], query: &str, body: String) -> Request {
    Request {
        method: http.to_owned(),
        path: format!("/api/{method}"),
        query: query.to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.into_bytes(),
    }
}

fn get(method: &str, token: &str, query: &str) -> Request {
    request("GET", method, &[("authorization", &format!("Bearer {token}"))], query, String::new())
}

fn post_json(method: &str, token: &str, body: &Value) -> Request {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json; charset=utf-8")];
    request("POST", method, &headers, "", body.to_string())
}

fn post_form(method: &str, authorization: &str, pairs: &[(&str, &str)]) -> Request {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", form::encoded(value))).collect();
    let headers = [("authorization", authorization), ("content-type", "application/x-www-form-urlencoded")];
    request("POST", method, &headers, "", pairs.join("&"))
}
