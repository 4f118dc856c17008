//! The benchmark's client: posts events over kept connections, and compares when each was accepted with when it arrived.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use clap::Parser;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use pqh_tests::bench;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::watch;

/// Posts one event after the other, each to one of many channels, and prints what became of them.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where the service listens: ADDRESS:PORT.
    #[arg(long)]
    server: String,
    /// A publisher's token.
    #[arg(long, env = "PQH_TOKEN", hide_env_values = true)]
    token: String,
    /// Where the sink listens: ADDRESS:PORT.
    #[arg(long)]
    sink: String,
    /// How many channels there are.
    #[arg(long)]
    channels: u64,
    /// How long to post.
    #[arg(long)]
    seconds: u64,
    /// Events a second, whatever the service does; without it, as many as it takes.
    #[arg(long)]
    rate: Option<u32>,
    /// Without a rate: how many accepted events may be on their way.
    #[arg(long, default_value_t = 2_000)]
    outstanding: u64,
    /// Number of the first event: no number may be used twice.
    #[arg(long)]
    first: u64,
    /// Connections that are kept open.
    #[arg(long, default_value_t = 64)]
    connections: u64,
}

type Client = SendRequest<Full<Bytes>>;

/// What the connections share.
struct Load {
    arguments: Arguments,
    started: Instant,
    /// How many events were begun.
    begun: AtomicU64,
    accepted_count: AtomicU64,
    /// How many have arrived at the sink since the start.
    arrived: watch::Receiver<u64>,
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    /// Number of the event, and when its 202 came.
    accepted: Vec<(u64, u64)>,
    refused: BTreeMap<u16, u64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    tokio::task::LocalSet::new().run_until(run(arguments)).await
}

async fn run(arguments: Arguments) -> Result<()> {
    let mut sink = connect(&arguments.sink).await?;
    let before = count(&mut sink).await?;
    let (teller, arrived) = watch::channel(0);
    let mut clients = Vec::new();
    for _ in 0..arguments.connections {
        clients.push(connect(&arguments.server).await?);
    }
    let (time, first_at) = (Duration::from_secs(arguments.seconds), bench::now());
    let load = Rc::new(Load {
        arguments,
        started: Instant::now(),
        begun: AtomicU64::new(0),
        accepted_count: AtomicU64::new(0),
        arrived,
    });
    let mut connections = tokio::task::JoinSet::new();
    for client in clients {
        let load = Rc::clone(&load);
        connections.spawn_local(async move { post(&load, client, time).await });
    }
    let mut seen = Seen::default();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        tokio::select! {
            ended = connections.join_next() => {
                let Some(ended) = ended else { break };
                let one = ended??;
                seen.accepted.extend(one.accepted);
                for (status, times) in one.refused {
                    *seen.refused.entry(status).or_default() += times;
                }
            }
            _ = ticks.tick() => drop(teller.send(count(&mut sink).await? - before)),
        }
    }
    let times = arrivals(&mut sink, before + seen.accepted.len() as u64).await?;
    report(&seen, &times, first_at, time);
    Ok(())
}

/// Posts until the time is over.
async fn post(load: &Load, mut client: Client, time: Duration) -> Result<Seen> {
    let Arguments { server, token, channels, rate, outstanding, first, .. } = &load.arguments;
    let mut seen = Seen::default();
    let mut arrived = load.arrived.clone();
    let authorization = format!("Bearer {token}");
    loop {
        let index = load.begun.fetch_add(1, Ordering::Relaxed);
        if let Some(rate) = rate {
            let due = load.started + Duration::from_secs(index) / *rate;
            tokio::time::sleep_until(due.into()).await;
        } else {
            let on_the_way = |arrived: &u64| load.accepted_count.load(Ordering::Relaxed).saturating_sub(*arrived);
            arrived.wait_for(|arrived| on_the_way(arrived) < *outstanding).await?;
        }
        if load.started.elapsed() >= time {
            return Ok(seen);
        }
        let number = first + index;
        let body = json!({ "channels": [bench::alias(index % channels)], "event": bench::event(number) });
        let request = Request::post("/v1/events")
            .header(HOST, server)
            .header(AUTHORIZATION, &authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())))?;
        client.ready().await?;
        let answer = client.send_request(request).await?;
        let status = answer.status().as_u16();
        answer.into_body().collect().await?;
        if status == 202 {
            seen.accepted.push((number, bench::now()));
            load.accepted_count.fetch_add(1, Ordering::Relaxed);
        } else {
            *seen.refused.entry(status).or_default() += 1;
        }
    }
}

async fn connect(address: &str) -> Result<Client> {
    let address = address.trim_start_matches("http://");
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
    stream.set_nodelay(true)?;
    let (client, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::task::spawn_local(connection);
    Ok(client)
}

async fn get(sink: &mut Client, path: &str) -> Result<String> {
    sink.ready().await?;
    let request = Request::get(path).header(HOST, "sink").body(Full::default())?;
    let body = sink.send_request(request).await?.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(body.into())?)
}

async fn count(sink: &mut Client) -> Result<u64> {
    get(sink, "/count").await?.parse().context("the sink counts in numbers")
}

/// When each event arrived first, once `expected` are there or no more come.
async fn arrivals(sink: &mut Client, expected: u64) -> Result<HashMap<u64, u64>> {
    const REST: Duration = Duration::from_secs(10);
    let (mut before, mut since) = (count(sink).await?, Instant::now());
    while before < expected && since.elapsed() < REST {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let now = count(sink).await?;
        if now != before {
            (before, since) = (now, Instant::now());
        }
    }
    let mut times = HashMap::new();
    for line in get(sink, "/times").await?.lines() {
        let (number, at) = line.split_once(' ').context("the sink tells number and time")?;
        times.entry(number.parse()?).or_insert(at.parse()?);
    }
    ensure!(!times.is_empty(), "nothing arrived");
    Ok(times)
}

fn report(seen: &Seen, times: &HashMap<u64, u64>, first_at: u64, time: Duration) {
    let end = first_at + u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let in_time = times.values().filter(|at| (first_at..end).contains(*at)).count();
    // What arrived before its 202 did took no time.
    let mut took: Vec<u64> = seen
        .accepted
        .iter()
        .filter_map(|(number, accepted)| Some(times.get(number)?.saturating_sub(*accepted)))
        .collect();
    took.sort_unstable();
    let seconds = time.as_secs();
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let (per_second, milliseconds) = (
        |count: usize| count as f64 / seconds as f64,
        |share: f64| bench::percentile(&took, share).map(|micros| micros as f64 / 1e3),
    );
    println!(
        "{}",
        json!({
            "accepted": seen.accepted.len(), "missing": seen.accepted.len() - took.len(), "refused": seen.refused,
            "accepted_per_second": per_second(seen.accepted.len()), "delivered_per_second": per_second(in_time),
            "p50_ms": milliseconds(0.5), "p99_ms": milliseconds(0.99), "max_ms": milliseconds(1.0),
        })
    );
}
