//! Runs the service on its defaults, tells the guide's events to a simulated Slack, watches a value, connects a workspace,
//! and kills the service on the way.

use std::io::IsTerminal as _;

use anyhow::{Result, ensure};
use pqh_tests::program;
use pqh_tests::service::{ServiceProgram, Setup, within};
use pqh_tests::slack_app::{SALES, SlackApp, TEAM, TYPE};
use pqh_tests::slack_webhook::{Hold, Simulator, render};

const EVENTS: &[&str] = &["daily-sales-triggered", "daily-sales-resolved", "etl-notebook"];
/// Told while the service is killed.
const LAST: &str = "daily-revenue-triggered";
const CHANNEL: &str = "Sales - Alerts";
const ALERT: &str = "Daily Revenue Alert";

#[tokio::main]
async fn main() -> Result<()> {
    let simulator = Simulator::start().await?;
    println!("$ pqh serve                       # in an empty folder; what is meant for Slack goes to a simulator");
    let slack = SlackApp::start().await?;
    let upstreams = format!("hooks.slack.com={},{}", simulator.base_url(), slack.upstream());
    let setup = Setup::default().with("PQH_EGRESS_UPSTREAMS", &upstreams);
    let setup = slack.settings().iter().fold(setup, |setup, (name, value)| setup.with(name, value));
    let mut service = setup.start().await?;
    println!("$ pqh org create Acme");
    let url = service.folder().join("webhook-url.txt");
    std::fs::write(&url, Simulator::webhook_url())?;
    let secret = format!("url=@{}", url.display());
    println!("$ pqh channel add \"{CHANNEL}\" --type slack-webhook --set url=@webhook-url.txt");
    print!("{}", service.ask(&["channel", "add", CHANNEL, "--type", "slack-webhook", "--set", &secret]).await?);
    for (index, name) in EVENTS.iter().enumerate() {
        println!("\n$ pqh event post tests/events/{name}.json --channel \"{CHANNEL}\" --wait");
        let arguments = ["event", "post", &program::event(name), "--channel", CHANNEL, "--wait"];
        print!("{}", service.ask(&arguments).await?);
        show(&simulator, index)?;
    }
    watch(&simulator, &service).await?;
    connect(&slack, &service).await?;
    survive(&simulator, &mut service).await?;
    println!("$ pqh deliveries list");
    print!("{}", service.ask(&["deliveries", "list"]).await?);
    let database = service.database();
    let _ = service.stop().await?;
    ensure!(database.is_file(), "the database is gone");
    println!(
        "\nThe same to a Slack channel of your own, without a service (the file keeps the URL out of the history):\n"
    );
    println!(
        "  target/debug/pqh send tests/events/daily-sales-triggered.json --type slack-webhook --set url=@webhook-url.txt\n"
    );
    Ok(())
}

/// An alert tells that its rule is broken, and that it is over.
async fn watch(simulator: &Simulator, service: &ServiceProgram) -> Result<()> {
    let (rule, report) = ("Revenue < 50000", "Daily Sales Dashboard");
    println!(
        "$ pqh alert add \"{ALERT}\" --rule \"{rule}\" --channel \"{CHANNEL}\" --report \"{report}\" --cooldown 30m"
    );
    let arguments =
        ["alert", "add", ALERT, "--rule", rule, "--channel", CHANNEL, "--report", report, "--cooldown", "30m"];
    print!("{}", service.ask(&arguments).await?);
    for value in ["Revenue=42,750", "Revenue=51,200"] {
        let before = simulator.messages().len();
        println!("\n$ pqh alert check \"{ALERT}\" --value \"{value}\"");
        print!("{}", service.ask(&["alert", "check", ALERT, "--value", value]).await?);
        within("the message", simulator.wait_for(before + 1)).await?;
        service.api().wait_until_settled().await?;
        show(simulator, before)?;
    }
    Ok(())
}

/// A workspace is connected with the app; what is posted there is followed up in place.
async fn connect(slack: &SlackApp, service: &ServiceProgram) -> Result<()> {
    const ON_CALL: &str = "Sales - On Call";
    println!("$ pqh connection connect {TYPE}      # prints a link; somebody opens it, and allows everything");
    let link = service.ask(&["connection", "connect", TYPE]).await?;
    println!("{}", slack.connect(&service.api().base_url()?, link.trim(), TEAM).await?);
    println!("$ pqh connection targets Acme sales");
    print!("{}", service.ask(&["connection", "targets", "Acme", "sales"]).await?);
    let channel = format!("channel={SALES}");
    println!("$ pqh channel add \"{ON_CALL}\" --type {TYPE} --set {channel}");
    print!("{}", service.ask(&["channel", "add", ON_CALL, "--type", TYPE, "--set", &channel]).await?);
    println!("\n$ pqh alert update \"{ALERT}\" --channel \"{ON_CALL}\"");
    service.ask(&["alert", "update", ALERT, "--channel", ON_CALL]).await?;
    let seen = async |value: &str, places: &[&str]| {
        println!("$ pqh alert check \"{ALERT}\" --value \"{value}\"");
        service.ask(&["alert", "check", ALERT, "--value", value]).await?;
        service.api().wait_until_settled().await?;
        let messages = slack.workspace().messages(SALES);
        ensure!(messages.len() == places.len(), "expected {} messages: {messages:#?}", places.len());
        for (message, place) in messages.into_iter().zip(places) {
            let text = render::message(&message.content.into(), std::io::stdout().is_terminal());
            println!("\nIn Slack{place}:\n\n{text}");
        }
        println!();
        Ok::<_, anyhow::Error>(())
    };
    seen("Revenue=41,900", &[""]).await?;
    seen("Revenue=50,800", &[", the same message", ", in its thread"]).await?;
    Ok(())
}

/// An accepted event arrives although the service is killed while it sends it.
async fn survive(simulator: &Simulator, service: &mut ServiceProgram) -> Result<()> {
    let before = simulator.messages().len();
    simulator.hold(Hold::Requests);
    println!("$ pqh event post tests/events/{LAST}.json --channel \"{CHANNEL}\"      # Slack does not answer …");
    print!("{}", service.ask(&["event", "post", &program::event(LAST), "--channel", CHANNEL]).await?);
    within("the attempt", simulator.wait_for_held(1)).await?;
    println!("$ kill -9 …                       # … and the service is killed meanwhile");
    service.kill()?;
    simulator.release();
    println!("$ pqh serve");
    service.restart().await?;
    within("the message", simulator.wait_for(before + 1)).await?;
    service.api().wait_until_settled().await?;
    show(simulator, before)
}

/// The message of that number as people would see it.
fn show(simulator: &Simulator, index: usize) -> Result<()> {
    let messages = simulator.messages();
    ensure!(messages.len() > index, "pqh said that it delivered, and no message arrived");
    println!("\nIn Slack:\n");
    for message in messages.iter().skip(index) {
        println!("{}\n", render::message(message, std::io::stdout().is_terminal()));
    }
    Ok(())
}
