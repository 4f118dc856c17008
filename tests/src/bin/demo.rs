//! Sends the guide's events by the real `pqh` to the simulator, and shows what people would see.

use std::io::IsTerminal as _;

use anyhow::{Result, ensure};
use pqh_tests::program;
use pqh_tests::slack_webhook::{Simulator, render};

const EVENTS: &[&str] = &["daily-sales-triggered", "daily-sales-resolved", "etl-notebook", "daily-revenue-triggered"];

#[tokio::main]
async fn main() -> Result<()> {
    let simulator = Simulator::start().await?;
    let upstream = format!("hooks.slack.com={}", simulator.base_url());
    let colour = std::io::stdout().is_terminal();
    for (index, name) in EVENTS.iter().enumerate() {
        println!("$ pqh send tests/events/{name}.json --type slack-webhook --upstream {upstream}");
        let path = program::event(name);
        let upstream = upstream.clone();
        let ran = tokio::task::spawn_blocking(move || {
            let arguments = ["send", &path, "--type", "slack-webhook", "--upstream", &upstream];
            program::run(&arguments, &Simulator::webhook_url())
        })
        .await??;
        print!("{}", String::from_utf8_lossy(&ran.stdout));
        eprint!("{}", String::from_utf8_lossy(&ran.stderr));
        ensure!(ran.status.success(), "pqh ended with {}", ran.status);
        let messages = simulator.messages();
        ensure!(messages.len() == index + 1, "pqh said that it delivered, and no message arrived");
        println!("\nIn Slack:\n");
        for message in messages.iter().skip(index) {
            println!("{}\n", render::message(message, colour));
        }
    }
    println!("The same to a Slack channel of your own (the URL is a secret; the file keeps it out of the history):\n");
    println!(
        "  target/debug/pqh send tests/events/daily-sales-triggered.json --type slack-webhook --set url=@webhook-url.txt\n"
    );
    Ok(())
}
