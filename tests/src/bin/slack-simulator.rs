//! A Slack incoming webhook on loopback that shows every message as people would see it.

use std::io::IsTerminal as _;

use clap::Parser;
use pqh_tests::slack_webhook::{Simulator, WEBHOOK_PATH, render};

/// A Slack incoming webhook on loopback; ends with Ctrl-C.
#[derive(Debug, Parser)]
struct Arguments {
    /// Port to listen on; a free one when left out.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let simulator = Simulator::start_on(arguments.port).await?;
    let base = simulator.base_url();
    println!("Slack simulator on {base}, its webhook at {WEBHOOK_PATH}. Send it an event:\n");
    println!("  PQH_SET_URL={} \\", Simulator::webhook_url());
    println!(
        "  pqh send tests/events/daily-sales-triggered.json --type slack-webhook --upstream hooks.slack.com={base}\n"
    );
    let colour = std::io::stdout().is_terminal();
    let mut shown = 0;
    loop {
        let messages = simulator.wait_for(shown + 1).await;
        for message in messages.iter().skip(shown) {
            println!("{}\n", render::message(message, colour));
        }
        shown = messages.len();
    }
}
