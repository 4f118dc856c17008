//! The rate of the gate alone: the benchmark's component posts the benchmark's message to the sink, without a service.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Parser;
use pqh_runtime::contract::events::{BrokenRule, Detail, Event, Report, Severity, Trigger};
use pqh_runtime::{Channel, DeliveryRequest, GateConfig, Grant, MemorySecrets, Outcome, Runtime};
use pqh_tests::bench;
use tokio::task::JoinSet;

/// Posts through the gate alone, and prints how often a second.
#[derive(Debug, Parser)]
struct Arguments {
    /// The component's file.
    #[arg(long)]
    component: PathBuf,
    /// The sink's address.
    #[arg(long)]
    sink: String,
    /// How many channels there are.
    #[arg(long)]
    channels: u64,
    /// How long to post.
    #[arg(long)]
    seconds: u64,
    /// How many are posted at the same time.
    #[arg(long, default_value_t = 64)]
    at_a_time: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let gate = GateConfig::default().with_upstream("hooks.slack.com", &arguments.sink)?;
    let runtime = Runtime::builder().gate(gate).build()?;
    let plugin = runtime.load_file(&arguments.component).await?;
    let mut channels = Vec::new();
    for number in 0..arguments.channels {
        let secrets = MemorySecrets::new().with("url", bench::webhook_url(number));
        let channel = plugin.configure(Grant::described(&plugin), serde_json::Map::new(), Arc::new(secrets));
        channels.push(channel.await?);
    }
    // The first of each is paid for before.
    post(&channels, &AtomicU64::new(0), arguments.at_a_time, Duration::from_secs(2)).await?;
    let next = AtomicU64::new(0);
    let started = Instant::now();
    post(&channels, &next, arguments.at_a_time, Duration::from_secs(arguments.seconds)).await?;
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = next.into_inner() as f64 / started.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({ "per_second": rate }));
    Ok(())
}

/// Posts for this long, to one channel after the other, and counts in `next`.
async fn post(channels: &[Channel], next: &AtomicU64, at_a_time: u64, time: Duration) -> Result<()> {
    let counter = Arc::new(AtomicU64::new(0));
    let channels: Arc<[Channel]> = channels.into();
    let end = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for _ in 0..at_a_time {
        let (channels, counter) = (Arc::clone(&channels), Arc::clone(&counter));
        tasks.spawn(async move {
            while Instant::now() < end {
                let number = counter.fetch_add(1, Ordering::Relaxed);
                let at = usize::try_from(number)? % channels.len();
                let Some(channel) = channels.get(at) else { bail!("there are no channels") };
                let report = channel.deliver(&request(number)).await;
                if let Outcome::Failed(failure) = report.outcome {
                    bail!("not delivered: {}: {}", failure.code, failure.message);
                }
            }
            Ok(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    next.store(counter.load(Ordering::Relaxed), Ordering::Relaxed);
    Ok(())
}

/// As the service hands it over: see [`bench::event`].
fn request(number: u64) -> DeliveryRequest {
    let rule = |metric: &str, threshold: &str, current: &str| BrokenRule {
        metric: metric.to_owned(),
        comparison: "<".to_owned(),
        threshold: threshold.to_owned(),
        current: current.to_owned(),
    };
    let event = Event {
        id: bench::title(number),
        alert_id: None,
        incident_id: None,
        title: bench::title(number),
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
