//! Runs the benchmarks and keeps their figures in docs/performance.md, a section for each part.

mod alerts;
mod runtime;
mod service;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use pqh_component_build::Options;
use serde_json::Value;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Sandbox and gate
    Runtime,
    /// The whole service under load
    Service,
    /// Checks of few alerts and of many
    Alerts,
}

const TITLE: &str = "# Performance\n";

impl Part {
    const ALL: [Self; 3] = [Self::Runtime, Self::Service, Self::Alerts];

    fn heading(self) -> &'static str {
        match self {
            Self::Runtime => "## Sandbox and gate",
            Self::Service => "## The service",
            Self::Alerts => "## Alerts",
        }
    }

    fn measure(self) -> Result<String> {
        match self {
            Self::Runtime => runtime::measure(),
            Self::Service => service::measure(),
            Self::Alerts => alerts::measure(),
        }
    }
}

/// Measures one part or all. A part that is not measured keeps its section as it was.
pub(crate) fn run(only: Option<Part>) -> Result<()> {
    let path = pqh_component_build::workspace_root()?.join("docs/performance.md");
    for part in Part::ALL.into_iter().filter(|part| only.is_none_or(|only| only == *part)) {
        let figures = part.measure()?;
        println!("\n{figures}");
        let measured = format!(
            "{}\n\nMeasured by `cargo xtask bench` on {}. Machine: {}.\n\n{figures}",
            part.heading(),
            jiff::Zoned::now().date(),
            machine()
        );
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(&path, with_section(&page, part, &measured)).context("cannot write docs/performance.md")?;
    }
    Ok(())
}

/// The page with this section in place of the part's own.
fn with_section(page: &str, part: Part, section: &str) -> String {
    let mut out = String::from(TITLE);
    for other in Part::ALL {
        let kept = if other == part { Some(section) } else { section_of(page, other) };
        if let Some(kept) = kept {
            out.push('\n');
            out.push_str(kept.trim_end());
            out.push('\n');
        }
    }
    out
}

/// From a part's heading to the next.
fn section_of(page: &str, part: Part) -> Option<&str> {
    let start = page.find(part.heading())?;
    let section = page.get(start..)?;
    let end = section.match_indices("\n## ").map(|(at, _)| at).next().unwrap_or(section.len());
    section.get(..end)
}

/// Builds all in release, runs one of the benchmarks' programs by this command, and gives its figures.
fn figures(name: &str, how_long: &str, command: impl FnOnce(&Path) -> Command) -> Result<Value> {
    let components = pqh_component_build::build("tests/bench-webhook", &Options::default())?;
    let component = components.first().context("tests/bench-webhook holds no component")?;
    crate::run::cargo("programs", &["build", "--release", "--workspace", "--bins"])?;
    let root = pqh_component_build::workspace_root()?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    println!("==> {name}: {how_long}");
    let ran = command(&target.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
        .arg("--component")
        .arg(&component.wasm_path)
        .current_dir(&root)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    ensure!(ran.status.success(), "{name} failed: see above");
    serde_json::from_slice(&ran.stdout).with_context(|| format!("{name} prints JSON"))
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let model = model.map_or(std::env::consts::ARCH, |(_, model)| model);
    format!("{model}, {cpus} threads, {}", std::env::consts::OS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_measured_again_leaves_the_others_as_they_were() {
        let both = with_section("", Part::Service, "## The service\n\nfast\n");
        let both = with_section(&both, Part::Runtime, "## Sandbox and gate\n\nsmall\n");
        assert_eq!(both, "# Performance\n\n## Sandbox and gate\n\nsmall\n\n## The service\n\nfast\n");
        let again = with_section(&both, Part::Service, "## The service\n\nfaster\n");
        assert_eq!(again, "# Performance\n\n## Sandbox and gate\n\nsmall\n\n## The service\n\nfaster\n");
        let third = with_section(&again, Part::Alerts, "## Alerts\n\nmany\n");
        assert_eq!(third, format!("{again}\n## Alerts\n\nmany\n"));
    }
}
