//! The service's benchmark: load client, `pqh serve` and sink as processes of their own, and what they took.
//!
//! Prints its figures as JSON. `cargo xtask bench` runs it and writes them down.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use pqh_tests::bench;
use pqh_tests::service::{ServiceProgram, Setup};
use serde_json::{Value, json};

/// Runs the service's benchmark.
#[derive(Debug, Parser)]
struct Arguments {
    /// The benchmark's component.
    #[arg(long)]
    component: PathBuf,
    /// How many channels, each with a webhook of its own.
    #[arg(long, default_value_t = 2_000)]
    channels: u64,
    /// How long each load lasts.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Events a second at half load.
    #[arg(long, default_value_t = 1_500)]
    half_load: u32,
}

/// Ends with the benchmark.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let component = arguments.component.canonicalize().context("--component names no file")?;
    let (_sink, sink_url) = sink()?;
    let plugins = tempfile::tempdir()?;
    std::fs::copy(&component, plugins.path().join("bench-webhook.wasm"))?;
    let setup = Setup::to(&sink_url)
        .with("PQH_PLUGINS", plugins.path().to_str().context("the folder's path is not UTF-8")?)
        // One token posts everything here.
        .with("PQH_LIMITS_REQUESTS_PER_SECOND", "1000000");
    let mut service = setup.start().await?;
    make_channels(&service, arguments.channels).await?;

    let ready = ready(&mut service).await?;
    let idle = resident(&service)?;
    eprintln!("ready after {} ms, {idle} KiB idle", ready.as_millis());
    let client = Client { sink: &sink_url, channels: arguments.channels };
    // Each channel once, so that what is made at the first use is there.
    client.run(&service, 0, arguments.channels.div_ceil(500).max(3), Some(500)).await?;
    let (full, busy) = client.run(&service, 100_000_000, arguments.seconds, None).await?;
    eprintln!("as fast as it can: {full}");
    let (half, _) = client.run(&service, 200_000_000, arguments.seconds, Some(arguments.half_load)).await?;
    eprintln!("at {} events/s: {half}", arguments.half_load);
    let ended = service.stop().await?;
    ensure!(ended.success(), "pqh serve ended with {ended}:\n{}", service.output());
    let gate = gate(&component, &sink_url, &arguments)?;
    println!(
        "{}",
        json!({
            "channels": arguments.channels, "seconds": arguments.seconds, "half_load": arguments.half_load,
            "full": full, "half": half, "gate_per_second": gate["per_second"],
            "ready_ms": ready.as_secs_f64() * 1e3, "idle_kib": idle, "busy_kib": busy,
        })
    );
    Ok(())
}

/// A program that stands beside this one.
fn beside(name: &str) -> Result<Command> {
    let current = std::env::current_exe().context("cannot tell where this program stands")?;
    Ok(Command::new(current.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX))))
}

fn sink() -> Result<(Process, String)> {
    let mut child = beside("bench-sink")?.stdout(Stdio::piped()).spawn().context("cannot run bench-sink")?;
    let stdout = child.stdout.take().context("bench-sink has no output")?;
    let process = Process(child);
    let mut line = String::new();
    std::io::BufReader::new(stdout).read_line(&mut line)?;
    Ok((process, line.trim().to_owned()))
}

/// Grants the component, and makes the channels.
async fn make_channels(service: &ServiceProgram, channels: u64) -> Result<()> {
    let api = service.api();
    let path = format!("/v1/plugins/{}/grant", bench::CHANNEL_TYPE);
    let (status, answer) = api.ask(reqwest::Method::POST, &path, &api.operator_token(), Some(&json!({}))).await?;
    ensure!(status == 200, "the component is not granted: {status} {answer}");
    for number in 0..channels {
        api.add_channel(&bench::alias(number), bench::CHANNEL_TYPE, &bench::webhook_url(number)).await?;
    }
    Ok(())
}

/// The middle of five times from start to ready, on a database that is there and with components compiled before.
async fn ready(service: &mut ServiceProgram) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..5 {
        service.stop().await?;
        let started = Instant::now();
        service.restart().await?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    times.get(2).copied().context("five times have a middle")
}

/// KiB of memory that the service's process holds.
fn resident(service: &ServiceProgram) -> Result<u64> {
    let process = service.process().context("the service does not run")?;
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).context("this needs Linux's /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    line.trim().trim_end_matches(" kB").parse().context("VmRSS is a number")
}

/// How `bench-load` is run.
struct Client<'a> {
    sink: &'a str,
    channels: u64,
}

impl Client<'_> {
    /// One load; its figures, and the most memory that the service held.
    async fn run(&self, service: &ServiceProgram, first: u64, seconds: u64, rate: Option<u32>) -> Result<(Value, u64)> {
        let mut command = beside("bench-load")?;
        command.env("PQH_TOKEN", service.api().publisher_token());
        command.args(["--server", service.api().base_url()?.trim_start_matches("http://"), "--sink", self.sink]);
        command.args(["--channels", &self.channels.to_string(), "--first", &first.to_string()]);
        command.args(["--seconds", &seconds.to_string()]);
        if let Some(rate) = rate {
            command.args(["--rate", &rate.to_string()]);
        }
        let running = tokio::task::spawn_blocking(move || command.stderr(Stdio::inherit()).output());
        let mut most = resident(service)?;
        while !running.is_finished() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            most = most.max(resident(service)?);
        }
        let ran = running.await?.context("cannot run bench-load")?;
        ensure!(ran.status.success(), "bench-load ended with {}", ran.status);
        Ok((serde_json::from_slice(&ran.stdout).context("bench-load prints JSON")?, most))
    }
}

fn gate(component: &Path, sink: &str, arguments: &Arguments) -> Result<Value> {
    let ran = beside("bench-gate")?
        .arg("--component")
        .arg(component)
        .args(["--sink", sink, "--channels", &arguments.channels.to_string()])
        .args(["--seconds", &arguments.seconds.div_ceil(3).to_string()])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run bench-gate")?;
    ensure!(ran.status.success(), "bench-gate ended with {}", ran.status);
    serde_json::from_slice(&ran.stdout).context("bench-gate prints JSON")
}
