//! Deliveries through the gate to a loopback server, against reqwest alone to the same server; 64 at a time.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, missing_docs, reason = "benchmarks may stop and round")]

mod common;

use std::convert::Infallible;
use std::future::Future;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use pqh_runtime::{GateConfig, Outcome};
use tokio::net::TcpListener;

const AT_A_TIME: usize = 64;

/// Answers "ok" to everything.
async fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { return };
            let _ = stream.set_nodelay(true);
            tokio::spawn(async move {
                let answer = service_fn(|request: http::Request<hyper::body::Incoming>| async move {
                    let _ = request.into_body().collect().await;
                    Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from_static(b"ok"))))
                });
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
    format!("http://{address}")
}

/// Runs `count` of them, 64 at a time.
async fn all<F, R>(count: u64, run: F) -> Duration
where
    F: Fn() -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send,
{
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    let share = count.div_ceil(AT_A_TIME as u64);
    for _ in 0..AT_A_TIME {
        let run = run.clone();
        tasks.spawn(async move {
            for _ in 0..share {
                run().await;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    // Rounded up to whole shares: count what was asked for.
    started.elapsed().mul_f64(count as f64 / (share * AT_A_TIME as u64) as f64)
}

fn gate(criterion: &mut Criterion) {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let url = tokio.block_on(server());
    let component = common::component();
    let described = tokio.block_on(common::runtime(1, GateConfig::default()).load_bytes(&component)).unwrap();
    let config = GateConfig::default().with_upstream(&common::host(&described), &url).unwrap();
    let runtime = common::runtime(200, config);
    let plugin = tokio.block_on(runtime.load_bytes(&component)).unwrap();
    let channel = tokio.block_on(common::channel(&plugin));
    let body = serde_json::to_vec(&bench_message::render(&common::native_event())).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut group = criterion.benchmark_group("loopback, 64 at a time");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    group.bench_function("through the gate", |bencher| {
        bencher.to_async(&tokio).iter_custom(|count| {
            let channel = channel.clone();
            all(count, move || {
                let channel = channel.clone();
                async move {
                    let report = channel.deliver(&common::request()).await;
                    assert!(matches!(report.outcome, Outcome::Delivered(_)), "{:?}", report.outcome);
                }
            })
        });
    });
    group.bench_function("reqwest alone", |bencher| {
        bencher.to_async(&tokio).iter_custom(|count| {
            let (client, url, body) = (client.clone(), url.clone(), body.clone());
            all(count, move || {
                let request = client.post(&url).header("content-type", "application/json").body(body.clone());
                async move {
                    assert_eq!(request.send().await.unwrap().text().await.unwrap(), "ok");
                }
            })
        });
    });
    group.finish();
}

criterion_group!(benches, gate);
criterion_main!(benches);
