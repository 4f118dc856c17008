//! What tests of attacks share: the hostile component in a runtime with short limits, a neighbour that behaves, and a
//! server that does not.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test program uses its own part, and helpers of tests fail by panicking, as tests do"
)]

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pqh_runtime::contract::events::{Detail, Event, Severity};
use pqh_runtime::contract::types::{Failure, FailureKind};
use pqh_runtime::{
    Channel, DeliveryReport, DeliveryRequest, GateConfig, Grant, Limits, LogLine, MemorySecrets, Outcome, Plugin,
    Runtime,
};
use pqh_tests::slack_webhook::Simulator;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub mod components {
    //! All components that the build script made.

    pub mod plugins {
        //! The plugins.
        include!(concat!(env!("OUT_DIR"), "/plugins.rs"));
    }

    pub mod hostile {
        //! The hostile ones.
        include!(concat!(env!("OUT_DIR"), "/hostile.rs"));
    }

    /// A component by its package's name.
    pub fn named(name: &str) -> &'static [u8] {
        let mut all = plugins::COMPONENTS.iter().chain(hostile::COMPONENTS);
        all.find(|(known, _)| *known == name).map(|(_, bytes)| *bytes).expect("the build script made it")
    }
}

/// The hosts that tests send to: the hostile component's own destination, and one that is not.
pub const OWN: &str = "attack.example";
/// Granted by some tests, and no destination of any credential.
pub const OTHER: &str = "other.example";
/// A secret with all that encodings change.
pub const CANARY: &str = "canary/0123 \"quoted\"&+more=WILD";

/// Limits that an attack meets soon.
pub fn limits() -> Limits {
    Limits { deadline: Duration::from_secs(2), memory_bytes: 16 << 20, concurrency: 8, ..Limits::default() }
}

/// One attack: settings, secrets, and what is granted beside what is described.
#[derive(Clone, Default)]
pub struct Attack {
    settings: serde_json::Map<String, serde_json::Value>,
    secrets: MemorySecrets,
    granted: Vec<String>,
}

impl Attack {
    /// The attack of this name in the hostile component's README.
    pub fn named(name: &str) -> Self {
        Self::default().with("attack", name)
    }

    /// A request to `url`.
    pub fn request(url: &str) -> Self {
        Self::named("request").with("url", url)
    }

    /// The same with a setting.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.settings.insert(key.to_owned(), value.into());
        self
    }

    /// The same with a secret.
    #[must_use]
    pub fn secret(mut self, key: &str, value: &str) -> Self {
        self.secrets = self.secrets.with(key, value);
        self
    }

    /// The same with a further granted host.
    #[must_use]
    pub fn grant(mut self, host: &str) -> Self {
        self.granted.push(host.to_owned());
        self
    }
}

/// A runtime with the hostile component, and a neighbour that delivers to a simulator.
pub struct Sandbox {
    pub runtime: Runtime,
    pub hostile: Plugin,
    neighbour: Channel,
    pub simulator: Simulator,
}

impl Sandbox {
    /// With limits that attacks meet soon, and a gate that sends everything for [`OWN`] and [`OTHER`] to `wire`.
    pub async fn new(wire: Option<&Wire>) -> Self {
        Self::with(limits(), wire).await
    }

    /// The same with these limits.
    pub async fn with(limits: Limits, wire: Option<&Wire>) -> Self {
        let simulator = Simulator::start().await.unwrap();
        let mut gate = GateConfig::default().with_upstream("hooks.slack.com", &simulator.base_url()).unwrap();
        if let Some(wire) = wire {
            gate = gate.with_upstream(OWN, &wire.url()).unwrap().with_upstream(OTHER, &wire.url()).unwrap();
        }
        let runtime = Runtime::builder().limits(limits).gate(gate).build().unwrap();
        let hostile = runtime.load_bytes(components::named("hostile")).await.unwrap();
        let good = runtime.load_bytes(components::named("slack-webhook")).await.unwrap();
        let secrets = MemorySecrets::new().with("url", Simulator::webhook_url());
        let neighbour =
            good.configure(Grant::described(&good), serde_json::Map::new(), Arc::new(secrets)).await.unwrap();
        Self { runtime, hostile, neighbour, simulator }
    }

    /// A channel that makes this attack.
    pub async fn channel(&self, attack: Attack) -> Channel {
        let Attack { settings, secrets, granted } = attack;
        let mut grant = Grant::described(&self.hostile);
        for host in granted {
            grant = grant.allow(&host).unwrap();
        }
        self.hostile.configure(grant, settings, Arc::new(secrets)).await.unwrap()
    }

