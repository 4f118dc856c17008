//! The components of the day of each release, as they were then: they load in today's runtime, and deliver.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use pqh_runtime::contract::channel::FieldKind;
use pqh_runtime::contract::events::{BrokenRule, Detail, Event, Report, Resolution, Severity, Trigger};
use pqh_runtime::contract::receiving::inbound::Request;
use pqh_runtime::contract::standing::{Alert, Facts};
use pqh_runtime::contract::types::{TargetKind, Workspace};
use pqh_runtime::standing::Standing;
use pqh_runtime::{
    Channel, DeliveryRequest, GateConfig, Grant, MailTls, MemorySecrets, OauthClient, Outcome, Plugin, Runtime,
    RuntimeBuilder, SecretString,
};
use pqh_tests::slack_api::{self, App, Approval, SlackApi};
use pqh_tests::webhook_receiver::{self, Receiver};
use pqh_tests::{pagerduty, slack_webhook, teams};
use serde_json::{Map, Value, json};

use crate::outline::Contract;
use crate::smtp::{SmtpServer, decoded, header};
use crate::{FROZEN, NEVER, folder, frozen, names, sha256};

/// The components of each released version: name and SHA-256. A line that stands here is never edited.
const KEPT: &[(&str, &[(&str, &str)])] = &[(
    "1.0.0",
    &[
        ("email", "54360a012c56afacd639572276290f0868760a96ce9771dfc1c36f1ba8e0e30b"),
        ("pagerduty", "35195875969381d5c09877d29652be1055950bd92013b782af3ac6ec0d364f31"),
        ("slack-app", "b1228764354912aa0fe54fb79ff2f769e22fabe35f1622191d3006c3c80c0f0e"),
        ("slack-webhook", "b81fa95d19fa1ed9ce4d2799207f91f186b0f863d7aa28ab5c2c79fe809c2cef"),
        ("teams", "29701dd6ba3245fbfed5c0f9cb63e1fd67b626a431f8d206e6f23007f8ccbaa8"),
        ("webhook", "51bc9e3a80c4eeae18a55ff9e6572842276ac5b76a97b3f3ce4433e57b041f6d"),
    ],
)];

/// Where a component lies.
fn file(version: &str, name: &str) -> PathBuf {
    folder("tests/fixtures").join(version).join(format!("{name}.wasm"))
}

/// This component of each version that has it.
fn kept(name: &str) -> Vec<PathBuf> {
    let has = |(_, components): &&(_, &[(&str, _)])| components.iter().any(|(known, _)| *known == name);
    let found: Vec<PathBuf> = KEPT.iter().filter(has).map(|(version, _)| file(version, name)).collect();
    assert!(!found.is_empty(), "no version has a {name}");
    found
}

#[test]
fn each_released_version_has_components_that_are_kept_as_they_were() {
    let versions: Vec<&str> = KEPT.iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, FROZEN.iter().map(|(version, _)| *version).collect::<Vec<_>>(), "each has its components");
    assert_eq!(names(&folder("tests/fixtures")), versions);
    for (version, components) in KEPT {
        let folder = folder("tests/fixtures").join(version);
        let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
        let mut expected = vec!["README.md".to_owned()];
        let mut all = 0;
        for (name, hash) in *components {
            let bytes = std::fs::read(file(version, name)).unwrap();
            assert_eq!(sha256(&bytes), *hash, "{name}.wasm of {version} has changed: {NEVER}");
            assert!(readme.contains(hash), "{version}: README.md does not say the SHA-256 of {name}.wasm");
            assert!(bytes.len() < 1 << 20, "{name}.wasm of {version} has {} bytes", bytes.len());
            all += bytes.len();
            expected.push(format!("{name}.wasm"));
        }
        assert!(all < 1_200 << 10, "the components of {version} have {all} bytes");
        assert_eq!(names(&folder), expected);
    }
}

#[tokio::test]
async fn between_them_they_use_every_interface_of_their_version() {
    let runtime = Runtime::builder().build().unwrap();
    for (version, components) in KEPT {
        let mut used = BTreeSet::new();
        for (name, _) in *components {
            let plugin = runtime.load_file(file(version, name)).await.unwrap();
            assert_eq!(plugin.descriptor().id, *name);
            let names = plugin.imports().iter().chain(plugin.exports());
            let own =
                names.filter_map(|name| name.strip_prefix("pyqueryhub:notify/")?.strip_suffix(&format!("@{version}")));
            used.extend(own.map(str::to_owned));
        }
        let contract = Contract::of(&frozen(version)).unwrap();
        let with_functions = contract.interfaces.iter().filter(|(_, interface)| !interface.functions.is_empty());
        let missing: Vec<&String> = with_functions.map(|(name, _)| name).filter(|name| !used.contains(*name)).collect();
        assert!(missing.is_empty(), "{version}: no component uses {missing:?}");
    }
}

