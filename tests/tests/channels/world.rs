//! A running service with an organization and a simulator, and what comes of asking it.

use std::path::Path;

use pqh::clock::Clock;
use pqh::config::Config;
use pqh::service::Service;
use pqh_tests::slack_webhook::{Simulator, Webhook};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What no answer, no log and no file may hold: the secret part of the webhook's URL.
pub(crate) const CANARY: &str = "CANARYcanaryCANARYcanary";
/// The webhook's path.
pub(crate) const PATH: &str = "/services/T00000000/B00000009/CANARYcanaryCANARYcanary";

/// A running service with one paid organization, and a simulator where its messages go.
pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) simulator: Simulator,
    pub(crate) webhook: Webhook,
    pub(crate) http: reqwest::Client,
    pub(crate) operator: String,
    pub(crate) organization: String,
    pub(crate) admin: String,
    pub(crate) folder: TempDir,
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) etag: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) body: Value,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_plugins(&[]).await
    }

    /// With these files in the folder of components.
    pub(crate) async fn with_plugins(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plugins = folder.path().join("plugins");
        std::fs::create_dir(&plugins).unwrap();
        for (name, bytes) in files {
            std::fs::write(plugins.join(name), bytes).unwrap();
        }
        let simulator = Simulator::start().await.unwrap();
        let webhook = simulator.add_webhook(PATH);
        let service = Service::start(config(folder.path(), &simulator), Clock::system()).await.unwrap();
        let operator = std::fs::read_to_string(service.operator_token_file()).unwrap().trim().to_owned();
        // Another test of this process may have chosen it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let (admin, organization) = (String::new(), String::new());
        let mut world = Self { service, simulator, webhook, http, operator, organization, admin, folder };
        (world.organization, world.admin) = world.organization("paid").await;
        world
    }

    /// A new organization's id and its first admin's token.
    pub(crate) async fn organization(&self, plan: &str) -> (String, String) {
        let new = json!({ "name": "Acme", "plan": plan });
        let made = self.ask(Method::POST, "/v1/organizations", &self.operator, Some(new)).await.expect(201);
        (text(&made["id"]), text(&made["admin_token"]))
    }

    pub(crate) fn request(&self, method: Method, path: &str, token: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.service.address())).bearer_auth(token)
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> Answer {
        let request = self.request(method, path, token);
        Answer::of(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, &self.admin, Some(body)).await
    }

    pub(crate) async fn act(&self, path: &str) -> Answer {
        self.ask(Method::POST, path, &self.admin, None).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &self.admin, None).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PATCH, path, &self.admin, Some(body)).await
    }

    /// A channel on the simulator's webhook.
    pub(crate) async fn channel(&self, alias: &str) -> Value {
        self.post("/v1/channels", webhook(alias)).await.expect(201)
    }

    /// The organization's audit log, newest first.
    pub(crate) async fn audit(&self) -> Vec<Value> {
        let log = self.get("/v1/audit?limit=200").await.expect(200);
        log["items"].as_array().unwrap().clone()
    }
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response: Response = request.send().await.unwrap();
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (status, etag, location) = (response.status(), header("etag"), header("location"));
        let text = response.text().await.unwrap();
        assert!(!text.contains(CANARY), "{text}");
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        Self { status, etag, location, body }
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self.body
    }

    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["code"], json!(code), "{body:#}");
        body
    }
}

pub(crate) fn config(folder: &Path, simulator: &Simulator) -> Config {
    let at = |name: &str| json!(folder.join(name)).to_string();
    let text = format!(
        "listen = \"127.0.0.1:0\"\ndatabase = {}\nplugins = {}\nmaster_key_file = {}\noperator_token_file = {}\n\
         cache_dir = {}\n[egress]\nupstreams = {{ \"hooks.slack.com\" = \"{}\" }}\n",
        json!(format!("sqlite:{}", folder.join("pqh.db").display())),
        at("plugins"),
        at("pqh.key"),
        at("operator.token"),
        at("cache"),
        simulator.base_url(),
    );
    let file = folder.join("pqh.toml");
    std::fs::write(&file, text).unwrap();
    Config::load(Some(&file), []).unwrap()
}

/// The webhook's URL.
pub(crate) fn url() -> String {
    format!("https://hooks.slack.com{PATH}")
}

pub(crate) fn webhook(alias: &str) -> Value {
    json!({ "alias": alias, "type": "slack-webhook", "settings": { "url": url() } })
}

#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
