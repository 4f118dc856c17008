//! A fresh sandbox with a delivery in it, against rendering the same message natively; and loading what is precompiled.
#![allow(clippy::unwrap_used, missing_docs, reason = "benchmarks may stop")]

mod common;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pqh_runtime::{GateConfig, Runtime};

fn sandbox(criterion: &mut Criterion) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let runtime = common::runtime(100, GateConfig::default());
    let plugin = tokio.block_on(runtime.load_bytes(&common::component())).unwrap();
    let channel = tokio.block_on(common::channel(&plugin));
    let request = common::request();
    assert!(tokio.block_on(channel.rehearse(&request, "ok")), "the delivery must succeed to be measured");
    criterion.bench_function("deliver in a fresh sandbox", |bencher| {
        bencher.to_async(&tokio).iter(|| channel.rehearse(&request, "ok"));
    });
    let event = common::native_event();
    criterion.bench_function("render natively", |bencher| {
        bencher.iter(|| serde_json::to_vec(&bench_message::render(black_box(&event))).unwrap());
    });
}

fn load(criterion: &mut Criterion) {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::builder().cache_dir(folder.path().join("compiled")).build().unwrap();
    let bytes = common::component();
    tokio.block_on(runtime.load_bytes(&bytes)).unwrap();
    criterion.bench_function("load precompiled", |bencher| {
        bencher.to_async(&tokio).iter(|| async { runtime.load_bytes(&bytes).await.unwrap() });
    });
}

criterion_group!(benches, sandbox, load);
criterion_main!(benches);
