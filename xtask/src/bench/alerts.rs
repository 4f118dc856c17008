//! Checks of alerts: `pqh serve` on one core, the load client on the other.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Builds all in release, runs the benchmark, and gives its section's tables.
pub(super) fn measure() -> Result<String> {
    tables(&super::figures("bench-alerts", "some six minutes", |program| Command::new(program))?)
}

/// What stands below the tables.
const NOTES: &str = "\
Every thread of `pqh serve` stays on one core; the client (and the sink, idle by then) has the other. Each connection is
kept, and posts one check after the other, each of an alert chosen at random, without `at`: a value for each of two
rules. A check is counted once its 202 is here, which means judged and on the disk. One alert of a hundred was triggered
and told before, and stays triggered within its cooldown; the others' values break nothing: every check is judged and
kept, and none is told. \"CPU a check\" is all that the service's process computed meanwhile, HTTP, database and kernel
included, by the number of checks; it depends less than the rate on what else the machine does.
";

fn tables(figures: &Value) -> Result<String> {
    let loads = figures["loads"].as_array().filter(|loads| !loads.is_empty()).context("the benchmark left no loads")?;
    let number = |load: &Value, key: &str| {
        load[key].as_f64().with_context(|| format!("the benchmark left no figure {key} in {load}"))
    };
    let mut table = String::from(
        "| alerts | connections | checks/s | CPU a check | CPU busy | p50 | p99 | longest | within cooldown | refused |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for load in loads {
        let of = |key: &str| number(load, key);
        let refused = load["refused"].as_object().map_or(0, |all| all.values().filter_map(Value::as_u64).sum::<u64>());
        writeln!(
            table,
            "| {} | {} | {:.0} | {:.1} µs | {:.0} % | {:.1} ms | {:.1} ms | {:.0} ms | {:.1} % | {refused} |",
            of("alerts")?,
            of("connections")?,
            of("checks_per_second")?,
            of("cpu_us_per_check")?,
            100.0 * of("cpu_share")?,
            of("p50_ms")?,
            of("p99_ms")?,
            of("max_ms")?,
            100.0 * of("cooling")? / of("checks")?,
        )?;
    }
    let alerts = |load: &Value| load["alerts"].as_u64().context("the benchmark left no figure alerts");
    // At each number of alerts, the number of connections that brings the most.
    let mut best: BTreeMap<u64, (f64, &Value)> = BTreeMap::new();
    for load in loads {
        let rate = number(load, "checks_per_second")?;
        if best.get(&alerts(load)?).is_none_or(|(most, _)| rate > *most) {
            best.insert(alerts(load)?, (rate, load));
        }
    }
    let (fewest, (few_rate, few)) = best.first_key_value().context("no loads")?;
    let (most, (many_rate, many)) = best.last_key_value().context("no loads")?;
    let (cost_few, cost_many) = (number(few, "cpu_us_per_check")?, number(many, "cpu_us_per_check")?);
    let mut marks = String::from("| mark | measured |\n| --- | --- |\n");
    writeln!(
        marks,
        "| 10,000 checks/s on one core | {few_rate:.0}/s with {fewest} alerts, {many_rate:.0}/s with {most} |"
    )?;
    writeln!(
        marks,
        "| a check costs no more with {most} alerts than with {fewest} | {cost_many:.1} µs against {cost_few:.1} µs ({:.0} %) |",
        100.0 * cost_many / cost_few
    )?;
    let seconds = figures["seconds"].as_u64().context("the benchmark left no seconds")?;
    Ok(format!("{seconds} seconds each.\n\n{table}\n{marks}\n{NOTES}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_stand_in_the_tables_beside_their_marks() {
        let load = |alerts: u64, connections: u64, rate: f64, cost: f64| {
            serde_json::json!({ "alerts": alerts, "connections": connections, "checks": 200_000, "cooling": 2_000,
                "refused": { "429": 2, "503": 1 }, "checks_per_second": rate, "cpu_us_per_check": cost,
                "cpu_share": 0.985, "client_cpu_share": 0.4, "p50_ms": 1.25, "p99_ms": 12.34, "max_ms": 99.9 })
        };
        let loads = [load(100, 64, 9_000.0, 99.0), load(100, 256, 12_345.6, 80.0), load(100_000, 64, 11_000.4, 84.0)];
        let text = tables(&serde_json::json!({ "seconds": 20, "in_turn": false, "loads": loads })).unwrap();
        assert!(
            text.contains("| 100 | 256 | 12346 | 80.0 µs | 98 % | 1.2 ms | 12.3 ms | 100 ms | 1.0 % | 3 |"),
            "{text}"
        );
        assert!(text.contains("| 12346/s with 100 alerts, 11000/s with 100000 |"), "{text}");
        assert!(text.contains("| 84.0 µs against 80.0 µs (105 %) |"), "{text}");
        assert!(tables(&serde_json::json!({})).is_err(), "a missing figure is no zero");
    }
}
