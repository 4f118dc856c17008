//! Runs the benchmarks and keeps their figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

pub(crate) fn run() -> Result<()> {
    let root = pqh_component_build::workspace_root()?;
    ensure!(
        root.join("host/runtime/benches").is_dir(),
        "there are no benchmarks yet: host/runtime/benches is missing"
    );
    crate::run::cargo(
        "benchmarks",
        &["bench", "--package", "pqh-runtime", "--benches"],
    )?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let mut figures = BTreeMap::new();
    collect(&target.join("criterion"), "", &mut figures);
    ensure!(
        !figures.is_empty(),
        "the benchmarks left no figures in target/criterion"
    );
    let mut table = String::from("| benchmark | mean | 95 % interval |\n| --- | --- | --- |\n");
    for (name, [mean, low, high]) in &figures {
        writeln!(
            table,
            "| {name} | {} | {} to {} |",
            time(*mean),
            time(*low),
            time(*high)
        )?;
    }
    println!("\n{table}");
    let page = format!(
        "# Performance\n\nMeasured by `cargo xtask bench` on {}.\n\nMachine: {}.\n\n{table}",
        jiff::Zoned::now().date(),
        machine()
    );
    std::fs::write(root.join("docs/performance.md"), page)
        .context("cannot write docs/performance.md")
}

/// Criterion's means below `folder`, in nanoseconds with their interval.
fn collect(folder: &Path, name: &str, figures: &mut BTreeMap<String, [f64; 3]>) {
    let estimates = std::fs::read(folder.join("new/estimates.json")).ok();
    if let Some(estimates) =
        estimates.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
    {
        let mean = &estimates["mean"];
        let interval = &mean["confidence_interval"];
        let all = [
            &mean["point_estimate"],
            &interval["lower_bound"],
            &interval["upper_bound"],
        ];
        if let [Some(mean), Some(low), Some(high)] = all.map(Value::as_f64) {
            figures.insert(name.to_owned(), [mean, low, high]);
        }
        return;
    }
    for entry in std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().is_dir())
    {
        let part = entry.file_name().to_string_lossy().into_owned();
        collect(
            &entry.path(),
            &if name.is_empty() {
                part
            } else {
                format!("{name}/{part}")
            },
            figures,
        );
    }
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 1e3 => format!("{n:.1} ns"),
        n if n < 1e6 => format!("{:.2} µs", n / 1e3),
        n if n < 1e9 => format!("{:.2} ms", n / 1e6),
        n => format!("{:.2} s", n / 1e9),
    }
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let model = model.map_or(std::env::consts::ARCH, |(_, model)| model);
    format!("{model}, {cpus} threads, {}", std::env::consts::OS)
}
