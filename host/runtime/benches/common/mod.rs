//! What the benchmarks share: a built component, and the guide's trigger.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "each benchmark uses a part, and may stop"
)]

use std::sync::Arc;

use async_trait::async_trait;
use pqh_runtime::contract::channel::{Destination, FieldKind};
use pqh_runtime::contract::events::{BrokenRule, Detail, Event, Report, Severity, Trigger};
use pqh_runtime::{Channel, DeliveryRequest, GateConfig, Grant, Limits, MemorySecrets, Plugin, Runtime, SecretSource};

/// The first component of `plugins/` whose secret is an address.
/// `PQH_BENCH_COMPONENT` names another file, to compare builds.
pub fn component() -> Vec<u8> {
    if let Ok(path) = std::env::var("PQH_BENCH_COMPONENT") {
        return std::fs::read(path).expect("PQH_BENCH_COMPONENT names a component");
    }
    let built =
        pqh_component_build::build("plugins", &pqh_component_build::Options::default()).expect("components build");
    let mut all = built.iter().map(|built| std::fs::read(&built.wasm_path).expect("it is readable"));
    all.find(|bytes| is_secret_address(bytes.clone())).expect("a component whose secret is an address")
}

/// Whether its first field is a secret URL, at a host that it names in full.
fn is_secret_address(bytes: Vec<u8>) -> bool {
    let look = async move {
        let plugin = runtime(1, GateConfig::default()).load_bytes(&bytes).await.expect("it loads");
        let descriptor = plugin.descriptor();
        let named = matches!(descriptor.destinations.first(), Some(Destination::Host(host)) if !host.contains('*'));
        named && descriptor.fields.first().is_some_and(|field| matches!(field.kind, FieldKind::SecretUrl))
    };
    // Whoever asks may be within a runtime already.
    let thread = std::thread::spawn(|| tokio::runtime::Runtime::new().expect("threads start").block_on(look));
    thread.join().expect("it ends")
}

pub fn runtime(concurrency: usize, gate: GateConfig) -> Runtime {
    let limits = Limits { concurrency, ..Limits::default() };
    Runtime::builder().limits(limits).gate(gate).build().expect("the engine starts")
}

/// The first host that the component sends to.
pub fn host(plugin: &Plugin) -> String {
    plugin
        .descriptor()
        .destinations
        .iter()
        .find_map(|destination| match destination {
            Destination::Host(host) => Some(host.clone()),
            Destination::Field(_) | Destination::Recipients(_) | Destination::Other(_) => None,
        })
        .expect("a host")
}

/// An address there that the component's own rules accept.
pub fn secret_url(plugin: &Plugin) -> String {
    format!("https://{}/services/T00000000/B00000000/{}", host(plugin), "X".repeat(24))
}

pub async fn channel(plugin: &Plugin) -> Channel {
    channel_with(plugin, Arc::new(MemorySecrets::new().with("url", secret_url(plugin)))).await
}

pub async fn channel_with(plugin: &Plugin, secrets: Arc<dyn SecretSource>) -> Channel {
    plugin.configure(Grant::described(plugin), serde_json::Map::new(), secrets).await.expect("the settings fit")
}

/// The guide's trigger.
pub fn request() -> DeliveryRequest {
    let rule = |metric: &str, threshold: &str, current: &str| BrokenRule {
        metric: metric.to_owned(),
        comparison: "<".to_owned(),
        threshold: threshold.to_owned(),
        current: current.to_owned(),
    };
    let event = Event {
        id: "evt-1".to_owned(),
        alert_id: None,
        incident_id: None,
        title: "Daily Sales Alert".to_owned(),
        report: Some(Report {
            name: "Q4 Sales Dashboard".to_owned(),
            url: Some("https://app.example.com/reports/q4".to_owned()),
        }),
        severity: Severity::Warning,
        occurred_at: 1_734_290_040_000,
        occurred_at_local: "Dec 15, 2024 2:14 PM".to_owned(),
        locale: "en-US".to_owned(),
        detail: Detail::Triggered(Trigger {
            broken_rules: vec![rule("Revenue", "10000", "8750"), rule("New Customers", "50", "23")],
        }),
        mentions: Vec::new(),
        labels: Vec::new(),
        attributes: Vec::new(),
    };
    DeliveryRequest::first("delivery-1", event)
}

/// The same, as the SDK's type, for rendering natively.
pub fn native_event() -> pqh_channel_sdk::events::Event {
    use pqh_channel_sdk::events as sdk;

    let rule = |metric: &str, threshold: &str, current: &str| sdk::BrokenRule {
        metric: metric.to_owned(),
        comparison: "<".to_owned(),
        threshold: threshold.to_owned(),
        current: current.to_owned(),
    };
    sdk::Event {
        id: "evt-1".to_owned(),
        alert_id: None,
        incident_id: None,
        title: "Daily Sales Alert".to_owned(),
        report: Some(sdk::Report {
            name: "Q4 Sales Dashboard".to_owned(),
            url: Some("https://app.example.com/reports/q4".to_owned()),
        }),
        severity: sdk::Severity::Warning,
        occurred_at: 1_734_290_040_000,
        occurred_at_local: "Dec 15, 2024 2:14 PM".to_owned(),
        locale: "en-US".to_owned(),
        detail: sdk::Detail::Triggered(sdk::Trigger {
            broken_rules: vec![rule("Revenue", "10000", "8750"), rule("New Customers", "50", "23")],
        }),
        mentions: Vec::new(),
        labels: Vec::new(),
        attributes: Vec::new(),
    }
}

/// Secrets that are never ready: a delivery that needs one waits in `send` for as long as it is let.
pub struct Held {
    pub known: MemorySecrets,
    pub open: std::sync::atomic::AtomicBool,
    pub waiting: std::sync::atomic::AtomicUsize,
}

#[async_trait]
impl SecretSource for Held {
    fn facts(&self, key: &str) -> Option<pqh_runtime::SecretFacts> {
        self.known.facts(key)
    }

    async fn get(&self, key: &str) -> Result<pqh_runtime::SecretString, pqh_runtime::SecretError> {
        use std::sync::atomic::Ordering;
        if self.open.load(Ordering::Acquire) {
            return self.known.get(key).await;
        }
        self.waiting.fetch_add(1, Ordering::AcqRel);
        std::future::pending().await
    }
}
