//! 5,000 deliveries in flight at once, each waiting in `send`, and the memory that they take (`RssAnon`).
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, missing_docs, reason = "benchmarks may stop and round")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pqh_runtime::{GateConfig, Limits, MemorySecrets, Runtime};

const DELIVERIES: usize = 5_000;

/// Kibibytes of anonymous memory of this process.
fn anonymous_kib() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn main() {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    tokio.block_on(async {
        let limits =
            Limits { concurrency: DELIVERIES + 8, deadline: std::time::Duration::from_mins(5), ..Limits::default() };
        let runtime = Runtime::builder().limits(limits).gate(GateConfig::default()).build().unwrap();
        let plugin = runtime.load_bytes(&common::component()).await.unwrap();
        let known = MemorySecrets::new().with("url", common::secret_url(&plugin));
        let held = Arc::new(common::Held { known, open: AtomicBool::new(true), waiting: AtomicUsize::new(0) });
        let channel = common::channel_with(&plugin, held.clone()).await;
        held.open.store(false, Ordering::Release);
        let Some(before) = anonymous_kib() else {
            println!("in flight: this system tells no RssAnon");
            return;
        };
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..DELIVERIES {
            let channel = channel.clone();
            tasks.spawn(async move { channel.deliver(&common::request()).await });
        }
        while held.waiting.load(Ordering::Acquire) < DELIVERIES {
            tokio::task::yield_now().await;
        }
        let after = anonymous_kib().unwrap_or(before);
        let each = (after - before) as f64 / DELIVERIES as f64;
        println!("in flight: {DELIVERIES} deliveries waiting in send, {each:.1} KiB of RssAnon each");
        tasks.abort_all();
    });
}
