//! Slack with the PyQueryHub app, as an operator registers it and people connect their workspaces to it.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::browser::{Browser, PUBLIC};
use crate::slack_api::{App, Approval, Channel, SlackApi, User, Workspace};

/// The channel type.
pub const TYPE: &str = "slack-app";
/// The workspace that there is.
pub const TEAM: &str = "T0ACME";
/// A person in it, who connects it.
pub const ADA: &str = "U0ADALOVE";
/// The channel that they choose.
pub const SALES: &str = "C0SALES";

/// The app that an operator makes by pasting the manifest.
///
/// # Errors
///
/// When Slack would refuse the manifest.
pub fn manifest_app() -> Result<App> {
    let yaml = include_str!("../../plugins/slack-app/manifest.yaml");
    let manifest: Value = serde_yaml_ng::from_str(yaml).context("the manifest is no YAML")?;
    App::from_manifest(&manifest).map_err(|problems| anyhow::anyhow!("the manifest: {}", problems.join("; ")))
}

/// Slack, with the app and a workspace; and the files of the app's secrets.
#[derive(Debug)]
pub struct SlackApp {
    /// Slack itself.
    pub slack: SlackApi,
    /// The app.
    pub app: App,
    files: tempfile::TempDir,
}

impl SlackApp {
    /// Starts it by the machine's clock.
    ///
    /// # Errors
    ///
    /// When no port can be listened on, or no file written.
    pub async fn start() -> Result<Self> {
        // A second one in the process changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (slack, app) = (SlackApi::start_now().await?, manifest_app()?);
        slack.add_app(app.clone());
        let acme = slack.add_workspace(TEAM, "Acme");
        acme.add_user(User::new(ADA, "ada", "Ada Lovelace", "ada@example.com"));
        acme.add_channel(Channel::public(SALES, "sales").with_member(ADA));
        acme.add_channel(Channel::public("C0OPS", "ops"));
        let files = tempfile::tempdir().context("cannot make a folder")?;
        for (name, secret) in [("client", &app.client_secret), ("signing", &app.signing_secret)] {
            std::fs::write(files.path().join(name), secret)?;
        }
        Ok(Self { slack, app, files })
    }

    /// The workspace.
    pub fn workspace(&self) -> Workspace {
        self.slack.workspace(TEAM)
    }

    /// What the service's configuration needs, as environment variables; without the upstream of `slack.com`.
    pub fn settings(&self) -> [(&'static str, String); 4] {
        let file = |name| self.files.path().join(name).display().to_string();
        [
            ("PQH_PUBLIC_URL", PUBLIC.to_owned()),
            ("PQH_CONNECTIONS_SLACK_APP_CLIENT_ID", self.app.client_id.clone()),
            ("PQH_CONNECTIONS_SLACK_APP_CLIENT_SECRET_FILE", file("client")),
            ("PQH_CONNECTIONS_SLACK_APP_SIGNING_SECRET_FILE", file("signing")),
        ]
    }

    /// What sends the service here, as `HOST=URL`.
    pub fn upstream(&self) -> String {
        format!("slack.com={}", self.slack.base_url())
    }

    /// Follows the link of `pqh connection connect` to its end, as somebody does who allows everything in the workspace
    /// `team` and chooses [`SALES`]. The title of the last page.
    ///
    /// # Errors
    ///
    /// When a page on the way is not the one that is expected.
    pub async fn connect(&self, service: &str, link: &str, team: &str) -> Result<String> {
        let browser = Browser::new(service);
        let away = browser.open(link).await;
        ensure!(away.status == 303, "the link leads nowhere: {}", away.title(away.status));
        let approval = Approval::new(team, ADA).to_channel(SALES);
        let back = self.slack.approve(&away.leads_to(), &approval).map_err(|word| anyhow::anyhow!("Slack: {word}"))?;
        let question = browser.open(&back).await;
        ensure!(question.status == 200, "nothing is asked: {}", question.title(question.status));
        let done = browser.answer(TYPE, &question, "connect").await;
        Ok(done.title(done.status))
    }

    /// Sends what somebody says to the bot in the channel [`SALES`] to the service: the status of its answer.
    ///
    /// # Errors
    ///
    /// When the service cannot be reached.
    pub async fn mention(&self, service: &str, words: &str) -> Result<u16> {
        let (headers, body) = self.workspace().events().app_mention(SALES, ADA, words).parts();
        let client = reqwest::Client::builder().no_proxy().build()?;
        let request = client.post(format!("{service}/v1/inbound/{TYPE}")).body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        Ok(request.send().await?.status().as_u16())
    }
}
