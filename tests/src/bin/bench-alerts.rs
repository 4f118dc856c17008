//! The benchmark of alerts: `pqh serve` on one core judges checks as fast as it can, with few alerts and with many.
//!
//! Prints its figures as JSON. `cargo xtask bench --only alerts` runs it and writes them down.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use clap::Parser;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper_util::rt::TokioIo;
use pqh_tests::bench;
use pqh_tests::program;
use pqh_tests::service::{ServiceProgram, Setup};
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// Runs the benchmark of alerts.
#[derive(Debug, Parser)]
struct Arguments {
    /// The benchmark's component.
    #[arg(long)]
    component: PathBuf,
    /// How many alerts there are: one service after the other.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 10_000, 100_000])]
    alerts: Vec<usize>,
    /// Connections that are kept open: one load after the other.
    #[arg(long, value_delimiter = ',', default_values_t = [64, 256])]
    connections: Vec<usize>,
    /// How long each load lasts.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// One alert after the other, not any.
    #[arg(long)]
    in_turn: bool,
}

/// The service has this core, all else the other.
const CORE_OF_SERVICE: usize = 0;
const CORE_OF_CLIENT: usize = 1;
/// Alerts that are made at the same time.
const MAKERS: usize = 64;
/// Each of so many alerts is triggered, and stays so: its checks are judged within the cooldown.
const TRIGGERED: usize = 100;
/// Ticks of a second in `/proc`: what Linux tells programs, whatever the kernel counts in.
const TICKS: f64 = 100.0;

type Client = SendRequest<Full<Bytes>>;

/// Ends with the benchmark.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let component = arguments.component.canonicalize().context("--component names no file")?;
    // What is to be built is built on all cores.
    tokio::task::spawn_blocking(program::pqh).await??;
    pin(CORE_OF_CLIENT)?;
    let (_sink, sink) = sink()?;
    let mut loads = Vec::new();
    for alerts in &arguments.alerts {
        let measured = measure(&arguments, &component, &sink, *alerts);
        loads.extend(tokio::task::LocalSet::new().run_until(measured).await?);
    }
    println!("{}", json!({ "seconds": arguments.seconds, "in_turn": arguments.in_turn, "loads": loads }));
    Ok(())
}

/// Puts this process, and what it starts from now on, on one core.
fn pin(core: usize) -> Result<()> {
    let process = std::process::id().to_string();
    let ran = Command::new("taskset")
        .args(["--all-tasks", "--pid", "--cpu-list", &core.to_string(), &process])
        .output()
        .context("cannot run taskset")?;
    ensure!(ran.status.success(), "taskset: {}", String::from_utf8_lossy(&ran.stderr));
    Ok(())
}

/// Only where every thread of the process stays on this core do the figures mean anything.
fn ensure_pinned(process: u32, core: usize) -> Result<()> {
    for thread in std::fs::read_dir(format!("/proc/{process}/task")).context("this needs Linux's /proc")? {
        let status = std::fs::read_to_string(thread?.path().join("status"))?;
        let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default().trim();
        ensure!(cores == core.to_string(), "a thread of the process {process} may run on {cores}");
    }
    Ok(())
}

fn sink() -> Result<(Process, String)> {
    let current = std::env::current_exe().context("cannot tell where this program stands")?;
    let program = current.with_file_name(format!("bench-sink{}", std::env::consts::EXE_SUFFIX));
    let mut child = Command::new(program).stdout(Stdio::piped()).spawn().context("cannot run bench-sink")?;
    let stdout = child.stdout.take().context("bench-sink has no output")?;
    let process = Process(child);
    let mut line = String::new();
    std::io::BufReader::new(stdout).read_line(&mut line)?;
    Ok((process, line.trim().to_owned()))
}