    /// Runs the attack alone.
    pub async fn run(&self, attack: Attack) -> DeliveryReport {
        self.channel(attack).await.deliver(&delivery()).await
    }

    /// Runs the attack with a delivery of the neighbour beside it, which has to go through, and one after it.
    pub async fn survives(&self, attack: Attack) -> DeliveryReport {
        let channel = self.channel(attack).await;
        let before = self.simulator.messages().len();
        let request = delivery();
        let (report, beside) = tokio::join!(channel.deliver(&request), self.neighbour.deliver(&request));
        assert!(matches!(beside.outcome, Outcome::Delivered(_)), "beside the attack: {beside:?}");
        let after = self.neighbour.deliver(&request).await;
        assert!(matches!(after.outcome, Outcome::Delivered(_)), "after the attack: {after:?}");
        assert_eq!(self.simulator.messages().len(), before + 2);
        report
    }

    /// What the component saw: its failure's message.
    pub async fn saw(&self, attack: Attack) -> String {
        let report = self.run(attack).await;
        let failure = failure(&report);
        assert_eq!(failure.code, "saw", "{report:?}");
        failure.message.clone()
    }
}

/// The report's failure.
pub fn failure(report: &DeliveryReport) -> &Failure {
    match &report.outcome {
        Outcome::Failed(failure) => failure,
        Outcome::Delivered(receipt) => panic!("delivered: {receipt:?}"),
    }
}

/// The report's failure has this kind and code, and this in its message.
#[track_caller]
pub fn assert_failed(report: &DeliveryReport, kind: FailureKind, code: &str, message: &str) {
    let failure = failure(report);
    assert!(
        failure.kind == kind && failure.code == code && failure.message.contains(message),
        "expected {kind:?} {code:?} {message:?}: {report:?}"
    );
}

/// Bytes of a log's messages.
pub fn log_bytes(log: &[LogLine]) -> usize {
    log.iter().map(|line| line.message.len()).sum()
}

/// Any event.
pub fn delivery() -> DeliveryRequest {
    let event = Event {
        id: "event-1".to_owned(),
        alert_id: None,
        incident_id: None,
        title: "Test".to_owned(),
        report: None,
        severity: Severity::Info,
        occurred_at: 1_734_272_040_000,
        occurred_at_local: "Dec 15, 2024 2:14 PM".to_owned(),
        locale: "en-US".to_owned(),
        detail: Detail::Test,
        mentions: Vec::new(),
        labels: Vec::new(),
        attributes: Vec::new(),
    };
    DeliveryRequest::first("delivery-1", event)
}

/// What the server does once it has read a request.
#[derive(Clone)]
pub enum Answer {
    /// Sends this, whatever it is, and closes.
    Bytes(Vec<u8>),
    /// Sends what this makes of the request, and closes.
    Made(fn(&str) -> Vec<u8>),
    /// Sends a head, and then the same bytes again and again.
    Endless(&'static str, &'static [u8]),
    /// Sends this and then nothing, and stays.
    Stall(&'static str),
}

impl Answer {
    /// A whole answer.
    pub fn whole(status: &str, headers: &str, body: &[u8]) -> Self {
        Self::Bytes(whole(status, headers, body))
    }
}

/// A whole answer's bytes. `headers` is lines with their ends.
pub fn whole(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// A server on loopback that answers everything alike, and keeps what it was sent.
pub struct Wire {
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Wire {
    /// On a free port.
    pub async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer.clone(), Arc::clone(&kept)));
            }
        });
        Self { address, requests, server }
    }

    /// "http://127.0.0.1:PORT".
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Each request as it came, head and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(mut stream: TcpStream, answer: Answer, kept: Arc<Mutex<Vec<String>>>) {
    let Some(request) = read(&mut stream).await else { return };
    kept.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    // The client may well go while it is written to.
    match answer {
        Answer::Bytes(bytes) => drop(stream.write_all(&bytes).await),
        Answer::Made(make) => drop(stream.write_all(&make(&request)).await),
        Answer::Endless(head, part) => {
            if stream.write_all(head.as_bytes()).await.is_ok() {
                while stream.write_all(part).await.is_ok() {}
            }
        }
        Answer::Stall(start) => {
            drop(stream.write_all(start.as_bytes()).await);
            // Until the other side closes.
            let _ = stream.read(&mut [0]).await;
        }
    }
    let _ = stream.shutdown().await;
}

/// A head and as much body as it announces.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text.into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
