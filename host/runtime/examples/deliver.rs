//! Loads any channel component and delivers a test message through it:
//! `deliver COMPONENT.wasm [--upstream HOST=URL] [KEY=VALUE…]`. Secrets come from `PQH_SECRET_<KEY>`.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use pqh_runtime::contract::events::{Detail, Event, Severity};
use pqh_runtime::{DeliveryRequest, GateConfig, Grant, MemorySecrets, Outcome, Runtime};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let component = arguments.next().context("usage: deliver COMPONENT.wasm [--upstream HOST=URL] [KEY=VALUE…]")?;
    let (mut gate, mut settings, mut secrets) = (GateConfig::default(), serde_json::Map::new(), MemorySecrets::new());
    while let Some(argument) = arguments.next() {
        if argument == "--upstream" {
            let upstream = arguments.next().context("--upstream takes HOST=URL")?;
            let (host, url) = upstream.split_once('=').context("--upstream takes HOST=URL")?;
            gate = gate.with_upstream(host, url)?;
        } else {
            let (key, value) = argument.split_once('=').context("settings are KEY=VALUE")?;
            settings.insert(key.to_owned(), value.into());
        }
    }
    for (name, value) in std::env::vars() {
        if let Some(key) = name.strip_prefix("PQH_SECRET_") {
            secrets = secrets.with(key.to_lowercase().replace('_', "-"), value);
        }
    }
    let runtime = Runtime::builder().gate(gate).build()?;
    let plugin = runtime.load_file(&component).await?;
    println!("{} sends to: {}", plugin.descriptor().name, Grant::described(&plugin));
    let channel = plugin.configure(Grant::described(&plugin), settings, Arc::new(secrets)).await?;
    let event = Event {
        id: "example-1".to_owned(),
        alert_id: None,
        incident_id: None,
        title: "Hello from another host".to_owned(),
        report: None,
        severity: Severity::Info,
        occurred_at: 1_734_290_040_000,
        occurred_at_local: "Dec 15, 2024 2:14 PM".to_owned(),
        locale: "en-US".to_owned(),
        detail: Detail::Test,
        mentions: Vec::new(),
        labels: Vec::new(),
        attributes: Vec::new(),
    };
    let request = DeliveryRequest::first("delivery-1", event);
    match channel.deliver(&request).await.outcome {
        Outcome::Delivered(receipt) => println!("delivered: {receipt:?}"),
        Outcome::Failed(failure) => anyhow::bail!("{}: {} {}", failure.code, failure.message, failure.remedy),
    }
    Ok(())
}
