//! What scenarios share: the service in this process, by a clock that the test sets, with a simulator of the other side.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unused_imports,
    reason = "each test program uses its own part, and helpers of tests fail by panicking, as tests do"
)]

mod ask;
mod channels;
mod component;
mod follow;
mod script;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use pqh::clock::Clock;
use pqh::config::Config;
use pqh::service::Service;
use pqh_tests::slack_webhook::Simulator;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub use ask::Answer;
pub use channels::new_channel;
pub use component::{OTHER_TYPE, folder_with_another_type};
pub use follow::{attempts, due_in, event, millis, order, text};
pub use script::{answering, saying, throttling};

/// Where the clock stands at first: the beginning of a minute.
pub const START: i64 = 1_800_000_000_000;
/// The longest that anything is waited for. What takes longer has failed.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(3);

pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_mins(1);
pub const HOUR: Duration = Duration::from_hours(1);
pub const DAY: Duration = Duration::from_hours(24);
/// The shortest time that the clock knows.
pub const MOMENT: Duration = Duration::from_millis(1);

/// A moment less.
pub fn almost(time: Duration) -> Duration {
    time.saturating_sub(MOMENT)
}

/// A running service with an organization, and what it sends to.
pub struct Scenario {
    pub clock: Clock,
    pub simulator: Simulator,
    pub organization: String,
    pub operator: String,
    pub admin: String,
    pub publisher: String,
    /// An administrator of another organization, whose messages tell when all that was due had its turn.
    sentinel: String,
    config: Config,
    folder: TempDir,
    running: Option<(Runtime, Service)>,
    client: reqwest::Client,
    /// Numbers webhooks, so that each has a URL of its own.
    count: AtomicUsize,
}

impl Drop for Scenario {
    fn drop(&mut self) {
        if let Some((runtime, service)) = self.running.take() {
            drop(service);
            // Waiting is not allowed here.
            runtime.shutdown_background();
        }
    }
}

impl Scenario {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With another configuration.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_clock(Clock::set_to(START), change).await
    }

    pub async fn with_clock(clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        // No request here is by TLS, and yet the client wants to know whose. Another test may have said it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let simulator = Simulator::start().await.unwrap();
        let seen = clock.clone();
        simulator.set_clock(move || seen.now());
        let folder = tempfile::tempdir().unwrap();
        let mut config = config_in(folder.path());
        config.egress.upstreams.insert("hooks.slack.com".to_owned(), simulator.base_url());
        change(&mut config);
        let mut scenario = Self {
            clock,
            simulator,
            organization: String::new(),
            operator: String::new(),
            admin: String::new(),
            publisher: String::new(),
            sentinel: String::new(),
            config,
            folder,
            running: None,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            count: AtomicUsize::new(1),
        };
        scenario.launch().await;
        scenario.make_organizations().await;
        scenario
    }

    async fn make_organizations(&mut self) {
        let operator = std::fs::read_to_string(self.folder().join("operator.token")).unwrap();
        operator.trim().clone_into(&mut self.operator);
        (self.organization, self.admin) = self.make_organization("Acme").await;
        (_, self.sentinel) = self.make_organization("Sentinel").await;
        self.publisher = self.token("publisher").await;
    }

    /// A new organization: its id, and the token of its administrator.
    pub async fn make_organization(&self, name: &str) -> (String, String) {
        let made = self.post_as(&self.operator, "/v1/organizations", &json!({ "name": name })).await.created();
        (text(&made["id"]), text(&made["admin_token"]))
    }

    /// A new token of the organization.
    pub async fn token(&self, role: &str) -> String {
        let made = self.post("/v1/tokens", &json!({ "name": role, "role": role })).await.created();
        text(&made["token"])
    }

    /// Starts the service on its folder. It has threads of its own, so that it can be killed.
    pub async fn launch(&mut self) {
        assert!(self.running.is_none(), "the service runs already");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (config, clock) = (self.config.clone(), self.clock.clone());
        let started = tokio::task::spawn_blocking(move || {
            let service = runtime.block_on(Service::start(config, clock));
            (runtime, service)
        });
        let (runtime, service) = started.await.unwrap();
        self.running = Some((runtime, service.unwrap()));
    }

    /// Stops it as a signal does: attempts in flight end first.
    pub async fn stop(&mut self) {
        let (runtime, service) = self.running.take().expect("the service runs");
        runtime.spawn(service.stop()).await.unwrap();
        end(runtime).await;
    }

    /// Begins to stop it, while requests go on.
    pub fn begin_to_stop(&mut self) -> Stopping {
        let address = self.base();
        let (runtime, service) = self.running.take().expect("the service runs");
        let task = runtime.spawn(service.stop());
        Stopping { address, runtime, task }
    }

    /// Ends it at once, whatever it is at.
    pub async fn kill(&mut self) {
        let (runtime, service) = self.running.take().expect("the service runs");
        drop(service);
        end(runtime).await;
    }

    pub async fn restart(&mut self) {
        self.stop().await;
        self.launch().await;
    }

    /// `http://127.0.0.1:PORT`
    pub fn base(&self) -> String {
        let (_, service) = self.running.as_ref().expect("the service runs");
        format!("http://{}", service.address())
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Moves the clock on.
    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Moves the clock on to a time, if it is later.
    pub fn pass_until(&self, at: i64) {
        self.pass(Duration::from_millis(u64::try_from(at - self.now()).unwrap_or(0)));
    }
}

/// A service on its way to its end.
pub struct Stopping {
    pub address: String,
    runtime: Runtime,
    task: tokio::task::JoinHandle<()>,
}

impl Stopping {
    pub async fn end(self) {
        self.task.await.unwrap();
        end(self.runtime).await;
    }
}

/// Everything of the service is dropped when this returns.
async fn end(runtime: Runtime) {
    tokio::task::spawn_blocking(move || runtime.shutdown_timeout(PATIENCE)).await.unwrap();
}

/// Everything within the folder; compiled components are shared by all tests.
fn config_in(folder: &Path) -> Config {
    let mut config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        database: format!("sqlite:{}", folder.join("pqh.db").display()),
        master_key_file: folder.join("pqh.key"),
        operator_token_file: folder.join("operator.token"),
        cache_dir: Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("components")),
        ..Config::default()
    };
    config.limits.concurrency = 64;
    config
}

/// What `condition` finds, once it finds something. `what` is told where it does not come to be.
pub async fn eventually<T, F>(what: &str, mut condition: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, Value>>,
{
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        match condition().await {
            Ok(found) => return found,
            Err(seen) => assert!(tokio::time::Instant::now() < until, "{what} does not come to be: {seen:#}"),
        }
        tokio::time::sleep(LOOK).await;
    }
}
