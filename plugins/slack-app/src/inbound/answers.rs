//! What the bot says to people who mention it.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use pqh_channel_sdk::inbound::{Alert, Facts};
use pqh_channel_sdk::list::{count, fitting, names, plural};
use pqh_channel_sdk::words::UNNAMED;
use slack_format::{date, escape, line, line_or};

/// Said where the bot was invited.
pub(super) const READY: &str = "👋 PyQueryHub is here and ready to send alerts to this channel. Pick it as the target of a notification \
                                channel in PyQueryHub, or mention me with `help` to see what I can do.";
const HELP: &str = "I post PyQueryHub's alerts, and follow up on them. Mention me with:\n\
                    • `status`: whether this channel is connected, and what posts here\n\
                    • `alerts`: the alerts that post here, triggered ones first\n\
                    • `help`: this message";
const HELLO: &str = "👋 Hello! I am here to tell you of PyQueryHub's alerts, and do not chat much.\n";
const NOT_YET: &str = "no notification channel of PyQueryHub posts here yet. To add one, go to Settings, Notification Channels, Add \
                       Channel, and pick this channel as its target.";
/// How long an answer's list may get.
const LIST: usize = 3000;

/// The answer to what somebody said to the bot in a channel of which this is known.
pub(super) fn answer(said: &str, facts: &Facts) -> String {
    let said = without_mentions(said).to_ascii_lowercase();
    let mut words = said.split(|held: char| !held.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    if words.peek().is_none() {
        return HELP.to_owned();
    }
    let told = words.find_map(|word| match word {
        "help" => Some(HELP.to_owned()),
        "status" => Some(status(facts)),
        "alert" | "alerts" => Some(alerts(facts)),
        _ => None,
    });
    told.unwrap_or_else(|| [HELLO, HELP].concat())
}

/// What is left without `<@U…>` and the like.
fn without_mentions(said: &str) -> String {
    let mut pieces = said.split('<');
    let mut left = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        left.push(' ');
        left.push_str(piece.split_once('>').map_or(piece, |(_, after)| after));
    }
    left
}

fn total(facts: &Facts) -> usize {
    facts.alerts.len() + usize::try_from(facts.omitted).unwrap_or(usize::MAX - facts.alerts.len())
}

fn status(facts: &Facts) -> String {
    if facts.channels.is_empty() {
        return format!("✅ Connected, but {NOT_YET}");
    }
    let total = total(facts);
    let triggered = facts.alerts.iter().filter(|alert| alert.triggered).count();
    // Triggered ones come first: where all that are told are, more may be.
    let plus = if facts.omitted > 0 && triggered == facts.alerts.len() { "+" } else { "" };
    let posts = if total == 1 { "posts" } else { "post" };
    let last = facts.last_delivery.as_deref().map_or_else(String::new, |when| line(when, 80));
    let last = if last.is_empty() { "no message yet".to_owned() } else { format!("last message {last}") };
    let channels: Vec<&str> = facts.channels.iter().map(String::as_str).collect();
    format!(
        "✅ Connected, {} alert{} {posts} here, {}{plus} triggered, {last}.\nNotification channel{}: {}",
        count(total),
        plural(total),
        count(triggered),
        plural(channels.len()),
        escape(&names(&channels, 5)),
    )
}

fn alerts(facts: &Facts) -> String {
    let total = total(facts);
    match (total, facts.channels.is_empty()) {
        (0, true) => format!("No alert posts here: {NOT_YET}"),
        (0, false) => "No alert posts here yet. Select this notification channel in an alert of PyQueryHub.".to_owned(),
        _ => {
            let posts = if total == 1 { "posts" } else { "post" };
            let heading = format!("*{} alert{} {posts} here:*", count(total), plural(total));
            fitting(&heading, facts.alerts.iter().map(told), total, "alert", LIST)
        }
    }
}

fn told(alert: &Alert) -> String {
    let name = line_or(&alert.name, 120, UNNAMED);
    let local = alert.since_local.as_deref().unwrap_or_default();
    let since = alert.since.map_or_else(|| line(local, 80), |since| date(since, local));
    match (alert.triggered, &*since) {
        (true, "") => format!("🚨 {name}, triggered"),
        (true, since) => format!("🚨 {name}, triggered since {since}"),
        _ => format!("✅ {name}"),
    }
}
