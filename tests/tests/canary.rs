//! Secrets planted as canaries, and everything that the service says or keeps searched for them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, as tests do")]

#[path = "support/program.rs"]
mod program;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pqh_tests::program::event;
use pqh_tests::service::{ServiceProgram, Setup, within};
use pqh_tests::slack_webhook::{Misbehaviour, Simulator, Webhook};
use program::{Person, bytes};
use reqwest::Method;
use serde_json::{Value, json};

/// The part of a webhook's URL that is the secret.
const WEBHOOK: &str = "CANARYwebhookCANARY12345";
const OTHER_WEBHOOK: &str = "CANARYotherCANARY6789012";

/// No secret: a title.
const MARK: &str = "MARKthatMayBeSeen";

/// What nobody may find, by name.
struct Canaries(Vec<(&'static str, Vec<u8>)>);

impl Canaries {
    /// Secrets of a service, each in the forms in which it could stand somewhere.
    fn of(service: &ServiceProgram) -> Self {
        let api = service.api();
        let mut canaries: Vec<(&'static str, Vec<u8>)> = Vec::new();
        let mut plant = |name, text: &str| {
            canaries.push((name, text.as_bytes().to_vec()));
            canaries.push((name, STANDARD.encode(text).trim_end_matches('=').as_bytes().to_vec()));
            canaries.push((name, URL_SAFE_NO_PAD.encode(text).into_bytes()));
        };
        plant("webhook", WEBHOOK);
        plant("other webhook", OTHER_WEBHOOK);
        for (name, token) in [
            ("admin's token", api.admin_token()),
            ("publisher's token", api.publisher_token()),
            ("operator's token", api.operator_token()),
        ] {
            plant(name, token.splitn(3, '_').nth(2).unwrap());
        }
        let key = std::fs::read_to_string(service.folder().join("pqh.key")).unwrap();
        let key = key.lines().find(|line| !line.starts_with('#') && !line.trim().is_empty()).unwrap().trim().to_owned();
        canaries.push(("master key", STANDARD.decode(&key).or_else(|_| URL_SAFE_NO_PAD.decode(&key)).unwrap()));
        canaries.push(("master key", key.into_bytes()));
        Self(canaries)
    }

    /// None of them is in there.
    #[track_caller]
    fn assert_absent(&self, place: &str, text: &[u8]) {
        assert!(!text.is_empty(), "nothing to search in {place}");
        for (name, canary) in &self.0 {
            assert!(!canary.is_empty());
            let found = memchr::memmem::find(text, canary);
            if let Some(at) = found {
                let around = &text[at.saturating_sub(100)..at];
                panic!("{name} is in {place} after {:?}", String::from_utf8_lossy(around));
            }
        }
    }
}

/// An echo of everything, with a status that the service makes something of.
fn echoing(status: u16, webhook: &Webhook) -> Misbehaviour {
    let headers = vec![("X-Echo".to_owned(), webhook.path().to_owned())];
    Misbehaviour::Answer { status, headers, body: format!("{} {WEBHOOK}", webhook.url()) }
}

/// A running service, where its messages go, and all that it said.
struct Trial {
    service: ServiceProgram,
    webhook: Webhook,
    other: Webhook,
    admin: Person,
    said: Vec<String>,
    _simulator: Simulator,
}

impl Trial {
    async fn start() -> Self {
        let simulator = Simulator::start().await.unwrap();
        let webhook = simulator.add_webhook(&format!("/services/T00000000/B00000001/{WEBHOOK}"));
        let other = simulator.add_webhook(&format!("/services/T00000000/B00000002/{OTHER_WEBHOOK}"));
        let setup = Setup::to(&simulator.base_url()).with("PQH_LOG_LEVEL", "debug");
        let service = setup.start().await.unwrap();
        let admin = Person::new(&service, &service.api().admin_token());
        Self { service, webhook, other, admin, said: Vec::new(), _simulator: simulator }
    }

    /// Keeps the answer to an administrator's request.
    async fn ask(&mut self, method: Method, path: &str, body: Option<&Value>) {
        let api = self.service.api();
        let (status, answer) = api.ask(method, path, &api.admin_token(), body).await.unwrap();
        self.said.push(format!("{path}: {status} {answer}"));
    }

    /// Keeps what a command prints, with the log of its own.
    async fn run(&mut self, words: &[&str]) -> Option<i32> {
        let url = self.webhook.url();
        let ran = self.admin.run_with(words, &[("PQH_SET_URL", &url), ("PQH_LOG", "debug")]).await;
        self.said.push(format!("{words:?}: {ran:?}"));
        ran.code
    }

    /// Makes channels by the command line and by HTTP; some are refused since they do not work.
    async fn make_channels(&mut self) {
        let add = ["channel", "add", "sales", "--type", "slack-webhook"];
        self.webhook.next(Misbehaviour::Echo);
        assert_eq!(self.run(&add).await, Some(1), "{:?}", self.said);
        assert_eq!(self.run(&add).await, Some(0), "{:?}", self.said);
        for (alias, url) in [
            ("bad", json!(format!("http://{WEBHOOK}"))),
            ("odd", json!([OTHER_WEBHOOK])),
            ("ops", json!(self.other.url())),
        ] {
            let body = json!({ "alias": alias, "type": "slack-webhook", "settings": { "url": url } });
            self.ask(Method::POST, "/v1/channels", Some(&body)).await;
        }
        let notices = json!({ "notice_channels": ["ops"] });
        self.ask(Method::PATCH, "/v1/organization", Some(&notices)).await;
    }

    /// Delivers, fails with echoes, and has the channel paused with a notice; no more than a webhook takes at once.
    async fn deliver(&mut self) {
        let echoes = [echoing(400, &self.webhook), echoing(200, &self.webhook), Misbehaviour::Echo];
        for (number, echo) in [None].into_iter().chain(echoes.map(Some)).enumerate() {
            if let Some(echo) = echo {
                self.webhook.next(echo);
            }
            let event = json!({ "id": format!("evt-{number}"), "title": MARK, "test": {} });
            let body = json!({ "channels": ["sales"], "event": event });
            self.ask(Method::POST, "/v1/events", Some(&body)).await;
            self.service.api().wait_until_settled().await.unwrap();
        }
        self.webhook.set_dead(Some("no_service"));
        let post = ["event", "post", &event("test"), "--channel", "sales", "--wait"];
        assert_eq!(self.run(&post).await, Some(1));
        within("a rejection's notice and a pause's", self.other.wait_for(2)).await.unwrap();
        self.ask(Method::POST, "/v1/channels/sales/check", None).await;
        self.webhook.next(echoing(500, &self.webhook));
        let changed = json!({ "settings": { "url": self.webhook.url() } });
        self.ask(Method::PATCH, "/v1/channels/sales", Some(&changed)).await;
    }

    /// Reads everything that can be read.
    async fn read(&mut self) {
        let api = self.service.api().clone();
        let deliveries = api.deliveries("").await.unwrap();
        assert!(deliveries.len() >= 7, "{}", deliveries.len());
        for delivery in &deliveries {
            let path = format!("/v1/deliveries/{}", delivery["id"].as_str().unwrap());
            self.ask(Method::GET, &path, None).await;
        }
        for path in [
            "deliveries",
            "channels",
            "channels/sales",
            "channel-types",
            "audit",
            "tokens",
            "members",
            "organization",
            "events/evt-1",
            "nothing",
        ] {
            self.ask(Method::GET, &format!("/v1/{path}"), None).await;
        }
        // A token that is wrong is not repeated either.
        let wrong = api.admin_token().replace("pqh_", "pqh_0");
        for token in [wrong, api.operator_token()] {
            let (_, answer) = api.ask(Method::GET, "/v1/audit", &token, None).await.unwrap();
            self.said.push(answer.to_string());
        }
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        for path in ["metrics", "readyz", "openapi.json"] {
            let answer = client.get(format!("{}/{path}", api.base_url().unwrap())).send().await.unwrap();
            self.said.push(answer.text().await.unwrap());
        }
        for words in [
            "channel list",
            "channel show sales",
            "channel show sales --json",
            "channel check sales",
            "channel test ops",
            "deliveries list --all",
            "audit list --all",
            "audit list --all --json",
            "token list",
            "event show evt-1",
        ] {
            self.run(&words.split(' ').collect::<Vec<_>>()).await;
        }
        self.said.push(self.service.run(&["audit", "verify"]).unwrap());
    }
}

/// Whether a mark that is no secret is in there: what is searched is what was meant.
#[track_caller]
fn assert_marked(place: &str, text: &[u8]) {
    assert!(text.windows(MARK.len()).any(|window| window == MARK.as_bytes()), "{MARK} is not in {place}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_logs_answers_files_metrics_or_what_commands_print() {
    let mut trial = Trial::start().await;
    let canaries = Canaries::of(&trial.service);
    trial.make_channels().await;
    trial.deliver().await;
    trial.read().await;
    for said in &trial.said {
        canaries.assert_absent(said.lines().next().unwrap_or_default(), said.as_bytes());
    }
    assert_marked("the answers", trial.said.concat().as_bytes());
    let database = trial.service.database();
    let log = bytes(&database.with_extension("db-wal"));
    canaries.assert_absent("the write-ahead log", &log);
    trial.service.stop().await.unwrap();
    let rest = bytes(&database);
    canaries.assert_absent("the database", &rest);
    assert_marked("the database", &[log, rest].concat());
    let printed = trial.service.output();
    assert!(printed.contains("DEBUG") && printed.contains("attempt"), "the log has its level: {printed}");
    canaries.assert_absent("the log", printed.as_bytes());
}