/// A service of its own with so many alerts, and every load on it.
async fn measure(arguments: &Arguments, component: &Path, sink: &str, alerts: usize) -> Result<Vec<Value>> {
    let plugins = tempfile::tempdir()?;
    std::fs::copy(component, plugins.path().join("bench-webhook.wasm"))?;
    let setup = Setup::to(sink)
        .with("PQH_PLUGINS", plugins.path().to_str().context("the folder's path is not UTF-8")?)
        // One token posts everything here.
        .with("PQH_LIMITS_REQUESTS_PER_SECOND", "1000000");
    // It starts with one core, and is made for that.
    pin(CORE_OF_SERVICE)?;
    let mut service = setup.start().await?;
    pin(CORE_OF_CLIENT)?;
    let process = service.process().context("the service does not run")?;
    let started = Instant::now();
    let ids = make_alerts(&service, alerts).await?;
    eprintln!("{alerts} alerts made in {:.1} s", started.elapsed().as_secs_f64());
    let load = Load {
        server: service.api().base_url()?.trim_start_matches("http://").to_owned(),
        authorization: format!("Bearer {}", service.api().publisher_token()),
        ids,
        in_turn: arguments.in_turn,
    };
    let load = Rc::new(load);
    // Each alert once, and what that triggers is delivered.
    let first = run(&load, 64, &Until::each(alerts)).await?;
    ensure!(first.refused.is_empty(), "not every first check was taken: {:?}", first.refused);
    service.api().wait_until_settled().await?;
    let mut loads = Vec::new();
    for connections in &arguments.connections {
        run(&load, *connections, &Until::after(Duration::from_secs(3))).await?;
        let before = (cpu(process)?, cpu(std::process::id())?);
        let seen = run(&load, *connections, &Until::after(Duration::from_secs(arguments.seconds))).await?;
        let after = (cpu(process)?, cpu(std::process::id())?);
        ensure_pinned(process, CORE_OF_SERVICE)?;
        let figures = seen.figures(alerts, *connections, after.0 - before.0, after.1 - before.1)?;
        eprintln!("{figures}");
        loads.push(figures);
    }
    let told = service.api().count("delivered").await?;
    ensure!(told >= alerts.div_ceil(TRIGGERED).min(200), "{told} triggers were told");
    let ended = service.stop().await?;
    ensure!(ended.success(), "pqh serve ended with {ended}:\n{}", service.output());
    Ok(loads)
}

/// Grants the component, makes the channel, and gives the ids of the alerts that tell it.
async fn make_alerts(service: &ServiceProgram, alerts: usize) -> Result<Vec<String>> {
    let api = service.api();
    let path = format!("/v1/plugins/{}/grant", bench::CHANNEL_TYPE);
    let (status, answer) = api.ask(reqwest::Method::POST, &path, &api.operator_token(), Some(&json!({}))).await?;
    ensure!(status == 200, "the component is not granted: {status} {answer}");
    api.add_channel(&bench::alias(0), bench::CHANNEL_TYPE, &bench::webhook_url(0)).await?;
    let make = |number: usize| async move {
        let alert = json!({
            "name": format!("Daily Revenue Alert {number}"), "rules": ["Revenue < 50000", "Error Rate > 2.5%"],
            "channels": [bench::alias(0)], "cooldown_seconds": 3_600, "frequency": "Every second",
            "report": { "name": "Q4 Sales Dashboard", "url": "https://app.example.com/reports/q4" },
        });
        let made = api.create("/v1/alerts", &alert).await?;
        anyhow::Ok(made["id"].as_str().context("an alert has an id")?.to_owned())
    };
    stream::iter(0..alerts).map(make).buffered(MAKERS).try_collect().await
}

