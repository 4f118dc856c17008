//! The whole service: load client, `pqh serve` and sink as processes of their own on the same two cores.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Builds all in release, runs the benchmark, and gives its section's tables.
pub(super) fn measure() -> Result<String> {
    tables(&super::figures("bench-service", "some three minutes", on_two_cores)?)
}

/// Two cores are what the figures are told of.
fn on_two_cores(program: &Path) -> Command {
    if std::thread::available_parallelism().map_or(1, std::num::NonZero::get) <= 2 {
        return Command::new(program);
    }
    let mut taskset = Command::new("taskset");
    taskset.args(["--cpu-list", "0,1"]).arg(program);
    taskset
}

/// What stands below the tables.
const NOTES: &str = "\
One event a request over 64 kept connections, each to one of the webhooks in turn; its channel type posts the message of
`slack-webhook` without its pace. Client, service and sink are three processes that share two cores. \"As fast as it
takes them\" keeps at most 2,000 accepted events on their way. The time runs from the client's 202 to the message's arrival at
the sink; what arrived before its 202 took none. \"Through the gate alone\" is the same component with the same message to the same sink, 64 at a time, in a process
without a service. A start is of the process, on the database with all these channels, until `/readyz` answers 200: the middle of five.
";

fn tables(figures: &Value) -> Result<String> {
    let number = |path: &str| {
        figures.pointer(path).and_then(Value::as_f64).with_context(|| format!("the benchmark left no figure {path}"))
    };
    let mut table = String::from(
        "| load | accepted/s | delivered/s | p50 | p99 | longest | refused | missing |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let half = format!("{} events/s", number("/half_load")?);
    for (name, load) in [("as fast as it takes them", "full"), (half.as_str(), "half")] {
        let of = |key: &str| number(&format!("/{load}/{key}"));
        let refused = figures[load]["refused"]
            .as_object()
            .map_or(0, |refused| refused.values().filter_map(Value::as_u64).sum::<u64>());
        writeln!(
            table,
            "| {name} | {:.0} | {:.0} | {:.1} ms | {:.1} ms | {:.0} ms | {refused} | {} |",
            of("accepted_per_second")?,
            of("delivered_per_second")?,
            of("p50_ms")?,
            of("p99_ms")?,
            of("max_ms")?,
            of("missing")?,
        )?;
    }
    let (full, gate) = (number("/full/delivered_per_second")?, number("/gate_per_second")?);
    let mut marks = String::from("| mark | measured |\n| --- | --- |\n");
    writeln!(marks, "| at least 3,000 events/s accepted and delivered | {full:.0}/s |")?;
    writeln!(
        marks,
        "| at least 40 % of the rate through the gate alone | {full:.0}/s against {gate:.0}/s ({:.0} %) |",
        100.0 * full / gate
    )?;
    writeln!(marks, "| p99 under 50 ms at half load | {:.1} ms |", number("/half/p99_ms")?)?;
    writeln!(marks, "| ready within 300 ms of its start | {:.0} ms |", number("/ready_ms")?)?;
    writeln!(marks, "| at most 60 MiB idle | {:.1} MiB |", number("/idle_kib")? / 1024.0)?;
    writeln!(marks, "| under full load | {:.1} MiB |", number("/busy_kib")? / 1024.0)?;
    let (channels, seconds) = (number("/channels")?, number("/seconds")?);
    Ok(format!("{channels} channels, {seconds} seconds each.\n\n{table}\n{marks}\n{NOTES}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_stand_in_the_tables_beside_their_marks() {
        let load = serde_json::json!({ "accepted_per_second": 3210.4, "delivered_per_second": 3200.6, "p50_ms": 1.25,
            "p99_ms": 12.34, "max_ms": 99.9, "refused": { "429": 2, "503": 1 }, "missing": 0 });
        let figures = serde_json::json!({ "channels": 2000, "seconds": 60, "half_load": 1500, "full": load, "half": load,
            "gate_per_second": 6401.2, "ready_ms": 120.0, "idle_kib": 51_200, "busy_kib": 204_800 });
        let text = tables(&figures).unwrap();
        assert!(text.contains("| 1500 events/s | 3210 | 3201 | 1.2 ms | 12.3 ms | 100 ms | 3 | 0 |"), "{text}");
        assert!(text.contains("3201/s against 6401/s (50 %)"), "{text}");
        assert!(text.contains("| at most 60 MiB idle | 50.0 MiB |"), "{text}");
        assert!(tables(&serde_json::json!({})).is_err(), "a missing figure is no zero");
    }
}
