//! Slack on loopback, which shows every message as people would see it: an incoming webhook, or the app with a workspace.

use std::collections::HashMap;
use std::io::IsTerminal as _;

use anyhow::Result;
use clap::Parser;
use pqh_tests::slack_api::Message;
use pqh_tests::slack_app::{SlackApp, TEAM};
use pqh_tests::slack_webhook::{Simulator, WEBHOOK_PATH, render};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// Slack on loopback; ends with Ctrl-C.
#[derive(Debug, Parser)]
struct Arguments {
    /// Port of the webhook; a free one when left out.
    #[arg(long, default_value_t = 0, conflicts_with = "app")]
    port: u16,
    /// The Slack app with a workspace to connect, in place of a webhook.
    #[arg(long)]
    app: bool,
    /// Where `pqh serve` listens, for the app.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7070", requires = "app")]
    server: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.app { app(arguments.server.trim_end_matches('/')).await } else { webhook(arguments.port).await }
}

async fn webhook(port: u16) -> Result<()> {
    let simulator = Simulator::start_on(port).await?;
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

async fn app(server: &str) -> Result<()> {
    let slack = SlackApp::start().await?;
    println!("Slack simulator on {}, with the workspace Acme. Start the service so:\n", slack.slack.base_url());
    for (name, value) in slack.settings() {
        println!("  export {name}={value}");
    }
    println!("  export PQH_EGRESS_UPSTREAMS={}\n  pqh serve\n", slack.upstream());
    println!("Then type here:");
    println!("  the link of `pqh connection connect slack-app`: it is followed as by somebody who allows everything");
    println!("  anything else, such as `status`: it is said to the bot in #sales\n");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut changes = slack.slack.changes();
    let mut shown = Shown::default();
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                None => std::future::pending::<()>().await,
                Some(line) if line.trim().is_empty() => {}
                Some(line) => match act(&slack, server, line.trim()).await {
                    Ok(told) => println!("-> {told}\n"),
                    Err(error) => println!("-> {error:#}\n"),
                },
            },
            told = changes.changed() => told?,
        }
        shown.show(&slack);
    }
}

/// What somebody typed: what came of it.
async fn act(slack: &SlackApp, server: &str, line: &str) -> Result<String> {
    if line.starts_with("https://") || line.starts_with("http://") {
        return slack.connect(server, line, TEAM).await;
    }
    Ok(format!("the service answered Slack with {}", slack.mention(server, line).await?))
}

/// Messages that were shown, each with its number of edits.
#[derive(Default)]
struct Shown(HashMap<(String, String), usize>);

impl Shown {
    fn show(&mut self, slack: &SlackApp) {
        let workspace = slack.workspace();
        for message in workspace.posted() {
            let before = self.0.insert((message.channel.clone(), message.ts.clone()), message.edits.len());
            if before == Some(message.edits.len()) {
                continue;
            }
            let name = workspace.channel(&message.channel).map(|held| held.name).filter(|name| !name.is_empty());
            let name =
                name.map_or_else(|| format!("the direct message {}", message.channel), |name| format!("#{name}"));
            println!("{} {name}{}:\n", if before.is_some() { "Updated in" } else { "In" }, place(&message));
            let content = Value::Object(message.content);
            println!("{}\n", render::message(&content, std::io::stdout().is_terminal()));
        }
    }
}

fn place(message: &Message) -> &'static str {
    if message.thread_ts.is_some() { ", in a thread" } else { "" }
}