/// Seconds that a process has computed, all its threads together.
fn cpu(process: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).context("this needs Linux's /proc")?;
    // The name before may hold anything, white space too.
    let (_, rest) = stat.rsplit_once(')').context("no name in stat")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let ticks = |index: usize| -> Result<f64> { Ok(fields.get(index).context("stat is too short")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

/// What the connections share.
struct Load {
    server: String,
    authorization: String,
    ids: Vec<String>,
    in_turn: bool,
}

/// When a load ends.
struct Until {
    started: Instant,
    longest: Duration,
    /// As many checks at most, and then each alert in turn.
    checks: Option<usize>,
    begun: Cell<usize>,
}

impl Until {
    fn each(checks: usize) -> Rc<Self> {
        Rc::new(Self { started: Instant::now(), longest: Duration::MAX, checks: Some(checks), begun: Cell::new(0) })
    }

    fn after(longest: Duration) -> Rc<Self> {
        Rc::new(Self { started: Instant::now(), longest, checks: None, begun: Cell::new(0) })
    }

    /// The number of the next check; none where it is over.
    fn next(&self) -> Option<usize> {
        let number = self.begun.get();
        self.begun.set(number + 1);
        let is_over = self.started.elapsed() >= self.longest || self.checks.is_some_and(|most| number >= most);
        (!is_over).then_some(number)
    }
}

/// What came of a load.
#[derive(Default)]
struct Seen {
    /// Microseconds from each check's request to its 202.
    took: Vec<u64>,
    /// How many of them were silent since people were told before.
    cooling: u64,
    refused: BTreeMap<u16, u64>,
    elapsed: Duration,
}

impl Seen {
    fn figures(&self, alerts: usize, connections: usize, service: f64, client: f64) -> Result<Value> {
        ensure!(!self.took.is_empty(), "no check was taken: {:?}", self.refused);
        let mut took = self.took.clone();
        took.sort_unstable();
        let seconds = self.elapsed.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let (checks, milliseconds) =
            (took.len() as f64, |share: f64| bench::percentile(&took, share).map(|micros| micros as f64 / 1e3));
        Ok(json!({
            "alerts": alerts, "connections": connections, "checks": took.len(), "cooling": self.cooling,
            "refused": self.refused, "checks_per_second": checks / seconds, "cpu_us_per_check": service * 1e6 / checks,
            "cpu_share": service / seconds, "client_cpu_share": client / seconds,
            "p50_ms": milliseconds(0.5), "p99_ms": milliseconds(0.99), "max_ms": milliseconds(1.0),
        }))
    }
}

/// Posts checks over so many connections, each with one at a time.
async fn run(load: &Rc<Load>, connections: usize, until: &Rc<Until>) -> Result<Seen> {
    let mut clients = Vec::with_capacity(connections);
    for _ in 0..connections {
        clients.push(connect(&load.server).await?);
    }
    let mut posting = tokio::task::JoinSet::new();
    for client in clients {
        let (load, until) = (Rc::clone(load), Rc::clone(until));
        posting.spawn_local(async move { post(&load, client, &until).await });
    }
    let mut seen = Seen::default();
    while let Some(ended) = posting.join_next().await {
        let one = ended??;
        seen.took.extend(one.took);
        seen.cooling += one.cooling;
        for (status, times) in one.refused {
            *seen.refused.entry(status).or_default() += times;
        }
    }
    seen.elapsed = until.started.elapsed();
    Ok(seen)
}

async fn post(load: &Load, mut client: Client, until: &Until) -> Result<Seen> {
    let (host, authorization) = (HeaderValue::from_str(&load.server)?, HeaderValue::from_str(&load.authorization)?);
    let json = HeaderValue::from_static("application/json");
    let mut seen = Seen::default();
    while let Some(number) = until.next() {
        let in_turn = load.in_turn || until.checks.is_some();
        let alert = if in_turn { number % load.ids.len() } else { fastrand::usize(..load.ids.len()) };
        let id = load.ids.get(alert).context("an alert has an id")?;
        let revenue = if alert.is_multiple_of(TRIGGERED) { 8_750 } else { 50_000 + number % 10_000 };
        let body = format!(r#"{{"values":{{"Revenue":"{revenue}","Error Rate":"1.2%"}}}}"#);
        let request = Request::post(format!("/v1/alerts/{id}/checks"))
            .header(HOST, &host)
            .header(AUTHORIZATION, &authorization)
            .header(CONTENT_TYPE, &json)
            .body(Full::new(Bytes::from(body)))?;
        let asked = Instant::now();
        client.ready().await?;
        let answer = client.send_request(request).await?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await?.to_bytes();
        if status == 202 {
            seen.took.push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
            let word = br#""code":"cooldown""#;
            seen.cooling += u64::from(body.windows(word.len()).any(|part| part == word));
        } else {
            *seen.refused.entry(status).or_default() += 1;
        }
    }
    Ok(seen)
}

async fn connect(address: &str) -> Result<Client> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
    stream.set_nodelay(true)?;
    let (client, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::task::spawn_local(connection);
    Ok(client)
}
