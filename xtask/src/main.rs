//! The commands of development: `cargo xtask demo`, `test`, `soak`, `bench`, `dist` and `pictures`.

mod bench;
mod dist;
mod pictures;
mod run;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The commands of development.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Delivers the guide's messages through the component into a simulated Slack, and shows them
    Demo,
    /// Format, lints, all tests; stops at the first that fails
    Test,
    /// Kills the service under load, again and again: nothing that it accepted may be lost
    Soak {
        /// How often
        #[arg(long, default_value_t = 50)]
        kills: u32,
        /// Repeats the choices of an earlier run
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Runs the benchmarks and keeps their figures in docs/performance.md
    Bench {
        /// Measures this part alone
        #[arg(long)]
        only: Option<bench::Part>,
    },
    /// Puts each component with its metadata, size and SHA-256 into dist/
    Dist,
    /// Takes a picture of each mail for docs/pictures; needs chromium
    Pictures,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    run::ensure_target()?;
    match arguments.command {
        Task::Demo => demo(),
        Task::Test => test(),
        Task::Soak { kills, seed } => soak(kills, seed),
        Task::Bench { only } => bench::run(only),
        Task::Dist => dist::run(),
        Task::Pictures => pictures::run(),
    }
}

fn demo() -> Result<()> {
    println!(
        "Building pqh with its components, and the simulator. A first build takes some minutes; the next, seconds.\n"
    );
    // All of the workspace, so that features are the same as in the tests, and nothing is built twice.
    run::cargo("build", &["build", "--workspace", "--bins"])?;
    println!();
    run::program("demo")
}

fn test() -> Result<()> {
    run::cargo("format", &["fmt", "--all", "--check"])?;
    run::cargo("lints", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    run::cargo("programs", &["build", "--workspace", "--bins"])?;
    run::cargo("tests", &["test", "--workspace"])?;
    println!("\nformat, lints and tests: all passed");
    Ok(())
}

fn soak(kills: u32, seed: Option<u64>) -> Result<()> {
    let mut surroundings = vec![("PQH_KILLS", kills.to_string())];
    surroundings.extend(seed.map(|seed| ("PQH_SEED", seed.to_string())));
    run::cargo("programs", &["build", "--workspace", "--bins"])?;
    run::cargo_with("soak", &["test", "--workspace", "--test", "kills", "--", "--nocapture"], &surroundings)
}
