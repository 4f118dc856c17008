//! A service that Slack workspaces can be connected to, and Slack with one workspace.

use std::path::PathBuf;

use pqh::config::ConnectionConfig;
use pqh_tests::slack_api::{App, Approval, Channel, Delivery, SlackApi, User, Workspace};
use reqwest::Method;
use serde_json::{Value, json};

use crate::scenario::{Answer, START, Scenario, text};
use pqh_tests::browser::{Browser, PUBLIC, Page};

pub use pqh_tests::slack_app::{ADA, TEAM, TYPE, manifest_app};

/// The service, and Slack.
pub struct World {
    pub scenario: Scenario,
    pub slack: SlackApi,
    pub app: App,
    /// Holds the secrets' files: each start reads them.
    _files: tempfile::TempDir,
}

impl World {
    /// With tokens that expire, as the app's manifest has it.
    pub async fn new() -> Self {
        Self::with(|_| {}, |_| {}).await
    }

    /// With another app, or another configuration.
    pub async fn with(change_app: impl FnOnce(&mut App), change: impl FnOnce(&mut pqh::config::Config)) -> Self {
        let clock = pqh::clock::Clock::set_to(START);
        let seen = clock.clone();
        let slack = SlackApi::start(move || seen.now()).await.unwrap();
        let mut app = manifest_app().unwrap();
        change_app(&mut app);
        slack.add_app(app.clone());
        let acme = slack.add_workspace(TEAM, "Acme");
        acme.add_user(User::new(ADA, "ada", "Ada Lovelace", "ada@example.com"));
        acme.add_channel(Channel::public("C0SALES", "sales").with_member(ADA));
        acme.add_channel(Channel::public("C0OPS", "ops"));
        acme.add_channel(Channel::private("G0SECRET", "secret").with_member(ADA));
        let files = tempfile::tempdir().unwrap();
        let file = |name: &str, secret: &str| -> PathBuf {
            let path = files.path().join(name);
            std::fs::write(&path, format!("{secret}\n")).unwrap();
            path
        };
        let section = ConnectionConfig {
            client_id: app.client_id.clone(),
            client_secret_file: file("client", &app.client_secret),
            signing_secret_file: Some(file("signing", &app.signing_secret)),
            previous_signing_secret_file: None,
        };
        let upstream = slack.base_url();
        let scenario = Scenario::with_clock(clock, |config| {
            config.public_url = Some(PUBLIC.parse().unwrap());
            config.connections.insert(TYPE.to_owned(), section);
            config.egress.upstreams.insert("slack.com".to_owned(), upstream);
            change(config);
        })
        .await;
        Self { scenario, slack, app, _files: files }
    }

    pub fn acme(&self) -> Workspace {
        self.slack.workspace(TEAM)
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.scenario.base())
    }

    /// The link of a new authorization.
    pub async fn link(&self, token: &str) -> String {
        let path = format!("/v1/connections/{TYPE}/authorize");
        let made = self.scenario.ask(Method::POST, &path, token, None).await.created();
        text(&made["url"])
    }

    /// What a person approves: the workspace, with the channel `#sales`.
    pub fn approval() -> Approval {
        Approval::new(TEAM, ADA).to_channel("C0SALES")
    }

    /// A person's way up to the question.
    pub async fn asked(&self, token: &str, browser: &Browser, approval: &Approval) -> Page {
        let away = browser.open(&self.link(token).await).await.leads_to();
        let back = self.slack.approve(&away, approval).unwrap();
        browser.open(&back).await
    }

    /// A person's whole way, as an administrator's. The connection.
    pub async fn connect(&self) -> Value {
        self.connect_as(&self.scenario.admin.clone(), &Self::approval()).await
    }

    pub async fn connect_as(&self, token: &str, approval: &Approval) -> Value {
        let browser = self.browser();
        let page = self.asked(token, &browser, approval).await;
        let done = browser.answer(TYPE, &page, "connect").await;
        assert_eq!(done.title(200), "Slack workspace connected");
        let all = self.scenario.ask(Method::GET, "/v1/connections?limit=200", token, None).await.ok();
        all["items"].as_array().unwrap().last().unwrap().clone()
    }

    /// The organization's connections.
    pub async fn connections(&self) -> Vec<Value> {
        self.scenario.list("/v1/connections").await
    }

    /// A channel that posts there.
    pub async fn channel(&self, alias: &str, target: &str) -> Value {
        self.try_channel(alias, target).await.created()
    }

    pub async fn try_channel(&self, alias: &str, target: &str) -> Answer {
        let body = json!({ "alias": alias, "type": TYPE, "settings": { "channel": target } });
        self.scenario.post("/v1/channels", &body).await
    }

    /// Slack sends something.
    pub async fn send(&self, delivery: &Delivery) -> (u16, String) {
        let (headers, body) = delivery.parts();
        self.send_parts(&headers, body).await
    }

    pub async fn send_parts(&self, headers: &[(String, String)], body: Vec<u8>) -> (u16, String) {
        let url = format!("{}/v1/inbound/{TYPE}", self.scenario.base());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.post(url).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// A folder of components with another service's in it, which nobody granted anything.
pub fn folder_with_another_service() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (_, bytes) = other_service::COMPONENTS[0];
    std::fs::write(folder.path().join("other.wasm"), bytes).unwrap();
    folder
}

mod other_service {
    include!(concat!(env!("OUT_DIR"), "/other_service.rs"));
}