/// A component with all that it asks for.
async fn load(runtime: RuntimeBuilder, file: &PathBuf) -> Plugin {
    let loaded = runtime.build().unwrap().load_file(file).await;
    loaded.unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn gate(host: &str, url: &str) -> RuntimeBuilder {
    Runtime::builder().gate(GateConfig::default().with_upstream(host, url).unwrap())
}

/// A channel with these settings and secrets, checked.
async fn channel(plugin: &Plugin, settings: Value) -> Channel {
    let is_secret = |key: &str| {
        let field = plugin.descriptor().fields.iter().find(|field| field.key == key).unwrap();
        matches!(field.kind, FieldKind::Secret | FieldKind::SecretUrl | FieldKind::SecretHeaders)
    };
    let (mut open, mut secrets) = (Map::new(), MemorySecrets::new());
    for (key, value) in settings.as_object().unwrap() {
        match value.as_str().filter(|_| is_secret(key)) {
            Some(secret) => secrets = secrets.with(key, secret),
            None => drop(open.insert(key.clone(), value.clone())),
        }
    }
    let channel = plugin.configure(Grant::described(plugin), open, Arc::new(secrets)).await.unwrap();
    channel.check().await.result.unwrap();
    channel
}

fn event(detail: Detail) -> Event {
    Event {
        id: "event-1".to_owned(),
        alert_id: Some("alert-1".to_owned()),
        incident_id: Some("incident-1".to_owned()),
        title: "Daily Sales Alert".to_owned(),
        report: Some(Report {
            name: "Q4 Sales Dashboard".to_owned(),
            url: Some("https://app.pyqueryhub.com/reports/42".to_owned()),
        }),
        severity: Severity::Critical,
        occurred_at: 1_734_272_040_000,
        occurred_at_local: "Dec 15, 2024 2:14 PM".to_owned(),
        locale: "en-US".to_owned(),
        detail,
        mentions: vec!["ada@example.com".to_owned()],
        labels: vec![("Region".to_owned(), "EMEA".to_owned())],
        attributes: Vec::new(),
    }
}

fn triggered() -> Event {
    let rule = BrokenRule {
        metric: "Revenue".to_owned(),
        comparison: "<".to_owned(),
        threshold: "10000".to_owned(),
        current: "8750".to_owned(),
    };
    event(Detail::Triggered(Trigger { broken_rules: vec![rule] }))
}

fn resolved() -> Event {
    event(Detail::Resolved(Resolution {
        triggered_at: Some(1_734_272_040_000),
        triggered_at_local: Some("Dec 15, 2024 2:14 PM".to_owned()),
    }))
}

/// Delivers, and gives the receipt's reference.
async fn deliver(channel: &Channel, id: &str, event: Event, opened_by: Option<String>) -> Option<String> {
    let request = DeliveryRequest { opened_by, ..DeliveryRequest::first(id, event) };
    match channel.deliver(&request).await.outcome {
        Outcome::Delivered(receipt) => receipt.reference,
        Outcome::Failed(failure) => panic!("not delivered: {failure:?}"),
    }
}

/// An alert is told, and that it is over.
async fn deliver_both(channel: &Channel) {
    let reference = deliver(channel, "delivery-1", triggered(), None).await;
    deliver(channel, "delivery-2", resolved(), reference).await;
}

/// A component's bytes as if it had been built for version `next`, with nothing of what is new there.
fn rebuilt(version: &str, name: &str, next: &str) -> Vec<u8> {
    const PACKAGE: &[u8] = b"pyqueryhub:notify/";
    let (from, to) = (format!("@{version}"), format!("@{next}"));
    assert_eq!(from.len(), to.len(), "a component holds the length of each name");
    let mut bytes = std::fs::read(file(version, name)).unwrap();
    for at in 0..bytes.len() {
        if bytes[at..].starts_with(PACKAGE) {
            let is_name = |byte: &&u8| byte.is_ascii_lowercase() || **byte == b'-';
            let end = at + PACKAGE.len() + bytes[at + PACKAGE.len()..].iter().take_while(is_name).count();
            if bytes[end..].starts_with(from.as_bytes()) {
                bytes[end..end + to.len()].copy_from_slice(to.as_bytes());
            }
        }
    }
    bytes
}

#[tokio::test]
async fn a_component_of_a_later_minor_version_that_uses_nothing_new_delivers() {
    let (version, components) = KEPT[0];
    let slack = slack_webhook::Simulator::start().await.unwrap();
    let runtime = gate("hooks.slack.com", &slack.base_url()).build().unwrap();
    for (name, _) in components {
        let plugin = runtime.load_bytes(&rebuilt(version, name, "1.9.0")).await.unwrap();
        assert!(plugin.exports().iter().all(|name| !name.ends_with(version)), "{:?}", plugin.exports());
        if *name == "slack-app" {
            assert!(plugin.oauth2().is_some() && plugin.lists_targets() && plugin.verification().is_some());
        }
        if *name == "slack-webhook" {
            deliver_both(&channel(&plugin, json!({ "url": slack_webhook::Simulator::webhook_url() })).await).await;
        }
    }
    assert_eq!(slack.messages().len(), 2);
}

#[tokio::test]
async fn the_slack_webhook_of_each_version_delivers() {
    for file in kept("slack-webhook") {
        let slack = slack_webhook::Simulator::start().await.unwrap();
        let plugin = load(gate("hooks.slack.com", &slack.base_url()), &file).await;
        deliver_both(&channel(&plugin, json!({ "url": slack_webhook::Simulator::webhook_url() })).await).await;
        let messages = slack.messages();
        assert!(messages.len() == 2 && messages[0].to_string().contains("Revenue"), "{messages:?}");
    }
}

#[tokio::test]
async fn the_teams_of_each_version_delivers() {
    for file in kept("teams") {
        let service = teams::start().await.unwrap();
        let plugin = load(gate(teams::HOST, &service.base_url()), &file).await;
        deliver_both(&channel(&plugin, json!({ "url": teams::url(teams::ALIVE) })).await).await;
        let cards = service.accepted();
        assert!(cards.len() == 2 && cards[0].json().to_string().contains("Revenue"), "{cards:?}");
    }
}

#[tokio::test]
async fn the_pagerduty_of_each_version_opens_an_alert_and_resolves_it() {
    const KEY: &str = "e93facc04764012d7bfb002500d5d1a6";
    for file in kept("pagerduty") {
        let service = pagerduty::Simulator::start(&[KEY]).await.unwrap();
        let plugin = load(gate("events.pagerduty.com", &service.service().base_url()), &file).await;
        let channel = channel(&plugin, json!({ "routing-key": KEY })).await;
        let reference = deliver(&channel, "delivery-1", triggered(), None).await;
        let open = service.open_alerts();
        assert!(open.len() == 1 && open[0].summary.contains("Daily Sales Alert"), "{open:?}");
        deliver(&channel, "delivery-2", resolved(), reference).await;
        assert_eq!((service.open_alerts().len(), service.opened()), (0, 1));
    }
}

#[tokio::test]
async fn the_webhook_of_each_version_delivers_signed() {
    for file in kept("webhook") {
        let receiver = Arc::new(Receiver::new(webhook_receiver::SECRET).unwrap());
        let service = receiver.start().await.unwrap();
        let plugin = load(gate("receiver.example", &service.base_url()), &file).await;
        let settings = json!({
            "url": "https://receiver.example/hook", "secret": webhook_receiver::SECRET,
            "secret-headers": r#"{"X-Api-Key": "canary-of-the-header"}"#,
        });
        deliver_both(&channel(&plugin, settings).await).await;
        let kinds: Vec<String> = receiver.received().into_iter().map(|received| received.kind).collect();
        assert_eq!(kinds, ["ping", "alert.triggered", "alert.resolved"]);
    }
}

#[tokio::test]
async fn the_email_of_each_version_delivers() {
    for file in kept("email") {
        let Some(server) = SmtpServer::named("localhost", MailTls::StartTls) else { return };
        let plugin = load(Runtime::builder().mail(server.config()), &file).await;
        deliver_both(&channel(&plugin, json!({ "to": ["ada@example.com"] })).await).await;
        let mails = server.mails(2).await;
        assert_eq!(decoded(&header(&mails[0], "Subject")), "🚨 Daily Sales Alert");
        assert_eq!(header(&mails[0], "References"), header(&mails[1], "References"));
    }
}

/// An alert posts to every target.
struct OneAlert;

#[async_trait::async_trait]
impl Standing for OneAlert {
    async fn about(&self, _target: &str) -> Facts {
        Facts {
            channels: vec!["Sales - Alerts".to_owned()],
            alerts: vec![Alert { name: "Revenue".to_owned(), triggered: true, since: None, since_local: None }],
            omitted: 0,
            last_delivery: None,
            attributes: Vec::new(),
        }
    }
}

/// Slack with a workspace, and with an app that asks for what the component asks for.
async fn slack(file: &PathBuf) -> (SlackApi, Plugin, OauthClient, String) {
    let slack = SlackApi::start_now().await.unwrap();
    let plugin = load(gate("slack.com", &slack.base_url()), file).await;
    let redirect = "https://notify.example.com/oauth/slack-app/callback";
    let scopes: Vec<&str> = plugin.oauth2().unwrap().scopes.iter().map(String::as_str).collect();
    let app = App::new(redirect, &scopes);
    let client = OauthClient {
        id: app.client_id.clone(),
        secret: app.client_secret.clone().into(),
        redirect: redirect.parse().unwrap(),
    };
    let signing_secret = app.signing_secret.clone();
    slack.add_app(app);
    let acme = slack.add_workspace("T0ACME", "Acme");
    acme.add_user(slack_api::User::new("U0ADA", "ada", "Ada Lovelace", "ada@example.com"));
    acme.add_channel(slack_api::Channel::public("C0SALES", "sales").with_member("U0ADA"));
    (slack, plugin, client, signing_secret)
}

#[tokio::test]
async fn the_slack_app_of_each_version_connects_lists_delivers_answers_and_disconnects() {
    for file in kept("slack-app") {
        let (slack, plugin, client, signing_secret) = slack(&file).await;
        let grant = Grant::described(&plugin);

        let url = plugin.authorize_url(&grant, &client, "the-state", "").unwrap();
        let approval = Approval::new("T0ACME", "U0ADA").to_channel("C0SALES");
        let back: reqwest::Url = slack.approve(url.as_str(), &approval).unwrap().parse().unwrap();
        let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        let tokens = plugin.exchange(&grant, &client, &SecretString::from(code), "").await.unwrap();
        let held = tokens.secrets.iter().cloned();
        let secrets = Arc::new(held.fold(MemorySecrets::new(), |all, (name, secret)| all.with(name, secret)));
        let connection = plugin.connection(grant.clone(), Arc::clone(&secrets) as _);
        let workspace: Workspace = connection.connected(tokens.answer.clone()).await.unwrap().workspace;
        assert_eq!((workspace.id.as_str(), workspace.name.as_str()), ("T0ACME", "Acme"));
        let page = connection.list_targets(&workspace, None).await.unwrap();
        assert!(page.targets.iter().any(|target| target.kind == TargetKind::PublicChannel), "{page:?}");

        let settings = Map::from_iter([("channel".to_owned(), Value::from("C0SALES"))]);
        let channel = plugin.configure_in(grant, workspace.clone(), settings, secrets as _).await.unwrap();
        channel.check().await.result.unwrap();
        deliver_both(&channel).await;
        let acme = slack.workspace("T0ACME");
        let messages = acme.messages("C0SALES");
        assert_eq!((messages[0].edits.len(), acme.replies("C0SALES", &messages[0].ts).len()), (1, 1), "{messages:?}");

        let (headers, body) = acme.events().app_mention("C0SALES", "U0ADA", "status").parts();
        let headers = headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        let mention = Request {
            method: "POST".to_owned(),
            url: "https://notify.example.com/v1/inbound/slack-app".to_owned(),
            headers,
            query: Vec::new(),
            body,
        };
        plugin.verify(&mention, &[signing_secret.into()], std::time::SystemTime::now()).unwrap();
        let reception = plugin.receive(&mention).await.unwrap();
        assert_eq!((reception.response.status, reception.workspace.as_deref()), (200, Some("T0ACME")));
        let before = acme.posted().len();
        connection.handle(&workspace, &mention, Arc::new(OneAlert)).await.unwrap();
        assert_eq!(acme.posted().len(), before + 1);

        connection.revoke(&workspace).await.unwrap();
        assert!(slack.live_tokens().is_empty());
    }
}
