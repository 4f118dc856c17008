//! A service in a folder of its own, and who calls it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pqh::clock::Clock;
use pqh::config::Config;
use pqh::service::Service;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A running service in a temporary folder.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) service: Option<Service>,
    pub(crate) operator: String,
    client: reqwest::Client,
}

/// An organization with a token of each role.
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) admin: String,
    pub(crate) member: String,
    pub(crate) publisher: String,
}

/// The configuration of a service in that folder.
pub(crate) fn config(folder: &Path) -> Config {
    let mut config = Config::default();
    config.listen.set_port(0);
    config.database = format!("sqlite:{}", database(folder).display());
    config.master_key_file = folder.join("pqh.key");
    config.operator_token_file = folder.join("operator.token");
    config
}

/// Where the database of that folder is.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join("pqh.db")
}

/// What an answer was.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Answer {
    /// The problem's code.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl World {
    /// Starts a service in an empty folder.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts a service with some of its configuration changed.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        change(&mut config);
        let service = Service::start(config, Clock::system()).await.unwrap();
        let operator = std::fs::read_to_string(service.operator_token_file()).unwrap().trim().to_owned();
        // The first test of the process has done it for all.
        drop(rustls::crypto::ring::default_provider().install_default());
        // The process may have no certificate authorities; nothing here is encrypted.
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { folder, service: Some(service), operator, client }
    }

    /// Asks.
    pub(crate) async fn ask(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        let address = self.service.as_ref().unwrap().address();
        let mut request = self.client.request(method, format!("http://{address}{path}"));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
    }

    /// Asks for what must be there.
    pub(crate) async fn get(&self, path: &str, token: &str) -> Value {
        let answer = self.ask(Method::GET, path, Some(token), None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
        answer.body
    }

    /// Makes what must be possible to make.
    pub(crate) async fn make(&self, path: &str, token: &str, body: Value) -> Value {
        let answer = self.ask(Method::POST, path, Some(token), Some(body)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{path}: {answer:?}");
        answer.body
    }

    /// An organization with a token of each role.
    pub(crate) async fn organization(&self, name: &str) -> Organization {
        let made = self.make("/v1/organizations", &self.operator, json!({ "name": name })).await;
        let admin = text(&made, "admin_token");
        let mut tokens = Vec::new();
        for role in ["member", "publisher"] {
            let made = self.make("/v1/tokens", &admin, json!({ "name": role, "role": role })).await;
            tokens.push(text(&made, "token"));
        }
        let publisher = tokens.pop().unwrap();
        Organization { id: text(&made, "id"), admin, member: tokens.pop().unwrap(), publisher }
    }

    /// Stops the service; its folder stays.
    pub(crate) async fn stop(&mut self) {
        self.service.take().unwrap().stop().await;
    }

    /// Starts the service in its folder again.
    pub(crate) async fn restart(&mut self) {
        self.service = Some(Service::start(config(self.folder.path()), Clock::system()).await.unwrap());
    }

    /// Runs the real program in the folder.
    pub(crate) fn pqh(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(pqh_tests::program::pqh().unwrap());
        command.args(arguments).current_dir(self.folder.path()).env_clear().output().unwrap()
    }
}

/// A text of an answer.
pub(crate) fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}")).to_owned()
}
