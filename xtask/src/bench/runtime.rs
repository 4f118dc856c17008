//! Sandbox and gate: the benchmarks of `pqh-runtime`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// Runs them, and gives their section's tables.
pub(super) fn measure() -> Result<String> {
    let root = pqh_component_build::workspace_root()?;
    ensure!(root.join("host/runtime/benches").is_dir(), "there are no benchmarks yet: host/runtime/benches is missing");
    let benches = |name| ["bench", "--package", "pqh-runtime", "--bench", name];
    // Figures of earlier benchmarks would pass for today's.
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let _ = std::fs::remove_dir_all(target.join("criterion"));
    crate::run::cargo("benchmarks", &benches("sandbox"))?;
    crate::run::cargo("benchmarks", &benches("gate"))?;
    let in_flight = crate::run::cargo_output("benchmarks", &benches("in_flight"))?;
    let mut figures = BTreeMap::new();
    collect(&target.join("criterion"), "", &mut figures);
    ensure!(!figures.is_empty(), "the benchmarks left no figures in target/criterion");
    let mut table = String::from("| benchmark | mean | 95 % interval |\n| --- | --- | --- |\n");
    for (name, [mean, low, high]) in &figures {
        writeln!(table, "| {name} | {} | {} to {} |", time(*mean), time(*low), time(*high))?;
    }
    let marks = marks(&figures, &in_flight)?;
    Ok(format!("{table}\n{marks}\n{NOTES}"))
}

/// What stands below the tables.
const NOTES: &str = "\
\"deliver in a fresh sandbox\" is a new store, a new instance, the component's `deliver` with its one request answered at
once, and the drop of it all. \"render natively\" makes the same bytes in this process. What waits in flight waits in
`send`, before a connection is made: sockets are not counted. \"through the gate\" and \"reqwest alone\" post the same body
to the same server in this process, 64 at a time; the figure is the time from one to the next.
";

/// The figures that we want to keep, and where they stand.
fn marks(figures: &BTreeMap<String, [f64; 3]>, in_flight: &str) -> Result<String> {
    let mean = |name: &str| {
        let found = figures.iter().find(|(known, _)| known.replace('_', " ").ends_with(name));
        found.map(|(_, [mean, ..])| *mean).with_context(|| format!("the benchmark {name:?} left no figure"))
    };
    let line = in_flight.lines().find(|line| line.starts_with("in flight:")).context("nothing was said of memory")?;
    let components = pqh_component_build::build("plugins", &pqh_component_build::Options::default())?;
    let mut marks = String::from("| mark | measured |\n| --- | --- |\n");
    let added = mean("deliver in a fresh sandbox")? - mean("render natively")?;
    writeln!(marks, "| a fresh sandbox adds at most 25 µs to a native rendering | {} |", time(added))?;
    writeln!(marks, "| load precompiled at most 1 ms | {} |", time(mean("load precompiled")?))?;
    writeln!(marks, "| at most 64 KiB per delivery in flight | {} |", line.trim_start_matches("in flight:").trim())?;
    let (gate, alone) = (mean("through the gate")?, mean("reqwest alone")?);
    writeln!(
        marks,
        "| through the gate against reqwest alone | {:.0}/s against {:.0}/s ({:.0} %) |",
        1e9 / gate,
        1e9 / alone,
        100.0 * alone / gate
    )?;
    for component in components {
        let bytes = std::fs::metadata(&component.wasm_path)?.len();
        writeln!(marks, "| a component of at most 153,600 bytes (150 KiB) | {}: {bytes} bytes |", component.package)?;
    }
    Ok(marks)
}

/// Criterion's means below `folder`, in nanoseconds with their interval.
fn collect(folder: &Path, name: &str, figures: &mut BTreeMap<String, [f64; 3]>) {
    let estimates = std::fs::read(folder.join("new/estimates.json")).ok();
    if let Some(estimates) = estimates.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()) {
        let mean = &estimates["mean"];
        let interval = &mean["confidence_interval"];
        let all = [&mean["point_estimate"], &interval["lower_bound"], &interval["upper_bound"]];
        if let [Some(mean), Some(low), Some(high)] = all.map(Value::as_f64) {
            figures.insert(name.to_owned(), [mean, low, high]);
        }
        return;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir()) {
        let part = entry.file_name().to_string_lossy().into_owned();
        collect(&entry.path(), &if name.is_empty() { part } else { format!("{name}/{part}") }, figures);
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
